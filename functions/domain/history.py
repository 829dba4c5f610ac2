"""The release history: what the responder knows of the task definitions that a service ran."""

from enum import StrEnum

from functions.domain.model import Model, Moment


class ReleaseState(StrEnum):
    """What the responder knows of a release from having watched it."""

    SEEN = "seen"
    GOOD = "good"
    SUSPECT = "suspect"
    QUARANTINED = "quarantined"


class Release(Model):
    """One task definition that the service ran, in the responder's own history."""

    task_definition: str
    first_seen: Moment
    last_seen: Moment
    state: ReleaseState = ReleaseState.SEEN
    reason: str = ""
    surroundings: str = ""
    passed: int = 0
    """How many looks in a row found every check of the playbook passing; what nobody could read does not count."""
