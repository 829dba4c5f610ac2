"""Signs: what the findings show, in the words the rules use. Every threshold of the ranking stands here, once."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from functions.domain.dependencies import DependenciesFacts
from functions.domain.evidence import (
    AlarmFacts,
    AlarmsFacts,
    Findings,
    Metric,
    MetricsFacts,
    ReleasesFacts,
    ScalingFacts,
    ServiceFacts,
    TasksFacts,
    short,
)
from functions.domain.signals import AlarmState

T = TypeVar("T")

RELEASE_IS_NEW = timedelta(hours=1)
"""A release that came longer before the trouble is no longer the first suspect."""

CURE_TAKES = timedelta(minutes=20)
"""How long before the alarm a deployment may have begun to count as somebody's answer to the trouble."""

ERRORS_MATTER = 0.02
"""Share of failed requests from which users are said to feel it."""
ERRORS_ROSE = 3.0
SLOW_S = 0.5
SLOWED = 2.0
LOAD_ROSE = 1.3
REQUESTS_KEPT_COMING = 0.6
CPU_HIGH = 75.0
CPU_ROSE = 1.3
CPU_COLLAPSED = 0.4
CPU_WORTH_COMPARING = 5.0

SELF_STOPPED = frozenset({"EssentialContainerExited", "TaskFailedToStart"})
"""Stop codes of tasks that nobody asked to stop (ECS API reference: Task `stopCode`)."""


