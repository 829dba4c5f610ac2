"""Everything a report of an incident says, complete and frozen: a renderer only lays it out.

It is kept as JSON beside the page, so that the desk shows the same report later, when the metrics and the logs behind
it are gone. A field that is added has a default: old reports are read with new code.
"""

from enum import StrEnum

from functions.domain.differences import Difference
from functions.domain.model import Model, Moment
from functions.domain.services import ServiceRef


class MarkKind(StrEnum):
    """What a mark in a plot, or a line of the timeline, is about."""

    TROUBLE = "trouble"
    ALARM = "alarm"
    ACTION = "action"
    RECOVERED = "recovered"
    RELEASE = "release"
    PEOPLE = "people"
    LEASE = "lease"
    OTHER = "other"


class Mark(Model):
    """A point in time in every plot."""

    at: Moment
    kind: MarkKind
    label: str
    """A few characters: `1` for the first action, `alarm`."""
    text: str
    """What it was, for whoever points at it."""


class Curve(Model):
    """One metric over the time of the incident."""

    title: str
    unit: str
    """What stands behind a number; empty for a plain count."""
    points: tuple[tuple[Moment, float], ...]
    """With the time at which each period began, oldest first."""
    limit: float | None = None
    """The threshold of the playbook's alarm on it."""
    limit_text: str = ""
    top: float | None = None
    """Where the scale ends at least, as 100 for percent that fill up; None where the values alone decide."""
    fewer_is_worse: bool = False

    @property
    def extreme(self) -> tuple[Moment, float] | None:
        """The first of its worst points: the highest, or the lowest where fewer is worse."""
        sign = -1 if self.fewer_is_worse else 1
        return max(self.points, key=lambda point: sign * point[1], default=None)

    @property
    def extreme_name(self) -> str:
        return "lowest" if self.fewer_is_worse else "peak"


class Gain(Model):
    """One figure around an action: what it was before, and what it was at the end of its effect."""

    what: str
    before: str
    after: str
    same: bool = False
    """It hardly changed."""


class ActionTold(Model):
    """One thing that was done, or was refused."""

    number: int
    at: Moment
    action: str
    cause: str
    summary: str
    done: str
    """What was answered to it: done, refused, or nothing."""
    effect: str
    """What the checks behind it said."""
    helped: bool | None = None
    """None where nobody can say."""
    state: tuple[Difference, ...] = ()
    """What it set: from what, to what."""
    gains: tuple[Gain, ...] = ()
    undo: str = ""
    granted_by: str = ""
    details: tuple[str, ...] = ()
    """The stages as they were answered, with what came into being."""


class CauseTold(Model):
    cause: str
    confidence: float
    chosen: bool = False
    """It is what the incident was treated as."""
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Entry(Model):
    """A line of the timeline."""

    at: Moment
    kind: MarkKind
    actor: str
    text: str
    loud: bool = False
    """Whoever reads only a few lines reads these."""
    times: int = 1
    """How many like it stand for this one, the last of them."""


class LeaseTold(Model):
    """Something temporary."""

    text: str
    due_at: Moment
    ended: str = ""
    """How it ended; empty while it is out."""


class Pin(Model):
    """What the infrastructure code does not know, and how to say it there."""

    title: str
    why: str
    cdk: str
    cloudformation: str
    terraform: str
    temporary: bool = False
    """It goes back by itself: only for those who want it to stay."""


class LogsTold(Model):
    groups: tuple[str, ...] = ()
    patterns: tuple[tuple[int, str], ...] = ()
    """How often, and one line of the kind, as the look that named the cause found them."""
    excerpt: tuple[tuple[Moment, str, str], ...] = ()
    """When, the end of the stream's name, and the line."""
    kept: str = ""
    """How many lines are kept, where, and what was left out."""
    commands: tuple[str, ...] = ()
    link: str = ""
    """Logs Insights in the console, at the incident's time."""


class Checked(Model):
    """A part of the validation of the recovery."""

    part: str
    finding: str
    reason: str


class Objective(Model):
    """A time that was promised, and what it took."""

    name: str
    allowed_s: float
    used_s: float | None
    """None where nobody can say."""
    what: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.used_s is None else self.used_s <= self.allowed_s


class Lesson(Model):
    about: str
    """`playbook`, `alarm`, `code`, `infrastructure` or `responder`."""
    text: str


class Paragraph(Model):
    """A part of the draft for a post-mortem. What only a person can fill is a question."""

    title: str
    lines: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


class Step(Model):
    """Something to do next."""

    text: str
    command: str = ""


class IncidentReport(Model):
    """The report."""

    incident_id: str
    service: ServiceRef
    title: str
    open: bool
    severity: str = ""
    severity_reason: str = ""
    summary: str
    """One sentence."""
    why: str = ""
    """The cause with what spoke for it most, in one sentence."""
    now: str = ""
    """How it stands: resolved and how that was checked, or what the responder does; what is out for a while."""
    cause: str
    onset: Moment | None = None
    """When the trouble began, as far as the alarm's metric tells; None where no alarm did."""
    alarm_at: Moment
    closed_at: Moment | None = None
    written_at: Moment
    figures: tuple[tuple[str, str], ...] = ()
    """The few figures that matter, each with what it is of."""
    objectives: tuple[Objective, ...] = ()
    actions: tuple[ActionTold, ...] = ()
    no_action: str = ""
    """Why nothing was done; empty where something was."""
    people: tuple[str, ...] = ()
    """What people were told and asked, and what they answered."""
    entries: tuple[Entry, ...] = ()
    curves: tuple[Curve, ...] = ()
    marks: tuple[Mark, ...] = ()
    causes: tuple[CauseTold, ...] = ()
    others: int = 0
    """How many causes were judged beside those shown."""
    leases: tuple[LeaseTold, ...] = ()
    validated: tuple[Checked, ...] = ()
    """What was asked before the incident was resolved, and what came back; empty where nothing was."""
    logs: LogsTold = LogsTold()
    at_fault: str = ""
    """The release that the incident came with, as family:revision."""
    good: str = ""
    """The one that was, or would be, gone back to."""
    differences: tuple[Difference, ...] | None = None
    """From the good release to the one at fault; None where they were not compared."""
    pins: tuple[Pin, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    draft: tuple[Paragraph, ...] = ()
    steps: tuple[Step, ...] = ()
    unread: tuple[str, ...] = ()
    """What could not be read for this report, with the reason."""
    events: int = 0
    head: str = ""
    """Hash of the newest event of the trail."""
    place: str = ""
    """Where the report and what belongs to it lies; empty where it is kept nowhere."""
