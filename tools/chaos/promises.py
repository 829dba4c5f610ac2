"""The promises, as they are asked of a run that is over; each violation is one line.

*At most one effect*: every change of a service follows the intent that is the newest line of its incident's trail, no
intent is followed by two, and no incident makes the same change twice as the same stage of a plan; what gives a lease
back follows the lease, and comes once for each.

*No incident lost*: whatever still is in ALARM has an open incident, every open incident has an execution that runs, and
each service that had an incident in the undisturbed run has one here. Or its message lies in the dead-letter queue,
and the alarm on that queue told people so.

*Nothing left behind*: a lock belongs to an open incident and an open incident has its lock; a lease is over once it is
due and no open incident keeps it; what a lease was for is as in the undisturbed run where no lease is left.

*A trail without gap*: every chain verifies, its evidence can be fetched, and every intent was answered.

*The same outcome*: each service is served at the end if it was in the undisturbed run, and its incidents are resolved
if they were. Or an honest escalation: its incident is open, an execution carries it, and people were told of it in the
trail, or by the state machine or an alarm of the responder itself, after the first thing broke.

*No harm*: what the drill calls harm; nor does an action begin before the one before it had its time to show.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from functions.domain.changes import ActionName, LeaseKind
from functions.domain.errors import ReadFailed, TrailBroken
from functions.domain.incidents import Event, Fact, Incident, IncidentStatus, verify_trail
from functions.workflow.decide import ADDS_ROOM
from functions.workflow.story import tell
from functions.workflow.table import Function, Outcome
from tools.chaos.breaks import Effect
from tools.chaos.played import Played

LONGEST_OVERDUE = timedelta(minutes=30)
"""How long after its end a lease may be out: two sweeps, a restart, and what keeps it from being given back."""

SERVED_S = 600
"""How long users must have been served at the end."""

ACTING = frozenset({Function.REMEDIATE.value, Function.CONTAIN.value})
MAY_COME_AGAIN = frozenset({"CreateBackup", "CreateDBSnapshot"})
"""Done twice, they do no more than done once (`functions/domain/changes.py`, `repeatable`). So do the webhooks of which
a playbook says so."""

GIVING_BACK = frozenset({Function.RESTORE.value, Function.CONTAIN.value})

DOUBLE_EFFECTS, LOST_INCIDENTS, LEAKED_LEASES, BROKEN_TRAILS, OTHER_OUTCOMES, HARMFUL_RUNS, BROKE = (
    "double_effects",
    "lost_incidents",
    "leaked_leases",
    "broken_trails",
    "other_outcomes",
    "harmful_runs",
    "broken_runs",
)
PROMISES = (
    DOUBLE_EFFECTS,
    LOST_INCIDENTS,
    LEAKED_LEASES,
    BROKEN_TRAILS,
    OTHER_OUTCOMES,
    HARMFUL_RUNS,
    BROKE,
)
"""What is counted; the last is a run that did not come to its end, which is the harness's own fault."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One promise that one run did not keep."""

    promise: str
    says: str


@dataclass(frozen=True, kw_only=True)
class OfService:
    """How a service stands at the end."""

    served: bool
    bounds: tuple[tuple[str, float], ...]
    """What leases are for: the range of its scalable target, the targets of its policies, its mutes."""
    statuses: tuple[IncidentStatus, ...]
    """Of its incidents, oldest first."""


def violations(played: Played, undisturbed: Mapping[str, OfService]) -> Iterator[Violation]:
    """What a run did not keep, against the one of the same world in which nothing broke."""
    incidents = played.incidents
    trails = {incident.id: played.deployment.ledger.events(incident.id) for incident in incidents}
    yield from (Violation(promise=DOUBLE_EFFECTS, says=says) for says in _effects(played.breaks.effects))
    yield from (Violation(promise=LOST_INCIDENTS, says=says) for says in _lost(played, undisturbed))
    yield from (Violation(promise=LEAKED_LEASES, says=says) for says in _left_behind(played, undisturbed))
    for incident in incidents:
        for says in _trail(played, incident, trails[incident.id]):
            yield Violation(promise=BROKEN_TRAILS, says=f"{incident.id}: {says}")
    yield from (Violation(promise=OTHER_OUTCOMES, says=says) for says in _outcome(played, undisturbed, trails))
    yield from (Violation(promise=HARMFUL_RUNS, says=says) for says in played.harm)
    for incident in incidents:
        for says in _hasty(trails[incident.id]):
            yield Violation(promise=HARMFUL_RUNS, says=f"{incident.id}: {says}")


