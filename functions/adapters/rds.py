"""Reads RDS: whether a DB instance answers, and what loads it."""

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.answers import Answer, code_of, reading
from functions.domain.dependencies import DatabaseFacts, QueriesFacts, QueryFacts
from functions.domain.errors import ReadFailed
from functions.domain.redaction import clean
from functions.ports import Clock

CALLS = ("rds:DescribeDBInstances", "pi:DescribeDimensionKeys")
"""IAM actions; the second one only where a DB instance has Performance Insights."""

TOP_QUERIES = 3
TOP_QUERIES_SINCE = timedelta(minutes=15)


class RdsReader:
    """DB instances. `insights` is a client for reads that are not worth a second try."""

    def __init__(self, rds: Any, *, insights: Any, clock: Clock) -> None:
        self._rds = rds
        self._insights = insights
        self._clock = clock

    def database(self, instance: str) -> DatabaseFacts | None:
        found = self._instance(instance)
        if found is None:
            return None
        return DatabaseFacts(
            status=found.get("DBInstanceStatus", "unknown"),
            top_queries=self._top_queries(found),
            security_groups=tuple(
                group["VpcSecurityGroupId"]
                for group in found.get("VpcSecurityGroups", ())
                if "VpcSecurityGroupId" in group and group.get("Status") == "active"
            ),
            port=(found.get("Endpoint") or {}).get("Port"),
        )

    def busiest(self, instance: str, *, since: datetime, until: datetime) -> QueriesFacts:
        """What a digest asks for over days, in one request. It goes back seven days at most, whatever is kept longer
        (API reference, DescribeDimensionKeys)."""
        found = self._instance(instance)
        if found is None:
            raise ReadFailed(f"RDS knows no DB instance {instance}")
        if not found.get("PerformanceInsightsEnabled") or "DbiResourceId" not in found:
            return QueriesFacts(insights=False)
        with reading(f"Performance Insights of {instance}"):
            return QueriesFacts(insights=True, queries=self._queries(found, since=since, until=until))

    def _instance(self, instance: str) -> Answer | None:
        with reading(f"DB instance {instance}"):
            try:
                answer = self._rds.describe_db_instances(DBInstanceIdentifier=instance)
            except ClientError as error:
                # The code is DBInstanceNotFound, the name of the fault in the model DBInstanceNotFoundFault.
                if code_of(error).startswith("DBInstanceNotFound"):
                    return None
                raise
        return next(iter(answer.get("DBInstances", ())), None)

    def _top_queries(self, instance: Answer) -> tuple[str, ...]:
        """For people only, so it may be missing: the statements by their share of the load, without their literals."""
        if not instance.get("PerformanceInsightsEnabled") or "DbiResourceId" not in instance:
            return ()
        now = self._clock.now()
        try:
            queries = self._queries(instance, since=now - TOP_QUERIES_SINCE, until=now)
        except (ClientError, BotoCoreError):
            return ()
        return tuple(f"{query.sessions:.2f} sessions: {query.statement}" for query in queries)

    def _queries(self, instance: Answer, *, since: datetime, until: datetime) -> tuple[QueryFacts, ...]:
        """Performance Insights API reference, DescribeDimensionKeys: the group db.sql_tokenized has the digest of a
        statement, in which every literal is a question mark."""
        answer = self._insights.describe_dimension_keys(
            ServiceType="RDS",
            Identifier=instance["DbiResourceId"],
            StartTime=since,
            EndTime=until,
            Metric="db.load.avg",
            GroupBy={
                "Group": "db.sql_tokenized",
                "Dimensions": ["db.sql_tokenized.statement"],
                "Limit": TOP_QUERIES,
            },
        )
        return tuple(
            QueryFacts(statement=clean(statement), sessions=key.get("Total", 0.0))
            for key in answer.get("Keys", ())
            if (statement := key.get("Dimensions", {}).get("db.sql_tokenized.statement"))
        )
