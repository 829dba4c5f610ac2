"""How grave it is: a pure reading of one look, by what users feel of it."""

from collections.abc import Iterator, Sequence

from functions.diagnostics.signs import Signs
from functions.diagnostics.thresholds import (
    ERRORS_MATTER,
    ERRORS_P1,
    ERRORS_P2,
    FAILURES_TELL,
    NOBODY_SERVED,
    SLOW_P2_S,
)
from functions.domain.causes import Cause, Judgement
from functions.domain.dependencies import DependencyState
from functions.domain.evidence import group_name
from functions.domain.findings import Findings
from functions.domain.severity import Gravity, Severity

Sign = tuple[Severity, str]

NOT_JUDGED = frozenset({"unused", "unavailable"})
"""States of targets that get no traffic, as on the other side of a blue/green deployment, or no health checks (ELB API
reference, TargetHealth)."""

OF_REQUESTS = "of requests fail"
"""How what is said ends where requests fail."""

NOTHING_FELT = "users feel nothing"
"""What is said where no sign of trouble is there."""


def gravity(findings: Findings, judgements: Sequence[Judgement], *, sure: float, margin: float = 1.0) -> Gravity:
    """The gravest sign that the findings show, and whether all were read that could show a graver one.

    `sure` is the confidence from which a cause counts. Measured values are taken `margin` times: with more than one, a
    sign that was there lasts until its value is clearly below the line.
    """
    signs = Signs(findings)
    found = [*_served(signs, findings, margin), *_causes(judgements, sure), *_around(signs, findings)]
    severity, reason = min(found, key=lambda sign: sign[0], default=(Severity.P4, NOTHING_FELT))
    return Gravity(severity=severity, reason=reason, whole=_whole(signs, findings))


def _served(signs: Signs, findings: Findings, margin: float) -> Iterator[Sign]:
    """What users get."""
    service, targets = findings.service.value, findings.targets.value
    if service is not None and service.desired > 0 and service.running == 0:
        yield (
            Severity.P0,
            "the only task does not run" if service.desired == 1 else f"none of {service.desired} tasks runs",
        )
    in_use = () if targets is None else tuple(t for t in targets.targets if t.state not in NOT_JUDGED)
    for group in sorted({target.target_group for target in in_use}):
        if not any(target.target_group == group and target.state == "healthy" for target in in_use):
            yield Severity.P0, f"no target is healthy in {group_name(group)}"
    share = signs.error_share_most
    if share is not None:
        said, few = f"{share:.1%} {OF_REQUESTS}", signs.failed_requests < FAILURES_TELL
        for line, severity in (
            (NOBODY_SERVED, Severity.P0),
            (ERRORS_P1, Severity.P1),
            (ERRORS_P2, Severity.P2),
            (ERRORS_MATTER, Severity.P3),
        ):
            if share * margin >= line:
                yield (
                    (max(severity, Severity.P2), f"{said}, {signs.failed_requests:.0f} in all")
                    if few
                    else (severity, said)
                )
                break
    latency = signs.latency_most
    if latency is not None and latency * margin >= SLOW_P2_S:
        yield Severity.P2, f"responses take {latency:.1f} s"
    elif latency is not None and signs.slow:
        yield Severity.P3, f"responses take {latency:.2f} s, far more than usual"
    if signs.hosts_missing:
        yield Severity.P3, "fewer targets are healthy than usual"


def _causes(judgements: Sequence[Judgement], sure: float) -> Iterator[Sign]:
    """What is grave whether or not users feel it already."""
    grave = {Cause.SUSPECTED_BREACH: Severity.P0, Cause.RUNAWAY_COST: Severity.P3}
    for judgement in judgements:
        if judgement.cause in grave and judgement.confidence >= sure and not judgement.missing:
            yield grave[judgement.cause], f"{judgement.cause} ({judgement.confidence:.2f})"


def _around(signs: Signs, findings: Findings) -> Iterator[Sign]:
    """What the service stands on, once users feel that it is gone."""
    facts = findings.dependencies.value
    failing = () if facts is None else facts.in_state(DependencyState.FAILING)
    if failing and signs.felt:
        yield Severity.P1, f"dependency {failing[0].name} is failing, and users feel it"


def _whole(signs: Signs, findings: Findings) -> bool:
    """Whether service, targets, metrics and alarms were read, and requests came by which to judge."""
    read = (findings.service, findings.targets, findings.metrics, findings.alarms)
    return all(reading.known for reading in read) and signs.error_share_most is not None
