"""How much would be lost: the newest backup of what the playbook wants backed up. No cause rests on it."""

from collections.abc import Mapping
from typing import Any

from functions.diagnostics.look import Surroundings
from functions.domain.backups import RecoveryPoints


def read_backups(around: Surroundings, known: Mapping[str, Any]) -> RecoveryPoints:
    """Nothing is asked where the playbook has no `rpo`, or names nothing to back up."""
    backups = around.recovery_of
    if backups is None or backups.nothing:
        return RecoveryPoints()
    asked = (*backups.dynamodb, *([] if backups.rds is None else [backups.rds]))
    usable = [backup for backup in around.readers.backups.known(backups) if backup.usable]
    newest = (max((b for b in usable if b.of == name), key=lambda b: b.at, default=None) for name in asked)
    return RecoveryPoints(asked=asked, newest=tuple(backup for backup in newest if backup is not None))
