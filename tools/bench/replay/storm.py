"""Measures storms of messages in the process of a Lambda function: `python -m tools.bench.replay.storm FILE`."""

import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import _lru_cache_wrapper
from itertools import islice
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from functions.playbooks.compiled import Compiled
from functions.playbooks.schema import ExistingAlarm, Playbook
from tools.bench.replay.calls import Bare, Call, Invocation, Listener, find_answers, make
from tools.bench.replay.handlers import SetClock, deployed, shipped
from tools.bench.replay.wire import Answer, BareClients, Wire, WireClients
from tools.chaos import samples
from tools.chaos.table import TableInMemory
from tools.drill.deployment import DrillSettings
from tools.drill.world.refusal import Refused

BEGAN = datetime(2026, 3, 1, 3, 12, 4, tzinfo=UTC)
BATCH = 10
"""Records of one batch, as the stack sets it."""
BATCH_EVERY_S = 0.5

OF_A_SERVICE = 10
"""Messages of one service in a storm: four things that happened, each told two or three times."""

LATE_S = 30.0
"""How long after the first message of a thing its last copy comes, at the most."""

CHUNKS = 5
"""In so many parts storms are taken in turn, where two are compared."""

FEW, MANY = 10, 10_000
"""Services of the two storms that are compared."""

SETTINGS = DrillSettings(region=samples.REGION, account=samples.ACCOUNT)


def name_of(number: int) -> str:
    return f"service-{number:05d}"


def playbooks(services: int) -> Sequence[Playbook]:
    """One for each service, which names two alarms; they differ in their names alone, so one is validated for all."""
    whole = Playbook.model_validate({"region": samples.REGION, "cluster": "shop", "service": "any"})
    return [
        whole.model_copy(
            update={"service": name, "alarms": tuple(ExistingAlarm(existing=f"{name}-{of}") for of in ("cpu", "5xx"))}
        )
        for name in map(name_of, range(services))
    ]


def messages(name: str, chance: Random, *, began: datetime) -> Iterator[tuple[float, str]]:
    """What is sent of one service: when, in seconds, and the body of the queue's message.

    Two alarms go off, a task stops, and one alarm is well again. Alarms are told by SNS, which sends again, and by
    EventBridge.
    """
    begins_s = chance.uniform(0, LATE_S)
    happened = (
        (0.0, f"{name}-cpu", "ALARM", 3),
        (1.0, f"{name}-5xx", "ALARM", 3),
        (2.0, None, "STOPPED", 2),
        (20.0, f"{name}-cpu", "OK", 2),
    )
    for after_s, alarm, state, copies in happened:
        at = began + timedelta(seconds=begins_s + after_s)
        first_s = begins_s + after_s + chance.uniform(0, 5)
        reason = f"Threshold Crossed: 3 datapoints [{chance.uniform(85, 100):.9f}] were greater than the threshold"
        for copy in range(copies):
            body = _stopped(name, at) if alarm is None else _alarm(name, alarm, state, reason, at, by_sns=copy != 1)
            yield first_s if copy == 0 else first_s + chance.uniform(0, LATE_S), json.dumps(body)


def _alarm(name: str, alarm: str, state: str, reason: str, at: datetime, *, by_sns: bool) -> Mapping[str, Any]:
    written = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
    if by_sns:
        sent = samples.sns_message(alarm, service=name)
        return samples.envelope(sent | {"NewStateValue": state, "NewStateReason": reason, "StateChangeTime": written})
    detail = samples.alarm_detail(samples.metric(service=name), name=alarm, state=state)
    detail["state"] |= {"reason": reason, "timestamp": written}
    return samples.alarm_event(detail)


def _stopped(name: str, at: datetime) -> Mapping[str, Any]:
    event = samples.task_event(deployment=f"ecs-svc/{name}", stopped_at=f"{at:%Y-%m-%dT%H:%M:%S}.9Z")
    event["detail"]["group"] = f"service:{name}"
    return event


def batches(bodies: Sequence[str]) -> Iterator[dict[str, Any]]:
    """As Lambda hands them to the function."""
    numbered = iter(enumerate(bodies))
    while records := [_record(number, body) for number, body in islice(numbered, BATCH)]:
        yield {"Records": records}


def _record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772334724000"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{samples.REGION}:{samples.ACCOUNT}:ecs-first-responder-intake",
        "awsRegion": samples.REGION,
    }


