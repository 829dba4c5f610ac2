"""Ladders: which actions answer a cause, in which order, when the playbook says nothing else."""

from collections.abc import Mapping
from types import MappingProxyType

from functions.domain.causes import Cause
from functions.domain.changes import ActionName

Ladder = tuple[str, ...]
"""Rungs from the first to try to the last: an action, some with a name, such as `call-webhook:cleanup`. It ends with
`page`; an empty one means wait or stand down."""

NOT_OURS = frozenset({Cause.NATIVE_ROLLBACK, Cause.SOMEONE_AT_WORK, Cause.FALSE_ALARM})
"""Causes that need no action of ours: ECS or a person is at it, or nothing is wrong. No playbook changes that."""

_PEOPLE: Ladder = (ActionName.PAGE,)

_BACK: Ladder = (ActionName.ROLL_BACK, ActionName.PAGE)
"""What a release brought goes with it. Of trouble that came without one, the action itself says so, and people hear of
it."""

_DEFAULTS: Mapping[Cause, Ladder] = MappingProxyType(
    {
        Cause.BAD_DEPLOYMENT: _BACK,
        Cause.BAD_RELEASE: _BACK,
        Cause.IMAGE_UNAVAILABLE: _BACK,
        Cause.SECRET_MISSING: _BACK,
        Cause.SCHEMA_MISMATCH: _BACK,
        Cause.PERMISSION_DENIED: _BACK,
        Cause.HEALTH_CHECK_MISCONFIGURED: _BACK,
        Cause.DEPLOYMENT_STALLED: _BACK,
        Cause.AUTHENTICATION_FAILING: (ActionName.FORCE_NEW_DEPLOYMENT, ActionName.ROLL_BACK, ActionName.PAGE),
        Cause.OVERLOAD: (ActionName.SCALE_OUT, ActionName.PAGE),
        Cause.SCALING_CEILING: (ActionName.SCALE_OUT, ActionName.PAGE),
        Cause.STUCK_TASKS: (ActionName.FORCE_NEW_DEPLOYMENT, ActionName.PAGE),
        Cause.BAD_TASK: (ActionName.REPLACE_TASK, ActionName.PAGE),
        Cause.ZONE_IMPAIRED: (ActionName.SHIFT_ZONE, ActionName.PAGE),
        Cause.STICKINESS_LOST: (ActionName.RESTORE_STICKINESS, ActionName.PAGE),
        Cause.RUNAWAY_COST: (ActionName.LOWER_CEILING, ActionName.PAGE),
        Cause.OUT_OF_MEMORY: (ActionName.ENLARGE_TASK, ActionName.PAGE),
    }
)
"""A ceiling is a decision of people: what room is left below it is used if it is worth a step, and nothing raises it
unless a playbook says `raise-ceiling`."""


def default_ladder(cause: Cause) -> Ladder:
    """The ladder of a cause without a word in the playbook: people, unless one safe action is known to help."""
    if cause in NOT_OURS:
        return ()
    return _DEFAULTS.get(cause, _PEOPLE)