class Signs:
    """A view on findings. What is asked of a reading that is unknown shows no sign.

    The typed properties (`service`, `releases`, ...) may only be used by a rule that requires that reading, or after
    asking whether it is known.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    @property
    def service(self) -> ServiceFacts:
        return _given(self._findings.service.value)

    @property
    def releases(self) -> ReleasesFacts:
        return _given(self._findings.releases.value)

    @property
    def tasks(self) -> TasksFacts:
        return _given(self._findings.tasks.value)

    @property
    def scaling(self) -> ScalingFacts:
        return _given(self._findings.scaling.value)

    @property
    def dependencies(self) -> DependenciesFacts:
        return _given(self._findings.dependencies.value)

    @property
    def dependencies_known(self) -> bool:
        return self._findings.dependencies.known

    @property
    def alarming(self) -> tuple[AlarmFacts, ...]:
        alarms: AlarmsFacts | None = self._findings.alarms.value
        return () if alarms is None else tuple(a for a in alarms.alarms if a.state is AlarmState.ALARM)

    @property
    def _metrics(self) -> MetricsFacts | None:
        return self._findings.metrics.value

    def _now(self, metric: Metric) -> float | None:
        return None if self._metrics is None else self._metrics.now(metric)

    def _before(self, metric: Metric) -> float | None:
        return None if self._metrics is None else self._metrics.before(metric)

    @staticmethod
    def _share(requests: float | None, *errors: float | None) -> float | None:
        """Failed requests among all. A count without data means that none was counted, once requests were."""
        failed = sum(e for e in errors if e is not None)
        if requests is None or requests <= 0:
            return 1.0 if failed > 0 else None
        return min(1.0, failed / requests)

    @cached_property
    def error_share_now(self) -> float | None:
        return self._share(self._now(Metric.REQUESTS), self._now(Metric.TARGET_5XX), self._now(Metric.ELB_5XX))

    @cached_property
    def error_share_before(self) -> float | None:
        return self._share(self._before(Metric.REQUESTS), self._before(Metric.TARGET_5XX), self._before(Metric.ELB_5XX))

    @cached_property
    def trouble_came_first(self) -> bool:
        """Users felt it before the newest deployment began: that deployment is no cause, and may be the cure."""
        metrics = self._metrics
        if metrics is None:
            return False
        share = self._share(
            metrics.preceding(Metric.REQUESTS), metrics.preceding(Metric.TARGET_5XX), metrics.preceding(Metric.ELB_5XX)
        )
        failed = share is not None and share >= ERRORS_MATTER and _rose(share, self.error_share_before, ERRORS_ROSE)
        latency = metrics.preceding(Metric.LATENCY)
        slow = latency is not None and latency >= SLOW_S and _rose(latency, self._before(Metric.LATENCY), SLOWED)
        return failed or slow

    @cached_property
    def failing(self) -> bool:
        """Users get errors that they did not get before; without a before, errors that matter are enough."""
        now, before = self.error_share_now, self.error_share_before
        return now is not None and now >= ERRORS_MATTER and _rose(now, before, ERRORS_ROSE)

    @cached_property
    def slow(self) -> bool:
        now, before = self._now(Metric.LATENCY), self._before(Metric.LATENCY)
        return now is not None and now >= SLOW_S and _rose(now, before, SLOWED)

    @cached_property
    def hosts_missing(self) -> bool:
        """Fewer healthy targets than before, or none at all."""
        now, before = self._now(Metric.HEALTHY_HOSTS), self._before(Metric.HEALTHY_HOSTS)
        return now is not None and (now == 0 or (before is not None and now < 0.75 * before))

    @cached_property
    def breaching(self) -> tuple[AlarmFacts, ...]:
        """Alarms in ALARM whose own metric breaches right now: a symptom by itself, and often the first to show."""
        return tuple(alarm for alarm in self.alarming if alarm.breaching_now)

    @cached_property
    def unwell(self) -> bool:
        return self.failing or self.slow or self.hosts_missing or bool(self.breaching)

    @cached_property
    def symptoms(self) -> tuple[str, ...]:
        """What users feel, one sentence each, with the numbers."""
        said = []
        if self.failing and self.error_share_now is not None:
            before = self.error_share_before
            usual = "unknown before" if before is None else f"{before:.1%} before"
            said.append(f"{self.error_share_now:.1%} of requests fail ({usual})")
        if self.slow:
            before = self._before(Metric.LATENCY)
            usual = "unknown before" if before is None else f"{before:.2f} s before"
            said.append(f"responses take {self._now(Metric.LATENCY):.2f} s ({usual})")
        if self.hosts_missing:
            before = self._before(Metric.HEALTHY_HOSTS)
            usual = "unknown before" if before is None else f"{before:g} before"
            said.append(f"{self._now(Metric.HEALTHY_HOSTS):g} healthy targets ({usual})")
        said += [f"the metric of alarm {alarm.name} breaches" for alarm in self.breaching]
        return tuple(said)

    @cached_property
    def load_ratio(self) -> float | None:
        now, before = self._now(Metric.REQUESTS), self._before(Metric.REQUESTS)
        return None if now is None or before is None or before <= 0 else now / before

    @cached_property
    def load_up(self) -> bool:
        return self.load_ratio is not None and self.load_ratio >= LOAD_ROSE

    @property
    def load(self) -> str:
        now, before = self._now(Metric.REQUESTS) or 0.0, self._before(Metric.REQUESTS) or 0.0
        return f"{now:.1f} requests/s against {before:.1f} before"

    @property
    def cpu_now(self) -> float:
        return self._now(Metric.CPU) or 0.0

    @property
    def cpu_before(self) -> float:
        return self._before(Metric.CPU) or 0.0

    @property
    def cpu_high(self) -> bool:
        return self.cpu_now >= CPU_HIGH

    @property
    def cpu_up(self) -> bool:
        return self.cpu_before > 0 and self.cpu_now >= CPU_ROSE * self.cpu_before

    @cached_property
    def cpu_collapsed(self) -> bool:
        """The CPU fell although requests kept coming: the tasks do not work on them."""
        now = self._now(Metric.CPU)
        kept_coming = self.load_ratio is not None and self.load_ratio >= REQUESTS_KEPT_COMING
        return (
            now is not None
            and self.cpu_before >= CPU_WORTH_COMPARING
            and now <= CPU_COLLAPSED * self.cpu_before
            and kept_coming
        )

    @cached_property
    def at_ceiling(self) -> bool:
        scaling, service = self._findings.scaling.value, self._findings.service.value
        return scaling is not None and service is not None and scaling.registered and service.desired >= scaling.maximum

    @cached_property
    def is_new_release(self) -> bool:
        """Whether another task definition began to run within the hour before the trouble was noticed, not after."""
        releases = self._findings.releases.value
        if releases is None or releases.returned or not self._another_ran_before(releases):
            return False
        return not self.trouble_came_first and self._within(releases.current_since, RELEASE_IS_NEW)

    @cached_property
    def may_be_a_cure(self) -> bool:
        """Whether a deployment began while there was trouble already, before the alarm: somebody acted on it."""
        service = self._findings.service.value
        if service is None or service.primary is None or not self.trouble_came_first:
            return False
        return self._within(service.primary.created_at, CURE_TAKES)

    def _within(self, moment: datetime, lookback: timedelta) -> bool:
        """Before the trouble was noticed, but not longer before than that."""
        noticed = min((a.since for a in self.alarming), default=self._findings.looked_at)
        return noticed - lookback <= moment <= noticed

    @property
    def may_be_new_release(self) -> bool:
        """The same, where releases that could not be read count as new ones."""
        return not self._findings.releases.known or self.is_new_release

    @staticmethod
    def _another_ran_before(releases: ReleasesFacts) -> bool:
        """The first release of a service has nobody before it, and no way back."""
        ran = {r.task_definition for r in releases.history} | {r.task_definition for r in releases.revisions}
        return bool(ran - {releases.current})

    @property
    def release_age(self) -> str:
        minutes = (self._findings.looked_at - self.releases.current_since).total_seconds() / 60
        return f"release {short(self.releases.current)} came {minutes:.0f} minutes ago, before the trouble"

    def crashes(self, within: timedelta) -> int:
        """Tasks of the current release that stopped by themselves lately."""
        tasks, service = self._findings.tasks.value, self._findings.service.value
        if tasks is None or service is None or service.primary is None:
            return 0
        current = service.primary.task_definition
        return sum(
            1
            for task in tasks.stopped
            if task.stop_code in SELF_STOPPED
            and task.task_definition == current
            and task.stopped_at is not None
            and task.stopped_at >= self._findings.looked_at - within
        )


def _given(value: T | None) -> T:
    if value is None:
        raise LookupError("a rule asked for a reading that it does not require")
    return value


def _rose(now: float, before: float | None, factor: float) -> bool:
    """Whether it is clearly more than usual; without a usual, any is."""
    return before is None or now >= factor * before
