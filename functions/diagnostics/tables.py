"""A table that throttles, described: what it takes, what was used of that, and how evenly. For people to read."""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.diagnostics.look import Surroundings
from functions.domain.dependencies import DependencyKind, DependencyState
from functions.domain.findings import Findings
from functions.domain.tables import TableFacts, TablesFacts
from functions.domain.watched import WatchedTable

MOST = 3
"""Tables that are described in one look."""
HOT = 0.3
"""Share of the throttled requests from which on one key is called hot. Assumption: evenly spread keys have far less."""
WELL_BELOW = 0.7
"""Of the units that the whole table takes: throttled below this, a part of it is full and not the whole. Assumption."""


def read_tables(around: Surroundings, known: Mapping[str, Any]) -> TablesFacts:
    """Only where a table of the playbook throttles; elsewhere nothing is asked."""
    throttled = {
        each.name
        for each in (known["dependencies"].dependencies if "dependencies" in known else ())
        if each.kind is DependencyKind.DYNAMODB and each.state is DependencyState.THROTTLED
    }
    tables = [each for each in around.dependencies if isinstance(each, WatchedTable) and each.name in throttled]
    if not tables:
        return TablesFacts()
    described = (around.readers.tables.table(each.dynamodb, called=each.name, now=around.now) for each in tables[:MOST])
    return TablesFacts(asked=True, tables=tuple(described))


def table_evidence(findings: Findings) -> tuple[str, ...]:
    """What was read, in words; what could not be read is said, and proves nothing."""
    if findings.tables.error is not None:
        return (f"the table could not be described: {findings.tables.error}",)
    facts = findings.tables.value
    return tuple(line for table in (() if facts is None else facts.tables) for line in _lines(table, findings))


def _lines(table: TableFacts, findings: Findings) -> Iterator[str]:
    yield f"table {table.name} is {_billed(table)}{_indexed(table)}"
    yield from _below(table, findings)
    if table.keys is not None and table.top_share is not None and table.first_share is not None:
        hot = "a hot key: " if table.top_share >= HOT else ""
        most = f"{hot}one of about {table.keys} keys had {table.top_share:.0%} of the throttled requests"
        yield f"{most}, the first five {table.first_share:.0%}"
    elif table.insights and table.insights != "ENABLED":
        yield f"which keys of {table.name} are hot nobody counted: Contributor Insights is {table.insights.lower()}"


def _billed(table: TableFacts) -> str:
    units = ", ".join(
        f"{limit} {what}" for what, limit in (("read", table.read_units), ("write", table.write_units)) if limit
    )
    if table.on_demand:
        return f"billed on demand{f', {units} units a second at most' if units else ''}"
    return f"provisioned with {units} units a second"


def _indexed(table: TableFacts) -> str:
    return f", and has {table.indexes} index{'' if table.indexes == 1 else 'es'}" if table.indexes else ""


def _below(table: TableFacts, findings: Findings) -> Iterator[str]:
    """Throttled well below what the whole table takes: then it is one partition, or an index."""
    dependencies = findings.dependencies.value
    facts = next((d for d in (() if dependencies is None else dependencies.dependencies) if d.name == table.name), None)
    if table.on_demand or facts is None:
        return
    for what, limit, used, throttled in (
        ("read", table.read_units, "read units", "throttled reads"),
        ("write", table.write_units, "written units", "throttled writes"),
    ):
        each_s = facts.figures.get(used, 0.0) / 60
        if limit and facts.figures.get(throttled, 0.0) > 0 and each_s < WELL_BELOW * limit:
            yield (
                f"{what}s are throttled at {each_s:.0f} of {limit} units a second: one partition or an index is full, "
                "not the whole table"
            )
