"""Reading what a table takes, and how concentrated its throttled keys are; never the keys themselves."""

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.adapters.tables import CALLS, DynamoTableReader
from functions.domain.errors import ReadFailed
from functions.domain.tables import TableFacts
from tests.fakes.aws import FakeAws, Reply, refusal

NOW = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
RULES = ["DynamoDBContributorInsights-PKC-carts-1", "DynamoDBContributorInsights-PKT-carts-1"]
PROVISIONED = {"Table": {"ProvisionedThroughput": {"ReadCapacityUnits": 100, "WriteCapacityUnits": 50}}}
OFF: Reply = {"ContributorInsightsStatus": "DISABLED"}
ON: Reply = {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsRuleList": RULES}


def read(**replies: Reply) -> tuple[TableFacts, FakeAws]:
    aws = FakeAws(**{"DescribeTable": PROVISIONED, "DescribeContributorInsights": OFF, **replies})
    reader = DynamoTableReader(dynamodb=lambda: aws.client("dynamodb"), cloudwatch=lambda: aws.client("cloudwatch"))
    return reader.table("carts", called="the carts", now=NOW), aws


def contributor(key: str, value: float) -> dict[str, Any]:
    return {"Keys": [key], "ApproximateAggregateValue": value, "Datapoints": []}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (PROVISIONED["Table"], {"on_demand": False, "read_units": 100, "write_units": 50}),
        (
            {
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
                "OnDemandThroughput": {"MaxReadRequestUnits": 400, "MaxWriteRequestUnits": -1},
                "GlobalSecondaryIndexes": [{"IndexName": "by-user"}],
            },
            {"on_demand": True, "read_units": 400, "indexes": 1},
        ),
    ],
)
def test_what_it_takes(table: dict[str, Any], expected: dict[str, Any]) -> None:
    """Provisioned, or on demand with a limit where there is one."""
    facts, _ = read(DescribeTable={"Table": table})
    assert facts == TableFacts(name="the carts", insights="DISABLED", **expected)


def test_how_concentrated_its_throttled_keys_are() -> None:
    """From the rule on throttled partition keys, in shares. No key is kept."""
    report = {
        "AggregateValue": 200.0,
        "ApproximateUniqueCount": 40,
        "Contributors": [contributor("user#alice@example.com", 150.0), contributor("user#bob", 30.0)],
    }
    facts, aws = read(DescribeContributorInsights=ON, GetInsightRuleReport=report)
    assert (facts.keys, facts.top_share, facts.first_share) == (40, 0.75, 0.9)
    assert aws.calls[-1][1]["RuleName"] == RULES[1]
    assert aws.actions == set(CALLS)
    assert "alice" not in facts.model_dump_json()
    assert "user#" not in facts.model_dump_json()


@pytest.mark.parametrize("operation", ["DescribeContributorInsights", "GetInsightRuleReport"])
def test_keys_that_nobody_may_count_leave_the_rest(operation: str) -> None:
    """They are for people alone: what the table takes is told all the same."""
    replies = {"DescribeContributorInsights": ON, operation: refusal("AccessDeniedException")}
    facts, _ = read(**replies)
    assert (facts.read_units, facts.top_share) == (100, None)


def test_a_table_that_cannot_be_read_is_unknown() -> None:
    """Never an empty answer instead."""
    with pytest.raises(ReadFailed, match="table carts"):
        read(DescribeTable=refusal("ResourceNotFoundException"))
