"""Changes: the only things the responder ever does to a service, as data. The executor that carries one out is dumb."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from functions.domain.action_names import ActionName as ActionName
from functions.domain.backups import Backups
from functions.domain.causes import Cause
from functions.domain.model import Model, Moment, digest


def rung(action: ActionName, named: str = "") -> str:
    """One rung of a ladder as it is written: the action, and behind a colon what of the playbook it is done with."""
    return f"{action}:{named}" if named else action


def split_rung(written: str) -> tuple[ActionName, str]:
    """The action of a rung, and what it is done with; empty where the action needs nothing.

    Raises:
        ValueError: there is no such action.
    """
    action, _, named = written.partition(":")
    return ActionName(action), named


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


class CallWebhook(Model):
    """One request to an endpoint of the application, as the playbook names it."""

    kind: Literal["call-webhook"] = "call-webhook"
    webhook: str
    """Its name in the playbook."""
    url: str
    method: Literal["GET", "POST"]
    timeout_s: int
    repeatable: bool = False
    token: str | None = None
    """The secret that holds the bearer token; never the token."""


class BackUpTable(Model):
    """CreateBackup of a DynamoDB table, unless it has a backup of that name."""

    kind: Literal["back-up-table"] = "back-up-table"
    table: str
    backup: str
    """The backup's name."""


class SnapshotDatabase(Model):
    """CreateDBSnapshot of a DB instance, unless there is a snapshot of that name."""

    kind: Literal["snapshot-database"] = "snapshot-database"
    instance: str
    snapshot: str


class MuteAlarm(Model):
    """PutAlarmMuteRule: the alarm's actions are held back for a while, in whole minutes. It ends by itself."""

    kind: Literal["mute-alarm"] = "mute-alarm"
    alarm: str
    duration_s: int
    note: str = ""
    """Why, for whoever finds the rule."""


class UnmuteAlarm(Model):
    """DeleteAlarmMuteRule: the alarm's actions run again, and at once if it is in ALARM."""

    kind: Literal["unmute-alarm"] = "unmute-alarm"
    alarm: str


class ScaleToZero(Model):
    """UpdateService(desiredCount=0): every task stops, and the service stays."""

    kind: Literal["scale-to-zero"] = "scale-to-zero"


class IpScope(StrEnum):
    """Where an IP set of AWS WAF is used (WAFV2 API reference, IPSet)."""

    CLOUDFRONT = "CLOUDFRONT"
    """Its API is in us-east-1, whatever the Region of the service."""
    REGIONAL = "REGIONAL"


class IpSet(Model):
    """One IP set of AWS WAF; it takes all three to name one."""

    name: str
    id: str
    scope: IpScope


class SetCount(Model):
    """UpdateService(desiredCount): only ever what a person ordered; an autoscaler goes on from there."""

    kind: Literal["set-count"] = "set-count"
    count: int


class BlockAddress(Model):
    """UpdateIPSet with one address more; all others stay."""

    kind: Literal["block-address"] = "block-address"
    ip_set: IpSet
    address: str


class UnblockAddress(Model):
    """UpdateIPSet without this one address; all others stay."""

    kind: Literal["unblock-address"] = "unblock-address"
    ip_set: IpSet
    address: str


class DisableUser(Model):
    """AdminDisableUser: the user may not sign in any more, and is not deleted."""

    kind: Literal["disable-user"] = "disable-user"
    user_pool: str
    user: str


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
    | SetStickiness
    | CallWebhook
    | BackUpTable
    | SnapshotDatabase
    | MuteAlarm
    | UnmuteAlarm
    | SetStickiness
    | SetCount
    | ScaleToZero
    | BlockAddress
    | UnblockAddress
    | DisableUser,
    Field(discriminator="kind"),
]


def backing_up(backups: Backups, name: str) -> tuple[BackUpTable | SnapshotDatabase, ...]:
    """What saves all of it under one name."""
    tables = tuple(BackUpTable(table=table, backup=name) for table in backups.dynamodb)
    return tables if backups.rds is None else (*tables, SnapshotDatabase(instance=backups.rds, snapshot=name))


def repeatable(change: Change) -> bool:
    """Whether a change that nobody answered may be made once more: done twice, it does no more than done once."""
    match change:
        case CallWebhook(repeatable=may):
            return may
        case BackUpTable() | SnapshotDatabase():
            return True
        case _:
            return False


class LeaseKind(StrEnum):
    """What a lease changed for a while. Each kind belongs to one kind of change."""

    FLOOR = "floor"
    CEILING = "ceiling"
    TRACKING = "tracking"
    MUTE = "mute"
    ADDRESS = "address"
    """Its value is 1 while the address is in the set, and 0 without it."""
    COUNT = "count"
    """The desired count of a service that has no scalable target."""


class LeaseTerms(Model):
    """A temporary change: what it was, what we set, and for how long. The value is given back only if still ours.

    A shifted zone is no lease: Elastic Load Balancing itself ends the shift.
    """

    kind: LeaseKind = LeaseKind.FLOOR
    resource_id: str
    """The scalable target; MUTE: the alarm; COUNT: `service/CLUSTER/SERVICE`."""
    policy: str = ""
    """TRACKING: the scaling policy."""
    block: BlockAddress | None = None
    """ADDRESS: what was blocked; `resource_id` is the id of the set."""
    original: int | float
    value: int | float
    duration_s: int


def lease_kind(change: Change) -> LeaseKind | None:
    """The kind of lease that a change may be made under; None where a change is never temporary."""
    match change:
        case SetFloor():
            return LeaseKind.FLOOR
        case SetCeiling():
            return LeaseKind.CEILING
        case SetTracking():
            return LeaseKind.TRACKING
        case MuteAlarm():
            return LeaseKind.MUTE
        case BlockAddress():
            return LeaseKind.ADDRESS
        case SetCount():
            return LeaseKind.COUNT
        case _:
            return None


