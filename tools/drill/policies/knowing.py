"""Those who know what is wrong: the oracle at once, a person after the time it takes to respond."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from functions.playbooks.schema import Playbook
from tools.drill.engine import Json
from tools.drill.policies.hands import Hands
from tools.drill.policies.passive import Nobody
from tools.drill.policies.policy import Stage, Take, alarms_of
from tools.drill.scenario import Remedy
from tools.drill.world.service import Service as Running
from tools.drill.world.setting import Service, Spike, extreme

PERSON_S = 900.0
"""From the page to the action. Runbooks give 15 minutes for the gravest incidents and 15 to 60 for the next."""

LOOK_S = 5.0
"""How often somebody looks who waits for what the service stands on. Assumption."""

COMFORTABLE_CPU = 60.0
"""CPU percent at which new tasks should run: what target tracking usually aims at."""


class Oracle(Nobody):
    name = "oracle"
    title = "knows the fault and does the right thing at the first alarm"
    after_s = 1.0
    wakes_people = False

    @contextmanager
    def respond(self, stage: Stage) -> Iterator[Take]:
        truth = stage.scenario.truth
        good = {
            playbook.service: Hands(stage, playbook.ref, actor=self.name).service()["taskDefinition"]
            for playbook in stage.scenario.playbooks
        }
        told: set[str] = set()

        def take(message: Json) -> None:
            for alarm in alarms_of(message):
                playbook = stage.playbook_of(alarm)
                if playbook is None or playbook.service in told:
                    continue
                told.add(playbook.service)
                if truth.people or self.wakes_people:
                    stage.page(self.name, f"{alarm} is in ALARM")
                stage.later(self.after_s, partial(self._act, stage, playbook, good[playbook.service]))

        yield take

    def _act(self, stage: Stage, playbook: Playbook, good: str) -> None:
        hands = Hands(stage, playbook.ref, actor=self.name)
        for remedy in stage.scenario.truth.remedies:
            match remedy:
                case Remedy.ROLL_BACK:
                    hands.roll_back_to(good)
                case Remedy.RESTART:
                    hands.redeploy()
                case Remedy.SCALE_OUT:
                    hands.raise_floor(self._needed(stage, playbook))
                case Remedy.REPLACE_TASK:
                    hands.stop_tasks(_bad_tasks(stage, playbook))
                case Remedy.RAISE_CEILING | Remedy.LOWER_CEILING:
                    hands.set_ceiling(self._needed(stage, playbook))
                case Remedy.SHIFT_ZONE:
                    for zone_id in _impaired(stage):
                        hands.shift_zone(stage.world.services[playbook.service].load_balancer, zone_id)
                case Remedy.RESTORE_STICKINESS:
                    hands.restore_stickiness(stage.world.services[playbook.service].target_group)
                case Remedy.RESTART_WHEN_BACK:
                    self._when_back(stage, playbook, hands.redeploy)

    def _when_back(self, stage: Stage, playbook: Playbook, act: Callable[[], None]) -> None:
        """Act once nothing that the service stands on fails."""
        if self._is_back(stage, stage.world.services[playbook.service]):
            act()
        else:
            stage.later(LOOK_S, partial(self._when_back, stage, playbook, act))

    def _is_back(self, stage: Stage, service: Running) -> bool:
        return stage.world.dependency_backing(service).failing == 0

    @staticmethod
    def _needed(stage: Stage, playbook: Playbook) -> int:
        """Tasks that carry the highest load the scenario has, at a comfortable CPU."""
        service = next(each for each in stage.scenario.setting.services if each.name == playbook.service)
        tasks = math.ceil(_peak_rps(service) / (extreme(service.capacity_rps, low=True) * COMFORTABLE_CPU / 100))
        return min(max(tasks, service.tasks), playbook.limits.max_tasks)


class Person(Oracle):
    name = "person"
    title = "a person does the right thing 15 minutes after the page"
    after_s = PERSON_S
    wakes_people = True

    def _is_back(self, stage: Stage, service: Running) -> bool:
        """People see what is measured: where an alarm watches what the service stands on, they go by it."""
        alarms = (stage.world.dependencies[need.dependency].setting.alarm for need in service.setting.needs)
        silent = all(stage.world.alarm_state(alarm) == "OK" for alarm in alarms if alarm is not None)
        return silent and super()._is_back(stage, service)


def _impaired(stage: Stage) -> list[str]:
    world = stage.world
    return [zone_id for zone, zone_id in world.shifts.zone_ids.items() if world.zone_failing(zone) > 0]


def _bad_tasks(stage: Stage, playbook: Playbook) -> list[str]:
    tasks = stage.world.services[playbook.service].tasks
    return [task.arn for task in tasks if task.alive and (task.failing or task.stuck)]


def _peak_rps(service: Service) -> float:
    spikes = [extreme(part.factor) for part in service.traffic.curve if isinstance(part, Spike)]
    return extreme(service.traffic.base_rps) * max(spikes, default=1.0)
