"""What the function `read` does: one look at a service for whoever may not read AWS by themselves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from functions.diagnostics.look import Probe, look
from functions.diagnostics.probes import HISTORY_LOOKBACK
from functions.domain.errors import NotNamed
from functions.domain.findings import Findings
from functions.domain.services import ServiceRef
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Ledger, Readers
from functions.workflow.surroundings import floor_held, surroundings_of

LOOK_DEADLINE_S = 18.0
"""Whoever asks over an HTTP API has to be answered within 30 s."""


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """The `Inspector` where AWS may be read. It writes nothing."""

    ledger: Ledger
    readers: Readers
    clock: Clock
    probes: Mapping[str, Probe]
    playbooks: Mapping[str, Playbook]

    def inspect(self, ref: ServiceRef, probes: Sequence[str] = ()) -> Findings:
        """Raises NotNamed for a service without a playbook, and for a probe that there is not."""
        playbook = self.playbooks.get(ref.key)
        if playbook is None:
            raise NotNamed(f"no playbook is for {ref}")
        now = self.clock.now()
        known = surroundings_of(playbook, readers=self.readers, ledger=self.ledger, now=now)
        acted_at = tuple(self.ledger.charges(ref, since=now - HISTORY_LOOKBACK))
        held = floor_held(self.ledger.service_leases(ref))
        around = replace(known, alarms=playbook.alarm_names, acted_at=acted_at, floor_held=held)
        return look(self._with_needs(probes or self.probes), around, deadline_s=LOOK_DEADLINE_S)

    def _with_needs(self, names: Iterable[str]) -> list[Probe]:
        wanted: dict[str, Probe] = {}
        left = list(names)
        while left:
            name = left.pop()
            if name not in self.probes:
                raise NotNamed(f"there is no probe {name}")
            if name not in wanted:
                wanted[name] = self.probes[name]
                left += [*wanted[name].needs, *wanted[name].wants]
        return list(wanted.values())
