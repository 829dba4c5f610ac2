"""One DynamoDB table, read consistently and written in conditional transactions; knows nothing of what lies in it."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.domain.errors import LedgerError
from functions.domain.redaction import clean
from functions.domain.table import PARTITION_KEY, SORT_KEY, Index

Item = dict[str, str | int]
"""One item, as plain values."""

Wire = dict[str, Any]
"""What DynamoDB's low-level API takes and gives."""


def to_wire(item: Mapping[str, str | int]) -> Wire:
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in item.items()}


def from_wire(wire: Wire) -> Item:
    return {name: int(value["N"]) if "N" in value else str(value["S"]) for name, value in wire.items()}


Expected = Mapping[str, str | int | None]
"""What an item must still show for a write to go through; None means that the attribute must not be there."""

ABSENT: Expected = {PARTITION_KEY: None}
ANYTHING: Expected = {}
"""For an item that has one writer."""


class Writes:
    """The parts of one transaction on one table, in the order their outcome is reported."""

    def __init__(self, table: str) -> None:
        self._table = table
        self.requests: list[Wire] = []

    def put(self, item: Item, *, when: Expected) -> "Writes":
        return self._add("Put", {"Item": to_wire(item)}, when)

    def delete(self, at: Item, *, when: Expected) -> "Writes":
        return self._add("Delete", {"Key": to_wire(at)}, when)

    def check(self, at: Item, *, when: Expected) -> "Writes":
        return self._add("ConditionCheck", {"Key": to_wire(at)}, when)

    def update(self, at: Item, *, when: Expected, changes: Expected) -> "Writes":
        """Set attributes, or remove those whose new value is None."""
        kept = {name: value for name, value in changes.items() if value is not None}
        removed = [name for name, value in changes.items() if value is None]
        expression = "SET " + ", ".join(f"#{name} = :new_{name}" for name in kept)
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        return self._add(
            "Update",
            {
                "Key": to_wire(at),
                "UpdateExpression": expression,
                "ExpressionAttributeNames": {f"#{name}": name for name in changes},
                "ExpressionAttributeValues": to_wire({f":new_{name}": value for name, value in kept.items()}),
            },
            when,
        )

    def _add(self, kind: str, request: Wire, when: Expected) -> "Writes":
        values = to_wire({f":old_{name}": value for name, value in when.items() if value is not None})
        request = {"TableName": self._table, **request}
        if when:
            request["ConditionExpression"] = " AND ".join(
                f"attribute_not_exists(#{name})" if value is None else f"#{name} = :old_{name}"
                for name, value in when.items()
            )
            request["ExpressionAttributeNames"] = request.get("ExpressionAttributeNames", {}) | {
                f"#{name}": name for name in when
            }
        if values:
            request["ExpressionAttributeValues"] = request.get("ExpressionAttributeValues", {}) | values
        self.requests.append({kind: request})
        return self


class Cancelled(LedgerError):
    """A transaction did not go through; `codes` holds one reason for each of its parts."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__(f"the transaction was cancelled: {', '.join(codes)}")
        self.codes = codes

    def refused(self, part: int) -> bool:
        """Whether that part's own condition no longer held, which no repetition can change."""
        return part < len(self.codes) and self.codes[part] == "ConditionalCheckFailed"


class Table:
    """The door to one table. Raises LedgerError when DynamoDB does not answer or refuses."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def writes(self) -> Writes:
        """An empty transaction on this table."""
        return Writes(self.name)

    def get(self, at: Item) -> Item | None:
        """One item, read consistently."""
        answer = self._call("get_item", Key=to_wire(at), ConsistentRead=True)
        return from_wire(answer["Item"]) if "Item" in answer else None

    def records(self, partition: str, prefix: str) -> list[Item]:
        """All records of one kind in a partition, in the order of their sort keys, read consistently."""
        return list(
            self._query(
                KeyConditionExpression="#pk = :pk AND begins_with(#sk, :prefix)",
                ExpressionAttributeNames={"#pk": PARTITION_KEY, "#sk": SORT_KEY},
                ExpressionAttributeValues=to_wire({":pk": partition, ":prefix": prefix}),
                ConsistentRead=True,
            )
        )

    def partition(self, partition: str) -> dict[str, Item]:
        """Everything in a partition, by its sort keys, read consistently."""
        found = self._query(
            KeyConditionExpression="#pk = :pk",
            ExpressionAttributeNames={"#pk": PARTITION_KEY},
            ExpressionAttributeValues=to_wire({":pk": partition}),
            ConsistentRead=True,
        )
        return {str(item[SORT_KEY]): item for item in found}

    def listed(
        self, index: Index, partition: str, *, between: tuple[str, str] | None = None, limit: int | None = None
    ) -> list[Item]:
        """What an index lists, newest first: an eventually consistent copy for people and for a first glance."""
        condition, values = "#pk = :pk", {":pk": partition}
        names = {"#pk": index.partition_key}
        if between is not None:
            condition += " AND #at BETWEEN :start AND :end"
            names["#at"] = index.sort_key
            values[":start"], values[":end"] = between[0] or " ", between[1]
        found = self._query(
            IndexName=index.name,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=to_wire(values),
            ScanIndexForward=False,
            **({} if limit is None else {"Limit": limit}),
        )
        return list(islice(found, limit))

    def _query(self, **request: Any) -> Iterator[Item]:
        while True:
            answer = self._call("query", **request)
            for wire in answer["Items"]:
                yield from_wire(wire)
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, item: Item) -> None:
        """Overwrite an item that has one writer."""
        self._call("put_item", Item=to_wire(item))

    def transact(self, writes: Writes) -> None:
        """All of the writes, or none.

        Raises:
            Cancelled: a condition no longer held, or another transaction was in the way.
        """
        # boto3 adds a client request token: resending a transaction whose answer was lost does not repeat it.
        self._send("transact_write_items", TransactItems=writes.requests)

    def _call(self, operation: str, **request: Any) -> Any:
        return self._send(operation, TableName=self.name, **request)

    def _send(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "TransactionCanceledException":
                reasons = error.response.get("CancellationReasons", [])
                raise Cancelled(tuple(reason.get("Code", "") for reason in reasons)) from error
            raise LedgerError(f"the table {self.name} did not take {operation}: {clean(str(error))}") from error
        except BotoCoreError as error:
            raise LedgerError(f"the table {self.name} cannot be reached: {clean(str(error))}") from error
