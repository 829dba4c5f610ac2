"""What an action is: permissions, and a pure function from findings to a plan."""

from dataclasses import dataclass
from typing import Protocol

from functions.domain.causes import Cause
from functions.domain.changes import ActionName, Lease, Plan, StateBefore
from functions.domain.evidence import Findings, ReleasesFacts, ScalingFacts, ServiceFacts
from functions.domain.permissions import Permission


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the playbook and the incident say about carrying the action out."""

    settle_s: int
    deadline_s: int
    max_tasks: int
    step_percent: int
    lease_s: int
    leases: tuple[Lease, ...] = ()
    """What is out on this service already."""


@dataclass(frozen=True)
class Refusal:
    """Why an action makes no plan from these findings."""

    reason: str


class Planner(Protocol):
    def __call__(self, cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal: ...


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing the responder can do.

    `effect` and `undo` are for people. `restarts_or_scales`: it replaces or adds tasks, which is forbidden while
    something the service stands on is down. `asks`: it is destructive or expensive, and never done without a grant.
    """

    name: ActionName
    effect: str
    undo: str
    permissions: tuple[Permission, ...]
    restarts_or_scales: bool
    plan: Planner
    asks: bool = False


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


def state_before(service: ServiceFacts, scaling: ScalingFacts | None = None) -> StateBefore:
    """The state a plan relies on: what remediate reads again just before it acts."""
    primary = service.primary
    registered = scaling is not None and scaling.registered
    return StateBefore(
        status=service.status,
        desired=service.desired,
        task_definition=service.task_definition,
        primary_deployment=None if primary is None else primary.id,
        deployments=len(service.deployments),
        minimum=scaling.minimum if scaling is not None and registered else None,
        maximum=scaling.maximum if scaling is not None and registered else None,
    )
