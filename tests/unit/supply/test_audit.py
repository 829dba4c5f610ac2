"""The audit of the pins: what is known, what is accepted, and that silence is not taken for a clean bill."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.audit import NotAsked, main

CLEAN = {"name": "boto3", "version": "1.43.106", "vulns": []}
KNOWN = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2019-217", "aliases": ["CVE-2016-10745"], "fix_versions": ["2.8.1"], "description": "…"}],
}
UNFIXED = {"name": "moto", "version": "5.2.5", "vulns": [{"id": "MAL-2026-1", "aliases": [], "fix_versions": []}]}
LEFT_OUT = {"name": "boto3", "skip_reason": "boto3 could not be audited"}


def says(*packages: dict[str, Any]) -> Callable[[Path], str]:
    return lambda _: json.dumps({"dependencies": packages, "fixes": []})


def silent(_: Path) -> str:
    raise NotAsked("no route to the advisories")


def test_what_is_known_fails_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    """With the package, the advisory under each of its names, and the release that ends it."""
    assert main([], asks=says(CLEAN, KNOWN, UNFIXED), accepted={}) == 1
    told = capsys.readouterr().out
    assert "jinja2 2.4.1: PYSEC-2019-217 CVE-2016-10745; fixed in 2.8.1" in told
    assert "moto 5.2.5: MAL-2026-1; no release fixes it yet" in told
    assert "boto3" not in told


def test_nothing_known_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """And says of how many packages."""
    assert main([], asks=says(CLEAN, CLEAN), accepted={}) == 0
    assert "2 packages" in capsys.readouterr().out


@pytest.mark.parametrize(
    "asks",
    [silent, says(), says(CLEAN, LEFT_OUT), lambda _: "<html>", lambda _: '{"dependencies": [{"version": "1"}]}'],
    ids=["silent", "nothing asked", "one left out", "a page in between", "another format"],
)
def test_silence_is_no_clean_bill(asks: Callable[[Path], str], capsys: pytest.CaptureFixture[str]) -> None:
    """An audit fails where nobody told; `make check` goes on, and says aloud that nothing was asked."""
    assert main([], asks=asks, accepted={}) == 2
    assert main(["--unless-offline"], asks=asks, accepted={}) == 0
    told = capsys.readouterr().out
    assert told.count("NOT AUDITED") == 2
    assert "no known vulnerability in" not in told


def test_being_offline_excuses_no_finding() -> None:
    """What is known fails `make check`, too."""
    assert main(["--unless-offline"], asks=says(KNOWN), accepted={}) == 1


@pytest.mark.parametrize("name", ["PYSEC-2019-217", "CVE-2016-10745"])
def test_an_accepted_advisory_passes(name: str) -> None:
    """By any of its names; the others still fail."""
    assert main([], asks=says(KNOWN), accepted={name: "templates are our own"}) == 0
    assert main([], asks=says(KNOWN, UNFIXED), accepted={name: "templates are our own"}) == 1


def test_an_acceptance_ends_with_its_package(capsys: pytest.CaptureFixture[str]) -> None:
    """One that no pin needs any more is taken out, lest it excuse the next."""
    assert main([], asks=says(CLEAN), accepted={"PYSEC-2019-217": "templates are our own"}) == 1
    assert "PYSEC-2019-217 is accepted in tools/audit.py, and no pin has it" in capsys.readouterr().out
