"""The validation of a recovery: what is asked before an incident is resolved, and told with its end.

Health is what verify and assess have seen themselves. A synthetic check that fails holds a recovery back as an alarm
does that is not OK yet, until the deadline of the action. Everything else is only told: slow answers and a silenced
alarm are worth knowing, and no reason to keep an incident open.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TypeVar

from functions.domain.errors import ReadFailed
from functions.domain.evidence import ServiceFacts
from functions.domain.incidents import Fact, NewEvent
from functions.domain.permissions import Permission, Resource
from functions.domain.synthetic import EVERY_S, METRIC, NAMESPACE, dimensions
from functions.domain.validation import Finding, MonitoringFacts, Part, PartFacts, Validation
from functions.playbooks.schema import CheckAlarm, ExistingAlarm, NewAlarm, Playbook, Symptom
from functions.ports import Clock, Measure, MetricsReader, MonitoringReader, Points, ServiceReader
from functions.workflow.table import StepName

T = TypeVar("T")

NEEDS = (
    Permission(action="cloudwatch:GetMetricData", resource=Resource.ANY),
    Permission(action="cloudwatch:DescribeAlarms", resource=Resource.ANY),
    Permission(action="cloudwatch:ListAlarmMuteRules", resource=Resource.ANY),
    Permission(action="cloudwatch:GetDashboard", resource=Resource.DASHBOARD),
    Permission(action="elasticloadbalancing:DescribeTargetGroups", resource=Resource.ANY),
)

DEADLINE_S = 10.0
"""For everything that is read at a time: what is late is unknown, and the step ends long before its function has to."""

NEWEST_WITHIN = timedelta(seconds=4 * EVERY_S)
"""A result of a check that is older says nothing of now: one comes every minute."""
BEFORE = timedelta(minutes=30)
"""How long before the alarm a check may have been fine last, to be a measure of the recovery."""
PERIOD_S = 60
PERIODS = 3
"""Whole minutes over which response times are told: long enough for a percentile, too short for the trouble before."""
MEASURED_WITHIN = timedelta(seconds=(PERIODS + 2) * PERIOD_S)
"""A standard metric arrives up to a minute late."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The newest result of one synthetic check, as its metric has it."""

    name: str
    failed: bool | None
    """None where there is no newest result."""
    at: datetime | None = None
    was_fine: bool = False
    """It was fine at some time shortly before the trouble began: then a failure is one of this incident."""

    @property
    def holds_back(self) -> bool:
        return self.failed is True and self.was_fine

    def __str__(self) -> str:
        if self.failed is None or self.at is None:
            return f"check {self.name} has no result of the last {NEWEST_WITHIN.seconds // 60} minutes"
        if not self.failed:
            return f"check {self.name} was fine at {self.at:%H:%M} UTC"
        before = "" if self.was_fine else ", as it did before the incident"
        return f"check {self.name} failed at {self.at:%H:%M} UTC{before}"


