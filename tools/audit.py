"""Ask whether any pinned package has a known vulnerability: `python -m tools.audit`.

pip-audit asks OSV, which collects the advisories of PyPI and of GitHub, and those on malicious packages. Three ends are
told apart, because "nothing found" and "nobody asked" must never look alike: 0, nothing known; 1, something known; 2,
not asked. `--unless-offline` makes 0 of the last one, and still says that nothing was asked.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError
from rich.console import Console

LOCKED = Path(__file__).resolve().parent.parent / "requirements.txt"

ACCEPTED: Mapping[str, str] = {}
"""Advisories that do not touch this project, each with the reason; by the id that the audit shows."""


class NotAsked(RuntimeError):
    """The audit came to no result; the message is the last line of what it said."""


class Vulnerability(BaseModel):
    """One advisory, as pip-audit writes it."""

    id: str
    aliases: tuple[str, ...]
    fix_versions: tuple[str, ...]


class Package(BaseModel):
    """One pinned package and what is known of it. One that was left out has a reason and no version."""

    name: str
    version: str | None = None
    skip_reason: str | None = None
    vulns: tuple[Vulnerability, ...] = ()


class _Report(BaseModel):
    dependencies: tuple[Package, ...] = Field(min_length=1)


def ask(locked: Path) -> str:
    """What pip-audit says, on its own, about a file of pins with hashes.

    Raises:
        NotAsked: when it says nothing, as when the service does not answer.
    """
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", str(locked), "--require-hashes", "--disable-pip"),
        *("--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        last_words = done.stderr.strip().splitlines()[-1:] or ["no word from pip-audit"]
        raise NotAsked(last_words[0])
    return done.stdout


def read(report: str) -> Sequence[Package]:
    """Every package of a report of pip-audit.

    Raises:
        NotAsked: when it is no report, or one that left a package out.
    """
    try:
        packages = _Report.model_validate_json(report).dependencies
    except ValidationError:
        raise NotAsked("pip-audit wrote no report that can be read") from None
    for package in packages:
        if package.skip_reason is not None:
            raise NotAsked(package.skip_reason)
    return packages


def judge(packages: Sequence[Package], accepted: Mapping[str, str]) -> list[str]:
    """One line for each advisory that is not accepted, and for each acceptance that nothing needs any more."""
    known = [(package, found) for package in packages for found in package.vulns]
    lines = [
        f"{package.name} {package.version}: {' '.join((found.id, *found.aliases))}; "
        + (f"fixed in {', '.join(found.fix_versions)}" if found.fix_versions else "no release fixes it yet")
        for package, found in known
        if accepted.keys().isdisjoint({found.id, *found.aliases})
    ]
    needed = {name for _, found in known for name in (found.id, *found.aliases)}
    lines += [f"{name} is accepted in tools/audit.py, and no pin has it" for name in accepted if name not in needed]
    return lines


def main(
    arguments: Sequence[str] | None = None,
    *,
    asks: Callable[[Path], str] = ask,
    accepted: Mapping[str, str] = ACCEPTED,
) -> int:
    """The exit status: 0, 1 or 2, as this module's docstring has them."""
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description="Ask for known vulnerabilities.")
    parser.add_argument("--unless-offline", action="store_true", help="do not fail where nobody can be asked")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        packages = read(asks(LOCKED))
    except NotAsked as reason:
        console.print(
            f"NOT AUDITED: nobody told whether a pinned package has a known vulnerability ({reason})",
            style="bold yellow",
        )
        return 0 if options.unless_offline else 2
    findings = judge(packages, accepted)
    for line in findings:
        console.print(line, style="bold red")
    if not findings:
        console.print(f"Audit: no known vulnerability in {len(packages)} packages")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
