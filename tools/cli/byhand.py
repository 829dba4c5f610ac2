"""What an operator orders by hand, through the same guardrails as everything else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functions.domain.errors import InputError
from tools.cli.options import (
    Length,
    order_options,
    playbooks_if_there,
    region_of,
    service_argument,
    service_of,
    with_options,
)

if TYPE_CHECKING:
    from functions.domain.orders import Order, Ordered
    from functions.domain.services import ServiceRef
    from functions.playbooks.schema import Playbook
    from functions.workflow.orders import Given, Reply
    from tools.cli.main import Desk

REFUSED = 1
"""Exit status where a guardrail, people or AWS said no."""
STILL_OPEN = 3
"""Exit status where nobody can say yet: it waits for a grant, or the time to wait was over."""

EVERY_S = 2
"""Seconds between two looks at what became of an order."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What every order says besides itself."""

    reason: str
    by: str
    table: str
    region: str | None
    key: str
    wait: int
    dry_run: bool
    playbooks: Path | None


_options = (
    service_argument,
    click.option("--dry-run", is_flag=True, help="Print the plan and what refuses it; change nothing."),
    click.option("--wait", type=click.IntRange(0, 900), default=60, show_default=True, help="Seconds; 0: do not wait."),
    click.option("--key", default="", help="Whoever orders twice with the same key has ordered once."),
    playbooks_if_there,
    *order_options,
)

_for = click.option("--for", "length", type=Length(), help="How long, for example 2h; without it, for good.")