@dataclass(frozen=True, kw_only=True)
class Validator:
    """Asks what is asked after a recovery. What cannot be read, or not in time, is unknown, and raises nothing."""

    reader: ServiceReader
    metrics: MetricsReader
    monitoring: MonitoringReader
    clock: Clock
    threads: Callable[[int], Executor]
    """Makes an executor that carries out so many reads side by side."""
    deadline_s: float = DEADLINE_S

    def failing(self, playbook: Playbook, *, began_at: datetime) -> Checked | None:
        """The first synthetic check that keeps the service from being recovered. `began_at`: when the trouble was first
        told of."""

        def read() -> Sequence[Checked]:
            try:
                return self._checks(playbook, began_at)
            except ReadFailed:
                return ()

        checked = self._in_time({Part.FUNCTIONAL: read}).get(Part.FUNCTIONAL, ())
        return next((each for each in checked if each.holds_back), None)

    def _checks(self, playbook: Playbook, began_at: datetime) -> tuple[Checked, ...]:
        """What each synthetic check of the playbook said last.

        The checks are made every minute anyway, by a function that alone may read their secrets: their results are
        read, and nothing is asked a second time.
        """
        now, checks = self.clock.now(), playbook.synthetic_checks
        if not checks:
            return ()
        measures = [_of_check(playbook, check) for check in checks]
        points = self.metrics.measured(measures, start=began_at - BEFORE, end=now)
        return tuple(
            _checked(check.check, results, began_at=began_at, now=now)
            for check, results in zip(checks, points, strict=True)
        )

    def __call__(
        self,
        playbook: Playbook,
        *,
        health: PartFacts,
        service: ServiceFacts | None,
        began_at: datetime,
    ) -> Validation:
        """All four parts; `health` is what the step has seen itself. `began_at`: when the trouble was first told of."""
        asked = {
            Part.FUNCTIONAL: lambda: self._functional(playbook, began_at),
            Part.PERFORMANCE: lambda: self._performance(playbook, service),
            Part.MONITORING: lambda: self._monitoring(playbook),
        }
        answered = self._in_time(asked)
        late = f"no answer within {self.deadline_s:g} s"
        rest = (answered.get(part) or _said(part, Finding.UNKNOWN, [late]) for part in asked)
        return Validation(parts=(health, *rest))

    def _in_time(self, reads: Mapping[Part, Callable[[], T]]) -> dict[Part, T]:
        """What was read within the deadline, side by side. A thread that hangs is left behind."""
        pool = self.threads(len(reads))
        try:
            running = {pool.submit(read): part for part, read in reads.items()}
            done, _ = wait(running, timeout=self.deadline_s)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return {running[future]: future.result() for future in done}

    def _functional(self, playbook: Playbook, began_at: datetime) -> PartFacts:
        try:
            checked = self._checks(playbook, began_at)
        except ReadFailed as error:
            return _said(Part.FUNCTIONAL, Finding.UNKNOWN, [str(error)])
        if not checked:
            return _said(Part.FUNCTIONAL, Finding.NOT_ASKED, ["the playbook has no alarm of the kind check"])
        failed = [str(each) for each in checked if each.failed]
        unknown = [str(each) for each in checked if each.failed is None]
        if failed or unknown:
            return _said(Part.FUNCTIONAL, Finding.FAILED if failed else Finding.UNKNOWN, [*failed, *unknown])
        return _said(Part.FUNCTIONAL, Finding.PASSED, map(str, checked))

    def _performance(self, playbook: Playbook, service: ServiceFacts | None) -> PartFacts:
        now = self.clock.now()
        limits = _limits(playbook)
        if service is None:
            return _said(Part.PERFORMANCE, Finding.UNKNOWN, ["the service could not be read"])
        try:
            front = self._front(playbook, service)
            if front is None:
                said = "no load balancer stands before the service, and nothing else measures its response times"
                return _said(Part.PERFORMANCE, Finding.NOT_ASKED, [said])
            measures = [_of_response_time(front, statistic) for statistic in limits]
            series = self.metrics.measured(measures, start=now - MEASURED_WITHIN, end=now)
        except ReadFailed as error:
            return _said(Part.PERFORMANCE, Finding.UNKNOWN, [str(error)])
        measured = {
            statistic: _recent(points, now=now) for statistic, points in zip(limits, series, strict=True)
        }  # fmt: skip
        return _timely(limits, measured)

    def _front(self, playbook: Playbook, service: ServiceFacts) -> Mapping[str, str] | None:
        """The dimensions of the response time: Application Load Balancers user guide, "CloudWatch metrics"."""
        groups = playbook.overrides.target_groups or service.target_groups
        if not groups:
            return None
        balancer = playbook.overrides.load_balancer or self.reader.load_balancer(groups[0])
        if balancer is None or ":loadbalancer/app/" not in balancer:
            return None
        return {
            "LoadBalancer": balancer.partition(":loadbalancer/")[2],
            "TargetGroup": groups[0].rpartition(":")[2],
        }

    def _monitoring(self, playbook: Playbook) -> PartFacts:
        if not playbook.alarms and playbook.dashboard_name is None:
            return _said(Part.MONITORING, Finding.NOT_ASKED, ["the playbook has neither alarms nor a dashboard"])
        try:
            facts = self.monitoring.monitoring(playbook.alarm_names, dashboard=playbook.dashboard_name)
        except ReadFailed as error:
            return _said(Part.MONITORING, Finding.UNKNOWN, [str(error)])
        lacking = [*_silent(playbook, facts)]
        if facts.dashboard is False:
            lacking.append(f"dashboard {playbook.dashboard_name} is not there")
        unread = [f"not read: {each}" for each in facts.unread]
        if lacking:
            return _said(Part.MONITORING, Finding.FAILED, [*lacking, *unread])
        if unread:
            return _said(Part.MONITORING, Finding.UNKNOWN, unread)
        there = f"{_count(len(playbook.alarms), 'alarm')} of the playbook there, on and not silenced"
        return _said(Part.MONITORING, Finding.PASSED, [there, *(["its dashboard, too"] if facts.dashboard else [])])


