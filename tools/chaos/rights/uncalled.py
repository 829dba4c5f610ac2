"""Rights that no function's code calls for by name, each with its reason. `docs/iam.md` shows the same to people."""

from collections.abc import Mapping
from typing import NamedTuple

from tools.chaos.rights.granted import WORKFLOW

EVERY_FUNCTION = ("every function",)


class Uncalled(NamedTuple):
    """Who has the right though no scene shows the call, and why."""

    who: tuple[str, ...]
    why: str


_OWN_LOG = Uncalled(EVERY_FUNCTION, "Lambda writes a function's log with the role of the function")
_TRACES = Uncalled((*EVERY_FUNCTION, WORKFLOW), "Lambda and Step Functions send traces with the role of who is traced")
_SAMPLING = Uncalled((WORKFLOW,), "Step Functions asks X-Ray which executions to trace")
_TAKING = Uncalled(("intake",), "Lambda takes messages from the queue with the role of the function")
_DELIVERY = Uncalled((WORKFLOW,), "Step Functions sets up the delivery of its own log")
_LARGE = Uncalled(
    ("remediate", "verify", "notify", "close", "restore"),
    "An event above 8 KB lies beside the trail. None of theirs has been as large; one that is must not be lost",
)
_CHANGED = Uncalled(
    ("intake", "verify"),
    "What was read ahead for a batch, or before a pause, is read again by itself when a delivery changed it meanwhile",
)
_OVERTAKEN = Uncalled(
    ("verify",),
    "A signal that comes between a look and its pause ends the pause; none of these scenes has one",
)

UNCALLED: Mapping[str, Uncalled] = {
    "dynamodb:GetItem": _CHANGED,
    "logs:CreateLogDelivery": _DELIVERY,
    "logs:CreateLogStream": _OWN_LOG,
    "logs:DeleteLogDelivery": _DELIVERY,
    "logs:DescribeLogGroups": _DELIVERY,
    "logs:DescribeResourcePolicies": _DELIVERY,
    "logs:GetLogDelivery": _DELIVERY,
    "logs:ListLogDeliveries": _DELIVERY,
    "logs:PutLogEvents": _OWN_LOG,
    "logs:PutResourcePolicy": _DELIVERY,
    "logs:UpdateLogDelivery": _DELIVERY,
    "s3:PutObject in evidence/": _LARGE,
    "sqs:DeleteMessage": _TAKING,
    "sqs:GetQueueAttributes": _TAKING,
    "sqs:ReceiveMessage": _TAKING,
    "states:SendTaskSuccess": _OVERTAKEN,
    "xray:GetSamplingRules": _SAMPLING,
    "xray:GetSamplingTargets": _SAMPLING,
    "xray:PutTelemetryRecords": _TRACES,
    "xray:PutTraceSegments": _TRACES,
}

IMPLIED: Mapping[str, str] = {
    "ecs:TagResource": "Asked of who registers a task definition with tags",
    "iam:PassRole": "Asked of who registers a task definition with roles in it",
    "kms:Decrypt": "SNS asks it of who publishes to a topic with a key",
    "kms:GenerateDataKey": "SNS asks it of who publishes to a topic with a key",
}
"""Asked for by a call of another name, which is counted as one of these (`tools/chaos/rights/actions.py`)."""


def excused(function: str, right: str) -> bool:
    """Whether the table has it."""
    entry = UNCALLED.get(right)
    return entry is not None and (function in entry.who or (entry.who[0] in EVERY_FUNCTION and function != WORKFLOW))
