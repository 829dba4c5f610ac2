"""What a trail knows that a report is made of: looks, decisions, the cause, and the release it came with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from functions.diagnostics.severity import OF_REQUESTS, gravity
from functions.diagnostics.signs import Signs
from functions.domain.causes import Cause, Judgement
from functions.domain.changes import Lease, Plan, RegisterCopy, SetTaskDefinition
from functions.domain.circumstances import LinesFacts, TaskDefinitionFacts
from functions.domain.findings import Findings
from functions.domain.incidents import Event, Fact
from functions.domain.releases import born_with_a_release
from functions.domain.severity import Grade
from functions.domain.signals import AlarmState
from functions.domain.validation import Validation
from functions.ports import Series
from functions.workflow.decision import OTHERS_AT_WORK, Decision
from functions.workflow.reporting.logs import as_lines
from functions.workflow.story import Intent, Story, tell
from functions.workflow.table import Outcome
from functions.workflow.trails import Trail

DONE = (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL)

EARLIEST = timedelta(days=1)
"""So long before its incident was opened an alarm may have changed its state."""

OF_A_RELEASE = frozenset(
    {
        Cause.BAD_DEPLOYMENT,
        Cause.BAD_RELEASE,
        Cause.DEPLOYMENT_STALLED,
        Cause.IMAGE_UNAVAILABLE,
        Cause.NATIVE_ROLLBACK,
        Cause.SCHEMA_MISMATCH,
        Cause.SECRET_MISSING,
        Cause.HEALTH_CHECK_MISCONFIGURED,
        Cause.PERMISSION_DENIED,
        Cause.OUT_OF_MEMORY,
        Cause.CRASH_LOOP,
        Cause.UNKNOWN,
    }
)
"""Causes that a release may have brought, if one came shortly before."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What is read for a report beside the trail, as far as it could be."""

    series: Series | None = None
    period_s: int = 60
    definitions: tuple[TaskDefinitionFacts, TaskDefinitionFacts] | None = None
    """Of the good release, and of the one at fault."""
    lines: LinesFacts | None = None
    leases: Sequence[Lease] = ()
    """Those that are still out."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """What could not be read, with the reason."""
    place: str = ""

    @cached_property
    def log(self) -> tuple[str, int]:
        """The lines as they are kept, and how many that are."""
        return ("", 0) if self.lines is None else as_lines(self.lines)


@dataclass(frozen=True)
class Known:
    """A trail, and what follows from it. Evidence that lies in the archive and could not be fetched is left out."""

    trail: Trail

    @cached_property
    def story(self) -> Story:
        return tell(self.trail.events)

    @cached_property
    def looks(self) -> tuple[tuple[Event, Findings], ...]:
        """Every look at the service, oldest first."""
        found = ((event, self.trail.evidence[event.sequence]) for event in self._all(Fact.EVIDENCE_GATHERED))
        return tuple((event, Findings.from_json(data["findings"])) for event, data in found if "findings" in data)

    @cached_property
    def rankings(self) -> tuple[tuple[Event, tuple[Judgement, ...]], ...]:
        found = ((event, self.trail.evidence[event.sequence]) for event in self._all(Fact.CAUSES_RANKED))
        return tuple(
            (event, tuple(Judgement.model_validate(each) for each in data["judgements"]))
            for event, data in found
            if "judgements" in data
        )

    @cached_property
    def decisions(self) -> tuple[tuple[Event, Decision], ...]:
        return tuple(
            (e, Decision.model_validate(e.data["decision"])) for e in self.trail.events if "decision" in e.data
        )

    @cached_property
    def made(self) -> tuple[tuple[Intent, ...], ...]:
        """Every plan that was begun, as its stages."""
        plans: list[list[Intent]] = []
        for intent in self.story.intents:
            if intent.stage == 0 or not plans:
                plans.append([])
            plans[-1].append(intent)
        return tuple(map(tuple, plans))

    @property
    def alarm_at(self) -> datetime:
        return self.trail.alarm_at

    @cached_property
    def since(self) -> datetime:
        """From when on the trouble may have lasted, as the first look reckoned: never after the alarm. Metrics and logs
        are read from here on, so that what a message says of its time is believed no further back than `EARLIEST`."""
        reckoned = (f.metrics.value.onset for _, f in self.looks if f.metrics.value is not None)
        opened = self.trail.incident.opened_at
        alarm_at = min(max(self.alarm_at, opened - EARLIEST), opened)
        return min(next(reckoned, alarm_at), alarm_at)

    @cached_property
    def onset(self) -> datetime | None:
        """When the trouble began. Only an alarm tells, which looks back over its own periods; else None."""
        first = next((findings for _, findings in self.looks if findings.alarms.value is not None), None)
        alarms = () if first is None or first.alarms.value is None else first.alarms.value.alarms
        return self.since if any(alarm.state is AlarmState.ALARM for alarm in alarms) else None

    @cached_property
    def worst(self) -> Grade | None:
        """How grave it was at its worst."""
        grades = [Grade.model_validate(event.data["grade"]) for event in self._all(Fact.SEVERITY_GRADED)]
        return min(grades, key=lambda grade: grade.severity, default=None)

    @cached_property
    def felt(self) -> str:
        """What was felt of it at its worst. It is graded anew only when its grade changes, so of all looks that found
        it as grave, that counts which saw most requests fail."""
        worst = self.worst
        if worst is None:
            return ""
        seen = [(gravity(f, (), sure=1.0), Signs(f).error_share_most or 0.0) for _, f in self.looks]
        shares = [(share, found.reason) for found, share in seen if share > 0 and found.severity <= worst.severity]
        return max(shares)[1] if shares and worst.seen.endswith(OF_REQUESTS) else worst.seen

    @cached_property
    def validated(self) -> Validation | None:
        """What was asked last before it was resolved."""
        told = [event for event in self._all(Fact.RECOVERY_VALIDATED) if "validation" in event.data]
        return Validation.model_validate(told[-1].data["validation"]) if told else None

    @cached_property
    def trouble(self) -> Decision | None:
        """The decision that says best what it was: the surest one before the end, of those that name a cause."""
        told = [decision for _, decision in self.decisions if decision.outcome is not Outcome.ALL_CLEAR]
        named = [decision for decision in told if decision.cause is not Cause.UNKNOWN]
        return max(named, key=lambda decision: decision.confidence, default=told[-1] if told else None)

    @cached_property
    def plan(self) -> Plan | None:
        """What of all that was done says best what it was: going back from a release, else the newest."""
        done = [intent.plan for intent in self.story.intents if intent.ended in DONE]
        back = [plan for plan in done if plan.quarantine is not None]
        best = back or done
        return best[-1] if best else None

    @property
    def others_at_work(self) -> bool:
        """Somebody else was at it, and the responder kept out of it."""
        return self.cause in OTHERS_AT_WORK

    @cached_property
    def cause(self) -> Cause:
        """What was acted upon, else what was found."""
        if self.plan is not None:
            return self.plan.cause
        return Cause.UNKNOWN if self.trouble is None else self.trouble.cause

    @cached_property
    def ranking(self) -> tuple[Judgement, ...]:
        """The ranking that says best what it was: the newest before the first action, or the surest."""
        if not self.rankings:
            return ()
        if self.story.intents:
            begun = self.story.intents[0].sequence
            before = [judgements for event, judgements in self.rankings if event.sequence < begun]
            return before[-1] if before else self.rankings[0][1]
        return max((judgements for _, judgements in self.rankings), key=lambda ranked: ranked[0].confidence)

    @cached_property
    def telling(self) -> Findings | None:
        """The look that this ranking was made of."""
        ranked = next((event for event, judgements in self.rankings if judgements is self.ranking), None)
        before = [f for event, f in self.looks if ranked is None or event.sequence < ranked.sequence]
        return before[-1] if before else None

    @cached_property
    def releases(self) -> tuple[str, str] | None:
        """Task definitions of the good release, and of the one that the trouble came with; None where none did."""
        for stages in self.made:
            plan = stages[0].plan
            to = next((c for c in plan.changes if isinstance(c, SetTaskDefinition | RegisterCopy)), None)
            if plan.quarantine is not None and to is not None:
                good = next(
                    (c.task_definition for c in plan.changes if isinstance(c, RegisterCopy)), to.task_definition
                )
                return good, plan.quarantine
        findings = self.telling
        releases = None if findings is None else findings.releases.value
        if findings is None or releases is None or releases.last_known_good is None or self.cause not in OF_A_RELEASE:
            return None
        if not born_with_a_release(findings) or releases.current == releases.last_known_good:
            return None
        return releases.last_known_good, releases.current

    def first(self, *facts: Fact) -> Event | None:
        return next(iter(self._all(*facts)), None)

    def _all(self, *facts: Fact) -> list[Event]:
        return [event for event in self.trail.events if event.fact in facts]
