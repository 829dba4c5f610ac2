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
from typing import TYPE_CHECKING, Any

import click

from functions.domain.errors import LedgerError, PlaybookError, ReadFailed, ResponderError
from tools.cli import logs, releases, report
from tools.cli.byhand import COMMANDS as BY_HAND
from tools.cli.console import COMMANDS as ON_PAGES
from tools.cli.desk import COMMANDS as ON_INCIDENTS
from tools.cli.digest import desk_sources, digest
from tools.cli.options import Length as _Length
from tools.cli.options import ledger_options as _ledger_options
from tools.cli.options import order_options as _order_options
from tools.cli.options import region_of as _region
from tools.cli.options import service_of as _service
from tools.cli.playbooks import playbook_of as _playbook
from tools.cli.status import status
from tools.cli.stop import COMMANDS as ON_EVERYTHING
from tools.cli.stop import desk_hold
from tools.cli.switches import mode

if TYPE_CHECKING:
    from functions.domain.approvals import Answer
    from functions.domain.digests import Period
    from functions.domain.orders import Ordered
    from functions.ports import Answers, Archive, BackupKeeper, Executions, FunctionHold, Ledger, MuteKeeper, Readers
    from functions.workflow.assess import Examiner
    from functions.workflow.digests.around import Sources

USAGE_ERROR = 2
"""Exit status of everything that went wrong on the way to an answer."""


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


def desk_answers(region: str) -> "Answers":
    """The way to executions that wait on AWS."""
    from functions import bootstrap

    return bootstrap.desk_answers(region)


def desk_identity(region: str) -> str:
    """Who sits at the desk, as AWS knows them."""
    from functions import bootstrap

    return bootstrap.desk_identity(region)


def desk_backups(region: str) -> "BackupKeeper":
    """The backups on AWS."""
    from functions import bootstrap

    return bootstrap.desk_backups(region)


def desk_mutes(region: str) -> "MuteKeeper":
    """The muted alarms on AWS."""
    from functions import bootstrap

    return bootstrap.desk_mutes(region)


def desk_executions(region: str, name: str, identity: str) -> "Executions":
    """The workflow on AWS."""
    from functions import bootstrap

    return bootstrap.desk_executions(region, name, identity)


def desk_examiner(region: str, ledger: "Ledger") -> "Examiner":
    """Looks at services on AWS, with the credentials of whoever sits here."""
    from functions import bootstrap

    return bootstrap.desk_examiner(region, ledger)


def desk_readers(region: str) -> "Readers":
    """What a look may read on AWS.

    Raises:
        ReadFailed: if the AWS configuration does not allow to read anything, for example an unknown profile.
    """
    from botocore.exceptions import BotoCoreError

    from functions import bootstrap

    try:
        return bootstrap.desk_readers(region)
    except BotoCoreError as unusable:
        raise ReadFailed(f"AWS cannot be read: {unusable}") from unusable


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
    open_digest_sources: Callable[[str, "Ledger", "Period", datetime], "Sources"] = desk_sources
    """By the Region, the ledger, which digest it is, and the time at which it ends."""


def _with_ledger(command: Callable[..., None]) -> Callable[..., None]:
    for option in _ledger_options:
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """The ECS first responder, from the desk."""


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects instead of text.")
@click.option(
    "--playbooks", type=click.Path(path_type=Path), help="Directory of playbooks.  [default: playbooks, if there]"
)
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
@click.option("--open", "only_open", is_flag=True, help="Only those that are open.")
@click.option("--service", metavar="SERVICE", help="Only this service: [region/]cluster/service.")
@click.option("--since", type=_Length(), default="24h", show_default=True, help="How far to look back.")
@click.option("--unmatched", is_flag=True, help="Signals that belong to no playbook, instead of incidents.")
@_with_ledger
@click.pass_obj
def incidents(
    desk: Desk, only_open: bool, service: str | None, since: timedelta, unmatched: bool, table: str, region: str | None
) -> None:
    """List incidents: those that are open, and those of the last day."""
    from functions.domain.incidents import IncidentStatus
    from functions.workflow.story import tell
    from functions.workflow.table import StepName
    from tools.cli.listed import listed
    from tools.cli.render import console, incident_table, stopped, unmatched_table
    from tools.cli.windows import windows_of

    ledger = _ledger(desk, table, region)
    now = desk.now()
    fleet = ledger.fleet_switch()
    if fleet.stopped:
        console().print(stopped(fleet.said))
    if unmatched:
        console().print(unmatched_table(ledger.unmatched()))
        return
    ref = None if service is None else _service(service, region)
    newest_first = listed(ledger, now=now, since=since, only_open=only_open, service=ref)
    waiting = {i.id: ledger.approval(i.id) for i in newest_first if i.step == StepName.APPROVAL}
    opened = [i for i in newest_first if i.status is IncidentStatus.OPEN]
    notes = {i.id: windows_of(ledger.switch(i.service), tell(ledger.events(i.id)), now=now) for i in opened}
    console().print(incident_table(newest_first, now=now, approvals=waiting, notes=notes))


