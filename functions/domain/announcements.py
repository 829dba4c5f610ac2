"""What is told to machines: events on the bus, and the notification for chat that each of them carries.

The schema of an `Announcement` is published in docs/events.schema.json; fields are added to it, and none is taken away
without another `version`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.domain.incidents import IncidentStatus
from functions.domain.model import Model, Moment
from functions.domain.redaction import clean
from functions.domain.severity import Severity

SOURCE = "ecs-first-responder"
"""`source` of the events."""

LONGEST_LINE = 300
"""Characters of one foreign text in a chat."""


class Happened(StrEnum):
    """What an event tells; it is the event's `detail-type`, too."""

    OPENED = "Incident Opened"
    ASKED = "Incident Asked"
    """People are to say yes or no to a plan."""
    ACTED = "Incident Acted"
    PAGED = "Incident Paged"
    UPDATED = "Incident Updated"
    """A promised update was posted."""
    ESCALATED = "Incident Escalated"
    """Nobody acknowledged the page in time: the second contact was called."""
    ACKNOWLEDGED = "Incident Acknowledged"
    TAKEN = "Incident Taken"
    """A person leads it now."""
    RELEASED = "Incident Released"
    """The responder leads it again."""
    RESOLVED = "Incident Resolved"


class _Camel(Model):
    """Written as Amazon Q Developer reads it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ChatContent(_Camel):
    text_type: Literal["client-markdown"] = "client-markdown"
    title: str
    description: str
    next_steps: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


class ChatMetadata(_Camel):
    thread_id: str
    """The incident: all that is told of one stands in one thread."""
    summary: str
    event_type: str
    related_resources: tuple[str, ...] = ()
    additional_context: Mapping[str, str] = {}


class ChatNotification(_Camel):
    """A custom notification for Slack and Microsoft Teams (Amazon Q Developer in chat applications Administrator Guide,
    "Custom notifications": `version` is 1.0 and `source` is custom)."""

    version: Literal["1.0"] = "1.0"
    source: Literal["custom"] = "custom"
    id: str
    content: ChatContent
    metadata: ChatMetadata


class AffectedService(Model):
    region: str
    cluster: str
    service: str


class Announcement(Model):
    """The `detail` of an event about an incident. It may come twice, with the same `id`."""

    version: Literal["1"] = "1"
    id: str
    """The incident and the number of the line in its trail that this event tells."""
    happened: Happened
    at: Moment
    """When it happened."""
    incident: str
    status: IncidentStatus
    service: AffectedService
    title: str
    """What opened the incident, in a few words."""
    summary: str
    """What happened, as it stands in the trail."""
    started_at: Moment
    """When the alarm went off."""
    severity: Severity | None = None
    severity_label: str | None = None
    """What the service's own people call it."""
    impact: str = ""
    """What the evidence shows of it."""
    cause: str | None = None
    """The likeliest cause, as docs/causes.md calls it; more may come."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    action: str | None = None
    """The newest action that was taken, or may have been, as playbooks write it; more may come."""
    commander: str
    """Who leads the incident."""
    acknowledged_by: str | None = None
    next_update_at: Moment | None = None
    duration_s: float | None = None
    """From the alarm to the end, of an incident that is resolved."""
    report: str | None = None
    """Where the report of an incident that is resolved lies, as soon as it is written: the address of a page in S3."""
    head: str
    """Hash of that line of the trail."""
    chat: ChatNotification


def in_chat(text: str, *, limit: int = LONGEST_LINE) -> str:
    """Foreign text for a chat: one line of code, in which neither Slack nor Teams looks for names, links or markup.

    Angle brackets, by which Slack knows a mention (Slack developer documentation, "Formatting message text"), become
    quotation marks that look alike, and nothing ends the code but its own end.
    """
    harmless = clean(text, limit=limit).replace("<", "‹").replace(">", "›").replace("`", "'").strip()
    return f"`{harmless}`" if harmless else ""
