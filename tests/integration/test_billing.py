"""What the account costs, its quota of Fargate, and what else only a digest reads."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.adapters import account, billing
from functions.adapters.account import AwsAccountReader
from functions.adapters.billing import CostExplorer, FargateQuota
from functions.adapters.clients import Clients
from functions.adapters.rds import RdsReader
from functions.adapters.s3 import LAST_DRILL, S3DrillRecords
from functions.domain.errors import ReadFailed
from tests.fakes.aws import FakeAws, record_actions, refusal
from tests.fakes.clock import FakeClock

FROM, UNTIL = date(2026, 2, 22), date(2026, 3, 1)
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def day(number: int, *groups: tuple[str, str], own: str = "", estimated: bool = False) -> dict[str, Any]:
    """`own` is the value of the responder's tag."""
    return {
        "TimePeriod": {"Start": f"2026-02-{number}", "End": f"2026-02-{number + 1}"},
        "Total": {},
        "Groups": [
            {
                "Keys": [name, f"ecs-first-responder${own}"],
                "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}},
            }
            for name, amount in groups
        ],
        "Estimated": estimated,
    }


ECS, RDS = "Amazon Elastic Container Service", "Amazon Relational Database Service"


class TestTheBill:
    def test_by_day_and_by_service(self) -> None:
        """One request, of the whole account, in what the bill says each service cost on each day."""
        aws = FakeAws(
            GetCostAndUsage={
                "ResultsByTime": [day(23, (ECS, "3.25")), day(22, (ECS, "3.5"), (RDS, "1.25"), estimated=True)]
            }
        )
        bill = CostExplorer(aws.client("ce")).bill(since=FROM, until=UNTIL)
        assert [(each.day.day, each.total, each.estimated) for each in bill.days] == [
            (22, 4.75, True),
            (23, 3.25, False),
        ]
        assert dict(bill.by_service) == {ECS: 6.75, RDS: 1.25}
        assert (bill.total, bill.currency, bill.requests) == (8.0, "USD", 1)
        ((action, asked),) = aws.calls
        assert action in billing.CALLS
        assert asked["TimePeriod"] == {"Start": "2026-02-22", "End": "2026-03-01"}
        assert asked["GroupBy"] == [
            {"Type": "DIMENSION", "Key": "SERVICE"},
            {"Type": "TAG", "Key": "ecs-first-responder"},
        ]

    def test_what_has_the_responders_tag_is_its_own(self) -> None:
        """A service of AWS that others use, too, has two amounts on a day, which are added."""
        others, ours = (
            day(22, (ECS, "3.5"), ("AmazonCloudWatch", "1")),
            day(22, ("AmazonCloudWatch", "0.25"), own="name"),
        )
        others["Groups"] += ours["Groups"]
        bill = CostExplorer(FakeAws(GetCostAndUsage={"ResultsByTime": [others]}).client("ce")).bill(
            since=FROM, until=UNTIL
        )
        assert dict(bill.by_service) == {ECS: 3.5, "AmazonCloudWatch": 1.25}
        assert (bill.total, bill.own) == (4.75, 0.25)

    def test_a_day_on_two_pages_is_one_day(self) -> None:
        """Each page is a request that costs, and is counted."""

        def answered(asked: Mapping[str, Any]) -> Mapping[str, Any]:
            if "NextPageToken" not in asked:
                return {"ResultsByTime": [day(22, (ECS, "1"))], "NextPageToken": "more"}
            return {"ResultsByTime": [day(22, (RDS, "2"))]}

        bill = CostExplorer(FakeAws(GetCostAndUsage=answered).client("ce")).bill(since=FROM, until=UNTIL)
        assert [(each.total, bill.requests) for each in bill.days] == [(3.0, 2)]

    def test_nobody_reads_without_an_end(self) -> None:
        """However large an account is, it is asked a few times at most."""
        aws = FakeAws(GetCostAndUsage={"ResultsByTime": [], "NextPageToken": "more"})
        with pytest.raises(ReadFailed, match=r"each costs 0\.01 USD"):
            CostExplorer(aws.client("ce")).bill(since=FROM, until=UNTIL)
        assert len(aws.calls) == billing.MOST_REQUESTS

    def test_an_account_without_cost_explorer_is_unread(self) -> None:
        """It has to be switched on once, and people may lack the right."""
        aws = FakeAws(GetCostAndUsage=refusal("AccessDeniedException", "User not enabled for cost explorer access"))
        with pytest.raises(ReadFailed, match="not enabled for cost explorer"):
            CostExplorer(aws.client("ce")).bill(since=FROM, until=UNTIL)

    def test_a_paid_request_is_never_repeated(self) -> None:
        """Only the client that sends a call once may be used for it."""
        client = Clients(region="eu-west-1").once("ce")
        assert client.meta.config.retries["total_max_attempts"] == 1
        assert "us-east-1" in client.meta.endpoint_url


