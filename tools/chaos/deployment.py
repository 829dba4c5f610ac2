"""The responder in a drill's world whose functions may die: real ledger, and every retry that AWS makes by itself.

Sources of the retries: a queue shows a message that failed again after its visibility time-out, until it was received
`MAX_RECEIVES` times (Lambda Developer Guide, "Using Lambda with Amazon SQS"). What invokes a function asynchronously,
as EventBridge does, has it invoked twice more, after one and after two minutes (Lambda Developer Guide, "How Lambda
handles errors and retries with asynchronous invocation"). A step of the state machine is not retried: its Catch tells
people, and the sweep starts another execution (`infra/workflow.py`).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.adapters.clients import Clients
from functions.adapters.ledger import DynamoLedger
from functions.adapters.s3 import S3Archive
from functions.adapters.stepfunctions import StepFunctionsExecutions
from functions.domain.changes import CallWebhook, ChangeResult
from functions.handlers import bake, intake, sweep
from functions.observability import metrics
from functions.playbooks.schema import Playbook
from functions.ports import WebhookCaller
from functions.workflow.table import Function
from tools.chaos.desk import LOOKS_EVERY_S, People
from tools.chaos.table import TableInMemory
from tools.drill.deployment import BAKE_EVERY_S, HANDLERS, SWEEP_EVERY_S, Deployment, DrillSettings
from tools.drill.engine import Json
from tools.drill.runner import quiet
from tools.drill.scenario import Desk
from tools.drill.world import wire
from tools.drill.world.world import World

MAX_RECEIVES = 5
VISIBILITY_S = 360.0
"""Of a message that was taken. Both are as the stack sets them, which a test compares: to import it takes the CDK."""

AGAIN_S = (60.0, 120.0)
"""Until an asynchronous invocation that failed is made again."""

WEBHOOK = "CallWebhook"
"""Stands for a request to a webhook, which is no operation of AWS, among those that are."""


class Killed(BaseException):
    """The function dies here. No handler catches it: neither does one catch the end of its environment."""


class FunctionDied(Exception):
    """What Lambda says of a function that did not come back."""


@dataclass(kw_only=True)
class Invocation:
    """One run of one function."""

    function: str
    execution: str | None = None
    incident_id: str | None = None
    again: bool = False
    """Somebody makes up for one that failed: a message that came again, an asynchronous retry, or the first function of
    an execution that took an incident over."""
    dead: bool = False
    calls: int = 0


class FragileDeployment(Deployment):
    """As `Deployment`, with the ledger of the deployed responder on a table in memory."""

    def __init__(
        self, world: World, *, clients: Clients, playbooks: tuple[Playbook, ...], settings: DrillSettings
    ) -> None:
        super().__init__(world, clients=clients, playbooks=playbooks, settings=settings)
        self.table = TableInMemory()
        archive = S3Archive(clients.repeating("s3"), bucket=settings.bucket)
        dynamodb = clients.repeating("dynamodb")
        self.ledger = DynamoLedger(
            dynamodb, table=settings.table, clock=self._clock, archive=archive, pause=lambda _: None
        )
        self.running: list[Invocation] = []
        """The functions that run now, the innermost last: one that is overtaken waits while others work."""
        self.dead_letters: list[tuple[float, Json]] = []
        self.webhook_called: Callable[[CallWebhook, Callable[[], ChangeResult]], ChangeResult] = lambda _, call: call()
        self._carried: set[str] = set()

    def live_through(self, around: wire.Around) -> None:
        """The whole of its world, with nobody else in it; every call of AWS goes by `around`."""
        with (
            quiet(),
            wire.connected(self._world, self.answering, around=around),
            wire.calling("responder"),
            self.live(),
        ):
            self._world.on_message(self.take)
            self._world.run_until(self._world.setting.horizon_s)

    @property
    def answering(self) -> Mapping[str, Callable[[Mapping[str, Any]], Json]]:
        return {**super().answering, **self.table.answering}

    @property
    def now(self) -> datetime:
        return self._clock.now()

    @contextmanager
    def staffed(self, desk: Desk) -> Iterator[None]:
        """With people at the desk, until the block ends; the deployment has to be live."""
        executions = StepFunctionsExecutions(
            self._clients.repeating("stepfunctions"), state_machine=self._settings.state_machine
        )
        people = People(desk, self, executions=executions)

        def look() -> None:
            people.look(self._playbooks, self._world.seconds)
            self._later(LOOKS_EVERY_S, look)

        self._later(LOOKS_EVERY_S, look)
        yield

    def take(self, message: dict[str, Any]) -> None:
        self._receive(json.dumps(message), 1)

    def sweep_now(self) -> None:
        """Invoke the sweep beside its schedule, as anybody may."""
        self._asynchronously("sweep", sweep.handler, {})

    def _receive(self, message: str, times: int) -> None:
        """What is received again keeps its identifiers, and is parsed anew."""
        try:
            with self.invocation("intake", again=times > 1):
                left = intake.handler(json.loads(message), self._context("intake"))["batchItemFailures"]
        except FunctionDied:
            left = [message]
        finally:
            metrics.clear_metrics()
        if not left:
            return
        if times < MAX_RECEIVES:
            self._later(VISIBILITY_S, lambda: self._receive(message, times + 1))
        else:
            self.dead_letters.append((self._world.seconds, json.loads(message)))
            self._page("ecs-first-responder-intake-dead-letters-not-empty", "a message lies in a dead-letter queue")

    def _sweep(self) -> None:
        self.sweep_now()
        self._later(SWEEP_EVERY_S, self._sweep)

    def _bake(self) -> None:
        self._wake_bake({})
        self._later(BAKE_EVERY_S, self._bake)

    def _wake_bake(self, event: Json) -> None:
        self._asynchronously("bake", bake.handler, event)

    def _asynchronously(self, name: str, handler: Callable[..., Any], event: Json, times: int = 0) -> None:
        try:
            with self.invocation(name, again=times > 0):
                handler(json.loads(json.dumps(event)), self._context(name))
        except Exception as error:  # noqa: BLE001 - Lambda counts it, whatever it is, and an alarm tells people
            self._page(f"ecs-first-responder-{name}-errors", f"{type(error).__name__}: {error}")
            if times < len(AGAIN_S):
                self._later(AGAIN_S[times], lambda: self._asynchronously(name, handler, event, times + 1))

    def _invoke(self, function: Function, payload: Json) -> Json:
        execution = f"{payload['incident_id']}-{payload['generation']}"
        first = execution not in self._carried
        self._carried.add(execution)
        with self.invocation(
            function.value,
            execution=execution,
            incident_id=payload["incident_id"],
            again=first and payload["generation"] > 1,
        ):
            answer: Json = HANDLERS[function](payload, self._context(function.value))
            return answer

    def _webhooks(self) -> WebhookCaller:
        return _Webhooks(super()._webhooks(), self)

    @contextmanager
    def invocation(self, function: str, **known: Any) -> Iterator[None]:
        """One run of one function, which may die in it.

        Raises:
            FunctionDied: it did.
        """
        self.running.append(Invocation(function=function, **known))
        try:
            yield
        except Killed:
            raise FunctionDied("RequestId: chaos Error: Runtime exited") from None
        finally:
            self.running.pop()


class _Webhooks:
    """The webhooks of the world, with what may happen on the way."""

    def __init__(self, world: WebhookCaller, deployment: FragileDeployment) -> None:
        self._world, self._deployment = world, deployment

    def call(self, change: CallWebhook) -> ChangeResult:
        return self._deployment.webhook_called(change, lambda: self._world.call(change))
