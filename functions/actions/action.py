"""What an action is: permissions, and a pure function from findings to a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from functions.domain.backups import Backups
from functions.domain.causes import Cause
from functions.domain.changes import (
    ActionName,
    BlockAddress,
    Change,
    DisableUser,
    Lease,
    LeaseKind,
    LeaseTerms,
    Plan,
    ScaleToZero,
    SetCeiling,
    SetFloor,
    SetStickiness,
    SetTracking,
    ShiftZone,
    StateBefore,
    StopTask,
)
from functions.domain.circumstances import FrontFacts
from functions.domain.containment import Containment
from functions.domain.evidence import ReleasesFacts, ScalingFacts, ServiceFacts
from functions.domain.findings import Findings
from functions.domain.orders import Order
from functions.domain.permissions import Permission
from functions.domain.webhooks import Webhook


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the playbook and the incident say about carrying the action out."""

    settle_s: int
    deadline_s: int
    min_tasks: int
    max_tasks: int
    step_percent: int
    lease_s: int
    shift_s: int
    """How long traffic is shifted out of a zone."""
    leases: tuple[Lease, ...] = ()
    """What is out on this service already."""
    named: str = ""
    """What the ladder names behind the action."""
    webhooks: tuple[Webhook, ...] = ()
    backups: Backups | None = None
    incident_id: str = ""
    alarms: tuple[str, ...] = ()
    """Names of those that may be muted."""
    mute_s: int = 3600
    """How long an alarm that flaps is muted."""
    containment: Containment = field(default_factory=Containment)
    order: Order | None = None
    """The order that is being answered."""

    def original(self, kind: LeaseKind, resource_id: str, now: float, *, policy: str = "") -> int | float:
        """The value to give back. One that a lease of ours set is not it; one that a person set since then is."""
        ours = (
            lease.terms
            for lease in self.leases
            if (lease.terms.kind, lease.terms.resource_id, lease.terms.policy) == (kind, resource_id, policy)
        )
        return next((terms.original for terms in ours if terms.value == now), now)

    def lease(
        self, kind: LeaseKind, resource_id: str, now: float, *, to: float, duration_s: int, policy: str = ""
    ) -> LeaseTerms:
        """From what it is now to another value, for a while."""
        return LeaseTerms(
            kind=kind,
            resource_id=resource_id,
            policy=policy,
            original=self.original(kind, resource_id, now, policy=policy),
            value=to,
            duration_s=duration_s,
        )


@dataclass(frozen=True)
class Refusal:
    """Why an action makes no plan from these findings."""

    reason: str


