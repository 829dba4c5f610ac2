"""What a look brought, as it is kept and read again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from functions.domain.findings import READINGS, Findings
from tests.fakes.findings import findings, without


def test_what_is_kept_is_read_as_it_was() -> None:
    """With every probe known, and with some that brought nothing."""
    for found in (findings(), without(findings(), "logs", "tasks")):
        assert Findings.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_what_another_version_kept_is_read() -> None:
    """A probe that it had not is unknown; one that we have no more is passed over."""
    kept = findings().to_json()
    del kept["threats"]
    found = Findings.from_json({**kept, "horoscope": {"value": {"sign": "leo"}}})
    assert found.unknown() == {"threats": "not read"}
    assert not hasattr(found, "horoscope")


@pytest.mark.parametrize("kept", [{}, {"looked_at": "2026-03-01T03:12:00"}, {"looked_at": "noon"}, {"error": "busy"}])
def test_what_is_no_look_is_refused(kept: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Findings.from_json(kept)


def test_the_readings_are_all_fields_but_the_time() -> None:
    found = findings()
    assert [name for name, _ in found.readings()] == list(READINGS)
    assert found.unknown() == {}


@pytest.mark.parametrize("step", ["remediate", "verify"])
def test_a_step_that_ranks_nothing_starts_without_what_the_ranking_reads(step: str) -> None:
    """Their functions start while a service is down, and each module takes its time."""
    code = (
        f"import sys; import functions.workflow.{step}; "
        "print([m for m in sys.modules if m in ('functions.diagnostics.signs', 'functions.domain.breach')])"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
