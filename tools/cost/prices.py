"""List prices of what the responder uses, in us-east-1, in USD. The one table.

As the pricing pages of AWS had them; `AS_OF` says when they were last compared. What an account has for nothing each
month (ten alarms, ten metrics, a million requests) is not deducted, because others in the account may have used it up.
The dashboards are the exception: whoever has fewer than three pays nothing, and is told so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

AS_OF = "November 2026"
REGION = "us-east-1"
FREE_DASHBOARDS = 3
"""Of an account, with at most 50 metrics each (Amazon CloudWatch pricing, "Free tier")."""


class Item(StrEnum):
    """What AWS charges for."""

    TRANSITION = "state transitions"
    LAMBDA_REQUEST = "Lambda requests"
    LAMBDA_GB_S = "Lambda GB-seconds"
    WRITE = "DynamoDB write units"
    READ = "DynamoDB read units"
    TABLE_GB = "DynamoDB GB-months"
    SNS_REQUEST = "SNS requests"
    SNS_EMAIL = "SNS e-mails"
    SQS_REQUEST = "SQS requests"
    EVENT = "events of our own"
    KEY = "KMS keys"
    KEY_REQUEST = "KMS requests"
    ALARM = "alarm metrics"
    COMPOSITE = "composite alarms"
    DASHBOARD = "dashboards"
    METRIC = "custom metrics"
    METRIC_READ = "metrics read"
    CLOUDWATCH_REQUEST = "CloudWatch requests"
    LOG_GB = "GB of logs"
    SCANNED_GB = "GB of logs scanned"
    OBJECT_WRITE = "S3 writes"
    OBJECT_READ = "S3 reads"
    OBJECT_GB = "S3 GB-months"
    TRACE = "X-Ray traces"
    BILL_REQUEST = "Cost Explorer requests"
    SECRET_REQUEST = "Secrets Manager requests"


@dataclass(frozen=True)
class Price:
    """`usd` for so many (`per`) of them. A month where what is charged for stands there."""

    usd: float
    per: float
    source: str

    @property
    def each(self) -> float:
        return self.usd / self.per


_CLOUDWATCH, _DYNAMODB, _S3 = (
    "aws.amazon.com/cloudwatch/pricing",
    "aws.amazon.com/dynamodb/pricing",
    "aws.amazon.com/s3/pricing",
)
_LAMBDA, _SNS, _KMS = "aws.amazon.com/lambda/pricing", "aws.amazon.com/sns/pricing", "aws.amazon.com/kms/pricing"

PRICES: Mapping[Item, Price] = {
    Item.TRANSITION: Price(0.025, 1_000, "aws.amazon.com/step-functions/pricing"),
    Item.LAMBDA_REQUEST: Price(0.20, 1e6, _LAMBDA),
    # Of arm64; the initialisation is charged for, too, since August 2025.
    Item.LAMBDA_GB_S: Price(0.0000133334, 1, _LAMBDA),
    # On demand, since November 2024.
    Item.WRITE: Price(0.625, 1e6, _DYNAMODB),
    Item.READ: Price(0.125, 1e6, _DYNAMODB),
    # 0.25 for the table, 0.20 for the backups of its last 35 days.
    Item.TABLE_GB: Price(0.45, 1, _DYNAMODB),
    Item.SNS_REQUEST: Price(0.50, 1e6, _SNS),
    Item.SNS_EMAIL: Price(2.00, 100_000, _SNS),
    Item.SQS_REQUEST: Price(0.40, 1e6, "aws.amazon.com/sqs/pricing"),
    Item.EVENT: Price(1.00, 1e6, "aws.amazon.com/eventbridge/pricing"),
    # The first and the second yearly rotation add as much each; see docs/performance.md.
    Item.KEY: Price(1.00, 1, _KMS),
    Item.KEY_REQUEST: Price(0.03, 10_000, _KMS),
    # Of each metric that an alarm stands on, not of each alarm.
    Item.ALARM: Price(0.10, 1, _CLOUDWATCH),
    Item.COMPOSITE: Price(0.50, 1, _CLOUDWATCH),
    Item.DASHBOARD: Price(3.00, 1, _CLOUDWATCH),
    # By the hour in which it is written.
    Item.METRIC: Price(0.30, 1, _CLOUDWATCH),
    Item.METRIC_READ: Price(0.01, 1_000, _CLOUDWATCH),
    Item.CLOUDWATCH_REQUEST: Price(0.01, 1_000, _CLOUDWATCH),
    Item.LOG_GB: Price(0.50, 1, _CLOUDWATCH),
    Item.SCANNED_GB: Price(0.005, 1, _CLOUDWATCH),
    Item.OBJECT_WRITE: Price(0.005, 1_000, _S3),
    Item.OBJECT_READ: Price(0.0004, 1_000, _S3),
    Item.OBJECT_GB: Price(0.023, 1, _S3),
    Item.TRACE: Price(5.00, 1e6, "aws.amazon.com/xray/pricing"),
    Item.BILL_REQUEST: Price(0.01, 1, "aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing"),
    Item.SECRET_REQUEST: Price(0.05, 10_000, "aws.amazon.com/secrets-manager/pricing"),
}

Used = Mapping[Item, float]
"""How much of what was used."""


def usd(used: Used) -> float:
    """What all of it costs."""
    return sum(PRICES[item].each * amount for item, amount in used.items())
