"""Go back to the last known good release; never simply to "revision − 1"."""

from functions.actions.action import Action, Refusal, Terms, deployable, state_before
from functions.domain.causes import Cause
from functions.domain.changes import (
    COPY_JUST_REGISTERED,
    ActionName,
    Change,
    Plan,
    RegisterCopy,
    SetTaskDefinition,
    StopDeployment,
)
from functions.domain.evidence import Findings, short
from functions.domain.permissions import Permission, Resource
from functions.domain.releases import born_with_a_release

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
    if cause not in RELEASE_BY_NATURE and not born_with_a_release(findings):
        return Refusal(f"{short(releases.current)} ran well before: going back from it would change nothing")
    if flight is not None:
        changes: tuple[Change, ...] = (StopDeployment(service_deployment=flight.arn),)
        target = "what ran before it"
        summary = f"stop the deployment in flight and let ECS roll back from {short(releases.current)}"
    else:
        good = releases.last_known_good
        if good is None:
            return Refusal(f"there is nothing to go back to: {releases.last_known_good_reason}")
        if releases.differs_beyond_task_definition is None:
            return Refusal(
                f"nobody recorded whether network, load balancer or volumes changed since {short(good)}, "
                "and a rollback of the task definition would leave them as they are"
            )
        if releases.differs_beyond_task_definition:
            return Refusal(f"more than the task definition changed since {short(good)}: going back needs a deployment")
        target = short(good)
        summary = f"roll back from {short(releases.current)} to {target}, {releases.last_known_good_reason}"
        changes = (
            (SetTaskDefinition(task_definition=good),)
            if releases.last_known_good_active
            else (RegisterCopy(task_definition=good), SetTaskDefinition(task_definition=COPY_JUST_REGISTERED))
        )
    return Plan(
        action=ActionName.ROLL_BACK,
        cause=cause,
        summary=summary,
        changes=changes,
        before=state_before(changes, service),
        undo=f"aws ecs update-service --cluster {cluster_of(service.arn)} --service {name_of(service.arn)} "
        f"--task-definition {short(releases.current)}",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        quarantine=releases.current,
    )


def cluster_of(service_arn: str) -> str:
    return service_arn.split("/")[-2]


def name_of(service_arn: str) -> str:
    return service_arn.rsplit("/", 1)[-1]


ROLL_BACK = Action(
    name=ActionName.ROLL_BACK,
    effect="replaces the tasks of the current release by tasks of the last known good one",
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
    ),
)
