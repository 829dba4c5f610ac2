"""What a trail tells: the state of an incident is folded from its events, never kept a second time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from functions.domain.approvals import Consent
from functions.domain.changes import (
    ActionName,
    Change,
    ChangeResult,
    Plan,
    ShiftZone,
    StopDeployment,
    repeatable,
)
from functions.domain.incidents import Event, Fact, InboxEntry
from functions.domain.orders import PendingOrder
from functions.domain.people import AUTOMATIC, Said, Word
from functions.domain.severity import Grade, Severity
from functions.domain.signals import Signal, pending
from functions.workflow.decision import OTHERS_AT_WORK, Decision
from functions.workflow.table import Outcome

_CHANGE: TypeAdapter[Change] = TypeAdapter(Change, config=ConfigDict(defer_build=True))

GRACE = timedelta(minutes=5)
"""How long after its request expired a grant still counts: the plan is made afresh first, and may have to wait."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One time that people were asked. `ended` is the fact that followed; None while nothing did."""

    number: int
    plan: Plan
    expires_at: datetime
    ended: Fact | None = None
    used: bool = False
    """The plan was begun."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """One change that was about to be made. `ended` is the fact that followed it; None when nothing did."""

    plan: Plan
    stage: int
    change: Change
    """The change itself, with what an earlier stage made in the place that the plan kept for it."""
    at: datetime
    sequence: int
    ended: Fact | None = None
    result: ChangeResult | None = None

    @property
    def completes(self) -> bool:
        """It was the last stage of its plan, and was answered."""
        return self.ended is Fact.ACTION_TAKEN and self.stage + 1 == len(self.plan.changes)


def _open_again(newest: Intent) -> bool:
    """Whether its rung may be taken once more: it was not refused, not all of it is known to be done, and whatever was
    done can be done again."""
    return newest.ended is not Fact.ACTION_REFUSED and not newest.completes and repeatable(newest.change)


@dataclass(frozen=True, kw_only=True)
class Story:
    """An incident so far."""

    alarm_at: datetime | None = None
    by_hand: bool = False
    """It was opened by an order, and not by an alarm."""
    decision: Decision | None = None
    """The newest decision."""
    intents: tuple[Intent, ...] = ()
    waiting_since: datetime | None = None
    """First of the waits for somebody else that nothing interrupted; telling people that they took too long is no
    interruption."""
    waited_at: datetime | None = None
    """The newest wait, whatever it was for."""
    checked: str | None = None
    """What the newest check of the recovery said, or `look-again` where the execution ended before it could tell."""
    held: bool = False
    """Only a synthetic check kept the service from being recovered then."""
    steady_since: datetime | None = None
    """Since when every check of the recovery found the service steady and healthy."""
    cannot_tell: int = 0
    """Checks in a row that could not tell."""
    paged: frozenset[str] = frozenset()
    """What pages were about."""
    grade: Grade | None = None
    """How grave it is, as the newest look that changed it says."""
    paged_as: Severity | None = None
    """The gravest severity that people were paged with."""
    stopped_at: datetime | None = None
    """When a deployment was stopped by us: ECS begins its rollback then, under an id that nobody told us."""
    postponed: int = 0
    """How often a lease could not be given back yet."""
    requests: tuple[Request, ...] = ()
    """What people were asked."""
    orders: tuple[PendingOrder, ...] = ()
    """What operators ordered and nothing has come of yet, oldest first."""
    acknowledged_by: str | None = None
    """Who has the page."""
    taken_by: str | None = None
    """Who leads the incident instead of the responder."""
    escalate_at: datetime | None = None
    """Until when somebody has to have the page; from then on the second contact is called."""
    escalated: bool = False
    """The second contact was called."""
    next_update_at: datetime | None = None
    """When people were promised to hear of it again."""
    told: int = 0
    """Sequence number of what people were told last; 0 while they were told nothing."""
    updates: int = 0
    """How many promised updates were posted."""

    @property
    def commander(self) -> str:
        """Who leads the incident."""
        return AUTOMATIC if self.taken_by is None else self.taken_by

    @property
    def due_at(self) -> datetime | None:
        """When the next thing has to be said: the promised update, or the call for the second contact."""
        unanswered = None if self.escalated or self.acknowledged_by is not None else self.escalate_at
        return min((at for at in (self.next_update_at, unanswered) if at is not None), default=None)

    def calls(self, now: datetime) -> bool:
        """Whether nobody had the page in time, so that the second contact has to be called."""
        waits = self.acknowledged_by is None and not self.escalated
        return waits and self.escalate_at is not None and now >= self.escalate_at

    @property
    def isolated(self) -> str | None:
        """How to undo it, where this incident isolated the service, or began to: a closed scalable target stops the
        tasks by itself."""
        made = [i for i in self.intents if i.ended in (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL)]
        return next((i.plan.undo for i in made if i.plan.action is ActionName.ISOLATE), None)

    @property
    def graver_than_told(self) -> bool:
        """Whether it has become graver than people know who were paged."""
        return self.paged_as is not None and self.grade is not None and self.grade.severity < self.paged_as

    @property
    def request(self) -> Request | None:
        """The newest of them."""
        return self.requests[-1] if self.requests else None

    def consent(self, now: datetime) -> Consent:
        """What people allowed and forbade, as it holds now."""
        last = self.request
        in_force = last is not None and last.ended is Fact.APPROVAL_GRANTED and now < last.expires_at + GRACE
        return Consent(
            granted=last.plan.hash if last is not None and in_force and not last.used else None,
            denied=frozenset(
                (request.plan.cause, request.plan.rung)
                for request in self.requests
                if request.ended is Fact.APPROVAL_DENIED
            ),
            asked=len(self.requests),
        )

    def granted(self, plan: Plan) -> bool:
        """Whether people granted this plan when they were last asked, even if it was begun since."""
        last = self.request
        return last is not None and last.ended is Fact.APPROVAL_GRANTED and last.plan.hash == plan.hash

    @property
    def open_intent(self) -> Intent | None:
        """A change whose answer nobody wrote down: it may have happened, so it counts as done."""
        last = self.intents[-1] if self.intents else None
        return last if last is not None and last.ended is None else None

    @property
    def acted(self) -> Intent | None:
        """The newest change that was made, or may have been."""
        made = [i for i in self.intents if i.ended in (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL)]
        return made[-1] if made else None

    @property
    def failed_to_help(self) -> bool:
        """Whether the newest check found that what the responder did by itself had no effect. A mute needs none."""
        ordered = self.decision is not None and self.decision.order is not None
        mended = self.acted is not None and self.acted.plan.action is not ActionName.MUTE_ALARM
        return self.checked == Outcome.INEFFECTIVE and mended and not ordered

    @property
    def verifying(self) -> ActionName | None:
        """The action whose effect was still being waited for when something else asked for a look."""
        return self.acted.plan.action if self.acted is not None and self.checked == Outcome.LOOK_AGAIN else None

    @property
    def tried(self) -> frozenset[str]:
        """The rungs that are used up. One that may be repeated, and that nobody answered or that was left in the
        middle, is so after the second time."""
        newest = {intent.plan.rung: intent for intent in self.intents}
        begun = [intent.plan.rung for intent in self.intents if intent.stage == 0]
        return frozenset(
            rung for rung, intent in newest.items() if not (_open_again(intent) and begun.count(rung) == 1)
        )

    @property
    def carried_out(self) -> frozenset[str]:
        """The rungs all of whose stages were answered."""
        return frozenset(intent.plan.rung for intent in self.intents if intent.completes)

    @property
    def attempts(self) -> int:
        """Actions begun; the stages of one action count once."""
        return sum(1 for intent in self.intents if intent.stage == 0)

    @property
    def own_deployments(self) -> frozenset[str]:
        return frozenset(i.result.made for i in self.intents if i.result is not None and i.result.made)

    @property
    def mended_at(self) -> tuple[datetime, ...]:
        """When something was changed that may end the trouble, as a mute never does."""
        return tuple(
            intent.at
            for intent in self.intents
            if intent.ended is not Fact.ACTION_REFUSED and intent.plan.action is not ActionName.MUTE_ALARM
        )

    def shifted_from(self, now: datetime) -> frozenset[str]:
        """Zones (names) out of which this incident shifted traffic, as far as the shift has not ended by itself."""
        return frozenset(
            change.zone
            for intent in self.intents
            if intent.ended in (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL)
            and isinstance(change := intent.change, ShiftZone)
            and now < intent.at + timedelta(seconds=change.expires_s)
        )

    def stages_done(self, plan: Plan) -> tuple[Intent, ...]:
        """The stages of this very plan that were carried out, in a row at the end of the trail."""
        done: list[Intent] = []
        for intent in reversed(self.intents):
            if intent.plan != plan or intent.ended is not Fact.ACTION_TAKEN:
                break
            done.append(intent)
            if intent.stage == 0:
                break
        return tuple(reversed(done))


def tell(events: Sequence[Event]) -> Story:
    """Fold a trail, oldest event first."""
    story = Story()
    for event in events:
        story = _after(story, event)
    return story


def report_of(events: Sequence[Event]) -> str | None:
    """Where the report of an incident lies, which the step after its close writes; None before that."""
    resolved = next((event for event in reversed(events) if event.fact is Fact.INCIDENT_RESOLVED), None)
    place = None if resolved is None else resolved.data.get("report")
    return None if place is None else f"{place}report.html"


def _after(story: Story, event: Event) -> Story:
    match event.fact:
        case Fact.INCIDENT_OPENED:
            occurred = event.data.get("signal", {}).get("occurred_at")
            began = event.at if occurred is None else datetime.fromisoformat(occurred)
            return replace(story, alarm_at=began, by_hand=bool(event.data.get("signal", {}).get("order")))
        case Fact.SIGNAL_RECEIVED:
            if event.data.get("signal", {}).get("order") is None:
                return story
            order = pending(event.data["number"], Signal.model_validate(event.data["signal"]))
            return story if order is None else replace(story, orders=(*story.orders, order))
        case Fact.WAITED:
            decision = _decision(event)
            since = (story.waiting_since or event.at) if decision.cause in OTHERS_AT_WORK else None
            return replace(story, decision=decision, waiting_since=since, waited_at=event.at)
        case Fact.PLAN_CHOSEN | Fact.ACTION_WITHHELD | Fact.STOOD_DOWN:
            decision = _decision(event)
            if decision.outcome not in (Outcome.ACT, Outcome.ASK):
                story = _answered(story, decision)
            if decision.cause in OTHERS_AT_WORK:
                return replace(story, decision=decision)
            return replace(story, decision=decision, waiting_since=None, waited_at=None)
        case Fact.ACTION_INTENDED:
            plan = Plan.model_validate(event.data["plan"])
            intent = Intent(
                plan=plan,
                stage=event.data["stage"],
                change=_CHANGE.validate_python(event.data.get("change", plan.changes[event.data["stage"]])),
                at=event.at,
                sequence=event.sequence,
            )
            intents = (*story.intents, intent)
            begun = replace(
                _answered(story, story.decision), intents=intents, checked=None, steady_since=None, cannot_tell=0
            )
            return _newest_request(begun, used=True) if story.granted(plan) else begun
        case Fact.APPROVAL_REQUESTED:
            request = Request(
                number=event.data["number"],
                plan=Plan.model_validate(event.data["plan"]),
                expires_at=datetime.fromisoformat(event.data["expires_at"]),
            )
            return _promised(replace(story, requests=(*story.requests, request)), event)
        case Fact.APPROVAL_DENIED | Fact.APPROVAL_EXPIRED:
            return _newest_request(_answered(story, story.decision), ended=event.fact)
        case Fact.APPROVAL_GRANTED:
            return _newest_request(story, ended=event.fact)
        case Fact.ACTION_TAKEN | Fact.ACTION_DOUBTFUL | Fact.ACTION_REFUSED:
            result = ChangeResult.model_validate(event.data["result"]) if "result" in event.data else None
            ended = replace(story.intents[-1], ended=event.fact, result=result)
            stopped = event.fact is not Fact.ACTION_REFUSED and isinstance(ended.change, StopDeployment)
            return replace(
                story,
                intents=(*story.intents[:-1], ended),
                stopped_at=ended.at if stopped else story.stopped_at,
            )
        case Fact.RECOVERY_CHECKED:
            checked = event.data["outcome"]
            return replace(
                story,
                checked=checked,
                held=event.data.get("held", False),
                cannot_tell=story.cannot_tell + 1 if checked == Outcome.CANNOT_TELL else 0,
                steady_since=(story.steady_since or event.at) if event.data["steady"] else None,
            )
        case Fact.EXECUTION_RESTARTED:
            return replace(story, checked=Outcome.LOOK_AGAIN) if _under_way(story, event.at) else story
        case Fact.SEVERITY_GRADED:
            return replace(story, grade=Grade.model_validate(event.data["grade"]))
        case Fact.PAGE_SENT:
            told = [Severity(each) for each in (event.data.get("severity"), story.paged_as) if each]
            by = [at for at in (story.escalate_at, _moment(event, "escalate_at")) if at is not None]
            paged = replace(story, paged=story.paged | {event.data["about"]}, paged_as=min(told, default=None))
            return _promised(replace(paged, escalate_at=min(by, default=None)), event)
        case Fact.UPDATE_POSTED:
            return replace(_promised(story, event), updates=story.updates + 1)
        case Fact.ESCALATED:
            return replace(story, escalated=True)
        case Fact.ACKNOWLEDGED | Fact.COMMAND_TAKEN | Fact.COMMAND_RELEASED:
            word = Word.model_validate(event.data["signal"]["word"])
            return _said(story, word) if word.incident_id == event.incident_id else story
        case Fact.INCIDENT_RESOLVED:
            return replace(story, next_update_at=None, escalate_at=None)
        case Fact.LEASE_POSTPONED:
            return replace(story, postponed=story.postponed + 1)
        case _:
            return story


def _under_way(story: Story, at: datetime) -> bool:
    """Whether an action still has its time to show an effect, and no check has said yet what came of it. One that was
    left in the middle will show none."""
    newest = story.intents[-1] if story.intents else None
    if newest is None or not (newest.completes or newest.ended is Fact.ACTION_DOUBTFUL):
        return False
    return story.checked in _UNDECIDED and at < newest.at + timedelta(seconds=newest.plan.deadline_s)


_UNDECIDED = (None, Outcome.NOT_YET, Outcome.CANNOT_TELL, Outcome.LOOK_AGAIN)


def heeding(story: Story, incident_id: str, unseen: Sequence[InboxEntry]) -> Story:
    """The story, with what people said of the incident that no step has written into the trail yet."""
    for entry in unseen:
        word = entry.signal.word
        if word is not None and word.incident_id == incident_id:
            story = _said(story, word)
    return story


def _said(story: Story, word: Word) -> Story:
    match word.said:
        case Said.ACKNOWLEDGED:
            return replace(story, acknowledged_by=story.acknowledged_by or word.by)
        case Said.TAKEN:
            return replace(story, acknowledged_by=story.acknowledged_by or word.by, taken_by=word.by)
        case Said.RELEASED:
            return replace(story, taken_by=None)


def _promised(story: Story, event: Event) -> Story:
    """Whatever people are told renews the promise of when they hear again."""
    return replace(story, next_update_at=_moment(event, "next_update_at"), told=event.sequence)


def _moment(event: Event, name: str) -> datetime | None:
    written = event.data.get(name)
    return None if written is None else datetime.fromisoformat(written)


def _answered(story: Story, decision: Decision | None) -> Story:
    """The order that this decision was about is over: begun, refused, or not granted."""
    if decision is None or decision.order is None:
        return story
    return replace(story, orders=tuple(each for each in story.orders if each.number != decision.order))


def _newest_request(story: Story, **changes: Any) -> Story:
    return replace(story, requests=(*story.requests[:-1], replace(story.requests[-1], **changes)))


def _decision(event: Event) -> Decision:
    return Decision.model_validate(event.data["decision"])