@cli.command()
@click.argument("incident_id", metavar="ID")
@click.option("--full", is_flag=True, help="Spell out guardrails that agreed and causes that are unlikely.")
@_with_ledger
@click.pass_obj
def show(desk: Desk, incident_id: str, full: bool, table: str, region: str | None) -> None:
    """Show one incident: where it stands, and its whole timeline with evidence, plans and pages."""
    from tools.cli.render import console, trail
    from tools.cli.trails import read_trail

    console().print(trail(read_trail(_ledger(desk, table, region), incident_id), now=desk.now(), full=full))


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
@click.argument("service", metavar="SERVICE")
@click.option("--for", "length", type=_Length(), required=True, help="How long, for example 2h.")
@click.option("--reason", required=True, help="Why; the next person will ask.")
@click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name")
@_with_ledger
@click.pass_obj
def pause(desk: Desk, service: str, length: timedelta, reason: str, by: str, table: str, region: str | None) -> None:
    """Let the responder only look at a service for a while: [region/]cluster/service."""
    from tools.cli.switches import set_pause

    ref = _service(service, region)
    until = set_pause(_ledger(desk, table, region), ref, length, by=by, reason=reason, now=desk.now())
    click.echo(f"{ref} is paused until {until:%Y-%m-%d %H:%M} UTC; `responder resume {service}` ends it earlier")


@cli.command()
@click.argument("service", metavar="SERVICE")
@click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name")
@_with_ledger
@click.pass_obj
def resume(desk: Desk, service: str, by: str, table: str, region: str | None) -> None:
    """End a pause."""
    from tools.cli.switches import end_pause

    ref = _service(service, region)
    was_paused = end_pause(_ledger(desk, table, region), ref, by=by, now=desk.now())
    click.echo(f"{ref} is resumed" if was_paused else f"{ref} was not paused")


def _with_order(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_order_options):
        command = option(command)
    return command


