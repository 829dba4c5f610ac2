"""Contain a breach: shut the service, an address or a user out, when people say so and only then.

Whatever is done here is done by the function of the contain stack, whose role alone has the rights for it.
"""

from functions.actions.action import Action, Refusal, Terms, state_before, untouchable
from functions.domain.causes import Cause
from functions.domain.changes import (
    ActionName,
    BlockAddress,
    Change,
    DisableUser,
    IpScope,
    LeaseKind,
    LeaseTerms,
    Plan,
    ScaleToZero,
    SetCeiling,
)
from functions.domain.containment import why_not_block
from functions.domain.evidence import ScalingFacts, ServiceFacts
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource
from functions.domain.shell import word

_SCALING_S = 10
"""Seconds between closing the scalable target and stopping the tasks: it may do that by itself."""


def plan_isolate(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """To no task at all. Where there is a scalable target it is closed first, or it would bring tasks back."""
    service, scaling = findings.service.value, findings.scaling.value
    if service is None or scaling is None:
        return Refusal("the service or its scalable target could not be read")
    refusal = untouchable(service)
    if refusal is not None:
        return Refusal(refusal)
    if service.strategy != "REPLICA":
        return Refusal(f"a service that schedules {service.strategy} has no number of tasks that could be set")
    changes: tuple[Change, ...] = (ScaleToZero(),)
    if scaling.registered:
        changes = (SetCeiling(resource_id=scaling.resource_id, maximum=0, minimum=0), *changes)
    first = " after closing the scalable target" if scaling.registered else ""
    return Plan(
        action=ActionName.ISOLATE,
        cause=cause,
        summary=f"stop all {service.desired} tasks of the service{first}: nobody is served until a person ends it",
        changes=changes,
        before=state_before(changes, service, scaling=scaling),
        undo=_back(service, scaling, findings, terms),
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        pause_s=_SCALING_S,
    )


def _back(service: ServiceFacts, scaling: ScalingFacts, findings: Findings, terms: Terms) -> str:
    """The commands that bring it back as it was; a floor or ceiling that was only leased comes back as before that."""
    cluster, name = service.arn.split("/")[-2:]
    count = f"aws ecs update-service --cluster {cluster} --service {name} --desired-count {service.desired}"
    if not scaling.registered:
        return count
    minimum = terms.original(LeaseKind.FLOOR, scaling.resource_id, scaling.minimum)
    maximum = terms.original(LeaseKind.CEILING, scaling.resource_id, scaling.maximum)
    bounds = (
        "aws application-autoscaling register-scalable-target --service-namespace ecs "
        f"--scalable-dimension ecs:service:DesiredCount --resource-id {scaling.resource_id} "
        f"--min-capacity {minimum} --max-capacity {maximum}"
    )
    return f"{bounds} && {count}"


def plan_block_address(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """One address, for as long as the order says, in the IP set that the playbook names."""
    service, order, ip_set = findings.service.value, terms.order, terms.containment.ip_set
    if order is None or not order.address or order.duration_s is None:
        return Refusal("an operator has to name the address and how long it stays blocked")
    if ip_set is None:
        return Refusal("the playbook names no IP set: write contain: ip_set: {name, id, scope}")
    refusal = why_not_block(order.address, terms.containment.never_block)
    if refusal is not None:
        return Refusal(refusal)
    if service is None:
        return Refusal("the service could not be read")
    block = BlockAddress(ip_set=ip_set, address=order.address)
    region = "us-east-1" if ip_set.scope is IpScope.CLOUDFRONT else "the service's Region"
    return Plan(
        action=ActionName.BLOCK_ADDRESS,
        cause=cause,
        summary=f"block {order.address} in IP set {ip_set.name} for {order.duration_s // 60} minutes",
        changes=(block,),
        before=state_before((block,), service),
        undo=f"the lease takes {order.address} out of the set again when it ends, or a person does, in {region}",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        leases=(
            LeaseTerms(
                kind=LeaseKind.ADDRESS,
                resource_id=ip_set.id,
                block=block,
                original=0,
                value=1,
                duration_s=order.duration_s,
            ),
        ),
    )


def plan_disable_user(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """One user of the pool that the playbook names, whose tokens are revoked as well (Amazon Cognito API reference:
    AdminDisableUser). Whoever only checks a token's signature takes it until it expires."""
    service, order, pool = findings.service.value, terms.order, terms.containment.user_pool
    if order is None or not order.user:
        return Refusal("an operator has to name the user")
    if pool is None:
        return Refusal("the playbook names no user pool: write contain: user_pool: POOL-ID")
    if service is None:
        return Refusal("the service could not be read")
    disable = DisableUser(user_pool=pool, user=order.user)
    return Plan(
        action=ActionName.DISABLE_USER,
        cause=cause,
        summary=f"disable user {order.user} of pool {pool}",
        changes=(disable,),
        before=state_before((disable,), service),
        undo=f"aws cognito-idp admin-enable-user --user-pool-id {pool} --username {word(order.user)}",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


ISOLATE = Action(
    name=ActionName.ISOLATE,
    effect="closes the scalable target and stops every task: nobody is served any more",
    preconditions="the service is ACTIVE and has tasks; the contain stack is deployed",
    undo="a person sets floor, ceiling and count that were there before; the page has the commands",
    restarts_or_scales=False,
    asks=True,
    plan=plan_isolate,
    permissions=(
        Permission(action="ecs:UpdateService", resource=Resource.SERVICE),
        Permission(action="application-autoscaling:RegisterScalableTarget", resource=Resource.SCALABLE_TARGET),
    ),
)

BLOCK_ADDRESS = Action(
    name=ActionName.BLOCK_ADDRESS,
    effect="adds one address to an IP set of AWS WAF as a lease; only an operator orders it",
    preconditions="a public address that the playbook does not protect; an IP set in the playbook; the contain stack "
    "is deployed",
    undo="the lease takes the address out again, if it is still there",
    restarts_or_scales=False,
    asks=True,
    plan=plan_block_address,
    permissions=(
        Permission(action="wafv2:GetIPSet", resource=Resource.IP_SET),
        Permission(action="wafv2:UpdateIPSet", resource=Resource.IP_SET),
    ),
)

DISABLE_USER = Action(
    name=ActionName.DISABLE_USER,
    effect="disables one user of a Cognito user pool, and never deletes one; only an operator orders it",
    preconditions="a user pool in the playbook; the contain stack is deployed",
    undo="a person enables the user again; the page has the command",
    restarts_or_scales=False,
    asks=True,
    plan=plan_disable_user,
    permissions=(Permission(action="cognito-idp:AdminDisableUser", resource=Resource.USER_POOL),),
)
