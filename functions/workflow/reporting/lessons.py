"""What is to be learned, and to be done next: drafts from the evidence, and questions where only a person knows."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from functions.domain.causes import Cause
from functions.domain.changes import ActionName
from functions.domain.differences import Difference
from functions.domain.durations import spoken
from functions.domain.evidence import short
from functions.domain.incidents import Fact, Mode
from functions.playbooks.schema import Playbook
from functions.workflow.reporting.known import Known
from functions.workflow.reporting.model import ActionTold, LeaseTold, Lesson, Paragraph, Pin, Step
from functions.workflow.reporting.words import clock, figure, number
from functions.workflow.table import Outcome

LATE_ALARM = timedelta(minutes=5)
"""From here on an alarm is said to have come late: two periods of a minute, and the minute that metrics are late."""

LONG_WAIT = timedelta(minutes=5)
"""From here on it is said how long people let a question wait."""

_OF_OTHERS = frozenset({Cause.DEPENDENCY_FAILING, Cause.DEPENDENCY_SLOW, Cause.TABLE_THROTTLED})

_CODE, _PLAYBOOK, _ALARM, _INFRASTRUCTURE = "code", "playbook", "alarm", "infrastructure"

_BY_CAUSE: Mapping[Cause, tuple[tuple[str, str], ...]] = {
    Cause.BAD_RELEASE: (
        (_CODE, "Add the test that would have failed: this release passed all that stands before a deployment."),
        (_PLAYBOOK, "Write checks that fail with this fault: they make a release suspect before users feel it."),
    ),
    Cause.BAD_DEPLOYMENT: (
        (_CODE, "Start the image in the pipeline as ECS does, with its role and its secrets, before it is deployed."),
    ),
    Cause.CRASH_LOOP: ((_CODE, "Let the process say why it ends, in its last line and by its exit code."),),
    Cause.OUT_OF_MEMORY: (
        (_CODE, "Find what holds the memory: a larger task only moves the day on which it is full."),
        (_ALARM, "An alarm on memory below 90 % would tell before ECS kills the task."),
    ),
    Cause.IMAGE_UNAVAILABLE: (
        (_INFRASTRUCTURE, "Keep images while a task definition names them: look at the repository's lifecycle rule."),
    ),
    Cause.SECRET_MISSING: (
        (_INFRASTRUCTURE, "Create a secret in the same change as the task definition that names it."),
    ),
    Cause.HEALTH_CHECK_MISCONFIGURED: (
        (_INFRASTRUCTURE, "Let port and path of the health check come from one place in the code."),
    ),
    Cause.OVERLOAD: (
        (_INFRASTRUCTURE, "Load that can be foreseen: raise the floor before it. Else lower the autoscaler's target."),
    ),
    Cause.SCALING_CEILING: (
        (_INFRASTRUCTURE, "The autoscaler was at its maximum: raise that in the code, as far as the budget allows."),
    ),
    Cause.DEPENDENCY_FAILING: (
        (_CODE, "Answer without what is down, worse but at once: a time-out, a circuit breaker, a cache."),
    ),
    Cause.DEPENDENCY_SLOW: (
        (_CODE, "A shorter time-out and fewer calls at a time keep what is slow from taking the service with it."),
    ),
    Cause.TABLE_THROTTLED: (
        (
            _INFRASTRUCTURE,
            "Look at capacity and hot keys of the table; on demand it throttles, too, when load doubles.",
        ),
    ),
    Cause.STICKINESS_LOST: ((_INFRASTRUCTURE, "Find what switched sticky sessions off, or it will do so again."),),
    Cause.ZONE_IMPAIRED: (
        (_INFRASTRUCTURE, "Would the zones that are left carry all of the load? Try it before it is needed again."),
    ),
    Cause.NO_CAPACITY: (
        (_INFRASTRUCTURE, "Allow more zones, or another capacity provider, for tasks that must start."),
    ),
    Cause.FALSE_ALARM: ((_ALARM, "Mend its threshold or periods: an alarm that is wrong teaches people not to look."),),
    Cause.RUNAWAY_COST: ((_INFRASTRUCTURE, "A lower maximum in the code bounds what the next runaway costs."),),
    Cause.SCHEMA_MISMATCH: (
        (_CODE, "Change the schema in steps that the release before and the release after both understand."),
    ),
    Cause.PERMISSION_DENIED: (
        (_INFRASTRUCTURE, "Deploy the role before the code that needs it, and test with that role."),
    ),
    Cause.AUTHENTICATION_FAILING: ((_CODE, "Read a rotated secret again, instead of only at the start."),),
    Cause.UNKNOWN: (
        (_PLAYBOOK, "No cause fitted. If error lines told it, write their words below log_causes."),
        (_PLAYBOOK, "If something beside the service was in trouble, name it below dependencies."),
    ),
}
"""What such a cause usually asks for: starting points, for the people who know the service."""


def lessons(known: Known, playbook: Playbook | None) -> Iterator[Lesson]:
    """What to change in playbook, alarm or code, as the trail of this incident suggests it."""
    late = timedelta() if known.onset is None else known.alarm_at - known.onset
    if late >= LATE_ALARM:
        yield Lesson(
            about="alarm",
            text=f"{spoken(late)} passed between the trouble and the alarm. Fewer or shorter periods would notice it "
            "sooner, at the price of more false alarms.",
        )
    yield from _of_waiting(known, playbook)
    for about, text in _BY_CAUSE.get(known.cause, ()):
        yield Lesson(about=about, text=text)
    if known.cause in _OF_OTHERS and (playbook is None or not playbook.dependencies):
        text = (
            "Name what the service stands on below dependencies: then it is seen by itself, not by error lines alone."
        )
        yield Lesson(about=_PLAYBOOK, text=text)
    yield from _of_actions(known)
    yield from _of_the_service(known)
    unread = sorted({name for _, findings in known.looks for name in findings.unknown()} - {"health"})
    if unread:
        yield Lesson(
            about="responder",
            text=f"Could not be read in this incident: {', '.join(unread)}. See the trail for the reasons.",
        )


def _of_waiting(known: Known, playbook: Playbook | None) -> Iterator[Lesson]:
    withheld = [
        (event, decision)
        for event, decision in known.decisions
        if event.fact is Fact.ACTION_WITHHELD and decision.plan is not None
    ]
    if withheld and not known.story.intents:
        event, decision = withheld[0]
        denied = [verdict for verdict in decision.verdicts if not verdict.allowed]
        if playbook is not None and playbook.mode is Mode.OBSERVE:
            yield Lesson(
                about="playbook",
                text=f"In mode auto, {decision.plan.action if decision.plan else ''} would have begun at "
                f"{clock(event.at)} UTC, {spoken(event.at - known.alarm_at)} after the alarm. Was it right? Let it.",
            )
        elif denied:
            yield Lesson(
                about="playbook",
                text=f"A plan was there and was not allowed: {denied[0].guardrail}: {denied[0].reason}.",
            )
    asked = None
    for event in known.trail.events:
        if event.fact is Fact.APPROVAL_REQUESTED:
            asked = event
        elif asked is not None and event.fact in (Fact.APPROVAL_GRANTED, Fact.APPROVAL_DENIED, Fact.APPROVAL_EXPIRED):
            waited = event.at - asked.at
            if waited >= LONG_WAIT:
                yield Lesson(
                    about="playbook",
                    text=f"The question waited {spoken(waited)} for its answer ({event.summary}). Who is to answer? "
                    "And does this action have to ask?",
                )
            asked = None


def _of_actions(known: Known) -> Iterator[Lesson]:
    for stages in known.made:
        plan = stages[0].plan
        refused = next((intent for intent in stages if intent.ended is Fact.ACTION_REFUSED), None)
        if refused is not None:
            yield Lesson(
                about="infrastructure",
                text=f"AWS refused {plan.action}: see the timeline for its reason, often a right or a limit.",
            )
    ineffective = [
        event
        for event in known.trail.events
        if event.fact is Fact.RECOVERY_CHECKED and event.data.get("outcome") == Outcome.INEFFECTIVE
    ]
    for event in ineffective:
        earlier = [intent for intent in known.story.intents if intent.sequence < event.sequence]
        if earlier:
            plan = earlier[-1].plan
            yield Lesson(
                about="playbook",
                text=f"{plan.action} had no effect on {plan.cause} in {spoken(timedelta(seconds=plan.deadline_s))}: "
                f"put it further down in ladders: {plan.cause}, or give it longer in settle.",
            )


def _of_the_service(known: Known) -> Iterator[Lesson]:
    findings = known.telling
    service = None if findings is None else findings.service.value
    if known.releases is None or service is None:
        return
    if not service.circuit_breaker:
        yield Lesson(
            about="infrastructure",
            text="There is no deployment circuit breaker, by which ECS stops a release that does not start.",
        )
    if not service.native_rollback:
        yield Lesson(
            about="infrastructure",
            text="ECS does not roll back by itself here. Deployment alarms with rollback would stop a bad release "
            "while it is still being deployed.",
        )


def draft(
    known: Known,
    actions: Sequence[ActionTold],
    differ: Sequence[Difference] | None,
    failed: tuple[float, float] | None,
) -> Iterator[Paragraph]:
    """A post-mortem without blame: what the trail knows is written, what only people know is asked. `failed`: so many
    requests, and of how many."""
    yield Paragraph(
        title="Impact",
        lines=tuple(_impact(known, failed)),
        questions=("Which users were hit, and what could they not do?", "Did anybody lose data or money?"),
    )
    yield Paragraph(title="Root cause", lines=tuple(_root(known, differ)), questions=tuple(_why(known)))
    yield Paragraph(
        title="Detection",
        lines=(_detection(known),),
        questions=("Did users or colleagues notice it before that?",),
    )
    done = tuple(f"{clock(a.at)} {a.summary}: {a.effect or a.done}." for a in actions)
    yield Paragraph(
        title="Response and recovery",
        lines=done or ("The responder changed nothing.",),
        questions=("What did people do that is not in the trail?",),
    )
    yield Paragraph(title="What went well", questions=("What should stay as it is?",))
    yield Paragraph(title="Where luck helped", questions=("What could have made it worse, and did not happen?",))
    yield Paragraph(title="Owners", questions=("Who changes what of the points below, and by when?",))


def _impact(known: Known, failed: tuple[float, float] | None) -> Iterator[str]:
    closed_at, worst = known.trail.incident.closed_at, known.worst
    since = known.onset or known.alarm_at
    yield f"Since {clock(since)} UTC." if closed_at is None else f"From {clock(since)} to {clock(closed_at)} UTC."
    if worst is not None:
        yield f"At its worst: {known.felt or worst.reason} (severity {worst.name})."
    if failed is not None:
        count, requests = failed
        yield f"{number(count)} of {number(requests)} requests failed, {figure(100 * count / requests, '%')}."


def _detection(known: Known) -> str:
    late = None if known.onset is None else known.alarm_at - known.onset
    after = f", {spoken(late)} after the trouble began" if late else ""
    first = known.first(Fact.EVIDENCE_GATHERED)
    looked = "" if first is None else f" The first look at the service was {spoken(first.at - known.alarm_at)} later."
    return f"At {clock(known.alarm_at)} UTC{after}, by “{known.trail.incident.title}”.{looked}"


def _root(known: Known, differ: Sequence[Difference] | None) -> Iterator[str]:
    top = next((judgement for judgement in known.ranking if judgement.cause == known.cause), None)
    if known.cause is Cause.UNKNOWN:
        yield "No cause fitted the evidence."
    elif top is not None:
        yield f"{known.cause} ({top.confidence:.2f}): {'; '.join(line.rstrip('.') for line in top.evidence_for)}."
    if known.releases is not None:
        good, bad = map(short, known.releases)
        changed = [] if differ is None else [d.what for d in differ]
        yield (
            f"It came with {bad}. From {good} it differs in {', '.join(changed)}."
            if changed
            else f"It came with {bad}."
        )


def _why(known: Known) -> Iterator[str]:
    if known.releases is not None:
        yield f"Which change in {short(known.releases[1])} did it, and why did nothing before the deployment show it?"
    elif known.cause in _OF_OTHERS:
        yield "Why was the dependency in trouble, and whose is it?"
    elif known.cause in (Cause.OVERLOAD, Cause.SCALING_CEILING):
        yield "Where did the load come from, and will it come again?"
    else:
        yield "Why could this happen, and why does it not happen again?"


def next_steps(known: Known, leases: Sequence[LeaseTold], pins: Sequence[Pin]) -> Iterator[Step]:
    """What is left to do, the most urgent first."""
    incident = known.trail.incident
    if incident.closed_at is None:
        yield Step(text="It is still open: see where it stands.", command=f"responder show {incident.id}")
    isolated = known.story.isolated
    if isolated is not None:
        yield Step(text="The service is isolated until a person brings it back.", command=isolated)
    acted = known.plan
    if acted is not None and acted.quarantine is not None:
        bad = short(acted.quarantine)
        yield Step(
            text=f"Mend what {bad} broke and deploy it as a new revision: {bad} is quarantined, and the responder "
            "never goes back to it.",
            command=f"responder release list {incident.service.key}",
        )
    if any(not pin.temporary for pin in pins):
        yield Step(
            text="Before the next deployment, pin it in the infrastructure code, as “Drift” shows, or it undoes this."
        )
    for lease in leases:
        if not lease.ended:
            yield Step(text=f"{lease.text}: given back by itself at {clock(lease.due_at)} UTC; nothing to do.")
    if acted is None and known.cause not in (Cause.FALSE_ALARM, Cause.UNKNOWN) and not known.others_at_work:
        top = next((judgement for judgement in known.ranking if judgement.cause == known.cause), None)
        shown = f": {top.evidence_for[0].rstrip('.')}" if top is not None and top.evidence_for else ""
        yield Step(text=f"Mend {known.cause} at its root, or it comes again{shown}.")
    if any(stages[0].plan.action is ActionName.MUTE_ALARM for stages in known.made):
        yield Step(text="An alarm was muted: mend its threshold or its periods before the mute ends.")
    yield Step(text="Fill in the questions of the post-mortem draft while people still remember.")
    yield Step(text="Check that nobody changed the trail.", command=f"responder verify {incident.id}")
