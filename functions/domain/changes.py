"""Changes: the only things the responder ever does to a service, as data. The executor that carries one out is dumb."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from functions.domain.causes import Cause
from functions.domain.model import Model, Moment, digest


class ActionName(StrEnum):
    FORCE_NEW_DEPLOYMENT = "force-new-deployment"
    SCALE_OUT = "scale-out"
    ROLL_BACK = "roll-back"
    PAGE = "page"
    """The last rung of every ladder: people."""


class ForceNewDeployment(Model):
    """UpdateService(forceNewDeployment=true): every task is replaced by one of the same task definition."""

    kind: Literal["force-new-deployment"] = "force-new-deployment"


class SetTaskDefinition(Model):
    """UpdateService(taskDefinition): nothing else is sent, least of all desiredCount."""

    kind: Literal["set-task-definition"] = "set-task-definition"
    task_definition: str


COPY_JUST_REGISTERED = "copy-just-registered"
"""In place of a task definition: the one that the stage before has made."""


class RegisterCopy(Model):
    """RegisterTaskDefinition with the content of an INACTIVE one, which cannot be an update target itself."""

    kind: Literal["register-copy"] = "register-copy"
    task_definition: str


class StopDeployment(Model):
    """StopServiceDeployment(stopType=ROLLBACK) of a deployment in flight."""

    kind: Literal["stop-deployment"] = "stop-deployment"
    service_deployment: str


class SetFloor(Model):
    """RegisterScalableTarget with MinCapacity alone; the ceiling stays as it is."""

    kind: Literal["set-floor"] = "set-floor"
    resource_id: str
    minimum: int


Change = Annotated[
    ForceNewDeployment | SetTaskDefinition | RegisterCopy | StopDeployment | SetFloor, Field(discriminator="kind")
]


class LeaseTerms(Model):
    """A temporary change: what it was, what we set, and for how long. The value is given back only if still ours."""

    resource_id: str
    original: int
    value: int
    duration_s: int


class StateBefore(Model):
    """The part of the service a plan relies on. Remediate reads it again, and a difference sends it back to assess."""

    status: str
    desired: int
    task_definition: str
    primary_deployment: str | None
    deployments: int
    minimum: int | None = None
    maximum: int | None = None


class Plan(Model):
    """What would be done, complete before anything is done: observe mode stops here, and the trail keeps it."""

    action: ActionName
    cause: Cause
    summary: str
    """One sentence for a person: what changes, from what, to what."""
    changes: tuple[Change, ...]
    """Carried out one after the other, one stage a visit, each with an intent of its own."""
    before: StateBefore
    undo: str
    """How a person takes it back."""
    settle_s: int
    """Seconds before the first look at the effect."""
    deadline_s: int
    """Seconds after which no effect means ineffective."""
    lease: LeaseTerms | None = None
    quarantine: str | None = None
    """A task definition that this plan declares bad."""

    @property
    def hash(self) -> str:
        """What an approval is bound to: the same cause, action, changes and state before give the same hash."""
        return digest(self.model_dump(mode="json", include={"action", "cause", "changes", "before"}))


class Verdict(Model):
    """What one guardrail says about a plan."""

    guardrail: str
    allowed: bool
    reason: str


class ChangeResult(Model):
    """What AWS answered: enough to find the effect again in ECS's own events or in CloudTrail."""

    request_id: str = ""
    made: str = ""
    """The identifier of what came into being: a deployment id or a task definition."""


class Lease(Model):
    """A temporary change that is out there and has to come back."""

    id: str
    incident_id: str
    service_key: str
    terms: LeaseTerms
    taken_at: Moment
    due_at: Moment
