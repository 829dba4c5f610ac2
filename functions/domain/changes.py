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
    RAISE_CEILING = "raise-ceiling"
    LOWER_CEILING = "lower-ceiling"
    REPLACE_TASK = "replace-task"
    SHIFT_ZONE = "shift-zone"
    ENLARGE_TASK = "enlarge-task"
    RESTORE_STICKINESS = "restore-stickiness"
    TUNE_TRACKING = "tune-tracking"
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
    """RegisterTaskDefinition with the content of another one: an INACTIVE one, which cannot be an update target itself,
    or one whose tasks are to be larger."""

    kind: Literal["register-copy"] = "register-copy"
    task_definition: str
    cpu: int | None = None
    """CPU units of a task instead of those of the original."""
    memory_mib: int | None = None


class StopDeployment(Model):
    """StopServiceDeployment(stopType=ROLLBACK) of a deployment in flight."""

    kind: Literal["stop-deployment"] = "stop-deployment"
    service_deployment: str


class SetFloor(Model):
    """RegisterScalableTarget with MinCapacity alone; the ceiling stays as it is."""

    kind: Literal["set-floor"] = "set-floor"
    resource_id: str
    minimum: int


class SetCeiling(Model):
    """RegisterScalableTarget with MaxCapacity. Application Auto Scaling moves the count into the new range at once."""

    kind: Literal["set-ceiling"] = "set-ceiling"
    resource_id: str
    maximum: int
    minimum: int | None = None
    """The floor, too, where it would be above the new ceiling."""


class SetTracking(Model):
    """PutScalingPolicy with another target value; everything else of the policy is sent as it is."""

    kind: Literal["set-tracking"] = "set-tracking"
    resource_id: str
    policy: str
    target: float


class DeregisterTarget(Model):
    """DeregisterTargets: the load balancer sends it no new request and lets it finish those it has."""

    kind: Literal["deregister-target"] = "deregister-target"
    target_group: str
    target: str
    port: int | None = None


class StopTask(Model):
    """StopTask: ECS starts another one in its place."""

    kind: Literal["stop-task"] = "stop-task"
    task: str
    reason: str


class ShiftZone(Model):
    """StartZonalShift of a load balancer. It ends by itself."""

    kind: Literal["shift-zone"] = "shift-zone"
    load_balancer: str
    zone_id: str
    zone: str
    """The zone's name, for people."""
    expires_s: int


class SetStickiness(Model):
    """ModifyTargetGroupAttributes: stickiness on, by the load balancer's own cookie."""

    kind: Literal["set-stickiness"] = "set-stickiness"
    target_group: str
    duration_s: int


Change = Annotated[
    ForceNewDeployment
    | SetTaskDefinition
    | RegisterCopy
    | StopDeployment
    | SetFloor
    | SetCeiling
    | SetTracking
    | DeregisterTarget
    | StopTask
    | ShiftZone
    | SetStickiness,
    Field(discriminator="kind"),
]


class LeaseKind(StrEnum):
    """What a lease changed for a while. Each kind belongs to one kind of change."""

    FLOOR = "floor"
    CEILING = "ceiling"
    TRACKING = "tracking"


class LeaseTerms(Model):
    """A temporary change: what it was, what we set, and for how long. The value is given back only if still ours."""

    kind: LeaseKind = LeaseKind.FLOOR
    resource_id: str
    policy: str = ""
    """TRACKING: the scaling policy."""
    original: int | float
    value: int | float
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
