"""A case: what a judge makes up about one cause."""

from dataclasses import dataclass, field

from functions.diagnostics.signs import Signs


@dataclass
class Case:
    """What speaks for and against one cause, while a judge makes it up."""

    confidence: float = 0.0
    evidence_for: list[str] = field(default_factory=list)
    evidence_against: list[str] = field(default_factory=list)

    def rests_on(self, confidence: float, *evidence: str) -> None:
        self.confidence = max(self.confidence, confidence)
        self.evidence_for.extend(evidence)

    def speaks_against(self, holds: bool, evidence: str, *, at_most: float = 0.0) -> None:
        """Note evidence against, and cap the confidence by it."""
        if holds:
            self.evidence_against.append(evidence)
            self.confidence = min(self.confidence, at_most)


def no_dependency_trouble(signs: Signs, case: Case, *, at_most: float) -> None:
    """Dependencies that could not be read count like failing ones: unread evidence never makes a cause likelier."""
    if not signs.dependencies_known:
        case.speaks_against(True, "whether a dependency is failing could not be read", at_most=at_most)
        return
    for dependency in signs.dependencies.troubled:
        case.speaks_against(True, f"dependency {dependency.name} is {dependency.state}", at_most=at_most)
