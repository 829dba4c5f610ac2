"""What GuardDuty found, and how its findings are named.

Source: GuardDuty API reference, Finding, and User Guide, "Severity levels of GuardDuty findings".
"""

import re
from typing import NamedTuple

from functions.domain.model import Model

_ARN = re.compile(
    r"arn:aws[a-z-]{0,20}:guardduty:[a-z0-9-]{1,30}:\d{12}:detector/(?P<detector>[A-Za-z0-9]{1,300})/finding/(?P<id>[A-Za-z0-9-]{1,300})"
)

_LEVELS = ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (1.0, "LOW"))
"""The least severity of each level."""

WORST = 10.0
LEAST_SEVERITY = 4.0
"""From there on a finding opens an incident; what is lower was blocked, or came to nothing."""


ROLES = ("AssumedRole", "Role")
"""`userType` of credentials that belong to a role."""


class FindingName(NamedTuple):
    """How GetFindings wants a finding to be named."""

    detector: str
    id: str


def finding_arn(arn: str) -> FindingName | None:
    """Take the ARN of a finding apart; None when it is none."""
    found = _ARN.fullmatch(arn)
    return None if found is None else FindingName(found["detector"], found["id"])


def level_of(severity: object) -> str | None:
    """LOW to CRITICAL, in GuardDuty's words; None for what is no severity."""
    if isinstance(severity, bool) or not isinstance(severity, int | float) or not severity <= WORST:
        return None
    return next((level for least, level in _LEVELS if severity >= least), None)


class ThreatFacts(Model):
    """One finding, read back from GuardDuty."""

    arn: str
    type: str
    severity: float
    title: str = ""
    resource: str = ""
    """What it is about, for a person."""
    archived: bool = False
    """Somebody looked at it and put it away."""

    @property
    def level(self) -> str:
        return level_of(self.severity) or "LOW"


class ThreatsFacts(Model):
    """The findings that the signals of the incident told of, as GuardDuty has them now."""

    threats: tuple[ThreatFacts, ...] = ()
