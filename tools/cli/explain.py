"""What the responder would make of a payload, without AWS."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from functions.domain.errors import InputError, SignalRefused
from functions.domain.incidents import Mode
from functions.domain.signals import AlarmState, Signal, SignalKind
from functions.handlers.signals import Ignored, Outcome, read_message
from functions.playbooks.concerned import concerned
from functions.playbooks.loading import load_playbooks
from functions.playbooks.matching import Match
from functions.playbooks.schema import Playbook

_WOULD = {
    Mode.OBSERVE: "looks for the cause, pages with the plan, changes nothing (mode observe)",
    Mode.ASK: "looks for the cause and asks people before it changes anything (mode ask)",
    Mode.AUTO: "looks for the cause and acts within the playbook's limits (mode auto)",
}


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One message of one file. `signal` and `match` are there only when the outcome is `signal`."""

    file: str
    outcome: str
    reason: str
    signal: Signal | None = None
    match: Match[Playbook] | None = None

    def as_json(self) -> dict[str, str | None]:
        """The keys that `responder explain --json` promises, always all of them."""
        signal, match = self.signal, self.match
        ref = None if match is None or match.playbook is None else match.ref
        return {
            "file": self.file,
            "outcome": self.outcome,
            "kind": None if signal is None else signal.kind.value,
            "alarm": None if signal is None else signal.alarm,
            "state": None if signal is None or signal.state is None else signal.state.value,
            "cluster": ref.cluster if ref is not None else None if signal is None else signal.cluster,
            "service": ref.service if ref is not None else None if signal is None else signal.service,
            "playbook": None if match is None or match.playbook is None else match.playbook.name,
            "reason": self.reason,
        }


def explain_files(files: Iterable[str], *, playbooks: Path | None) -> list[Explanation]:
    """Read files, `-` being standard input: one explanation per message in them and service that it concerns.

    Raises:
        InputError: if a file or a playbook cannot be read.
    """
    known = () if playbooks is None else load_playbooks([playbooks])
    outcomes = [(file, outcome) for file in files for outcome in read_message(_content(file))]
    return [explanation for file, outcome in outcomes for explanation in _explain(file, outcome, known)]


def to_json(explanations: Iterable[Explanation]) -> str:
    return json.dumps([explanation.as_json() for explanation in explanations], indent=2)


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as failed:
        why = failed.strerror if isinstance(failed, OSError) else str(failed)
        raise InputError(f"{file} cannot be read: {why}") from None


def _explain(file: str, outcome: Outcome, playbooks: tuple[Playbook, ...]) -> list[Explanation]:
    match outcome:
        case Ignored():
            return [Explanation(file=file, outcome="ignored", reason=outcome.reason)]
        case SignalRefused():
            return [Explanation(file=file, outcome="refused", reason=str(outcome))]
    return [
        Explanation(
            file=file,
            outcome="signal",
            reason=f"{what_would_happen(outcome, found)}; {found.reason}",
            signal=outcome,
            match=found,
        )
        for found in concerned(outcome, playbooks)
    ]


def what_would_happen(signal: Signal, match: Match[Playbook]) -> str:
    """What intake and the workflow would do with it, in a clause for a person."""
    if match.playbook is None:
        return "would be kept as unmatched, and nothing be done"
    if signal.opens_incident:
        return f"would open an incident, or join the open one: {_WOULD[match.playbook.mode]}"
    if signal.suppressed_by is not None:
        return f"would only be noted: the alarm's actions were suppressed ({signal.suppressed_by})"
    if signal.kind is SignalKind.ALARM and signal.state is AlarmState.OK:
        return "would be noted in an incident that is open, never open one: the alarm is OK"
    if signal.kind is SignalKind.TASK:
        return "would be noted in an incident that is open, never open one: the task did not stop by itself"
    return "would be noted in an incident that is open, never open one"