class TestTheQuota:
    def test_its_value(self) -> None:
        """That of vCPUs on Fargate, Spot aside, by its code."""
        aws = FakeAws(GetServiceQuota={"Quota": {"QuotaCode": "L-3032A538", "Value": 64.0}})
        assert FargateQuota(aws.client("service-quotas")).fargate_vcpus() == 64.0
        ((action, asked),) = aws.calls
        assert action in billing.CALLS
        assert asked == {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"}

    @pytest.mark.parametrize("answer", [{"Quota": {}}, {}])
    def test_without_a_value_it_is_unread(self, answer: Mapping[str, Any]) -> None:
        """No quota is not a quota of nothing."""
        with pytest.raises(ReadFailed, match="no value"):
            FargateQuota(FakeAws(GetServiceQuota=answer).client("service-quotas")).fargate_vcpus()


INSTANCE = {"DBInstanceIdentifier": "orders-db", "DBInstanceStatus": "available", "DbiResourceId": "db-ABC"}


class TestBusyStatements:
    def reader(self, **replies: Any) -> RdsReader:
        aws = FakeAws(**replies)
        return RdsReader(aws.client("rds"), insights=aws.client("pi"), clock=FakeClock(NOW))

    def test_over_days(self) -> None:
        """The statements by the sessions that they kept busy, without literals."""
        reader = self.reader(
            DescribeDBInstances={"DBInstances": [{**INSTANCE, "PerformanceInsightsEnabled": True}]},
            DescribeDimensionKeys={
                "Keys": [{"Dimensions": {"db.sql_tokenized.statement": "SELECT ? FROM x"}, "Total": 1.5}]
            },
        )
        facts = reader.busiest("orders-db", since=NOW - timedelta(days=6), until=NOW)
        assert [(query.statement, query.sessions) for query in facts.queries] == [("SELECT ? FROM x", 1.5)]

    def test_without_insights_nothing_is_known(self) -> None:
        """Which is told, and is not the same as no slow statement."""
        reader = self.reader(DescribeDBInstances={"DBInstances": [INSTANCE]})
        assert not reader.busiest("orders-db", since=NOW - timedelta(days=6), until=NOW).insights

    def test_a_refusal_is_told(self) -> None:
        """For a digest the statements are the answer, not a supplement."""
        reader = self.reader(
            DescribeDBInstances={"DBInstances": [{**INSTANCE, "PerformanceInsightsEnabled": True}]},
            DescribeDimensionKeys=refusal("NotAuthorizedException"),
        )
        with pytest.raises(ReadFailed, match="Performance Insights of orders-db"):
            reader.busiest("orders-db", since=NOW - timedelta(days=6), until=NOW)
        with pytest.raises(ReadFailed, match="knows no DB instance"):
            self.reader(DescribeDBInstances=refusal("DBInstanceNotFound")).busiest("x", since=NOW, until=NOW)


@mock_aws
def test_whether_guardduty_is_on() -> None:
    """By its detector in this Region."""
    clients = Clients(region="eu-west-1")
    guardduty = boto3.client("guardduty", region_name="eu-west-1")
    reader = AwsAccountReader(cloudtrail=None, cloudformation=None, health=None, guardduty=guardduty, clock=FakeClock())
    actions = record_actions(guardduty)
    assert reader.detectors() == ()
    assert actions <= set(account.CALLS)
    made = clients.once("guardduty").create_detector(Enable=True)["DetectorId"]
    assert reader.detectors() == (made,)


class TestDrillRecords:
    @mock_aws
    def test_the_last_one(self) -> None:
        """As the pipeline put it there, with the time at which it did."""
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="archive")
        records = S3DrillRecords(client, bucket="archive")
        assert records.last() is None
        client.put_object(Bucket="archive", Key=LAST_DRILL, Body=b'{"policies": {}}')
        record = records.last()
        assert record is not None
        assert record.body == '{"policies": {}}'
        assert record.kept_at.tzinfo is not None

    def test_without_the_right_to_list_s3_does_not_say_what_is_not_there(self) -> None:
        """A refusal may mean just that; the desk knows no bucket."""
        aws = FakeAws(GetObject=refusal("AccessDenied", status=403))
        assert S3DrillRecords(aws.client("s3"), bucket="archive").last() is None
        assert S3DrillRecords(None, bucket=None).last() is None
        with pytest.raises(ReadFailed, match=r"drills/last\.json"):
            S3DrillRecords(FakeAws(GetObject=refusal("SlowDown", status=503)).client("s3"), bucket="archive").last()
