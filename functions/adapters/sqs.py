"""The intake queue, from the side that sends."""

import json
from collections.abc import Mapping
from typing import Any

from functions.adapters.answers import reading

CALLS = ("sqs:SendMessage",)


class SqsQueue:
    """Sends to one queue. Calls sqs:SendMessage."""

    def __init__(self, client: Any, *, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: Mapping[str, Any]) -> None:
        """Put one message into the queue, as JSON.

        Raises:
            ReadFailed: if the queue does not take it; whoever called the function tries again.
        """
        with reading(f"queue {self._url}"):
            self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(message))
