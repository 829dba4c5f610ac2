"""What one call is charged as. Every service that the responder calls is here: what is free is said to be free.

Source: the pricing pages that `tools/cost/prices.py` names, and of DynamoDB the Developer Guide, "DynamoDB read and
write operations" (units by size, transactions twice) and "Using Global Secondary Indexes" (a write in an index).
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.domain.table import INDEXES, PARTITION_KEY, SORT_KEY, Index
from tools.cost.prices import Item

Given = Mapping[str, Any]
Record = Mapping[str, Mapping[str, str]]
"""An item of the table, as DynamoDB's low-level API has it."""

READ_UNIT, WRITE_UNIT = 4096, 1024
"""Bytes."""

FREE = frozenset(
    {
        "application-autoscaling",
        "arc-zonal-shift",
        "cloudtrail",  # LookupEvents; only trails beside the first are charged for
        "cloudformation",
        "dynamodb",
        "ec2",
        "ecr",
        "ecs",
        "elasticloadbalancing",
        "guardduty",
        "health",
        "rds",
        "servicequotas",
        "ssm",
        "states",  # its transitions are counted where the executions are
        "sts",
        "tagging",
    }
)
"""Names for which requests are signed, of services whose API calls cost nothing."""

OF_TABLE = ("GetItem", "BatchGetItem", "Query", "PutItem", "TransactWriteItems")
"""What the ledger asks of DynamoDB. Other calls cost nothing by themselves; a backup that a playbook asks for is paid
for by the size of the user's table."""

BYTES_PER_GB = 1e9


def of_call(model: Any, given: Given, *, subscribers: int) -> Counter[Item]:
    """All but DynamoDB's. `model` is botocore's of the operation, `subscribers` how many addresses get a page.

    Raises:
        KeyError: for a service that is not known here.
    """
    service, operation = model.service_model.signing_name, model.name
    match service:
        case "monitoring":
            return _of_cloudwatch(operation, given)
        case "logs":
            return Counter()  # by what was scanned, in `scanned`
        case "s3":
            if operation == "PutObject":
                size = len(given["Body"])
                return Counter({Item.OBJECT_WRITE: 1, Item.OBJECT_GB: size / BYTES_PER_GB})
            return Counter({Item.OBJECT_READ: 1})
        case "sns":
            # SNS asks the key once for the message and once for its delivery, if it has nothing left from before.
            return Counter({Item.SNS_REQUEST: 1, Item.SNS_EMAIL: subscribers, Item.KEY_REQUEST: 2})
        case "events":
            return Counter({Item.EVENT: len(given["Entries"])})
        case "sqs":
            return Counter({Item.SQS_REQUEST: 1})
        case "ce":
            return Counter({Item.BILL_REQUEST: 1})
        case "secretsmanager":
            return Counter({Item.SECRET_REQUEST: 1})
    if service in FREE:
        return Counter()
    raise KeyError(f"nobody said what {service}:{operation} costs")


def of_message(*, by_topic: bool) -> Counter[Item]:
    """A message on its way in: put into the queue, received and deleted; by the topic, also published and decrypted."""
    through = {Item.SNS_REQUEST: 1, Item.KEY_REQUEST: 2} if by_topic else {}
    return Counter({Item.SQS_REQUEST: 3, **through})


def _of_cloudwatch(operation: str, given: Given) -> Counter[Item]:
    if operation == "GetMetricData":
        return Counter({Item.METRIC_READ: sum("MetricStat" in query for query in given["MetricDataQueries"])})
    return Counter({Item.CLOUDWATCH_REQUEST: 1})


def of_reading(operation: str, given: Given, answer: Given) -> float:
    """Read units of a GetItem, of a Query, or of a BatchGetItem, of which each item counts by itself (DynamoDB API
    reference, BatchGetItem)."""
    if operation == "BatchGetItem":
        ((table, asked),) = given["RequestItems"].items()
        found = answer["Responses"].get(table, ())
        missing: list[Given] = [{}] * (len(asked["Keys"]) - len(found))
        return sum(of_reading("GetItem", asked, {"Item": item} if item else {}) for item in (*found, *missing))
    found = answer["Items"] if operation == "Query" else [answer["Item"]] if "Item" in answer else []
    units = max(1, math.ceil(sum(map(size, found)) / READ_UNIT))
    return units if given.get("ConsistentRead") else units / 2


def of_writing(
    parts: Sequence[Given], lookup: Callable[[Record], Record | None], *, write: Callable[[], Given], transaction: bool
) -> float:
    """Write units of the parts of a transaction, or of one put; `write` carries it out meanwhile.

    A condition that is only checked counts as a write. So does one that failed, in full: nobody is told why.
    """
    keys = [_key(part) for part in parts]
    before = [lookup(key) for key in keys]
    factor = 2 if transaction else 1
    try:
        write()
    finally:
        after = [lookup(key) for key in keys]
        units = float(sum(factor * _units(old, new) for old, new in zip(before, after, strict=True)))
        units += sum(_in_index(index, old, new) for old, new in zip(before, after, strict=True) for index in INDEXES)
    return units


def size(item: Record) -> int:
    """Bytes of an item: names and values."""
    return sum(len(name) + len(next(iter(value.values())).encode()) for name, value in item.items())


def _key(part: Given) -> Record:
    item = part["Item"] if "Item" in part else part["Key"]
    return {PARTITION_KEY: item[PARTITION_KEY], SORT_KEY: item[SORT_KEY]}


def _units(old: Record | None, new: Record | None) -> int:
    return max(1, *(math.ceil(size(each) / WRITE_UNIT) for each in (old, new) if each is not None), 1)


def _in_index(index: Index, old: Record | None, new: Record | None) -> int:
    """An entry that stays where it is is written once, one that moves is deleted and written."""
    listed = [_entry(index, each) for each in (old, new)]
    if old == new or listed == [None, None]:
        return 0
    places = {tuple(str(each[key]) for key in (index.partition_key, index.sort_key)) for each in listed if each}
    if len(places) == 1 and None not in listed:
        return _units(old, new)
    return sum(_units(each, None) for each in listed if each is not None)


def _entry(index: Index, item: Record | None) -> Record | None:
    return item if item is not None and index.partition_key in item and index.sort_key in item else None
