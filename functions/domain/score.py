"""The health score: how well a service is doing, from 0 to 100, with what costs it points."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.model import Model, Moment
from functions.domain.watched import Percent


class TargetLines(BaseModel):
    """What the service is to keep to. No alarm comes of it: the health score is measured against it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    cpu_percent: Percent = 70.0
    """CPU utilisation of the service, in percent of what its tasks reserved."""
    memory_percent: Percent = 80.0
    """Memory utilisation of the service, in percent of what its tasks reserved."""
    p95_s: float = Field(default=3.0, gt=0, allow_inf_nan=False, strict=True)
    """Response time of the targets in seconds, which 95 % of the requests keep to."""
    error_percent: Percent = 1.0
    """5xx answers, of targets and load balancer together, in percent of all requests."""
    database_cpu_percent: Percent = 80.0
    """CPU utilisation of each DB instance among the `dependencies`."""


class PartName(StrEnum):
    """What the score is made of."""

    TASKS = "tasks"
    TARGETS = "targets"
    ERRORS = "errors"
    LATENCY = "latency"
    SATURATION = "saturation"
    DEPLOYMENTS = "deployments"
    DEPENDENCIES = "dependencies"


class Part(Model):
    """One part of a score."""

    name: PartName
    weight: int
    """The most points it can have."""
    points: float | None
    """What it has, to a tenth; None where nobody knows, or where it does not apply."""
    applies: bool = True
    """False where the service has no such thing, for example no load balancer."""
    reason: str
    """What was seen; where points are missing, why; where nobody knows, why not."""

    @property
    def known(self) -> bool:
        return self.points is not None

    @property
    def lost(self) -> float:
        """Points that it costs; 0 where nobody knows."""
        return 0.0 if self.points is None else round(self.weight - self.points, 1)


class HealthScore(Model):
    """How well the service is doing: the points of the parts that are known, in percent of what these can have."""

    at: Moment
    score: int | None
    """0 to 100; None where too little is known to say."""
    known: float
    """The weight of the parts that are known, as a share of the weight of those that apply: 0 to 1."""
    parts: tuple[Part, ...]
    note: str = ""
    """Why it is not simply what the parts make: there is none, or it is held down. Empty where it is."""
    reason: str
    """The note, what costs points, and what is not known, in one line."""

    @property
    def costs(self) -> tuple[Part, ...]:
        """The parts that cost points, the dearest first."""
        return tuple(sorted((part for part in self.parts if part.lost), key=lambda part: -part.lost))

    @property
    def unknown(self) -> tuple[Part, ...]:
        """The parts that apply, and of which nobody knows how they are doing."""
        return tuple(part for part in self.parts if part.applies and not part.known)

    @property
    def text(self) -> str:
        """The score and why, in one sentence for people."""
        return f"{'unknown' if self.score is None else f'{self.score} of 100'}: {self.reason}"
