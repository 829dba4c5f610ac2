"""The responder as it is deployed, in a world: its handlers, its clients, its workflow, all on virtual time."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.adapters.clients import Clients
from functions.adapters.memory_ledger import MemoryLedger
from functions.adapters.s3 import S3Archive
from functions.domain.incidents import Event
from functions.handlers import assess, bake, close, contain, intake, notify, remediate, report, restore, sweep, verify
from functions.observability import metrics
from functions.playbooks.schema import Playbook
from functions.ports import Ledger, WebhookCaller
from functions.settings import Settings
from functions.workflow.table import Function, Outcome
from tools.drill.engine import Engine, Json
from tools.drill.world.refusal import Refused
from tools.drill.world.web import WorldHttp, WorldWebhooks
from tools.drill.world.world import World

SWEEP_EVERY_S = 300
"""The schedule of the sweep, as the stack sets it."""

BAKE_EVERY_S = 60
"""The schedule of the watch over young releases, as the stack sets it."""

P = ParamSpec("P")
T = TypeVar("T")

Handler = Callable[[dict[str, Any], LambdaContext], Any]

HANDLERS: Mapping[Function, Handler] = {
    Function.ASSESS: assess.handler,
    Function.REMEDIATE: remediate.handler,
    Function.CONTAIN: contain.handler,
    Function.VERIFY: verify.handler,
    Function.NOTIFY: notify.handler,
    Function.CLOSE: close.handler,
    Function.REPORT: report.handler,
    Function.RESTORE: restore.handler,
}


class DrillSettings(Settings):
    """What the stack would have told the functions."""

    def __init__(self, *, region: str, account: str, contain: bool = False) -> None:
        self._region = region
        self._account = account
        self._contain = contain

    @property
    def account(self) -> str:
        return self._account

    @property
    def region(self) -> str:
        return self._region

    @property
    def table(self) -> str:
        return "ecs-first-responder"

    @property
    def bucket(self) -> str:
        return "ecs-first-responder"

    @property
    def page_topic(self) -> str:
        return f"arn:aws:sns:{self._region}:{self.account}:ecs-first-responder-pages"

    @property
    def second_topic(self) -> str:
        return f"arn:aws:sns:{self._region}:{self.account}:ecs-first-responder-second"

    @property
    def state_machine(self) -> str:
        return f"arn:aws:states:{self._region}:{self.account}:stateMachine:ecs-first-responder"

    @property
    def function_timeout_s(self) -> int:
        return 60

    @property
    def fleet_actions_per_hour(self) -> int:
        return 20

    @property
    def log_scan_mb(self) -> int:
        return 1000

    @property
    def contain_deployed(self) -> bool:
        """Nobody in a drill grants a plan that shuts people out, unless the scenario has people at the desk."""
        return self._contain


class _Context:
    """What Lambda hands a function beside its event."""

    function_version = "1"
    memory_limit_in_mb = 256
    aws_request_id = "drill"

    def __init__(self, name: str, *, settings: DrillSettings) -> None:
        self.function_name = name
        self.invoked_function_arn = f"arn:aws:lambda:{settings.region}:{settings.account}:function:{name}"


class WorldClock:
    """The `Clock` of a drill."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.now


class InTurn(Executor):
    """Reads one after the other: a world answers at once, and a thread takes longer to start than most reads take."""

    def __init__(self, _: int) -> None: ...

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            done.set_exception(error)
        return done


