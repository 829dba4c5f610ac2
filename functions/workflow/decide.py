"""What to do, given the ranking: a pure function, so that the same evidence always leads to the same decision."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

from functions.actions.action import Action, Refusal, Terms
from functions.diagnostics.signs import Signs
from functions.domain.approvals import Consent
from functions.domain.causes import Cause, Judgement
from functions.domain.changes import ActionName, Plan, Verdict, split_rung
from functions.domain.findings import Findings
from functions.domain.orders import PendingOrder
from functions.guardrails.verdicts import Situation, judge
from functions.workflow.decision import LOOK_AT_ONCE_S, OTHERS_AT_WORK, Alternative, Decision
from functions.workflow.table import Outcome

AMBIGUOUS = 0.1
"""Two causes that are no further apart than this, and ask for different things, contradict each other."""

YOUNG_PERIODS = 2
YOUNG_AT_MOST = timedelta(seconds=120)
"""Metrics come by whole periods, up to a minute late: an incident without a clear cause may be too young to judge."""

LOOK_SOON_S = 15
"""Seconds between two looks at an incident that is too young to judge."""

QUITE_SURE = 0.8
"""A cause that only people can answer and that is less certain than this may yet turn out to be another one."""

EASES_WITHIN = timedelta(minutes=10)
"""How long trouble that the newest data does not show any more is given to end before people hear of it."""

SHIPPER_WATCHES = timedelta(seconds=210)
"""People who ship a release look at it for some minutes; to deploy at the same moment as they do helps nobody."""

LOOK_AGAIN_S = 60
"""Seconds between two looks while somebody else is at it, or nobody feels it."""

PATIENCE = timedelta(minutes=20)
"""How long ECS or a person may work on it before people are told that it does not get better."""

UNFELT_PATIENCE = timedelta(minutes=10)
"""How long a service that nobody misses may take to become steady before people are told: ECS replaces a task that
stopped within minutes, and a page for it would be one too many."""

AFTER_WINDOW = timedelta(minutes=10)
"""How long after its maintenance window trouble that began in it is given to end before people are paged: a deployment
is stable after five to ten minutes, and an alarm is OK again some minutes after its metric."""

UNEXPLAINED = frozenset({Cause.SUSPECTED_BREACH})
"""Causes of which no maintenance window is an explanation."""

ASKS_PER_INCIDENT = 3
"""How often people are asked in one incident; after that they are told, and decide by themselves."""

ADDS_ROOM = frozenset({ActionName.SCALE_OUT, ActionName.RAISE_CEILING})
"""Actions that may follow another one before it was seen what that one did: more tasks take nothing back."""

NOT_DEPLOYED = "the contain stack is not deployed"
"""Why nothing is shut out, where the deployment did not say `-c contain=true`."""


def decide(
    *,
    findings: Findings,
    judgements: Sequence[Judgement],
    ladders: Mapping[Cause, Sequence[str]],
    threshold: float,
    tried: frozenset[str],
    carried_out: frozenset[str] = frozenset(),
    waited: timedelta,
    age: timedelta,
    change_came: bool,
    verifying: ActionName | None,
    actions: Mapping[ActionName, Action],
    terms: Mapping[ActionName, Terms],
    situation: Situation,
    ordered: PendingOrder | None = None,
    isolated: str | None = None,
    short: str | None = None,
    acted_at: datetime | None = None,
) -> Decision:
    """Choose: act, ask, wait, stand down, or escalate to people with a reason.

    `ladders` holds the ladder of every cause in `judgements`; `tried` are the rungs that are used up, and `carried_out`
    those of which every stage was answered; `waited` is how long the responder has been waiting for
    somebody else, `age` how long the incident is open. `change_came` says that a signal told of a change: nothing is
    all clear before what that does could show. `verifying` is the action whose effect is still being waited for.
    `situation.restarts_or_scales` is filled in here, action by action. `ordered` comes before everything that the
    responder would find by itself; `judgements` begin with the cause that it is for. `isolated` says how to undo it
    where an action of this incident has stopped every task. `short` says what is missing of the health score that the
    playbook asks for: without it nothing is all clear. `acted_at` is when the newest action of the incident was begun.
    """
    if ordered is not None:
        return _obey(ordered, judgements[0], findings, actions, terms, situation)
    if isolated is not None and findings.service.value is not None and findings.service.value.desired == 0:
        breach = Judgement(cause=Cause.SUSPECTED_BREACH, confidence=1.0)
        reason = f"the service is isolated, and people decide when it comes back: {isolated}"
        return _said(Outcome.ESCALATE, breach, reason)
    decision = _chosen(
        findings,
        judgements,
        ladders,
        threshold,
        tried,
        carried_out,
        waited,
        age,
        change_came,
        actions,
        terms,
        situation,
        short,
        acted_at,
    )
    if decision.outcome is Outcome.ESCALATE:
        decision = _in_its_window(decision, situation)
    if verifying is None or decision.outcome in (Outcome.WAIT, Outcome.ALL_CLEAR):
        return decision
    if decision.outcome is Outcome.ACT and decision.plan is not None and decision.plan.action in ADDS_ROOM:
        return decision
    reason = f"{verifying} is given its time to show; by itself this look says {decision.outcome}: {decision.reason}"
    return _said(Outcome.WAIT, judgements[0], reason, LOOK_SOON_S)


def _chosen(
    findings: Findings,
    judgements: Sequence[Judgement],
    ladders: Mapping[Cause, Sequence[str]],
    threshold: float,
    tried: frozenset[str],
    carried_out: frozenset[str],
    waited: timedelta,
    age: timedelta,
    change_came: bool,
    actions: Mapping[ActionName, Action],
    terms: Mapping[ActionName, Terms],
    situation: Situation,
    short: str | None,
    acted_at: datetime | None,
) -> Decision:
    top = judgements[0]
    if _all_clear(findings, acted_at) and not (change_came and age < YOUNG_AT_MOST):
        if short is not None:
            return _short(top, findings, age, situation.now, short)
        return _said(Outcome.ALL_CLEAR, top, "every alarm of the incident is OK and the service shows no symptom")
    if top.cause in OTHERS_AT_WORK:
        if waited >= PATIENCE:
            return _said(
                Outcome.ESCALATE, top, f"{top.cause} for {PATIENCE.seconds // 60} minutes, and it did not get better"
            )
        return _said(
            Outcome.WAIT, top, "somebody else is already at it: acting on top of it would fight it", wait_s=LOOK_AGAIN_S
        )
    if top.cause is Cause.FALSE_ALARM and top.confidence >= threshold:
        return _stood_down(
            top, _climb(top, findings, ladders[top.cause], tried, carried_out, actions, terms, situation)
        )
    rival = next((j for j in judgements[1:] if j.confidence > 0 and _alike(top, j)), None)
    if rival is not None and ladders[rival.cause] == ladders[top.cause]:
        rival = None
    hopeless = set(ladders[top.cause]) <= {ActionName.PAGE}
    if top.confidence < threshold or rival is not None or (hopeless and top.confidence < QUITE_SURE):
        patience = _patience(findings, age)
        if patience is not None:
            return _said(Outcome.WAIT, top, *patience)
    if top.confidence < threshold:
        return _said(Outcome.ESCALATE, top, _too_uncertain(top, judgements, threshold))
    if rival is not None:
        return _said(
            Outcome.ESCALATE,
            top,
            f"{top.cause} ({top.confidence:.2f}) and {rival.cause} ({rival.confidence:.2f}) fit alike, "
            "and they ask for different things",
        )
    mending = [name for name in ladders[top.cause] if name == ActionName.PAGE or not _action(name, actions).prepares]
    yields = _yields_to_the_shipper(findings, mending)
    if yields is not None:
        return _said(Outcome.WAIT, top, *yields)
    return _climb(top, findings, ladders[top.cause], tried, carried_out, actions, terms, situation)


def _short(top: Judgement, findings: Findings, age: timedelta, now: datetime, short: str) -> Decision:
    """All clear but for the health score. What was a moment ago is still in it: only what stays is for people."""
    alarms = () if findings.alarms.value is None else findings.alarms.value.alarms
    quiet_for = min((now - alarm.since for alarm in alarms), default=age)
    if quiet_for < UNFELT_PATIENCE:
        return _said(Outcome.STAND_DOWN, top, f"no alarm and no symptom, but {short}")
    still = f"no alarm and no symptom for {quiet_for.total_seconds() // 60:.0f} minutes, and still {short}"
    return _said(Outcome.ESCALATE, top, still)


def _in_its_window(decision: Decision, situation: Situation) -> Decision:
    """What people would be paged for, as it is in and shortly after a maintenance window.

    Trouble that began in a window is explained by it: people hear of it only if it outlives the window.
    """
    now, window, still = situation.now, situation.began_in, situation.maintenance
    if still is not None:
        decision = decision.model_copy(update={"wait_s": _seconds(still.end - now)})
    if window is None or decision.cause in UNEXPLAINED:
        return decision
    if now >= window.end + AFTER_WINDOW:
        outlived = f"{decision.reason}; it has outlived the maintenance window in which it began ({window.label})"
        return decision.model_copy(update={"reason": outlived})
    until = window.end + AFTER_WINDOW
    held = f"no page yet: it began in a maintenance window ({window.label}); people hear of it if it is not over at"
    return decision.model_copy(
        update={
            "outcome": Outcome.STAND_DOWN,
            "reason": f"{decision.reason}; {held} {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            "wait_s": _seconds(window.end - now) if now < window.end else min(LOOK_AGAIN_S, _seconds(until - now)),
            "held_by": window.label,
        }
    )


def _seconds(span: timedelta) -> int:
    return max(1, ceil(span.total_seconds()))


def _stood_down(top: Judgement, climbed: Decision) -> Decision:
    """Nobody is called for a false alarm. Where the ladder mutes it, and that is allowed, it is muted."""
    if climbed.outcome in (Outcome.ACT, Outcome.ASK):
        return climbed
    reason = "the alarm is not borne out by its own metric or by the service"
    return climbed.model_copy(update={"outcome": Outcome.STAND_DOWN, "reason": reason})


def _action(rung: str, actions: Mapping[ActionName, Action]) -> Action:
    return actions[split_rung(rung)[0]]


def _obey(
    ordered: PendingOrder,
    top: Judgement,
    findings: Findings,
    actions: Mapping[ActionName, Action],
    terms: Mapping[ActionName, Terms],
    situation: Situation,
) -> Decision:
    """What an operator orders is planned, judged and asked for like everything else. Only what people said to earlier
    plans is no answer to this one. Where it is refused, whoever ordered it is told, and nobody is paged for it; but for
    what shuts somebody out, of which everybody has to know."""
    name = ordered.order.what.action
    if name is None:
        raise LookupError("a look has no action to plan")
    action = actions[name]
    plan = _plan(action, top.cause, findings, terms[action.name])
    if isinstance(plan, Refusal):
        passed = (Alternative(action=action.name, reason=plan.reason),)
        decision = _said(
            Outcome.ESCALATE, top, f"{ordered.order.wanted} was ordered: {plan.reason}", alternatives=passed
        )
    else:
        fresh = Consent(granted=situation.consent.granted)
        obeying = Situation(**{**vars(situation), "consent": fresh, "ordered": ordered})
        decision = _guarded(top, plan, (), _with(obeying, action))
    if decision.outcome is Outcome.ESCALATE and not action.name.contains:
        decision = decision.model_copy(update={"outcome": Outcome.STAND_DOWN})
    if decision.outcome is Outcome.ACT and decision.plan is not None:
        decision = decision.model_copy(update={"reason": f"{ordered.order.summary}; {decision.plan.summary}"})
    return decision.model_copy(update={"order": ordered.number})


def _plan(action: Action, cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    if action.name.contains and not terms.containment.deployed:
        return Refusal(NOT_DEPLOYED)
    return action.plan(cause, findings, terms)


def _yields_to_the_shipper(findings: Findings, ladder: Sequence[str]) -> tuple[str, int] | None:
    """Why a release is not rolled back yet, and when to look again: its first minutes belong to whoever shipped it, as
    long as no alarm has gone off. A deployment in progress is another matter: ECS itself would end it."""
    service, signs = findings.service.value, Signs(findings)
    primary = None if service is None else service.primary
    if primary is None or list(ladder[:1]) != [ActionName.ROLL_BACK] or signs.alarming or not signs.is_new_release:
        return None
    left = SHIPPER_WATCHES - (findings.looked_at - primary.created_at)
    if primary.rollout_state not in (None, "COMPLETED") or left <= timedelta(0):
        return None
    until = primary.created_at + SHIPPER_WATCHES
    reason = f"whoever shipped the release may be at it already: until {until:%H:%M:%S} UTC only an alarm ends the wait"
    return reason, max(1, min(LOOK_AT_ONCE_S, ceil(left.total_seconds())))


def _patience(findings: Findings, age: timedelta) -> tuple[str, int] | None:
    """Why an unclear cause is looked at again before people hear of it, and in how many seconds; None if it is not."""
    young = min(YOUNG_AT_MOST, timedelta(seconds=YOUNG_PERIODS * _period_s(findings)))
    if age < young:
        return f"too early to tell: the metrics are given {young.seconds} s to show a cause", LOOK_SOON_S
    signs = Signs(findings)
    if signs.threats_unread:
        return None
    if age < UNFELT_PATIENCE and _unfelt(findings):
        return f"nobody feels it: the service is given {UNFELT_PATIENCE.seconds // 60} minutes to mend", LOOK_AGAIN_S
    if signs.just_back is not None:
        return f"{signs.just_back}: its clients are given time to connect again by themselves", LOOK_SOON_S
    if signs.easing and (age < EASES_WITHIN or _silent(findings)):
        return "the newest data shows no trouble any more: it is given time to end", 2 * LOOK_SOON_S
    return None


def _silent(findings: Findings) -> bool:
    """Whether every alarm of the incident is OK again: what is left of the trouble is in the older periods."""
    alarms = findings.alarms.value
    return alarms is not None and bool(alarms.alarms) and alarms.all_ok


def _alike(top: Judgement, other: Judgement) -> bool:
    """Rounded, because 0.8 - 0.7 is a little more than 0.1."""
    return round(top.confidence - other.confidence, 2) <= AMBIGUOUS


def _climb(
    top: Judgement,
    findings: Findings,
    ladder: Sequence[str],
    tried: frozenset[str],
    carried_out: frozenset[str],
    actions: Mapping[ActionName, Action],
    terms: Mapping[ActionName, Terms],
    situation: Situation,
) -> Decision:
    passed: list[Alternative] = []
    for name in ladder:
        if name == ActionName.PAGE:
            break
        known, named = split_rung(name)
        action = actions[known]
        if name in tried:
            if action.prepares and name not in carried_out:
                passed.append(Alternative(action=name, reason="it was not done, and nothing follows without it"))
                break
            passed.append(Alternative(action=name, reason="tried in this incident already"))
            continue
        plan = _plan(action, top.cause, findings, replace(terms[known], named=named) if named else terms[known])
        if isinstance(plan, Refusal):
            passed.append(Alternative(action=name, reason=plan.reason))
            if action.prepares:
                break
            continue
        return _guarded(top, plan, tuple(passed), _with(situation, action))
    reason = f"{top.cause} is for people: its ladder has no action"
    if passed:
        reason = f"the ladder of {top.cause} is at its end: " + "; ".join(
            f"{alternative.action}: {alternative.reason}" for alternative in passed
        )
    return _said(Outcome.ESCALATE, top, reason, alternatives=tuple(passed))


def _guarded(top: Judgement, plan: Plan, passed: tuple[Alternative, ...], situation: Situation) -> Decision:
    verdicts = judge(situation, plan)
    denied = [verdict for verdict in verdicts if not verdict.allowed]
    if not denied:
        outcome, reason = Outcome.ACT, f"{top.cause} at {top.confidence:.2f}: {plan.summary}"
    else:
        reason = "; ".join(f"{verdict.guardrail}: {verdict.reason}" for verdict in denied)
        names = {verdict.guardrail for verdict in denied}
        if "pause" in names:
            outcome = Outcome.STAND_DOWN
        elif names == {"approval"} and not situation.consent.denies(plan):
            outcome = Outcome.ASK if situation.consent.asked < ASKS_PER_INCIDENT else Outcome.ESCALATE
        else:
            outcome = Outcome.ESCALATE
    return _said(outcome, top, reason, plan=plan, verdicts=verdicts, alternatives=passed)


def _with(situation: Situation, action: Action) -> Situation:
    return Situation(**{**vars(situation), "restarts_or_scales": action.restarts_or_scales, "asks": action.asks})


def _period_s(findings: Findings) -> int:
    alarms = findings.alarms.value
    return max((alarm.period_s for alarm in alarms.alarms), default=60) if alarms is not None else 60


def _all_clear(findings: Findings, acted_at: datetime | None) -> bool:
    """Alarms known to be OK and their metrics too, nothing in flight, no symptom, no crash loop between two of its
    crashes, no young release whose memory will be full soon. Without an alarm a steady service is enough. Metrics or
    tasks that could not be read are no good news."""
    service = findings.service.value
    signs = Signs(findings)
    if not findings.tasks.known or signs.loops(since=acted_at):
        return False
    troubled = signs.unwell or signs.locked_out or signs.leaks or signs.costly or signs.threats or signs.threats_unread
    return service is not None and service.steady and _quiet(findings) and not troubled


def _unfelt(findings: Findings) -> bool:
    """No alarm speaks for it, and users do not feel it, as far as everything that could tell was read."""
    return findings.service.known and _quiet(findings) and not Signs(findings).felt


def _quiet(findings: Findings) -> bool:
    alarms = findings.alarms.value
    if alarms is None or not findings.metrics.known:
        return False
    return alarms.all_ok and not any(alarm.breaching_now for alarm in alarms.alarms)


def _too_uncertain(top: Judgement, judgements: Sequence[Judgement], threshold: float) -> str:
    barred = [f"{j.cause} needs {', '.join(j.missing)}" for j in judgements if j.missing]
    if top.cause is Cause.UNKNOWN:
        reason = "no cause fits the evidence"
    else:
        reason = f"{top.cause} is the likeliest at {top.confidence:.2f}, below the playbook's {threshold:.2f}"
    return reason + (f"; unread evidence bars some: {'; '.join(barred)}" if barred else "")


def _said(
    outcome: Outcome,
    top: Judgement,
    reason: str,
    wait_s: int = 0,
    *,
    plan: Plan | None = None,
    verdicts: tuple[Verdict, ...] = (),
    alternatives: tuple[Alternative, ...] = (),
) -> Decision:
    return Decision(
        outcome=outcome,
        cause=top.cause,
        confidence=top.confidence,
        reason=reason,
        plan=plan,
        verdicts=verdicts,
        alternatives=alternatives,
        wait_s=wait_s,
    )