class Planner(Protocol):
    def __call__(self, cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal: ...


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing the responder can do.

    `effect`, `preconditions` and `undo` are for people; `plan` refuses where a precondition does not hold.
    `restarts_or_scales`: it replaces or adds tasks, which is forbidden while something the service stands on is down.
    `asks`: it is destructive or expensive, and never done without a grant.
    """

    name: ActionName
    effect: str
    preconditions: str
    undo: str
    permissions: tuple[Permission, ...]
    restarts_or_scales: bool
    plan: Planner
    asks: bool = False
    prepares: bool = False
    """It mends nothing: what stands behind it in a ladder follows at once, and only if all of it was done."""


def untouchable(service: ServiceFacts) -> str | None:
    """Why this service may not be changed at all; None when it may."""
    if service.status != "ACTIVE":
        return f"the service is {service.status}, not ACTIVE"
    if service.desired == 0:
        return "the service is set to 0 tasks, which a person did"
    return None


def deployable(findings: Findings) -> tuple[ServiceFacts, ReleasesFacts] | Refusal:
    """The service and its releases, where a deployment may be started through UpdateService."""
    service, releases = findings.service.value, findings.releases.value
    if service is None or releases is None:
        return Refusal("the service or its releases could not be read")
    refusal = untouchable(service)
    if refusal is not None:
        return Refusal(refusal)
    if service.controller != "ECS":
        return Refusal(f"deployment controller {service.controller} does not take deployments by UpdateService")
    return service, releases


def at_rest(findings: Findings) -> ServiceFacts | Refusal:
    """The service, where nobody else is at it: what a person may set by hand, also on a service that has no task."""
    service, releases, stack = findings.service.value, findings.releases.value, findings.stack.value
    if service is None or releases is None:
        return Refusal("the service or its releases could not be read")
    if service.status != "ACTIVE":
        return Refusal(f"the service is {service.status}, not ACTIVE")
    if releases.in_flight is not None or len(service.deployments) != 1:
        return Refusal("a deployment is under way: order it again when that is over, or roll back")
    if stack is not None and stack.in_progress:
        return Refusal(f"stack {stack.name} is {stack.status}: somebody is at work on the service")
    return service


def taken_back(order: Order, terms: Terms, wanted: Mapping[LeaseKind, float]) -> Refusal | None:
    """Why these values would not stay for good: a lease that set one of them gives it back when it ends."""
    if order.duration_s is not None:
        return None
    for lease in terms.leases:
        known = lease.terms
        if known.kind in wanted and wanted[known.kind] == known.value:
            return Refusal(
                f"the {known.kind} of {known.value:g} is a lease, which gives {known.original:g} back at "
                f"{lease.due_at:%Y-%m-%d %H:%M} UTC: order it for a while, or after that"
            )
    return None


def by_itself(leases: Sequence[LeaseTerms]) -> str:
    """The undo of what was ordered for a while."""
    before = " and ".join(f"{terms.kind} {terms.original:g}" for terms in leases)
    return f"by itself when the lease ends: {before}, unless somebody changed it meanwhile"


def undisturbed(service: ServiceFacts) -> str | None:
    """Why the service is not to be touched right now; None when one deployment runs and nothing is under way."""
    refusal = untouchable(service)
    if refusal is not None:
        return refusal
    if len(service.deployments) != 1:
        return "a deployment is under way"
    return None


def state_before(
    changes: Sequence[Change],
    service: ServiceFacts,
    *,
    scaling: ScalingFacts | None = None,
    front: FrontFacts | None = None,
) -> StateBefore:
    """The state that these changes rely on: what remediate reads again just before it makes the next of them.

    `scaling` and `front` are needed where `reads_scaling` and `reads_front` say so. What shuts out an address or a user
    leaves the service alone and relies on nothing of it. Who isolates stops every task, however many there are by then.
    """
    if changes and all(isinstance(change, BlockAddress | DisableUser) for change in changes):
        return StateBefore(status=service.status)
    primary = service.primary
    bounds = scaling if scaling is not None and scaling.registered and _some(changes, SetFloor, SetCeiling) else None
    groups = [change.target_group for change in changes if isinstance(change, SetStickiness)]
    sticky = {group.arn for group in front.target_groups if group.stickiness} if front is not None else set()
    return StateBefore(
        status=service.status,
        desired=None if _some(changes, ScaleToZero) else service.desired,
        task_definition=service.task_definition,
        primary_deployment=None if primary is None else primary.id,
        deployments=len(service.deployments),
        running=service.running if _some(changes, StopTask) else None,
        minimum=None if bounds is None else bounds.minimum,
        maximum=None if bounds is None else bounds.maximum,
        tracking=_tracking(changes, scaling),
        sticky=tuple(group for group in groups if group in sticky) if groups else None,
        shifted_away=front.shifted_away if front is not None and _some(changes, ShiftZone) else None,
    )


def reads_scaling(changes: Sequence[Change]) -> bool:
    return _some(changes, SetFloor, SetCeiling, SetTracking)


def reads_front(changes: Sequence[Change]) -> bool:
    return _some(changes, SetStickiness, ShiftZone)


def _some(changes: Sequence[Change], *kinds: type) -> bool:
    return any(isinstance(change, kinds) for change in changes)


def _tracking(changes: Sequence[Change], scaling: ScalingFacts | None) -> float | None:
    names = {change.policy for change in changes if isinstance(change, SetTracking)}
    policies = () if scaling is None else scaling.policies or ()
    return next((policy.target for policy in policies if policy.name in names), None)
