"""How much would be lost: the newest usable backup of each thing, where anybody wants to know."""

from datetime import timedelta

import pytest

from functions.diagnostics.look import Surroundings
from functions.diagnostics.recovery_points import read_backups
from functions.domain.backups import BackupFacts, Backups, RecoveryPoints
from functions.domain.errors import ReadFailed
from tests.fakes.clock import FakeClock
from tests.fakes.findings import NOW
from tests.fakes.world import REF, World

WANTED = Backups(dynamodb=("carts", "orders"), rds="orders-db")


def taken(of: str, hours_ago: int, status: str = "AVAILABLE") -> BackupFacts:
    return BackupFacts(
        kind="dynamodb", of=of, id=f"{of}-{hours_ago}", name=of, at=NOW - timedelta(hours=hours_ago), status=status
    )


def around(world: World, backups: Backups | None) -> Surroundings:
    return Surroundings(ref=REF, readers=world.readers, now=NOW, recovery_of=backups)


@pytest.fixture
def world() -> World:
    return World(clock=FakeClock())


def test_the_oldest_of_the_newest_decides(world: World) -> None:
    """A backup that is being made, or failed, is none."""
    world.quiet.shown_backups = (
        taken("orders-db", 1, "creating"), taken("orders", 2), taken("carts", 3), taken("orders-db", 20, "available"),
        taken("orders-db", 44, "available"),
    )  # fmt: skip
    points = read_backups(around(world, WANTED), {})
    assert [backup.id for backup in points.newest] == ["carts-3", "orders-2", "orders-db-20"]
    assert points.weakest is not None
    assert points.weakest.of == "orders-db"


def test_what_was_never_backed_up_is_named(world: World) -> None:
    """Then nobody can say how old the weakest is."""
    world.quiet.shown_backups = (taken("orders", 2),)
    points = read_backups(around(world, WANTED), {})
    assert points.without == "carts, orders-db"
    assert points.weakest is None


@pytest.mark.parametrize("backups", [None, Backups()])
def test_nothing_is_asked_where_nobody_wants_to_know(world: World, backups: Backups | None) -> None:
    """No `rpo`, or nothing under `backups`."""
    assert read_backups(around(world, backups), {}) == RecoveryPoints()
    assert world.quiet.asked == []


def test_what_cannot_be_read_is_unknown(world: World) -> None:
    """It is not the same as none."""
    world.quiet.unreadable = {"backups"}
    with pytest.raises(ReadFailed):
        read_backups(around(world, WANTED), {})
