"""What the actions are called."""

from enum import StrEnum


class ActionName(StrEnum):
    FORCE_NEW_DEPLOYMENT = "force-new-deployment"
    SCALE_OUT = "scale-out"
    ROLL_BACK = "roll-back"
    RAISE_CEILING = "raise-ceiling"
    LOWER_CEILING = "lower-ceiling"
    REPLACE_TASK = "replace-task"
    SHIFT_ZONE = "shift-zone"
    ENLARGE_TASK = "enlarge-task"
    RESTORE_STICKINESS = "restore-stickiness"
    TUNE_TRACKING = "tune-tracking"
    CALL_WEBHOOK = "call-webhook"
    BACK_UP = "back-up"
    MUTE_ALARM = "mute-alarm"
    SET_COUNT = "set-count"
    SET_LIMITS = "set-limits"
    ISOLATE = "isolate"
    BLOCK_ADDRESS = "block-address"
    DISABLE_USER = "disable-user"
    PAGE = "page"
    """The last rung of every ladder: people."""

    @property
    def contains(self) -> bool:
        """It shuts somebody out: never done without a grant, and by the function of the contain stack alone."""
        return self in (ActionName.ISOLATE, ActionName.BLOCK_ADDRESS, ActionName.DISABLE_USER)
