"""What log lines have in common: groups of those that differ in their variable parts alone."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from functions.domain.causes import Cause
from functions.domain.circumstances import LogPattern
from functions.domain.logged import LogCause, cause_in
from functions.domain.redaction import clean

PATTERNS = 20
"""As many as are worth keeping: the rest is rare."""
LINE = 300
"""Characters of a line that are looked at, and kept as a sample."""

_SAID = re.compile(
    r'"(?:message|msg|error|err|error_?message|exception|reason|detail)"\s{0,3}:\s{0,3}"((?:[^"\\]|\\.){1,1000})',
    re.IGNORECASE,
)
"""What a line in JSON says, also one that was cut."""

_VARIABLE = (
    (re.compile(r'"[^"]{0,300}"'), '"*"'),
    (re.compile(r"(?<!\w)'[^']{0,300}'(?!\w)"), "'*'"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "*"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{5,20}(?:Z|[+-][0-9:]{4,6})?"), "*"),
    (re.compile(r"\b0x[0-9a-fA-F]{1,64}\b"), "*"),
    (re.compile(r"\b(?=[0-9]{0,64}[a-fA-F])(?=[a-fA-F]{0,64}[0-9])[0-9a-fA-F]{4,64}\b"), "*"),
    # A digit after a letter belongs to a name: S3, utf8, ora12.
    (re.compile(r"(?<![A-Za-z0-9_])[0-9]+(?:[.,:/-][0-9]+)*"), "*"),
)
"""Quoted text, identifiers, times and numbers."""


def pattern_of(line: str) -> str:
    """The line with its variable parts left out, redacted."""
    return _general(_said(line))


def patterns_in(lines: Iterable[str], causes: Sequence[LogCause] = ()) -> tuple[LogPattern, ...]:
    """The patterns of the lines, most frequent first, each with the first line of its kind.

    A line that speaks of one of the `causes` is another kind than one that does not.
    """
    counts: Counter[tuple[str, Cause | None]] = Counter()
    samples: dict[tuple[str, Cause | None], str] = {}
    # The same line often comes again and again, and is looked at once.
    for line, times in Counter(lines).items():
        said = _said(line)
        # Asked of the whole line: what is kept of it may have lost the word.
        kind = _general(said), cause_in(line, causes)
        counts[kind] += times
        samples.setdefault(kind, said)
    return tuple(
        LogPattern(pattern=kind[0], count=count, sample=samples[kind], cause=kind[1])
        for kind, count in counts.most_common(PATTERNS)
    )


def _said(line: str) -> str:
    said = _SAID.findall(line) if line.lstrip().startswith("{") else ()
    return clean(": ".join(dict.fromkeys(said)) or line, limit=LINE)


def _general(said: str) -> str:
    for variable, sign in _VARIABLE:
        said = variable.sub(sign, said)
    return said
