"""Whom does it concern? Most signals are about one service; trouble of AWS itself and money may be about several.

Only what the message itself says counts. What fits nobody, or several where one is meant, is nobody's.
"""

import re
from collections.abc import Iterable, Sequence

from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind
from functions.playbooks.addressee import Addressed, Addressee
from functions.playbooks.matching import Match, P, find_service

EVERY_SERVICE_STANDS_ON = frozenset({"ECS", "FARGATE", "EC2", "ELASTICLOADBALANCING"})
"""Services of AWS, as AWS Health writes them: what runs the tasks, their zones and network, and what is in front."""

STANDS_ON = {
    "rds": "RDS",
    "dynamodb": "DYNAMODB",
    "lambda": "LAMBDA",
    "api": "APIGATEWAY",
    "bedrock": "BEDROCK",
    "sagemaker": "SAGEMAKER",
    "cognito": "COGNITO",
}
"""What a service stands on besides, where its playbook names a dependency of this kind."""

_ECS_WORDS = ("ecs", "fargate")


SEVERAL = (SignalKind.HEALTH, SignalKind.COST, SignalKind.THREAT)
"""Signals that may concern several services, or be about one without saying so by a name that it alone has."""


def concerned(signal: Signal, playbooks: Sequence[P]) -> tuple[Match[P], ...]:
    """Everybody whom the signal concerns; one match without a playbook, with the reason, where it is nobody."""
    if signal.kind not in SEVERAL:
        return (find_service(signal, playbooks),)
    whole = {_place(playbook.addressee): playbook for playbook in playbooks}
    nearby = [p for p in (playbook.addressee for playbook in playbooks) if signal.region in (None, p.region)]
    match signal.kind:
        case SignalKind.HEALTH:
            found, why = _by_health(signal, nearby)
        case SignalKind.COST:
            found, why = _by_cost(signal, nearby)
        case _:
            found, why = _by_threat(signal, nearby)
    if not found:
        return (Match(ref=_named(signal), reason=why),)
    return tuple(Match(ref=p.ref, playbook=whole[_place(p)], reason=why) for p in found)


def _place(addressee: Addressee) -> tuple[str, str, str]:
    return addressee.region, addressee.cluster, addressee.service


def told_to(signal: Signal, ref: ServiceRef) -> Signal:
    """The signal as this service has it: one that concerns several is deduplicated for each of them."""
    if signal.kind not in SEVERAL:
        return signal
    return signal.model_copy(update={"region": ref.region, "cluster": ref.cluster, "service": ref.service})


_Found = tuple[Sequence[Addressee], str]


def _by_health(signal: Signal, nearby: Sequence[Addressee]) -> _Found:
    """By the resources that the event names, else by what a service stands on."""
    if signal.names:
        sure = [p for p in nearby if any(_is_of(name, p) for name in signal.names)]
        # Of a task the event names the cluster alone, and an old ARN leaves the cluster out: one service is meant.
        perhaps = [p for p in nearby if {f"{p.cluster}/", f"/{p.service}"} & set(signal.names) and p not in sure]
        if len(perhaps) == 1:
            sure += perhaps
        elif perhaps and not sure:
            return (), f"the event names one of several services, and not which: {_keys(perhaps)}"
        return sure, "the event names what the service is made of" if sure else "the event names resources of others"
    found = [p for p in nearby if signal.aws_service in stands_on(p)]
    return found, f"{'the service stands' if found else 'no service of a playbook stands'} on {signal.aws_service}"


def _is_of(name: str, playbook: Addressee) -> bool:
    """Whether this is the service, its cluster, or a database that its playbook names."""
    if name in (f"{playbook.cluster}/{playbook.service}", f"{playbook.cluster}/*"):
        return True
    return name.rpartition(":")[2] in playbook.databases


def stands_on(playbook: Addressed) -> frozenset[str]:
    """Services of AWS whose trouble is this service's, too."""
    return EVERY_SERVICE_STANDS_ON | {STANDS_ON[kind] for kind in playbook.addressee.kinds if kind in STANDS_ON}


def _by_cost(signal: Signal, nearby: Sequence[Addressee]) -> _Found:
    """By the name of the service in that of the budget, the monitor or the tag; else all, where it says ECS.

    Where the name of one service is a part of another's, the longer one is meant.
    """
    named = [p for p in nearby if _mentions(signal.names, p.service)]
    named = [p for p in named if not any(p.service != q.service and p.service in q.service for q in named)]
    if len(named) > 1:
        narrowed = [p for p in named if _mentions(signal.names, p.cluster)]
        named = narrowed or named
    if len(named) > 1:
        return (), f"its name fits several playbooks: {_keys(named)}"
    if named:
        return named, "its name has the service's name in it"
    if signal.aws_service == "ECS" or any(_mentions(signal.names, word) for word in _ECS_WORDS):
        return nearby, "it is about what ECS costs, and any service may be why"
    return (), "its name has no service of a playbook in it, and it is not about ECS"


def _mentions(texts: Iterable[str], name: str) -> bool:
    whole = re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", re.IGNORECASE)
    return any(whole.search(text) for text in texts)


def _by_threat(signal: Signal, nearby: Sequence[Addressee]) -> _Found:
    """By the service of the task; where only a cluster is known, by the one service there is a playbook for."""
    if signal.cluster is None:
        return (), "the finding names no service and no cluster of ECS"
    found = [p for p in nearby if p.cluster == signal.cluster and signal.service in (None, p.service)]
    if len(found) > 1:
        return (), f"the finding names a cluster with several services: {_keys(found)}"
    return found, f"the finding {'names' if found else 'is about nothing of a playbook in'} cluster {signal.cluster}"


def _keys(playbooks: Iterable[Addressee]) -> str:
    return ", ".join(p.ref.key for p in playbooks)


def _named(signal: Signal) -> ServiceRef | None:
    if signal.region is None or signal.cluster is None or signal.service is None:
        return None
    return ServiceRef(region=signal.region, cluster=signal.cluster, service=signal.service)
