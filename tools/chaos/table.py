"""The ledger's table in memory: what DynamoDB answers to the calls that the ledger makes, and to no others.

Source: DynamoDB API reference, TransactWriteItems ("no two actions can target the same item"), Query, and Developer
Guide, "Using expressions in DynamoDB". A test holds it to what the ledger asks of DynamoDB itself.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from functions.domain.table import INDEXES, PARTITION_KEY, SORT_KEY
from tools.drill.world.refusal import Refused

Attribute = dict[str, str]
Item = dict[str, Attribute]
Answer = dict[str, Any]

MOST_ITEMS = 100
"""Of one transaction."""

_KEYS = {index.name: (index.partition_key, index.sort_key) for index in INDEXES}


class TableInMemory:
    """One table with the ledger's indexes. An index is up to date at once; `chaos` lets it be behind."""

    def __init__(self) -> None:
        self._partitions: dict[str, dict[str, Item]] = {}

    @property
    def answering(self) -> Mapping[str, Callable[[Mapping[str, Any]], Answer]]:
        """The operations, by name."""
        return {
            "GetItem": self._get_item,
            "Query": self._query,
            "PutItem": self._put_item,
            "TransactWriteItems": self._transact_write_items,
        }

    def items(self) -> Iterator[Item]:
        """Everything that lies in it."""
        for partition in self._partitions.values():
            yield from partition.values()

    def state_of(self, incident_id: str | None) -> tuple[Mapping[str, Any] | None, tuple[str, ...]]:
        """The newest event of an incident, and the ids of all leases that are out, past the calls that are counted."""
        events = self._partitions.get(f"INCIDENT#{incident_id}", {})
        last = max((sort for sort in events if sort.startswith("EVENT#")), default=None)
        leases = [
            i[SORT_KEY]["S"].removeprefix("LEASE#") for i in self.items() if i[SORT_KEY]["S"].startswith("LEASE#")
        ]
        return None if last is None else json.loads(events[last]["body"]["S"]), tuple(sorted(leases))

    def lose(self, partition: str, sort: str) -> None:
        """Let an item be gone, as nobody of ours ever deletes one: for tests that ask whether it is noticed."""
        self._partitions[partition].pop(sort)

    def _get_item(self, given: Mapping[str, Any]) -> Answer:
        found = self._at(given["Key"])
        return {} if found is None else {"Item": dict(found)}

    def _put_item(self, given: Mapping[str, Any]) -> Answer:
        self._store(given["Item"])
        return {}

    def _query(self, given: Mapping[str, Any]) -> Answer:
        names, values = given["ExpressionAttributeNames"], given["ExpressionAttributeValues"]
        partition_name, sort_name = _KEYS[given["IndexName"]] if "IndexName" in given else (PARTITION_KEY, SORT_KEY)
        first, *rest = given["KeyConditionExpression"].split(" AND ", 1)
        name, value = first.split(" = ")
        if names[name] != partition_name:
            raise Refused("ValidationException", f"Query condition missed key schema element: {partition_name}")
        wanted = values[value]["S"]
        if "IndexName" in given:
            found = [i for i in self.items() if i.get(partition_name, {}).get("S") == wanted and sort_name in i]
        else:
            found = list(self._partitions.get(wanted, {}).values())
        if rest:
            fits = _sort_condition(rest[0], names, values, sort_name)
            found = [item for item in found if fits(item[sort_name]["S"])]
        found.sort(key=lambda item: item[sort_name]["S"], reverse=not given.get("ScanIndexForward", True))
        return {"Items": [dict(item) for item in found[: given.get("Limit")]]}

    def _transact_write_items(self, given: Mapping[str, Any]) -> Answer:
        parts = [next(iter(part.items())) for part in given["TransactItems"]]
        places = [_place(request["Item"] if kind == "Put" else request["Key"]) for kind, request in parts]
        if len(set(places)) < len(places):
            raise Refused("ValidationException", "Transaction request cannot include multiple operations on one item")
        if len(parts) > MOST_ITEMS:
            raise Refused("ValidationException", f"Member must have length less than or equal to {MOST_ITEMS}")
        reasons = [{"Code": "None"} if self._holds(kind, request) else _FAILED for kind, request in parts]
        if _FAILED in reasons:
            raise Refused(
                "TransactionCanceledException",
                f"Transaction cancelled, reasons [{', '.join(reason['Code'] for reason in reasons)}]",
                more={"CancellationReasons": reasons},
            )
        for kind, request in parts:
            self._write(kind, request)
        return {}

    def _holds(self, kind: str, request: Mapping[str, Any]) -> bool:
        if "ConditionExpression" not in request:
            return True
        found = self._at(request["Item"] if kind == "Put" else request["Key"]) or {}
        names, values = request["ExpressionAttributeNames"], request.get("ExpressionAttributeValues", {})
        return all(_holds(part, found, names, values) for part in request["ConditionExpression"].split(" AND "))

    def _write(self, kind: str, request: Mapping[str, Any]) -> None:
        match kind:
            case "Put":
                self._store(request["Item"])
            case "Delete":
                partition, sort = _place(request["Key"])
                self._partitions.get(partition, {}).pop(sort, None)
            case "Update":
                self._store(_updated({**request["Key"], **(self._at(request["Key"]) or {})}, request))
            case "ConditionCheck":
                pass
            case _:
                raise NotImplementedError(kind)

    def _at(self, key: Mapping[str, Attribute]) -> Item | None:
        partition, sort = _place(key)
        return self._partitions.get(partition, {}).get(sort)

    def _store(self, item: Mapping[str, Attribute]) -> None:
        partition, sort = _place(item)
        self._partitions.setdefault(partition, {})[sort] = dict(item)


_FAILED = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}


def _place(item: Mapping[str, Attribute]) -> tuple[str, str]:
    return item[PARTITION_KEY]["S"], item[SORT_KEY]["S"]


def _holds(part: str, item: Item, names: Mapping[str, str], values: Mapping[str, Attribute]) -> bool:
    if part.startswith("attribute_not_exists("):
        return names[part.removeprefix("attribute_not_exists(").removesuffix(")")] not in item
    name, equal, value = part.split()
    if equal != "=":
        raise NotImplementedError(f"condition {part}")
    return item.get(names[name]) == values[value]


def _updated(item: Item, request: Mapping[str, Any]) -> Item:
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    sets, _, removes = request["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    for part in sets.split(", "):
        name, value = part.split(" = ")
        item[names[name]] = values[value]
    for name in removes.split(", ") if removes else ():
        item.pop(names[name], None)
    return item


def _sort_condition(
    part: str, names: Mapping[str, str], values: Mapping[str, Attribute], sort_name: str
) -> Callable[[str], bool]:
    if part.startswith("begins_with("):
        name, value = part.removeprefix("begins_with(").removesuffix(")").split(", ")
        prefix = values[value]["S"]
        fits: Callable[[str], bool] = lambda sort: sort.startswith(prefix)  # noqa: E731
    else:
        name, between, low, _, high = part.split()
        if between != "BETWEEN":
            raise NotImplementedError(f"condition {part}")
        start, end = values[low]["S"], values[high]["S"]
        fits = lambda sort: start <= sort <= end  # noqa: E731
    if names[name] != sort_name:
        raise Refused("ValidationException", f"Query condition missed key schema element: {sort_name}")
    return fits