def healthy(reason: str, *, unread: Sequence[str] = ()) -> PartFacts:
    """The part that the step has seen itself; what it could not read is said."""
    if not unread:
        return _said(Part.HEALTH, Finding.PASSED, [reason])
    return _said(Part.HEALTH, Finding.UNKNOWN, [f"{reason}; {', '.join(unread)} could not be read"])


def validated(validation: Validation, *, actor: StepName) -> NewEvent:
    """The line of the trail."""
    return NewEvent(
        fact=Fact.RECOVERY_VALIDATED,
        actor=actor,
        summary=f"validated: {validation.summary}",
        data={"validation": validation.model_dump(mode="json")},
    )


def _of_check(playbook: Playbook, check: CheckAlarm) -> Measure:
    return Measure(
        namespace=NAMESPACE,
        metric=METRIC,
        dimensions=dimensions(playbook.ref, check.check),
        statistic="Maximum",
        period_s=EVERY_S,
    )


def _of_response_time(front: Mapping[str, str], statistic: str) -> Measure:
    return Measure(
        namespace="AWS/ApplicationELB",
        metric="TargetResponseTime",
        dimensions=front,
        statistic=statistic,
        period_s=PERIOD_S,
    )


def _checked(name: str, results: Points, *, began_at: datetime, now: datetime) -> Checked:
    was_fine = any(value == 0 for at, value in results if at < began_at)
    newest = results[-1] if results and now - results[-1][0] <= NEWEST_WITHIN else None
    if newest is None:
        return Checked(name=name, failed=None, was_fine=was_fine)
    return Checked(name=name, failed=newest[1] > 0, at=newest[0], was_fine=was_fine)


def _limits(playbook: Playbook) -> dict[str, float]:
    """The lowest limit in seconds of each statistic of the response time, by alarms and the playbook's `targets`."""
    limits = {"p95": playbook.targets.p95_s}
    for alarm in playbook.alarms:
        if isinstance(alarm, NewAlarm) and alarm.symptom is Symptom.RESPONSE_TIME:
            statistic = alarm.statistic or "Average"
            limits[statistic] = min(limits.get(statistic, alarm.threshold), alarm.threshold)
    return limits


def _recent(points: Points, *, now: datetime) -> float | None:
    whole = [value for at, value in points if at <= now - timedelta(seconds=PERIOD_S)]
    return median(whole[-PERIODS:]) if whole else None


def _timely(limits: Mapping[str, float], measured: Mapping[str, float | None]) -> PartFacts:
    slow: list[str] = []
    fine: list[str] = []
    silent: list[str] = []
    for statistic, limit in limits.items():
        value = measured[statistic]
        if value is None:
            silent.append(statistic)
        else:
            said = f"{statistic} {value:.2f} s over the last {PERIODS} minutes, limit {limit:g} s"
            (slow if value > limit else fine).append(said)
    unknown = [f"no request was answered lately, so that {' and '.join(silent)} is not known"] if silent else []
    if slow:
        return _said(Part.PERFORMANCE, Finding.FAILED, [*slow, *fine, *unknown])
    if unknown:
        return _said(Part.PERFORMANCE, Finding.UNKNOWN, [*unknown, *fine])
    return _said(Part.PERFORMANCE, Finding.PASSED, fine)


def _silent(playbook: Playbook, facts: MonitoringFacts) -> Iterable[str]:
    """Alarms that would tell nobody. An existing one may have no actions: EventBridge tells the responder of it, and
    whom else it tells is not for the responder to say."""
    for alarm in playbook.alarms:
        name = playbook.alarm_name(alarm)
        wiring = facts.alarms.get(name)
        if wiring is None:
            yield f"alarm {name} does not exist"
        elif not wiring.actions_enabled:
            yield f"alarm {name} has its actions disabled"
        elif not wiring.has_actions and not isinstance(alarm, ExistingAlarm):
            yield f"alarm {name} has no actions"
        if rules := facts.muted_by.get(name):
            yield f"alarm {name} is silenced by mute rule {', '.join(rules)}"


def _said(part: Part, finding: Finding, reasons: Iterable[str]) -> PartFacts:
    return PartFacts(part=part, finding=finding, reason="; ".join(reasons))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
