"""How grave an incident is: what the playbook wrote, and how far the evidence raises or lowers it."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.diagnostics.severity import gravity
from functions.domain.causes import Judgement
from functions.domain.findings import Findings
from functions.domain.incidents import Fact, NewEvent
from functions.domain.severity import Grade, Gravity, Severity
from functions.playbooks.schema import Playbook

LASTS = 1.25
"""A measured sign keeps its severity until its value is a fifth below the line: no severity goes to and fro at it."""


def graded(
    playbook: Playbook,
    alarms: Sequence[str],
    findings: Findings,
    judgements: Sequence[Judgement],
    before: Grade | None = None,
) -> Grade:
    """The grade after one look. `alarms` are those of the incident, `before` is its grade until now."""
    written = written_severity(playbook, alarms)
    found = combined(written, gravity(findings, judgements, sure=playbook.confidence))
    if before is not None and before.severity < found.severity:
        lasting = combined(written, gravity(findings, judgements, sure=playbook.confidence, margin=LASTS))
        found = min(found, lasting, key=lambda each: each.severity)
    return _called(playbook, found, written)


@dataclass(frozen=True)
class Combined:
    """The severity that holds, what the evidence shows, and why it is not simply that."""

    severity: Severity
    seen: str = ""
    rule: str = ""


def combined(written: Severity, seen: Gravity) -> Combined:
    """Evidence raises what is written as far as it goes, and lowers it by one step at most, and only when everything
    was read that could have spoken against that."""
    if seen.severity <= written or (seen.whole and seen.severity is written.next_lower):
        return Combined(seen.severity, seen.reason)
    if not seen.whole:
        return Combined(written, rule="as the playbook says, because not everything could be read")
    rule = f"the playbook says {written}, and evidence lowers that by one step at most"
    return Combined(written.next_lower, seen.reason, rule)


def by_playbook(playbook: Playbook | None, alarms: Sequence[str]) -> Grade | None:
    """The grade of an incident at which nobody has looked yet; None without a playbook."""
    if playbook is None:
        return None
    written = written_severity(playbook, alarms)
    return _called(playbook, Combined(written, rule="as the playbook says"), written)


def written_severity(playbook: Playbook, alarms: Sequence[str]) -> Severity:
    """The gravest severity that is written for these alarms, or the playbook's own without one."""
    return min((playbook.severity_of(alarm) for alarm in alarms), default=playbook.severity)


def changed(before: Grade | None, after: Grade, *, actor: str) -> list[NewEvent]:
    """The event that says so; none where the severity is what it was."""
    if before is not None and before.severity is after.severity:
        return []
    if before is None:
        said = "severity"
    else:
        said = f"{'raised' if after.severity < before.severity else 'lowered'} from {before.name} to"
    return [
        NewEvent(
            fact=Fact.SEVERITY_GRADED,
            actor=actor,
            summary=f"{said} {after.name}: {after.reason}; to be answered {after.respond_text}",
            data={"grade": after.model_dump(mode="json")},
        )
    ]


def _called(playbook: Playbook, found: Combined, written: Severity) -> Grade:
    here = playbook.severities[found.severity]
    return Grade(
        severity=found.severity,
        label=here.label,
        respond=here.respond,
        written=written,
        seen=found.seen,
        rule=found.rule,
    )
