"""The real CDK CLI, aimed at the emulator."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.demo.emulator import ACCOUNT, REGION, Emulator
from tools.demo.processes import process_group

PROJECT = Path(__file__).resolve().parents[2]


class CdkFailed(RuntimeError):
    """The CDK CLI is missing or ended with an error; the message ends with what it said."""


def bootstrap(emulator: Emulator, *, region: str = REGION) -> None:
    """Make the bucket and the roles that deployments need, as `cdk bootstrap` does once per account and Region.

    Raises:
        CdkFailed: if it did not work.
    """
    # Without an app there is nothing to synthesise, which saves the start of one.
    _run(emulator, "bootstrap", ["--app", "", f"aws://{ACCOUNT}/{region}"])


def deploy(
    emulator: Emulator,
    *,
    app: str | None = None,
    stacks: Sequence[str] = ("--all",),
    context: Mapping[str, str] | None = None,
) -> None:
    """Deploy stacks and wait until they stand.

    Args:
        app: the command that synthesises them; the project's own app if None.
        stacks: their names, or `--all`.
        context: what the app is told by `--context`.

    Raises:
        CdkFailed: if it did not work.
    """
    arguments = [*stacks, "--require-approval", "never"]
    if app is not None:
        arguments += ["--app", app]
    for name, value in (context or {}).items():
        arguments += ["--context", f"{name}={value}"]
    _run(emulator, "deploy", arguments)


def _run(emulator: Emulator, verb: str, arguments: Sequence[str]) -> None:
    environment = emulator.environment() | {
        # The CLI remembers accounts and notices in its home: an emulated account is not worth remembering.
        "CDK_HOME": str(emulator.directory / "cdk"),
        "CDK_DISABLE_VERSION_CHECK": "1",
    }
    program = shutil.which("cdk", path=environment["PATH"])
    if program is None:
        raise CdkFailed("the CDK CLI is not installed: run `make setup`")
    output = ["--output", str(emulator.directory / "cdk.out"), "--no-notices", "--no-color"]
    log = emulator.directory / "cdk.log"
    said_before = log.stat().st_size if log.exists() else 0
    command = [program, verb, *arguments, *output]
    # The CLI is a tree of processes (wrapper, Node.js, app, jsii): killing the first alone would leave the others.
    with process_group(command, environment=environment, log=log, directory=PROJECT) as cli:
        status = cli.wait()
    if status != 0:
        said = log.read_bytes()[said_before:].decode(errors="replace")
        raise CdkFailed(f"`cdk {verb}` ended with status {status}:\n{said.strip()}")