class Deployment:
    """One responder in one world, from the first message to the last sweep."""

    def __init__(
        self,
        world: World,
        *,
        clients: Clients,
        playbooks: tuple[Playbook, ...],
        settings: DrillSettings,
    ) -> None:
        self._world = world
        self._clients = clients
        self._settings = settings
        self._playbooks = playbooks
        self._clock = WorldClock(world)
        self.failures: list[tuple[float, str]] = []
        """When a function failed, and how. People are paged then, by Step Functions or the responder's own alarms."""
        self.engine = Engine(now=self._clock.now, later=self._later, invoke=self._invoke, page=self._page)
        archive = S3Archive(clients.repeating("s3"), bucket=settings.bucket)
        self.ledger: Ledger = MemoryLedger(clock=self._clock, archive=archive)

    @property
    def answering(self) -> Mapping[str, Callable[[Mapping[str, Any]], Json]]:
        """What Step Functions answers, by operation: the world knows nothing of executions."""
        return {
            "StartExecution": self._start_execution,
            "DescribeExecution": self._describe_execution,
            "SendTaskSuccess": self._send_task_success,
        }

    def _start_execution(self, given: Mapping[str, Any]) -> Json:
        if not self.engine.start(given["name"], json.loads(given["input"])):
            raise Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{given['name']}'")
        arn = f"{given['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{given['name']}"
        return {"executionArn": arn, "startDate": self._clock.now()}

    def _describe_execution(self, given: Mapping[str, Any]) -> Json:
        machine, _, name = given["executionArn"].replace(":execution:", ":stateMachine:").rpartition(":")
        execution = self.engine.execution(name)
        if execution is None:
            raise Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{given['executionArn']}'")
        return {
            "executionArn": given["executionArn"],
            "stateMachineArn": machine,
            "name": name,
            "status": execution.status,
            "startDate": execution.started_at,
        }

    def _send_task_success(self, given: Mapping[str, Any]) -> Json:
        """Step Functions API reference, SendTaskSuccess: TaskTimedOut where nobody waits with this token any more."""
        if not self.engine.waits(given["taskToken"]):
            raise Refused("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        self.engine.answer(given["taskToken"], Outcome(json.loads(given["output"])["outcome"]))
        return {}

    def _webhooks(self) -> WebhookCaller:
        return WorldWebhooks(self._world)

    @contextmanager
    def live(self) -> Iterator[None]:
        """The handlers work for this deployment until the block ends."""
        with bootstrap.composed(
            settings=self._settings,
            clients=self._clients,
            clock=self._clock,
            ledger=self.ledger,
            playbooks=self._playbooks,
            http=WorldHttp(self._world),
            webhooks=self._webhooks(),
            threads=InTurn,
        ):
            self._later(SWEEP_EVERY_S, self._sweep)
            self._later(self._world.chance.between(0, BAKE_EVERY_S, "responder/bake"), self._bake)
            self._world.on_secret(self._wake_bake)
            yield

    def take(self, message: dict[str, Any]) -> None:
        """A batch of the intake queue."""
        answer = intake.handler(message, self._context("intake"))
        if answer["batchItemFailures"]:
            self._page("ECS responder: a message was rejected", json.dumps(message))
        metrics.clear_metrics()  # nobody takes them, and they would be printed once they are many

    def trail(self) -> tuple[Event, ...]:
        """Every event of every incident, by time."""
        incidents = self.ledger.incidents_between(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
        events = [event for incident in incidents for event in self.ledger.events(incident.id)]
        return tuple(sorted(events, key=lambda event: (event.at, event.incident_id, event.sequence)))

    def _sweep(self) -> None:
        try:
            sweep.handler({}, self._context("sweep"))
        except Exception as error:  # noqa: BLE001 - whatever it is, Lambda counts it, and the schedule goes on
            self._page("ECS responder: the sweep failed", f"{type(error).__name__}: {error}")
        self._later(SWEEP_EVERY_S, self._sweep)

    def _bake(self) -> None:
        self._wake_bake({})
        self._later(BAKE_EVERY_S, self._bake)

    def _wake_bake(self, event: Json) -> None:
        try:
            bake.handler(event, self._context("bake"))
        except Exception as error:  # noqa: BLE001 - whatever it is, Lambda counts it, and the schedule goes on
            self._page("ECS responder: the watch over releases failed", f"{type(error).__name__}: {error}")

    def _later(self, seconds: float, callback: Callable[[], None]) -> None:
        self._world.at(self._world.seconds + seconds, callback)

    def _invoke(self, function: Function, payload: Json) -> Json:
        answer: Json = HANDLERS[function](payload, self._context(function.value))
        return answer

    def _page(self, subject: str, text: str) -> None:
        self.failures.append((self._world.seconds, f"{subject}: {text}"))

    def _context(self, name: str) -> LambdaContext:
        return cast(LambdaContext, _Context(name, settings=self._settings))
