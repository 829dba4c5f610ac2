"""What breaks, and where: between the clients and the world of a drill.

A point of a run is named after the call beside it: `17-` lies before the seventeenth call that a function of the
responder makes, `17+` after it. Calls are counted over the whole run, those of the ledger like all others.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ReadTimeoutError

from functions.domain.changes import CallWebhook, ChangeResult
from functions.domain.errors import ChangeDoubtful, ChangeRefused
from tools.chaos.deployment import WEBHOOK, FragileDeployment, Invocation, Killed
from tools.drill.world.answers import OPERATIONS
from tools.drill.world.chance import Chance
from tools.drill.world.refusal import Refused
from tools.drill.world.world import World

Json = dict[str, Any]
Ask = Callable[[], Json]

READS = frozenset(
    {
        *OPERATIONS.reads,
        "GetItem",
        "BatchGetItem",
        "Query",
        "GetObject",
        "DescribeExecution",
        "GetAlarmMuteRule",
        "ListBackups",
    }
)
"""What leaves nothing behind: a function that dies before such a call, after it or before the next one dies at one and
the same point, as far as anybody can tell afterwards."""

EFFECTS = frozenset(
    {*OPERATIONS.changes, "PutAlarmMuteRule", "DeleteAlarmMuteRule", "CreateBackup", "CreateDBSnapshot", WEBHOOK}
)
"""What changes a service, or what stands around it."""

MAY_BE_STALE = READS - {"GetItem", "BatchGetItem", "GetObject"}
"""ECS, Step Functions and DynamoDB's indexes are eventually consistent (ECS API reference, RunTask; Step Functions API
reference, DescribeExecution; DynamoDB Developer Guide, "Read consistency"). The ledger's own reads are consistent, and
so is S3. A query of the table itself is, too."""

STALE_S = 60.0
"""How old an answer may be. Assumption; the references name no limit."""

OVERTAKEN_S = 50.0
"""How long a function that is overtaken still lives: almost its time-out."""


class Break(StrEnum):
    """What happens at a point."""

    KILL = "kill"
    """The function dies."""
    ABORT = "abort"
    """Its execution is stopped. The function goes on, and nobody hears its answer."""
    OVERTAKE = "overtake"
    """The same, and the sweep and a successor work for `OVERTAKEN_S` before the function goes on."""
    LOSE = "lose"
    """StartExecution is answered, and no execution begins."""


Choose = Callable[[str, Sequence[Break], Invocation], Break | None]
"""Decides what breaks at a point, of what can."""


class Fault(StrEnum):
    """What may come of one attempt of a call."""

    THROTTLED = "throttled"
    FAILED = "failed"
    """An error 500: the call may have had its effect."""
    TIMED_OUT = "timed-out"
    """No answer: the call may have had its effect."""
    DENIED = "denied"
    STALE = "stale"
    DIED = "died"
    """The function dies with it."""


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Faulty AWS, until `until_s`: each attempt of a call on one of `parts` goes wrong with chance `rate`."""

    number: int
    """Everything else follows from it."""
    rate: float
    faults: tuple[Fault, ...]
    part: str
    """all, ledger, changes, reads or workflow."""
    until_s: float

    @classmethod
    def of(cls, number: int, *, until_s: float) -> "Weather":
        """The weather of that number."""
        chance = Chance(number)
        rates, parts = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5), ("all", "all", "ledger", "changes", "reads", "workflow")
        single = tuple(Fault)[int(chance.share("fault") * len(Fault))]
        return cls(
            number=number,
            rate=rates[int(chance.share("rate") * len(rates))],
            faults=tuple(Fault) if chance.share("mixed") < 0.5 else (single,),
            part=parts[int(chance.share("part") * len(parts))],
            until_s=until_s,
        )

    def concerns(self, operation: str) -> bool:
        match self.part:
            case "ledger":
                return operation in ("GetItem", "BatchGetItem", "Query", "PutItem", "TransactWriteItems")
            case "changes":
                return operation in EFFECTS
            case "reads":
                return operation in READS
            case "workflow":
                return operation in ("StartExecution", "DescribeExecution", "Publish", "PutObject", "GetObject")
        return True


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One call that changed something outside of the responder."""

    at_s: float
    function: str
    incident_id: str | None
    operation: str
    parameters: Mapping[str, Any]
    newest: Mapping[str, Any] | None
    """The event that ended the incident's trail then."""
    leases: tuple[str, ...]
    """Ids of the leases that were out then."""
    point: str


