"""The topics: alarms and notices of costs come in by one, pages go out by another, and second contacts have a third."""

from collections.abc import Mapping, Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.permissions import Grant


class Channels(Construct):
    """All topics are encrypted with one customer key: with `alias/aws/sns` CloudWatch fails without a word.

    Source: CloudWatch User Guide, "Amazon SNS encryption": the key's policy has to name cloudwatch.amazonaws.com.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        subscribers: Sequence[str],
        second_contacts: Mapping[str, Sequence[str]],
        chat: bool,
        destroyable: bool,
    ) -> None:
        """`second_contacts` are e-mail addresses and URLs, each with the services (keys) for which it is called.
        `chat`: there is a topic for chat, too."""
        super().__init__(scope, id)
        self.key = kms.Key(
            self,
            "Key",
            description=f"{name}: alarms and pages in transit",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY if destroyable else RemovalPolicy.RETAIN,
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudWatchAlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
            )
        )
        for sid, service, conditions in self._of_costs():
            self.key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.ServicePrincipal(service)],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],
                    conditions=conditions,
                )
            )
        self.alarms = self._heard(self._topic("Alarms", f"{name}-alarms", "Alarms for the ECS first responder"))
        for sid, service, conditions in self._of_costs():
            self.alarms.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.ServicePrincipal(service)],
                    actions=["sns:Publish"],
                    resources=[self.alarms.topic_arn],
                    conditions=conditions,
                )
            )
        # The responder's own alarms are pages, too.
        self.pages = self._heard(self._topic("Pages", f"{name}-pages", "Pages from the ECS first responder"))
        for subscriber in sorted(set(subscribers)):
            self.pages.add_subscription(
                subscriptions.UrlSubscription(subscriber)
                if subscriber.startswith("https://")
                else subscriptions.EmailSubscription(subscriber)
            )

        self.second = self._topic("Second", f"{name}-second", "Second contacts of the ECS first responder")
        for subscriber, services in sorted(second_contacts.items()):
            only = {"service": sns.SubscriptionFilter.string_filter(allowlist=sorted(services))}
            self.second.add_subscription(
                subscriptions.UrlSubscription(subscriber, filter_policy=only)
                if subscriber.startswith("https://")
                else subscriptions.EmailSubscription(subscriber, filter_policy=only)
            )

        self.chat: sns.Topic | None = None
        if chat:
            self.chat = self._topic("Chat", f"{name}-chat", "Incidents of the ECS first responder, for chat")
            # AWS re:Post Knowledge Center, "Why isn't my SNS topic receiving EventBridge notifications?": EventBridge
            # has to be let use the key, too; the topic's own policy comes with the rule.
            self.key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="EventsPublish",
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],
                )
            )

    def _of_costs(self) -> list[tuple[str, str, dict[str, dict[str, str]]]]:
        """Who tells of costs, to the topic for alarms: a name for the statement, the service, and on whose behalf.

        Source: Cost Management User Guide, "Creating an Amazon SNS topic for budget notifications" and "Creating an
        Amazon SNS topic for anomaly notifications".
        """
        stack = Stack.of(self)
        account = {"StringEquals": {"aws:SourceAccount": stack.account}}
        budgets = {"ArnLike": {"aws:SourceArn": f"arn:{stack.partition}:budgets::{stack.account}:*"}}
        return [
            ("BudgetsOfThisAccount", "budgets.amazonaws.com", {**account, **budgets}),
            ("CostAnomaliesOfThisAccount", "costalerts.amazonaws.com", account),
        ]

    def page_grants(self) -> list[Grant]:
        """Publish a page."""
        return [
            Grant(["sns:Publish"], [self.pages.topic_arn]),
            Grant(["kms:Decrypt", "kms:GenerateDataKey"], [self.key.key_arn]),
        ]

    def notice_grants(self) -> list[Grant]:
        """Publish a page, or call a second contact."""
        topics = [self.pages.topic_arn, self.second.topic_arn]
        return [
            Grant(["sns:Publish"], topics),
            Grant(["kms:Decrypt", "kms:GenerateDataKey"], [self.key.key_arn]),
        ]

    def _topic(self, id: str, name: str, display_name: str) -> sns.Topic:
        return sns.Topic(self, id, topic_name=name, display_name=display_name, master_key=self.key, enforce_ssl=True)

    def _heard(self, topic: sns.Topic) -> sns.Topic:
        """The topic, on which alarms of this account may publish."""
        stack = Stack.of(self)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {
                        "aws:SourceArn": f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:alarm:*"
                    },
                },
            )
        )
        return topic
