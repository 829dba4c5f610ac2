"""Every action by name; `infra/` grants from here. `page` is no action: it changes nothing."""

from collections.abc import Mapping

from functions.actions.action import Action
from functions.actions.back_up import BACK_UP
from functions.actions.call_webhook import CALL_WEBHOOK
from functions.actions.contain import BLOCK_ADDRESS, DISABLE_USER, ISOLATE
from functions.actions.enlarge_task import ENLARGE_TASK
from functions.actions.force_new_deployment import FORCE_NEW_DEPLOYMENT
from functions.actions.lower_ceiling import LOWER_CEILING
from functions.actions.mute_alarm import MUTE_ALARM
from functions.actions.raise_ceiling import RAISE_CEILING
from functions.actions.replace_task import REPLACE_TASK
from functions.actions.restore_stickiness import RESTORE_STICKINESS
from functions.actions.roll_back import ROLL_BACK
from functions.actions.scale_out import SCALE_OUT
from functions.actions.set_count import SET_COUNT
from functions.actions.set_limits import SET_LIMITS
from functions.actions.shift_zone import SHIFT_ZONE
from functions.actions.tune_tracking import TUNE_TRACKING
from functions.domain.changes import ActionName

ACTIONS: Mapping[ActionName, Action] = {
    action.name: action
    for action in (
        FORCE_NEW_DEPLOYMENT,
        ROLL_BACK,
        SCALE_OUT,
        RAISE_CEILING,
        LOWER_CEILING,
        TUNE_TRACKING,
        REPLACE_TASK,
        SHIFT_ZONE,
        ENLARGE_TASK,
        RESTORE_STICKINESS,
        CALL_WEBHOOK,
        BACK_UP,
        MUTE_ALARM,
        ISOLATE,
        BLOCK_ADDRESS,
        DISABLE_USER,
        SET_COUNT,
        SET_LIMITS,
    )
}
