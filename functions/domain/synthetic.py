"""Synthetic checks: what a playbook asks of its service from outside, once a minute, and what came back.

A symptom without a metric of its own becomes one: 1 in each minute in which the check failed, 0 in each in which it was
fine. A minute in which it could not be carried out has none.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, model_validator

from functions.domain.durations import Seconds
from functions.domain.model import Model
from functions.domain.services import ServiceRef

NAMESPACE = "EcsFirstResponder/Checks"
"""Apart from the responder's own metrics, so that the right to publish one is no right to publish the other."""
METRIC = "Failed"

EVERY_S = 60

SWITCHING = 101
"""The status that opens a WebSocket (RFC 6455, 4.2.2)."""

_ON_THIS_MACHINE = ("localhost", "127.0.0.1")

_WRITTEN_ANYWAY = frozenset({"host", "connection", "upgrade", "content-length", "transfer-encoding", "accept-encoding"})
"""Headers that the request has of its own."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,100}")

_SECRET = re.compile(r"(?:arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,519}")
"""What Secrets Manager takes as a name (API reference, CreateSecret), and ARNs."""


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        fits = parts.scheme == "https" or (parts.scheme == "http" and host in _ON_THIS_MACHINE)
        fits = fits and bool(host.encode("idna")) and parts.username is None and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("no URL that can be checked: write one that begins with https://, without a password in it")
    return text


def _field(text: str) -> str:
    try:
        jmespath.compile(text)
    except (JMESPathError, ValueError):
        raise ValueError(f"'{text}' is no JMESPath: write one such as pools.unhealthy") from None
    return text


def _scalar(value: object) -> object:
    if value is not None and not isinstance(value, str | bool | int | float):
        raise ValueError("not comparable with a field: write a text, a number, true or false")
    return value


def _header_name(text: str) -> str:
    if _HEADER_NAME.fullmatch(text) is None:
        raise ValueError("no header is called that: write one such as Authorization")
    if text.lower() in _WRITTEN_ANYWAY or text.lower().startswith("sec-websocket-"):
        raise ValueError(f"the check writes {text} by itself: write another header, or leave it out")
    return text


def _prefix(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("no header can have that: write printable ASCII")
    return text


def _secret(text: str) -> str:
    if _SECRET.fullmatch(text) is None:
        raise ValueError("no secret of Secrets Manager is called that: write its name or its whole ARN")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, defer_build=True
    )


class FieldLimit(_Strict):
    """One field of a JSON answer, and when its value is a failure. One that cannot be read is a failure, too."""

    field: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_field)]
    """Where it stands, as a JMESPath expression."""
    above: float | None = Field(default=None, allow_inf_nan=False, strict=True)
    """It fails beyond this number."""
    below: float | None = Field(default=None, allow_inf_nan=False, strict=True)
    """It fails under this number."""
    other_than: Annotated[Any, PlainValidator(_scalar)] = None
    """A text, a number, true or false."""

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if sum(limit is not None for limit in (self.above, self.below, self.other_than)) != 1:
            raise ValueError("a field has one limit: write either above, below or other_than")
        return self

    @property
    def demands(self) -> str:
        if self.above is not None:
            return f"{self.field} must not be above {shown(self.above)}"
        if self.below is not None:
            return f"{self.field} must not be below {shown(self.below)}"
        return f"{self.field} must be {shown(self.other_than)}"


class SecretHeader(_Strict):
    """A header whose value is a secret: it is read for each request, and stands nowhere else."""

    name: Annotated[str, AfterValidator(_header_name)]
    """What the header is called."""
    secret: Annotated[str, AfterValidator(_secret)]
    """Name or ARN of a secret in Secrets Manager, in the Region of the service."""
    key: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Which value of a secret that is a JSON object; without it, the whole secret."""
    prefix: Annotated[str, Field(max_length=100), AfterValidator(_prefix)] = ""
    """What stands before it, for example `Bearer ` with its blank."""


class SyntheticCheck(_Strict):
    """One GET request from outside, without following redirects, or one opening of a WebSocket."""

    check: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    """Its name, which its alarm and its metric have, too."""
    url: Annotated[str, Field(max_length=2048), AfterValidator(_url)]
    """What is asked: https, or http on the same machine."""
    status: int | None = Field(default=None, ge=100, le=599, strict=True)
    """The answer that counts as fine: without it, 200, or for a WebSocket 101."""
    reads: FieldLimit | None = Field(default=None, alias="json")
    """A field of the JSON answer, and when it fails."""
    websocket: Annotated[bool, Field(strict=True)] = False
    """Whether a WebSocket is opened, instead of a page asked for."""
    header: SecretHeader | None = None
    """A header whose value is a secret."""
    timeout: Annotated[Seconds, Field(ge=1, le=10)] = 5
    """From looking its name up to the end of the answer."""

    @model_validator(mode="after")
    def _websockets_have_no_answer(self) -> Self:
        if self.websocket and self.reads is not None:
            raise ValueError("a WebSocket opens without an answer to read: write json in a check of its own")
        if self.websocket and self.status not in (None, SWITCHING):
            raise ValueError("a WebSocket opens with 101: leave status out")
        return self

    @property
    def expected(self) -> int:
        """The status that counts as fine."""
        if self.status is not None:
            return self.status
        return SWITCHING if self.websocket else 200

    @property
    def demands(self) -> str:
        """What has to be so, for people. The URL's query is left out: it may be nobody's business."""
        place = urlsplit(self.url)._replace(query="", fragment="").geturl()
        if self.websocket:
            return f"{place} has to open a WebSocket within {self.timeout} s"
        said = f"{place} has to answer {self.expected} within {self.timeout} s"
        return said if self.reads is None else f"{said}, and {self.reads.demands}"


class CheckAnswer(Model):
    """What came back on the request of a check."""

    status: int | None
    """None when there was no answer in time, or no connection."""
    body: str | None = None
    """None where nobody asked for it, and where it could not be read to its end."""
    opened: bool = False
    """Whether the WebSocket was opened as RFC 6455 wants it."""
    error: str = ""
    """Why there is no status or no body; one line."""


class Checked(Model):
    """One check that was carried out."""

    ref: ServiceRef
    check: str
    finding: str = ""
    """Why it failed, in a sentence; empty where all is fine."""

    @property
    def value(self) -> float:
        """What the metric says of it."""
        return 1.0 if self.finding else 0.0


def dimensions(ref: ServiceRef, check: str) -> Mapping[str, str]:
    """By which CloudWatch knows the metric of one check."""
    return {"ClusterName": ref.cluster, "ServiceName": ref.service, "CheckName": check}


def shown(value: object) -> str:
    """A value of JSON as JSON writes it, texts in quotes."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.12g}"
        case str():
            return f"'{value}'"
    return str(value)
