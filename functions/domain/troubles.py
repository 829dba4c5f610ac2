"""What the services tell each other of their troubles: who is in trouble, and what they have in common."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from functions.domain.model import Model, Moment
from functions.domain.services import ServiceRef
from functions.domain.watched import HttpCheck, MetricLimit, Watched, WatchedService

AT_ONCE = timedelta(minutes=10)
"""Troubles that began no further apart may have one cause: an alarm takes some whole periods to go off, and the alarms
of two services need not look back equally far."""


class Trouble(Model):
    """A service with an incident, and what it shares with others."""

    service_key: str
    incident_id: str
    at: Moment
    """When the incident was opened."""
    shares: tuple[str, ...]
    """Dependencies and zones, each as every service writes it."""


def shared(ref: ServiceRef, dependencies: Iterable[Watched], zone: str | None) -> tuple[str, ...]:
    """What a service may have in common with others: what it stands on, whatever its playbook calls it, and the zone in
    which it is in trouble, if there is one. With the Region, outside of which each is another one."""
    named = [f"{ref.region} {each.kind} {_what(ref, each)}" for each in dependencies]
    return (*dict.fromkeys(named), *(() if zone is None else (f"{ref.region} zone {zone}",)))


def _what(ref: ServiceRef, watched: Watched) -> str:
    if isinstance(watched, WatchedService):
        other = watched.ref(ref)
        return f"{other.cluster}/{other.service}"
    # The key by which a playbook says its kind is the first of its own.
    value = getattr(watched, next(name for name in type(watched).model_fields if name != "name"))
    match value:
        case HttpCheck(url=url):
            return url
        case MetricLimit(namespace=namespace, metric=metric, dimensions=dimensions):
            return " ".join([namespace, metric, *(f"{k}={v}" for k, v in sorted(dimensions.items()))])
        case _:
            return str(value)


def neighbours(mine: Trouble, others: Iterable[Trouble]) -> Sequence[tuple[str, str]]:
    """Other services whose trouble began at about the same time, each with what it has in common with this one."""
    found = []
    for other in others:
        common = [what for what in mine.shares if what in other.shares]
        if other.service_key != mine.service_key and common and _together(mine.at, other.at):
            found.append((other.service_key, common[0]))
    return tuple(sorted(found))


def _together(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= AT_ONCE
