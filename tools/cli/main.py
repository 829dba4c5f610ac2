"""`responder`: the commands, their arguments, and one line for every error.

Each command imports what it needs when it runs: explaining a payload must not wait for an AWS SDK.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions.domain.errors import LedgerError, PlaybookError, ResponderError
from tools.cli import logs, report
from tools.cli.audit import audit
from tools.cli.aws import hint_of, on_aws, verified
from tools.cli.backups import backup
from tools.cli.byhand import COMMANDS as BY_HAND
from tools.cli.completion import completion
from tools.cli.console import COMMANDS as ON_PAGES
from tools.cli.console import leave
from tools.cli.cost import cost
from tools.cli.desk import COMMANDS as ON_INCIDENTS
from tools.cli.digest import desk_sources, digest
from tools.cli.incidents import incidents
from tools.cli.maintenance import maintenance
from tools.cli.mutes import COMMANDS as ON_ALARMS
from tools.cli.options import playbooks_if_there
from tools.cli.overview import Overview
from tools.cli.releases import release
from tools.cli.replay import COMMANDS as ON_THE_PAST
from tools.cli.show import show, verify
from tools.cli.status import status
from tools.cli.stop import COMMANDS as ON_EVERYTHING
from tools.cli.stop import desk_hold
from tools.cli.switches import COMMANDS as ON_SERVICES

if TYPE_CHECKING:
    from functions.domain.digests import Period
    from functions.ports import Answers, Archive, BackupKeeper, Executions, FunctionHold, Ledger, MuteKeeper, Readers
    from functions.workflow.assess import Examiner
    from functions.workflow.digests.around import Sources

USAGE_ERROR = 2
"""Exit status of everything that went wrong on the way to an answer."""


@on_aws
def desk_ledger(table: str, region: str) -> "Ledger":
    """The ledger on AWS.

    Raises:
        LedgerError: if the AWS configuration does not allow to reach it, for example an unknown profile.
    """
    from botocore.exceptions import BotoCoreError

    from functions import bootstrap

    try:
        return bootstrap.desk_ledger(table, region)
    except BotoCoreError as unusable:
        raise LedgerError(f"the table {table} cannot be reached: {unusable}") from unusable


@on_aws
def desk_answers(region: str) -> "Answers":
    """The way to executions that wait on AWS."""
    from functions import bootstrap

    return bootstrap.desk_answers(region)


@on_aws
def desk_identity(region: str) -> str:
    """Who sits at the desk, as AWS knows them."""
    from functions import bootstrap

    return bootstrap.desk_identity(region)


@on_aws
def desk_backups(region: str) -> "BackupKeeper":
    """The backups on AWS."""
    from functions import bootstrap

    return bootstrap.desk_backups(region)


@on_aws
def desk_mutes(region: str) -> "MuteKeeper":
    """The muted alarms on AWS."""
    from functions import bootstrap

    return bootstrap.desk_mutes(region)


@on_aws
def desk_executions(region: str, name: str, identity: str) -> "Executions":
    """The workflow on AWS."""
    from functions import bootstrap

    return bootstrap.desk_executions(region, name, identity)


@on_aws
def desk_examiner(region: str, ledger: "Ledger") -> "Examiner":
    """Looks at services on AWS, with the credentials of whoever sits here."""
    from functions import bootstrap

    verified(region)
    return bootstrap.desk_examiner(region, ledger)


@on_aws
def desk_readers(region: str) -> "Readers":
    """What a look may read on AWS.

    Raises:
        NotSignedIn: AWS does not know the credentials.
    """
    from functions import bootstrap

    verified(region)
    return bootstrap.desk_readers(region)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the commands need from outside; tests hand in their own."""

    open_ledger: Callable[[str, str], "Ledger"]
    """By the table's name and its Region."""
    now: Callable[[], datetime]
    open_answers: Callable[[str], "Answers"] = desk_answers
    """By the Region."""
    identity: Callable[[str], str] = desk_identity
    """Who sits here as IAM knows them, by the Region."""
    open_backups: Callable[[str], "BackupKeeper"] = desk_backups
    """By the Region."""
    open_mutes: Callable[[str], "MuteKeeper"] = desk_mutes
    """By the Region."""
    open_hold: Callable[[str], "FunctionHold"] = desk_hold
    """By the Region."""
    open_executions: Callable[[str, str, str], "Executions"] = desk_executions
    """By the Region, the responder's name, which is the table's, and who sits here."""
    open_archive: Callable[[str], "Archive"] = report.desk_archive
    """By the Region."""
    open_examiner: Callable[[str, "Ledger"], "Examiner"] = desk_examiner
    """By the Region, and the ledger that it reads."""
    open_readers: Callable[[str], "Readers"] = desk_readers
    """By the Region."""
    sleep: Callable[[float], None] = time.sleep
    """Between two looks, at a service or at what became of an order."""
    leave: Callable[[], None] = leave
    """Ends the process where threads may still read."""
    open_digest_sources: Callable[[str, "Ledger", "Period", datetime], "Sources"] = desk_sources
    """By the Region, the ledger, which digest it is, and the time at which it ends."""


