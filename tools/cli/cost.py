"""`responder cost`: what a month costs, line by line, for somebody's own numbers. Calls no AWS."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tools.cost.model import Bill, Line, Question

_COUNT = click.IntRange(min=0)
_AMOUNT = click.FloatRange(min=0)


@click.command()
@click.option("--services", type=_COUNT, default=10, show_default=True, help="Services with a playbook.")
@click.option("--incidents", type=_COUNT, default=20, show_default=True, help="Incidents of a month, all services.")
@click.option("--in-vain", type=_COUNT, default=1, show_default=True, help="Of them, those that no action resolves.")
@click.option("--hours", type=_AMOUNT, default=1, show_default=True, help="Until people have mended one of those.")
@click.option("--releases", type=_COUNT, default=40, show_default=True, help="Releases of a month, all services.")
@click.option(
    "--alarms", type=_AMOUNT, help="Metrics that the alarms of one service stand on.  [default: the README's 4]"
)
@click.option("--checks", type=_COUNT, default=0, show_default=True, help="Synthetic checks, all services.")
@click.option("--dashboards", type=_COUNT, default=0, show_default=True, help="Others that the account has.")
@click.option("--unattended/--no-unattended", default=True, help="As `-c unattended` says.  [default: true]")
@click.option("--fleet-dashboard/--no-fleet-dashboard", default=True, help="As `-c fleet_dashboard`.  [default: true]")
@click.option("--json", "as_json", is_flag=True, help="Print one object instead of a page.")
def cost(
    services: int,
    incidents: int,
    in_vain: int,
    hours: float,
    releases: int,
    alarms: float | None,
    checks: int,
    dashboards: int,
    unattended: bool,
    fleet_dashboard: bool,
    as_json: bool,
) -> None:
    """Say what the responder costs in a month: idle, its alarms, and by incident.

    Needs no AWS. Calls, state transitions and bytes are those of real runs, as they were counted last; prices are list
    prices of us-east-1.
    """
    from tools.cli.render import console
    from tools.cost.model import Question, bill, kept

    if in_vain > incidents:
        raise click.ClickException(f"{in_vain} of {incidents} incidents cannot be: write --in-vain {incidents} or less")
    question = Question(
        services=services,
        incidents=incidents,
        ladders=in_vain,
        watched_h=hours,
        releases=releases,
        alarms=alarms,
        checks=checks,
        dashboards=dashboards,
        unattended=unattended,
        fleet_dashboard=fleet_dashboard,
    )
    found = bill(kept(), question)
    if as_json:
        click.echo(json.dumps(to_json(found, question), indent=2))
    else:
        for part in page(found, question):
            console().print(part)


def page(found: "Bill", question: "Question") -> Iterable["RenderableType"]:
    """One table with the month, then what it rests on."""
    from rich.table import Table
    from rich.text import Text

    from tools.cost.model import total
    from tools.cost.prices import AS_OF, REGION

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(ratio=1)
    table.add_column(style="dim", max_width=34)
    table.add_column(justify="right", no_wrap=True)
    groups = (
        ("Without any incident", found.idle),
        ("Alarms in the stacks of the services", found.alarms),
        ("When something happens", found.incidents),
    )
    for name, lines in groups:
        table.add_row(Text(name, style="bold"), "", Text(money(total(lines)), style="bold"))
        for line in lines:
            table.add_row(f"  {line.what}", line.note or made_of(line), money(line.usd))
        table.add_row()
    table.add_row(Text("Altogether", style="bold"), "", Text(money(found.usd), style="bold"))
    services = f"{question.services} service{'' if question.services == 1 else 's'}"
    yield Text(f"A month of the responder for {services}, in USD\n", style="bold")
    yield table
    yield Text(
        f"\nList prices of {REGION}, {AS_OF}. What an account has for nothing each month (ten alarms, ten metrics, "
        "5 GB of logs, a million requests of most services) is not deducted. Not in it: tasks that an action starts, "
        "backups that a playbook asks for, and what your services log.",
        style="dim",
    )


def made_of(line: "Line") -> str:
    """How much of what the most of it is for."""
    from tools.cost.model import dearest_items

    (first, *_), amounts = dearest_items(line.made_of) or [(None, 0.0)], line.made_of
    item, price = first
    if item is None:
        return ""
    said = f"{amounts[item]:,.0f} {item.value}"
    return said if price > 0.95 * line.usd else f"{said}: {money(price)}"


def money(usd: float) -> str:
    """Cents, and what is less than one."""
    return "0.00" if usd == 0 else "< 0.01" if usd < 0.005 else f"{usd:,.2f}"


def to_json(found: "Bill", question: "Question") -> dict[str, Any]:
    """The same for machines, with everything that each line is made of."""
    from dataclasses import asdict

    from tools.cost.prices import AS_OF, REGION

    def lines(some: Iterable["Line"]) -> list[dict[str, Any]]:
        return [
            {"what": line.what, "usd": line.usd, "of": {item.value: n for item, n in line.made_of.items()}}
            for line in some
        ]

    return {
        "region": REGION,
        "prices_of": AS_OF,
        "asked": asdict(question),
        "usd_a_month": found.usd,
        "idle": lines(found.idle),
        "alarms_of_services": lines(found.alarms),
        "incidents": lines(found.incidents),
    }
