"""Replace every task by a fresh one of the same task definition."""

from functions.actions.action import Action, Refusal, Terms, at_rest, deployable, state_before
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, ForceNewDeployment, Plan
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource


def plan_force_new_deployment(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Never on top of a deployment: ECS would start another one over it. Who orders it need not say which secret
    changed."""
    found = deployable(findings)
    if isinstance(found, Refusal):
        return found
    service, releases = found
    if releases.in_flight is not None or len(service.deployments) != 1:
        return Refusal("a deployment is under way, and forcing another on top of it would fight it")
    if terms.order is not None:
        resting = at_rest(findings)
        if isinstance(resting, Refusal):
            return resting
    elif cause is Cause.AUTHENTICATION_FAILING:
        stale = _stale(findings)
        if stale is not None:
            return Refusal(stale)
    changes = (ForceNewDeployment(),)
    return Plan(
        action=ActionName.FORCE_NEW_DEPLOYMENT,
        cause=cause,
        summary=f"replace all {service.running} tasks by fresh ones of the same task definition",
        changes=changes,
        before=state_before(changes, service),
        undo="nothing to undo: the same task definition runs; a mutable image tag was pulled again",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


def _stale(findings: Findings) -> str | None:
    """Why fresh tasks would know no other secret than those that run; None when one changed since they started.

    ECS reads secrets when a task starts, and never again (ECS Developer Guide, "Pass sensitive data to an Amazon ECS
    container").
    """
    secrets, tasks = findings.secrets.value, findings.tasks.value
    if secrets is None or tasks is None:
        return "the secrets or the tasks could not be read, so nobody knows whether fresh tasks would read others"
    if any(secret.exists is False for secret in secrets.secrets):
        return "a secret does not exist any more: fresh tasks would not start"
    started = [task.started_at for task in tasks.running if task.started_at is not None]
    if any(s.changed_at is not None and at < s.changed_at for s in secrets.secrets for at in started):
        return None
    return "no secret changed since the tasks started: fresh ones would read the same"


FORCE_NEW_DEPLOYMENT = Action(
    name=ActionName.FORCE_NEW_DEPLOYMENT,
    effect="replaces every task by a fresh one of the same task definition, and pulls its image tags again",
    preconditions="no deployment under way; where credentials are refused, a secret that changed since the tasks "
    "started",
    undo="nothing to undo",
    restarts_or_scales=True,
    plan=plan_force_new_deployment,
    permissions=(Permission(action="ecs:UpdateService", resource=Resource.SERVICE),),
)
