"""`responder`: the commands, their arguments, and one line for every error.

Each command imports what it needs when it runs: explaining a payload must not wait for an AWS SDK.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
from tools.cli.desk import COMMANDS as ON_INCIDENTS
from tools.cli.digest import desk_sources, digest
from tools.cli.incidents import incidents
from tools.cli.mutes import COMMANDS as ON_ALARMS
from tools.cli.notes import keep_note
from tools.cli.options import Length as _Length
from tools.cli.options import ledger_options as _ledger_options
from tools.cli.options import playbooks_if_there, service_argument
from tools.cli.options import region_of as _region
from tools.cli.options import service_of as _service
from tools.cli.overview import Overview
from tools.cli.releases import release
from tools.cli.replay import COMMANDS as ON_THE_PAST
from tools.cli.show import show
from tools.cli.status import status
from tools.cli.stop import COMMANDS as ON_EVERYTHING
from tools.cli.stop import desk_hold
from tools.cli.switches import mode

if TYPE_CHECKING:
    from functions.domain.approvals import Answer
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


def _with_ledger(command: Callable[..., None]) -> Callable[..., None]:
    for option in _ledger_options:
        command = option(command)
    return command


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
@click.argument("incident_id", metavar="ID")
@_with_ledger
@click.pass_context
def verify(context: click.Context, incident_id: str, table: str, region: str | None) -> None:
    """Recompute an incident's hash chain; exit status 1 when it is broken."""
    from tools.cli.render import console, verification
    from tools.cli.trails import read_trail

    found = read_trail(_ledger(context.obj, table, region), incident_id)
    console().print(verification(found), soft_wrap=True)
    if found.broken is not None:
        context.exit(1)


_answer_options = (
    click.argument("incident_id", metavar="ID"),
    click.option("--reason", default="", help="Why; it stands in the trail."),
    click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name"),
    *_ledger_options,
)


def _with_answer(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_answer_options):
        command = option(command)
    return command