@dataclass
class Aws:
    """DynamoDB with one table in memory, and Step Functions, for as long as a storm is recorded."""

    table: TableInMemory = field(default_factory=TableInMemory)
    started: set[str] = field(default_factory=set)

    def __call__(self, call: Call, request: Any) -> Answer:
        given = json.loads(request.body)
        try:
            if call.service == "dynamodb":
                return _json(200, self.table.answering[call.operation](given))
            return _json(200, self._start(given))
        except Refused as refused:
            said = {"__type": refused.code, "message": refused.message, **refused.more}
            return _json(refused.status, said)

    def _start(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if given["name"] in self.started:
            raise Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{given['name']}'")
        self.started.add(given["name"])
        return {"executionArn": f"{given['stateMachineArn']}:{given['name']}", "startDate": BEGAN.timestamp()}


def _json(status: int, body: Mapping[str, Any]) -> Answer:
    return Answer(status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode())


@dataclass
class Storm:
    """Batches, recorded and ready to be taken in again."""

    services: int
    playbooks: Compiled
    batches: list[Invocation] = field(default_factory=list)
    ours_s: float = 0.0
    floor_s: float = 0.0
    messages: int = 0
    """That were measured."""

    def written(self) -> dict[str, Any]:
        return {
            "services": self.services,
            "messages": self.messages,
            "calls": sum(len(batch.calls) for batch in self.batches) / sum(map(_size, self.batches)),
            "cpu_s": [self.ours_s / self.messages, self.floor_s / self.messages],
        }


def _size(batch: Invocation) -> int:
    return len(batch.event["Records"])


class Weather:
    """Makes storms and lets them blow, all on one wire."""

    def __init__(self) -> None:
        self._wire = Wire()
        self._clock = SetClock(BEGAN)
        self._bare = Bare(BareClients(self._wire, region=samples.REGION))
        self._clients = WireClients(self._wire, region=samples.REGION)

    def storm(self, *, services: int, messages_in_all: int, at_once: int | None = None) -> Storm:
        """As many messages, of as many of the services as it takes. `at_once` services have theirs together, and the
        next ones begin with an empty ledger, as they do once every incident is closed."""
        storm = Storm(services, shipped(playbooks(services)))
        concerned = messages_in_all // OF_A_SERVICE
        together = concerned if at_once is None else at_once
        spread = max(services // concerned, 1)
        for wave in range(concerned // together):
            numbers = [(wave * together + number) * spread % services for number in range(together)]
            self._record(storm, numbers, wave)
        return storm

    def _record(self, storm: Storm, numbers: Sequence[int], wave: int) -> None:
        chance, began = Random(wave), BEGAN + timedelta(hours=wave)
        sent = sorted(each for number in numbers for each in messages(name_of(number), chance, began=began))
        listener = Listener(Aws())
        clients = WireClients(self._wire, region=samples.REGION, heard=listener.heard)
        self._wire.live = listener.live
        recorded: list[Invocation] = []
        with deployed(settings=SETTINGS, clients=clients, clock=self._clock, playbooks=storm.playbooks) as handle:
            for number, event in enumerate(batches([body for _, body in sent])):
                at = began + timedelta(seconds=LATE_S + number * BATCH_EVERY_S)
                batch = Invocation(function="intake", step="intake", event=event, at=at)
                self._clock.at, listener.calls = batch.at, batch.calls
                batch.returned = handle(batch)
                if batch.returned != {"batchItemFailures": []}:
                    raise AssertionError(f"a batch was not taken in: {batch.returned}")
                recorded.append(batch)
        for batch in recorded:
            find_answers(self._wire, self._bare, batch)
        storm.batches += recorded

    def blow(self, *storms: Storm, rounds: int = 1) -> None:
        """Measure them: each batch by our handler and by the bare calls, one after the other; storms in turn."""
        for _ in range(rounds):
            _forget()
            for chunk in range(CHUNKS):
                for storm in storms:
                    size = -(-len(storm.batches) // CHUNKS)
                    self._blow(storm, storm.batches[chunk * size : (chunk + 1) * size])

    def _blow(self, storm: Storm, chunk: Sequence[Invocation]) -> None:
        given: Any = {"settings": SETTINGS, "clients": self._clients, "clock": self._clock}
        with deployed(playbooks=storm.playbooks, **given) as handle:
            first = storm.batches[0]
            # What a function builds once is built by now.
            self._clock.at = first.at
            self._wire.load(first.answers)
            handle(first)
            for batch in chunk:
                self._clock.at = batch.at
                ready = self._bare.ready(batch.calls)
                storm.ours_s += self._timed(batch, lambda batch=batch: handle(batch))  # type: ignore[misc]
                storm.floor_s += self._timed(batch, lambda ready=ready: make(ready))  # type: ignore[misc]
                storm.messages += _size(batch)

    def _timed(self, batch: Invocation, side: Callable[[], object]) -> float:
        self._wire.load(batch.answers)
        began = process_time()
        side()
        return process_time() - began


def _forget() -> None:
    """What our own caches keep of a storm that was recorded just now, no function would know."""
    for each in gc.get_objects():
        if isinstance(each, _lru_cache_wrapper) and each.__module__.startswith("functions."):
            each.cache_clear()


def measure(*, services: int, in_all: int, compared: int) -> Mapping[str, Any]:
    """A storm of so many messages, and two of so many over few and many services."""
    weather = Weather()
    storm = weather.storm(services=services, messages_in_all=in_all)
    weather.blow(storm)
    if not compared:
        return {"storm": storm.written()}
    few = weather.storm(services=FEW, messages_in_all=compared, at_once=FEW)
    many = weather.storm(services=MANY, messages_in_all=compared, at_once=FEW)
    weather.blow(few, many, rounds=3)
    return {"storm": storm.written(), "few": few.written(), "many": many.written()}


if __name__ == "__main__":
    services, in_all, compared = map(int, sys.argv[1:4])
    found = measure(services=services, in_all=in_all, compared=compared)
    Path(sys.argv[4]).write_text(json.dumps(found))
