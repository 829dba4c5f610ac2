"""What the running service has that the infrastructure code does not say, ready to paste into it.

Properties are those of AWS::ECS::Service, AWS::ECS::TaskDefinition, AWS::ApplicationAutoScaling::ScalableTarget,
AWS::ApplicationAutoScaling::ScalingPolicy and AWS::ElasticLoadBalancingV2::TargetGroup (CloudFormation User Guide), of
the same things in the AWS CDK for TypeScript, and of the AWS provider of Terraform.
"""

from collections.abc import Iterator, Sequence

from functions.domain.changes import (
    ActionName,
    LeaseKind,
    LeaseTerms,
    Plan,
    RegisterCopy,
    SetCeiling,
    SetCount,
    SetFloor,
    SetStickiness,
    SetTaskDefinition,
    StopDeployment,
)
from functions.domain.evidence import short
from functions.domain.model import Moment
from functions.workflow.reporting.known import DONE
from functions.workflow.reporting.model import Pin
from functions.workflow.story import Intent


def pins(
    intents: Sequence[Intent], open_leases: Sequence[tuple[LeaseTerms, Moment]], *, good: str | None
) -> tuple[Pin, ...]:
    """One for each thing that lasts, the newest where several say the same; then one for each lease that is out.

    `good` is the release to which ECS went back where a deployment was stopped."""
    found = {_about(pin): pin for intent in intents if intent.ended in DONE for pin in _lasting(intent, good)}
    found |= {_about(pin): pin for terms, due_at in open_leases for pin in _leased(terms, due_at)}
    return tuple(found.values())


def _about(pin: Pin) -> str:
    """What it is about, whatever the number: of two counts, or of two revisions, the newest holds."""
    return "".join(each for each in pin.title if not each.isdigit())


def _lasting(intent: Intent, good: str | None) -> Iterator[Pin]:
    plan = intent.plan
    match intent.change:
        case SetTaskDefinition(task_definition=name) if plan.action is ActionName.ROLL_BACK:
            yield _release(name, plan.quarantine)
        case StopDeployment() if good is not None:
            yield _release(good, plan.quarantine)
        case RegisterCopy(cpu=cpu, memory_mib=memory) if memory is not None:
            units = "" if cpu is None else f"  Cpu: '{cpu}'\n"
            yield Pin(
                title=f"Task size {'' if cpu is None else f'{cpu} CPU units, '}{memory} MiB",
                why="The code still has the smaller task, and its next deployment brings that back.",
                cdk="new ecs.FargateTaskDefinition(this, 'Task', {\n"
                f"{'' if cpu is None else f'  cpu: {cpu},' + chr(10)}  memoryLimitMiB: {memory},\n}});",
                cloudformation=f"Type: AWS::ECS::TaskDefinition\nProperties:\n{units}  Memory: '{memory}'",
                terraform='resource "aws_ecs_task_definition" "task" {\n'
                f"{'' if cpu is None else f'  cpu    = {cpu}' + chr(10)}  memory = {memory}\n}}",
            )
        case SetCeiling(maximum=maximum, minimum=minimum) if plan.action is ActionName.LOWER_CEILING:
            why = "The code still has the higher ceiling, and its next deployment brings that back."
            yield _range(why, minimum=minimum, maximum=maximum)
        case SetCeiling(maximum=maximum, minimum=minimum) if _for_good(plan):
            yield _range(_ORDERED, minimum=minimum, maximum=maximum)
        case SetFloor(minimum=minimum) if _for_good(plan):
            yield _range(_ORDERED, minimum=minimum)
        case SetCount(count=count) if _for_good(plan) and not any(isinstance(c, SetFloor) for c in plan.changes):
            yield Pin(
                title=f"Count of {count} tasks",
                why=_ORDERED,
                cdk=f"new ecs.FargateService(this, 'Service', {{\n  desiredCount: {count},\n}});",
                cloudformation=f"Type: AWS::ECS::Service\nProperties:\n  DesiredCount: {count}",
                terraform=f'resource "aws_ecs_service" "service" {{\n  desired_count = {count}\n}}',
            )
        case SetStickiness(duration_s=seconds):
            yield Pin(
                title=f"Sticky sessions for {seconds} s",
                why="Whatever switched them off may do it again, until the code says that they are on.",
                cdk=f"targetGroup.enableCookieStickiness(Duration.seconds({seconds}));",
                cloudformation="Type: AWS::ElasticLoadBalancingV2::TargetGroup\nProperties:\n  TargetGroupAttributes:\n"
                "    - {Key: stickiness.enabled, Value: 'true'}\n"
                "    - {Key: stickiness.type, Value: lb_cookie}\n"
                f"    - {{Key: stickiness.lb_cookie.duration_seconds, Value: '{seconds}'}}",
                terraform='resource "aws_lb_target_group" "group" {\n  stickiness {\n    enabled         = true\n'
                f'    type            = "lb_cookie"\n    cookie_duration = {seconds}\n  }}\n}}',
            )
        case _:
            return