@cli.command()
@click.argument("service", metavar="SERVICE")
@_with_order
@click.pass_obj
def isolate(desk: Desk, service: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Order that a service is isolated, to no task at all: [region/]cluster/service. People are asked first."""
    from functions.domain.orders import Ordered

    _order(desk, service, Ordered.ISOLATE, reason=reason, by=by, table=table, region=region)


@cli.command()
@click.argument("service", metavar="SERVICE")
@click.argument("address", metavar="ADDRESS")
@click.option("--for", "length", type=_Length(), required=True, help="How long, for example 24h.")
@_with_order
@click.pass_obj
def block(
    desk: Desk, service: str, address: str, length: timedelta, reason: str, by: str, table: str, region: str | None
) -> None:
    """Order that one address is blocked for a while, in the IP set of the playbook. People are asked first."""
    from functions.domain.containment import one_address, why_not_block
    from functions.domain.orders import Ordered

    try:
        written = one_address(address)
    except ValueError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    refusal = why_not_block(written, ())
    if refusal is not None:
        raise click.ClickException(f"{refusal}: it is never blocked")
    lasts = {"address": written, "duration_s": int(length.total_seconds())}
    _order(desk, service, Ordered.BLOCK_ADDRESS, reason=reason, by=by, table=table, region=region, about=lasts)


@cli.command("disable-user")
@click.argument("service", metavar="SERVICE")
@click.argument("user", metavar="USER")
@_with_order
@click.pass_obj
def disable_user(desk: Desk, service: str, user: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Order that a user of the playbook's pool is disabled, and never deleted. People are asked first."""
    from functions.domain.orders import Ordered
    from functions.domain.redaction import clean

    if not user or clean(user, limit=128) != user:
        raise click.ClickException("the trail keeps no personal data; write the user's name in the pool or its sub")
    _order(desk, service, Ordered.DISABLE_USER, reason=reason, by=by, table=table, region=region, about={"user": user})


def _order(
    desk: Desk,
    service: str,
    what: "Ordered",
    *,
    reason: str,
    by: str,
    table: str,
    region: str | None,
    about: dict[str, Any] | None = None,
) -> None:
    from pydantic import ValidationError

    from functions.domain.orders import LONGEST_S, Order
    from functions.domain.redaction import clean
    from functions.workflow.orders import GiveOrder

    ref = _service(service, region)
    identity = desk.identity(ref.region)
    said = {"by": clean(by, limit=100), "identity": identity, "reason": clean(reason, limit=500), **(about or {})}
    try:
        order = Order.model_validate({"what": what, **said})
    except ValidationError as wrong:
        days = LONGEST_S // 86_400
        raise click.ClickException(f"a block lasts a minute at least and {days} days at most") from wrong
    ledger = _ledger(desk, table, ref.region)
    give = GiveOrder(ledger=ledger, executions=desk.open_executions(ref.region, table, identity), now=desk.now)
    incident = give(ref, order).incident_id
    click.echo(
        f"ordered in {incident}: {order.summary}\n"
        "Nothing is done yet: the responder looks at the service, sends its plan, and waits for\n"
        f"  responder approve {incident}"
    )


@cli.command()
@click.argument("service", metavar="SERVICE")
@click.option("--reason", help="Why; it becomes a part of the name.")
@click.option("--list", "only_list", is_flag=True, help="Take none, only show what there is.")
@click.option("--playbooks", type=click.Path(path_type=Path), default="playbooks", show_default=True)
@click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The service's Region.")
@click.pass_obj
def backup(desk: Desk, service: str, reason: str | None, only_list: bool, playbooks: Path, region: str | None) -> None:
    """Back up what a service's playbook names; show what there is, and how the newest is restored: cluster/service.

    Nothing is restored and nothing is deleted.
    """
    from functions.domain.backups import name_by_hand
    from functions.domain.changes import backing_up
    from tools.cli.render import backup_table, console

    playbook = _playbook(playbooks, _service(service, region))
    if playbook.backups.nothing:
        raise click.ClickException(f"the playbook of {playbook.ref} names no backups; write tables below backups")
    if not only_list and not reason:
        raise click.ClickException("why? write --reason, or --list to take none")
    keeper, now = desk.open_backups(playbook.region), desk.now()
    for change in () if only_list else backing_up(playbook.backups, name_by_hand(now, reason or "")):
        click.echo(f"taken: {keeper.take(change).made}")
    known = keeper.known(playbook.backups)
    console().print(backup_table(known, now=now))
    for of in dict.fromkeys(each.of for each in known):
        newest = next((each for each in known if each.of == of and each.usable), None)
        if newest is not None:
            click.echo(f"\nTo restore the newest of {of} beside it, run:\n  {newest.restore_command(playbook.region)}")


_alarm_options = (
    click.argument("alarm", metavar="ALARM"),
    click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The alarm's Region."),
)


def _with_alarm(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_alarm_options):
        command = option(command)
    return command


@cli.command()
@_with_alarm
@click.option("--for", "length", type=_Length(), required=True, help="How long, for example 2h; 15d at most.")
@click.option("--reason", required=True, help="Why; the next person will ask.")
@click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name")
@click.pass_obj
def silence(desk: Desk, alarm: str, region: str | None, length: timedelta, reason: str, by: str) -> None:
    """Mute an alarm that only tells people: its actions are held back for a while, its state still changes."""
    from functions.domain.changes import MuteAlarm
    from functions.domain.mutes import LONGEST, not_to_be_muted
    from functions.domain.redaction import clean

    if length > LONGEST or length < timedelta(minutes=1):
        raise click.ClickException(f"an alarm is muted for 1m to {LONGEST.days}d; write another --for")
    keeper = desk.open_mutes(_region(region))
    refusal = not_to_be_muted(keeper.actions(alarm))
    if refusal is not None:
        raise click.ClickException(f"alarm {alarm} is not muted: {refusal}")
    note = clean(f"{by}: {reason}", limit=500)
    keeper.apply(MuteAlarm(alarm=alarm, duration_s=int(length.total_seconds()), note=note))
    ends = f"{desk.now() + length:%Y-%m-%d %H:%M} UTC"
    click.echo(f"{alarm} is muted from the next minute on, until about {ends}; `responder unsilence {alarm}` ends it")


@cli.command()
@_with_alarm
@click.pass_obj
def unsilence(desk: Desk, alarm: str, region: str | None) -> None:
    """End a mute that the responder or `responder silence` began; an alarm in ALARM tells people then."""
    from functions.domain.changes import UnmuteAlarm

    keeper = desk.open_mutes(_region(region))
    was_muted = keeper.muted_s(alarm) != 0
    keeper.apply(UnmuteAlarm(alarm=alarm))
    click.echo(f"{alarm} is not muted any more" if was_muted else f"{alarm} was not muted by the responder")


@cli.command()
@click.argument("service", metavar="SERVICE")
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

    ledger, ref, now = _ledger(desk, table, region), _service(service, region), desk.now()
    switch = ledger.switch(ref)
    if cancel:
        if length is not None:
            raise click.ClickException("--cancel takes no --for: write --cancel, with --from where there are several")
        left, taken = cancelled(switch, None if start is None else start_of(start, now, past=True), now=now)
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


cli.add_command(report.report)
cli.add_command(releases.releases)
cli.add_command(logs.logs)
for _command in (*BY_HAND, *ON_INCIDENTS, *ON_EVERYTHING, *ON_PAGES):
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
        return _failed(str(failed))
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
