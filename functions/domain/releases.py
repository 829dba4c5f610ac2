"""Releases: whether trouble came with one, which of them ran well, and where nobody goes back to."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.domain.evidence import Release, ReleaseState, RevisionFacts, ServiceDeploymentFacts, short
from functions.domain.findings import Findings
from functions.domain.signals import AlarmState

RELEASE_IS_NEW = timedelta(hours=1)
"""A release that came longer before the trouble is no longer the first suspect."""

NOT_DONE = ("IN_PROGRESS", "FAILED")
"""Rollout states of a deployment that is on the way, or that came to nothing."""


def noticed_at(findings: Findings) -> datetime:
    """When the first of the alarms that are in ALARM went off; without one, now."""
    alarms = findings.alarms.value
    since = [a.since for a in alarms.alarms if a.state is AlarmState.ALARM] if alarms is not None else []
    return min(since, default=findings.looked_at)


def born_with_a_release(findings: Findings) -> bool:
    """The trouble came with what runs now: its deployment is under way or came to nothing, or it began shortly before
    the trouble was noticed. A good release that was deployed again brought nothing new."""
    service, releases = findings.service.value, findings.releases.value
    if service is None or releases is None:
        return False
    if releases.in_flight is not None:
        return True
    if service.primary is not None and service.primary.rollout_state in NOT_DONE:
        return not releases.returned
    noticed = noticed_at(findings)
    return not releases.returned and noticed - RELEASE_IS_NEW <= releases.current_since <= noticed


def reached_steady_state(
    deployments: Sequence[ServiceDeploymentFacts], revisions: Sequence[RevisionFacts]
) -> tuple[str, ...]:
    """Task definitions with which a deployment ended well, newest first.

    A rollback creates no new revision: after ROLLBACK_SUCCESSFUL what ran is the rollback's revision, not the target.
    """
    by_arn = {revision.arn: revision.task_definition for revision in revisions}
    arns = (
        {"SUCCESSFUL": d.target_revision, "ROLLBACK_SUCCESSFUL": d.rollback_revision}.get(d.status) for d in deployments
    )
    return tuple(by_arn[arn] for arn in arns if arn is not None and arn in by_arn)


def quarantined(task_definition: str, history: Sequence[Release]) -> str | None:
    """Why nobody goes back to a release, as a sentence; None where it is not quarantined."""
    known = next((each for each in history if each.task_definition == task_definition), None)
    if known is None or known.state is not ReleaseState.QUARANTINED:
        return None
    return f"{short(task_definition)} is quarantined{known.reason and ': ' + known.reason}"
