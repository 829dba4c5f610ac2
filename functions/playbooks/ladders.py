"""Ladders: which actions answer a cause, in which order, when the playbook says nothing else."""

from collections.abc import Mapping
from types import MappingProxyType

from functions.domain.causes import Cause
from functions.domain.changes import ActionName

Ladder = tuple[ActionName, ...]
"""Actions from the first to try to the last. It ends with `page`; an empty one means wait or stand down."""

NOT_OURS = frozenset({Cause.NATIVE_ROLLBACK, Cause.SOMEONE_AT_WORK, Cause.FALSE_ALARM})
"""Causes that need no action of ours: ECS or a person is at it, or nothing is wrong. No playbook changes that."""

_PEOPLE: Ladder = (ActionName.PAGE,)

_DEFAULTS: Mapping[Cause, Ladder] = MappingProxyType(
    {
        Cause.BAD_DEPLOYMENT: (ActionName.ROLL_BACK, ActionName.PAGE),
        Cause.BAD_RELEASE: (ActionName.ROLL_BACK, ActionName.PAGE),
        Cause.OVERLOAD: (ActionName.SCALE_OUT, ActionName.PAGE),
        Cause.STUCK_TASKS: (ActionName.FORCE_NEW_DEPLOYMENT, ActionName.PAGE),
    }
)


def default_ladder(cause: Cause) -> Ladder:
    """The ladder of a cause without a word in the playbook: people, unless one safe action is known to help."""
    if cause in NOT_OURS:
        return ()
    return _DEFAULTS.get(cause, _PEOPLE)
