"""Feeds the responder with bad input, in a world in which nothing is wrong, and looks at what comes of it.

A message comes in as it does on Lambda: the handler of the intake function, with a batch of the queue in which good
records stand among the bad ones; the ledger's own adapter; and an execution for every incident that is opened, which
the world carries to its end. Whatever is changed meanwhile was changed because a message said so.
"""

import logging
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from functions.domain.counts import SERVICE
from functions.domain.errors import PlaybookError, SignalRefused
from functions.domain.redaction import printable
from functions.domain.signals import Signal
from functions.handlers import intake
from functions.handlers.signals import read_message
from functions.observability import metrics
from functions.playbooks.loading import load_playbooks
from tools.chaos import samples
from tools.chaos.deployment import FragileDeployment
from tools.chaos.inputs import Input, Way, calm, input_of, way_of
from tools.drill.deployment import DrillSettings
from tools.drill.engine import Json
from tools.drill.runner import clients_of
from tools.drill.world import wire
from tools.drill.world.messages import from_queue
from tools.drill.world.world import World

RESPONDER = "responder"

BATCH = 10
"""Records of one batch, as the stack sets it."""

GOOD = 2
"""Of them good ones."""

BATCH_EVERY_S = 20.0
"""Of the world's time."""

CALM_S = 3600.0
"""So long the world goes on after the last batch: what was opened runs to its end."""

LARGEST_ITEM = 64 * 1024
"""Bytes that any item of the ledger may have; DynamoDB takes 400 KB (Developer Guide, "Quotas in Amazon DynamoDB")."""

LONGEST_LINE = 8 * 1024
"""Characters that a message may put into one line of the log."""

UNHANDLED, ACTION, LOST, UNBOUNDED = "unhandled", "actions", "lost", "unbounded"
PROMISES = (UNHANDLED, ACTION, LOST, UNBOUNDED)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A promise that an input broke."""

    number: int
    promise: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Fed:
    """What came of some inputs."""

    inputs: int = 0
    good: int = 0
    """Good records that stood among them."""
    recorded: int = 0
    """Bad ones of which a signal came, matched or not."""
    ignored: int = 0
    refused: int = 0
    opened: int = 0
    """Incidents."""
    broken: tuple[Broken, ...] = ()

    def and_of(self, more: "Fed") -> "Fed":
        return Fed(
            inputs=self.inputs + more.inputs,
            good=self.good + more.good,
            recorded=self.recorded + more.recorded,
            ignored=self.ignored + more.ignored,
            refused=self.refused + more.refused,
            opened=self.opened + more.opened,
            broken=(*self.broken, *more.broken),
        )

    def count(self, promise: str) -> int:
        """Inputs that broke it."""
        return len({each.number for each in self.broken if each.promise == promise})


def feed(
    seed: int,
    numbers: Sequence[int],
    *,
    deploy: type[FragileDeployment] = FragileDeployment,
    told: Callable[[int], None] = lambda done: None,
) -> Fed:
    """All of these inputs. `told` hears how many are done; `deploy` is for tests, which deploy responders that break
    promises."""
    messages = [number for number in numbers if way_of(number) is Way.QUEUE]
    found = Fed()
    for number in numbers:
        if way_of(number) is Way.PLAYBOOK:
            found = found.and_of(load(input_of(seed, number)))
            told(1)
    return found.and_of(_take(seed, messages, deploy, told)) if messages else found


# --- playbooks


def load(given: Input) -> Fed:
    """One text as the file of a playbook: it holds, or there is one error that says file and line."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "orders.yaml"
        path.write_bytes(given.text.encode("utf-8", "surrogatepass"))
        try:
            load_playbooks([path])
        except PlaybookError as error:
            lines = str(error).splitlines()
            wrong = [line for line in lines if line != printable(line) or len(line) > LONGEST_LINE]
            if not lines or not str(error).strip() or wrong:
                says = f"the error is no line that can be read: {str(error)[:200]!r}"
                return Fed(inputs=1, broken=(Broken(number=given.number, promise=UNHANDLED, says=says),))
            return Fed(inputs=1, refused=1)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody foresaw it
            says = f"{type(error).__name__}: {str(error)[:200]!r}"
            return Fed(inputs=1, broken=(Broken(number=given.number, promise=UNHANDLED, says=says),))
    return Fed(inputs=1, recorded=1)


# --- messages


