"""Playbooks as the deployment ships them: validated once, at synth, and read back by the functions without YAML.

One file of sorted lines, each a term, a tab and JSON: a line with the whole playbook under `playbook KEY`, and lines
with its addressee under each term by which a signal finds it (`functions.playbooks.addressee`). A function that needs
one playbook finds its line by halving, and reads none of the others.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING

from functions.domain.errors import PlaybookError
from functions.playbooks.addressee import Addressee, read_addressee, terms_in, terms_of
from functions.playbooks.concerned import SEVERAL

if TYPE_CHECKING:
    from functions.domain.signals import Signal
    from functions.playbooks.schema import Playbook

_WHOLE, _ALARM, _SERVICE = "playbook ", "alarm ", "service "


def compile_playbooks(playbooks: Iterable[Playbook]) -> str:
    """One text for all playbooks, the same for the same playbooks whatever their order."""
    lines: set[str] = set()
    for playbook in playbooks:
        lines.add(f"{_WHOLE}{playbook.ref.key}\t{playbook.model_dump_json(by_alias=True)}\n")
        addressee = playbook.addressee
        said = json.dumps(asdict(addressee), separators=(",", ":"))
        lines.update(f"{term}\t{said}\n" for term in terms_of(addressee))
    return "".join(sorted(lines, key=str.encode))


class Compiled(Mapping[str, "Playbook"]):
    """The playbooks in a text that `compile_playbooks` wrote, by the key of their service.

    Raises:
        PlaybookError: from whatever reads a line that this version of the responder cannot read.
    """

    def __init__(self, text: mmap | bytes) -> None:
        self._text = text
        self._read: dict[str, Playbook] = {}

    @classmethod
    def of(cls, file: Path) -> Compiled:
        """Of what is read, little is read from the disk, too."""
        with file.open("rb") as opened:
            # Nothing can be mapped that is empty, as it is without any playbook.
            return cls(mmap(opened.fileno(), 0, access=ACCESS_READ) if file.stat().st_size else b"")

    def __getitem__(self, key: str) -> Playbook:
        if key not in self._read:
            for line in self._lines(f"{_WHOLE}{key}\t"):
                self._read[key] = _playbook(line)
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return (_term(line).removeprefix(_WHOLE) for line in self._lines(_WHOLE))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def addressees(self, signal: Signal) -> Sequence[Addressee]:
        """All whom the signal may concern, and perhaps others; by service, region and cluster, each once."""
        if signal.kind in SEVERAL:
            lines = set(self._lines(_SERVICE))
        else:
            lines = {line for term in terms_in(signal) for line in self._lines(f"{term}\t")}
        found = {line.partition(b"\t")[2] for line in lines}
        return sorted(map(_addressee, found), key=lambda a: (a.region, a.cluster, a.service))

    @property
    def alarm_names(self) -> Container[str]:
        """The names of the alarms of all playbooks, to ask for one."""
        return _Alarms(self)

    def names_alarm(self, name: str) -> bool:
        """Whether a playbook has this alarm."""
        return next(self._lines(f"{_ALARM}{name}\t"), None) is not None

    def _lines(self, beginning: str) -> Iterator[bytes]:
        """The lines that begin so, in order."""
        text, wanted = self._text, beginning.encode(errors="surrogatepass")
        low, high = 0, len(text)
        while low < high:
            # The line in which the middle lies begins behind the end of the one before.
            start = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            if text[start : start + len(wanted)] < wanted:
                low = text.find(b"\n", start) + 1
            else:
                high = start
        while text[low : low + len(wanted)] == wanted:
            end = text.find(b"\n", low)
            yield text[low:end]
            low = end + 1


class _Alarms(Container[str]):
    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._compiled.names_alarm(name)


def _term(line: bytes) -> str:
    return line.partition(b"\t")[0].decode()


def _addressee(said: bytes) -> Addressee:
    try:
        return read_addressee(json.loads(said))
    except (ValueError, TypeError) as error:
        raise PlaybookError(f"compiled playbooks: {error}; deploy again with this version") from None


def _playbook(line: bytes) -> Playbook:
    from pydantic import ValidationError

    from functions.playbooks.schema import Playbook

    try:
        return Playbook.model_validate_json(line.partition(b"\t")[2])
    except ValidationError as invalid:
        problem = invalid.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"])) or "the line"
        raise PlaybookError(
            f"compiled playbooks: {_term(line)}: {place}: {problem['msg']}; deploy again with this version"
        ) from None
