"""The health score that a playbook asks for before a service counts as recovered."""

from functions.diagnostics.score import health_score
from functions.domain.evidence import Findings
from functions.domain.model import Model
from functions.domain.score import HealthScore
from functions.playbooks.schema import Playbook


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
