"""What goes wrong, and when: each fault of a setting, brought about at its time."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, assert_never

from tools.drill.world.parts import Release
from tools.drill.world.secrets import value_from
from tools.drill.world.service import Service
from tools.drill.world.setting import (
    AnyFault,
    ApiTrouble,
    BadRelease,
    BadTask,
    Deliveries,
    DependencyTrouble,
    Engineer,
    FalseAlarm,
    Flapping,
    MemoryLeak,
    NoCapacity,
    Number,
    Refused,
    SecretChanged,
    Spike,
    StickinessLost,
    StuckTasks,
    TrackingChanged,
    ZoneImpaired,
)

if TYPE_CHECKING:
    from tools.drill.world.world import World

_SCHEMA = 'ERROR: column "total_v2" of relation "orders" does not exist'
_DENIED = (
    "AccessDeniedException: User: arn:aws:sts::{account}:assumed-role/{service}-task/app is not authorized to perform: "
    "dynamodb:PutItem because no identity-based policy allows the dynamodb:PutItem action"
)
_WRONG_PASSWORD = 'FATAL: password authentication failed for user "{service}"'
_DEAD_CONNECTION = "InterfaceError: connection already closed"
"""What tasks write of a request that fails so, in the words of PostgreSQL, of AWS's own errors, and of psycopg2."""

SPIKE_MATTERS = 1.2
"""A spike below this factor is no trouble, in the truth."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A fault that has begun. `hurts` says whether it is still there to be repaired."""

    kind: str
    service: str | None
    began_s: float
    hurts: Callable[[], bool]


