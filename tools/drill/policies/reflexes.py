"""Automation without a diagnosis: a restart on every alarm, and a runbook carried out in its written order."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from functions.domain.evidence import short
from functions.domain.signals import AlarmState
from functions.domain.watched import WatchedAlarm
from functions.playbooks.schema import Playbook, Symptom
from tools.drill.engine import Json
from tools.drill.policies.hands import Hands, multiplied, patiently
from tools.drill.policies.passive import Nobody
from tools.drill.policies.policy import Stage, Take, alarms_of
from tools.drill.results import Mark

REFLEX_S = 2.0
"""From the message to the call: one warm function. Assumption."""


class Restart(Nobody):
    name = "restart"
    title = "a new deployment on every alarm"

    @contextmanager
    def respond(self, stage: Stage) -> Iterator[Take]:
        def take(message: Json) -> None:
            for alarm in alarms_of(message):
                playbook = stage.playbook_of(alarm)
                if playbook is not None:
                    stage.later(REFLEX_S, Hands(stage, playbook.ref, actor=self.name).redeploy)

        yield take


class Order(StrEnum):
    """One line of a runbook."""

    REDEPLOY = "redeploy"
    ROLL_BACK = "roll back"
    SCALE = "scale"
    SCALE_IN = "scale in"
    CHECK_DEPENDENCIES = "check what the service stands on"


RUNBOOK: Mapping[Symptom, tuple[Order, ...]] = {
    Symptom.HEALTHY_HOSTS: (Order.REDEPLOY, Order.ROLL_BACK, Order.SCALE),
    Symptom.ERROR_RATE: (Order.CHECK_DEPENDENCIES, Order.ROLL_BACK),
    Symptom.ERRORS: (Order.REDEPLOY, Order.ROLL_BACK),
    Symptom.RESPONSE_TIME: (Order.SCALE,),
    Symptom.CPU: (Order.SCALE,),
    Symptom.MEMORY: (Order.REDEPLOY,),
    Symptom.TASKS: (Order.SCALE_IN,),
}
"""First responses in the order in which runbooks for ECS services write them, by the alarm that went off."""

SCALE_FACTOR = 2.0
"""Runbooks go from 2 tasks to 4, or from 4 or 5 to 8; where the bill is what hurts, back to half."""

STABLE_S = 600.0
"""How long a line is given before the next: a deployment is stable after 5 to 10 minutes."""


class Runbook(Nobody):
    name = "runbook"
    title = "a runbook's first response in its written order, ten minutes a line, then a page"

    @contextmanager
    def respond(self, stage: Stage) -> Iterator[Take]:
        busy: set[str] = set()

        def take(message: Json) -> None:
            for alarm in alarms_of(message):
                playbook = stage.playbook_of(alarm)
                if playbook is not None and playbook.service not in busy:
                    busy.add(playbook.service)
                    follow(alarm, playbook, orders_for(alarm, stage), REFLEX_S)

        def follow(alarm: str, playbook: Playbook, orders: tuple[Order, ...], after_s: float) -> None:
            def go_on() -> None:
                if after_s == STABLE_S and _state(stage, alarm) is not AlarmState.ALARM:
                    busy.discard(playbook.service)
                    stage.note(Mark.THOUGHT, self.name, f"{alarm} is no longer in ALARM")
                elif not orders:
                    stage.page(self.name, "the runbook is at its end")
                elif self._carry_out(orders[0], stage, playbook):
                    follow(alarm, playbook, orders[1:], STABLE_S)
                else:
                    follow(alarm, playbook, orders[1:], REFLEX_S)

            stage.later(after_s, go_on)

        yield take

    def _carry_out(self, order: Order, stage: Stage, playbook: Playbook) -> bool:
        """Whether anything was done that has to be waited for."""
        hands = Hands(stage, playbook.ref, actor=self.name)
        match order:
            case Order.REDEPLOY:
                hands.redeploy()
            case Order.ROLL_BACK:
                before = _revision_before(hands.service()["taskDefinition"])
                if before is None:
                    return False
                hands.set_release(before)
            case Order.SCALE:
                hands.set_count(multiplied(hands.service()["desiredCount"], SCALE_FACTOR))
            case Order.SCALE_IN:
                hands.set_count(max(1, round(hands.service()["desiredCount"] / SCALE_FACTOR)))
            case Order.CHECK_DEPENDENCIES:
                failing = [
                    d.name
                    for d in playbook.dependencies
                    if isinstance(d, WatchedAlarm) and _state(stage, d.alarm) is AlarmState.ALARM
                ]
                if failing:
                    stage.page(self.name, f"failing: {', '.join(failing)}")
                return False
        return True


def orders_for(alarm: str, stage: Stage) -> tuple[Order, ...]:
    """What the runbook says of an alarm: of lines in a log nothing, but that people look at them."""
    alarms = (each for service in stage.scenario.setting.services for each in service.alarms)
    symptom = next(each.symptom for each in alarms if each.name == alarm)
    return () if symptom is None else RUNBOOK[symptom]


def _state(stage: Stage, alarm: str) -> AlarmState | None:
    answer = patiently(stage.clients.once("cloudwatch").describe_alarms, AlarmNames=[alarm])
    return next((AlarmState(each["StateValue"]) for each in answer["MetricAlarms"]), None)


def _revision_before(task_definition: str) -> str | None:
    """As runbooks write it: the number before, whether it was any good or not."""
    family, _, revision = task_definition.rpartition(":")
    return f"{short(family)}:{int(revision) - 1}" if int(revision) > 1 else None
