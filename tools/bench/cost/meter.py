"""The responder in a drill's world with a meter on it: whatever AWS would charge for is counted, by who did it."""

import io
import json
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from functions.adapters.ledger import DynamoLedger
from functions.adapters.s3 import S3Archive
from functions.domain.counts import SERVICE
from functions.observability import counting
from functions.workflow.table import Function, StepName
from infra.workflow import definition
from tools.bench.cost import units
from tools.chaos.deployment import FragileDeployment
from tools.cost.durations import KEPT_S, LOG_BYTES, MEMORY_GB, billed_s
from tools.cost.prices import Item
from tools.drill.engine import Execution, Json
from tools.drill.world import wire
from tools.drill.world.world import World

SUBSCRIBERS = 1
"""Addresses that get each page."""

PLATFORM = "the state machine"
"""In place of a function."""

EVENT_BYTES = 26
"""More for each line of a log (Amazon CloudWatch Logs API reference, PutLogEvents)."""

_BEGIN = 1
_FAILURE = 3
"""States after a step that failed: whose failure, the page, the end."""


class Meter(dict[str, Counter[Item]]):
    """What was used, by who used it."""

    def add(self, who: str, used: Mapping[Item, float]) -> None:
        mine = self.setdefault(who, Counter())
        for item, amount in used.items():
            mine[item] += amount  # type: ignore[assignment]

    @property
    def all(self) -> Counter[Item]:
        return sum(self.values(), Counter())


@dataclass
class Wakings:
    """When a function ran, for what its environment has left."""

    last: dict[str, datetime] = field(default_factory=dict)

    def cold(self, function: str, at: datetime) -> bool:
        before = self.last.get(function)
        self.last[function] = at
        return before is None or (at - before).total_seconds() > KEPT_S


