"""Backups as the world answers for them (API references of Amazon DynamoDB and Amazon RDS): kept, and in nobody's way.

Any table and any DB instance can be backed up: a world does not know what a drilled playbook names.
"""

from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.world import World


def create_backup(world: World, parameters: Parameters) -> Answer:
    table, name = parameters["TableName"], parameters["BackupName"]
    world.happened("backup", f"table {table} as {name}")
    where = f"{world.setting.region}:{world.setting.account}"
    arn = f"arn:aws:dynamodb:{where}:table/{table}/backup/{world.chance.token(f'{table}/{name}', len(world.backups))}"
    summary = {
        "TableName": table,
        "BackupArn": arn,
        "BackupName": name,
        "BackupCreationDateTime": world.now,
        "BackupStatus": "AVAILABLE",
        "BackupType": "USER",
    }
    world.backups.append(summary)
    return {"BackupDetails": {key: value for key, value in summary.items() if key != "TableName"}}


def list_backups(world: World, parameters: Parameters) -> Answer:
    if unknown := sorted(set(parameters) - {"TableName", "BackupType", "Limit"}):
        raise NotImplementedError(f"the world cannot list backups by {', '.join(unknown)}")
    table = parameters.get("TableName")
    return {"BackupSummaries": [summary for summary in world.backups if table in (None, summary.get("TableName"))]}


def create_db_snapshot(world: World, parameters: Parameters) -> Answer:
    instance, name = parameters["DBInstanceIdentifier"], parameters["DBSnapshotIdentifier"]
    if any(snapshot.get("DBSnapshotIdentifier") == name for snapshot in world.backups):
        raise Refused("DBSnapshotAlreadyExists", f"Cannot create the snapshot because {name} already exists.")
    world.happened("backup", f"DB instance {instance} as {name}")
    snapshot = {"DBSnapshotIdentifier": name, "DBInstanceIdentifier": instance, "Status": "creating"}
    world.backups.append(snapshot)
    return {"DBSnapshot": snapshot}


def describe_db_snapshots(world: World, parameters: Parameters) -> Answer:
    if unknown := sorted(set(parameters) - {"DBInstanceIdentifier", "MaxRecords"}):
        raise NotImplementedError(f"the world cannot describe snapshots by {', '.join(unknown)}")
    instance = parameters["DBInstanceIdentifier"]
    return {"DBSnapshots": [kept for kept in world.backups if kept.get("DBInstanceIdentifier") == instance]}


BACKUPS = Operations(
    keeping={
        "CreateBackup": create_backup,
        "ListBackups": list_backups,
        "CreateDBSnapshot": create_db_snapshot,
        "DescribeDBSnapshots": describe_db_snapshots,
    }
)
