"""What a trail tells: the state of an incident is folded from its events, never kept a second time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.changes import ActionName, ChangeResult, Plan
from functions.domain.incidents import Event, Fact
from functions.workflow.decision import OTHERS_AT_WORK, Decision


@dataclass(frozen=True, kw_only=True)
class Intent:
    """One change that was about to be made. `ended` is the fact that followed it; None when nothing did."""

    plan: Plan
    stage: int
    at: datetime
    sequence: int
    ended: Fact | None = None
    result: ChangeResult | None = None


@dataclass(frozen=True, kw_only=True)
class Story:
    """An incident so far."""

    alarm_at: datetime | None = None
    decision: Decision | None = None
    """The newest decision."""
    intents: tuple[Intent, ...] = ()
    waiting_since: datetime | None = None
    """First of the waits that nothing else interrupted; telling people that they took too long is no interruption."""
    waited_at: datetime | None = None
    """The newest of them."""
    checked: str | None = None
    """What the newest check of the recovery said."""
    steady_since: datetime | None = None
    """Since when every check of the recovery found the service steady and healthy."""
    cannot_tell: int = 0
    """Checks in a row that could not tell."""
    paged: str | None = None
    """What the newest page was about."""
    postponed: int = 0
    """How often a lease could not be given back yet."""

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
    def tried(self) -> frozenset[ActionName]:
        return frozenset(intent.plan.action for intent in self.intents)

    @property
    def attempts(self) -> int:
        """Actions begun; the stages of one action count once."""
        return sum(1 for intent in self.intents if intent.stage == 0)

    @property
    def own_deployments(self) -> frozenset[str]:
        return frozenset(i.result.made for i in self.intents if i.result is not None and i.result.made)

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
    alarm_at: datetime | None = None
    decision: Decision | None = None
    intents: list[Intent] = []
    waiting_since: datetime | None = None
    waited_at: datetime | None = None
    checked: str | None = None
    steady_since: datetime | None = None
    cannot_tell = 0
    paged: str | None = None
    postponed = 0
    for event in events:
        match event.fact:
            case Fact.INCIDENT_OPENED:
                occurred = event.data.get("signal", {}).get("occurred_at")
                alarm_at = event.at if occurred is None else datetime.fromisoformat(occurred)
            case Fact.PLAN_CHOSEN | Fact.ACTION_WITHHELD | Fact.WAITED | Fact.STOOD_DOWN:
                decision = Decision.model_validate(event.data["decision"])
                if event.fact is Fact.WAITED:
                    waiting_since, waited_at = waiting_since or event.at, event.at
                elif decision.cause not in OTHERS_AT_WORK:
                    waiting_since, waited_at = None, None
            case Fact.ACTION_INTENDED:
                plan = Plan.model_validate(event.data["plan"])
                intents.append(Intent(plan=plan, stage=event.data["stage"], at=event.at, sequence=event.sequence))
                checked, steady_since, cannot_tell = None, None, 0
            case Fact.ACTION_TAKEN | Fact.ACTION_DOUBTFUL | Fact.ACTION_REFUSED:
                last = intents.pop()
                result = ChangeResult.model_validate(event.data["result"]) if "result" in event.data else None
                intents.append(
                    Intent(
                        plan=last.plan,
                        stage=last.stage,
                        at=last.at,
                        sequence=last.sequence,
                        ended=event.fact,
                        result=result,
                    )
                )
            case Fact.RECOVERY_CHECKED:
                checked = event.data["outcome"]
                cannot_tell = cannot_tell + 1 if checked == "cannot-tell" else 0
                if not event.data["steady"]:
                    steady_since = None
                elif steady_since is None:
                    steady_since = event.at
            case Fact.PAGE_SENT:
                paged = event.data["about"]
            case Fact.LEASE_POSTPONED:
                postponed += 1
            case _:
                pass
    return Story(
        alarm_at=alarm_at,
        decision=decision,
        intents=tuple(intents),
        waiting_since=waiting_since,
        waited_at=waited_at,
        checked=checked,
        steady_since=steady_since,
        cannot_tell=cannot_tell,
        paged=paged,
        postponed=postponed,
    )
