"""The load balancer in front of a service, and its users: who gets requests, what comes back, what CloudWatch is told.

Source: Elastic Load Balancing User Guide, "Health checks for Application Load Balancer target groups" and "CloudWatch
metrics for your Application Load Balancer"; ECS Developer Guide, "CloudWatch metrics".
"""

from typing import TYPE_CHECKING

from tools.drill.world.around import Around
from tools.drill.world.demand import Demand
from tools.drill.world.metrics import MINUTE_S, Series, Times, key_of
from tools.drill.world.parts import Task
from tools.drill.world.serving import UNHANDLED, Backing, Blame, Conduct, Served, serve
from tools.drill.world.spells import Crew, Spells, ZoneSeries
from tools.drill.world.tally import STEP_S, Tally

if TYPE_CHECKING:
    from tools.drill.world.service import Service

HISTORY_S = 3600.0
"""How much of the time before the run CloudWatch holds."""

UNREACHABLE = "TimeoutError: connect to 10.0.12.7:443 timed out after 3000 ms"
"""What a task writes whose zone loses its packets."""
SESSION_LOST = "Session not found on this instance"
"""What a task writes of a user whose session is in the memory of another one."""


class Front:
    """What users of one service feel. Between two changes everything is the same, and counted in one go."""

    def __init__(self, service: "Service", world: Around) -> None:
        self._service, self._world = service, world
        self.demand = Demand(service.setting.traffic, service=service.name, chance=world.chance)
        self.burst_failing = 0.0
        """Share of requests that fail for no reason of the tasks: what makes an alarm flap."""
        self.refused: dict[str, float] = {}
        """Shares of requests that fail at every task, by what the task writes of it."""
        self.tally = Tally()
        self.spells = Spells()
        self.sessions = world.chance.number(service.setting.sessions_percent, f"{service.name}/sessions") / 100
        """Share of the requests that need the task that had the one before."""
        self._slow_s = world.chance.number(service.setting.slow_s, f"{service.name}/slow")
        self._series = self._make_series()
        self._failing = 0.0
        self._served: Served | None = None
        self._served_for: tuple[float, float] | None = None
        self._fleet: dict[Conduct, int] | None = None
        self._crews: tuple[Crew, ...] = ()
        self._backing = Backing()
        self._counts = (0, 0, 0)
        self._settled_s = 0.0

    def remember(self) -> None:
        """Fill CloudWatch with the time before the run, in which all was as it is at its beginning."""
        self._settled_s = -HISTORY_S
        while self._settled_s < 0:
            self._account(self._settled_s, self._settled_s + MINUTE_S, tally=False)
            self._settled_s += MINUTE_S

    @property
    def offered_rps(self) -> float:
        """Requests per second that each target is sent just now."""
        if self._served is None or not self._fleet:
            return 0.0
        return self._served.sent / sum(self._fleet.values())

    @property
    def failing(self) -> float:
        """Share of what was sent that failed just now."""
        return self._failing

    @property
    def latency_s(self) -> float:
        """Mean time of the answers just now."""
        served = self._served
        return served.seconds / served.answered if served is not None and served.answered > 0 else 0.0

    def requests_in(self, minute: int) -> float:
        """How many the targets got in a minute."""
        point = self._series["RequestCount"].points.get(minute)
        return 0.0 if point is None else point.total

    def count(self) -> None:
        """Count what users felt until now."""
        now = self._world.timetable.now
        while self._settled_s < now:
            ends = min(now, (int(self._settled_s // STEP_S) + 1) * STEP_S)
            self._account(self._settled_s, ends, tally=True)
            self._settled_s = ends

    def look_again(self) -> None:
        """The targets, or what they do, are different from now on."""
        self._fleet = None
        self._served = None

    def serve_again(self) -> None:
        """What its dependencies do may be different from now on."""
        self._served = None

    def _account(self, start: float, ends: float, *, tally: bool) -> None:
        length = ends - start
        users = self.demand.rps((start + ends) / 2)
        key = (users, self._failing)
        served = self._served
        if served is None or key != self._served_for:
            served = self._serve(users)
            self._served, self._served_for = served, key
        running, healthy, _ = self._counts
        self._failing = served.failing
        memory = self._memory(ends, served.cpu) if running else None
        self._publish(int(start // MINUTE_S), length, served, memory)
        self.spells.note(start, ends, offered=self.offered_rps, backing=self._backing, crews=self._crews)
        if tally:
            step = int(start // STEP_S)
            self.tally.add(
                step,
                requests=served.users * length,
                failed=served.users_failed * length,
                slow=served.users_slow * length,
                running=running * length,
                healthy=healthy * length,
                desired=self._service.desired * length,
                cpu=(served.cpu or 0.0) * length,
                latency_s=served.seconds * length,
                answered=served.answered * length,
            )

    def _serve(self, users: float) -> Served:
        if self._fleet is None:
            self._fleet, self._counts = self._look()
        self._backing = self._world.dependency_backing(self._service)
        return serve(
            users,
            self._fleet,
            self._backing,
            retries=self._service.setting.traffic.retries,
            failing_before=self._failing,
            slow_s=self._slow_s,
            constants=self._world.constants,
        )

    def _look(self) -> tuple[dict[Conduct, int], tuple[int, int, int]]:
        """The targets that get requests, by their conduct, and how many tasks run, are healthy and are registered.

        When no target is healthy the load balancer sends requests to all of them (Elastic Load Balancing User Guide,
        "Health checks": it fails open). A zone that traffic was shifted away from gets none, as long as a target
        elsewhere is healthy.
        """
        registered = [task for task in self._service.tasks if task.target in ("initial", "healthy", "unhealthy")]
        healthy = [task for task in registered if task.target == "healthy"]
        away = self._world.shifted_away(self._service.load_balancer)
        asked = [task for task in healthy if task.zone not in away] or healthy or registered
        lost = 0.0 if self._service.stickiness.enabled or not asked else self.sessions * (1.0 - 1.0 / len(asked))
        fleet: dict[Conduct, int] = {}
        crews: dict[tuple[Conduct, Blame], dict[str, str]] = {}
        for task in asked:
            conduct, blame = self._conduct(task, lost)
            fleet[conduct] = fleet.get(conduct, 0) + 1
            crews.setdefault((conduct, blame), {})[task.id] = task.zone
        self._crews = tuple(Crew(conduct, blame, zones) for (conduct, blame), zones in crews.items())
        running = sum(1 for task in self._service.tasks if task.running)
        return fleet, (running, len(healthy), len(registered))

    def _conduct(self, task: Task, lost: float) -> tuple[Conduct, Blame]:
        of_release = task.release.conduct
        passing = 1.0
        blame = []
        for text, failing in (
            (UNREACHABLE, self._world.zone_failing(task.zone)),
            (SESSION_LOST, lost),
            (UNHANDLED, self.burst_failing),
            *self.refused.items(),
            (task.complaint, task.failing),
            (of_release.complaint, of_release.failing),
        ):
            if failing > 0:
                passing *= 1.0 - failing
                blame.append((text, failing))
        return of_release._replace(failing=1.0 - passing, stuck=task.stuck, dead=task.dead), tuple(blame)

    def _memory(self, at_s: float, cpu: float | None) -> float:
        values = self._service.memory_of_running(at_s)
        return min(100.0, sum(values) / len(values) + self._world.constants.busy_memory_percent * (cpu or 0.0) / 100)

    def _make_series(self) -> dict[str, Series]:
        chance, constants = self._world.chance, self._world.constants
        late_s = chance.between(
            constants.metric_late_low_s, constants.metric_late_high_s, f"{self._service.name}/metrics-late"
        )
        front = {"LoadBalancer": self._service.load_balancer.split(":loadbalancer/", 1)[-1]}
        behind = front | {"TargetGroup": self._service.target_group.rsplit(":", 1)[-1]}
        ecs = {"ClusterName": self._world.setting.cluster, "ServiceName": self._service.name}
        made: dict[str, Series] = {}
        self.metric_keys = {}
        for name, namespace, dimensions, sparse in (
            ("RequestCount", "AWS/ApplicationELB", behind, True),
            ("HTTPCode_Target_5XX_Count", "AWS/ApplicationELB", behind, True),
            ("HTTPCode_ELB_5XX_Count", "AWS/ApplicationELB", front, True),
            ("TargetResponseTime", "AWS/ApplicationELB", behind, False),
            ("HealthyHostCount", "AWS/ApplicationELB", behind, False),
            ("UnHealthyHostCount", "AWS/ApplicationELB", behind, False),
            ("CPUUtilization", "AWS/ECS", ecs, False),
            ("MemoryUtilization", "AWS/ECS", ecs, False),
        ):
            key = key_of(namespace, name, dimensions)
            self.metric_keys[name] = key
            made[name] = Times(sparse=sparse) if name == "TargetResponseTime" else Series(sparse=sparse)
            self._world.metrics.hold(key, made[name], late_s=late_s)
        for zone in self._world.zones:
            in_zone = behind | {"AvailabilityZone": zone}
            for name, errors in (("RequestCount", False), ("HTTPCode_Target_5XX_Count", True)):
                series = ZoneSeries(self.spells, zone, errors=errors, constants=constants)
                self._world.metrics.hold(key_of("AWS/ApplicationELB", name, in_zone), series, late_s=late_s)
        return made

    def _publish(self, minute: int, length: float, served: Served, memory: float | None) -> None:
        """RequestCount counts only what a target was found for (ELB User Guide, "CloudWatch metrics")."""
        series = self._series
        running, healthy, registered = self._counts
        if registered:
            _add(series["RequestCount"], minute, served.sent * length)
            _add(series["HTTPCode_Target_5XX_Count"], minute, served.target_5xx * length)
            series["HealthyHostCount"].add(minute, total=healthy * length, count=length, value=healthy)
            series["UnHealthyHostCount"].add(
                minute, total=(registered - healthy) * length, count=length, value=registered - healthy
            )
            if served.answered > 0:
                mean = served.seconds / served.answered
                series["TargetResponseTime"].add(
                    minute, total=served.seconds * length, count=served.answered * length, value=mean
                )
        _add(series["HTTPCode_ELB_5XX_Count"], minute, served.balancer_5xx * length)
        if running:
            cpu = self._world.constants.idle_cpu_percent if served.cpu is None else served.cpu
            # Every task reports once a minute: the sample count is the number of running tasks (ECS Developer Guide,
            # "CloudWatch metrics", service RUNNING task count).
            samples = running * length / MINUTE_S
            series["CPUUtilization"].add(minute, total=cpu * samples, count=samples, value=cpu)
            if memory is not None:
                series["MemoryUtilization"].add(minute, total=memory * length, count=length, value=memory)


def _add(series: Series, minute: int, total: float) -> None:
    series.add(minute, total=total, count=1.0, value=total)
