"""Endpoints of the application itself that a playbook names, and that a ladder may call: its own clean-up."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from functions.domain.durations import Seconds
from functions.domain.redaction import redact

_LOCAL = ("127.0.0.1", "localhost")
"""Where nobody listens in, so that http will do."""


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
        fits = safe and bool(parts.hostname) and parts.username is None and parts.port != 0 and not parts.fragment
    except ValueError:
        fits = False
    if not fits or not text.isascii() or any(letter.isspace() for letter in text):
        raise ValueError("no URL that is called: write one such as https://example.com/api/cleanup; http stays at home")
    if redact(text) != text:
        raise ValueError("a credential in a URL ends up in every trail: write its secret under token")
    return text


class Webhook(BaseModel):
    """One endpoint: what is sent, and whether it may be sent again."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    """What a ladder calls it: `call-webhook:NAME`."""
    url: Annotated[str, Field(max_length=2048), AfterValidator(_url)]
    """What is called: https, or http on the same machine; no credential in it."""
    method: Literal["GET", "POST"] = "POST"
    """How it is called; nothing is sent in the body."""
    repeatable: bool = Field(default=False, strict=True)
    """Whether a call without an answer may be made a second time. It may have done its work the first time."""
    token: (
        Annotated[
            str, Field(pattern=r"^([A-Za-z0-9/_+=.@-]{1,512}|arn:[^:]+:secretsmanager:[^:]+:[0-9]+:secret:[^:*?]+)$")
        ]
        | None
    ) = None
    """Name or ARN of the secret in Secrets Manager that holds the bearer token, alone and as text."""
    timeout: Annotated[Seconds, Field(ge=1, le=20)] = 10
    """After which a call that was sent counts as made."""