@click.group(cls=Overview, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """The ECS first responder, from the desk."""


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects instead of text.")
@playbooks_if_there
def explain(files: tuple[str, ...], as_json: bool, playbooks: Path | None) -> None:
    """Say what the responder makes of event payloads: the signal, the service, the playbook, and what would happen.

    Needs no AWS. `-` reads standard input.
    """
    from tools.cli.explain import explain_files, to_json
    from tools.cli.render import console, explanations

    default = Path("playbooks")
    found = explain_files(
        files, playbooks=playbooks if playbooks is not None else default if default.is_dir() else None
    )
    if as_json:
        click.echo(to_json(found))
    else:
        console().print(explanations(found))


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PLAYBOOK...", type=click.Path(path_type=Path))
@click.pass_obj
def check(desk: Desk, paths: tuple[Path, ...]) -> None:
    """Validate playbooks; a directory stands for the files in it."""
    from functions.playbooks.loading import load_playbooks
    from tools.cli.render import console, playbook_table

    playbooks = load_playbooks(paths)
    if not playbooks:
        raise click.ClickException(f"no playbook in {', '.join(map(str, paths))}; write one that ends in .yaml")
    console().print(playbook_table(playbooks, now=desk.now()))


@cli.command()
@click.option("--scenario", "scenarios", multiple=True, metavar="FILE|NAME", help="Only this one; may be repeated.")
@click.option("--policy", "policies", multiple=True, metavar="NAME", help="Only this way to respond; may be repeated.")
@click.option("--kind", type=click.Choice(["outage", "performance", "database", "security"]), help="Only this kind.")
@click.option("--seeds", type=click.IntRange(1, 100_000), default=10, show_default=True, help="Runs of each.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes side by side.  [default: one per core]")
@click.option("--playbook", type=click.Path(path_type=Path), help="Drill this playbook instead of the scenarios' own.")
@click.option("--sensitivity", is_flag=True, help="Run again with the constants of the world bent.")
@click.option("--gate", is_flag=True, help="Exit status 1 when the responder does harm.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the numbers.")
@click.option("--report", "report_file", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML page.")
@click.pass_context
def drill(
    context: click.Context,
    scenarios: tuple[str, ...],
    policies: tuple[str, ...],
    kind: str | None,
    seeds: int,
    jobs: int | None,
    playbook: Path | None,
    sensitivity: bool,
    gate: bool,
    json_file: Path | None,
    report_file: Path | None,
) -> None:
    """Drill incidents in a simulated ECS, and compare the responder with other ways to respond. Needs no AWS."""
    from tools.drill.command import run_drill

    status = run_drill(
        wanted=scenarios,
        policies=policies,
        kind=kind,
        seeds=seeds,
        jobs=jobs,
        playbook=playbook,
        sensitivity=sensitivity,
        gate=gate,
        json_file=json_file,
        report_file=report_file,
    )
    context.exit(status)


_READ = (incidents, show, verify, status, report.report, logs.logs, audit, digest)
_SAID = (*ON_INCIDENTS, *BY_HAND, *ON_SERVICES, *ON_EVERYTHING, *ON_ALARMS, maintenance, backup, release)
for _command in (*_READ, *_SAID, *ON_THE_PAST, *ON_PAGES, completion, cost):
    cli.add_command(_command)


def run(arguments: Sequence[str], desk: Desk) -> int:
    """Run one command and return its exit status: every foreseen error is one line on stderr, and status 2."""
    try:
        result = cli.main(list(arguments), prog_name="responder", standalone_mode=False, obj=desk)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        return USAGE_ERROR
    except click.ClickException as wrong:
        return _failed(wrong.format_message())
    except PlaybookError as mistakes:
        return _failed(str(mistakes), prefix="")  # so that each line begins with its file, as editors like it
    except ResponderError as failed:
        hint = hint_of(failed)
        return _failed(str(failed) if hint is None else f"{failed}\n{hint}")
    except (click.Abort, KeyboardInterrupt):
        return 130
    return result if isinstance(result, int) else 0


def _failed(message: str, *, prefix: str = "responder: ") -> int:
    for line in message.splitlines():
        click.echo(f"{prefix}{line}", err=True)
    return USAGE_ERROR


def main() -> None:
    """Entry point of the `responder` script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character is no reason to fail
    desk = Desk(open_ledger=desk_ledger, now=lambda: datetime.now(UTC))
    try:
        status = run(sys.argv[1:], desk)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python would complain once more while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)


if __name__ == "__main__":
    main()
