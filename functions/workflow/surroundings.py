"""What every look at a service is told, with or without an incident."""

from collections.abc import Iterable
from datetime import datetime

from functions.diagnostics.look import Surroundings
from functions.domain.changes import Lease, LeaseKind
from functions.playbooks.schema import Playbook
from functions.ports import Ledger, Readers

LOOK_DEADLINE_S = 20.0
"""Seconds after which a look goes by what it knows then."""


def surroundings_of(playbook: Playbook, *, readers: Readers, ledger: Ledger | None, now: datetime) -> Surroundings:
    """What a playbook and the release history say of a service, for a look at it. Without a ledger there is no
    history."""
    return Surroundings(
        ref=playbook.ref,
        readers=readers,
        now=now,
        history=() if ledger is None else tuple(ledger.releases(playbook.ref)),
        dependencies=playbook.dependencies,
        sticky_s=playbook.sticky_sessions,
        budget_tasks=playbook.budget.tasks,
        budget_usd=playbook.budget.usd_per_day,
        cost_alarms=playbook.cost_alarms,
        target_groups=playbook.overrides.target_groups,
        load_balancer=playbook.overrides.load_balancer,
        scalable_target=playbook.overrides.scalable_target,
        log_group=playbook.overrides.log_group,
        breach_evidence=playbook.contain.evidence,
        log_causes=playbook.log_causes,
        recovery_of=None if playbook.rpo is None else playbook.backups,
    )


def floor_held(leases: Iterable[Lease]) -> int | None:
    """How many tasks these leases keep running for now."""
    return max((int(each.terms.value) for each in leases if each.terms.kind is LeaseKind.FLOOR), default=None)