def giving_back(terms: LeaseTerms) -> Change:
    """The change that ends a lease: what it was before, and nothing else."""
    match terms.kind:
        case LeaseKind.FLOOR:
            return SetFloor(resource_id=terms.resource_id, minimum=int(terms.original))
        case LeaseKind.CEILING:
            return SetCeiling(resource_id=terms.resource_id, maximum=int(terms.original))
        case LeaseKind.TRACKING:
            return SetTracking(resource_id=terms.resource_id, policy=terms.policy, target=float(terms.original))
        case LeaseKind.MUTE:
            return UnmuteAlarm(alarm=terms.resource_id)
        case LeaseKind.COUNT:
            return SetCount(count=int(terms.original))
        case LeaseKind.ADDRESS:
            if terms.block is None:
                raise LookupError("a lease of an address does not say which one")
            return UnblockAddress(ip_set=terms.block.ip_set, address=terms.block.address)


class StateBefore(Model):
    """The part of the service a plan relies on. Remediate reads it again, and a difference sends it back to assess.

    What none of the plan's changes relies on is None.
    """

    status: str
    desired: int | None = None
    task_definition: str | None = None
    primary_deployment: str | None = None
    deployments: int | None = None
    running: int | None = None
    """Before a task is stopped: one fewer than it was, and stopping another would be one too many."""
    minimum: int | None = None
    maximum: int | None = None
    tracking: float | None = None
    """The target value of the scaling policy that is changed."""
    sticky: tuple[str, ...] | None = None
    """Those of the target groups to be changed that have sticky sessions."""
    shifted_away: tuple[str, ...] | None = None
    """Ids of zones from which traffic is shifted away."""

    def after(self, change: Change) -> "StateBefore":
        """What the next stage relies on, once this change was made: what it set itself is no difference."""
        match change:
            case SetFloor(minimum=minimum):
                desired = None if self.desired is None else max(self.desired, minimum)
                return self.model_copy(update={"minimum": minimum, "desired": desired})
            case SetCeiling(maximum=maximum, minimum=minimum):
                floor = self.minimum if minimum is None else minimum
                desired = None if self.desired is None else min(self.desired, maximum)
                return self.model_copy(update={"maximum": maximum, "minimum": floor, "desired": desired})
            case SetCount(count=count):
                return self.model_copy(update={"desired": count})
            case SetStickiness(target_group=group):
                return self.model_copy(update={"sticky": (*(self.sticky or ()), group)})
            case _:
                return self


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
    pause_s: int = 0
    """Seconds between two stages."""
    leases: tuple[LeaseTerms, ...] = ()
    """What of it is temporary. Each is taken with the stage whose change is of its kind."""
    quarantine: str | None = None
    """A task definition that this plan declares bad."""

    @model_validator(mode="before")
    @classmethod
    def _one_lease(cls, data: Any) -> Any:
        """A trail written before a plan could have several leases."""
        if not isinstance(data, Mapping) or not data.get("lease"):
            return data
        return {"leases": (data["lease"],), **{name: value for name, value in data.items() if name != "lease"}}

    def lease_of(self, stage: int) -> LeaseTerms | None:
        """What that stage takes for a while."""
        kind = lease_kind(self.changes[stage])
        return next((terms for terms in self.leases if terms.kind is kind), None)

    @property
    def rung(self) -> str:
        """The rung of a ladder that this plan is. An action that is named with different things is several."""
        named = next((change.webhook for change in self.changes if isinstance(change, CallWebhook)), "")
        return rung(self.action, named)

    @property
    def only_takes_away(self) -> bool:
        """No more tasks can come of it than are wanted and allowed now."""
        return bool(self.changes) and all(_takes_away(change, self.before) for change in self.changes)

    @property
    def leaves_no_task(self) -> bool:
        """Nobody is served once it is done: never without a grant, whoever ordered it."""
        return any(map(_stops_every_task, self.changes))

    @property
    def hash(self) -> str:
        """What an approval is bound to: the same cause, action, changes and state before give the same hash."""
        return digest(self.model_dump(mode="json", include={"action", "cause", "changes", "before"}))


def _takes_away(change: Change, before: StateBefore) -> bool:
    match change:
        case SetCount(count=count) | SetFloor(minimum=count):
            return before.desired is not None and count <= before.desired
        case SetCeiling(maximum=maximum, minimum=minimum):
            lower = before.maximum is not None and maximum <= before.maximum
            return lower and (minimum is None or (before.desired is not None and minimum <= before.desired))
        case _:
            return False


def _stops_every_task(change: Change) -> bool:
    match change:
        case ScaleToZero() | SetCount(count=0) | SetCeiling(maximum=0):
            return True
        case _:
            return False


class Verdict(Model):
    """What one guardrail says about a plan."""

    guardrail: str
    allowed: bool
    reason: str
    ordered: bool = False
    """It would have said no to the responder itself, and lets a person's order pass."""


class ChangeResult(Model):
    """What AWS or a webhook answered: enough to find the effect again in ECS's own events or in CloudTrail."""

    request_id: str = ""
    made: str = ""
    """The identifier of what came into being: a deployment id or a task definition."""
    answer: str = ""
    """Of a webhook: its status and the first line of what came with it, redacted. Evidence, not success."""


class Lease(Model):
    """A temporary change that is out there and has to come back."""

    id: str
    incident_id: str
    service_key: str
    terms: LeaseTerms
    taken_at: Moment
    due_at: Moment
