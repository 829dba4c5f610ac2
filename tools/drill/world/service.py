"""One ECS service: its deployments, its tasks, the load balancer in front of it and the requests it serves.

Sources: Amazon ECS Developer Guide, "Rolling update deployments", "How the Amazon ECS deployment circuit breaker
detects failures", "How CloudWatch alarms detect Amazon ECS deployment failures", "Service throttle logic", "Service
event messages"; Elastic Load Balancing User Guide, "Health checks for Application Load Balancer target groups".
"""

from collections import deque
from collections.abc import Iterable, Sequence
from math import ceil, floor

from tools.drill.world import reasons
from tools.drill.world.around import Around
from tools.drill.world.front import Front
from tools.drill.world.parts import (
    IN_PROGRESS,
    ONGOING,
    PENDING,
    ROLLBACK_FAILED,
    ROLLBACK_IN_PROGRESS,
    ROLLBACK_REQUESTED,
    ROLLBACK_SUCCESSFUL,
    STOP_REQUESTED,
    STOPPED,
    SUCCESSFUL,
    Deployment,
    Release,
    Revision,
    ServiceDeployment,
    Task,
)
from tools.drill.world.reasons import Stop
from tools.drill.world.refusal import Refused
from tools.drill.world.serving import Conduct
from tools.drill.world.setting import Service as ServiceSetting

EVENTS_KEPT = 100
"""Service events that DescribeServices answers with (ECS API reference)."""

