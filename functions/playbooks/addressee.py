"""What of a playbook tells whether a signal concerns its service, and nothing of what may be done for it.

Intake needs no more: a function that reads whole playbooks takes longer to start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from functions.domain.services import ServiceRef

if TYPE_CHECKING:
    from functions.domain.signals import Signal
    from functions.playbooks.schema import Playbook


@dataclass(frozen=True, kw_only=True)
class Addressee:
    """Whose signal it is, as far as a playbook can say."""

    region: str
    cluster: str
    service: str
    alarm_names: tuple[str, ...]
    target_groups: tuple[str, ...]
    """ARNs."""
    load_balancer: str | None
    """ARN."""
    health: Mapping[str, str]
    """Alarms that are the health of a dependency, with its name."""
    databases: tuple[str, ...]
    kinds: tuple[str, ...]
    """Of its dependencies."""

    @property
    def ref(self) -> ServiceRef:
        return ServiceRef(region=self.region, cluster=self.cluster, service=self.service)

    @property
    def addressee(self) -> Addressee:
        return self


class Addressed(Protocol):
    """An addressee, or what has one: a playbook."""

    @property
    def addressee(self) -> Addressee:
        """What of it tells whether a signal concerns it."""


def addressee_of(playbook: Playbook) -> Addressee:
    """What a playbook says of it. Watched things are known by the key that only they have."""
    watched = [(each.name, each.kind, each.model_dump()) for each in playbook.dependencies]
    return Addressee(
        region=playbook.region,
        cluster=playbook.cluster,
        service=playbook.service,
        alarm_names=playbook.alarm_names,
        target_groups=playbook.overrides.target_groups,
        load_balancer=playbook.overrides.load_balancer,
        # Of two dependencies with one alarm the first is told.
        health={said["alarm"]: name for name, kind, said in reversed(watched) if kind == "alarm"},
        databases=tuple(said["rds"] for _, kind, said in watched if kind == "rds"),
        kinds=tuple(dict.fromkeys(str(kind) for _, kind, _ in watched)),
    )


def read_addressee(data: Mapping[str, Any]) -> Addressee:
    """From plain JSON, in which tuples are lists."""
    said: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return Addressee(**said)


def terms_of(addressee: Addressee) -> Iterator[str]:
    """Everything by which a signal can find it; `terms_in` has one of them where it concerns this addressee alone."""
    yield f"service {addressee.service}"
    for name in addressee.alarm_names:
        yield f"alarm {name}"
    for name in addressee.health:
        yield f"health {name}"
    for arn in addressee.target_groups:
        yield from (f"target-group {end}" for end in _ends(arn))
    if addressee.load_balancer is not None:
        yield from (f"load-balancer {end}" for end in _ends(addressee.load_balancer.replace(":loadbalancer/", ":", 1)))


def terms_in(signal: Signal) -> frozenset[str]:
    """By what an alarm or an event of ECS can be somebody's."""
    alarms = () if signal.alarm is None else (signal.alarm,)
    return frozenset(
        [
            *([] if signal.service is None else [f"service {signal.service}"]),
            *(f"alarm {name}" for name in (*alarms, *signal.children)),
            *(f"health {name}" for name in alarms),
            *(f"target-group {value}" for value in dimension_values(signal, "TargetGroup")),
            *(f"load-balancer {value}" for value in dimension_values(signal, "LoadBalancer")),
        ]
    )


def dimension_values(signal: Signal, dimension: str) -> set[str]:
    """The values that the metrics of an alarm have for one dimension."""
    return {metric.dimensions[dimension] for metric in signal.metrics if dimension in metric.dimensions}


def _ends(arn: str) -> Iterator[str]:
    """Every end of it behind a colon."""
    parts = arn.split(":")
    return (":".join(parts[first:]) for first in range(1, len(parts)))