@cli.command()
@_with_answer
@click.pass_obj
def approve(desk: Desk, incident_id: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Let the responder carry out the plan it asks for: this very plan, once."""
    from functions.domain.approvals import Answer

    summary = _answer(desk, incident_id, Answer.GRANTED, reason=reason, by=by, table=table, region=region)
    click.echo(f"granted: {summary}\nThe responder looks again first, and acts only if the plan is still the same.")


@cli.command()
@_with_answer
@click.pass_obj
def deny(desk: Desk, incident_id: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Forbid the plan that the responder asks for; in this incident it does not ask for it again."""
    from functions.domain.approvals import Answer

    summary = _answer(desk, incident_id, Answer.DENIED, reason=reason, by=by, table=table, region=region)
    click.echo(f"denied: {summary}\nPeople are paged, and the responder goes on looking.")


def _answer(
    desk: Desk, incident_id: str, answer: "Answer", *, reason: str, by: str, table: str, region: str | None
) -> str:
    from functions.domain.redaction import clean
    from functions.workflow.answers import TakeAnswer

    known = _region(region)
    take = TakeAnswer(ledger=_ledger(desk, table, region), answers=desk.open_answers(known), now=desk.now)
    identity = desk.identity(known)
    return take(
        incident_id, answer, by=clean(by, limit=100), identity=identity, reason=clean(reason, limit=500)
    ).summary


@cli.command()
@service_argument
@click.option("--for", "length", type=_Length(), required=True, help="How long, for example 2h.")
@click.option("--reason", required=True, help="Why; the next person will ask.")
@click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name")
@_with_ledger
@click.pass_obj
def pause(desk: Desk, service: str, length: timedelta, reason: str, by: str, table: str, region: str | None) -> None:
    """Let the responder only look at a service for a while: [region/]cluster/service."""
    from tools.cli.switches import hand_of, set_pause

    ref = _service(service, region)
    ledger, hand = _ledger(desk, table, ref.region), hand_of(desk, ref.region, by)
    until = set_pause(ledger, ref, length, hand=hand, reason=reason)
    click.echo(f"{ref} is paused until {until:%Y-%m-%d %H:%M} UTC; `responder resume {service}` ends it earlier")


@cli.command()
@service_argument
@click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name")
@_with_ledger
@click.pass_obj
def resume(desk: Desk, service: str, by: str, table: str, region: str | None) -> None:
    """End a pause, and let the responder act again where actions did not help."""
    from tools.cli.switches import end_pause, hand_of

    ref = _service(service, region)
    ended = end_pause(_ledger(desk, table, ref.region), ref, hand=hand_of(desk, ref.region, by))
    click.echo(f"{ref} is resumed" if ended.was_paused else f"{ref} was not paused")
    if ended.did_not_help:
        incidents_said = ", ".join(ended.did_not_help)
        click.echo(f"actions did not help in {incidents_said}: that no longer speaks against the next one")


@cli.command()
@service_argument
@click.option("--from", "start", metavar="WHEN", help="now, 02:00 or 2026-11-22T02:00, in UTC.  [default: now]")
@click.option("--for", "length", type=_Length(), help="How long, for example 2h; a day at most.")
@click.option("--reason", default="", help="What is done; the next person will ask.")
@click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name")
@click.option("--cancel", is_flag=True, help="Take an announced window back; with several, --from says which.")
@_with_ledger
@click.pass_obj
def maintenance(
    desk: Desk,
    service: str,
    start: str | None,
    length: timedelta | None,
    reason: str,
    by: str,
    cancel: bool,
    table: str,
    region: str | None,
) -> None:
    """Announce a maintenance window of a service: [region/]cluster/service. Without options, list those announced."""
    from functions.domain.maintenance import Announced
    from functions.domain.redaction import clean
    from tools.cli.render import announced_table, console
    from tools.cli.windows import announced, cancelled, start_of, to_come

    ref, now = _service(service, region), desk.now()
    ledger = _ledger(desk, table, ref.region)
    switch = ledger.switch(ref)
    if cancel:
        if length is not None:
            raise click.ClickException("--cancel takes no --for: write --cancel, with --from where there are several")
        left, taken = cancelled(switch, None if start is None else start_of(start, now, past=True), now=now)
        what = f"takes back the maintenance from {taken.window.span}"
        keep_note(desk, table, ref.region, what, by=by, reason=reason, about=ref.key)
        ledger.set_switch(ref, left, was=switch)
        click.echo(f"{ref} has no maintenance window any more from {taken.window.span}")
        return
    if start is None and length is None:
        console().print(announced_table(ref, to_come(switch, now=now), now=now))
        return
    if length is None or not reason.strip():
        raise click.ClickException("a window needs a length and a reason: write --for 2h --reason '...'")
    begins = start_of("now" if start is None else start, now)
    window = Announced(
        start=begins, end=begins + length, by=clean(by, limit=100), reason=clean(reason, limit=500), at=now
    )
    what = f"announces maintenance from {window.window.span}"
    keep_note(desk, table, ref.region, what, by=by, reason=reason, about=ref.key)
    ledger.set_switch(ref, announced(switch, window, now=now), was=switch)
    click.echo(
        f"{ref} is in maintenance from {window.window.span}: nothing is changed meanwhile; "
        f"`responder maintenance {service} --cancel` takes it back"
    )


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


cli.add_command(incidents)
cli.add_command(show)
cli.add_command(report.report)
cli.add_command(logs.logs)
cli.add_command(release)
cli.add_command(audit)
cli.add_command(completion)
cli.add_command(backup)
for _command in (*BY_HAND, *ON_INCIDENTS, *ON_EVERYTHING, *ON_THE_PAST, *ON_ALARMS, *ON_PAGES):
    cli.add_command(_command)
cli.add_command(status)

cli.add_command(mode)
cli.add_command(digest)


def _ledger(desk: Desk, table: str, region: str | None) -> "Ledger":
    return desk.open_ledger(table, _region(region))


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
