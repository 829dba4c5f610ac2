"""What goes to machines: the right to put events on the default bus, and the way from there to chat."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions.domain.announcements import SOURCE
from infra.permissions import Grant


class ChatRule(Construct):
    """Hands the chat notification in each event to the topic, as it is. What fails is repeated by EventBridge, and no
    function of the responder waits for it."""

    def __init__(self, scope: Construct, id: str, *, topic: sns.ITopic) -> None:
        super().__init__(scope, id)
        events.Rule(
            self,
            "Rule",
            description="Incidents, one thread each, for Amazon Q Developer in chat applications",
            event_pattern=events.EventPattern(source=[SOURCE]),
            targets=[targets.SnsTopic(topic, message=events.RuleTargetInput.from_event_path("$.detail.chat"))],
        )


def announce_grants(scope: Construct) -> list[Grant]:
    """Put events of the responder's own source on the default bus, and of no other (Service Authorization Reference,
    Amazon EventBridge: `event-bus`, condition `events:source`)."""
    bus = Stack.of(scope).format_arn(
        service="events", resource="event-bus", resource_name="default", arn_format=ArnFormat.SLASH_RESOURCE_NAME
    )
    return [Grant(["events:PutEvents"], [bus], {"StringEquals": {"events:source": SOURCE}})]
