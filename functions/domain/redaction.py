"""Takes secrets and personal data out of text before it is stored or shown, and makes foreign text harmless."""

import re
import unicodedata
from functools import lru_cache

REDACTED = "[redacted]"

_LOOKED_AT = 32 * 1024
"""Characters of a text that `clean` reads at all: what lies beyond would be cut anyway, and costs time."""

_SECRET_NAME = (
    r"[\w.-]{0,40}(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|"
    r"credential|authorization|signature)s?(?:[_.-][\w.-]{0,40}|(?-i:[A-Z])\w{0,40})?[\"']?"
)
_VALUE = r"(?!\[redacted\])(?:\"[^\"\n]{1,4096}\"|'[^'\n]{1,4096}'|[^\s\"',;&]{1,4096})"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----)){0,16384}"
            r"(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
        ),
        REDACTED,
    ),
    (re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)[^\s/\"'<>]{1,512}@"), rf"\1{REDACTED}@"),
    (re.compile(r"\beyJ[\w-]{4,4096}\.[\w-]{4,4096}\.[\w-]{0,4096}"), REDACTED),
    (re.compile(r"\b(?:AKIA|ASIA|AIDA|AROA|ABIA|ACCA)[A-Z0-9]{16}\b"), REDACTED),
    # An authorisation's value looks made by a machine; the words in "basic authentication failed" do not.
    (
        re.compile(
            r"(\b(?i:bearer|basic)\s{1,3})(?:(?=[^\s\[]{1,512}[0-9A-Z=])[\w.~+/=-]{6,4096}|[\w.~+/=-]{20,4096})"
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(rf"(?i)(\b{_SECRET_NAME}\s{{0,3}}=\s{{0,3}}){_VALUE}"), rf"\1{REDACTED}"),
    # Not after a colon: `secret:` is a part of every Secrets Manager ARN, and the ARN is evidence.
    (re.compile(rf"(?i)((?<!:)\b{_SECRET_NAME}\s{{0,3}}:\s{{0,3}}){_VALUE}"), rf"\1{REDACTED}"),
    (
        re.compile(
            r"(?<![\w/+=])(?=[\w/+]{0,39}[0-9])(?=[\w/+]{0,39}[a-z])(?=[\w/+]{0,39}[A-Z])[A-Za-z0-9/+]{40}(?![\w/+=])"
        ),
        REDACTED,
    ),
    (re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"), REDACTED),
)
"""What is taken out. Every repetition is bounded, so that hostile text cannot make a rule run away."""


_PASSES = 8
"""One rule's replacement may complete what another looks for; two passes are usual."""


def redact(text: str) -> str:
    """The text without credentials and e-mail addresses; redacting it again changes nothing.

    Credentials are: those in URLs, AWS access keys and secrets, JSON web tokens, bearer and basic authorisation,
    private keys, and whatever is assigned to a name like `password`, `token` or `api_key`. Host addresses stay: they
    are evidence. A secret without a telling name or shape is not recognised.
    """
    for _ in range(_PASSES):
        before = text
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        if text == before:
            break
    return text


def clean(text: str, *, limit: int = 1000) -> str:
    """Redacted text on one line, free of control, direction and invisible characters, of `limit` characters at most.

    A text that was cut ends in an ellipsis.
    """
    looked_at = text[:_LOOKED_AT]
    return (_remembered if len(looked_at) <= _REMEMBERED else _cleaned)(looked_at, limit)


def _cleaned(text: str, limit: int) -> str:
    # Redacted before and after: a line break ends a secret, an invisible character hides its name.
    redacted = redact(text)
    shown = printable(redacted)
    if shown != redacted:
        redacted = redact(shown)
    return redacted if len(redacted) <= limit else redacted[: max(limit - 1, 0)] + "…"[:limit]


_REMEMBERED = 2048
"""Characters of the longest text that is remembered: whoever sends long ones must not fill the memory with them."""

# Looks at one service read the same texts again and again: its events, its reasons, its lines.
_remembered = lru_cache(maxsize=1024)(_cleaned)


def printable(text: str) -> str:
    """The text on one line, free of control, direction and invisible characters; nothing is redacted."""
    # Most texts are, and a look cleans hundreds of them.
    if text.isprintable():
        return text
    return "".join(filter(None, map(_shown, text)))


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if char in "\n\t" or category in ("Zl", "Zp"):
        return " "
    return "" if category.startswith("C") else char
