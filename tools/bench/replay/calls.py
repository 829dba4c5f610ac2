"""Calls of AWS as they were made, and how they are made again by nobody but boto3."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import local
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from tools.bench.replay.wire import Answer, NotRecorded, Sent, Wire, WireClients, sent_by


NO_ANSWER = Answer(0, {}, b"")


@dataclass(frozen=True)
class Call:
    """One call: of which service, with which parameters, and what came back."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    attempts: int
    answer: Answer


@dataclass(kw_only=True)
class Invocation:
    """One run of one function: when, with which event, the calls that it made, and what it returned."""

    function: str
    step: str
    event: Mapping[str, Any]
    at: datetime
    calls: list[Call] = field(default_factory=list)
    returned: Any = None
    answers: Mapping[Sent, Sequence[Answer]] = field(default_factory=dict)


class Bare:
    """Makes recorded calls again, one after the other."""

    def __init__(self, clients: WireClients) -> None:
        self._clients = clients

    def ready(self, calls: Iterable[Call]) -> Sequence[tuple[Any, Mapping[str, Any]]]:
        """The clients' methods, with what they are called with: nothing has to be looked up while time is taken."""
        return [(getattr(self._client(call), xform_name(call.operation)), call.parameters) for call in calls]

    def _client(self, call: Call) -> Any:
        service: Any = call.service
        return self._clients.once(service) if call.attempts == 1 else self._clients.repeating(service)


def make(ready: Sequence[tuple[Any, Mapping[str, Any]]]) -> None:
    """Make the calls."""
    for method, parameters in ready:
        try:
            answer = method(**parameters)
        except ClientError:
            continue
        body = answer.get("Body")
        if hasattr(body, "read"):
            body.read()


class Listener:
    """Writes down the calls of handlers whose requests it answers."""

    def __init__(self, answer: Callable[[Call, Any], Answer]) -> None:
        """`answer` is given the call, as yet without its answer, and the request."""
        self._answer = answer
        self._here = local()
        self.calls: list[Call] = []

    def heard(self, service: str, operation: str, parameters: Mapping[str, Any], attempts: int) -> None:
        """As `WireClients` tells it."""
        self._here.call = Call(service, operation, deepcopy(dict(parameters)), attempts, NO_ANSWER)

    def live(self, request: Any) -> Answer:
        """As the wire asks it."""
        call: Call = self._here.call
        answer = self._answer(call, request)
        self.calls.append(replace(call, answer=answer))
        return answer


class SameOrAlike:
    """Answers a request with what the same one was answered, else with the next answer of its operation.

    What the wire of the drill hands over as it is, HTTP rounds: times have milliseconds there, and what hangs on them
    differs a little.
    """

    def __init__(self, invocation: Invocation) -> None:
        self._left = list(invocation.calls)
        self._same = {sent: list(answers) for sent, answers in invocation.answers.items()}

    def __call__(self, call: Call, request: Any) -> Answer:
        same = self._same.get(sent_by(request))
        if same:
            answer = same.pop(0)
        else:
            alike = (each.answer for each in self._left if each.operation == call.operation)
            answer = next(alike, NO_ANSWER)
        if answer is NO_ANSWER:
            raise NotRecorded(f"{call.service} {call.operation} was not recorded")
        self._left = [each for each in self._left if each.answer is not answer]
        return answer


def find_answers(wire: Wire, bare: Bare, invocation: Invocation) -> None:
    """Learn which requests the recorded calls send, so that whoever sends one gets its answer."""
    answers: dict[Sent, list[Answer]] = {}
    for call, ready in zip(invocation.calls, bare.ready(invocation.calls), strict=True):

        def remember(request: Any, answer: Answer = call.answer) -> Answer:
            answers.setdefault(sent_by(request), []).append(answer)
            return answer

        wire.live = remember
        make([ready])
    wire.live = None
    invocation.answers = answers
