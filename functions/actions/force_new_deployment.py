"""Replace every task by a fresh one of the same task definition."""

from functions.actions.action import Action, Refusal, Terms, deployable, state_before
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, ForceNewDeployment, Plan
from functions.domain.evidence import Findings
from functions.domain.permissions import Permission, Resource


def plan_force_new_deployment(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Never on top of a deployment: ECS would start another one over it."""
    found = deployable(findings)
    if isinstance(found, Refusal):
        return found
    service, releases = found
    if releases.in_flight is not None or len(service.deployments) != 1:
        return Refusal("a deployment is under way, and forcing another on top of it would fight it")
    return Plan(
        action=ActionName.FORCE_NEW_DEPLOYMENT,
        cause=cause,
        summary=f"replace all {service.running} tasks by fresh ones of the same task definition",
        changes=(ForceNewDeployment(),),
        before=state_before(service),
        undo="nothing to undo: the same task definition runs; a mutable image tag was pulled again",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


FORCE_NEW_DEPLOYMENT = Action(
    name=ActionName.FORCE_NEW_DEPLOYMENT,
    effect="replaces every task by a fresh one of the same task definition, and pulls its image tags again",
    undo="nothing to undo",
    restarts_or_scales=True,
    plan=plan_force_new_deployment,
    permissions=(Permission(action="ecs:UpdateService", resource=Resource.SERVICE),),
)
