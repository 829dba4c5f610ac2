"""What is to be learned, and to be done next: drafts from the evidence, and questions where only a person knows."""

from collections.abc import Iterator, Sequence
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
from functions.workflow.reporting.words import clock
from functions.workflow.table import Outcome

LATE_ALARM = timedelta(minutes=5)
"""From here on an alarm is said to have come late: two periods of a minute, and the minute that metrics are late."""

LONG_WAIT = timedelta(minutes=5)
"""From here on it is said how long people let a question wait."""

_BY_CAUSE: dict[Cause, tuple[tuple[str, str], ...]] = {
    Cause.BAD_RELEASE: (
        ("code", "Add the test that would have failed: the release passed everything that stands before deployment."),
        (
            "playbook",
            "Write `checks` that fail with this fault, so that a release like it is suspect before users feel it.",
        ),
    ),
    Cause.BAD_DEPLOYMENT: (
        (
            "code",
            "Start the image once in the pipeline as ECS does, with its roles and secrets, before it is deployed.",
        ),
    ),
    Cause.CRASH_LOOP: (("code", "Let the process say why it ends, in its last line and by its exit code."),),
    Cause.OUT_OF_MEMORY: (
        ("code", "Find what holds the memory; a larger task only moves the day on which it is full."),
        ("alarm", "An alarm on `memory` below 90 % would tell before ECS kills the task."),
    ),
    Cause.IMAGE_UNAVAILABLE: (
        (
            "infrastructure",
            "Keep images as long as a task definition names them: look at the repository's lifecycle rule.",
        ),
    ),
    Cause.SECRET_MISSING: (
        ("infrastructure", "Create secrets in the same change as the task definition that names them."),
    ),
    Cause.HEALTH_CHECK_MISCONFIGURED: (
        ("infrastructure", "Let port and path of the health check come from one place in the code."),
    ),
    Cause.OVERLOAD: (
        (
            "infrastructure",
            "Was the load foreseeable? Then raise the floor before it comes; else lower the target of the autoscaler.",
        ),
    ),
    Cause.SCALING_CEILING: (
        (
            "infrastructure",
            "The autoscaler was at its maximum: raise it in the code, as far as database and budget allow.",
        ),
    ),
    Cause.DEPENDENCY_FAILING: (
        (
            "code",
            "Let the service answer without what it depends on, worse but at once: a time-out, a circuit breaker, a cache.",
        ),
        (
            "playbook",
            "Name every dependency below `dependencies`, so that it is seen by itself and not by error lines.",
        ),
    ),
    Cause.DEPENDENCY_SLOW: (
        (
            "code",
            "A shorter time-out and fewer calls at a time keep a slow dependency from taking the service with it.",
        ),
    ),
    Cause.TABLE_THROTTLED: (
        (
            "infrastructure",
            "Look at capacity and hot keys of the table; on-demand tables throttle, too, when load doubles.",
        ),
    ),
    Cause.STICKINESS_LOST: (("infrastructure", "Find what switched sticky sessions off, or it will do so again."),),
    Cause.ZONE_IMPAIRED: (("infrastructure", "Would the service carry its load in the zones that are left? Try it."),),
    Cause.NO_CAPACITY: (
        ("infrastructure", "Allow more zones, or another capacity provider, for tasks that must start."),
    ),
    Cause.FALSE_ALARM: (
        ("alarm", "Mend its threshold or its periods: an alarm that is wrong teaches people not to look."),
    ),
    Cause.RUNAWAY_COST: (("infrastructure", "A lower maximum in the code bounds what the next runaway costs."),),
    Cause.SCHEMA_MISMATCH: (
        ("code", "Change the schema in steps that the release before and the release after both understand."),
    ),
    Cause.PERMISSION_DENIED: (
        ("infrastructure", "Deploy the task role before the code that needs it; test with that role."),
    ),
    Cause.AUTHENTICATION_FAILING: (("code", "Read a rotated secret again instead of only at the start."),),
    Cause.UNKNOWN: (
        (
            "playbook",
            "No cause fitted. If error lines told it, write their words below `log_causes`; if something else did, name it below `dependencies`.",
        ),
    ),
}
"""What such a cause usually asks for: starting points, for the people who know the service."""


