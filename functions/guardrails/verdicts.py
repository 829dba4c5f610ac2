"""The guardrails. Each looks at a plan and the situation and says yes or no, and why."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from functions.domain.approvals import Consent
from functions.domain.changes import Change, Plan, ScaleToZero, SetCeiling, SetCount, SetFloor, Verdict
from functions.domain.dependencies import DependencyState
from functions.domain.findings import Findings
from functions.domain.incidents import FleetSwitch, Mode, Switch
from functions.domain.maintenance import Window
from functions.domain.orders import PendingOrder

HOUR = timedelta(hours=1)

BREAKER_WINDOW = timedelta(days=1)
"""How long an action that did not help speaks against the next one."""

Guardrail = Callable[["Situation", Plan], Verdict]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything the guardrails need to know besides the plan. Limits of 0 mean none allowed."""

    now: datetime
    mode: Mode
    switch: Switch
    fleet_switch: FleetSwitch
    findings: Findings
    attempts: int
    """Actions intended in this incident so far."""
    attempts_limit: int
    charges: Sequence[datetime]
    """When actions were charged to this service, newest first."""
    hourly_limit: int
    fleet_charges: int
    fleet_limit: int
    cooldown_s: int
    own_charges: Sequence[datetime]
    """Those among `charges` that belong to this incident: a second rung needs no cooldown."""
    ineffective: Mapping[str, datetime]
    """When an action did not help in the last day, by incident; this one is not among them."""
    ineffective_limit: int
    neighbours: Sequence[tuple[str, str]]
    """Other services whose trouble began at about the same time, each with what it has in common with this one."""
    neighbours_limit: int
    min_tasks: int
    max_tasks: int
    restarts_or_scales: bool
    asks: bool = False
    """The action is never done without a grant, whatever the mode."""
    consent: Consent = field(default_factory=Consent)
    maintenance: Window | None = None
    """The maintenance window that is open now."""
    began_in: Window | None = None
    """The one that was open when the incident was opened: it explains the trouble."""
    ordered: PendingOrder | None = None
    """The order that the plan answers."""

    @property
    def effective_mode(self) -> Mode:
        """An operator's switch comes before the playbook."""
        return self.mode if self.switch.mode is None else self.switch.mode

    @property
    def by_hand(self) -> PendingOrder | None:
        """The order, where it is one that may pass what only holds back the responder's own zeal. What shuts somebody
        out passes nothing."""
        return None if self.ordered is None or self.ordered.order.what.contains else self.ordered


def stop(situation: Situation, plan: Plan) -> Verdict:
    """Somebody stopped everything, orders included: the way out is theirs to find, not the responder's."""
    return _verdict(
        "stop", not situation.fleet_switch.stopped, "nobody stopped everything", situation.fleet_switch.said
    )


def pause(situation: Situation, plan: Plan) -> Verdict:
    paused = situation.switch.paused(situation.now)
    until = situation.switch.paused_until
    return _verdict(
        "pause",
        not paused,
        "nobody paused this service",
        f"paused by {situation.switch.by or 'an operator'} until {until:%Y-%m-%d %H:%M} UTC: {situation.switch.reason}"
        if until is not None
        else "",
    )


def maintenance(situation: Situation, plan: Plan) -> Verdict:
    """People are at work on the service, and what it does meanwhile is theirs."""
    window = situation.maintenance
    return _verdict(
        "maintenance",
        window is None,
        "no maintenance window is open",
        "" if window is None else in_maintenance(window),
    )


def in_maintenance(window: Window) -> str:
    """What is said of a window that is open."""
    return f"in maintenance until {window.end.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {window.label}"


def mode(situation: Situation, plan: Plan) -> Verdict:
    effective = situation.effective_mode
    return _verdict(
        "mode",
        effective is not Mode.OBSERVE,
        f"the service is in mode {effective}",
        f"the service is in mode {effective}: the plan is recorded and not carried out",
    )


def approval(situation: Situation, plan: Plan) -> Verdict:
    """A grant is good for the very plan that was shown to people; a denial holds for the rest of the incident."""
    if situation.consent.denies(plan):
        return _verdict("approval", False, "", f"people denied {plan.action} for {plan.cause} in this incident")
    if situation.consent.granted == plan.hash:
        return _verdict("approval", True, "people granted this very plan", "")
    asking, always = situation.effective_mode is Mode.ASK, situation.asks or plan.leaves_no_task
    if asking and not always and situation.by_hand is not None:
        return _passed("approval", "the service is in mode ask", situation.by_hand)
    why = f"{plan.action} is never done without asking" if situation.asks else "it leaves no task"
    if asking and not always:
        why = "the service is in mode ask"
    return _verdict("approval", not (asking or always), "nobody has to be asked", f"people have to grant it: {why}")


