"""Evidence for a suspected breach, read only where the playbook asks for it. It supports, and decides nothing."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, cast

from functions.diagnostics.look import Surroundings
from functions.domain.breach import DenialsFacts, ExposureFacts, ImagesFacts
from functions.domain.circumstances import TaskDefinitionFacts
from functions.domain.errors import ReadFailed
from functions.domain.evidence import ServiceFacts, TasksFacts
from functions.domain.findings import Findings

DENIALS_LOOKBACK = timedelta(hours=1)
SHOWN = 5
"""So many of one kind are told to people."""


def read_exposure(around: Surroundings, known: Mapping[str, Any]) -> ExposureFacts:
    if not around.breach_evidence:
        return ExposureFacts()
    groups = cast(ServiceFacts, _needed(known, "service")).security_groups
    return around.readers.breach.exposure(groups) if groups else ExposureFacts(asked=True)


def read_images(around: Surroundings, known: Mapping[str, Any]) -> ImagesFacts:
    if not around.breach_evidence:
        return ImagesFacts()
    images = cast(TasksFacts, _needed(known, "tasks")).images
    return around.readers.breach.images(images) if images else ImagesFacts(asked=True)


def read_denials(around: Surroundings, known: Mapping[str, Any]) -> DenialsFacts:
    """After `changes`, which asks CloudTrail too: it takes two requests a second from the whole account (CloudTrail API
    reference, LookupEvents)."""
    if not around.breach_evidence:
        return DenialsFacts()
    role = cast(TaskDefinitionFacts, _needed(known, "definition")).task_role or ""
    return around.readers.breach.denials(around.ref, task_role=role, since=around.now - DENIALS_LOOKBACK)


def _needed(known: Mapping[str, Any], name: str) -> Any:
    """What another probe brought. Needed only where the playbook asks: elsewhere nothing here is unknown."""
    if name not in known:
        raise ReadFailed(f"cannot be read without {name}")
    return known[name]


def breach_evidence(findings: Findings) -> tuple[str, ...]:
    """What was asked for, in words; what could not be read is said, and proves nothing."""
    return (*_exposure(findings), *_images(findings), *_denials(findings))


def _exposure(findings: Findings) -> Iterator[str]:
    if findings.exposure.error is not None:
        yield f"who may reach the tasks could not be read: {findings.exposure.error}"
    facts, definition = findings.exposure.value, findings.definition.value
    needed = () if definition is None else definition.ports
    unneeded = [d for d in (() if facts is None else facts.doors) if not any(d.only(port) for port in needed)]
    why = "which ports the tasks need is not known" if definition is None else "which the tasks do not need"
    for door in unneeded[:SHOWN]:
        yield f"security group {door.group} lets everybody ({door.source}) in on {door.what}, {why}"


def _images(findings: Findings) -> Iterator[str]:
    if findings.images.error is not None:
        yield f"the scans of the images could not be read: {findings.images.error}"
    facts = findings.images.value
    for image in (() if facts is None else facts.images)[:SHOWN]:
        if image.critical or image.high:
            yield f"image {image.image} has {image.critical} critical and {image.high} high findings"
        elif image.status not in ("COMPLETE", "ACTIVE"):
            yield f"image {image.image} was not scanned: {image.status}"


def _denials(findings: Findings) -> Iterator[str]:
    if findings.denials.error is not None:
        yield f"denied calls could not be read: {findings.denials.error}"
    facts = findings.denials.value
    for call in (() if facts is None else facts.calls)[:SHOWN]:
        whose = "the tasks' own role" if call.own else call.by
        done = "was denied" if call.denied else "made"
        yield f"{whose} {done} {call.event} of {call.source.removesuffix('.amazonaws.com')} at {call.at:%H:%M:%S} UTC"
