"""Reads what the account costs, and how much of Fargate it may use."""

from datetime import date
from typing import Any

from functions.adapters.answers import Answer, reading
from functions.domain.costs import OWN_TAG, BilledDay, BillFacts
from functions.domain.errors import ReadFailed
from functions.domain.redaction import clean

CALLS = ("ce:GetCostAndUsage", "servicequotas:GetServiceQuota")
"""IAM actions; neither can be narrowed to a part of the account (Service Authorization Reference)."""

METRIC = "UnblendedCost"

MOST_REQUESTS = 3
"""Each page of an answer is a request that is paid for (AWS Cost Explorer FAQs): a month of a large account has two."""

FARGATE = ("fargate", "L-3032A538")
"""Service and code of the quota "Fargate On-Demand vCPU resource count"."""


class CostExplorer:
    """The `BillReader`. Cost Explorer has one endpoint for all Regions, and charges 0.01 USD for each request, so the
    client must not repeat any."""

    def __init__(self, client: Any) -> None:
        self._explorer = client

    def bill(self, *, since: date, until: date) -> BillFacts:
        """By service of AWS, and what the responder itself takes, by its tag. What an ECS service costs is in no bill
        as such without split cost allocation data."""
        days: dict[date, BilledDay] = {}
        currency = "USD"
        page: dict[str, str] = {}
        for requests in range(1, MOST_REQUESTS + 1):
            with reading("Cost Explorer"):
                answer = self._explorer.get_cost_and_usage(
                    TimePeriod={"Start": since.isoformat(), "End": until.isoformat()},
                    Granularity="DAILY",
                    Metrics=[METRIC],
                    GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "TAG", "Key": OWN_TAG}],
                    **page,
                )
            for result in answer.get("ResultsByTime", ()):
                day = date.fromisoformat(result["TimePeriod"]["Start"])
                known = days.get(day, BilledDay(day=day, by_service={}))
                days[day] = _with(known, result)
                currency = _unit(result) or currency
            if not answer.get("NextPageToken"):
                told = tuple(days[day] for day in sorted(days) if days[day].by_service)
                return BillFacts(days=told, currency=currency, requests=requests)
            page = {"NextPageToken": answer["NextPageToken"]}
        raise ReadFailed(f"Cost Explorer has more than {MOST_REQUESTS} pages, and each costs 0.01 USD")


class FargateQuota:
    """The `QuotaReader`."""

    def __init__(self, client: Any) -> None:
        self._quotas = client

    def fargate_vcpus(self) -> float:
        service, code = FARGATE
        with reading("Service Quotas"):
            answer = self._quotas.get_service_quota(ServiceCode=service, QuotaCode=code)
        value = (answer.get("Quota") or {}).get("Value")
        if value is None:
            raise ReadFailed("Service Quotas told no value of the quota for vCPUs on Fargate")
        return float(value)


def _with(known: BilledDay, result: Answer) -> BilledDay:
    """What was known of a day, and what this answer has of it. The key of a tag is its name and, behind a `$`, its
    value, which is empty for what has none (Cost Management User Guide, "Filtering the data that you want to view")."""
    by_service, own = dict(known.by_service), known.own
    for group in result.get("Groups", ()):
        service, tag = group["Keys"]
        amount = float(group["Metrics"][METRIC]["Amount"])
        name = clean(service, limit=80)
        by_service[name] = by_service.get(name, 0.0) + amount
        if tag.partition("$")[2]:
            own += amount
    return BilledDay(day=known.day, by_service=by_service, own=own, estimated=result.get("Estimated", False))


def _unit(result: Answer) -> str | None:
    units = (group["Metrics"][METRIC].get("Unit") for group in result.get("Groups", ()))
    return next((clean(unit, limit=10) for unit in units if unit), None)
