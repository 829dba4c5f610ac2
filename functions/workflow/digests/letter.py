"""How a digest reads: as a mail in plain text, and as Markdown for the archive."""

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from functions.domain.digests import Digest, Found, Line, Period, Verdict
from functions.domain.redaction import clean
from functions.ports import Page

WIDTH = 76
"""Columns: mail programs break lines of 80."""
VERDICTS, NAMES = 9, 17
"""Columns that a verdict and a name take."""
SUBJECT_LIMIT = 100
"""Characters of an SNS subject, which must be ASCII without line breaks (SNS API reference: Publish)."""
LONGEST = 200_000
"""Bytes of a mail: SNS takes 256 KB (SNS API reference: Publish)."""
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#!~])")

_HELD = "\u00a0"
_BACK = {Period.DAILY: "day", Period.WEEKLY: "week", Period.MONTHLY: "30 days"}


def page_of(digest: Digest) -> Page:
    """The mail. Its attribute `kind` is `digest`, by which a subscription may leave it out."""
    what = f"[digest {digest.period}] {_services(digest)}: {_counts(digest)}"
    text = as_text(digest)
    if len(text.encode()) > LONGEST:
        text = f"{text.encode()[:LONGEST].decode(errors='ignore')}\n\nToo long for a mail: the archive has all of it.\n"
    return Page(
        subject=clean(what).encode("ascii", "replace").decode()[:SUBJECT_LIMIT],
        text=text,
        attributes={"kind": "digest", "period": digest.period.value},
    )


def as_text(digest: Digest) -> str:
    """What needs somebody first; then every line, service by service."""
    lines = [
        f"The last {_BACK[digest.period]} of {_services(digest)} in {digest.region}: {_counts(digest)}.",
        f"{digest.since:%a %Y-%m-%d %H:%M} to {digest.until:%a %Y-%m-%d %H:%M} UTC, by {digest.responder}",
    ]
    for title, verdict in (("LOOK AT", Verdict.LOOK), ("UNKNOWN", Verdict.UNKNOWN)):
        if digest.count(verdict):
            lines += ["", f"{title} ({digest.count(verdict)})"]
        for section in digest.sections:
            found = [line for line in section.lines if line.found.verdict is verdict]
            lines += [f"  {clean(section.title)}"] if found else []
            for said, names in _together(found):
                if len(names) == 1:
                    lines += _wrapped(f"    {names[0]:<{NAMES}}", said)
                else:
                    lines += _wrapped("    ", f"{', '.join(names)}: {said}")
    if not digest.count(Verdict.LOOK) and not digest.count(Verdict.UNKNOWN):
        lines += ["", "Nothing needs anybody."]
    for section in digest.sections:
        heading = clean(section.title)
        lines += ["", heading, "-" * len(heading)]
        absent = [line.name for line in section.lines if line.found.verdict is Verdict.NONE]
        for line in section.lines:
            if line.found.verdict is not Verdict.NONE:
                lines += _line(line)
        if absent:
            lines += _wrapped(f"{Verdict.NONE.value:<{VERDICTS}}", ", ".join(absent))
    lines += ["", f"Again      responder digest --{digest.period}"]
    return "\n".join(lines) + "\n"


def _together(lines: Sequence[Line]) -> Sequence[tuple[str, Sequence[str]]]:
    """What several lines say alike is said once, with their names: one throttled reading leaves many unknown."""
    names: dict[str, list[str]] = {}
    for line in lines:
        names.setdefault(_said(line.found), []).append(line.name)
    return list(names.items())


def _line(line: Line) -> Iterator[str]:
    yield from _wrapped(f"{line.found.verdict.value:<{VERDICTS}}{line.name:<{NAMES}}", _said(line.found))
    for detail in line.found.details:
        yield from _wrapped(f"{'':{VERDICTS}}- ", clean(detail, limit=300))


def _wrapped(head: str, text: str) -> list[str]:
    """The text beside what it belongs to, broken so that no line is too long for a mail."""
    # A number keeps its unit: `wrap` breaks at plain blanks alone.
    held = text.replace(" %", f"{_HELD}%")
    lines = wrap(
        held,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        # A URL or a command that is broken cannot be clicked or pasted.
        break_on_hyphens=False,
        break_long_words=False,
    ) or [head.rstrip()]
    return [line.replace(_HELD, " ") for line in lines]


def as_markdown(digest: Digest) -> str:
    """The same for whoever looks it up later."""
    span = f"{digest.since:%Y-%m-%d %H:%M} to {digest.until:%Y-%m-%d %H:%M} UTC"
    lines = [
        f"# Digest of the last {_BACK[digest.period]}: {_services(digest)} in {digest.region}",
        "",
        f"{span}, by {digest.responder}: {_counts(digest)}.",
    ]
    for title, verdict in (("Look at", Verdict.LOOK), ("Unknown", Verdict.UNKNOWN)):
        found = digest.having(verdict)
        if found:
            lines += ["", f"## {title}", ""]
            lines += [f"- **{_escaped(where)}** {line.name}: {_escaped(_said(line.found))}" for where, line in found]
    for section in digest.sections:
        lines += ["", f"## {_escaped(clean(section.title))}", "", "| verdict | what | figures |", "| --- | --- | --- |"]
        lines += [_row(line) for line in section.lines]
    return "\n".join(lines) + "\n"


def _row(line: Line) -> str:
    cells = [_said(line.found), *(clean(detail, limit=300) for detail in line.found.details)]
    verdict = line.found.verdict
    marked = f"**{verdict}**" if verdict in (Verdict.LOOK, Verdict.UNKNOWN) else str(verdict)
    return f"| {marked} | {line.name} | {'<br>'.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    """Text that Markdown and the HTML in it leave as it is."""
    return MARKDOWN.sub(r"\\\1", clean(text).replace("&", "&amp;"))


def _said(found: Found) -> str:
    return clean(found.text, limit=400)


def _services(digest: Digest) -> str:
    count = sum(1 for section in digest.sections if "/" in section.title)
    return f"{count} service{'' if count == 1 else 's'}"


def _counts(digest: Digest) -> str:
    return f"{digest.count(Verdict.LOOK)} to look at, {digest.count(Verdict.UNKNOWN)} unknown"
