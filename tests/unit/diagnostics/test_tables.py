"""A table that throttles is described: what it takes, whether that was used, and how concentrated its keys are."""

from datetime import timedelta

import pytest

from functions.diagnostics.look import Surroundings, look
from functions.diagnostics.ranking import rank
from functions.diagnostics.registry import PROBES
from functions.diagnostics.tables import table_evidence
from functions.domain.causes import Cause
from functions.domain.dependencies import DependenciesFacts, DependencyFacts, DependencyKind, DependencyState
from functions.domain.findings import Findings
from functions.domain.tables import TableFacts, TablesFacts
from functions.domain.watched import WatchedTable
from tests.fakes.clock import FakeClock
from tests.fakes.findings import findings
from tests.fakes.world import REF, World

CARTS = WatchedTable(name="carts", dynamodb="shop-carts")
PROVISIONED = TableFacts(name="carts", on_demand=False, read_units=100, write_units=50)


def throttled(*, reads: float = 0.0, writes: float = 0.0, used: float = 0.0) -> DependenciesFacts:
    figures = {"throttled reads": reads, "throttled writes": writes, "read units": used, "written units": used}
    facts = DependencyFacts(
        name="carts", kind=DependencyKind.DYNAMODB, state=DependencyState.THROTTLED, detail="many", figures=figures
    )
    return DependenciesFacts(dependencies=(facts,))


def told(table: TableFacts, known: DependenciesFacts | None = None) -> tuple[str, ...]:
    return table_evidence(findings(tables=TablesFacts(asked=True, tables=(table,)), dependencies=known or throttled()))


def looked(world: World, throttles: bool) -> Findings:
    if throttles:
        at = world.clock.now().replace(second=0, microsecond=0)
        world.elsewhere["ReadThrottleEvents"] = [(at - timedelta(minutes=n), 50.0) for n in (4, 3, 2, 1)]
    around = Surroundings(ref=REF, readers=world.readers, now=world.clock.now(), dependencies=(CARTS,))
    return look(PROBES.values(), around, deadline_s=10)


def test_only_a_table_that_throttles_is_described() -> None:
    """On every other day nothing is asked of it."""
    quiet, busy = World(clock=FakeClock()), World(clock=FakeClock())
    assert looked(quiet, throttles=False).tables.value == TablesFacts()
    assert "table" not in {call for call, _ in quiet.quiet.asked}
    found = looked(busy, throttles=True)
    assert ("table", "shop-carts") in busy.quiet.asked
    judgement = next(j for j in rank(found) if j.cause is Cause.TABLE_THROTTLED)
    assert "table carts is provisioned with 100 read, 50 write units a second" in judgement.evidence_for


def test_a_table_that_cannot_be_described_changes_no_judgement() -> None:
    """It throttles all the same."""
    plain, blind = World(clock=FakeClock()), World(clock=FakeClock())
    blind.quiet.unreadable.add("table")
    first, second = (looked(each, throttles=True) for each in (plain, blind))
    judgements = [next(j for j in rank(seen) if j.cause is Cause.TABLE_THROTTLED) for seen in (first, second)]
    assert judgements[0].confidence == judgements[1].confidence
    assert "the table could not be described: table is throttled" in judgements[1].evidence_for


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (PROVISIONED, "table carts is provisioned with 100 read, 50 write units a second"),
        (TableFacts(name="carts", on_demand=True), "table carts is billed on demand"),
        (
            TableFacts(name="carts", on_demand=True, read_units=400, indexes=2),
            "table carts is billed on demand, 400 read units a second at most, and has 2 indexes",
        ),
    ],
)
def test_how_it_is_billed(table: TableFacts, says: str) -> None:
    """With what it takes a second, where there is a limit."""
    assert told(table) == (says,)


def test_throttled_well_below_what_it_takes_is_a_part_of_it() -> None:
    """The whole table is not full: one partition is, or an index. Near its limit that is not said."""
    said = told(PROVISIONED, throttled(reads=30.0, used=60 * 20.0))
    assert (
        said[1]
        == "reads are throttled at 20 of 100 units a second: one partition or an index is full, not the whole table"
    )
    assert len(told(PROVISIONED, throttled(reads=30.0, used=60 * 95.0))) == 1


@pytest.mark.parametrize(("top", "hot"), [(0.83, True), (0.04, False)])
def test_how_concentrated_the_keys_are(top: float, hot: bool) -> None:
    """In shares alone; one key that has most of it is called hot."""
    counted = {"insights": "ENABLED", "keys": 212, "top_share": top, "first_share": 0.9}
    said = told(PROVISIONED.model_copy(update=counted))
    assert f"one of about 212 keys had {top:.0%} of the throttled requests, the first five 90%" in said[1]
    assert said[1].startswith("a hot key") is hot


def test_where_nobody_counts_keys_it_is_said() -> None:
    """Contributor Insights has to be switched on before the trouble."""
    said = told(PROVISIONED.model_copy(update={"insights": "DISABLED"}))
    assert said[1] == "which keys of carts are hot nobody counted: Contributor Insights is disabled"
