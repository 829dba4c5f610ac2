"""Backups: what a playbook wants saved before something else is done, and what there is of them."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.model import Model, Moment

PREFIX = "responder-"
"""Begins the name of every backup that is taken here; grants go by it."""

_LONGEST_REASON = 60

_TableName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]


class Backups(BaseModel):
    """What `back-up` saves: DynamoDB tables, and a DB instance of RDS."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    dynamodb: Annotated[tuple[_TableName, ...], Field(max_length=20)] = ()
    """Names of tables, each of which gets an on-demand backup; 20 at most."""
    rds: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$")] | None = None
    """DB instance identifier. An Aurora cluster has none of which RDS takes a snapshot."""

    def __str__(self) -> str:
        named = [f"table {table}" for table in self.dynamodb]
        return ", ".join([*named, *([] if self.rds is None else [f"DB instance {self.rds}"])])

    @property
    def nothing(self) -> bool:
        return not self.dynamodb and self.rds is None


class BackupFacts(Model):
    """One backup that there is."""

    kind: Literal["dynamodb", "rds"]
    of: str
    """Name of the table, or DB instance identifier."""
    id: str
    """ARN of the backup, or snapshot identifier: what a restore asks for."""
    name: str
    at: Moment
    status: str = ""
    """As AWS says it, for example AVAILABLE or creating."""

    @property
    def usable(self) -> bool:
        return self.status.lower() == "available"

    def restore_command(self, region: str) -> str:
        """What a person may run: it makes a new table or DB instance, and leaves the one there is alone."""
        if self.kind == "dynamodb":
            return (
                f"aws dynamodb restore-table-from-backup --target-table-name {self.of}-restored "
                f"--backup-arn {self.id} --region {region}"
            )
        return (
            f"aws rds restore-db-instance-from-db-snapshot --db-instance-identifier {self.of}-restored "
            f"--db-snapshot-identifier {self.id} --region {region}"
        )


class RecoveryPoints(Model):
    """The newest usable backup of each thing that the playbook wants backed up."""

    asked: tuple[str, ...] = ()
    """What was looked for: names of tables and of the DB instance. Empty where nobody wants to know."""
    newest: tuple[BackupFacts, ...] = ()

    @property
    def without(self) -> str:
        """What has no usable backup at all."""
        return ", ".join(name for name in self.asked if name not in {backup.of for backup in self.newest})

    @property
    def weakest(self) -> BackupFacts | None:
        """The backup that decides how much would be lost, the oldest of the newest ones; None where one is missing."""
        return None if self.without else min(self.newest, key=lambda backup: backup.at, default=None)


def name_in(incident_id: str) -> str:
    """The name of every backup of an incident: what is taken a second time is recognised by it."""
    return f"{PREFIX}{incident_id}"


def name_by_hand(at: datetime, reason: str) -> str:
    """The name of what an operator takes: when, and why. Letters, digits and single hyphens, as RDS wants it (API
    reference, CreateDBSnapshot)."""
    plain = unicodedata.normalize("NFKD", reason).encode("ascii", "ignore").decode().lower()
    said = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_REASON].strip("-")
    return f"{PREFIX}{at:%Y%m%d-%H%M%S}" + (f"-{said}" if said else "")
