"""Whether trouble came with a release: asked by whoever would go back from it."""

from datetime import datetime, timedelta

from functions.domain.evidence import Findings
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
