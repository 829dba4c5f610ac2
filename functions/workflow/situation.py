"""The situation that the guardrails judge, as it is now: for assess, and for remediate just before it acts."""

from datetime import datetime, timedelta

from functions.domain import outliers
from functions.domain.findings import Findings
from functions.domain.incidents import Incident
from functions.domain.maintenance import window_at
from functions.domain.troubles import Trouble, neighbours, shared
from functions.guardrails.verdicts import BREAKER_WINDOW, Situation
from functions.playbooks.schema import Playbook
from functions.ports import Fleet, ServiceRecord
from functions.workflow.story import Story

CHARGES_LOOKBACK = timedelta(days=1)


def charged_lately(record: ServiceRecord, now: datetime) -> tuple[datetime, ...]:
    """When actions were charged to the service in the last day, newest first."""
    return tuple(at for at in record.charges if at >= now - CHARGES_LOOKBACK)


def trouble_of(incident: Incident, playbook: Playbook, findings: Findings) -> Trouble:
    """What the service may share with others that are in trouble."""
    zone = outliers.bad_zone(findings)
    return Trouble(
        service_key=incident.service.key,
        incident_id=incident.id,
        at=incident.opened_at,
        shares=shared(
            incident.service, playbook.dependencies, zone.zone if isinstance(zone, outliers.BadZone) else None
        ),
    )


def situation_of(
    incident: Incident,
    playbook: Playbook,
    story: Story,
    findings: Findings,
    *,
    record: ServiceRecord,
    fleet: Fleet,
    now: datetime,
    fleet_limit: int,
) -> Situation:
    """`record` and `fleet` are what the ledger said just before, the latter of the last hour. What the action is like
    is filled in by whoever asks."""
    switch, charges = record.switch, charged_lately(record, now)
    failed = {each: at for each, at in record.ineffective.items() if at >= now - BREAKER_WINDOW}
    mine = trouble_of(incident, playbook, findings)
    # Where the zone was not looked at again, what was written down of it counts.
    noted = next((each for each in fleet.troubles if each.incident_id == incident.id), mine)
    mine = mine.model_copy(update={"shares": tuple(dict.fromkeys((*mine.shares, *noted.shares)))})
    windows = (playbook.maintenance, switch.maintenance)
    return Situation(
        now=now,
        mode=playbook.mode,
        switch=switch,
        fleet_switch=fleet.switch,
        findings=findings,
        attempts=story.attempts,
        attempts_limit=playbook.limits.attempts_per_incident,
        charges=charges,
        hourly_limit=playbook.limits.actions_per_hour,
        fleet_charges=fleet.charges,
        fleet_limit=fleet_limit,
        cooldown_s=playbook.limits.cooldown,
        own_charges=[at for at in charges if at >= incident.opened_at],
        ineffective={each: at for each, at in failed.items() if each != incident.id},
        ineffective_limit=playbook.limits.ineffective_incidents,
        neighbours=neighbours(mine, fleet.troubles),
        neighbours_limit=playbook.limits.neighbours_in_trouble,
        min_tasks=playbook.limits.min_tasks,
        max_tasks=playbook.limits.max_tasks,
        restarts_or_scales=False,
        consent=story.consent(now),
        maintenance=window_at(now, *windows),
        began_in=window_at(incident.opened_at, *windows),
    )
