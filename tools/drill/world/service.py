"""One ECS service: its tasks and their targets, and the scheduler that starts, replaces and stops them.

Sources: Amazon ECS Developer Guide, "Rolling update deployments", "Service throttle logic", "Service event messages";
Elastic Load Balancing User Guide, "Health checks for Application Load Balancer target groups".
"""

from collections import deque
from collections.abc import Sequence
from math import ceil, floor

from tools.drill.world import reasons
from tools.drill.world.around import Around
from tools.drill.world.front import Front
from tools.drill.world.logs import Logs
from tools.drill.world.parts import (
    IN_PROGRESS,
    Deployment,
    ServiceDeployment,
    Stickiness,
    Task,
)
from tools.drill.world.reasons import Stop
from tools.drill.world.rollouts import Rollouts
from tools.drill.world.secrets import MISSING_SECRET, value_from
from tools.drill.world.setting import Service as ServiceSetting

EVENTS_KEPT = 100
"""Service events that DescribeServices answers with (ECS API reference)."""

PORT = 8080

ZONE_GONE = 0.5
"""Share of its requests that a zone has to lose for its tasks to fail health checks and for new ones not to start.
Assumption: below, a check that fails is followed by one that passes, and calls at the start are tried again."""

REREGISTERS = 0.5
"""Share of the deregistered targets that ECS registers once more. Assumption."""
REREGISTERED_LOW_S, REREGISTERED_HIGH_S = 15.0, 40.0
"""After how long. Assumption."""


