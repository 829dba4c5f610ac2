"""The validation of a recovery: four questions that are asked before an incident is resolved, and their answers."""

from collections.abc import Mapping
from enum import StrEnum

from functions.domain.model import Model


class Part(StrEnum):
    """What is asked after a recovery."""

    HEALTH = "health"
    """One deployment, every task, every target, every alarm of the incident."""
    FUNCTIONAL = "functional"
    """Does it do what it is for? What the playbook's synthetic checks said last."""
    PERFORMANCE = "performance"
    """Does it answer in time?"""
    MONITORING = "monitoring"
    """Would anybody hear of it the next time?"""


class Finding(StrEnum):
    """What a part came to. Unknown is never the same as passed."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"
    """The playbook has nothing to ask it by."""


class PartFacts(Model):
    """One part and what it came to."""

    part: Part
    finding: Finding
    reason: str
    """Why, with the numbers; one line."""

    def __str__(self) -> str:
        return f"{self.part} {self.finding}: {self.reason}"


class Validation(Model):
    """All parts, in the order of `Part`."""

    parts: tuple[PartFacts, ...]

    @property
    def summary(self) -> str:
        """One line for the trail: what is not as it should be with its reason, the rest by name."""
        fine = [part.part for part in self.parts if part.finding is Finding.PASSED]
        rest = [str(part) for part in self.parts if part.finding is not Finding.PASSED]
        return "; ".join([*([f"{', '.join(fine)} passed"] if fine else []), *rest])


class AlarmWiring(Model):
    """Whether an alarm tells anybody (CloudWatch API reference, MetricAlarm and CompositeAlarm)."""

    name: str
    actions_enabled: bool
    has_actions: bool
    """It does something when it goes to ALARM, were its actions enabled."""


class MonitoringFacts(Model):
    """What watches a service, as CloudWatch has it now."""

    alarms: Mapping[str, AlarmWiring] = {}
    """By name; one that is not there does not exist."""
    muted_by: Mapping[str, tuple[str, ...]] = {}
    """By alarm, the names of the mute rules that hold its actions back now."""
    dashboard: bool | None = None
    """Whether the dashboard is there; None where none was asked for."""
    unread: tuple[str, ...] = ()
    """What else could not be read, with the reason; the rest holds all the same."""
