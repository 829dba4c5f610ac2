"""The health score that a playbook asks for before a service counts as recovered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from functions.diagnostics.look import Probe, look
from functions.diagnostics.score import READS, health_score
from functions.domain.findings import Findings
from functions.domain.model import Model
from functions.domain.score import HealthScore
from functions.playbooks.schema import Playbook
from functions.ports import Ledger, Readers
from functions.workflow.surroundings import LOOK_DEADLINE_S, surroundings_of


class Scored(Model):
    """The score of one look, against the one that is asked for."""

    found: HealthScore
    asked: int

    @property
    def reached(self) -> bool | None:
        """None where nobody can tell."""
        return None if self.found.score is None else self.found.score >= self.asked

    @property
    def reason(self) -> str:
        """Both numbers, with what costs points."""
        score = "not known" if self.found.score is None else self.found.score
        return f"the health score is {score}, and {self.asked} is asked for: {self.found.reason}"


def scored(playbook: Playbook, findings: Findings, *, away: frozenset[str] = frozenset()) -> Scored | None:
    """None where the playbook asks for no score. `away` are zones (names) out of which traffic is shifted."""
    asked = playbook.recovered.score
    if asked is None:
        return None
    return Scored(found=health_score(findings, playbook.targets, away=away), asked=asked)


@dataclass(frozen=True, kw_only=True)
class ScoreLook:
    """Looks at a service for its score alone."""

    ledger: Ledger
    readers: Readers
    probes: Mapping[str, Probe]

    def __call__(
        self, playbook: Playbook, *, alarms: tuple[str, ...], began_at: datetime, away: frozenset[str], now: datetime
    ) -> Scored | None:
        """None where the playbook asks for no score."""
        known = surroundings_of(playbook, readers=self.readers, ledger=self.ledger, now=now)
        around = replace(known, alarms=alarms, began_at=began_at)
        findings = look([self.probes[name] for name in READS], around, deadline_s=LOOK_DEADLINE_S)
        return scored(playbook, findings, away=away)
