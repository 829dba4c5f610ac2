"""Reads what a DynamoDB table takes, and how concentrated its throttled keys are. Never what is in it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.answers import Answer, reading
from functions.adapters.clients import Clients
from functions.domain.tables import TableFacts

CALLS = ("dynamodb:DescribeTable", "dynamodb:DescribeContributorInsights", "cloudwatch:GetInsightRuleReport")
"""IAM actions; the last one only where Contributor Insights is on."""

LOOKBACK = timedelta(minutes=15)
FIRST = 5
_PERIOD_S = 60
_THROTTLED_KEYS = "DynamoDBContributorInsights-PKT-"
"""Begins the name of the rule that counts throttled requests by partition key (DynamoDB Developer Guide, "CloudWatch
Contributor Insights for DynamoDB: How it works")."""


class DynamoTableReader:
    """The `TableReader` of the deployed responder. IAM actions: `CALLS`. No call is worth a second try."""

    def __init__(self, *, dynamodb: Callable[[], Any], cloudwatch: Callable[[], Any]) -> None:
        """Each client is made when it is first needed, which is seldom."""
        self._dynamodb = dynamodb
        self._cloudwatch = cloudwatch

    @classmethod
    def of(cls, clients: Clients) -> "DynamoTableReader":
        return cls(dynamodb=lambda: clients.once("dynamodb"), cloudwatch=lambda: clients.once("cloudwatch"))

    def table(self, table: str, *, called: str, now: datetime) -> TableFacts:
        with reading(f"table {table}"):
            described = self._dynamodb().describe_table(TableName=table).get("Table", {})
        billing = described.get("BillingModeSummary") or {}
        # Tables that were always provisioned have no summary (API reference, BillingModeSummary).
        on_demand = billing.get("BillingMode") == "PAY_PER_REQUEST"
        limits = described.get("OnDemandThroughput" if on_demand else "ProvisionedThroughput") or {}
        read, write = (
            ("MaxReadRequestUnits", "MaxWriteRequestUnits")
            if on_demand
            else ("ReadCapacityUnits", "WriteCapacityUnits")
        )
        facts = TableFacts(
            name=called,
            on_demand=on_demand,
            read_units=_limit(limits.get(read)),
            write_units=_limit(limits.get(write)),
            indexes=len(described.get("GlobalSecondaryIndexes", ())),
        )
        return self._with_keys(facts, table, now)

    def _with_keys(self, facts: TableFacts, table: str, now: datetime) -> TableFacts:
        """For people only, so it may be missing."""
        try:
            insights = self._dynamodb().describe_contributor_insights(TableName=table)
            status = insights.get("ContributorInsightsStatus", "")
            rules = insights.get("ContributorInsightsRuleList", ())
            rule = next((name for name in rules if name.startswith(_THROTTLED_KEYS)), None)
            if status != "ENABLED" or rule is None:
                return facts.model_copy(update={"insights": status})
            report = self._cloudwatch().get_insight_rule_report(
                RuleName=rule,
                StartTime=now - LOOKBACK,
                EndTime=now,
                Period=_PERIOD_S,
                MaxContributorCount=FIRST,
            )
        except (ClientError, BotoCoreError):
            return facts
        return facts.model_copy(update={"insights": status, **_concentration(report)})


def _limit(units: int | None) -> int | None:
    """0 is what a table on demand has as provisioned, and -1 no limit."""
    return units if units is not None and units > 0 else None


def _concentration(report: Answer) -> dict[str, object]:
    total = report.get("AggregateValue") or 0.0
    values = [each.get("ApproximateAggregateValue", 0.0) for each in report.get("Contributors", ())]
    if total <= 0 or not values:
        return {}
    # The parts are approximate, and may come to more than the whole.
    return {
        "keys": report.get("ApproximateUniqueCount"),
        "top_share": min(1.0, max(values) / total),
        "first_share": min(1.0, sum(values) / total),
    }
