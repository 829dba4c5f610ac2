"""Reads what may speak for a breach: security groups, image scans, and calls that CloudTrail saw denied."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.answers import Answer, code_of, reading, required_moment
from functions.adapters.clients import Clients
from functions.domain.breach import CallFacts, DenialsFacts, ExposureFacts, ImageFacts, ImagesFacts, OpenDoor
from functions.domain.redaction import clean
from functions.domain.services import ServiceRef
from functions.ports import Clock

CALLS = ("ec2:DescribeSecurityGroups", "ecr:DescribeImageScanFindings", "cloudtrail:LookupEvents")
"""IAM actions."""

EVERYBODY = ("0.0.0.0/0", "::/0")
IMAGES = 3
"""Images that are asked for in one look: a task has few containers, and a service few releases at a time."""
EVENTS = 50
"""As many as one LookupEvents answers with."""

_ECR = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^@:]+)@(sha256:[0-9a-f]{64})")
"""A private image with its digest (ECR User Guide, "Pulling an image")."""

_NOT_SCANNED = {
    "ScanNotFoundException": "there is no scan of it",
    "ImageNotFoundException": "the repository does not have it any more",
    "RepositoryNotFoundException": "the repository is gone",
}
_DENIED = ("AccessDenied", "Unauthorized", "Forbidden")
"""What the error code of a denied call contains; services have no one code for it."""


class AwsBreachReader:
    """The `BreachReader` of the deployed responder. IAM actions: `CALLS`.

    All it reads supports a judgement and never decides it: no call is worth a second try.
    """

    def __init__(
        self,
        *,
        ec2: Callable[[], Any],
        ecr: Callable[[], Any],
        cloudtrail: Callable[[], Any],
        clock: Clock,
        region: str,
    ) -> None:
        """Each client is made when it is first needed, which is for few services."""
        self._ec2 = ec2
        self._ecr = ecr
        self._cloudtrail = cloudtrail
        self._clock = clock
        self._region = region

    @classmethod
    def of(cls, clients: Clients, *, clock: Clock, region: str) -> "AwsBreachReader":
        return cls(
            ec2=lambda: clients.once("ec2"),
            ecr=lambda: clients.once("ecr"),
            cloudtrail=lambda: clients.once("cloudtrail"),
            clock=clock,
            region=region,
        )

    def exposure(self, groups: Sequence[str]) -> ExposureFacts:
        with reading("the security groups"):
            answer = self._ec2().describe_security_groups(GroupIds=list(groups))
        doors = [
            door
            for group in answer.get("SecurityGroups", ())
            for rule in group.get("IpPermissions", ())
            for door in _doors(group.get("GroupId", ""), rule)
        ]
        return ExposureFacts(asked=True, doors=tuple(doors))

    def images(self, images: Sequence[str]) -> ImagesFacts:
        with reading("the image scans"):
            return ImagesFacts(asked=True, images=tuple(self._scan(image) for image in images[:IMAGES]))

    def _scan(self, image: str) -> ImageFacts:
        known = _ECR.fullmatch(image)
        if known is None or known[2] != self._region:
            return ImageFacts(image=_brief(image), status="it is not in ECR in this Region")
        account, _, repository, digest = known.groups()
        try:
            answer = self._ecr().describe_image_scan_findings(
                registryId=account, repositoryName=repository, imageId={"imageDigest": digest}, maxResults=1
            )
        except ClientError as error:
            if code_of(error) in _NOT_SCANNED:
                return ImageFacts(image=_brief(image), status=_NOT_SCANNED[code_of(error)])
            raise
        counts = (answer.get("imageScanFindings") or {}).get("findingSeverityCounts") or {}
        return ImageFacts(
            image=_brief(image),
            status=(answer.get("imageScanStatus") or {}).get("status", "ECR told no status"),
            critical=counts.get("CRITICAL", 0),
            high=counts.get("HIGH", 0),
        )

    def denials(self, ref: ServiceRef, *, task_role: str, since: datetime) -> DenialsFacts:
        """One request for all calls that change something: CloudTrail takes one attribute to look for, and none that
        says denied. It tells minutes late; calls of IAM itself are told in us-east-1 alone."""
        with reading("CloudTrail"):
            answer = self._cloudtrail().lookup_events(
                LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
                StartTime=since,
                EndTime=self._clock.now(),
                MaxResults=EVENTS,
            )
        found = [_call_facts(event, ref, task_role) for event in answer.get("Events", ())]
        return DenialsFacts(asked=True, calls=tuple(filter(None, found)), partial="NextToken" in answer)


def _doors(group: str, rule: Answer) -> list[OpenDoor]:
    sources = [
        *(each.get("CidrIp") for each in rule.get("IpRanges", ())),
        *(each.get("CidrIpv6") for each in rule.get("Ipv6Ranges", ())),
    ]
    ports = {"first": rule.get("FromPort"), "last": rule.get("ToPort")}
    protocol = str(rule.get("IpProtocol", "-1"))
    return [
        OpenDoor(group=group, protocol=protocol, source=source, **ports) for source in sources if source in EVERYBODY
    ]


def _brief(image: str) -> str:
    """The name without its registry, with the beginning of the digest."""
    name, _, digest = image.rpartition("/")[2].partition("@sha256:")
    return clean(f"{name}@{digest[:12]}" if digest else name, limit=200)


def _call_facts(event: Answer, ref: ServiceRef, task_role: str) -> CallFacts | None:
    """The call as a fact, where it concerns the service: made by its tasks, or denied and about it or its role."""
    try:
        told = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    identity = told.get("userIdentity") or {}
    issuer = ((identity.get("sessionContext") or {}).get("sessionIssuer") or {}).get("arn")
    own = bool(task_role) and issuer == task_role
    denied = any(word in str(told.get("errorCode", "")) for word in _DENIED)
    if not own and not (denied and _about(told.get("requestParameters") or {}, ref, task_role)):
        return None
    by = str(identity.get("arn") or identity.get("invokedBy") or event.get("Username") or "somebody")
    return CallFacts(
        at=required_moment(event, "EventTime", of="an event of CloudTrail"),
        event=clean(str(event.get("EventName", "")), limit=100),
        source=clean(str(told.get("eventSource", "")), limit=100),
        by=clean(by.rpartition(":")[2], limit=200),
        denied=denied,
        own=own,
    )


def _about(asked: Mapping[str, Any], ref: ServiceRef, task_role: str) -> bool:
    service, cluster = (str(asked.get(name) or "").rpartition("/")[2] for name in ("service", "cluster"))
    role = str(asked.get("roleName") or asked.get("roleArn") or "").rpartition("/")[2]
    return (service, cluster or "default") == (ref.service, ref.cluster) or (
        bool(role) and role == task_role.rpartition("/")[2]
    )
