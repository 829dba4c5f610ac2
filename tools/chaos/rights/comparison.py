"""Rights against calls, function by function."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from functions.workflow.table import Function
from infra.workflow import definition
from tools.chaos.rights.actions import OF_AN_ENCRYPTED_TOPIC
from tools.chaos.rights.granted import WORKFLOW
from tools.chaos.rights.uncalled import excused

Rights = Mapping[str, frozenset[str]]

_TASKS: Mapping[str, tuple[str, ...]] = {
    "arn:aws:states:::lambda:invoke": ("lambda:InvokeFunction",),
    "arn:aws:states:::lambda:invoke.waitForTaskToken": ("lambda:InvokeFunction",),
    "arn:aws:states:::sns:publish": ("sns:Publish", *OF_AN_ENCRYPTED_TOPIC),
    "arn:aws:states:::states:startExecution": ("states:StartExecution",),
}
"""What a task of the state machine calls, by its resource (Step Functions Developer Guide, "Integrating services")."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One function's calls and grants."""

    function: str
    called: frozenset[str]
    granted: frozenset[str]

    @property
    def missing(self) -> frozenset[str]:
        """Called, and not granted."""
        return self.called - self.granted

    @property
    def unused(self) -> frozenset[str]:
        """Granted, and neither called nor excused."""
        return frozenset(right for right in self.granted - self.called if not excused(self.function, right))

    @property
    def excused(self) -> frozenset[str]:
        """Granted without a call, with a reason."""
        return self.granted - self.called - self.unused


def of_workflow() -> frozenset[str]:
    """What the state machine calls, as its definition says."""
    functions = {each: f"arn:function:{each}" for each in Function}
    states = definition(functions=functions, function_timeout_s=60, page_topic="t", state_machine="m")["States"]
    return frozenset(action for state in states.values() for action in _TASKS.get(state.get("Resource", ""), ()))


def compare(granted: Rights, called: Rights) -> list[Compared]:
    """Everybody who has a right or made a call, by name."""
    called = {**called, WORKFLOW: of_workflow()}
    nothing: frozenset[str] = frozenset()
    return [
        Compared(function=each, called=called.get(each, nothing), granted=granted.get(each, nothing))
        for each in sorted({*granted, *called})
    ]


def figures(compared: Iterable[Compared]) -> dict[str, int]:
    """How many rights are not needed, and how many are not there."""
    rows = tuple(compared)
    return {
        "unused_grants": sum(len(each.unused) for each in rows),
        "missing_grants": sum(len(each.missing) for each in rows),
    }
