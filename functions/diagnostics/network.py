"""Which hop is closed? Security groups, read only where a database does not answer or targets answer too late.

It supports a judgement and decides none. Routes and network ACLs are not read: an open hop is no proof of a way.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Any

from functions.diagnostics.complaints import Complaint, complaints
from functions.diagnostics.look import Surroundings
from functions.diagnostics.thresholds import COMPLAINTS_TELL
from functions.domain.dependencies import DependencyFacts, DependencyKind, DependencyState
from functions.domain.evidence import TargetFacts
from functions.domain.findings import Findings
from functions.domain.network import GroupRule, NetworkFacts, SecurityGroup, WayFacts

TIMED_OUT = "Target.Timeout"
"""Elastic Load Balancing API reference, TargetHealth: the target answered no health check in time."""

BALANCER, TASKS = "the load balancer", "the tasks"
_EVERYBODY = ("0.0.0.0/0", "::/0")
_UNREACHED = (Complaint.REFUSED, Complaint.SLOW)


def read_network(around: Surroundings, known: Mapping[str, Any]) -> NetworkFacts:
    """The security groups at both ends of each hop that is in question; on every other day nothing is asked."""
    ways = (*_to_tasks(around, known), *_to_databases(known))
    if not ways:
        return NetworkFacts()
    ids = sorted({group for way in ways for group in (*way.source_groups, *way.target_groups)})
    groups = tuple(around.readers.network.groups(ids)) if ids else ()
    return NetworkFacts(asked=True, ways=ways, groups=groups)


def timed_out(findings: Findings) -> tuple[TargetFacts, ...]:
    """Targets that answer no health check in time."""
    targets = findings.targets.value
    return () if targets is None else _late(targets.targets)


def _late(targets: Iterable[TargetFacts]) -> tuple[TargetFacts, ...]:
    return tuple(target for target in targets if target.reason == TIMED_OUT and target.state == "unhealthy")


def _to_tasks(around: Surroundings, known: Mapping[str, Any]) -> tuple[WayFacts, ...]:
    late = _late(known["targets"].targets) if "targets" in known else ()
    if not late or "service" not in known:
        return ()
    balancer = around.load_balancer or (known["front"].load_balancer if "front" in known else None)
    source_groups = () if balancer is None else tuple(around.readers.network.of_load_balancer(balancer))
    ports = sorted({int(port) for target in late if (port := target.target.rpartition(":")[2]).isdigit()})
    return tuple(
        WayFacts(
            source=BALANCER,
            target=TASKS,
            port=port,
            source_groups=source_groups,
            target_groups=known["service"].security_groups,
        )
        for port in ports
    )


def _to_databases(known: Mapping[str, Any]) -> tuple[WayFacts, ...]:
    if "dependencies" not in known or "service" not in known:
        return ()
    told = complaints(known["logs"]) if "logs" in known else {}
    unreached = sum(told.get(complaint, 0) for complaint in _UNREACHED) >= COMPLAINTS_TELL
    asked: list[DependencyFacts] = [
        each
        for each in known["dependencies"].dependencies
        if each.kind is DependencyKind.RDS and (each.state is DependencyState.FAILING or unreached)
    ]
    running = known["tasks"].running if "tasks" in known else ()
    return tuple(
        WayFacts(
            source=TASKS,
            target=each.name,
            port=each.port,
            source_groups=known["service"].security_groups,
            target_groups=each.security_groups,
            addresses=tuple(task.address for task in running if task.address is not None),
        )
        for each in asked
        if each.port is not None
    )


def ways_to_tasks(findings: Findings) -> tuple[str, ...]:
    """What the security groups say of the hop from the load balancer, one sentence for each port."""
    return tuple(_said(findings, lambda way: way.target == TASKS))


def ways_to_databases(findings: Findings) -> tuple[str, ...]:
    """The same of the hops from the tasks to the databases. What could not be read is said where there is one."""
    known = findings.dependencies.value
    databases = any(each.kind is DependencyKind.RDS for each in (() if known is None else known.dependencies))
    if databases and findings.network.error is not None:
        return (f"which hop is closed could not be read: {findings.network.error}",)
    return tuple(_said(findings, lambda way: way.source == TASKS))


def _said(findings: Findings, wanted: Callable[[WayFacts], bool]) -> Iterator[str]:
    facts = findings.network.value
    if facts is None:
        return
    groups = {group.id: group for group in facts.groups}
    for way in filter(wanted, facts.ways):
        yield _sentence(way, groups)


class _Door(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


def _sentence(way: WayFacts, groups: Mapping[str, SecurityGroup]) -> str:
    hop = f"{way.target} on tcp {way.port}"
    ends = (("source", way.source, way.source_groups), ("target", way.target, way.target_groups))
    for _, name, ids in ends:
        if not ids or not set(ids) <= groups.keys():
            return f"whether {way.source} may reach {hop} is not known: which security groups {_have(name)} is not"
    sources, targets = ([groups[each] for each in ids] for _, _, ids in ends)
    out = _door((r for g in sources for r in g.outbound), way.port, way.target_groups, ())
    into = _door((r for g in targets for r in g.inbound), way.port, way.source_groups, way.addresses)
    if into is _Door.CLOSED:
        return (
            f"the way is closed: no rule of {_named(way.target_groups)} lets {way.source} "
            f"({', '.join(way.source_groups)}) in to {hop}"
        )
    if out is _Door.CLOSED:
        return f"the way is closed: no rule of {_named(way.source_groups)} lets {way.source} out to {hop}"
    if _Door.UNKNOWN in (into, out):
        return f"whether {way.source} may reach {hop} is not known: rules name networks whose members were not read"
    return f"security groups let {way.source} reach {hop}; routes and network ACLs were not read"


def _door(rules: Iterable[GroupRule], port: int, others: Sequence[str], addresses: Sequence[str]) -> _Door:
    """Whether one of the rules of one side lets the other side through on this port."""
    about = [rule for rule in rules if rule.covers(port)]
    if any(set(rule.groups) & set(others) or set(rule.networks) & set(_EVERYBODY) for rule in about):
        return _Door.OPEN
    networks = {network for rule in about for network in rule.networks}
    if addresses and networks and all(_within(address, networks) for address in addresses):
        return _Door.OPEN
    if any(rule.lists for rule in about):
        return _Door.UNKNOWN
    if networks and (not addresses or any(_within(address, networks) for address in addresses)):
        return _Door.UNKNOWN
    return _Door.CLOSED


def _within(address: str, networks: Collection[str]) -> bool:
    return any(ip_address(address) in ip_network(network, strict=False) for network in networks)


def _have(name: str) -> str:
    return f"{name} have" if name == TASKS else f"{name} has"


def _named(ids: Sequence[str]) -> str:
    return f"security group{'' if len(ids) == 1 else 's'} {', '.join(ids)}"
