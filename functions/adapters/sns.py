"""Publishes pages to the operators' topic."""

from typing import Any

from functions.adapters.answers import reading
from functions.ports import Page

CALLS = ("sns:Publish",)
"""IAM actions; an encrypted topic also needs kms:GenerateDataKey and kms:Decrypt on its key."""


class SnsNotifier:
    """The `Notifier` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, topic: str) -> None:
        """`topic` is its ARN."""
        self._client = client
        self._topic = topic

    def publish(self, page: Page) -> str:
        with reading(f"topic {self._topic}"):
            answer = self._client.publish(
                TopicArn=self._topic,
                Subject=page.subject,
                Message=page.text,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in page.attributes.items()
                },
            )
        return str(answer.get("MessageId", ""))
