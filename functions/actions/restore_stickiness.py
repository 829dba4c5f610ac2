"""Switch sticky sessions on again, where the playbook says that the service needs them."""

from functions.actions.action import Action, Refusal, Terms, state_before, untouchable
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, Plan, SetStickiness
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource


def plan_restore_stickiness(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """By the load balancer's own cookie, for as long as the playbook says, in every target group that has none."""
    service, front = findings.service.value, findings.front.value
    if service is None or front is None:
        return Refusal("the service or its target groups could not be read")
    refusal = untouchable(service)
    if refusal is not None:
        return Refusal(refusal)
    if front.sticky_s is None:
        return Refusal("the playbook does not say that the service needs sticky sessions")
    without = [group.arn for group in front.target_groups if not group.stickiness]
    if not without:
        return Refusal("sticky sessions are on")
    changes = tuple(SetStickiness(target_group=group, duration_s=front.sticky_s) for group in without)
    undo = " && ".join(
        f"aws elbv2 modify-target-group-attributes --target-group-arn {group} "
        "--attributes Key=stickiness.enabled,Value=false"
        for group in without
    )
    return Plan(
        action=ActionName.RESTORE_STICKINESS,
        cause=cause,
        summary=f"switch sticky sessions on ({front.sticky_s} s, by the load balancer's cookie) in "
        f"{', '.join(group.rsplit(':', 1)[-1] for group in without)}",
        changes=changes,
        before=state_before(changes, service, front=front),
        undo=undo,
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


RESTORE_STICKINESS = Action(
    name=ActionName.RESTORE_STICKINESS,
    effect="switches sticky sessions on in the target group: a user stays with one task",
    preconditions="`sticky_sessions` in the playbook, and a target group in which they are off",
    undo="switch them off",
    restarts_or_scales=False,
    plan=plan_restore_stickiness,
    permissions=(
        Permission(action="elasticloadbalancing:ModifyTargetGroupAttributes", resource=Resource.TARGET_GROUP),
    ),
)
