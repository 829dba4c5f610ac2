"""What handling the first event brings along: modules, models and clients that were not there before it."""

import gc
import pickle
import sys
from collections import defaultdict, deque
from importlib import import_module
from pathlib import Path
from typing import Any

from botocore.client import BaseClient
from pydantic import BaseModel, TypeAdapter

from tools.bench.cold.ours import ADAPTERS

OURS = ("functions.", "pydantic", "aws_lambda_powertools", "botocore", "boto3", "urllib3")


class NotAsRecorded(Exception):
    """The function did with the same answers what it did not do when they were recorded."""


def discover(spec: dict[str, Any]) -> dict[str, Any]:
    """Handle the event of `spec["discover"]`, and tell what became of it.

    Raises:
        NotAsRecorded: if it asks AWS what it did not ask when this was recorded.
    """
    first = pickle.loads(Path(spec["discover"]).read_bytes())
    bootstrap = import_module("functions.bootstrap")
    bootstrap._built["_clock"] = _Stopped(first["at"])
    answers = _Answers(first["calls"])
    BaseClient._make_api_call = answers
    at_start: list[str] = []
    vars(bootstrap)["at_start"] = lambda *_, clients=(): at_start.extend(clients)
    models_before, modules_before = _complete(), set(sys.modules)
    import_module(spec["handler"]).handler(first["event"], _Context(first["function"]))
    if answers.made != len(first["calls"]):
        raise NotAsRecorded(f"{answers.made} calls were made, and not {len(first['calls'])}")
    for service in at_start:
        answers.know(bootstrap._clients().repeating(service))
    modules = sorted(set(sys.modules) - modules_before)
    return {
        "builders": [name for name in bootstrap._built if name != "_clock"],
        "modules": [name for name in modules if name.startswith(OURS)],
        "models": sorted(_complete() - models_before),
        "adapters": _adapters(),
        "clients": list(answers.clients),
    }


class _Stopped:
    """The clock as it stood when the event came."""

    def __init__(self, at: Any) -> None:
        self._at = at

    def now(self) -> Any:
        return self._at


class _Answers:
    """In the place of `BaseClient._make_api_call`: the recorded answer to the same call, else to the same operation."""

    def __init__(self, calls: list[dict[str, Any]]) -> None:
        self._same: dict[tuple[str, str, bytes], deque[dict[str, Any]]] = defaultdict(deque)
        self._alike: dict[tuple[str, str], deque[dict[str, Any]]] = defaultdict(deque)
        for call in calls:
            self._same[call["service"], call["operation"], call["given"]].append(call)
            self._alike[call["service"], call["operation"]].append(call)
        self.clients: dict[tuple[str, int], None] = {}
        self.made = 0

    def __get__(self, client: Any, owner: Any) -> Any:
        return lambda operation, given: self._answer(client, operation, given)

    def know(self, client: Any) -> None:
        """A client that is there for the first event, whether it is asked or not."""
        self.clients[client.meta.service_model.service_name, client.meta.config.retries["total_max_attempts"]] = None

    def _answer(self, client: Any, operation: str, given: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        self.made += 1
        self.know(client)
        exact = self._same[service, operation, pickle.dumps(dict(given))]
        alike = self._alike[service, operation]
        if not alike:
            raise NotAsRecorded(f"{service} {operation} was not called")
        call = exact.popleft() if exact else alike[0]
        if call in alike and len(alike) > 1:
            alike.remove(call)
        if "refused" in call:
            refused = call["refused"]
            meta = {"HTTPStatusCode": refused["status"], "RequestId": "0", "RetryAttempts": 0}
            error = {"Error": {"Code": refused["code"], "Message": ""}, "ResponseMetadata": meta}
            raise client.exceptions.from_code(refused["code"])({**refused["more"], **error}, operation)
        return {**pickle.loads(call["answer"]), "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "0"}}


class _Context:
    """What Lambda hands a function beside its event."""

    function_version = "1"
    memory_limit_in_mb = 512
    aws_request_id = "first"

    def __init__(self, function: str) -> None:
        self.function_name = function
        self.invoked_function_arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{function}"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def _complete() -> set[str]:
    """Every model of ours whose validator is built, as `module:Name`."""
    found: set[str] = set()
    left: list[type[BaseModel]] = [BaseModel]
    while left:
        for model in left.pop().__subclasses__():
            left.append(model)
            if model.__module__.startswith("functions.") and model.__pydantic_complete__ is True:
                found.add(f"{model.__module__}:{model.__qualname__}")
    return found


def _adapters() -> list[str]:
    """Those of `ADAPTERS` that are built."""
    built = [each for each in gc.get_objects() if isinstance(each, TypeAdapter) and each.pydantic_complete is True]
    there = {name: adapter(sys.modules[name]) for name, adapter in ADAPTERS.items() if name in sys.modules}
    return [name for name, adapter in there.items() if any(adapter is each for each in built)]