_ORDERED = (
    "It was ordered by hand, for good. The code still has the old number, and its next deployment brings that back."
)


def _for_good(plan: Plan) -> bool:
    """A person ordered so many tasks, and nothing gives them back."""
    return plan.action in (ActionName.SET_COUNT, ActionName.SET_LIMITS) and not plan.leases


def _release(good: str, bad: str | None) -> Pin:
    family = short(good).partition(":")[0]
    return Pin(
        title=f"Task definition {short(good)}",
        why=f"The code still names the release at fault{'' if bad is None else f', {short(bad)}'}: its next deployment "
        "brings that back. Take the pin out together with the fix.",
        cdk="const cfn = service.node.defaultChild as ecs.CfnService;\n"
        f"cfn.addPropertyOverride('TaskDefinition', '{good}');",
        cloudformation=f"Type: AWS::ECS::Service\nProperties:\n  TaskDefinition: {good}",
        terraform=f'resource "aws_ecs_service" "{family}" {{\n  task_definition = "{good}"\n}}',
    )


def _leased(terms: LeaseTerms, due_at: Moment) -> Iterator[Pin]:
    why = (
        f"It is a lease, and goes back to {terms.original:g} by itself at {due_at:%H:%M} UTC. Write it into the code "
        "only if it is to stay."
    )
    match terms.kind:
        case LeaseKind.FLOOR:
            yield _range(why, minimum=int(terms.value), temporary=True)
        case LeaseKind.CEILING:
            yield _range(why, maximum=int(terms.value), temporary=True)
        case LeaseKind.TRACKING:
            yield Pin(
                title=f"Target of {terms.policy}: {terms.value:g} %",
                why=why,
                temporary=True,
                cdk=f"scaling.scaleOnCpuUtilization('Cpu', {{ targetUtilizationPercent: {terms.value:g} }});",
                cloudformation="Type: AWS::ApplicationAutoScaling::ScalingPolicy\nProperties:\n"
                f"  TargetTrackingScalingPolicyConfiguration:\n    TargetValue: {terms.value:g}",
                terraform='resource "aws_appautoscaling_policy" "policy" {\n'
                f"  target_tracking_scaling_policy_configuration {{\n    target_value = {terms.value:g}\n  }}\n}}",
            )
        case _:
            return


def _range(why: str, *, minimum: int | None = None, maximum: int | None = None, temporary: bool = False) -> Pin:
    """The range of the scalable target, or one end of it."""
    ends = {"min": minimum, "max": maximum}
    named = {end: value for end, value in ends.items() if value is not None}
    words = {"min": "Minimum", "max": "Maximum"}
    options = ", ".join(f"{end}Capacity: {value}" for end, value in named.items())
    lines = "\n".join(f"  {end.title()}Capacity: {value}" for end, value in named.items())
    terraform = "\n".join(f"  {end}_capacity = {value}" for end, value in named.items())
    return Pin(
        title=", ".join(f"{words[end]} of {value} tasks" for end, value in named.items()),
        why=why,
        temporary=temporary,
        cdk=f"service.autoScaleTaskCount({{ {options} }});",
        cloudformation=f"Type: AWS::ApplicationAutoScaling::ScalableTarget\nProperties:\n{lines}",
        terraform=f'resource "aws_appautoscaling_target" "target" {{\n{terraform}\n}}',
    )