class Breaks:
    """Stands on the wire, counts, and breaks what it is told to."""

    def __init__(
        self,
        world: World,
        deployment: FragileDeployment,
        *,
        choose: Choose = lambda point, options, invocation: None,
        weather: Weather | None = None,
    ) -> None:
        self._world, self._deployment, self._choose, self._weather = world, deployment, choose, weather
        self._chance = Chance(-1 if weather is None else weather.number)
        self._answers: dict[tuple[str, str], tuple[float, bytes]] = {}
        """The newest answer to each question, and when it was given. Pickled, since the world goes on changing what it
        told, and pickling is many times as fast as a deep copy."""
        self.calls = 0
        self.effects: list[Effect] = []
        self.happened: list[tuple[float, str]] = []
        """When something broke, and what."""
        deployment.webhook_called = self._webhook

    def around(self, model: Any, parameters: Mapping[str, Any], attempts: int, ask: Ask) -> Json:
        """A call of a client, as `wire.connected` has it."""
        operation = model.name
        token = bool(model.idempotent_members)
        return self._call(operation, parameters, ask, lambda once: self._tried(operation, attempts, token, once))

    def _webhook(self, change: CallWebhook, call: Callable[[], ChangeResult]) -> ChangeResult:
        """A request to a webhook, broken as calls of AWS are."""
        found: list[ChangeResult] = []

        def ask() -> Json:
            found.append(call())
            return {}

        try:
            given = {"url": change.url, "repeatable": change.repeatable}
            self._call(WEBHOOK, given, ask, lambda once: self._tried(WEBHOOK, 1, False, once))
        except Refused as refused:
            failed = ChangeRefused if refused.status < 500 else ChangeDoubtful
            raise failed(f"webhook {change.webhook}: {refused.message}") from None
        except ReadTimeoutError:
            raise ChangeDoubtful(f"webhook {change.webhook}: timed out") from None
        return found[-1]

    def _call(self, operation: str, parameters: Mapping[str, Any], ask: Ask, tried: Callable[[Ask], Json]) -> Json:
        if not self._deployment.running:
            return ask()
        invocation = self._deployment.running[-1]
        if invocation.dead:
            raise Killed
        self.calls += 1
        number = self.calls
        invocation.calls += 1
        if invocation.calls == 1:
            self._at(f"{number}-", _OPTIONS, invocation)
        if operation == "StartExecution" and self._at(f"{number}-", (Break.LOSE,), invocation) is Break.LOSE:
            return {
                "executionArn": f"arn:aws:states:::execution:lost:{parameters['name']}",
                "startDate": self._world.now,
            }

        def once() -> Json:
            answer = ask()
            if operation in EFFECTS:
                self._effect(operation, parameters, invocation, f"{number}+")
            return answer

        answer = self._fresh_or_stale(operation, parameters, lambda: tried(once))
        if operation not in READS:
            self._at(f"{number}+", _OPTIONS, invocation)
        return answer

    def _at(self, point: str, options: Sequence[Break], invocation: Invocation) -> Break | None:
        """Let break at this point what was chosen."""
        if invocation.execution is None and Break.LOSE not in options:
            options = (Break.KILL,)
        elif point.endswith("+") or len(self._deployment.running) > 1:
            # To stop an execution before anything was done, or between, is one: its function goes on either way.
            options = tuple(option for option in options if option is not Break.ABORT)
        if len(self._deployment.running) > 1:
            options = tuple(option for option in options if option is not Break.OVERTAKE)
        chosen = self._choose(point, options, invocation)
        if chosen is None:
            return None
        self.happened.append((self._world.seconds, f"{chosen} at {point} in {invocation.function}"))
        if chosen is Break.KILL:
            invocation.dead = True
            raise Killed
        if chosen in (Break.ABORT, Break.OVERTAKE) and invocation.execution is not None:
            self._deployment.engine.abort(invocation.execution)
        if chosen is Break.OVERTAKE:
            self._deployment.sweep_now()
            self._world.run_until(self._world.seconds + OVERTAKEN_S)
        return chosen

    def _effect(self, operation: str, parameters: Mapping[str, Any], invocation: Invocation, point: str) -> None:
        incident = invocation.incident_id
        newest, leases = self._deployment.table.state_of(incident)
        self.effects.append(
            Effect(
                at_s=self._world.seconds,
                function=invocation.function,
                incident_id=incident,
                operation=operation,
                parameters=dict(parameters),
                newest=newest,
                leases=leases,
                point=point,
            )
        )

    def _fresh_or_stale(self, operation: str, parameters: Mapping[str, Any], ask: Ask) -> Json:
        weather = self._weather
        if weather is None or Fault.STALE not in weather.faults or not self._may_be_stale(operation, parameters):
            return ask()
        asked = (operation, repr(sorted(parameters.items(), key=lambda item: item[0])))
        at_s, before = self._answers.get(asked, (float("-inf"), b""))
        unlucky = self._chance.share(f"{self.calls}/stale") < weather.rate
        if unlucky and self._foul(operation) and self._world.seconds - at_s <= STALE_S:
            self._note(Fault.STALE, operation)
            stale: Json = pickle.loads(before)
            return stale
        answer = ask()
        if self._world.seconds < weather.until_s:
            self._answers[asked] = (self._world.seconds, pickle.dumps(answer))
        return answer

    def _may_be_stale(self, operation: str, parameters: Mapping[str, Any]) -> bool:
        return operation in MAY_BE_STALE and not parameters.get("ConsistentRead", False)

    def _foul(self, operation: str) -> bool:
        weather = self._weather
        return weather is not None and self._world.seconds < weather.until_s and weather.concerns(operation)

    def _tried(self, operation: str, attempts: int, token: bool, once: Ask) -> Json:
        """The attempts of one call, as botocore makes them in its mode `standard` (AWS SDKs and Tools Reference Guide,
        "Retry behavior"): throttling, errors of the server and time-outs are tried again, a refusal is not.

        A call with a token that took effect is answered the same again, and takes no second effect (DynamoDB API
        reference, TransactWriteItems).
        """
        if not self._foul(operation):
            return once()
        done: list[Json] = []

        def ask() -> Json:
            if not (token and done):
                done.append(once())
            return done[-1]

        failure: Exception = Refused("ThrottlingException", "Rate exceeded")
        for attempt in range(attempts):
            fault = self._drawn(attempt)
            match fault:
                case None | Fault.STALE:
                    return ask()
                case Fault.DIED:
                    self._note(fault, operation)
                    if self._half(attempt):
                        _in_vain(ask)
                    self._deployment.running[-1].dead = True
                    raise Killed
                case Fault.DENIED:
                    self._note(fault, operation)
                    raise Refused("AccessDeniedException", "User is not authorized to perform this", status=403)
                case Fault.THROTTLED:
                    failure = Refused("ThrottlingException", "Rate exceeded")
                case Fault.FAILED:
                    failure = Refused("InternalServerError", "An internal error occurred", status=500)
                    if self._half(attempt):
                        _in_vain(ask)
                case Fault.TIMED_OUT:
                    failure = ReadTimeoutError(endpoint_url=f"https://chaos/{operation}")
                    if self._half(attempt):
                        _in_vain(ask)
            self._note(fault, operation)
        raise failure

    def _drawn(self, attempt: int) -> Fault | None:
        weather = self._weather
        if weather is None or self._chance.share(f"{self.calls}/{attempt}") >= weather.rate:
            return None
        which = self._chance.share(f"{self.calls}/{attempt}/which")
        fault = weather.faults[int(which * len(weather.faults))]
        # A death ends everything; at the rate of the others no function would ever come to its end.
        rare = fault is Fault.DIED and self._chance.share(f"{self.calls}/{attempt}/rare") >= 0.1
        return None if rare else fault

    def _half(self, attempt: int) -> bool:
        """Whether a call whose answer is lost had its effect."""
        return self._chance.share(f"{self.calls}/{attempt}/effect") < 0.5

    def _note(self, fault: Fault, operation: str) -> None:
        self.happened.append((self._world.seconds, f"{fault}: {operation}"))


_OPTIONS = (Break.KILL, Break.ABORT, Break.OVERTAKE)


def _in_vain(ask: Ask) -> None:
    """Have it done, with an answer that does not arrive."""
    with suppress(Refused):
        ask()