def lessons(known: Known, playbook: Playbook | None) -> Iterator[Lesson]:
    """What to change in playbook, alarm or code, as the trail of this incident suggests it."""
    late = known.alarm_at - known.onset
    if late >= LATE_ALARM:
        yield Lesson(
            about="alarm",
            text=f"{spoken(late)} passed between the trouble and the alarm. Fewer or shorter periods would notice it "
            "sooner, at the price of more false alarms.",
        )
    yield from _of_waiting(known, playbook)
    for about, text in _BY_CAUSE.get(known.cause, ()):
        yield Lesson(about=about, text=text)
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
                text=f"In mode `auto`, {decision.plan.action if decision.plan else ''} would have begun at "
                f"{clock(event.at)} UTC, {spoken(event.at - known.alarm_at)} after the alarm. Was it right? Then let it.",
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
                    text=f"The question waited {spoken(waited)} for its answer ({event.summary}). Who is to answer, and "
                    "does this action have to ask?",
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
                text=f"{plan.action} had no effect on {plan.cause} within {spoken(timedelta(seconds=plan.deadline_s))}: "
                f"put it further down in `ladders: {plan.cause}`, or give it longer in `settle`.",
            )


def _of_the_service(known: Known) -> Iterator[Lesson]:
    findings = known.telling
    service = None if findings is None else findings.service.value
    if known.releases is None or service is None:
        return
    if not service.circuit_breaker:
        yield Lesson(
            about="infrastructure",
            text="The service has no deployment circuit breaker: with it, ECS itself stops a release whose tasks do not start.",
        )
    if not service.native_rollback:
        yield Lesson(
            about="infrastructure",
            text="ECS does not roll back by itself here. Deployment alarms with rollback would stop a bad release while it "
            "is still being deployed.",
        )


def draft(known: Known, actions: Sequence[ActionTold], differ: Sequence[Difference] | None) -> Iterator[Paragraph]:
    """A post-mortem without blame: what the trail knows is written, what only people know is asked."""
    worst = known.worst
    incident = known.trail.incident
    yield Paragraph(
        title="Impact",
        lines=tuple(
            filter(
                None,
                (
                    f"From {clock(known.onset)} to {clock(incident.closed_at)} UTC."
                    if incident.closed_at
                    else f"Since {clock(known.onset)} UTC.",
                    "" if worst is None else f"At its worst: {worst.reason} (severity {worst.name}).",
                ),
            )
        ),
        questions=("Which users were hit, and what could they not do?", "Did anybody lose data or money?"),
    )
    yield Paragraph(title="Root cause", lines=tuple(_root(known, differ)), questions=tuple(_why(known)))
    first = known.first(Fact.EVIDENCE_GATHERED)
    noticed = f"{incident.title} told it {spoken(known.alarm_at - known.onset)} after it began."
    looked = "" if first is None else f" The first look was {spoken(first.at - known.alarm_at)} after that."
    yield Paragraph(
        title="Detection", lines=(noticed + looked,), questions=("Did users or colleagues notice it before the alarm?",)
    )
    yield Paragraph(
        title="Response and recovery",
        lines=tuple(f"{clock(a.at)} {a.summary}: {a.effect or a.done}." for a in actions)
        or ("Nothing was changed by the responder.",),
        questions=("What did people do that is not in the trail?",),
    )
    yield Paragraph(title="What went well", questions=("What should stay as it is?",))
    yield Paragraph(title="Where luck helped", questions=("What could have made it worse, and did not happen?",))
    yield Paragraph(title="Owners", questions=("Who changes what of the points above, and by when?",))


def _root(known: Known, differ: Sequence[Difference] | None) -> Iterator[str]:
    top = next((judgement for judgement in known.ranking if judgement.cause == known.cause), None)
    if known.cause is Cause.UNKNOWN:
        yield "No cause fitted the evidence."
    elif top is not None:
        yield f"{known.cause}, at a confidence of {top.confidence:.2f}:"
        yield from top.evidence_for
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
    elif known.cause in (Cause.DEPENDENCY_FAILING, Cause.DEPENDENCY_SLOW, Cause.TABLE_THROTTLED):
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
            text=f"Mend what {bad} broke and deploy it as a new revision: {bad} is quarantined, and the responder never "
            "goes back to it.",
            command=f"responder releases {incident.service.key}",
        )
    if any("task definition" in pin.title.lower() or "task size" in pin.title.lower() for pin in pins):
        yield Step(
            text="Before the next deployment, write the pin above into the infrastructure code, or it undoes this."
        )
    for lease in leases:
        if not lease.ended:
            yield Step(text=f"{lease.text}: given back by itself at {clock(lease.due_at)} UTC; nothing to do.")
    if acted is None and known.cause not in (Cause.FALSE_ALARM, Cause.UNKNOWN):
        yield Step(text=f"Nothing was changed: if {known.cause} is not mended at its root, it comes again.")
    if any(stages[0].plan.action is ActionName.MUTE_ALARM for stages in known.made):
        yield Step(text="An alarm was muted: mend its threshold or its periods before the mute ends.")
    yield Step(text="Fill in the questions of the draft below while people still remember.")
    yield Step(text="Check that nobody changed the trail.", command=f"responder verify {incident.id}")
