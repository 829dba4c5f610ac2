"""Let the autoscaler start tasks earlier for a while, by a lower target value of its policy."""

from functions.actions.action import Action, Refusal, Terms, state_before
from functions.actions.sizing import IDLE_CPU, TRACKS_CPU, scalable
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, LeaseKind, Plan, SetTracking
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource

FACTOR = 0.8


def plan_tune_tracking(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """A fifth lower, for the policy that tracks the CPU and waits longest."""
    found = scalable(findings)
    if isinstance(found, Refusal):
        return found
    service, scaling, _ = found
    if scaling.scale_out_suspended:
        return Refusal("scaling out is suspended on the scalable target, which a person did")
    if scaling.policies is None:
        return Refusal("the scaling policies could not be read")
    if service.desired >= min(scaling.maximum, terms.max_tasks):
        return Refusal(f"{service.desired} tasks are wanted already, and no more are allowed")
    policy = max((p for p in scaling.policies if p.metric == TRACKS_CPU), key=lambda p: p.target, default=None)
    if policy is None:
        return Refusal("no policy tracks the CPU of the service")
    target = max(IDLE_CPU, round(FACTOR * policy.target, 1))
    if target >= policy.target:
        return Refusal(f"policy {policy.name} aims at {policy.target:g} % CPU already")
    resource = scaling.resource_id
    lease = terms.lease(
        LeaseKind.TRACKING, resource, policy.target, to=target, duration_s=terms.lease_s, policy=policy.name
    )
    changes = (SetTracking(resource_id=resource, policy=policy.name, target=target),)
    return Plan(
        action=ActionName.TUNE_TRACKING,
        cause=cause,
        summary=f"lower the target of policy {policy.name} from {policy.target:g} to {target:g} % CPU for "
        f"{terms.lease_s // 60} minutes",
        changes=changes,
        before=state_before(changes, service, scaling=scaling),
        undo=f"the target goes back to {lease.original:g} % by itself when the lease ends",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        leases=(lease,),
    )


TUNE_TRACKING = Action(
    name=ActionName.TUNE_TRACKING,
    effect="lowers the target value of the policy that tracks the CPU as a lease: the autoscaler adds tasks earlier",
    preconditions="a policy that tracks the CPU at a target that is not low already; room for more tasks",
    undo="the lease gives the old target back, if it is still the one that was set",
    restarts_or_scales=True,
    plan=plan_tune_tracking,
    permissions=(
        Permission(action="application-autoscaling:DescribeScalingPolicies", resource=Resource.ANY),
        Permission(action="application-autoscaling:PutScalingPolicy", resource=Resource.SCALABLE_TARGET),
    ),
)
