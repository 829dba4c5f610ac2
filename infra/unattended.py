"""Nobody at work: people hear of a service's alarms straight from CloudWatch while the responder is unwell."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from functions.playbooks.schema import Playbook
from infra.health import alarm_rule


def unhealthy_name(responder: str) -> str:
    """Name of the one alarm that says whether the responder of this name can be relied on."""
    return f"{responder}-unhealthy"


class Unhealthy(Construct):
    """In ALARM while one of the responder's own alarms is after which a service may find nobody at work.

    It tells nobody by itself: each of these has paged already.
    """

    def __init__(self, scope: Construct, id: str, *, name: str, any_of: Sequence[str]) -> None:
        super().__init__(scope, id)
        cloudwatch.CfnCompositeAlarm(
            self,
            "Alarm",
            alarm_name=unhealthy_name(name),
            alarm_rule=alarm_rule(any_of),
            alarm_description=(
                "The responder may not answer alarms of services. While it is in ALARM, each alarm of a service pages "
                "people straight. Its children say what is wrong, and what to do."
            ),
        )


class Unattended(Construct):
    """One composite alarm for a service: one of its alarms is in ALARM, and the responder is unwell. It pages people.

    CloudWatch alone evaluates it and SNS alone delivers it: no function, no table and no workflow is needed. Its
    alarms go by name, so that those which others made are among them; CloudWatch refuses a rule that names one that
    does not exist.
    """

    def __init__(
        self, scope: Construct, id: str, *, responder: str, playbook: Playbook, pages: sns.ITopic, after: IConstruct
    ) -> None:
        """`after` makes the alarms that the rule names."""
        super().__init__(scope, id)
        alarm = cloudwatch.CfnCompositeAlarm(
            self,
            "Alarm",
            alarm_name=playbook.unattended_name,
            alarm_rule=f"({alarm_rule(playbook.alarm_names)}) AND {alarm_rule([unhealthy_name(responder)])}",
            alarm_description=(
                f"ECS service {playbook.ref} has an alarm, and the responder is unwell: nobody works on it. It is "
                "yours. Look: aws ecs describe-services --cluster "
                f"{playbook.cluster} --services {playbook.service} --region {playbook.region}. Which alarm: aws "
                f"cloudwatch describe-alarms --state-value ALARM --region {playbook.region}. Last good release, if the "
                f"newest is bad: responder release list {playbook.cluster}/{playbook.service}; then aws ecs "
                f"update-service --cluster {playbook.cluster} --service {playbook.service} --task-definition "
                f"FAMILY:REVISION --region {playbook.region}"
            )[:1024],
            alarm_actions=[pages.topic_arn],
        )
        alarm.node.add_dependency(after)
