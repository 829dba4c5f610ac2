"""Whose alarm is it? Finds the service of a signal, and its playbook."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind
from functions.playbooks.addressee import Addressed, Addressee, dimension_values

P = TypeVar("P", bound=Addressed)


@dataclass(frozen=True, kw_only=True)
class Match(Generic[P]):
    """The service a signal is about, and the playbook that says what may be done for it.

    Without a playbook nothing is ever done; the service may be known all the same. Where addressees were looked
    through, `playbook` is the addressee.
    """

    ref: ServiceRef | None = None
    playbook: P | None = None
    reason: str
    """How it was found, or why not, for a person."""


def find_service(signal: Signal, playbooks: Iterable[P]) -> Match[P]:
    """Find the one playbook the signal belongs to: by the alarm's name, else by the service that the message names.

    A composite alarm belongs where its children belong. Several playbooks that fit are as good as none: nobody may
    guess which service is meant.
    """
    whole = [(playbook, playbook.addressee) for playbook in playbooks]
    nearby = [(playbook, p) for playbook, p in whole if signal.region is None or p.region == signal.region]
    for fits, how in _WAYS:
        found = [(playbook, p) for playbook, p in nearby if fits(signal, p)]
        if len(found) == 1:
            return Match(ref=found[0][1].ref, playbook=found[0][0], reason=how)
        if found:
            names = ", ".join(p.ref.key for _, p in found)
            return Match(ref=_named(signal), reason=f"{how}, but that fits several playbooks: {names}")
    ref = _named(signal)
    return Match(ref=ref, reason=_why_none(signal, ref, [p for _, p in nearby]))


def _by_alarm(signal: Signal, playbook: Addressee) -> bool:
    return signal.alarm is not None and signal.alarm in playbook.alarm_names


def _by_children(signal: Signal, playbook: Addressee) -> bool:
    return not set(signal.children).isdisjoint(playbook.alarm_names)


def _by_service(signal: Signal, playbook: Addressee) -> bool:
    return (signal.cluster, signal.service) == (playbook.cluster, playbook.service)


def _by_old_arn(signal: Signal, playbook: Addressee) -> bool:
    # An ARN in the old format names the service without its cluster; an alarm without its cluster names nothing.
    return signal.kind is not SignalKind.ALARM and signal.cluster is None and signal.service == playbook.service


def _by_target_group(signal: Signal, playbook: Addressee) -> bool:
    # The dimension is the end of the ARN (Elastic Load Balancing, "CloudWatch metrics for your load balancer").
    return _any_ends(playbook.target_groups, dimension_values(signal, "TargetGroup"))


def _by_load_balancer(signal: Signal, playbook: Addressee) -> bool:
    arn = playbook.load_balancer
    return (
        arn is not None
        and not dimension_values(signal, "TargetGroup")
        and _any_ends((arn.replace(":loadbalancer/", ":", 1),), dimension_values(signal, "LoadBalancer"))
    )


_WAYS: Sequence[tuple[Callable[[Signal, Addressee], bool], str]] = (
    (_by_alarm, "the playbook names this alarm"),
    (_by_children, "the playbook names an alarm this one is made of"),
    (_by_service, "the message names the service"),
    (_by_old_arn, "the message names the service, without its cluster"),
    (_by_target_group, "the alarm watches the service's target group"),
    (_by_load_balancer, "the alarm watches the service's load balancer"),
)


def _any_ends(arns: Iterable[str], values: set[str]) -> bool:
    return any(arn.endswith(f":{value}") for arn in arns for value in values)


def _named(signal: Signal) -> ServiceRef | None:
    if signal.region is None or signal.cluster is None or signal.service is None:
        return None
    return ServiceRef(region=signal.region, cluster=signal.cluster, service=signal.service)


def _why_none(signal: Signal, ref: ServiceRef | None, nearby: Sequence[Addressee]) -> str:
    if ref is not None:
        return f"no playbook is for {ref}"
    if signal.service is not None:
        return f"no playbook is for service {signal.service}, and the message leaves its cluster or Region out"
    if signal.kind is not SignalKind.ALARM:
        return "the event names no service"
    depending = next((p for p in nearby if signal.alarm in p.health), None)
    if depending is not None and signal.alarm is not None:
        on = depending.health[signal.alarm]
        return f"no playbook names this alarm but as health of {on}, on which {depending.ref} depends"
    if signal.children:
        return "no playbook names this alarm or one it is made of"
    services = dimension_values(signal, "ServiceName")
    if len(services) > 1:
        return "no playbook names this alarm, and its metrics name several services"
    if services:
        return "no playbook names this alarm, and its metrics hold no name that ECS allows for a cluster and a service"
    return "no playbook names this alarm, and its metrics name no service"
