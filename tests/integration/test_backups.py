"""Taking backups: one of each name, however often it is asked for, and a list of what there is."""

from collections.abc import Sequence
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from functions.adapters.backups import CALLS, LIST_CALLS, AwsBackups
from functions.adapters.changer import AwsChanger
from functions.domain.backups import BackupFacts, Backups
from functions.domain.changes import BackUpTable, SnapshotDatabase
from functions.domain.errors import ChangeDoubtful, ChangeRefused, ReadFailed
from functions.domain.services import ServiceRef
from tests.fakes.aws import FakeAws, record_actions, refusal

ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
NAME = "responder-inc-20261121-020547-3aaf2c"
CARTS = BackUpTable(table="carts", backup=NAME)
DATABASE = SnapshotDatabase(instance="orders-db", snapshot=NAME)
NAMED = Backups(dynamodb=("carts",), rds="orders-db")


class Clients:
    """Clients of moto, with the IAM actions of their calls."""

    def __init__(self) -> None:
        self.made = {service: boto3.client(service, region_name="eu-west-1") for service in ("dynamodb", "rds")}
        self.actions = [record_actions(client) for client in self.made.values()]

    def __call__(self, service: str) -> object:
        return self.made[service]

    @property
    def called(self) -> set[str]:
        return set.union(*self.actions)


@pytest.fixture
def clients() -> "Clients":
    """A table and a DB instance."""
    clients = Clients()
    clients.made["dynamodb"].create_table(
        TableName="carts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    clients.made["rds"].create_db_instance(
        DBInstanceIdentifier="orders-db",
        DBInstanceClass="db.m6g.large",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="admin1",
        MasterUserPassword="said-the-test",
    )
    for actions in clients.actions:
        actions.clear()
    return clients


@pytest.fixture(autouse=True)
def aws() -> object:
    with mock_aws():
        yield


def by_hand(known: Sequence[BackupFacts]) -> list[BackupFacts]:
    """Without the snapshots that RDS takes by itself."""
    return [each for each in known if not each.name.startswith("rds:")]


def test_a_backup_of_each_is_taken_once(clients: Clients) -> None:
    """A repetition finds the first one by its name, and gives the same answer."""
    changer = AwsChanger(client=clients)
    first = [changer.apply(ORDERS, change).made for change in (CARTS, DATABASE)]
    again = [changer.apply(ORDERS, change).made for change in (CARTS, DATABASE)]
    assert again == first
    assert clients.called == set(CALLS)
    known = by_hand(AwsBackups(client=clients).known(NAMED))
    assert [(each.kind, each.name) for each in sorted(known, key=lambda each: each.kind)] == [
        ("dynamodb", NAME),
        ("rds", NAME),
    ]
    assert {each.id for each in known} == set(first)
    assert clients.called == {*CALLS, *LIST_CALLS}


def test_other_names_are_other_backups(clients: Clients) -> None:
    """Another incident, or a person, takes one of its own."""
    backups = AwsBackups(client=clients)
    for name in (NAME, "responder-20261121-031500-before-the-migration"):
        backups.take(BackUpTable(table="carts", backup=name))
        backups.take(SnapshotDatabase(instance="orders-db", snapshot=name))
    known = backups.known(NAMED)
    assert len(by_hand(known)) == 4
    assert [each.at for each in known] == sorted((each.at for each in known), reverse=True)


def test_what_is_not_there_cannot_be_backed_up(clients: Clients) -> None:
    """It proves that nothing happened."""
    backups = AwsBackups(client=clients)
    with pytest.raises(ChangeRefused):
        backups.take(BackUpTable(table="nowhere", backup=NAME))
    with pytest.raises(ChangeRefused, match="DBInstanceNotFound"):
        backups.take(SnapshotDatabase(instance="nowhere", snapshot=NAME))


def test_every_page_is_looked_through() -> None:
    """A backup of the name may stand on any of them; one that was deleted is none."""
    there = {"BackupArn": "arn:1" + "x" * 40, "BackupName": NAME, "BackupStatus": "AVAILABLE"}

    def pages(parameters: object) -> dict[str, object]:
        first = "ExclusiveStartBackupArn" not in parameters  # type: ignore[operator]
        gone = [{**there, "BackupStatus": "DELETED"}]
        return {"BackupSummaries": gone, "LastEvaluatedBackupArn": "y" * 40} if first else {"BackupSummaries": [there]}

    aws = FakeAws(ListBackups=pages)
    assert AwsBackups(client=aws.client).take(CARTS).made == there["BackupArn"]
    assert [call for call, _ in aws.calls] == ["dynamodb:ListBackups"] * 2


def test_no_answer() -> None:
    """What cannot be listed is not taken; what may have been taken is doubtful."""
    aws = FakeAws(ListBackups=refusal("AccessDeniedException"))
    with pytest.raises(ChangeRefused, match="no backup was taken"):
        AwsBackups(client=aws.client).take(CARTS)
    with pytest.raises(ReadFailed):
        AwsBackups(client=aws.client).known(NAMED)
    aws = FakeAws(
        ListBackups={"BackupSummaries": []},
        CreateBackup=refusal("InternalServerError", status=500),
        CreateDBSnapshot=refusal("InternalFailure", status=500),
    )
    for change in (CARTS, DATABASE):
        with pytest.raises(ChangeDoubtful):
            AwsBackups(client=aws.client).take(change)


def test_a_snapshot_that_is_being_made_has_no_time_yet() -> None:
    """It is listed once it has."""
    made = {
        "DBSnapshotIdentifier": "old",
        "SnapshotCreateTime": datetime(2026, 1, 1, tzinfo=UTC),
        "Status": "available",
    }
    aws = FakeAws(DescribeDBSnapshots={"DBSnapshots": [{"DBSnapshotIdentifier": "new", "Status": "creating"}, made]})
    (known,) = AwsBackups(client=aws.client).known(Backups(rds="orders-db"))
    assert (known.name, known.usable) == ("old", True)
