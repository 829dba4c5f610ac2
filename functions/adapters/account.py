"""Reads what else goes on in the account: who changed the service, its stack, what AWS says of itself, and what
GuardDuty found."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.answers import Answer, code_of, moment, reading, required_moment
from functions.adapters.clients import Clients
from functions.domain.circumstances import ChangeFacts, ChangesFacts, HealthEventFacts, HealthFacts, StackFacts
from functions.domain.errors import ReadFailed
from functions.domain.redaction import clean
from functions.domain.services import ServiceRef
from functions.domain.threats import FindingName, ThreatFacts, ThreatsFacts, finding_arn
from functions.ports import Clock

CALLS = (
    "cloudtrail:LookupEvents",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "health:DescribeEvents",
    "guardduty:GetFindings",
    "guardduty:ListDetectors",
)
"""IAM actions."""

FINDINGS = 50
"""As many as one GetFindings takes."""

EVENTS = 50
"""As many as one LookupEvents answers with."""


class AwsAccountReader:
    """The `AccountReader` of the deployed responder. IAM actions: `CALLS`.

    All it reads supports a judgement and never decides it: no call is worth a second try.
    """

    def __init__(self, *, cloudtrail: Any, cloudformation: Any, health: Any, guardduty: Any, clock: Clock) -> None:
        self._cloudtrail = cloudtrail
        self._cloudformation = cloudformation
        self._health = health
        self._guardduty = guardduty
        self._clock = clock

    @classmethod
    def of(cls, clients: Clients, *, clock: Clock) -> "AwsAccountReader":
        return cls(
            cloudtrail=clients.once("cloudtrail"),
            cloudformation=clients.once("cloudformation"),
            health=clients.once("health"),
            guardduty=clients.once("guardduty"),
            clock=clock,
        )

    def changes(self, ref: ServiceRef, *, since: datetime) -> ChangesFacts:
        """Releases, restarts and other counts all come by UpdateService. CloudTrail takes one attribute to look for,
        at two requests a second for the whole account, and names no resource of ECS to look for."""
        with reading("CloudTrail"):
            answer = self._cloudtrail.lookup_events(
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "UpdateService"}],
                StartTime=since,
                EndTime=self._clock.now(),
                MaxResults=EVENTS,
            )
        found = [(event, _told(event)) for event in answer.get("Events", ())]
        return ChangesFacts(
            since=since, changes=tuple(_change_facts(event, told) for event, told in found if _of(ref, told))
        )

    def stack(self, resource: str) -> StackFacts:
        with reading(f"the stack of {resource}"):
            try:
                answer = self._cloudformation.describe_stack_resources(PhysicalResourceId=resource)
            except ClientError as error:
                # CloudFormation has no code of its own for a resource that belongs to no stack.
                if code_of(error) == "ValidationError" and "does not exist" in str(error):
                    return StackFacts()
                raise
            stack = next((found["StackId"] for found in answer.get("StackResources", ()) if "StackId" in found), None)
            if stack is None:
                return StackFacts()
            stacks = self._cloudformation.describe_stacks(StackName=stack).get("Stacks", ())
        if not stacks:
            raise ReadFailed(f"CloudFormation told nothing of stack {stack}")
        return StackFacts(
            name=stacks[0].get("StackName", ""),
            status=stacks[0].get("StackStatus", ""),
            since=moment(stacks[0], "LastUpdatedTime", "CreationTime"),
        )

    def health(self, region: str) -> HealthFacts:
        with reading("AWS Health"):
            try:
                answer = self._health.describe_events(
                    filter={"regions": [region], "eventStatusCodes": ["open"], "eventTypeCategories": ["issue"]},
                    maxResults=100,
                )
            except ClientError as error:
                if code_of(error) == "SubscriptionRequiredException":
                    raise ReadFailed("AWS Health tells only accounts with a paid support plan") from error
                raise
        return HealthFacts(events=tuple(_health_facts(event) for event in answer.get("events", ())))

    def threats(self, findings: Sequence[str]) -> ThreatsFacts:
        """One call for each detector, of which an account has one in each Region; the newest `FINDINGS` of them."""
        wanted: dict[str, list[FindingName]] = {}
        for name in map(finding_arn, findings[-FINDINGS:]):
            if name is None:
                raise ReadFailed("a signal names a finding that GuardDuty cannot have")
            wanted.setdefault(name.detector, []).append(name)
        found: list[Answer] = []
        with reading("GuardDuty"):
            for detector, names in wanted.items():
                answer = self._guardduty.get_findings(DetectorId=detector, FindingIds=[name.id for name in names])
                found += answer.get("Findings", ())
        missing = {name.id for names in wanted.values() for name in names} - {each.get("Id") for each in found}
        if missing:
            raise ReadFailed(f"GuardDuty has no finding {', '.join(sorted(missing))}")
        return ThreatsFacts(threats=tuple(_threat_facts(each) for each in found))

    def detectors(self) -> Sequence[str]:
        """One, where GuardDuty was switched on: an account has one in each Region."""
        with reading("GuardDuty"):
            return tuple(self._guardduty.list_detectors().get("DetectorIds", ()))


def _threat_facts(finding: Answer) -> ThreatFacts:
    """GuardDuty tells times as text (API reference, Finding)."""
    service, resource = finding.get("Service") or {}, finding.get("Resource") or {}
    cluster = resource.get("EcsClusterDetails") or {}
    about = (cluster.get("TaskDetails") or {}).get("Arn") or cluster.get("Arn")
    role = (resource.get("AccessKeyDetails") or {}).get("UserName")
    return ThreatFacts(
        arn=finding.get("Arn", ""),
        type=clean(finding.get("Type", ""), limit=100),
        severity=finding.get("Severity", 1.0),
        title=clean(finding.get("Title", ""), limit=300),
        resource=clean(about or role or resource.get("ResourceType", ""), limit=200),
        archived=service.get("Archived", False),
    )


def _told(event: Answer) -> Mapping[str, Any]:
    """The whole event, which CloudTrail hands over as text."""
    try:
        told = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _of(ref: ServiceRef, told: Mapping[str, Any]) -> bool:
    """Whether the call was about this service, and was carried out. Both names may be given as ARNs; without a
    cluster the one called `default` is meant (API reference, UpdateService)."""
    said = told.get("requestParameters") or {}
    service, cluster = (str(said.get(name) or "").rpartition("/")[2] for name in ("service", "cluster"))
    return (service, cluster or "default") == (ref.service, ref.cluster) and "errorCode" not in told


def _change_facts(event: Answer, told: Mapping[str, Any]) -> ChangeFacts:
    identity = told.get("userIdentity") or {}
    # The end of an ARN names role and session, the user name of an event the session alone.
    by = str(identity.get("arn") or identity.get("invokedBy") or event.get("Username") or "somebody")
    return ChangeFacts(
        at=required_moment(event, "EventTime", of="an event of CloudTrail"),
        event=str(event.get("EventName", "")),
        by=clean(by.rpartition(":")[2], limit=200),
        resource=str((told.get("requestParameters") or {}).get("service", "")),
    )


def _health_facts(event: Answer) -> HealthEventFacts:
    return HealthEventFacts(
        code=event.get("eventTypeCode", ""),
        service=event.get("service", ""),
        category=event.get("eventTypeCategory", "issue"),
        zone=event.get("availabilityZone"),
        began_at=moment(event, "startTime"),
        arn=event.get("arn", ""),
    )
