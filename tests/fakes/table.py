"""The ledger's table, made from its declaration the way the infrastructure makes it."""

from typing import Any

from functions.domain.table import INDEXES, PARTITION_KEY, SORT_KEY


def create_table(client: Any, name: str) -> None:
    """Create the table with all its indexes and wait until it is there."""
    attributes = {PARTITION_KEY, SORT_KEY}.union(*({index.partition_key, index.sort_key} for index in INDEXES))
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": a, "AttributeType": "S"} for a in sorted(attributes)],
        KeySchema=_key_schema(PARTITION_KEY, SORT_KEY),
        GlobalSecondaryIndexes=[
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.partition_key, index.sort_key),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index in INDEXES
        ],
    )
    client.get_waiter("table_exists").wait(TableName=name)


def _key_schema(partition_key: str, sort_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]
