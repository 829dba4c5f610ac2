"""Every action by name; `infra/` grants from here. `page` is no action: it changes nothing."""

from collections.abc import Mapping

from functions.actions.action import Action
from functions.actions.force_new_deployment import FORCE_NEW_DEPLOYMENT
from functions.actions.roll_back import ROLL_BACK
from functions.actions.scale_out import SCALE_OUT
from functions.domain.changes import ActionName

ACTIONS: Mapping[ActionName, Action] = {action.name: action for action in (FORCE_NEW_DEPLOYMENT, ROLL_BACK, SCALE_OUT)}
