"""Nobody responds: as the service is, or with every feature that ECS itself has for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.drill.policies.policy import Stage, Take
from tools.drill.scenario import Scenario
from tools.drill.world.setting import Scaling, Service, TargetTracking, extreme

TRACKED_CPU = 60.0
"""CPU percent that target tracking aims at, unless the service uses more on an ordinary day."""
CALM = 1.1
"""How far above an ordinary day the target lies then: every way to respond meets the fault with the same tasks."""


class Nobody:
    name = "none"
    title = "nobody does anything"

    def fit_out(self, scenario: Scenario) -> Scenario:
        return scenario

    @contextmanager
    def respond(self, stage: Stage) -> Iterator[Take]:
        yield lambda message: None


class Native(Nobody):
    name = "native"
    title = "circuit breaker and alarms roll deployments back, target tracking on CPU scales"

    def fit_out(self, scenario: Scenario) -> Scenario:
        services = tuple(
            _native(service, alarms=playbook.alarm_names, most=playbook.limits.max_tasks)
            for service, playbook in zip(scenario.setting.services, scenario.playbooks, strict=True)
        )
        return scenario.of(scenario.setting.model_copy(update={"services": services}))


def _usual_cpu(service: Service) -> float:
    """Percent of CPU that a service's tasks use at the most while nothing is wrong."""
    traffic = service.traffic
    base, noise = extreme(traffic.base_rps), extreme(traffic.noise_percent)
    return (
        100.0 * base * (1 + noise / 100) / (service.tasks * extreme(service.capacity_rps, low=True))
        if service.tasks
        else 0.0
    )


def _native(service: Service, *, alarms: tuple[str, ...], most: int) -> Service:
    known = {alarm.name for alarm in service.alarms}
    rollout = service.rollout.model_copy(
        update={"circuit_breaker": True, "rollback": True, "alarms": tuple(name for name in alarms if name in known)}
    )
    scaling = service.scaling or Scaling(minimum=min(service.tasks, most), maximum=max(service.tasks, most))
    tracking = scaling.tracking or TargetTracking(target=max(TRACKED_CPU, _usual_cpu(service) * CALM))
    tracked = scaling.model_copy(update={"tracking": tracking})
    return service.model_copy(update={"rollout": rollout, "scaling": tracked})