PORT = 8080
DAY_S = 86_400.0


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
        self.memory_percent = chance.number(setting.memory_percent, f"{self.name}/memory")
        self.image_pull_s = chance.number(setting.image_pull_s, f"{self.name}/image-pull")
        check = setting.health_check
        self.check_s = chance.number(check.interval_s, f"{self.name}/check-interval")
        self.grace_s = chance.number(check.grace_s, f"{self.name}/grace")
        self.conduct = Conduct(
            capacity_rps=chance.number(setting.capacity_rps, f"{self.name}/capacity"),
            latency_s=chance.number(setting.latency_s, f"{self.name}/latency"),
        )
        self.tasks: list[Task] = []
        self.gone: deque[Task] = deque(maxlen=200)
        """Stopped tasks, oldest first."""
        self.events: deque[tuple[float, str, str]] = deque(maxlen=EVENTS_KEPT)
        """Time, id and message, newest first."""
        self.releases: list[Release] = []
        self.revisions: list[Revision] = []
        self.records: list[ServiceDeployment] = []
        """Service deployments, oldest first."""
        self.deployments: list[Deployment] = []
        """Newest first, as DescribeServices has them."""
        self._launched = self._named = self._said = 0
        self._starts_failed = 0
        self._throttled_until_s = 0.0
        self._unplaced_told_s = float("-inf")
        self._steady = True
        self._stalled: Deployment | None = None
        """The deployment of which it was told that its bounds leave no room."""
        self.front = Front(self, world)
        self._begin()

    # What was there before the run.

    def _begin(self) -> None:
        current_s = -self.world.chance.number(self.setting.released_ago_s, f"{self.name}/released-ago")
        previous: Revision | None = None
        for place in range(self.setting.releases):
            at_s = current_s - (self.setting.releases - 1 - place) * 3 * DAY_S
            release = self.new_release(at_s=at_s)
            revision = self._new_revision(release, at_s=at_s)
            record = self._new_record(revision, source=previous, at_s=at_s)
            record.status, record.breaker = SUCCESSFUL, "MONITORING_COMPLETE" if self.breaks else "DISABLED"
            record.started_s = at_s + self.world.constants.deployment_pending_s
            record.finished_s = record.updated_s = at_s + 240.0
            previous = revision
        assert previous is not None
        self.deployments = [
            Deployment(
                id=self._deployment_id(),
                revision=previous,
                record=self.records[-1],
                created_s=current_s,
                updated_s=current_s + 240.0,
                desired=self.desired,
                rollout="COMPLETED",
                rollout_reason="ECS deployment completed.",
            )
        ]
        for _ in range(self.desired):
            task = self._new_task(self.primary, at_s=current_s)
            task.status, task.started_s = "RUNNING", current_s + 60.0
            task.target, task.first_healthy_s = "healthy", current_s + 120.0
            task.next_check_s = self.world.chance.between(0, self.check_s, f"{self.name}/first-check", task.ordinal)
        self.front.remember()
        self.say("has reached a steady state.", at_s=-1800.0)

    def new_release(self, *, at_s: float, conduct: Conduct | None = None) -> Release:
        """Register a task definition; by default one that is as good as any."""
        number = 40 + len(self.releases)
        release = Release(
            arn=f"{self._ecs}:task-definition/{self.name}:{number}",
            number=number,
            image=f"{self.world.setting.account}.dkr.ecr.{self.world.setting.region}.amazonaws.com/{self.name}:{number}",
            digest=f"sha256:{self.world.chance.token(f'{self.name}/digest', number, size=32)}",
            conduct=self.conduct if conduct is None else conduct,
            registered_s=at_s,
        )
        self.releases.append(release)
        return release

    def _new_revision(self, release: Release, *, at_s: float) -> Revision:
        cluster = self.world.setting.cluster
        revision = Revision(
            arn=f"{self._ecs}:service-revision/{cluster}/{self.name}/{self._number()}", release=release, created_s=at_s
        )
        self.revisions.append(revision)
        return revision

    def _new_record(self, target: Revision, *, source: Revision | None, at_s: float) -> ServiceDeployment:
        cluster, constants = self.world.setting.cluster, self.world.constants
        least, most = int(constants.breaker_least), int(constants.breaker_most)
        record = ServiceDeployment(
            arn=f"{self._ecs}:service-deployment/{cluster}/{self.name}/"
            f"{self.world.chance.token(f'{self.name}/service-deployment', len(self.records), size=11)[:21]}",
            status=PENDING,
            created_s=at_s,
            updated_s=at_s,
            source=source,
            target=target,
            breaker="MONITORING" if self.breaks else "DISABLED",
            threshold=max(least, min(ceil(constants.breaker_share * self.desired), most)),
        )
        self.records.append(record)
        return record

    def _number(self) -> int:
        self._named += 1
        return int(self.world.chance.token(f"{self.name}/number", self._named, size=7), 16) + 10**18

    def _deployment_id(self) -> str:
        return f"ecs-svc/{self._number()}"

    # What it is.

    @property
    def breaks(self) -> bool:
        return self.setting.rollout.circuit_breaker

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def now(self) -> float:
        return self.world.timetable.now

    def running(self, deployment: Deployment | None = None) -> int:
        return sum(1 for t in self.tasks if t.running and (deployment is None or t.deployment is deployment))

    def pending(self, deployment: Deployment | None = None) -> int:
        return sum(
            1 for t in self.tasks if t.alive and not t.running and (deployment is None or t.deployment is deployment)
        )

    @property
    def deploying(self) -> bool:
        return self.primary.rollout == IN_PROGRESS

    @property
    def flight(self) -> ServiceDeployment | None:
        """The service deployment that is not finished."""
        record = self.primary.record
        return record if record.status in ONGOING else None

    # What users feel.

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
        since = max(task.started_s, task.release.leaks_from_s)
        return self.memory_percent + self._leak(task) * (at_s - since)

    @staticmethod
    def _leak(task: Task) -> float:
        return task.release.leak_percent_per_s / task.pace

    # Tasks.

    def _new_task(self, deployment: Deployment, *, at_s: float) -> Task:
        ordinal = self._launched
        self._launched += 1
        identifier = self.world.chance.token(f"{self.name}/task", ordinal)
        task = Task(
            ordinal=ordinal,
            id=identifier,
            arn=f"{self._ecs}:task/{self.world.setting.cluster}/{identifier}",
            deployment=deployment,
            zone=self._emptiest_zone(),
            created_s=at_s,
            pace=1.0
            + self.world.constants.life_spread * (2 * self.world.chance.share(f"{self.name}/pace", ordinal) - 1),
        )
        self.tasks.append(task)
        return task

    def _emptiest_zone(self) -> str:
        """ECS spreads the tasks of a service over its zones (Developer Guide, "Availability Zone rebalancing")."""
        count = dict.fromkeys((f"{self.world.setting.region}{'abcdef'[n]}" for n in range(self.world.setting.zones)), 0)
        for task in self.tasks:
            if task.alive:
                count[task.zone] += 1
        return min(count, key=lambda zone: (count[zone], zone))

    def _launch(self, deployment: Deployment) -> None:
        constants, chance = self.world.constants, self.world.chance
        task = self._new_task(deployment, at_s=self.now)
        delay = self.world.launch_delay_s() + chance.between(
            constants.task_start_low_s, constants.task_start_high_s, f"{self.name}/start", task.ordinal
        )
        later = self.world.timetable.after
        later(min(5.0, delay / 2), lambda: self._move(task, "PROVISIONING", "PENDING"))
        release = task.release
        if self.world.zone_failing(task.zone) > 0:
            later(constants.hung_start_s, lambda: self._fails_to_start(task, reasons.UNREACHABLE))
        elif release.start == "image-missing":
            later(delay, lambda: self._fails_to_start(task, reasons.image_missing(release.image)))
        elif release.start == "secret-missing":
            missing = reasons.secret_missing(self.world.setting.region, self.world.setting.account)
            later(delay, lambda: self._fails_to_start(task, missing))
        else:
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
        self._stop(task, stop)
        task.status = "DEACTIVATING"
        self._count_failure(task)
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
        self._count_failure(task)
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
            drains = task.target is not None
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
        self.changed()
        self.reconcile()

    # Health.

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
        if self.world.zone_failing(task.zone) >= 0.5:
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
            self._count_failure(task)
        return bool(found)

    # The scheduler.

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
        if old and self.deploying:
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
            self._complete(primary)
        if not self._steady and primary.rollout == "COMPLETED":
            self._steady = True
            self.say("has reached a steady state.")

    # Deployments.

    def deploy(self, release: Release) -> Deployment:
        """A new deployment, as UpdateService starts it; one in flight is superseded."""
        self.settle()
        now, source = self.now, self._serving_revision()
        flight = self.flight
        if flight is not None:
            self._close(flight, STOPPED, reason="Superseded by another deployment.")
        revision = self._new_revision(release, at_s=now)
        record = self._new_record(revision, source=source, at_s=now)
        watched = self.setting.rollout.alarms
        # An alarm that is in ALARM when a deployment begins is not watched during it (ECS Developer Guide, "How
        # CloudWatch alarms detect Amazon ECS deployment failures").
        if not any(self.world.alarm_state(name) == "ALARM" for name in watched):
            record.alarms = watched
        deployment = self._place(revision, record)
        self._tell("SERVICE_DEPLOYMENT_IN_PROGRESS", "INFO", f"ECS deployment {deployment.id} in progress.")
        self.world.timetable.after(self.world.constants.deployment_pending_s, lambda: self._started(record))
        self.reconcile()
        return deployment

    def _serving_revision(self) -> Revision | None:
        """What a rollback goes back to: the newest that reached a steady state."""
        for record in reversed(self.records):
            if record.status == SUCCESSFUL:
                return record.target
            if record.status == ROLLBACK_SUCCESSFUL and record.rollback_to is not None:
                return record.rollback_to
        return None

    def _place(self, revision: Revision, record: ServiceDeployment) -> Deployment:
        for deployment in self.deployments:
            deployment.status, deployment.desired = "ACTIVE", 0
            deployment.updated_s = self.now
        made = Deployment(
            id=self._deployment_id(),
            revision=revision,
            record=record,
            created_s=self.now,
            updated_s=self.now,
            desired=self.desired,
        )
        made.rollout_reason = f"ECS deployment {made.id} in progress."
        self.deployments.insert(0, made)
        self._starts_failed, self._throttled_until_s = 0, 0.0
        self._steady = False
        return made

    def _started(self, record: ServiceDeployment) -> None:
        if record.status == PENDING:
            record.status, record.started_s, record.updated_s = IN_PROGRESS, self.now, self.now

    def _complete(self, primary: Deployment) -> None:
        record = primary.record
        if record.alarms and record.status in (PENDING, IN_PROGRESS):
            # ECS goes on watching the alarms for a bake time; how long, it derives from the alarms and does not say.
            if primary.baked_s is None:
                primary.baked_s = self.now + self._bake_s(record.alarms)
                self.world.timetable.at(primary.baked_s, self.reconcile)
            if self.now < primary.baked_s:
                return
        primary.rollout, primary.rollout_reason = "COMPLETED", "ECS deployment completed."
        primary.updated_s = self.now
        self.deployments = [primary]
        rolled_back = record.rollback_started_s is not None
        self._close(record, ROLLBACK_SUCCESSFUL if rolled_back else SUCCESSFUL)
        self._tell("SERVICE_DEPLOYMENT_COMPLETED", "INFO", f"ECS deployment {primary.id} completed.")

    def _bake_s(self, alarms: Iterable[str]) -> float:
        windows = [
            alarm.period_s * alarm.evaluation_periods
            for service in self.world.setting.services
            for alarm in service.alarms
            if alarm.name in alarms
        ]
        return float(max(windows, default=0))

    def _close(self, record: ServiceDeployment, status: str, *, reason: str | None = None) -> None:
        record.status, record.finished_s, record.updated_s = status, self.now, self.now
        record.reason = reason or record.reason
        if record.breaker == "MONITORING":
            record.breaker = "MONITORING_COMPLETE"

    def _count_failure(self, task: Task) -> None:
        deployment = task.deployment
        deployment.failed += 1
        deployment.updated_s = self.now
        record = deployment.record
        if deployment is not self.primary or not self.deploying:
            return
        record.failures += 1
        watching = record.breaker == "MONITORING" or record.status == ROLLBACK_IN_PROGRESS
        if self.breaks and record.failures >= record.threshold and watching:
            record.breaker = "TRIGGERED"
            reason = "tasks failed to start" if task.first_healthy_s is None else "tasks failed to stay up"
            self._fail(deployment, f"ECS deployment circuit breaker: {reason}.", "Circuit breaker triggered")

    def alarm_went_off(self, name: str) -> None:
        """An alarm entered ALARM: a deployment that is watched by it fails."""
        record = self.primary.record
        if self.deploying and name in record.alarms and record.rollback_started_s is None:
            record.triggered = (name,)
            self._fail(self.primary, "ECS deployment failed: alarm detected.", "Alarm triggered")

    def _fail(self, deployment: Deployment, reason: str, why: str) -> None:
        record = deployment.record
        deployment.rollout, deployment.rollout_reason = "FAILED", reason
        self._tell("SERVICE_DEPLOYMENT_FAILED", "ERROR", reason)
        self.say(f"(deployment {deployment.id}) deployment failed: {reason.partition(': ')[2]}")
        if record.rollback_started_s is not None:
            self._close(record, ROLLBACK_FAILED, reason=reason)
        elif self.setting.rollout.rollback:
            self._request_rollback(record, why)
        else:
            self._close(record, STOPPED, reason=reason)

    def _request_rollback(self, record: ServiceDeployment, why: str) -> None:
        record.status, record.updated_s = ROLLBACK_REQUESTED, self.now
        record.rollback_reason = why
        self.world.timetable.after(self.world.constants.stop_request_s, lambda: self._roll_back(record))

    def _roll_back(self, record: ServiceDeployment) -> None:
        if record.status != ROLLBACK_REQUESTED:
            return
        self.settle()
        source = record.source
        if source is None:
            self._close(record, ROLLBACK_FAILED, reason="There is no service revision to roll back to.")
            return
        record.status, record.rollback_to = ROLLBACK_IN_PROGRESS, source
        record.rollback_started_s = record.updated_s = self.now
        record.failures = 0
        kept = next((d for d in self.deployments if d.revision is source), None)
        made = self._place(source, record)
        made.rollout_reason = f"{record.rollback_reason}: rolling back to deploymentId {made.id}."
        if kept is not None:
            # The tasks of the release that comes back stay: they are what it wants to run.
            for task in self.tasks:
                if task.deployment is kept:
                    task.deployment = made
            self.deployments.remove(kept)
        self.say(f"rolling back to deployment {made.id}.")
        self.reconcile()

    def stop_deployment(self, record: ServiceDeployment, stop_type: str) -> None:
        """StopServiceDeployment.

        Raises:
            Refused: if it is finished already.
        """
        if record.status not in ONGOING:
            raise Refused("ConflictException", f"The service deployment is {record.status} and cannot be stopped.")
        if record.status in (ROLLBACK_REQUESTED, ROLLBACK_IN_PROGRESS):
            return
        if stop_type == "ABORT":
            record.status, record.updated_s = STOP_REQUESTED, self.now
            self.world.timetable.after(self.world.constants.stop_request_s, lambda: self._abort(record))
            return
        self._request_rollback(record, "Service deployment rolled back because of a user request")

    def _abort(self, record: ServiceDeployment) -> None:
        if record.status == STOP_REQUESTED:
            self._close(record, STOPPED, reason="Stopped by a user.")
            self.primary.rollout, self.primary.rollout_reason = "FAILED", "ECS deployment stopped by a user."

    def set_desired(self, count: int) -> None:
        """Change the desired count: no deployment."""
        if count == self.desired:
            return
        self.settle()
        self.desired = self.primary.desired = count
        self.primary.updated_s = self.now
        self._steady = False
        self.reconcile()

    # What it says.

    def say(self, text: str, *, at_s: float | None = None) -> None:
        """Add a service event message."""
        self._said += 1
        identifier = self.world.chance.token(f"{self.name}/event", self._said)
        self.events.appendleft((self.now if at_s is None else at_s, identifier, f"(service {self.name}) {text}"))

    def _tell(self, name: str, level: str, reason: str) -> None:
        detail = {"eventType": level, "eventName": name, "deploymentId": self.primary.id, "reason": reason}
        self.world.ecs_event(self, "ECS Deployment State Change", detail)
        self.world.happened("ecs", f"{self.name}: {name}: {reason}")


_HEALTH_WORDS = {"Target.Timeout": "Request timed out", "Target.FailedHealthChecks": "Health checks failed"}


def _named(tasks: Sequence[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
