"""Whose alarm is it? Finds the service of a signal, and its playbook."""

from collections.abc import Callable, Iterable, Sequence

from functions.domain.model import Model
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind
from functions.domain.watched import WatchedAlarm
from functions.playbooks.schema import Playbook


class Match(Model):
    """The service a signal is about, and the playbook that says what may be done for it.

    Without a playbook nothing is ever done; the service may be known all the same.
    """

    ref: ServiceRef | None = None
    playbook: Playbook | None = None
    reason: str
    """How it was found, or why not, for a person."""


def find_service(signal: Signal, playbooks: Iterable[Playbook]) -> Match:
    """Find the one playbook the signal belongs to: by the alarm's name, else by the service that the message names.

    A composite alarm belongs where its children belong. Several playbooks that fit are as good as none: nobody may
    guess which service is meant.
    """
    nearby = [p for p in playbooks if signal.region is None or p.region == signal.region]
    for fits, how in _WAYS:
        found = [p for p in nearby if fits(signal, p)]
        if len(found) == 1:
            return Match(ref=found[0].ref, playbook=found[0], reason=how)
        if found:
            names = ", ".join(p.ref.key for p in found)
            return Match(ref=_named(signal), reason=f"{how}, but that fits several playbooks: {names}")
    ref = _named(signal)
    return Match(ref=ref, reason=_why_none(signal, ref, nearby))


def _by_alarm(signal: Signal, playbook: Playbook) -> bool:
    return signal.alarm is not None and signal.alarm in playbook.alarm_names


def _by_children(signal: Signal, playbook: Playbook) -> bool:
    return not set(signal.children).isdisjoint(playbook.alarm_names)


def _by_service(signal: Signal, playbook: Playbook) -> bool:
    return (signal.cluster, signal.service) == (playbook.cluster, playbook.service)


def _by_old_arn(signal: Signal, playbook: Playbook) -> bool:
    # An ARN in the old format names the service without its cluster; an alarm without its cluster names nothing.
    return signal.kind is not SignalKind.ALARM and signal.cluster is None and signal.service == playbook.service


def _by_target_group(signal: Signal, playbook: Playbook) -> bool:
    # The dimension is the end of the ARN (Elastic Load Balancing, "CloudWatch metrics for your load balancer").
    return _any_ends(playbook.overrides.target_groups, _values(signal, "TargetGroup"))


def _by_load_balancer(signal: Signal, playbook: Playbook) -> bool:
    arn = playbook.overrides.load_balancer
    return (
        arn is not None
        and not _values(signal, "TargetGroup")
        and _any_ends((arn.replace(":loadbalancer/", ":", 1),), _values(signal, "LoadBalancer"))
    )


_WAYS: Sequence[tuple[Callable[[Signal, Playbook], bool], str]] = (
    (_by_alarm, "the playbook names this alarm"),
    (_by_children, "the playbook names an alarm this one is made of"),
    (_by_service, "the message names the service"),
    (_by_old_arn, "the message names the service, without its cluster"),
    (_by_target_group, "the alarm watches the service's target group"),
    (_by_load_balancer, "the alarm watches the service's load balancer"),
)


def _values(signal: Signal, dimension: str) -> set[str]:
    return {metric.dimensions[dimension] for metric in signal.metrics if dimension in metric.dimensions}


def _any_ends(arns: Iterable[str], values: set[str]) -> bool:
    return any(arn.endswith(f":{value}") for arn in arns for value in values)


def _named(signal: Signal) -> ServiceRef | None:
    if signal.region is None or signal.cluster is None or signal.service is None:
        return None
    return ServiceRef(region=signal.region, cluster=signal.cluster, service=signal.service)


def _why_none(signal: Signal, ref: ServiceRef | None, nearby: Sequence[Playbook]) -> str:
    if ref is not None:
        return f"no playbook is for {ref}"
    if signal.service is not None:
        return f"no playbook is for service {signal.service}, and the message leaves its cluster or Region out"
    if signal.kind is not SignalKind.ALARM:
        return "the event names no service"
    watched = [
        (p, d) for p in nearby for d in p.dependencies if isinstance(d, WatchedAlarm) and d.alarm == signal.alarm
    ]
    if watched:
        return (
            f"no playbook names this alarm but as health of {watched[0][1].name}, on which {watched[0][0].ref} depends"
        )
    if signal.children:
        return "no playbook names this alarm or one it is made of"
    services = _values(signal, "ServiceName")
    if len(services) > 1:
        return "no playbook names this alarm, and its metrics name several services"
    if services:
        return "no playbook names this alarm, and its metrics hold no name that ECS allows for a cluster and a service"
    return "no playbook names this alarm, and its metrics name no service"
