"""Orders: what an operator orders, as it lies in the inbox of an incident."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from functions.domain.action_names import ActionName
from functions.domain.durations import DAY_S, written
from functions.domain.model import Model, Moment

SHORTEST_S = 60
LONGEST_S = 90 * DAY_S
"""How long an order may last, where it is for a while."""

LATEST = "latest"
"""In place of a task definition to go back to: the last known good release, as for every rollback."""


NAMED = r"^[A-Za-z0-9_:/-]{0,300}$"
"""A task, a task definition or a revision, by name or ARN."""


class Ordered(StrEnum):
    """What an operator may order. Each but `look` has the name of the action that it asks for."""

    REDEPLOY = ActionName.FORCE_NEW_DEPLOYMENT.value
    ROLL_BACK = ActionName.ROLL_BACK.value
    SET_COUNT = ActionName.SET_COUNT.value
    SET_LIMITS = ActionName.SET_LIMITS.value
    STOP_TASK = ActionName.REPLACE_TASK.value
    LOOK = "look"
    """No action: an incident by hand, in which the responder does what the playbook says."""
    ISOLATE = ActionName.ISOLATE.value
    BLOCK_ADDRESS = ActionName.BLOCK_ADDRESS.value
    DISABLE_USER = ActionName.DISABLE_USER.value

    @property
    def action(self) -> ActionName | None:
        """What it asks for; None for a look."""
        return None if self is Ordered.LOOK else ActionName(self.value)

    @property
    def contains(self) -> bool:
        """It shuts somebody out, and is asked for before it is done, in every mode."""
        return self.action is not None and self.action.contains


class Order(Model):
    """One order, as it lies in the inbox of an incident."""

    what: Ordered
    address: str = ""
    """BLOCK_ADDRESS: the one address, as `one_address` writes it."""
    user: str = ""
    """DISABLE_USER: the user's name in the pool."""
    to: Annotated[str, Field(pattern=NAMED)] = ""
    """ROLL_BACK: a task definition, by ARN, `family:revision` or revision; empty or `latest` is the last known good."""
    count: Annotated[int, Field(ge=0)] | None = None
    """SET_COUNT: how many tasks."""
    minimum: Annotated[int, Field(ge=0)] | None = None
    maximum: Annotated[int, Field(ge=0)] | None = None
    """SET_LIMITS: floor and ceiling of the scalable target."""
    task: Annotated[str, Field(pattern=NAMED)] = ""
    """STOP_TASK: its id or ARN."""
    duration_s: Annotated[int, Field(ge=SHORTEST_S, le=LONGEST_S)] | None = None
    """How long: of BLOCK_ADDRESS always; of SET_COUNT and SET_LIMITS where what was there before is to come back."""
    by: str
    """Who orders it, in their own words."""
    identity: str = ""
    """The same person as IAM knows them: the ARN of the caller."""
    reason: str
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{0,200}$")] = ""
    """Whoever orders twice with the same key has ordered once."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.what is Ordered.SET_COUNT and self.count is None:
            raise ValueError("an order to set a count has to say how many tasks")
        if self.what is Ordered.STOP_TASK and not self.task:
            raise ValueError("an order to stop a task has to name the task")
        if self.what is Ordered.SET_LIMITS:
            if self.minimum is None or self.maximum is None:
                raise ValueError("an order to set limits has to name floor and ceiling")
            if self.minimum > self.maximum:
                raise ValueError(f"the floor ({self.minimum}) is above the ceiling ({self.maximum})")
        return self

    @property
    def target(self) -> str | None:
        """ROLL_BACK: the one task definition that is wanted; None where the last known good is."""
        return self.to if self.to not in ("", LATEST) else None

    @property
    def wanted(self) -> str:
        """What is ordered, in the words of the command, without who and why."""
        lasts = "" if self.duration_s is None else f" for {written(self.duration_s)}"
        match self.what:
            case Ordered.REDEPLOY:
                return "redeploy"
            case Ordered.ROLL_BACK:
                return f"rollback to {self.target or LATEST}"
            case Ordered.SET_COUNT:
                return f"scale to {self.count}{lasts}"
            case Ordered.SET_LIMITS:
                return f"limits {self.minimum} to {self.maximum}{lasts}"
            case Ordered.STOP_TASK:
                return f"stop-task {self.task}"
            case Ordered.LOOK:
                return "open: a look by hand"
            case _:
                about = self.address or self.user
                return f"{self.what}{about and ' ' + about}"

    @property
    def summary(self) -> str:
        return f"{self.by} orders {self.wanted}: {self.reason}"

    def same_as(self, other: "Order") -> bool:
        """Whether both are about the very same, by the same person and for the same reason, whatever their keys."""
        return self.model_copy(update={"key": ""}) == other.model_copy(update={"key": ""})


class PendingOrder(Model):
    """What an operator ordered and nothing has come of yet. `number` is its place in the inbox."""

    number: int
    order: Order
    at: Moment | None = None
    """When it was given; None in trails of before that was kept."""
