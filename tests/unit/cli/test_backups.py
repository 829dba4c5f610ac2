"""`responder backup`: takes what the playbook names, lists what there is, and only prints how to restore it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.backups import BackupFacts, Backups
from functions.domain.changes import BackUpTable, ChangeResult, SnapshotDatabase
from functions.domain.errors import ChangeRefused, LedgerError
from tests.fakes.clock import FakeClock
from tools.cli.main import Desk, run

CLOCK = FakeClock()
NOW = CLOCK.now()
PLAYBOOK = "region: eu-west-1\ncluster: shop\nservice: orders\n"
BACKED_UP = PLAYBOOK + "backups: {dynamodb: [carts], rds: orders-db}\n"
ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/carts/backup/0123"


@dataclass
class Kept:
    """The `BackupKeeper`, in memory."""

    there: list[BackupFacts] = field(default_factory=list)
    refuses: bool = False
    taken: list[str] = field(default_factory=list)
    asked: list[Backups] = field(default_factory=list)

    def take(self, change: BackUpTable | SnapshotDatabase) -> ChangeResult:
        if self.refuses:
            raise ChangeRefused("CreateBackup of table carts was refused: AccessDenied")
        name = change.backup if isinstance(change, BackUpTable) else change.snapshot
        self.taken.append(name)
        return ChangeResult(made=name)

    def known(self, backups: Backups) -> Sequence[BackupFacts]:
        self.asked.append(backups)
        return self.there


def backup(
    keeper: Kept,
    directory: Path,
    *arguments: str,
    written: str = BACKED_UP,
    status: int = 0,
    ledger: MemoryLedger | None = None,
) -> None:
    (directory / "orders.yaml").write_text(written)

    def opened(table: str, region: str) -> MemoryLedger:
        if ledger is None:
            raise LedgerError("the table does not answer")
        return ledger

    desk = Desk(
        open_ledger=opened,
        now=lambda: NOW,
        open_backups=lambda region: keeper,
        identity=lambda region: "arn:aws:iam::1:user/ann",
    )
    command = ["backup", "shop/orders", "--playbooks", str(directory), "--region", "eu-west-1", *arguments]
    assert run(command, desk) == status


def facts(of: str, *, days: int, status: str = "AVAILABLE") -> BackupFacts:
    kind = "rds" if of == "orders-db" else "dynamodb"
    ident = f"snap-{days}" if kind == "rds" else f"{ARN}-{days}"
    return BackupFacts.model_validate(
        {"kind": kind, "of": of, "id": ident, "name": f"n-{days}", "at": NOW - timedelta(days=days), "status": status}
    )


def test_everything_is_taken_under_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When and why stand in it."""
    keeper = Kept()
    backup(keeper, tmp_path, "--reason", "before the migration")
    name = f"responder-{NOW:%Y%m%d-%H%M%S}-before-the-migration"
    assert keeper.taken == [name, name]
    assert keeper.asked == [Backups(dynamodb=("carts",), rds="orders-db")]
    assert f"taken: {name}" in capsys.readouterr().out


def test_the_list_has_ages_and_the_newest_usable_ones_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backup that is still being made cannot be restored; nothing is taken and nothing is run."""
    there = [facts("carts", days=0, status="CREATING"), facts("carts", days=3), facts("carts", days=9)]
    keeper = Kept(there=[*there, facts("orders-db", days=4, status="available")])
    backup(keeper, tmp_path, "--list")
    out = capsys.readouterr().out
    assert keeper.taken == []
    assert out.index("0 s") < out.index("3 days") < out.index("9 days")
    assert f"--backup-arn {ARN}-3 --region eu-west-1" in out
    assert "--target-table-name carts-restored" in out
    assert "--db-instance-identifier orders-db-restored --db-snapshot-identifier snap-4 --region eu-west-1" in out
    assert f"{ARN}-9" not in out


@pytest.mark.parametrize(
    ("arguments", "written", "told"),
    [
        ((), BACKED_UP, "why? write --reason"),
        (("--list",), PLAYBOOK, "names no backups"),
        (("--list",), BACKED_UP.replace("orders", "cart"), "no playbook in"),
    ],
)
def test_what_is_missing_is_said(
    arguments: tuple[str, ...], written: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and nothing is taken."""
    keeper = Kept()
    backup(keeper, tmp_path, *arguments, written=written, status=2)
    assert told in capsys.readouterr().err
    assert keeper.taken == []


def test_a_backup_that_aws_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is not tried: whoever sits there mends it first."""
    backup(Kept(refuses=True), tmp_path, "--reason", "x", status=2)
    assert "AccessDenied" in capsys.readouterr().err


def test_a_backup_leaves_a_note(tmp_path: Path) -> None:
    """Who took it, when and why; it is written before the first is taken, also where AWS then refuses."""
    for refuses in (False, True):
        ledger = MemoryLedger(clock=CLOCK)
        arguments = ("--reason", "before the migration", "--by", "ann")
        backup(Kept(refuses=refuses), tmp_path, *arguments, ledger=ledger, status=2 if refuses else 0)
        (note,) = ledger.by_hand_between(NOW, NOW)
        assert (note.by, note.identity, note.reason) == ("ann", "arn:aws:iam::1:user/ann", "before the migration")
        assert note.about == "eu-west-1/shop/orders"
        assert note.what.endswith("-before-the-migration of table carts, DB instance orders-db")


def test_a_list_leaves_none(tmp_path: Path) -> None:
    """Nothing was done."""
    ledger = MemoryLedger(clock=CLOCK)
    backup(Kept(), tmp_path, "--list", ledger=ledger)
    assert ledger.by_hand_between(NOW, NOW) == ()


def test_a_backup_does_not_wait_for_the_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is taken with the rights of whoever sits there; that the ledger does not know of it is said."""
    keeper = Kept()
    backup(keeper, tmp_path, "--reason", "x")
    assert len(keeper.taken) == 2
    assert capsys.readouterr().err == "the ledger does not know of it: the table does not answer\n"