def attempts(situation: Situation, plan: Plan) -> Verdict:
    """Holds back who tries one thing after the other; a person who orders has made up their mind."""
    used = f"{situation.attempts} of {situation.attempts_limit} attempts of this incident are used"
    left = situation.attempts < situation.attempts_limit
    if not left and situation.by_hand is not None:
        return _passed("attempts", used, situation.by_hand)
    return _verdict(
        "attempts", left, f"attempt {situation.attempts + 1} of {situation.attempts_limit} in this incident", used
    )


def service_budget(situation: Situation, plan: Plan) -> Verdict:
    used = sum(1 for at in situation.charges if at > situation.now - HOUR)
    return _verdict(
        "service budget",
        used < situation.hourly_limit,
        f"{used} of {situation.hourly_limit} actions in the last hour",
        f"{used} of {situation.hourly_limit} actions in the last hour are used",
    )


def fleet_budget(situation: Situation, plan: Plan) -> Verdict:
    return _verdict(
        "fleet budget",
        situation.fleet_charges < situation.fleet_limit,
        f"{situation.fleet_charges} of {situation.fleet_limit} actions of the whole fleet in the last hour",
        f"{situation.fleet_charges} of {situation.fleet_limit} actions of the whole fleet in the last hour are used",
    )


def cooldown(situation: Situation, plan: Plan) -> Verdict:
    """After an action of an earlier incident the service is left alone for a while: back at once is no success."""
    own = set(situation.own_charges)
    earlier = max((at for at in situation.charges if at not in own), default=None)
    ends = None if earlier is None else earlier + timedelta(seconds=situation.cooldown_s)
    over = ends is None or situation.now >= ends
    lately = (
        f"an earlier incident was acted upon at {earlier:%H:%M:%S} UTC, the cooldown ends at {ends:%H:%M:%S}"
        if earlier is not None and ends is not None
        else ""
    )
    if not over and situation.by_hand is not None:
        return _passed("cooldown", lately, situation.by_hand)
    return _verdict("cooldown", over, "no earlier incident was acted upon lately", lately)


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """How the breaker of a service stands: `failed` incidents of the last day were acted upon without effect."""

    failed: int
    limit: int
    closes_at: datetime | None
    """When it closes by itself; None while it is closed, and where no action is allowed at all."""

    @property
    def closed(self) -> bool:
        return self.failed < self.limit

    @property
    def said(self) -> str:
        hours = _hours(BREAKER_WINDOW)
        return f"{self.failed} of {self.limit} incidents of the last {hours} hours were acted upon without effect"

    @property
    def why_open(self) -> str:
        if self.closes_at is None:
            return self.said
        return f"{self.said}, the breaker closes at {self.closes_at:%Y-%m-%d %H:%M} UTC, or with `responder resume`"


def breaker_of(ineffective: Collection[datetime], limit: int) -> Breaker:
    """By when actions did not help lately."""
    failed = sorted(ineffective, reverse=True)
    closes_at = failed[limit - 1] + BREAKER_WINDOW if 0 < limit <= len(failed) else None
    return Breaker(failed=len(failed), limit=limit, closes_at=closes_at)


def breaker(situation: Situation, plan: Plan) -> Verdict:
    """Incidents that were acted upon without effect: what the responder does here does not help, so that people have to
    look. It closes when the oldest of them is a day ago, when an action helps, or by hand."""
    found = breaker_of(situation.ineffective.values(), situation.ineffective_limit)
    if not found.closed and situation.by_hand is not None:
        return _passed("breaker", found.said, situation.by_hand)
    return _verdict("breaker", found.closed, found.said, found.why_open)


def shared_cause(situation: Situation, plan: Plan) -> Verdict:
    """Several services that share something and are in trouble at once have one cause, and it is in none of them: new
    tasks for each of them would only be a burden to it."""
    found, limit = situation.neighbours, situation.neighbours_limit
    if not situation.restarts_or_scales:
        return _verdict("shared cause", True, "this action neither restarts nor scales", "")
    if plan.only_takes_away:
        return _verdict("shared cause", True, "fewer tasks are no burden to what the services share", "")
    who = "".join(f"; {service} shares {what}" for service, what in found)
    said = f"{len(found)} other services that share something with this one are in trouble, {limit} may be{who}"
    if len(found) > limit and situation.by_hand is not None:
        return _passed("shared cause", said, situation.by_hand)
    return _verdict("shared cause", len(found) <= limit, said, said)


def _hours(span: timedelta) -> int:
    return round(span / HOUR)


def dependency(situation: Situation, plan: Plan) -> Verdict:
    """More tasks, or new ones, against a dependency in trouble make it worse: the veto needs only one such.

    One of which nothing is known does not veto, or a dependency that nobody can read would stop every action for ever.
    """
    facts = situation.findings.dependencies.value
    if not situation.restarts_or_scales:
        return _verdict("dependency", True, "this action neither restarts nor scales", "")
    if plan.only_takes_away:
        return _verdict("dependency", True, "fewer tasks are no burden to what the service stands on", "")
    if facts is None:
        return _verdict("dependency", False, "", "the dependencies could not be read")
    troubled = ", ".join(f"{d.name} is {d.state}" for d in facts.troubled)
    unknown = ", ".join(d.name for d in facts.in_state(DependencyState.UNKNOWN))
    fine = f"no dependency is in trouble; unknown: {unknown}" if unknown else "no dependency is in trouble"
    return _verdict("dependency", not troubled, fine, troubled)