class Metered(FragileDeployment):
    """As `FragileDeployment`; `around` has to be on the wire."""

    def __init__(self, world: World, **rest: Any) -> None:
        super().__init__(world, **rest)
        clients, settings = rest["clients"], rest["settings"]
        alarms = {name for playbook in rest["playbooks"] for name in playbook.alarm_names}
        self.ledger = DynamoLedger(
            clients.repeating("dynamodb"),
            table=settings.table,
            clock=self._clock,
            archive=S3Archive(clients.repeating("s3"), bucket=settings.bucket),
            pause=lambda _: None,
            written=counting(lambda: alarms),
        )
        self.meter = Meter()
        self.calls: Counter[tuple[str, str, str]] = Counter()
        """By function, service and operation."""
        self.invocations: Counter[str] = Counter()
        self.metrics: set[tuple[str, int]] = set()
        """Custom metrics with the hours in which they were written."""
        self.unpriced: set[str] = set()
        """Calls of which nobody said what they cost."""
        self._wakings = Wakings()
        self._scanned: dict[str, float] = {}

    def around(self, model: Any, given: Mapping[str, Any], attempts: int, ask: Callable[[], Json]) -> Json:
        """Count one call."""
        if not self.running:
            return ask()  # people at a desk, and the bench itself
        running = self.running[-1]
        running.calls += 1
        self.calls[running.function, model.service_model.signing_name, model.name] += 1
        if model.service_model.signing_name == "dynamodb" and model.name in units.OF_TABLE:
            return self._of_table(running.function, model.name, given, ask)
        answer = ask()
        try:
            self.meter.add(running.function, units.of_call(model, given, subscribers=SUBSCRIBERS))
        except KeyError as unknown:
            self.unpriced.add(str(unknown))
        if model.name == "GetQueryResults":
            self._scan(running.function, given["queryId"], answer)
        return answer

    def _of_table(self, who: str, operation: str, given: Mapping[str, Any], ask: Callable[[], Json]) -> Json:
        if operation in ("GetItem", "BatchGetItem", "Query"):
            answer = ask()
            self.meter.add(who, {Item.READ: units.of_reading(operation, given, answer)})
            return answer
        transaction = "TransactItems" in given
        parts: list[Mapping[str, Any]] = [given]
        if transaction:
            parts = [request for part in given["TransactItems"] for request in part.values()]
        answers: list[Json] = []
        kept = 0

        def write() -> Json:
            answers.append(ask())
            return answers[0]

        before = self._stored(parts)
        try:
            self.meter.add(
                who, {Item.WRITE: units.of_writing(parts, self._record, write=write, transaction=transaction)}
            )
        finally:
            kept = self._stored(parts) - before
            self.meter.add(who, {Item.TABLE_GB: max(0, kept) / units.BYTES_PER_GB})
        return answers[0]

    def _record(self, key: units.Record) -> units.Record | None:
        found: units.Record | None = self.table.answering["GetItem"]({"Key": key}).get("Item")
        return found

    def _stored(self, parts: Sequence[Mapping[str, Any]]) -> int:
        found = [self._record(part["Item"] if "Item" in part else part["Key"]) for part in parts]
        return sum(units.size(each) for each in found if each is not None)

    def _scan(self, who: str, query: str, answer: Json) -> None:
        """A query is charged once, however often it is asked for its results."""
        scanned = float(answer.get("statistics", {}).get("bytesScanned", 0.0))
        self.meter.add(who, {Item.SCANNED_GB: (scanned - self._scanned.get(query, 0.0)) / units.BYTES_PER_GB})
        self._scanned[query] = scanned

    def take(self, message: dict[str, Any]) -> None:
        for record in message["Records"]:
            self.meter.add("intake", units.of_message(by_topic='"TopicArn"' in record["body"]))
        super().take(message)

    @contextmanager
    def invocation(self, function: str, **known: Any) -> Iterator[None]:
        cold = self._wakings.cold(function, self._clock.now())
        self.invocations[function] += 1
        printed = io.StringIO()
        with redirect_stdout(printed), logged() as lines, super().invocation(function, **known):
            running = self.running[-1]
            try:
                yield
            finally:
                used = {
                    Item.LAMBDA_REQUEST: 1,
                    Item.LAMBDA_GB_S: MEMORY_GB * billed_s(calls=running.calls, cold=cold),
                    Item.LOG_GB: (LOG_BYTES + self._written(printed, lines)) / units.BYTES_PER_GB,
                }
                self.meter.add(function, used)

    def _written(self, printed: io.StringIO, lines: list[str]) -> int:
        """Bytes of log, and the metrics that stand in it."""
        told = [*printed.getvalue().splitlines(), *lines]
        hour = int(self._clock.now().timestamp() // 3600)
        for line in told:
            if '"_aws"' in line:
                self.metrics |= {(name, hour) for name in metrics_of(json.loads(line))}
        return sum(len(line.encode()) + EVENT_BYTES for line in told)

    def transitions(self) -> Counter[str]:
        """State transitions of every execution, by its name."""
        return Counter({each.name: transitions_of(each) for each in self.engine.executions})


def metrics_of(line: Mapping[str, Any]) -> Iterator[str]:
    """Each metric of a line in the embedded format, with the values of its dimensions: those make it another one."""
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for dimensions in directive["Dimensions"]:
            values = ",".join(f"{name}={line[name]}" for name in sorted(dimensions))
            for metric in directive["Metrics"]:
                yield f"{directive['Namespace']}/{metric['Name']}{{{values}}}"


def transitions_of(execution: Execution) -> int:
    """State transitions of one execution: the states that it went through, as the table compiles to them."""
    count = _BEGIN
    if execution.steps[-1] is StepName.END and "End" not in _compiled()[execution.steps[-2].value]:
        count += 1
    count += execution.waits + sum(states_of()[step] for step in execution.steps if step is not StepName.END)
    return count + (_FAILURE if execution.status == "FAILED" else 0)


@cache
def states_of() -> Mapping[StepName, int]:
    """How many states of the compiled machine one visit of a step takes beside its wait: the step, and reading its
    answer."""
    states = _compiled()
    return {step: sum(name in states for name in (step, f"after {step}")) for step in StepName}


@cache
def _compiled() -> Json:
    functions = {each: f"arn:function:{each}" for each in Function}
    compiled = definition(functions=functions, function_timeout_s=60, page_topic="t", state_machine="m")
    states: Json = compiled["States"]
    return states


class _Lines(logging.Handler):
    """Log lines as they would be written."""

    def __init__(self, formatter: logging.Formatter | None) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def logged() -> Iterator[list[str]]:
    """What the functions log, in place of everybody who hears it otherwise."""
    logger = logging.getLogger(SERVICE)
    before, level, propagates = logger.handlers[:], logger.level, logger.propagate
    lines = _Lines(next((handler.formatter for handler in before), None))
    logger.handlers[:], logger.propagate = [lines], False
    logger.setLevel(logging.INFO)
    try:
        yield lines.lines
    finally:
        logger.handlers[:], logger.propagate = before, propagates
        logger.setLevel(level)


@contextmanager
def metered(world: World, deployment: Metered) -> Iterator[None]:
    """On the wire and live, until the block ends.

    Raises:
        KeyError: at the end, where a call was made of which nobody said what it costs.
    """
    with (
        wire.connected(world, deployment.answering, around=deployment.around),
        wire.calling("responder"),
        deployment.live(),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="No application metrics to publish")
        world.on_message(deployment.take)
        yield
    if deployment.unpriced:
        raise KeyError(", ".join(sorted(deployment.unpriced)))
