"""How grave an incident is: one scale for all services, and how each service calls its steps and answers them."""

from enum import StrEnum

from functions.domain.model import Model


class Severity(StrEnum):
    """One scale for all services, from P0 (everything is down, now) to P4 (when there is time)."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    @property
    def next_lower(self) -> "Severity":
        """One step less grave; P4 has none below it."""
        return _SCALE[min(_SCALE.index(self) + 1, len(_SCALE) - 1)]


_SCALE = tuple(Severity)
"""The gravest first; the names sort the same way, so that `min` finds the gravest."""


class Later(StrEnum):
    """Times to respond that no clock counts."""

    NEXT_BUSINESS_DAY = "next business day"
    WHEN_THERE_IS_TIME = "when there is time"


class Gravity(Model):
    """What the evidence of one look says of how grave it is."""

    severity: Severity
    reason: str
    whole: bool
    """Everything that could have said that it is graver was read: only then may it lower what people wrote."""


class Grade(Model):
    """How grave an incident is, why, and how soon people are to answer."""

    severity: Severity
    label: str
    """What the service's own people call it."""
    respond: int | Later
    """Seconds until somebody looks, from the page on, or words."""
    written: Severity
    """What the playbook says of the alarms, whatever the evidence."""
    seen: str = ""
    """What the evidence shows; empty where it decided nothing."""
    rule: str = ""
    """Why it is not simply what the evidence shows."""

    @property
    def name(self) -> str:
        """The service's own label, and the scale's name where that is another one."""
        return self.label if self.label == self.severity else f"{self.label} ({self.severity})"

    @property
    def reason(self) -> str:
        return "; ".join(filter(None, (self.seen, self.rule)))

    @property
    def respond_text(self) -> str:
        """How soon, as it stands in a sentence."""
        match self.respond:
            case Later.NEXT_BUSINESS_DAY:
                return "on the next business day"
            case Later.WHEN_THERE_IS_TIME:
                return "when there is time"
        hours, minutes = divmod(round(self.respond / 60), 60)
        if hours == 0:
            return f"within {minutes} minute{'s' * (minutes != 1)}"
        return f"within {hours} h" + (f" {minutes:02d} min" if minutes else "")