def native_rollback(situation: Situation, plan: Plan) -> Verdict:
    releases = situation.findings.releases.value
    if releases is None:
        return _verdict("native rollback", False, "", "the deployments could not be read")
    flight = releases.in_flight
    return _verdict(
        "native rollback",
        flight is None or not flight.rolling_back,
        "ECS is not rolling back by itself",
        "" if flight is None else f"ECS is rolling back by itself: {flight.status}",
    )


def external_change(situation: Situation, plan: Plan) -> Verdict:
    """What somebody deploys is not fought. A person who orders knows of what was there by then, and not of what came
    after the order."""
    releases, order = situation.findings.releases.value, situation.by_hand
    changed = releases is None or releases.changed_during_incident
    if releases is not None and changed and order is not None and _known_by_then(order, situation.findings):
        return _passed("external change", "somebody else deployed during the incident", order)
    if releases is None:
        return _verdict("external change", False, "", "whether somebody else deployed could not be read")
    return _verdict(
        "external change",
        not changed,
        "nobody else deployed during the incident",
        f"somebody else deployed during the incident{_newest(situation.findings)}",
    )


def _newest(findings: Findings) -> str:
    service = findings.service.value
    primary = None if service is None else service.primary
    return "" if primary is None else f": {primary.id} began at {primary.created_at:%Y-%m-%d %H:%M:%S} UTC"


def _known_by_then(order: PendingOrder, findings: Findings) -> bool:
    """Whether the newest deployment began before the order was given."""
    service = findings.service.value
    primary = None if service is None else service.primary
    return primary is not None and order.at is not None and primary.created_at <= order.at


def task_counts(situation: Situation, plan: Plan) -> Verdict:
    """Counts stay between the playbook's bounds, whatever the plan says; but for isolating, which leaves no task."""
    if any(isinstance(change, ScaleToZero) for change in plan.changes):
        return _verdict("task counts", True, "isolating leaves no task, and people have to grant it", "")
    service = situation.findings.service.value
    counts = [count for change in plan.changes for count in _counts(change)]
    if counts:
        wanted = " to ".join(map(str, sorted({min(counts), max(counts)})))
        return _verdict(
            "task counts",
            all(situation.min_tasks <= count <= situation.max_tasks for count in counts),
            f"within {situation.min_tasks} to {situation.max_tasks} tasks",
            f"{wanted} tasks are outside {situation.min_tasks} to {situation.max_tasks}",
        )
    desired = 0 if service is None else service.desired
    return _verdict(
        "task counts",
        desired >= situation.min_tasks,
        f"{desired} tasks are wanted, at least {situation.min_tasks} have to be",
        f"only {desired} tasks are wanted, below the playbook's {situation.min_tasks}: the service is not in order",
    )


def _counts(change: Change) -> tuple[int, ...]:
    """The numbers of tasks that a change sets as a bound."""
    match change:
        case SetFloor(minimum=minimum):
            return (minimum,)
        case SetCount(count=count):
            return (count,)
        case SetCeiling(maximum=maximum, minimum=minimum):
            return (maximum,) if minimum is None else (minimum, maximum)
        case _:
            return ()


SWITCHES: Sequence[Guardrail] = (stop, pause, maintenance, mode, approval)
"""What people say of the service, or of everything."""

OF_THE_LEDGER: Sequence[Guardrail] = (
    *SWITCHES,
    attempts,
    service_budget,
    fleet_budget,
    cooldown,
    breaker,
    shared_cause,
)
"""They judge what the ledger says. The others judge what was found of the service."""

GUARDRAILS: Sequence[Guardrail] = (*OF_THE_LEDGER, dependency, native_rollback, external_change, task_counts)


def judge(situation: Situation, plan: Plan, guardrails: Sequence[Guardrail] = GUARDRAILS) -> tuple[Verdict, ...]:
    """Every guardrail's verdict, in a fixed order; the plan is allowed when all of them allow it."""
    return tuple(guardrail(situation, plan) for guardrail in guardrails)


def _passed(name: str, otherwise: str, order: PendingOrder) -> Verdict:
    """A yes that only a person's order has made one; the trail says so."""
    return Verdict(
        guardrail=name, allowed=True, reason=f"{otherwise}; the order of {order.order.by} passes it", ordered=True
    )


def _verdict(name: str, allowed: bool, yes: str, no: str) -> Verdict:
    return Verdict(guardrail=name, allowed=allowed, reason=yes if allowed else no)
