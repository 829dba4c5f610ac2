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

    from functions.domain.backups import RecoveryPoints
    from functions.domain.breach import DenialsFacts, ExposureFacts, ImagesFacts
    from functions.domain.circumstances import (
        AlarmHistoryFacts,
        ChangesFacts,
        FrontFacts,
        HealthFacts,
        LogsFacts,
        SecretsFacts,
        StackFacts,
        TaskDefinitionFacts,
    )
    from functions.domain.costs import BudgetFacts
    from functions.domain.dependencies import DependenciesFacts
    from functions.domain.evidence import (
        AlarmsFacts,
        MetricsFacts,
        ReleasesFacts,
        ScalingFacts,
        ServiceFacts,
        TargetsFacts,
        TasksFacts,
    )
    from functions.domain.network import NetworkFacts
    from functions.domain.tables import TablesFacts
    from functions.domain.threats import ThreatsFacts

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
    service: Reading[ServiceFacts] = Reading()
    tasks: Reading[TasksFacts] = Reading()
    targets: Reading[TargetsFacts] = Reading()
    alarms: Reading[AlarmsFacts] = Reading()
    metrics: Reading[MetricsFacts] = Reading()
    scaling: Reading[ScalingFacts] = Reading()
    releases: Reading[ReleasesFacts] = Reading()
    dependencies: Reading[DependenciesFacts] = Reading()
    definition: Reading[TaskDefinitionFacts] = Reading()
    front: Reading[FrontFacts] = Reading()
    logs: Reading[LogsFacts] = Reading()
    secrets: Reading[SecretsFacts] = Reading()
    history: Reading[AlarmHistoryFacts] = Reading()
    changes: Reading[ChangesFacts] = Reading()
    stack: Reading[StackFacts] = Reading()
    health: Reading[HealthFacts] = Reading()
    exposure: Reading[ExposureFacts] = Reading()
    images: Reading[ImagesFacts] = Reading()
    denials: Reading[DenialsFacts] = Reading()
    budget: Reading[BudgetFacts] = Reading()
    network: Reading[NetworkFacts] = Reading()
    tables: Reading[TablesFacts] = Reading()
    threats: Reading[ThreatsFacts] = Reading()
    backups: Reading[RecoveryPoints] = Reading()

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
    """Pydantic looks up the annotations of `Findings` among what is imported here."""
    from pydantic import TypeAdapter

    from functions.domain.backups import RecoveryPoints  # noqa: F401
    from functions.domain.breach import DenialsFacts, ExposureFacts, ImagesFacts  # noqa: F401
    from functions.domain.circumstances import (  # noqa: F401
        AlarmHistoryFacts,
        ChangesFacts,
        FrontFacts,
        HealthFacts,
        LogsFacts,
        SecretsFacts,
        StackFacts,
        TaskDefinitionFacts,
    )
    from functions.domain.costs import BudgetFacts  # noqa: F401
    from functions.domain.dependencies import DependenciesFacts  # noqa: F401
    from functions.domain.evidence import (  # noqa: F401
        AlarmsFacts,
        MetricsFacts,
        ReleasesFacts,
        ScalingFacts,
        ServiceFacts,
        TargetsFacts,
        TasksFacts,
    )
    from functions.domain.network import NetworkFacts  # noqa: F401
    from functions.domain.tables import TablesFacts  # noqa: F401
    from functions.domain.threats import ThreatsFacts  # noqa: F401

    return TypeAdapter(Findings)