def _order(*more: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The service, what the order is about, and the options of every order."""
    service, *others = _options
    return with_options(service, *more, *others)


@click.command()
@_order()
@click.pass_context
def redeploy(context: click.Context, /, service: str, **said: Any) -> None:
    """Replace every task by a fresh one of the same task definition: [region/]cluster/service."""
    from functions.domain.orders import Ordered

    _obey(context, service, Ordered.REDEPLOY, Said(**said))


@click.command()
@_order(click.option("--to", default="latest", show_default=True, metavar="REVISION", help="A release that ran well."))
@click.pass_context
def rollback(context: click.Context, /, service: str, to: str, **said: Any) -> None:
    """Go back to the last known good release, or to the one that is named: 41, orders:41 or an ARN.

    `latest` is the newest release that was good and is not quarantined, which need not be the one before. What is gone
    back from is quarantined then; with --to it is not.
    """
    from functions.domain.orders import Ordered

    _obey(context, service, Ordered.ROLL_BACK, Said(**said), to=to)


@click.command()
@_order(click.argument("count", type=click.IntRange(0), metavar="COUNT"), _for)
@click.pass_context
def scale(context: click.Context, /, service: str, count: int, length: timedelta | None, **said: Any) -> None:
    """Set how many tasks run: as the floor of the autoscaler where there is one, which may add more.

    0 stops the service, and people are asked first.
    """
    from functions.domain.orders import Ordered

    _obey(context, service, Ordered.SET_COUNT, Said(**said), count=count, **_lasting(length))


@click.command()
@_order(
    click.argument("minimum", type=click.IntRange(0), metavar="MIN"),
    click.argument("maximum", type=click.IntRange(0), metavar="MAX"),
    _for,
)
@click.pass_context
def limits(
    context: click.Context, /, service: str, minimum: int, maximum: int, length: timedelta | None, **said: Any
) -> None:
    """Set floor and ceiling of the autoscaler; the count is moved between them at once."""
    from functions.domain.orders import Ordered

    bounds = {"minimum": minimum, "maximum": maximum}
    _obey(context, service, Ordered.SET_LIMITS, Said(**said), **bounds, **_lasting(length))


@click.command("stop-task")
@_order(click.argument("task", metavar="TASK"))
@click.pass_context
def stop_task(context: click.Context, /, service: str, task: str, **said: Any) -> None:
    """Drain one task and stop it, by its id or ARN; ECS starts another one in its place."""
    from functions.domain.orders import Ordered

    _obey(context, service, Ordered.STOP_TASK, Said(**said), task=task)


@click.command("open")
@_order()
@click.pass_context
def open_incident(context: click.Context, /, service: str, **said: Any) -> None:
    """Open an incident by hand: the responder looks, finds the cause, and acts as the playbook says."""
    from functions.domain.orders import Ordered

    _obey(context, service, Ordered.LOOK, Said(**said))


@click.command()
@_order()
@click.pass_context
def isolate(context: click.Context, /, service: str, **said: Any) -> None:
    """Order that a service is isolated, to no task at all: [region/]cluster/service. People are asked first."""
    from functions.domain.orders import Ordered

    _obey(context, service, Ordered.ISOLATE, Said(**said))


@click.command()
@_order(
    click.argument("address", metavar="ADDRESS"),
    click.option("--for", "length", type=Length(), required=True, help="How long, for example 24h."),
)
@click.pass_context
def block(context: click.Context, /, service: str, address: str, length: timedelta, **said: Any) -> None:
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
    _obey(context, service, Ordered.BLOCK_ADDRESS, Said(**said), address=written, **_lasting(length))


@click.command("disable-user")
@_order(click.argument("user", metavar="USER"))
@click.pass_context
def disable_user(context: click.Context, /, service: str, user: str, **said: Any) -> None:
    """Order that a user of the playbook's pool is disabled, and never deleted. People are asked first."""
    from functions.domain.orders import Ordered
    from functions.domain.redaction import clean

    if not user or clean(user, limit=128) != user:
        raise click.ClickException("the trail keeps no personal data; write the user's name in the pool or its sub")
    _obey(context, service, Ordered.DISABLE_USER, Said(**said), user=user)


COMMANDS = (redeploy, rollback, scale, limits, stop_task, open_incident, isolate, block, disable_user)


def _lasting(length: timedelta | None) -> dict[str, int]:
    return {} if length is None else {"duration_s": int(length.total_seconds())}


def _obey(context: click.Context, service: str, what: "Ordered", said: Said, **about: Any) -> None:
    desk: Desk = context.obj
    ref = service_of(service, said.region)
    order = _written(desk, ref, what, said, about)
    playbooks = _playbooks(said)
    if said.dry_run:
        context.exit(_tried(desk, ref, order, said, playbooks))
    context.exit(_given(desk, ref, order, said, playbooks))


def _written(desk: "Desk", ref: "ServiceRef", what: "Ordered", said: Said, about: dict[str, Any]) -> "Order":
    identity = desk.identity(ref.region)
    return write_order(what, by=said.by, identity=identity, reason=said.reason, key=said.key, **about)


def write_order(what: "Ordered", *, by: str, identity: str, reason: str, key: str, **about: Any) -> "Order":
    """The order, with who gives it and why.

    Raises:
        InputError: something in it cannot be ordered so.
    """
    from pydantic import ValidationError

    from functions.domain.orders import Order
    from functions.domain.redaction import clean

    who = {"by": clean(by, limit=100), "identity": identity, "reason": clean(reason, limit=500), "key": key}
    try:
        return Order.model_validate({"what": what, **who, **about})
    except ValidationError as wrong:
        raise InputError(_first_mistake(wrong.errors()[0])) from wrong


def _first_mistake(error: Any) -> str:
    told = str(error["msg"]).removeprefix("Value error, ")
    where = ".".join(str(each) for each in error["loc"])
    named = {"duration_s": "--for: write a length from 1m to 90d", "key": "--key: write letters, digits, - and _"}
    return named.get(where, f"{where}: {told}" if where else told)


def _playbooks(said: Said) -> "dict[str, Playbook] | None":
    """Those that are at hand; None where there are none, and the responder itself knows."""
    from functions.playbooks.loading import load_playbooks

    directory = said.playbooks
    if directory is None:
        directory = Path("playbooks")
        if not directory.is_dir():
            return None
    return {playbook.ref.key: playbook for playbook in load_playbooks([directory])}


def _tried(desk: "Desk", ref: "ServiceRef", order: "Order", said: Said, playbooks: "dict[str, Playbook] | None") -> int:
    from functions.workflow.orders import TryOrder
    from tools.cli.render import console, dry_run

    if playbooks is None:
        raise click.ClickException("a dry run needs the playbook of the service; write --playbooks")
    ledger = desk.open_ledger(said.table, region_of(ref.region))
    examiner = desk.open_examiner(ref.region, ledger)
    if order.what.contains:
        examiner = replace(examiner, contain_deployed=_contained(desk, ref.region, said.table))
    tried = TryOrder(ledger=ledger, examiner=examiner, clock=examiner.clock, playbooks=playbooks)(ref, order)
    console().print(dry_run(order, tried))
    return _status(tried)


def _contained(desk: "Desk", region: str, name: str) -> bool:
    """Whether the contain stack is there, by its function. What nobody may ask counts as no, and that is said."""
    from functions.domain.errors import NotNamed, ReadFailed
    from functions.workflow.table import Function

    try:
        desk.open_hold(region).reserved(f"{name}-{Function.CONTAIN}")
    except NotNamed:
        return False
    except ReadFailed as failed:
        click.echo(f"whether the contain stack is deployed is not known: {failed}", err=True)
        return False
    return True


def _given(desk: "Desk", ref: "ServiceRef", order: "Order", said: Said, playbooks: "dict[str, Playbook] | None") -> int:
    from functions.workflow.orders import GiveOrder, OrderState, reply_to
    from tools.cli.render import console, order_given, order_reply

    ledger = desk.open_ledger(said.table, region_of(ref.region))
    executions = desk.open_executions(ref.region, said.table, order.identity)
    give = GiveOrder(ledger=ledger, executions=executions, now=desk.now, playbooks=playbooks)
    given = give(ref, order)
    console().print(order_given(order, given))
    if said.wait == 0:
        console().print(f"`responder show {given.incident_id}` tells what becomes of it")
        return 0
    until, told = desk.now() + timedelta(seconds=said.wait), ""
    reply = reply_to(ledger, given)
    while not (reply.final or reply.state is OrderState.ASKED) and desk.now() < until:
        told = _on_the_way(given, reply, told)
        desk.sleep(EVERY_S)
        reply = reply_to(ledger, given)
    console().print(order_reply(order, given, reply, waited_s=said.wait))
    return _status(reply)


def _on_the_way(given: "Given", reply: "Reply", told: str) -> str:
    """Say on standard error that it is waited for, once for each state; for people, not for scripts."""
    now = reply.reason or f"waiting for {given.incident_id} to look"
    if now != told:
        click.echo(now, err=True)
    return now


def _status(reply: "Reply") -> int:
    from functions.workflow.orders import OrderState

    match reply.state:
        case OrderState.DONE | OrderState.ALLOWED:
            return 0
        case OrderState.REFUSED | OrderState.FAILED:
            return REFUSED
        case OrderState.ASKED | OrderState.WAITING:
            return STILL_OPEN