def _effects(effects: list[Effect]) -> Iterator[str]:
    followed: Counter[tuple[str | None, int]] = Counter()
    done: Counter[tuple[str | None, str]] = Counter()
    returned: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for effect in effects:
        newest = effect.newest
        if effect.function in ACTING and newest is not None and newest["fact"] == Fact.ACTION_INTENDED:
            intent = (effect.incident_id, newest["sequence"])
            followed[intent] += 1
            if followed[intent] > 1:
                yield f"{effect.operation} at {effect.point} is a second effect of intent {intent[1]} of {intent[0]}"
            stage = newest["data"]["stage"]
            change = (effect.incident_id, f"{stage} {effect.operation} {sorted(effect.parameters.items())}")
            done[change] += 1
            once = effect.operation not in MAY_COME_AGAIN and not effect.parameters.get("repeatable", False)
            if done[change] > 1 and once:
                yield f"{effect.operation} at {effect.point} is the same change once more in {effect.incident_id}"
        elif effect.function in GIVING_BACK and effect.leases:
            what = (f"{effect.operation} {sorted(effect.parameters.items())}", effect.leases)
            returned[what] += 1
            if returned[what] > 1:
                yield f"{effect.operation} at {effect.point} gives back a second time, with the same leases out"
        else:
            yield f"{effect.operation} at {effect.point} by {effect.function} follows no intent and no lease"


def _lost(played: Played, undisturbed: Mapping[str, OfService]) -> Iterator[str]:
    held = {incident.service.service for incident in played.incidents if incident.status is IncidentStatus.OPEN}
    had = {incident.service.service for incident in played.incidents}
    for incident in played.incidents:
        execution = played.deployment.engine.execution(incident.execution_name)
        carried = execution is not None and execution.status == "RUNNING"
        if incident.status is IncidentStatus.OPEN and not carried:
            yield f"{incident.id} is open, and no execution of generation {incident.generation} runs"
    for service, before in undisturbed.items():
        if before.statuses and service not in had and not played.deployment.dead_letters:
            yield f"{service} had {len(before.statuses)} incidents, and has none"
    for playbook in played.scenario.playbooks:
        alarms = [name for name in playbook.alarm_names if name in played.world.alarms]
        ringing = [name for name in alarms if played.world.alarm_state(name) == "ALARM"]
        since = [played.world.now - played.world.alarms[name].changed_at for name in ringing]
        if playbook.service not in held and any(long > timedelta(minutes=12) for long in since):
            yield f"{', '.join(ringing)} is in ALARM, and {playbook.service} has no open incident"


def _left_behind(played: Played, undisturbed: Mapping[str, OfService]) -> Iterator[str]:
    ledger = played.deployment.ledger
    opened = {
        incident.service.key: incident.id for incident in played.incidents if incident.status is IncidentStatus.OPEN
    }
    for playbook in played.scenario.playbooks:
        holder = ledger.lock_holder(playbook.ref)
        if holder != opened.get(playbook.ref.key):
            yield f"{playbook.service} is locked by {holder}, and {opened.get(playbook.ref.key)} is open"
        leases = ledger.service_leases(playbook.ref)
        for lease in leases:
            if holder is None and played.world.now - lease.due_at > LONGEST_OVERDUE:
                yield f"lease {lease.id} should have ended {played.world.now - lease.due_at} ago"
        before, after = undisturbed[playbook.service], of_service(played, playbook.service)
        if holder is None and not leases and all(each is IncidentStatus.RESOLVED for each in before.statuses):
            for (name, was), (_, now) in zip(before.bounds, after.bounds, strict=True):
                if was != now and not _told_left(played, playbook.ref.key):
                    yield f"{name} of {playbook.service} is {now:g}, undisturbed it is {was:g}, and no lease is out"


def _told_left(played: Played, service_key: str) -> bool:
    """Whether a trail says that something temporary was left, because somebody else had changed it."""
    facts = (
        event.fact
        for incident in played.incidents
        if incident.service.key == service_key
        for event in played.deployment.ledger.events(incident.id)
    )
    return Fact.LEASE_LEFT in facts


