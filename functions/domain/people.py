"""People during an incident: what they say of it, who leads it, and what they are promised."""

from enum import StrEnum

from functions.domain.model import Model

AUTOMATIC = "automatic responder"
"""The incident commander, until a person takes the incident over."""


class Said(StrEnum):
    """What a person may say of an open incident."""

    ACKNOWLEDGED = "acknowledged"
    """Somebody has the page: nobody else is called."""
    TAKEN = "taken"
    """Somebody leads the incident now: the responder only watches. They have the page, too."""
    RELEASED = "released"
    """The responder leads it again."""


class Word(Model):
    """What one person said of one incident, as it lies in its inbox."""

    incident_id: str
    """The incident it is about. In the inbox of another one, which was opened meanwhile, it means nothing."""
    said: Said
    by: str
    """Who says it, in their own words."""
    identity: str = ""
    """The same person as IAM knows them: the ARN of the caller."""
    reason: str = ""

    @property
    def summary(self) -> str:
        because = f": {self.reason}" if self.reason else ""
        match self.said:
            case Said.ACKNOWLEDGED:
                return f"{self.by} has the page{because}"
            case Said.TAKEN:
                return f"{self.by} leads the incident, and the responder only watches{because}"
            case Said.RELEASED:
                return f"{self.by} gives the incident back to the responder{because}"