class Service:
    """One service. Everybody who changes it calls `settle` first: what users felt until then is counted then."""

    def __init__(self, setting: ServiceSetting, around: Around) -> None:
        world, chance = around, around.chance
        self.setting, self.world = setting, world
        self.name = setting.name
        region, account, cluster = world.setting.region, world.setting.account, world.setting.cluster
        self._ecs = f"arn:aws:ecs:{region}:{account}"
        elb = f"arn:aws:elasticloadbalancing:{region}:{account}"
        self.arn = f"{self._ecs}:service/{cluster}/{self.name}"
        self.cluster_arn = f"{self._ecs}:cluster/{cluster}"
        group = chance.token(f"{self.name}/target-group", size=8)
        balancer = chance.token(f"{self.name}/load-balancer", size=8)
        self.target_group = f"{elb}:targetgroup/{self.name}/{group}"
        self.load_balancer = f"{elb}:loadbalancer/app/{self.name}/{balancer}"
        self.status = "ACTIVE"
        self.desired = setting.tasks
        self.stickiness = Stickiness()
        if setting.stickiness_s is not None:
            length_s = int(chance.number(setting.stickiness_s, f"{self.name}/stickiness"))
            self.stickiness = Stickiness(enabled=True, duration_s=length_s)
        self.memory_percent = chance.number(setting.memory_percent, f"{self.name}/memory")
        self.image_pull_s = chance.number(setting.image_pull_s, f"{self.name}/image-pull")
        check = setting.health_check
        self.check_s = chance.number(check.interval_s, f"{self.name}/check-interval")
        self.grace_s = chance.number(check.grace_s, f"{self.name}/grace")
        self.tasks: list[Task] = []
        self.gone: deque[Task] = deque(maxlen=200)
        """Stopped tasks, oldest first."""
        self.events: deque[tuple[float, str, str]] = deque(maxlen=EVENTS_KEPT)
        """Time, id and message, newest first."""
        self._launched = self._said = 0
        self._of_kind: dict[str, int] = {}
        self._starts_failed = 0
        self._throttled_until_s = 0.0
        self._unplaced_told_s = float("-inf")
        self._steady = True
        self._stalled: Deployment | None = None
        """The deployment of which it was told that its bounds leave no room."""
        self.rollouts = Rollouts(self, world)
        self.front = Front(self, world)
        self.logs = Logs(self, world)
        self._begin()

    def _begin(self) -> None:
        """The tasks, and what CloudWatch holds, of the time before the run."""
        current_s = self.primary.created_s
        for _ in range(self.desired):
            task = self._new_task(self.primary, at_s=current_s)
            task.status, task.started_s = "RUNNING", current_s + 60.0
            task.target, task.first_healthy_s = "healthy", current_s + 120.0
            task.next_check_s = self.world.chance.between(0, self.check_s, f"{self.name}/first-check", task.ordinal)
        self.front.remember()
        self.say("has reached a steady state.", at_s=-1800.0)

    @property
    def primary(self) -> Deployment:
        return self.rollouts.deployments[0]

    @property
    def records(self) -> list[ServiceDeployment]:
        """Its service deployments, oldest first."""
        return self.rollouts.records

    @property
    def now(self) -> float:
        return self.world.timetable.now

    def running(self, deployment: Deployment | None = None) -> int:
        return sum(1 for t in self.tasks if t.running and (deployment is None or t.deployment is deployment))

    def pending(self, deployment: Deployment | None = None) -> int:
        return sum(
            1 for t in self.tasks if t.alive and not t.running and (deployment is None or t.deployment is deployment)
        )

    def settle(self) -> None:
        """Count what happened until now, before something changes."""
        self.world.settle()

    def changed(self) -> None:
        """Something that tasks, targets or dependencies do is different from now on. Call `settle` before."""
        self.front.look_again()
        self.world.service_changed(self)

    def memory_of(self, task: Task, at_s: float) -> float:
        """Percent of what it reserved, without what load adds."""
        if task.started_s is None:
            return 0.0
        release = task.release
        since = max(task.started_s, release.leaks_from_s)
        usual = self.memory_percent * self.setting.memory_mib / release.memory_mib
        return usual + self._leak(task) * (at_s - since)

    def memory_of_running(self, at_s: float) -> list[float]:
        """The same of each running task: asked for so often that a task's properties would take longer than the sum."""
        usual, found = self.memory_percent * self.setting.memory_mib, []
        for task in self.tasks:
            if task.status != "RUNNING":
                continue
            release = task.deployment.revision.release
            if release.leak_percent_per_s == 0.0 and task.started_s is not None:
                found.append(usual / release.memory_mib)
            else:
                found.append(self.memory_of(task, at_s))
        return found

    @staticmethod
    def _leak(task: Task) -> float:
        return task.release.leak_percent_per_s / task.pace

    def _new_task(self, deployment: Deployment, *, at_s: float) -> Task:
        ordinal = self._launched
        self._launched += 1
        kind = str(deployment.release.number)
        place = self._of_kind[kind] = self._of_kind.get(kind, -1) + 1
        identifier = self.world.chance.token(f"{self.name}/task", ordinal)
        task = Task(
            ordinal=ordinal,
            kind=kind,
            place=place,
            id=identifier,
            arn=f"{self._ecs}:task/{self.world.setting.cluster}/{identifier}",
            deployment=deployment,
            zone=self._emptiest_zone(),
            created_s=at_s,
            pace=1.0
            + self.world.constants.life_spread * (2 * self.world.chance.share(f"{self.name}/pace/{kind}", place) - 1),
        )
        self.tasks.append(task)
        return task

    def _emptiest_zone(self) -> str:
        """ECS spreads the tasks of a service over its zones (Developer Guide, "Availability Zone rebalancing")."""
        count = dict.fromkeys(self.world.zones, 0)
        for task in self.tasks:
            if task.alive:
                count[task.zone] += 1
        return min(count, key=lambda zone: (count[zone], zone))

    def _launch(self, deployment: Deployment) -> None:
        constants, chance = self.world.constants, self.world.chance
        task = self._new_task(deployment, at_s=self.now)
        delay = self.world.launch_delay_s() + chance.between(
            constants.task_start_low_s, constants.task_start_high_s, f"{self.name}/start/{task.kind}", task.place
        )
        later = self.world.timetable.after
        later(min(5.0, delay / 2), lambda: self._move(task, "PROVISIONING", "PENDING"))
        release = task.release
        if self.world.zone_failing(task.zone) >= ZONE_GONE:
            later(constants.hung_start_s, lambda: self._fails_to_start(task, reasons.UNREACHABLE))
        elif release.start == "image-missing":
            later(delay, lambda: self._fails_to_start(task, reasons.image_missing(release.image)))
        elif release.start == "secret-missing":
            missing = value_from(self.world.setting, chance, self.name, MISSING_SECRET)
            later(delay, lambda: self._fails_to_start(task, reasons.secret_missing(missing)))
        elif release.start != "never-runs":
            later(delay + self.image_pull_s, lambda: self._runs(task))

    def _move(self, task: Task, before: str, after: str) -> None:
        if task.alive and task.status == before:
            task.status = after
            task.version += 1

    def _runs(self, task: Task) -> None:
        if not task.alive:
            return
        self.settle()
        task.status, task.started_s = "RUNNING", self.now
        task.version += 2
        release, constants = task.release, self.world.constants
        self._starts_failed = 0
        if release.start == "dies-at-start":
            self.world.timetable.after(constants.dies_at_start_s, lambda: self._dies(task, reasons.EXITED))
        else:
            task.target, task.target_reason = "initial", "Elb.InitialHealthChecking"
            task.next_check_s = self.now + self.check_s
        if release.lives_s is not None:
            self.world.timetable.after(release.lives_s * task.pace, lambda: self._dies(task, reasons.EXITED))
        self._watch_memory(task)
        self.changed()
        self.reconcile()

    def _watch_memory(self, task: Task) -> None:
        leak = self._leak(task)
        if leak > 0 and task.started_s is not None:
            full_s = max(self.now, task.started_s) + (100.0 - self.memory_of(task, self.now)) / leak
            self.world.timetable.at(full_s, lambda: self._dies(task, reasons.OUT_OF_MEMORY))

    def begin_leak(self, percent_per_s: float) -> None:
        """The release that runs now fills its memory from now on."""
        self.settle()
        release = self.primary.release
        release.leak_percent_per_s, release.leaks_from_s = percent_per_s, self.now
        release.bad = "memory-leak"
        for task in self.tasks:
            if task.running and task.release is release:
                self._watch_memory(task)

    def _dies(self, task: Task, stop: Stop) -> None:
        """A task ends by itself; the load balancer learns it when ECS deregisters the target."""
        if not task.alive:
            return
        self.settle()
        task.dead = True
        if stop is reasons.EXITED:
            self.logs.last_words(task)
        self._stop(task, stop)
        task.status = "DEACTIVATING"
        self.rollouts.count_failure(task)
        self.world.timetable.after(self.world.constants.crash_unseen_s, lambda: self._ended(task))
        self.changed()
        self.reconcile()

    def _fails_to_start(self, task: Task, stop: Stop) -> None:
        if not task.alive:
            return
        self._stop(task, stop)
        self._ended(task)
        self._starts_failed += 1
        self._throttle()
        self.rollouts.count_failure(task)
        self.reconcile()

    def _throttle(self) -> None:
        constants = self.world.constants
        beyond = self._starts_failed - int(constants.throttle_after)
        if beyond >= 0:
            pause = min(constants.throttle_most_s, constants.throttle_first_s * 2.0 ** (beyond // max(1, self.desired)))
            self._throttled_until_s = self.now + pause
            self.say(
                "is unable to consistently start tasks successfully. For more information, see the Troubleshooting "
                "section of the Amazon ECS Developer Guide."
            )
            self.world.timetable.after(pause, self.reconcile)

    def deregister(self, task: Task) -> None:
        """DeregisterTargets, by somebody: it drains, and goes on running.

        ECS keeps the targets of a service as they should be, and may register it once more.
        """
        if task.target in (None, "draining"):
            return
        self.settle()
        chance, entity = self.world.chance, f"{self.name}/reregisters"
        task.target, task.target_reason = "draining", "Target.DeregistrationInProgress"
        self.world.timetable.after(self.world.constants.deregistration_s, lambda: self._drained(task))
        if not task.reregistered and chance.share(entity, task.ordinal) < REREGISTERS:
            task.reregistered = True
            wait_s = chance.between(REREGISTERED_LOW_S, REREGISTERED_HIGH_S, f"{entity}/wait", task.ordinal)
            self.world.timetable.after(wait_s, lambda: self._registered(task))
        self.changed()

    def _drained(self, task: Task) -> None:
        if task.alive and task.target == "draining":
            self.settle()
            task.target, task.target_reason = None, None
            self.changed()

    def _registered(self, task: Task) -> None:
        if task.alive and task.running and task.target in (None, "draining"):
            self.settle()
            task.target, task.target_reason = "initial", "Elb.RegistrationInProgress"
            task.passed = task.missed = 0
            task.next_check_s = self.now + self.check_s
            self.changed()

    def stop_task(self, task: Task, reason: str) -> None:
        """StopTask, by somebody."""
        self._withdraw([task], reasons.by_user(reason))
        self.reconcile()

    def _stop(self, task: Task, stop: Stop) -> None:
        task.stopping_s = self.now
        task.stop_code, task.stopped_reason, task.exit_code, task.container_reason = (
            stop.code, stop.reason, stop.exit_code, stop.container_reason,
        )  # fmt: skip
        task.version += 1

    def _withdraw(self, tasks: Sequence[Task], stop: Stop) -> None:
        """Deregister, drain, and then end tasks: no request is lost."""
        if not tasks:
            return
        self.settle()
        constants = self.world.constants
        for task in tasks:
            drains = task.target not in (None, "draining")
            self._stop(task, stop)
            task.status = "DEACTIVATING" if task.running else "STOPPING"
            if drains:
                task.target, task.target_reason = "draining", "Target.DeregistrationInProgress"
            delay = (constants.deregistration_s if drains else 0.0) + constants.stop_s
            self.world.timetable.after(delay, lambda task=task: self._ended(task))  # type: ignore[misc]
        self.say(f"has stopped {len(tasks)} running tasks: {_named(tasks)}.")
        self.changed()

    def _ended(self, task: Task) -> None:
        if task.stopped_s is not None:
            return
        self.settle()
        task.status, task.stopped_s, task.target = "STOPPED", self.now, None
        task.version += 1
        self.tasks.remove(task)
        self.gone.append(task)
        self.world.task_stopped(self, task)
        self.changed()
        self.reconcile()

    def check_targets(self) -> None:
        """Run the health checks that are due."""
        now, changed = self.now, False
        checks = self.setting.health_check
        for task in self.tasks:
            if task.target is None or task.target == "draining" or task.next_check_s > now:
                continue
            task.next_check_s += self.check_s
            reason = self._missed(task)
            if reason is None:
                task.passed, task.missed = task.passed + 1, 0
            else:
                task.passed, task.missed = 0, task.missed + 1
            if task.target != "healthy" and task.passed >= checks.healthy:
                self.settle()
                task.target, task.target_reason, changed = "healthy", None, True
                task.condemned = False
                self._turned_healthy(task)
            elif task.target != "unhealthy" and task.missed >= checks.unhealthy:
                self.settle()
                task.target, task.target_reason, changed = "unhealthy", reason, True
                self.say(
                    f"(task {task.id}) (port {PORT}) is unhealthy in (target-group {self.target_group}) due to "
                    f"(reason {_HEALTH_WORDS.get(reason or '', 'Health checks failed')})"
                )
        if changed:
            self.changed()
        if self._condemn() or changed:
            self.reconcile()

    def _missed(self, task: Task) -> str | None:
        """Why the health check fails; None when it passes."""
        if task.unchecked or task.dead:
            return "Target.Timeout"
        if not task.release.checkable:
            return "Target.FailedHealthChecks"
        if self.world.zone_failing(task.zone) >= ZONE_GONE:
            return "Target.Timeout"
        if task.target == "healthy":
            bearable = self.world.constants.overload_unhealthy * task.release.conduct.capacity_rps
            if self.front.offered_rps > bearable:
                return "Target.Timeout"
        return None

    def _turned_healthy(self, task: Task) -> None:
        if task.first_healthy_s is None:
            task.first_healthy_s = self.now
            if task.deployment is self.primary:
                task.deployment.record.failures = 0
            self.say(f"registered 1 targets in (target-group {self.target_group})")

    def _condemn(self) -> bool:
        """Decide which unhealthy tasks ECS replaces: not before their grace period is over."""
        found = [
            task
            for task in self.tasks
            if task.target == "unhealthy"
            and task.alive
            and not task.condemned
            and task.started_s is not None
            and self.now >= task.started_s + self.grace_s
        ]
        for task in found:
            task.condemned = True
            self.rollouts.count_failure(task)
        return bool(found)

    def reconcile(self) -> None:
        """Bring the tasks nearer to what is wanted: start, replace, stop, and see whether a deployment is done.

        The desired count and the minimum and maximum percent bound it (ECS Developer Guide, "Rolling update
        deployments": the minimum is rounded up, the maximum down). An unhealthy task is replaced before it is stopped
        where the maximum leaves room.
        """
        if self.status != "ACTIVE":
            return
        primary, rollout = self.primary, self.setting.rollout
        most = max(floor(self.desired * rollout.maximum_percent / 100), 1 if self.desired else 0)
        least = ceil(self.desired * rollout.minimum_percent / 100)
        alive = [task for task in self.tasks if task.alive]
        mine = [task for task in alive if task.deployment is primary]
        old = [task for task in alive if task.deployment is not primary]
        good = [task for task in mine if not task.condemned]
        missing = self.desired - len(good)
        if missing > 0 and primary.rollout != "FAILED":
            self._start(min(missing, most - len(alive)))
        self._stop_surplus(mine, good, old, missing, room=most - len(alive), least=least)
        self._finish(primary)

    def _start(self, count: int) -> None:
        if count <= 0 or self.now < self._throttled_until_s:
            return
        if not self.world.has_capacity():
            self._no_capacity()
            return
        first = self._launched
        for _ in range(count):
            self._launch(self.primary)
        self._steady = False
        self.say(f"has started {count} tasks: {_named([t for t in self.tasks if t.ordinal >= first])}.")

    def _no_capacity(self) -> None:
        self.world.timetable.after(self.world.constants.placement_retry_s, self.reconcile)
        if self.now - self._unplaced_told_s < self.world.constants.placement_told_s:
            return
        self._unplaced_told_s = self.now
        self._steady = False
        self.say(
            "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
            "different availability zone."
        )
        self.world.ecs_event(
            self,
            "ECS Service Action",
            {
                "eventType": "ERROR",
                "eventName": "SERVICE_TASK_PLACEMENT_FAILURE",
                "clusterArn": self.cluster_arn,
                "reason": "RESOURCE:FARGATE",
            },
        )

    def _stop_surplus(
        self, mine: list[Task], good: list[Task], old: list[Task], missing: int, *, room: int, least: int
    ) -> None:
        blocked = missing > 0 and room <= 0
        leaving: list[Task] = []
        if self.primary.rollout != "FAILED":
            leaving += self._replaced(mine, good, old, blocked=blocked, least=least)
        if missing < 0:
            leaving += sorted(good, key=lambda task: (task.healthy, task.running, -task.ordinal))[:-missing]
        condemned = [task for task in mine if task.condemned]
        if old and self.rollouts.deploying:
            failed = condemned
        elif missing <= 0:
            replaced = sum(1 for task in good if task.healthy) - (self.desired - len(condemned))
            failed = condemned[: max(0, replaced)]
        else:
            failed = condemned[:1] if blocked else []
        self._withdraw(failed, reasons.unhealthy(self.target_group))
        self._withdraw(leaving, reasons.scaled(self.primary.id))
        if blocked and (leaving or failed):
            self.world.timetable.after(1.0, self.reconcile)
        elif blocked and old and all(task.running for task in (*mine, *old)) and self._stalled is not self.primary:
            self._stalled = self.primary
            self.say(
                "was unable to stop or start tasks during a deployment because of the service deployment "
                "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
            )

    @staticmethod
    def _replaced(mine: list[Task], good: list[Task], old: list[Task], *, blocked: bool, least: int) -> list[Task]:
        """Tasks of earlier deployments that may go: the unhealthy ones, and as many as the minimum can spare."""
        spare = sum(1 for task in (*mine, *old) if task.healthy) - least
        may_go = blocked or any(task.healthy for task in good)
        healthy = sorted((task for task in old if task.healthy), key=lambda task: task.ordinal)
        return [task for task in old if not task.healthy] + (healthy[: max(0, spare)] if may_go else [])

    def _finish(self, primary: Deployment) -> None:
        settled = [task for task in self.tasks if task.alive]
        done = len(settled) == self.desired and all(t.deployment is primary and t.healthy for t in settled)
        if not done:
            return
        if primary.rollout == IN_PROGRESS:
            self.rollouts.complete()
        if not self._steady and primary.rollout == "COMPLETED":
            self._steady = True
            self.say("has reached a steady state.")

    def begin_anew(self) -> None:
        """A deployment began: nothing is steady, and nothing that failed before slows it down."""
        self._starts_failed, self._throttled_until_s = 0, 0.0
        self._steady = False

    def set_desired(self, count: int) -> None:
        """Change the desired count: no deployment."""
        if count == self.desired:
            return
        self.settle()
        self.desired = self.primary.desired = count
        self.primary.updated_s = self.now
        self._steady = False
        self.reconcile()

    def say(self, text: str, *, at_s: float | None = None) -> None:
        """Add a service event message."""
        self._said += 1
        identifier = self.world.chance.token(f"{self.name}/event", self._said)
        self.events.appendleft((self.now if at_s is None else at_s, identifier, f"(service {self.name}) {text}"))


_HEALTH_WORDS = {"Target.Timeout": "Request timed out", "Target.FailedHealthChecks": "Health checks failed"}


def _named(tasks: Sequence[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