@dataclass
class _Feeding:
    """The responder at work, and what it was seen to do."""

    seed: int
    world: World
    deployment: FragileDeployment
    logged: "_Logged"
    batch: list[Input] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    recorded: int = 0
    ignored: int = 0
    refused: int = 0
    good: list[tuple[int, str, Signal]] = field(default_factory=list)
    """Good records, with the incidents they came to."""

    def took(self, numbers: Sequence[int]) -> None:
        """One batch, in which the good ones stand anywhere."""
        self.batch = [input_of(self.seed, number) for number in numbers]
        rng = random.Random(f"{self.seed}/{numbers[0]}/good")
        goods = {f"good-{n}": _good(rng, self.world.now, f"{numbers[0]}-{n}") for n in range(GOOD)}
        bodies: list[tuple[str, Any]] = [(f"bad-{each.number}", each.text) for each in self.batch]
        bodies += list(goods.items())
        rng.shuffle(bodies)
        self.logged.records.clear()
        try:
            answer = intake.handler(self._event(bodies), self.deployment._context("intake"))
        except Exception as error:  # noqa: BLE001 - whatever it is, the whole batch fails
            self.breaks(numbers[0], UNHANDLED, f"the handler: {type(error).__name__}: {error}")
            return
        finally:
            metrics.clear_metrics()
        left = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for each in self.batch:
            self._judge(each, f"bad-{each.number}", left)
        for name, message in goods.items():
            self._judge_good(name, message, left, numbers[0])

    def _event(self, bodies: Sequence[tuple[str, Any]]) -> Json:
        setting = self.world.setting
        records = []
        for name, body in bodies:
            event = from_queue(body, account=setting.account, region=setting.region, id=name, at=self.world.now)
            records += [record | ({"body": body} if isinstance(body, str) else {}) for record in event["Records"]]
        return {"Records": records}

    def _judge(self, given: Input, name: str, left: set[str]) -> None:
        """Nothing but a signal, a reason why not, or the dead-letter queue with a reason."""
        said = self.logged.of(name)
        if "message not taken" in said:
            self.breaks(given.number, UNHANDLED, self.logged.why[name][:300])
            return
        outcomes = read_message(given.text)
        signals = [outcome for outcome in outcomes if isinstance(outcome, Signal)]
        refused = any(isinstance(outcome, SignalRefused) for outcome in outcomes)
        if refused != (name in left) or refused != ("message rejected" in said):
            self.breaks(given.number, LOST, "it is refused, and not left to the dead-letter queue with a reason")
        if said.get("signal recorded", 0) != len(signals) or not all(map(self._kept, signals)):
            self.breaks(given.number, LOST, "a signal is in no record")
        if not said:
            self.breaks(given.number, LOST, "it is gone without a word")
        if any(signal.order is not None or signal.word is not None for signal in signals):
            self.breaks(given.number, ACTION, "a message gave an order")
        self.recorded += bool(signals)
        self.refused += refused
        self.ignored += not signals and not refused

    def _judge_good(self, name: str, message: Json, left: set[str], number: int) -> None:
        (signal,) = read_message(message)
        assert isinstance(signal, Signal)
        recorded = self._item(f"RECORDED#{signal.dedupe_key}", "SIGNAL") or {}
        if name in left or "incident" not in recorded:
            self.breaks(number, LOST, f"a good record beside it: {message}")
        else:
            self.good.append((number, recorded["incident"]["S"], signal))

    def _kept(self, signal: Signal) -> bool:
        """Whether the ledger has it; what concerns several services is told to each, under keys of their own."""
        services = [playbook.ref for playbook in calm().playbooks]
        told = [signal.model_copy(update=ref.model_dump()) for ref in services]
        keys = {each.dedupe_key for each in (signal, *told)}
        return any(self._item(f"{kind}#{key}", "SIGNAL") for key in keys for kind in ("RECORDED", "UNMATCHED"))

    def has_every_good_one(self) -> None:
        """Each lies in the inbox of an incident, whose trail says that it was seen."""
        ledger = self.deployment.ledger
        for incident in {incident for _, incident, _ in self.good}:
            seen = {entry.signal.dedupe_key for entry in ledger.inbox(incident)}
            for number, within, signal in self.good:
                if within == incident and signal.dedupe_key not in seen:
                    self.breaks(number, LOST, f"a good record beside it is in no inbox: {signal.title}")
            if ledger.incident(incident).signals_seen < len(seen):
                self.breaks(self.batch[0].number, LOST, f"signals of {incident} that nobody has looked at")

    def _item(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        key = {"pk": {"S": partition}, "sk": {"S": sort}}
        found: Mapping[str, Any] | None = self.deployment.table.answering["GetItem"]({"Key": key}).get("Item")
        return found

    def noticed(self) -> None:
        """What the world shows and the functions said since the batch before."""
        first = self.batch[0].number
        for change in self.world.changes:
            if change.caller == RESPONDER:
                self.breaks(first, ACTION, f"{change.operation} {change.parameters}")
        self.world.changes[:] = [change for change in self.world.changes if change.caller != RESPONDER]
        for _, failure in self.deployment.failures:
            self.breaks(first, UNHANDLED, failure[:500])
        self.deployment.failures.clear()
        for text in self.logged.too_long:
            self.breaks(first, UNBOUNDED, f"a line of the log: {text[:100]}")
        self.logged.too_long.clear()

    def breaks(self, number: int, promise: str, says: str) -> None:
        self.broken.append(Broken(number=number, promise=promise, says=says))


def _take(seed: int, numbers: Sequence[int], deploy: type[FragileDeployment], told: Callable[[int], None]) -> Fed:
    """Messages, in the batches of one queue."""
    scenario = calm()
    world = World(scenario.setting, seed=0)
    settings = DrillSettings(region=scenario.setting.region, account=scenario.setting.account)
    clients = clients_of(scenario.setting.region)
    deployment = deploy(world, clients=clients, playbooks=scenario.playbooks, settings=settings)
    with _logging() as logged:
        feeding = _Feeding(seed=seed, world=world, deployment=deployment, logged=logged)
        with (
            wire.connected(world, _measured(deployment, feeding)),
            wire.calling(RESPONDER),
            deployment.live(),
        ):
            world.on_message(deployment.take)
            size = BATCH - GOOD
            for at in range(0, len(numbers), size):
                feeding.took(numbers[at : at + size])
                world.run_until(world.seconds + BATCH_EVERY_S)
                feeding.noticed()
                told(len(numbers[at : at + size]))
            world.run_until(world.seconds + CALM_S)
            feeding.noticed()
            feeding.has_every_good_one()
            opened = len({event.incident_id for event in deployment.trail()})
    return Fed(
        inputs=len(numbers),
        good=len(feeding.good),
        recorded=feeding.recorded,
        ignored=feeding.ignored,
        refused=feeding.refused,
        opened=opened,
        broken=tuple(feeding.broken),
    )


def _measured(deployment: FragileDeployment, feeding: _Feeding) -> Mapping[str, Callable[[Mapping[str, Any]], Json]]:
    """What the deployment answers, with every item that is written weighed on its way."""

    def weighed(operation: Callable[[Mapping[str, Any]], Json]) -> Callable[[Mapping[str, Any]], Json]:
        def answer(given: Mapping[str, Any]) -> Json:
            parts = [part["Put"] for part in given.get("TransactItems", ()) if "Put" in part]
            for item in [part["Item"] for part in (*parts, given) if "Item" in part]:
                bytes_ = sum(len(name) + len(next(iter(value.values())).encode()) for name, value in item.items())
                if bytes_ > LARGEST_ITEM:
                    feeding.breaks(feeding.batch[0].number, UNBOUNDED, f"{item['pk']['S']} has {bytes_:,} bytes")
            return operation(given)

        return answer

    # No finding that a message tells of is one of GuardDuty's, and no world knows of any.
    return {"GetFindings": lambda _: {"Findings": []}} | {
        name: weighed(operation) if name in ("PutItem", "TransactWriteItems") else operation
        for name, operation in deployment.answering.items()
    }


def _good(rng: random.Random, now: datetime, name: str) -> Json:
    """A good message of a service that has a playbook, which no other message is."""
    at = f"{now:%Y-%m-%dT%H:%M:%S}Z"
    alarm, deployment = f"{name}-errors", f"ecs-svc/{name}"
    match rng.randrange(5):
        case 0:
            return samples.alarm_event(samples.alarm_detail(name=alarm))
        case 1:
            return samples.envelope(samples.sns_message(alarm))
        case 2:
            return samples.sqs_to_lambda(samples.envelope(samples.sns_message(alarm)))
        case 3:
            event = samples.deployment_event()
            event["detail"] |= {"deploymentId": deployment, "updatedAt": at}
            return event
        case _:
            return samples.task_event(deployment=deployment, stopped_at=at)


class _Logged(logging.Handler):
    """What the functions say, by the message of which they say it."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, list[str]] = {}
        self.why: dict[str, str] = {}
        """The last reason that was told of a message."""
        self.too_long: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        text = f"{said} {getattr(record, 'reason', '')}{getattr(record, 'signal', '')}"
        if len(text) > LONGEST_LINE:
            self.too_long.append(text)
        name = getattr(record, "message_id", None)
        if name is not None:
            self.records.setdefault(str(name), []).append(said)
            self.why[str(name)] = str(getattr(record, "reason", ""))

    def of(self, name: str) -> Mapping[str, int]:
        """How often each thing was said of a message."""
        said = self.records.get(name, [])
        return {text: said.count(text) for text in said}


@contextmanager
def _logging() -> Iterator[_Logged]:
    """Hear what is logged, in place of everybody else."""
    logger, logged = logging.getLogger(SERVICE), _Logged()
    before, level, propagates = logger.handlers[:], logger.level, logger.propagate
    logger.handlers[:], logger.propagate = [logged], False
    logger.setLevel(logging.INFO)
    try:
        yield logged
    finally:
        logger.handlers[:], logger.propagate = before, propagates
        logger.setLevel(level)
