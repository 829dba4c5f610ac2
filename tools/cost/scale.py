"""What so many services ask of one account and Region, against its quotas.

`python -m tools.cost.scale` prints the table of docs/scale.md.

A responder takes about 150 services, because its roles name each of them (`infra/permissions.py`). More services are
more responders, each with its own table, queue and functions; what they share are the quotas of the account.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.domain.heartbeat import EVERY_S
from functions.workflow.bake import AT_ONCE
from functions.workflow.sweep import READ_AT_ONCE
from tools.cost.model import Counted, Part, Question, bill, kept
from tools.cost.prices import Item

SIZES = (100, 10_000, 1_000_000)
OF_ONE_RESPONDER = 150

SWEEP_S, BAKE_S = 300, 60
ALARMS = 2
"""Of a service, as the README's first playbook has them."""

STORM = 0.01
"""Share of all services that goes wrong within one minute: a zone, or something that many stand on."""
READS_OF_A_LOOK = 9
"""Requests to ECS in one look of assess."""
TASKS = 4
"""Of a service, when all of them are replaced."""


@dataclass(frozen=True)
class Row:
    """`asked` of one account and Region by so many services; `quota` is how much of it there is, None for enough."""

    what: str
    asked: Callable[[int], float]
    quota: float | None
    source: str
    unit: str = ""


def responders(services: int) -> int:
    return math.ceil(services / OF_ONE_RESPONDER)


def in_storm(services: int) -> float:
    """Incidents that begin in the same minute."""
    return services * STORM


def rows(counted: Counted) -> Sequence[Row]:
    """In the order of the page."""
    own = counted.month(Part.OWN_ALARMS, 0)[Item.ALARM]
    looked_at = math.ceil(OF_ONE_RESPONDER / AT_ONCE)
    return (
        Row("responders", responders, None, ""),
        Row(
            "CloudFormation stacks, one for each service and responder",
            lambda n: n + responders(n),
            2_000,
            "CloudFormation User Guide, quotas",
        ),
        Row(
            "alarms",
            lambda n: n * (ALARMS + 1) + responders(n) * own,
            None,
            "CloudWatch User Guide, quotas: no limit",
        ),
        Row(
            "DescribeAlarms a second, by sweeps",
            lambda n: math.ceil(n * ALARMS / READ_AT_ONCE) / SWEEP_S,
            9,
            "CloudWatch User Guide, quotas",
        ),
        Row(
            "DescribeServices a second, by bakes",
            lambda n: responders(n) * looked_at / BAKE_S,
            20,
            "ECS API reference, request throttling",
        ),
        Row(
            "StartExecution a second, by heartbeats",
            lambda n: responders(n) / EVERY_S,
            150,
            "Step Functions Developer Guide, quotas",
        ),
        Row(
            "in a storm: StartExecution a second",
            lambda n: in_storm(n) / 60,
            150,
            "Step Functions Developer Guide, quotas",
        ),
        Row(
            "in a storm: open executions",
            in_storm,
            1_000_000,
            "Step Functions Developer Guide, quotas",
        ),
        Row(
            "in a storm: reads of ECS a second",
            lambda n: in_storm(n) * READS_OF_A_LOOK / 60,
            20,
            "ECS API reference, request throttling",
        ),
        Row(
            "in a storm: functions at once",
            lambda n: in_storm(n) * BUSY_S / 60,
            1_000,
            "Lambda Developer Guide, quotas",
        ),
        Row(
            "in a storm: seconds until every task is launched anew",
            lambda n: max(0.0, in_storm(n) * TASKS - 100) / 20,
            None,
            "Fargate: 100 at once, then 20 a second (ECS Developer Guide, Fargate throttling quotas)",
        ),
        Row(
            "USD a month without incidents, alarms in their stacks included",
            lambda n: _usd(counted, n),
            None,
            "`responder cost`",
        ),
    )


BUSY_S = 10.0
"""Seconds of Lambda in the first minute of an incident: intake, assess and remediate, each of them cold."""


def _usd(counted: Counted, services: int) -> float:
    """Of as many responders as it takes. Their dashboards are beyond the three for nothing."""
    one = bill(counted, Question(services=min(services, OF_ONE_RESPONDER), incidents=0, ladders=0, releases=0))
    dashboards = max(0, responders(services) - 3) * 3.0
    return services / min(services, OF_ONE_RESPONDER) * one.usd + dashboards


def places(row: Row, services: int) -> int:
    """Accounts, or Regions, that it takes to stay within the quota."""
    return 1 if row.quota is None else max(1, math.ceil(row.asked(services) / row.quota))


def table(counted: Counted) -> str:
    """As it stands in docs/scale.md: more than one place is said behind the figure."""
    head = ("of one account and Region", "quota", *(f"{size:,}" for size in SIZES), "source")
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    for row in rows(counted):
        cells = [_cell(row, size) for size in SIZES]
        quota = "" if row.quota is None else f"{row.quota:,.0f}"
        lines.append(f"| {row.what} | {quota} | {' | '.join(cells)} | {row.source} |")
    return "\n".join(lines)


def _cell(row: Row, services: int) -> str:
    asked, needed = row.asked(services), places(row, services)
    said = f"{asked:,.0f}" if asked >= 100 or asked == int(asked) else f"{asked:.2g}"
    return said if needed == 1 else f"{said} (**{needed:,} places**)"


def main() -> None:
    sys.stdout.write(table(kept()) + "\n")


if __name__ == "__main__":
    main()
