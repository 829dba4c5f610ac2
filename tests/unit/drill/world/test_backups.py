"""Backups in a world: taken and found again, and in nobody's way."""

from functions.adapters.backups import AwsBackups
from functions.domain.backups import Backups
from functions.domain.changes import BackUpTable, SnapshotDatabase
from tests.unit.drill.world.worlds import world
from tools.drill.world.wire import WiredClients, connected


def test_a_backup_is_recorded_once() -> None:
    """Whatever the table is called; it is no change of the service."""
    of = world()
    backups = AwsBackups(client=WiredClients(region="eu-west-1").once)
    changes = BackUpTable(table="carts", backup="responder-x"), SnapshotDatabase(instance="db", snapshot="responder-x")
    with connected(of):
        first = [backups.take(change).made for change in changes]
        assert [backups.take(change).made for change in changes] == first
    assert [h.text for h in of.diary if h.kind == "backup"] == [
        "table carts as responder-x",
        "DB instance db as responder-x",
    ]
    assert of.changes == []


def test_what_was_taken_is_found_again() -> None:
    """Tables and DB instances, each by its own name."""
    of = world()
    backups = AwsBackups(client=WiredClients(region="eu-west-1").once)
    with connected(of):
        backups.take(BackUpTable(table="carts", backup="responder-x"))
        backups.take(SnapshotDatabase(instance="db", snapshot="responder-x"))
        known = backups.known(Backups(dynamodb=("carts",), rds="db"))
    assert [backup.of for backup in known] == ["carts"]  # the snapshot is still being made, and has no time