class Faults:
    """All faults of one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.begun: list[Trouble] = []
        for place, fault in enumerate(world.setting.faults):
            entity = f"fault/{place}"
            at_s = world.chance.number(fault.at_s, f"{entity}/at")
            world.timetable.at(at_s, lambda fault=fault, entity=entity: self._begin(fault, entity))  # type: ignore[misc]
        for service in world.services.values():
            for place, part in enumerate(service.setting.traffic.curve):
                if isinstance(part, Spike):
                    self._expect_spike(service, part, f"{service.name}/traffic/curve/{place}")

    def _expect_spike(self, service: Service, spike: Spike, entity: str) -> None:
        chance = self._world.chance
        at_s, factor = chance.number(spike.at_s, f"{entity}/at"), chance.number(spike.factor, f"{entity}/factor")
        lasts_s = None if spike.lasts_s is None else chance.number(spike.lasts_s, f"{entity}/lasts")
        ramp_s = chance.number(spike.ramp_s, f"{entity}/ramp")
        ends_s = float("inf") if lasts_s is None else at_s + lasts_s + ramp_s
        if factor >= SPIKE_MATTERS:
            self._world.timetable.at(
                at_s, lambda: self._note("traffic-spike", service, lambda: self._world.seconds < ends_s)
            )

    def _note(self, kind: str, service: Service | None, hurts: Callable[[], bool]) -> None:
        name = None if service is None else service.name
        self.begun.append(Trouble(kind=kind, service=name, began_s=self._world.seconds, hurts=hurts))
        self._world.happened("fault", kind if name is None else f"{name}: {kind}")

    def _begin(self, fault: AnyFault, entity: str) -> None:
        world = self._world
        world.settle()
        service = world.services[fault.service] if fault.service is not None else next(iter(world.services.values()))

        def draw(written: Number, what: str) -> float:
            return world.chance.number(written, f"{entity}/{what}")

        def until(written: Number | None) -> float:
            return float("inf") if written is None else draw(written, "until")

        match fault:
            case BadRelease():
                release = _bad_release(fault, service, draw, at_s=world.seconds)
                self._note(
                    f"bad-release/{fault.how}",
                    service,
                    lambda: (
                        service.primary.release is release
                        or any(task.alive and task.release is release for task in service.tasks)
                    ),
                )
                world.change_by("pipeline", "UpdateService", {"service": service.name, "taskDefinition": release.arn})
                service.rollouts.deploy(release)
            case MemoryLeak():
                service.begin_leak(draw(fault.leak_percent_per_min, "leak") / 60)
                leaking = service.primary.release
                self._note("memory-leak", service, lambda: service.primary.release is leaking)
            case StuckTasks():
                _stick(service, draw(fault.tasks_percent, "tasks"), unchecked=fault.health_check_notices)
                self._note("stuck-tasks", service, lambda: any(task.stuck and task.alive for task in service.tasks))
            case BadTask():
                bad = next(iter(sorted((t for t in service.tasks if t.healthy), key=lambda t: t.ordinal)), None)
                if bad is not None:
                    bad.failing = draw(fault.failing_percent, "failing") / 100
                    service.changed()
                self._note("bad-task", service, lambda: any(task.failing and task.alive for task in service.tasks))
            case Refused():
                self._refused(fault, service, draw(fault.failing_percent, "failing") / 100, until(fault.until_s))
            case SecretChanged():
                self._secret_changed(service, fault.secret, draw(fault.failing_percent, "failing") / 100)
            case StickinessLost():
                world.change_by("engineer", "ModifyTargetGroupAttributes", _without_stickiness(service))
                service.stickiness.enabled = False
                service.changed()
                self._note("stickiness-lost", service, lambda: not service.stickiness.enabled)
            case TrackingChanged():
                self._tracking_changed(service, draw(fault.target, "target"))
            case DependencyTrouble():
                self._dependency(fault, draw, until(fault.until_s))
            case ZoneImpaired():
                ends_s, zone = until(fault.until_s), f"{world.setting.region}a"
                world.impair(zone, draw(fault.failing_percent, "failing") / 100)
                self._note(f"zone-impaired/{zone}", None, lambda: world.zone_failing(zone) > 0)
                self._ends(ends_s, lambda: world.impair(zone, 0.0), f"zone {zone} is back")
            case NoCapacity():
                world.capacity = False
                self._note("no-capacity", None, lambda: not world.capacity)
                self._ends(until(fault.until_s), self._capacity_back, "there is capacity again")
            case Flapping():
                ends_s = until(fault.until_s)
                burst_s, every_s = draw(fault.burst_s, "burst"), draw(fault.every_s, "every")
                failing = draw(fault.failing_percent, "failing") / 100
                self._note("flapping", service, lambda: world.seconds < ends_s)
                self._burst(service, failing, burst_s, every_s, ends_s)
            case FalseAlarm():
                alarm = world.alarms[fault.alarm]
                self._note("false-alarm", service, lambda: alarm.state == "ALARM")
                world.set_alarm_state(fault.alarm, "ALARM", "testing")
            case Engineer():
                self._engineer(fault, service)
            case Deliveries():
                world.deliveries.begin(
                    until_s=until(fault.until_s),
                    duplicate=draw(fault.duplicate_percent, "duplicate") / 100,
                    late=draw(fault.late_percent, "late") / 100,
                    late_s=draw(fault.late_s, "late-s"),
                    reordered=draw(fault.reordered_percent, "reordered") / 100,
                )
                world.happened("fault", "messages arrive twice, late or in another order")
            case ApiTrouble():
                world.api.begin(
                    how=fault.how,
                    until_s=until(fault.until_s),
                    share=draw(fault.calls_percent, "calls") / 100,
                    operations=fault.operations,
                )
                world.happened("fault", f"calls of AWS are {fault.how}")
            case _:
                assert_never(fault)

    def _ends(self, at_s: float, end: Callable[[], None], text: str) -> None:
        def over() -> None:
            self._world.settle()
            end()
            self._world.happened("fault", text)

        if at_s < float("inf"):
            self._world.timetable.at(at_s, over)

    def _capacity_back(self) -> None:
        self._world.capacity = True
        for service in self._world.services.values():
            service.reconcile()

    def _dependency(self, fault: DependencyTrouble, draw: Callable[[Number, str], float], ends_s: float) -> None:
        world, dependency = self._world, self._world.dependencies[fault.dependency]
        usual, dead = dependency.connections, draw(fault.leaves_dead_percent, "dead") / 100
        match fault.how:
            case "down":
                dependency.down = True
            case "failing":
                dependency.broken = draw(fault.failing_percent, "failing") / 100
            case "throttled":
                dependency.throttled = draw(fault.failing_percent, "failing") / 100
            case "slow":
                dependency.slow_s = draw(fault.latency_s, "latency")
            case "out-of-connections":
                dependency.connections = draw(fault.connections, "connections")

        def end() -> None:
            dependency.down, dependency.slow_s, dependency.connections = False, None, usual
            dependency.broken = dependency.throttled = 0.0
            if dead > 0:
                self._leave_dead(fault.dependency, dead)
            world.dependencies_changed()

        world.dependencies_changed()
        kind = f"dependency-{fault.how}/{fault.dependency}"
        self._note(kind, None, lambda: world.seconds < ends_s)
        self._ends(ends_s, end, f"{fault.dependency} is back")

    def _leave_dead(self, dependency: str, share: float) -> None:
        for service in self._world.services.values():
            for need in service.setting.needs:
                if need.dependency == dependency:
                    self._spoil(service, share * self._world.share_needed(service, dependency), _DEAD_CONNECTION)
                    self._note("dead-connections", service, lambda service=service: _spoilt(service))  # type: ignore[misc]

    @staticmethod
    def _spoil(service: Service, share: float, complaint: str) -> None:
        """Let the tasks that run now fail a share of their requests; those that start later do not."""
        for task in service.tasks:
            if task.running:
                task.failing, task.complaint = max(task.failing, share), complaint
        service.changed()

    def _refused(self, fault: Refused, service: Service, failing: float, ends_s: float) -> None:
        world = self._world
        match fault.how:
            case "permission-removed":
                complaint = _DENIED.format(account=world.setting.account, service=service.name)
                world.change_by("engineer", "PutRolePolicy", {"roleName": f"{service.name}-task"})
            case "schema-changed":
                complaint = _SCHEMA
        service.front.refused[complaint] = failing
        service.changed()
        self._note(fault.how, service, lambda: complaint in service.front.refused)

        def end() -> None:
            service.front.refused.pop(complaint, None)
            service.changed()

        self._ends(ends_s, end, f"{service.name}: {fault.how} was put right")

    def _secret_changed(self, service: Service, name: str, failing: float) -> None:
        world = self._world
        world.change_secret(value_from(world.setting, world.chance, service.name, name))
        self._spoil(service, failing, _WRONG_PASSWORD.format(service=service.name))
        self._note("secret-changed", service, lambda: _spoilt(service))

    def _tracking_changed(self, service: Service, aim: float) -> None:
        target = self._world.targets[service.name]
        tracking = target.tracking
        if tracking is None:
            raise ValueError(f"{service.name} has no target tracking policy")
        tracking.target = aim
        parameters = {"ResourceId": target.resource_id, "PolicyName": tracking.name, "TargetValue": aim}
        self._world.change_by("engineer", "PutScalingPolicy", parameters)
        most = self._world.setting.goal.tasks_at_most
        self._note("tracking-changed", service, lambda: service.desired > (most or target.minimum))

    def _burst(self, service: Service, failing: float, burst_s: float, every_s: float, ends_s: float) -> None:
        world = self._world
        if world.seconds >= ends_s:
            return
        world.settle()
        service.front.burst_failing = failing
        service.changed()

        def calm() -> None:
            world.settle()
            service.front.burst_failing = 0.0
            service.changed()

        world.timetable.after(burst_s, calm)
        world.timetable.after(every_s, lambda: self._burst(service, failing, burst_s, every_s, ends_s))

    def _engineer(self, fault: Engineer, service: Service) -> None:
        world = self._world
        self._note(f"engineer/{fault.does}", service, lambda: False)
        match fault.does:
            case "deploys":
                release = service.rollouts.new_release(at_s=world.seconds)
                world.change_by("engineer", "UpdateService", {"service": service.name, "taskDefinition": release.arn})
                service.rollouts.deploy(release)
            case "rolls-back":
                current, releases = service.primary.release, reversed(service.rollouts.releases)
                good = next(release for release in releases if release.bad is None and release is not current)
                world.change_by("engineer", "UpdateService", {"service": service.name, "taskDefinition": good.arn})
                service.rollouts.deploy(good)
            case "scales":
                count = fault.tasks if fault.tasks is not None else service.desired * 2
                target = world.targets.get(service.name)
                if target is None:
                    world.change_by("engineer", "UpdateService", {"service": service.name, "desiredCount": count})
                    service.set_desired(count)
                else:
                    parameters = {"ResourceId": target.resource_id, "MinCapacity": count}
                    world.change_by("engineer", "RegisterScalableTarget", parameters)
                    target.register(minimum=count, maximum=max(count, target.maximum))


def _bad_release(fault: BadRelease, service: Service, draw: Callable[[Number, str], float], *, at_s: float) -> Release:
    conduct = service.rollouts.conduct
    match fault.how:
        case "5xx":
            conduct = conduct._replace(failing=draw(fault.failing_percent, "failing") / 100)
        case "wrong-schema":
            conduct = conduct._replace(failing=draw(fault.failing_percent, "failing") / 100, complaint=_SCHEMA)
        case "lacks-permission":
            denied = _DENIED.format(account=service.world.setting.account, service=service.name)
            conduct = conduct._replace(failing=draw(fault.failing_percent, "failing") / 100, complaint=denied)
        case "slow":
            slower = draw(fault.slower, "slower")
            conduct = conduct._replace(latency_s=conduct.latency_s * slower, capacity_rps=conduct.capacity_rps / slower)
    release = service.rollouts.new_release(at_s=at_s, conduct=conduct)
    release.bad = fault.how
    match fault.how:
        case "dies-at-start" | "image-missing" | "secret-missing" | "never-runs":
            release.start = fault.how
        case "dies-later":
            release.lives_s = draw(fault.lives_s, "lives")
        case "wrong-port":
            release.checkable = False
        case "memory-leak":
            release.leak_percent_per_s = draw(fault.leak_percent_per_min, "leak") / 60
    return release


def _without_stickiness(service: Service) -> dict[str, Any]:
    attributes = [{"Key": "stickiness.enabled", "Value": "false"}]
    return {"TargetGroupArn": service.target_group, "Attributes": attributes}


def _spoilt(service: Service) -> bool:
    return any(task.failing and task.alive for task in service.tasks)


def _stick(service: Service, percent: float, *, unchecked: bool) -> None:
    running = sorted((task for task in service.tasks if task.running and task.alive), key=lambda task: task.ordinal)
    for task in running[: ceil(len(running) * percent / 100)]:
        task.stuck, task.unchecked = True, unchecked
    service.changed()
