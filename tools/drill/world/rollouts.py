"""The deployments of a service: rolling updates, the native circuit breaker, alarms that guard them, and rollbacks.

Sources: Amazon ECS Developer Guide, "Rolling update deployments", "How the Amazon ECS deployment circuit breaker
detects failures", "How CloudWatch alarms detect Amazon ECS deployment failures", "View service history using Amazon ECS
service deployments"; API reference, StopServiceDeployment.
"""

from collections.abc import Iterable
from math import ceil
from typing import TYPE_CHECKING

from tools.drill.world.around import Around
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
from tools.drill.world.refusal import Refused
from tools.drill.world.secrets import value_from
from tools.drill.world.serving import Conduct

if TYPE_CHECKING:
    from tools.drill.world.service import Service

DAY_S = 86_400.0
ROLLED_OUT_S = 240.0
"""How long the deployments before the run took."""


class Rollouts:
    """What ECS keeps of a service's releases, and how one takes the place of another."""

    def __init__(self, service: "Service", world: Around) -> None:
        self._service, self._world = service, world
        self._prefix = f"arn:aws:ecs:{world.setting.region}:{world.setting.account}"
        self._named = 0
        self.conduct = Conduct(
            capacity_rps=world.chance.number(service.setting.capacity_rps, f"{service.name}/capacity"),
            latency_s=world.chance.number(service.setting.latency_s, f"{service.name}/latency"),
        )
        self.secrets = tuple(
            value_from(world.setting, world.chance, service.name, name) for name in service.setting.secrets
        )
        """`valueFrom` of what every release asks for."""
        self.releases: list[Release] = []
        self.revisions: list[Revision] = []
        self.records: list[ServiceDeployment] = []
        """Service deployments, oldest first."""
        self.deployments: list[Deployment] = []
        """Newest first, as DescribeServices has them."""
        self._begin()

    def _begin(self) -> None:
        """The releases before the run, each of which reached a steady state."""
        setting, name = self._service.setting, self._service.name
        current_s = -self._world.chance.number(setting.released_ago_s, f"{name}/released-ago")
        previous: Revision | None = None
        for place in range(setting.releases):
            at_s = current_s - (setting.releases - 1 - place) * 3 * DAY_S
            release = self.new_release(at_s=at_s)
            revision = self._new_revision(release, at_s=at_s)
            record = self._new_record(revision, source=previous, at_s=at_s)
            record.status, record.breaker = SUCCESSFUL, "MONITORING_COMPLETE" if self.breaks else "DISABLED"
            record.started_s = at_s + self._world.constants.deployment_pending_s
            record.finished_s = record.updated_s = at_s + ROLLED_OUT_S
            previous = revision
        assert previous is not None
        self.deployments = [
            Deployment(
                id=self._deployment_id(),
                revision=previous,
                record=self.records[-1],
                created_s=current_s,
                updated_s=current_s + ROLLED_OUT_S,
                desired=self._service.desired,
                rollout="COMPLETED",
                rollout_reason="ECS deployment completed.",
            )
        ]

    @property
    def _now(self) -> float:
        return self._world.timetable.now

    @property
    def primary(self) -> Deployment:
        """The deployment that is wanted."""
        return self.deployments[0]

    @property
    def deploying(self) -> bool:
        return self.primary.rollout == IN_PROGRESS

    @property
    def flight(self) -> ServiceDeployment | None:
        """The service deployment that is not finished."""
        record = self.primary.record
        return record if record.status in ONGOING else None

    @property
    def breaks(self) -> bool:
        return self._service.setting.rollout.circuit_breaker

    def new_release(self, *, at_s: float, conduct: Conduct | None = None) -> Release:
        """Register a task definition; by default one that is as good as any."""
        number = 40 + len(self.releases)
        release = Release(
            arn=f"{self._prefix}:task-definition/{self._service.name}:{number}",
            number=number,
            image=f"{self._world.setting.account}.dkr.ecr.{self._world.setting.region}.amazonaws.com/{self._service.name}:{number}",
            digest=f"sha256:{self._world.chance.token(f'{self._service.name}/digest', number, size=32)}",
            conduct=self.conduct if conduct is None else conduct,
            registered_s=at_s,
            cpu=self._service.setting.cpu,
            memory_mib=self._service.setting.memory_mib,
            secrets=self.secrets,
        )
        self.releases.append(release)
        return release

    def _new_revision(self, release: Release, *, at_s: float) -> Revision:
        cluster = self._world.setting.cluster
        revision = Revision(
            arn=f"{self._prefix}:service-revision/{cluster}/{self._service.name}/{self._number()}",
            release=release,
            created_s=at_s,
        )
        self.revisions.append(revision)
        return revision

    def _new_record(self, target: Revision, *, source: Revision | None, at_s: float) -> ServiceDeployment:
        cluster, constants = self._world.setting.cluster, self._world.constants
        least, most = int(constants.breaker_least), int(constants.breaker_most)
        record = ServiceDeployment(
            arn=f"{self._prefix}:service-deployment/{cluster}/{self._service.name}/"
            f"{self._world.chance.token(f'{self._service.name}/service-deployment', len(self.records), size=11)[:21]}",
            status=PENDING,
            created_s=at_s,
            updated_s=at_s,
            source=source,
            target=target,
            breaker="MONITORING" if self.breaks else "DISABLED",
            threshold=max(least, min(ceil(constants.breaker_share * self._service.desired), most)),
        )
        self.records.append(record)
        return record

    def _number(self) -> int:
        self._named += 1
        return int(self._world.chance.token(f"{self._service.name}/number", self._named, size=7), 16) + 10**18

    def _deployment_id(self) -> str:
        return f"ecs-svc/{self._number()}"

    def deploy(self, release: Release) -> Deployment:
        """A new deployment, as UpdateService starts it; one in flight is superseded."""
        self._service.settle()
        now, source = self._now, self._serving_revision()
        flight = self.flight
        if flight is not None:
            self._close(flight, STOPPED, reason="Superseded by another deployment.")
        revision = self._new_revision(release, at_s=now)
        record = self._new_record(revision, source=source, at_s=now)
        watched = self._service.setting.rollout.alarms
        # An alarm that is in ALARM when a deployment begins is not watched during it (ECS Developer Guide, "How
        # CloudWatch alarms detect Amazon ECS deployment failures").
        if not any(self._world.alarm_state(name) == "ALARM" for name in watched):
            record.alarms = watched
        deployment = self._place(revision, record)
        self._tell("SERVICE_DEPLOYMENT_IN_PROGRESS", "INFO", f"ECS deployment {deployment.id} in progress.")
        self._world.timetable.after(self._world.constants.deployment_pending_s, lambda: self._started(record))
        self._service.reconcile()
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
            deployment.updated_s = self._now
        made = Deployment(
            id=self._deployment_id(),
            revision=revision,
            record=record,
            created_s=self._now,
            updated_s=self._now,
            desired=self._service.desired,
        )
        made.rollout_reason = f"ECS deployment {made.id} in progress."
        self.deployments.insert(0, made)
        self._service.begin_anew()
        return made

    def _started(self, record: ServiceDeployment) -> None:
        if record.status == PENDING:
            record.status, record.started_s, record.updated_s = (
                IN_PROGRESS,
                self._now,
                self._now,
            )

    def complete(self) -> None:
        """All tasks are those of the primary deployment, and healthy: it is done, once its alarms were watched."""
        primary = self.primary
        record = primary.record
        if record.alarms and record.status in (PENDING, IN_PROGRESS):
            # ECS goes on watching the alarms for a bake time; how long, it derives from the alarms and does not say.
            if primary.baked_s is None:
                primary.baked_s = self._now + self._bake_s(record.alarms)
                self._world.timetable.at(primary.baked_s, self._service.reconcile)
            if self._now < primary.baked_s:
                return
        primary.rollout, primary.rollout_reason = "COMPLETED", "ECS deployment completed."
        primary.updated_s = self._now
        self.deployments = [primary]
        rolled_back = record.rollback_started_s is not None
        self._close(record, ROLLBACK_SUCCESSFUL if rolled_back else SUCCESSFUL)
        self._tell("SERVICE_DEPLOYMENT_COMPLETED", "INFO", f"ECS deployment {primary.id} completed.")

    def _bake_s(self, alarms: Iterable[str]) -> float:
        windows = [
            alarm.period_s * alarm.evaluation_periods
            for service in self._world.setting.services
            for alarm in service.alarms
            if alarm.name in alarms
        ]
        return float(max(windows, default=0))

    def _close(self, record: ServiceDeployment, status: str, *, reason: str | None = None) -> None:
        record.status, record.finished_s, record.updated_s = (
            status,
            self._now,
            self._now,
        )
        record.reason = reason or record.reason
        if record.breaker == "MONITORING":
            record.breaker = "MONITORING_COMPLETE"

    def count_failure(self, task: Task) -> None:
        deployment = task.deployment
        deployment.failed += 1
        deployment.updated_s = self._now
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
        self._service.say(f"(deployment {deployment.id}) deployment failed: {reason.partition(': ')[2]}")
        if record.rollback_started_s is not None:
            self._close(record, ROLLBACK_FAILED, reason=reason)
        elif self._service.setting.rollout.rollback:
            self._request_rollback(record, why)
        else:
            self._close(record, STOPPED, reason=reason)

    def _request_rollback(self, record: ServiceDeployment, why: str) -> None:
        record.status, record.updated_s = ROLLBACK_REQUESTED, self._now
        record.rollback_reason = why
        self._world.timetable.after(self._world.constants.stop_request_s, lambda: self._roll_back(record))

    def _roll_back(self, record: ServiceDeployment) -> None:
        if record.status != ROLLBACK_REQUESTED:
            return
        self._service.settle()
        source = record.source
        if source is None:
            self._close(record, ROLLBACK_FAILED, reason="There is no service revision to roll back to.")
            return
        record.status, record.rollback_to = ROLLBACK_IN_PROGRESS, source
        record.rollback_started_s = record.updated_s = self._now
        record.failures = 0
        kept = next((d for d in self.deployments if d.revision is source), None)
        made = self._place(source, record)
        made.rollout_reason = f"{record.rollback_reason}: rolling back to deploymentId {made.id}."
        if kept is not None:
            # The tasks of the release that comes back stay: they are what it wants to run.
            for task in self._service.tasks:
                if task.deployment is kept:
                    task.deployment = made
            self.deployments.remove(kept)
        self._service.say(f"rolling back to deployment {made.id}.")
        self._service.reconcile()

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
            record.status, record.updated_s = STOP_REQUESTED, self._now
            self._world.timetable.after(self._world.constants.stop_request_s, lambda: self._abort(record))
            return
        self._request_rollback(record, "Service deployment rolled back because of a user request")

    def _abort(self, record: ServiceDeployment) -> None:
        if record.status == STOP_REQUESTED:
            self._close(record, STOPPED, reason="Stopped by a user.")
            self.primary.rollout, self.primary.rollout_reason = "FAILED", "ECS deployment stopped by a user."

    def _tell(self, name: str, level: str, reason: str) -> None:
        detail = {"eventType": level, "eventName": name, "deploymentId": self.primary.id, "reason": reason}
        self._world.ecs_event(self._service, "ECS Deployment State Change", detail)
        self._world.happened("ecs", f"{self._service.name}: {name}: {reason}")
