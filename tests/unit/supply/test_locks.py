"""The pins: what is named by hand, and what is locked with its hashes, say the same."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[3]
HERE = PROJECT / "requirements.in"
LAMBDA = PROJECT / "functions" / "requirements.in"
CLI = PROJECT / "infra" / "package.json"

both = pytest.mark.parametrize("named", [HERE, LAMBDA], ids=["here", "lambda"])


def lock_of(named: Path) -> Path:
    return named.with_suffix(".txt")


def pins(file: Path) -> Mapping[str, str]:
    """Package and version of each line that names one, in the names' normal form."""
    lines = [line.removesuffix("\\") for line in file.read_text().splitlines() if re.match(r"\w", line)]
    read = [Requirement(line) for line in lines]
    found: dict[str, str] = {}
    for requirement in read:
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", requirement
        found[canonicalize_name(requirement.name)] = specifier.version
    assert len(found) == len(lines), "a package is named twice"
    return found


def hashes(file: Path) -> Mapping[str, frozenset[str]]:
    """The locked hashes of each package."""
    blocks = re.split(r"^(?=\w)", file.read_text(), flags=re.M)[1:]
    return {
        canonicalize_name(block.partition("==")[0]): frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block))
        for block in blocks
    }


def brought_by(file: Path) -> Mapping[str, set[str]]:
    """Who wants a locked package, as the lock says: packages, and `-r FILE` for what is named by hand."""
    blocks = re.split(r"^(?=\w)", file.read_text(), flags=re.M)[1:]
    return {
        canonicalize_name(block.partition("==")[0]): set(re.findall(r"^    # (?:via |  )(\S.*)$", block, re.M))
        for block in blocks
    }


@both
def test_what_is_named_is_locked(named: Path) -> None:
    """In that very version: after a change by hand, `make lock`."""
    assert pins(named).items() <= pins(lock_of(named)).items()


@both
def test_nothing_is_locked_that_nobody_wants(named: Path) -> None:
    """Every package is named by hand, or brought along by one that is locked: what was taken out is gone."""
    locked = pins(lock_of(named))
    by_hand = {*pins(named), *pins(LAMBDA)}
    for package, wanted_by in brought_by(lock_of(named)).items():
        packages = {canonicalize_name(who) for who in wanted_by if not who.startswith("-")}
        assert packages <= set(locked), package
        assert packages or package in by_hand, package


@both
def test_every_package_is_locked_by_hash(named: Path) -> None:
    """A file that somebody put in a release's place is not installed."""
    locked = hashes(lock_of(named))
    assert set(locked) == set(pins(lock_of(named)))
    assert [package for package, known in locked.items() if not known] == []


def test_what_is_tested_is_what_runs() -> None:
    """Everything that goes to Lambda is installed here in the same version, from files of the same release."""
    assert pins(lock_of(LAMBDA)).items() <= pins(lock_of(HERE)).items()
    assert hashes(lock_of(LAMBDA)).items() <= hashes(lock_of(HERE)).items()


def test_lambda_needs_no_condition() -> None:
    """pip would answer one for the Python that runs it, which is not Lambda's (pip install, --python-version)."""
    assert ";" not in lock_of(LAMBDA).read_text()


def test_the_cdk_cli_is_locked_by_hash() -> None:
    """`npm ci` installs exactly what the lock has, and checks it."""
    ((name, version),) = json.loads(CLI.read_text())["dependencies"].items()
    packages = json.loads((CLI.parent / "package-lock.json").read_text())["packages"]
    assert packages[""]["dependencies"] == {name: version}
    assert packages[f"node_modules/{name}"]["version"] == version
    assert all(entry["integrity"].startswith("sha512-") for path, entry in packages.items() if path)


@pytest.mark.parametrize(
    "lock", [lock_of(HERE), lock_of(LAMBDA), CLI.parent / "package-lock.json"], ids=["here", "lambda", "cdk"]
)
def test_a_lock_names_no_index(lock: Path) -> None:
    """Where a file is got from is each one's own affair: its hash says whether it is the right one."""
    text = lock.read_text()
    assert "://" not in text
    assert '"resolved"' not in text