def _trail(played: Played, incident: Incident, events: Sequence[Event]) -> Iterator[str]:
    try:
        verify_trail(events, head_sequence=incident.head_sequence, head_hash=incident.head_hash)
        for event in events:
            played.deployment.ledger.evidence(event)
    except (TrailBroken, ReadFailed) as broken:
        yield str(broken)
        return
    story = tell(events)
    unanswered = [intent for intent in story.intents if intent.ended is None]
    if unanswered[:-1] or (unanswered and incident.status is IncidentStatus.RESOLVED):
        yield f"nothing is said of what came of intent {unanswered[0].sequence}"


def _hasty(events: Sequence[Event]) -> Iterator[str]:
    """Actions that were begun before the one before them had its time, and no check had said what came of that. What
    only prepares has nothing to show, and more room may follow at once."""
    story = tell(events)
    told = [e.sequence for e in events if e.fact is Fact.RECOVERY_CHECKED and e.data["outcome"] in _TOLD]
    for before, after in pairwise(story.intents):
        shows = before.completes or before.ended is Fact.ACTION_DOUBTFUL
        if after.stage > 0 or not shows or before.plan.action is ActionName.BACK_UP or after.plan.action in ADDS_ROOM:
            continue
        in_time = (after.at - before.at).total_seconds() >= before.plan.deadline_s
        if not in_time and not any(before.sequence < sequence < after.sequence for sequence in told):
            yield f"{after.plan.action} was begun before {before.plan.action} had its time to show"


_TOLD = frozenset({Outcome.INEFFECTIVE, Outcome.RECOVERED, Outcome.GIVE_UP})


def _outcome(
    played: Played, undisturbed: Mapping[str, OfService], trails: Mapping[str, Sequence[Event]]
) -> Iterator[str]:
    for playbook in played.scenario.playbooks:
        before, after = undisturbed[playbook.service], of_service(played, playbook.service)
        own = [incident for incident in played.incidents if incident.service == playbook.ref]
        escalated = any(
            incident.status is IncidentStatus.OPEN and _told(played, incident, trails[incident.id]) for incident in own
        )
        if escalated:
            continue
        if before.served and not after.served:
            yield f"{playbook.service} is not served, undisturbed it is, and nobody is told"
        resolved = all(status is IncidentStatus.RESOLVED for status in before.statuses)
        for incident in own:
            if resolved and incident.status is IncidentStatus.OPEN:
                yield f"{incident.id} is open, undisturbed all are resolved, and nobody is told"


def _told(played: Played, incident: Incident, events: Sequence[Event]) -> bool:
    """Whether people were told of this incident since the first thing broke: in its trail, or by the state machine."""
    began = played.broke_at_s
    in_trail = any(
        event.fact in (Fact.PAGE_SENT, Fact.APPROVAL_REQUESTED) and played.seconds(event.at) >= began
        for event in events
    )
    return in_trail or any(at_s >= began and incident.id in text for at_s, text in played.deployment.failures)


def of_service(played: Played, service: str) -> OfService:
    """How a service stands when its run is over."""
    tally = played.world.tallies[service]
    steps = range(max(0, len(tally.requests) - SERVED_S // 10), len(tally.requests))
    goal = played.scenario.setting.goal.model_dump()
    served = sum(tally.served(step, **goal) for step in steps) >= 0.9 * len(steps)
    return OfService(
        served=served,
        bounds=tuple(_bounds(played, service)),
        statuses=tuple(i.status for i in sorted(played.incidents, key=_age) if i.service.service == service),
    )


def _age(incident: Incident) -> tuple[str, str]:
    return incident.opened_at.isoformat(), incident.id


def _bounds(played: Played, service: str) -> Iterator[tuple[str, float]]:
    target = played.world.targets.get(service)
    if target is not None:
        yield LeaseKind.FLOOR.value, float(target.minimum)
        yield LeaseKind.CEILING.value, float(target.maximum)
        if target.tracking is not None:
            yield LeaseKind.TRACKING.value, target.tracking.target
    now = played.world.now
    yield LeaseKind.MUTE.value, float(sum(1 for m in played.world.mutes.values() if m.begins <= now < m.ends))
