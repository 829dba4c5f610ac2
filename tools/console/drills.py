"""What the page of drills shows: what `responder drill --json` wrote, or the figures of the project's own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.domain.errors import InputError

OURS, NOBODY, ORACLE = "responder", "none", "oracle"


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to respond, over all scenarios. A figure that the file does not have is None."""

    name: str
    runs: int
    harmful: int
    escalated_percent: float | None
    """Runs in which people were paged exactly when they were needed."""
    ratio: float | None
    """Median of impact against what an oracle lets happen."""
    ratio_p95: float | None
    recovery_s: float | None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    title: str
    kind: str
    truth: str
    runs: int
    harmful: int
    escalated_percent: float | None
    cause_percent: float | None
    """Runs in which the true cause was named first."""
    ratio: float | None
    alone: float | None
    """The same ratio where nobody responds."""
    recovery_s: float | None


@dataclass(frozen=True, kw_only=True)
class Drill:
    file: Path
    written_at: datetime
    seeds: int
    ways: Sequence[Way]
    scenarios: Sequence[Scenario]
    asked: Sequence[Mapping[str, Any]]
    """What is demanded of the responder, what was found, and whether it is met."""
    harm: Sequence[Mapping[str, Any]]
    """Harmful runs of the responder, with the reasons."""

    @property
    def summed(self) -> bool:
        """The file has the figures over all scenarios, too; the project's own has not."""
        return any(way.recovery_s is not None for way in self.ways)


def read_drill(file: Path) -> Drill:
    """Raises InputError where the file cannot be read as the results of a drill."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        written_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        policies = data["policies"]
        ours = policies[OURS]["scenarios"]
        notes = data.get("scenarios") or {}
        return Drill(
            file=file,
            written_at=written_at,
            seeds=int(data["seeds"]),
            ways=[_way(name, each) for name, each in policies.items()],
            scenarios=[
                _scenario(
                    name, each, notes.get(name) or {}, (policies.get(NOBODY) or {}).get("scenarios", {}).get(name)
                )
                for name, each in ours.items()
            ],
            asked=data.get("asked") or [],
            harm=[each for each in data.get("harm") or [] if each.get("policy") == OURS],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise InputError(f"{file} does not hold the results of a drill ({type(wrong).__name__}: {wrong})") from wrong


def _way(name: str, data: Mapping[str, Any]) -> Way:
    parts = list((data.get("scenarios") or {}).values())
    runs = int(data.get("runs", sum(part["runs"] for part in parts)))
    correctly = data.get("escalated_correctly", sum(part["escalated_correctly"] for part in parts))
    return Way(
        name=name,
        runs=runs,
        harmful=int(data.get("harmful", sum(part["harmful"] for part in parts))),
        escalated_percent=_percent(correctly, runs),
        ratio=_inside(data, "impact_ratio_to_oracle", "median"),
        ratio_p95=_inside(data, "impact_ratio_to_oracle", "p95"),
        recovery_s=_inside(data, "recovery_s", "p50"),
    )


def _scenario(name: str, data: Mapping[str, Any], note: Mapping[str, Any], alone: Mapping[str, Any] | None) -> Scenario:
    runs = int(data["runs"])
    return Scenario(
        name=name,
        title=str(note.get("title") or name.replace("-", " ")),
        kind=str(note.get("kind") or ""),
        truth=str(note.get("truth") or ""),
        runs=runs,
        harmful=int(data["harmful"]),
        escalated_percent=_percent(data.get("escalated_correctly"), runs),
        cause_percent=_percent(data.get("cause_first"), runs),
        ratio=_inside(data, "impact_ratio_to_oracle", "median"),
        alone=None if alone is None else _inside(alone, "impact_ratio_to_oracle", "median"),
        recovery_s=_inside(data, "recovery_s", "p50"),
    )


def _inside(data: Mapping[str, Any], name: str, part: str) -> float | None:
    found = (data.get(name) or {}).get(part)
    return None if found is None else float(found)


def _percent(count: Any, runs: int) -> float | None:
    return None if count is None or runs == 0 else 100 * float(count) / runs
