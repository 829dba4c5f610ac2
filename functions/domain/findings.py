"""Everything that one look at a service brought: the ranking reads nothing else, and the archive keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic_core import to_jsonable_python

from functions.domain.model import Moment

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from functions.domain import facts

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reading(Generic[T]):
    """What one probe brought back: a value, or the reason why there is none. Unknown is never the same as fine.

    No model: each kind of value would make a class of its own, at every start of a function.
    """

    value: T | None = None
    error: str | None = None

    @property
    def known(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What each probe brought, by its name.

    No model: who looks at the service alone would need the facts of all probes, and a validator of them, at its start.
    """

    looked_at: Moment
    service: Reading[facts.ServiceFacts] = Reading()
    tasks: Reading[facts.TasksFacts] = Reading()
    targets: Reading[facts.TargetsFacts] = Reading()
    alarms: Reading[facts.AlarmsFacts] = Reading()
    metrics: Reading[facts.MetricsFacts] = Reading()
    scaling: Reading[facts.ScalingFacts] = Reading()
    releases: Reading[facts.ReleasesFacts] = Reading()
    dependencies: Reading[facts.DependenciesFacts] = Reading()
    definition: Reading[facts.TaskDefinitionFacts] = Reading()
    front: Reading[facts.FrontFacts] = Reading()
    logs: Reading[facts.LogsFacts] = Reading()
    secrets: Reading[facts.SecretsFacts] = Reading()
    history: Reading[facts.AlarmHistoryFacts] = Reading()
    changes: Reading[facts.ChangesFacts] = Reading()
    stack: Reading[facts.StackFacts] = Reading()
    health: Reading[facts.HealthFacts] = Reading()
    exposure: Reading[facts.ExposureFacts] = Reading()
    images: Reading[facts.ImagesFacts] = Reading()
    denials: Reading[facts.DenialsFacts] = Reading()
    budget: Reading[facts.BudgetFacts] = Reading()
    network: Reading[facts.NetworkFacts] = Reading()
    tables: Reading[facts.TablesFacts] = Reading()
    threats: Reading[facts.ThreatsFacts] = Reading()
    backups: Reading[facts.RecoveryPoints] = Reading()

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Findings:
        """What `to_json` gave, also where an older version of the responder did: what it did not know is not read.

        Raises:
            ValidationError: if it is something else.
        """
        return _adapter().validate_python(kept)

    def to_json(self) -> dict[str, Any]:
        kept: dict[str, Any] = to_jsonable_python(self)
        return kept

    def readings(self) -> Iterator[tuple[str, Reading[Any]]]:
        """Each probe's name, and what it brought."""
        return ((name, getattr(self, name)) for name in READINGS)

    def unknown(self) -> dict[str, str]:
        """The probes that brought nothing, with their reason."""
        return {name: reading.error or "not read" for name, reading in self.readings() if not reading.known}


READINGS = tuple(field.name for field in fields(Findings) if field.name != "looked_at")
"""The names of all probes."""


@cache
def _adapter() -> TypeAdapter[Findings]:
    """Pydantic looks up `facts`, by which `Findings` is annotated, among what is imported here."""
    from pydantic import TypeAdapter

    from functions.domain import facts  # noqa: F401

    return TypeAdapter(Findings)
