"""Go back to the last known good release; never simply to "revision − 1"."""

from functions.actions.action import Action, Refusal, Terms, at_rest, deployable, state_before
from functions.actions.sizing import comfortable_cpu, scalable, tasks_for_requests
from functions.domain.causes import Cause
from functions.domain.changes import (
    COPY_JUST_REGISTERED,
    ActionName,
    Change,
    LeaseKind,
    LeaseTerms,
    Plan,
    RegisterCopy,
    SetFloor,
    SetTaskDefinition,
    StopDeployment,
)
from functions.domain.evidence import Metric, ReleasesFacts, ServiceFacts, short
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource
from functions.domain.releases import born_with_a_release, quarantined, reached_steady_state

MORE_LOAD = 1.3
"""So many times the usual requests are more load than usual."""
FLOOR_TAKES_S = 10
"""After RegisterScalableTarget, Application Auto Scaling moves the desired count by itself, within seconds."""

RELEASE_BY_NATURE = frozenset({Cause.BAD_DEPLOYMENT, Cause.BAD_RELEASE})
"""Causes that are a release by what they are. Any other may come with one, or not."""


def plan_roll_back(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Stop the suspect deployment if it is still under way, else set the task definition of the last known good."""
    found = deployable(findings)
    if isinstance(found, Refusal):
        return found
    service, releases = found
    flight = releases.in_flight
    if flight is not None and flight.rolling_back:
        return Refusal("ECS is rolling back by itself")
    if terms.order is None and cause not in RELEASE_BY_NATURE and not born_with_a_release(findings):
        return Refusal(f"{short(releases.current)} ran well before: going back from it would change nothing")
    if terms.order is not None and terms.order.target is not None:
        return _to_a_chosen_one(cause, findings, service, releases, terms)
    if flight is not None:
        refusal = _to_a_quarantined_one(releases)
        if refusal is not None:
            return refusal
        changes: tuple[Change, ...] = (StopDeployment(service_deployment=flight.arn),)
        target = "what ran before it"
        summary = f"stop the deployment in flight and let ECS roll back from {short(releases.current)}"
    else:
        good = releases.last_known_good
        if good is None:
            return Refusal(f"there is nothing to go back to: {releases.last_known_good_reason}")
        refusal = _more_changed(good, releases.differs_beyond_task_definition)
        if refusal is not None:
            return refusal
        target = short(good)
        summary = f"roll back from {short(releases.current)} to {target}, {releases.last_known_good_reason}"
        changes = _setting(good, active=releases.last_known_good_active)
    room = _room_for_load(findings, terms)
    if room is not None:
        summary = (
            f"raise the floor from {room.original} to {room.value} tasks, because there is more load, and {summary}"
        )
        changes = (SetFloor(resource_id=room.resource_id, minimum=int(room.value)), *changes)
    return Plan(
        action=ActionName.ROLL_BACK,
        cause=cause,
        summary=summary,
        changes=changes,
        before=state_before(changes, service, scaling=findings.scaling.value),
        pause_s=FLOOR_TAKES_S if room is not None else 0,
        leases=() if room is None else (room,),
        undo=_undo(service, releases),
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        quarantine=releases.current,
    )


def _to_a_quarantined_one(releases: ReleasesFacts) -> Refusal | None:
    """Whether ECS itself would go back to a release that is quarantined: it goes to the service revision before (API
    reference: StopServiceDeployment), and knows of no quarantine."""
    before = next(iter(reached_steady_state(releases.service_deployments, releases.revisions)), None)
    why = None if before is None else quarantined(before, releases.history)
    return None if why is None else Refusal(f"ECS would go back to what ran before, and {why}")


def _to_a_chosen_one(
    cause: Cause, findings: Findings, service: ServiceFacts, releases: ReleasesFacts, terms: Terms
) -> Plan | Refusal:
    """The release that an operator named. What ran before it is not declared bad by that: it may be the way forward
    again."""
    chosen, resting = releases.chosen, at_rest(findings)
    if isinstance(resting, Refusal):
        return resting
    if chosen is None or chosen.task_definition is None:
        return Refusal("the release could not be looked up" if chosen is None else chosen.reason)
    refusal = _more_changed(chosen.task_definition, chosen.differs_beyond_task_definition)
    if refusal is not None:
        return refusal
    changes = _setting(chosen.task_definition, active=chosen.active)
    return Plan(
        action=ActionName.ROLL_BACK,
        cause=cause,
        summary=f"set the service from {short(releases.current)} to {short(chosen.task_definition)}, {chosen.reason}",
        changes=changes,
        before=state_before(changes, service),
        undo=_undo(service, releases),
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


def _more_changed(release: str, differs: bool | None) -> Refusal | None:
    """Why a task definition alone does not bring that release back; None where it does."""
    if differs is None:
        return Refusal(
            f"nobody recorded whether network, load balancer or volumes changed since {short(release)}, "
            "and a rollback of the task definition would leave them as they are"
        )
    if differs:
        return Refusal(f"more than the task definition changed since {short(release)}: going back needs a deployment")
    return None


def _setting(release: str, *, active: bool) -> tuple[Change, ...]:
    """What brings a task definition back; an inactive one cannot be an update target itself."""
    if active:
        return (SetTaskDefinition(task_definition=release),)
    return (RegisterCopy(task_definition=release), SetTaskDefinition(task_definition=COPY_JUST_REGISTERED))


def _undo(service: ServiceFacts, releases: ReleasesFacts) -> str:
    return (
        f"aws ecs update-service --cluster {cluster_of(service.arn)} --service {name_of(service.arn)} "
        f"--task-definition {short(releases.current)}"
    )


def _room_for_load(findings: Findings, terms: Terms) -> LeaseTerms | None:
    """The floor to go back with when there is more load, too: the release before could not carry it either.

    None where the load is as usual, or where raising a floor is not possible or not safe.
    """
    found, dependencies = scalable(findings), findings.dependencies.value
    if isinstance(found, Refusal) or dependencies is None or dependencies.troubled:
        return None
    service, scaling, metrics = found
    now, before = metrics.now(Metric.REQUESTS), metrics.before(Metric.REQUESTS)
    if scaling.scale_out_suspended or now is None or before is None or now < MORE_LOAD * before:
        return None
    needed = tasks_for_requests(service, metrics, comfortable_cpu(scaling))
    floor = min(needed or 0, scaling.maximum, terms.max_tasks)
    if floor <= service.desired or floor <= scaling.minimum:
        return None
    return terms.lease(LeaseKind.FLOOR, scaling.resource_id, scaling.minimum, to=floor, duration_s=terms.lease_s)


def cluster_of(service_arn: str) -> str:
    return service_arn.split("/")[-2]


def name_of(service_arn: str) -> str:
    return service_arn.rsplit("/", 1)[-1]


ROLL_BACK = Action(
    name=ActionName.ROLL_BACK,
    effect="replaces the tasks of the current release by tasks of the last known good one",
    preconditions="trouble that came with the release; a deployment in flight, or an earlier release that ran "
    "well and differs in nothing but its task definition",
    undo="set the task definition that ran before",
    restarts_or_scales=False,
    plan=plan_roll_back,
    permissions=(
        Permission(action="ecs:UpdateService", resource=Resource.SERVICE),
        Permission(action="ecs:StopServiceDeployment", resource=Resource.SERVICE_DEPLOYMENT),
        Permission(action="ecs:DescribeTaskDefinition", resource=Resource.ANY),
        Permission(action="ecs:RegisterTaskDefinition", resource=Resource.ANY),
        Permission(action="ecs:TagResource", resource=Resource.NEW_TASK_DEFINITION),
        Permission(action="iam:PassRole", resource=Resource.TASK_ROLES),
        Permission(action="application-autoscaling:RegisterScalableTarget", resource=Resource.SCALABLE_TARGET),
    ),
)
