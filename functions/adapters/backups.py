"""Backups of tables and DB instances: takes them, lists them, and deletes none."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.answers import Answer, changing, code_of, reading, request_id, required_moment
from functions.domain.backups import BackupFacts, Backups
from functions.domain.called import Service
from functions.domain.changes import BackUpTable, ChangeResult, SnapshotDatabase
from functions.domain.errors import ChangeRefused, ReadFailed

CALLS = ("dynamodb:ListBackups", "dynamodb:CreateBackup", "rds:CreateDBSnapshot")
"""IAM actions of taking backups. ListBackups takes no resource (Service Authorization Reference)."""

LIST_CALLS = ("dynamodb:ListBackups", "rds:DescribeDBSnapshots")
"""IAM actions of listing them, at the desk."""

_EXISTS = "DBSnapshotAlreadyExists"


class AwsBackups:
    """The `BackupKeeper` of the desk, and a part of the changer. Takes a backup under a name, and only once: one of
    that name is there already when it is taken again."""

    def __init__(self, *, client: Callable[[Service], Any]) -> None:
        """`client` makes a client that sends each call once."""
        self._client = client

    def take(self, change: BackUpTable | SnapshotDatabase) -> ChangeResult:
        """As the `ServiceChanger` does it, and with the same errors."""
        return self._back_up(change) if isinstance(change, BackUpTable) else self._snapshot(change)

    def _back_up(self, change: BackUpTable) -> ChangeResult:
        """DynamoDB takes any number of backups of one name, so it is looked for first."""
        try:
            with reading(f"the backups of table {change.table}"):
                there = next((b for b in self._of_table(change.table) if b.get("BackupName") == change.backup), None)
        except ReadFailed as failed:
            raise ChangeRefused(f"no backup was taken: {failed}") from failed
        if there is not None:
            return ChangeResult(made=there["BackupArn"])
        with changing(f"CreateBackup of table {change.table}"):
            answer = self._client("dynamodb").create_backup(TableName=change.table, BackupName=change.backup)
        return ChangeResult(
            request_id=request_id(answer), made=answer.get("BackupDetails", {}).get("BackupArn", change.backup)
        )

    def _snapshot(self, change: SnapshotDatabase) -> ChangeResult:
        """RDS refuses a second snapshot of one name."""
        with changing(f"CreateDBSnapshot of {change.instance}"):
            try:
                answer = self._client("rds").create_db_snapshot(
                    DBInstanceIdentifier=change.instance, DBSnapshotIdentifier=change.snapshot
                )
            except ClientError as error:
                if code_of(error) != _EXISTS:
                    raise
                answer = {}
        return ChangeResult(request_id=request_id(answer), made=change.snapshot)

    def known(self, backups: Backups) -> Sequence[BackupFacts]:
        """What there is of these tables and this DB instance, whoever took it, newest first.

        Raises:
            ReadFailed: if AWS does not say.
        """
        found: list[BackupFacts] = []
        for table in backups.dynamodb:
            with reading(f"the backups of table {table}"):
                found += [_table_backup(table, answer) for answer in self._of_table(table, kind="ALL")]
        if backups.rds is not None:
            with reading(f"the snapshots of DB instance {backups.rds}"):
                pages = self._client("rds").get_paginator("describe_db_snapshots")
                for page in pages.paginate(DBInstanceIdentifier=backups.rds):
                    # A snapshot that is being made has no time yet.
                    made = [s for s in page.get("DBSnapshots", ()) if "SnapshotCreateTime" in s]
                    found += [_database_snapshot(backups.rds, answer) for answer in made]
        return tuple(sorted(found, key=lambda backup: backup.at, reverse=True))

    def _of_table(self, table: str, *, kind: str = "USER") -> Iterator[Answer]:
        pages = self._client("dynamodb").get_paginator("list_backups")
        for page in pages.paginate(TableName=table, BackupType=kind):
            yield from (b for b in page.get("BackupSummaries", ()) if b.get("BackupStatus") != "DELETED")


def _table_backup(table: str, answer: Answer) -> BackupFacts:
    return BackupFacts(
        kind="dynamodb",
        of=table,
        id=answer.get("BackupArn", ""),
        name=answer.get("BackupName", ""),
        at=required_moment(answer, "BackupCreationDateTime", of=f"the backups of table {table}"),
        status=answer.get("BackupStatus", ""),
    )


def _database_snapshot(instance: str, answer: Answer) -> BackupFacts:
    name = answer.get("DBSnapshotIdentifier", "")
    return BackupFacts(
        kind="rds",
        of=instance,
        id=name,
        name=name,
        at=required_moment(answer, "SnapshotCreateTime", of=f"the snapshots of DB instance {instance}"),
        status=answer.get("Status", ""),
    )
