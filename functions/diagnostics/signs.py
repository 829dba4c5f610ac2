"""Signs: what the findings show, in the words the rules use."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from functions.diagnostics.complaints import Complaint, complaint_in, complaints
from functions.diagnostics.costs import task_usd_per_day
from functions.diagnostics.crashes import looping, self_stopped
from functions.diagnostics.network import timed_out, ways_to_tasks
from functions.diagnostics.thresholds import (
    AFTERMATH,
    COMPLAINTS_AGREE,
    COMPLAINTS_TELL,
    CPU_BEARABLE,
    CPU_COLLAPSED,
    CPU_HIGH,
    CPU_ROSE,
    CPU_WASTED,
    CPU_WORTH_COMPARING,
    CURE_SHOWS,
    CURE_TAKES,
    ERRORS_CLEAR,
    ERRORS_MATTER,
    ERRORS_ROSE,
    HARDLY_OLDER,
    LATELY,
    LOAD_FLOODS,
    LOAD_ROSE,
    LOCKED_OUT_WITHIN,
    MEMORY_FULL,
    MEMORY_RISES,
    MEMORY_STEP,
    MEMORY_TIGHT,
    NO_CAPACITY,
    REQUESTS_KEPT_COMING,
    SAID_LATELY,
    SLOW_CLEAR_S,
    SLOW_S,
    SLOWED,
    STALLED_AFTER,
    TASKS_ROSE,
    WORSE,
)
from functions.domain.circumstances import (
    AlarmHistoryFacts,
    FrontFacts,
    HealthFacts,
    LogsFacts,
    SecretFacts,
    StackFacts,
)
from functions.domain.costs import BudgetFacts
from functions.domain.dependencies import DependenciesFacts
from functions.domain.evidence import (
    AlarmFacts,
    AlarmsFacts,
    Metric,
    MetricsFacts,
    ReleasesFacts,
    ReleaseState,
    ScalingFacts,
    ServiceFacts,
    TargetsFacts,
    TaskFacts,
    TasksFacts,
    short,
)
from functions.domain.findings import Findings
from functions.domain.mutes import flapping
from functions.domain.releases import RELEASE_IS_NEW
from functions.domain.signals import HEALTH_CHECK_FAILED, STOPPED_BY_SCHEDULER, AlarmState
from functions.domain.threats import ThreatFacts
from functions.domain.words import counted

T = TypeVar("T")


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
    def releases_known(self) -> bool:
        return self._findings.releases.known

    @property
    def targets(self) -> TargetsFacts:
        return _given(self._findings.targets.value)

    @property
    def front(self) -> FrontFacts | None:
        return self._findings.front.value

    @property
    def logs(self) -> LogsFacts | None:
        return self._findings.logs.value

    @property
    def history(self) -> AlarmHistoryFacts | None:
        return self._findings.history.value

    @property
    def stack(self) -> StackFacts | None:
        return self._findings.stack.value

    @property
    def health(self) -> HealthFacts | None:
        return self._findings.health.value

    @property
    def findings(self) -> Findings:
        return self._findings

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

    def _latest(self, metric: Metric) -> float | None:
        return None if self._metrics is None else self._metrics.latest(metric)

    def _preceding(self, metric: Metric) -> float | None:
        return None if self._metrics is None else self._metrics.preceding(metric)

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
    def error_share_latest(self) -> float | None:
        return self._share(self._latest(Metric.REQUESTS), self._latest(Metric.TARGET_5XX), self._latest(Metric.ELB_5XX))

    @cached_property
    def error_share_most(self) -> float | None:
        """In the window or in its newest period, whichever is higher; None where no requests are known of."""
        return max((s for s in (self.error_share_now, self.error_share_latest) if s is not None), default=None)

    @cached_property
    def failed_requests(self) -> float:
        """How many failed in the window."""
        seconds = 0 if self._metrics is None else self._metrics.now_s
        return seconds * sum(_most(self._now(m), self._latest(m)) for m in (Metric.TARGET_5XX, Metric.ELB_5XX))

    @cached_property
    def latency_most(self) -> float | None:
        """Seconds, in the window or in its newest period, whichever is higher."""
        known = (self._now(Metric.LATENCY), self._latest(Metric.LATENCY))
        return max((seconds for seconds in known if seconds is not None), default=None)

    @cached_property
    def error_share_preceding(self) -> float | None:
        """Just before the newest deployment began."""
        return self._share(*(self._preceding(m) for m in (Metric.REQUESTS, Metric.TARGET_5XX, Metric.ELB_5XX)))

    @cached_property
    def trouble_came_first(self) -> bool:
        """Users felt it before the newest deployment began: that deployment is no cause, and may be the cure."""
        share = self.error_share_preceding
        failed = share is not None and share >= ERRORS_MATTER and _rose(share, self.error_share_before, ERRORS_ROSE)
        latency = self._preceding(Metric.LATENCY)
        slow = latency is not None and latency >= SLOW_S and _rose(latency, self._before(Metric.LATENCY), SLOWED)
        return failed or slow

    @cached_property
    def made_worse(self) -> bool:
        """Whether far more requests fail than just before the newest deployment, and the code itself says why: then the
        trouble before was another one."""
        if self._latest(Metric.REQUESTS) is None:
            return False
        share = self.error_share_preceding
        least = min(_least(self.error_share_now), _least(self.error_share_latest))
        own = (Complaint.OTHER, Complaint.SCHEMA, Complaint.DENIED, Complaint.AUTHENTICATION)
        return share is not None and least >= ERRORS_CLEAR and least >= WORSE * share and self.complaining(*own)

    @cached_property
    def failing(self) -> bool:
        """Users get errors that they did not get before; without a before, errors that matter are enough."""
        now, latest, before = self.error_share_now, self.error_share_latest, self.error_share_before
        lately = latest is not None and latest >= ERRORS_CLEAR and _rose(latest, before, ERRORS_ROSE)
        return lately or (now is not None and now >= ERRORS_MATTER and _rose(now, before, ERRORS_ROSE))

    @cached_property
    def slow(self) -> bool:
        now, latest, before = self._now(Metric.LATENCY), self._latest(Metric.LATENCY), self._before(Metric.LATENCY)
        lately = latest is not None and latest >= SLOW_CLEAR_S and _rose(latest, before, SLOWED)
        return lately or (now is not None and now >= SLOW_S and _rose(now, before, SLOWED))

    @cached_property
    def hosts_missing(self) -> bool:
        """Fewer healthy targets than before, or none at all."""
        now, before = self._now(Metric.HEALTHY_HOSTS), self._before(Metric.HEALTHY_HOSTS)
        return now is not None and (now == 0 or (before is not None and now < 0.75 * before))

    @cached_property
    def easing(self) -> bool:
        """Whether the newest whole period shows nothing of the trouble any more; False where it is not known."""
        share, latency, hosts = (
            self.error_share_latest,
            self._latest(Metric.LATENCY),
            self._latest(Metric.HEALTHY_HOSTS),
        )
        if share is None or latency is None:
            return False
        before = self._before(Metric.HEALTHY_HOSTS)
        fails = share >= ERRORS_MATTER and _rose(share, self.error_share_before, ERRORS_ROSE)
        slow = latency >= SLOW_S and _rose(latency, self._before(Metric.LATENCY), SLOWED)
        missing = hosts is None or (before is not None and hosts < 0.75 * before)
        return not fails and not slow and not missing

    @cached_property
    def goes_on(self) -> bool:
        """Whether users feel it in the newest whole period, too, as far as anybody knows."""
        return (self.failing or self.slow) and not self.easing

    @cached_property
    def unhealthy_targets(self) -> int:
        """How many targets fail their health check, by the load balancer itself."""
        targets = self._findings.targets.value
        return 0 if targets is None else sum(1 for target in targets.targets if target.state == "unhealthy")

    @cached_property
    def breaching(self) -> tuple[AlarmFacts, ...]:
        """Alarms in ALARM whose own metric breaches right now: a symptom by itself, and often the first to show. What
        many tasks cost is none: users feel nothing of it."""
        alarms = self._findings.alarms.value
        of_cost = () if alarms is None else alarms.of_cost
        return tuple(alarm for alarm in self.alarming if alarm.breaching_now and alarm.name not in of_cost)

    @cached_property
    def unwell(self) -> bool:
        return self.failing or self.slow or self.hosts_missing or bool(self.breaching)

    @cached_property
    def felt(self) -> bool:
        """Users feel it: fewer healthy targets alone are no loss to them while some are left."""
        return self.failing or self.slow or bool(self.breaching) or self._now(Metric.HEALTHY_HOSTS) == 0

    @cached_property
    def symptoms(self) -> tuple[str, ...]:
        """What users feel, one sentence each, with the numbers."""
        said = []
        if self.failing:
            before = self.error_share_before
            usual = "unknown before" if before is None else f"{before:.1%} before"
            said.append(f"{_most(self.error_share_now, self.error_share_latest):.1%} of requests fail ({usual})")
        if self.slow:
            before = self._before(Metric.LATENCY)
            usual = "unknown before" if before is None else f"{before:.2f} s before"
            took = _most(self._now(Metric.LATENCY), self._latest(Metric.LATENCY))
            said.append(f"responses take {took:.2f} s ({usual})")
        if self.hosts_missing:
            before = self._before(Metric.HEALTHY_HOSTS)
            usual = "unknown before" if before is None else f"{before:g} before"
            said.append(f"{self._now(Metric.HEALTHY_HOSTS):g} healthy targets ({usual})")
        said += [
            f"the metric of alarm {alarm.name} breaches" + (f": {alarm.demands}" if alarm.demands else "")
            for alarm in self.breaching
        ]
        return (*said, *self.timeouts)

    @cached_property
    def timeouts(self) -> tuple[str, ...]:
        """Targets that answer no health check in time. Without more load the network is a suspect, and what the
        security groups say of it comes with it."""
        late = timed_out(self._findings)
        if not late:
            return ()
        count = f"{len(late)} target{'' if len(late) == 1 else 's'}"
        said = f"{count} of the load balancer timed out on the health check"
        if self._metrics is not None and not self.load_up and not self.cpu_high:
            said += ", without more load: tasks that hang, or the network between them"
        return (said, *ways_to_tasks(self._findings))

    @cached_property
    def load_ratio(self) -> float | None:
        now, before = self._now(Metric.REQUESTS), self._before(Metric.REQUESTS)
        return None if now is None or before is None or before <= 0 else now / before

    @cached_property
    def _latest_load_ratio(self) -> float | None:
        latest, before = self._latest(Metric.REQUESTS), self._before(Metric.REQUESTS)
        return None if latest is None or before is None or before <= 0 else latest / before

    @cached_property
    def load_up(self) -> bool:
        return any(ratio is not None and ratio >= LOAD_ROSE for ratio in (self.load_ratio, self._latest_load_ratio))

    @cached_property
    def flooded(self) -> bool:
        return any(ratio is not None and ratio >= LOAD_FLOODS for ratio in (self.load_ratio, self._latest_load_ratio))

    @property
    def load(self) -> str:
        before = self._before(Metric.REQUESTS) or 0.0
        now = _most(self._now(Metric.REQUESTS), self._latest(Metric.REQUESTS))
        return f"{now:.1f} requests/s against {before:.1f} before"

    @property
    def cpu_now(self) -> float:
        """Percent, in the window or in its newest period, whichever is higher."""
        return _most(self._now(Metric.CPU), self._latest(Metric.CPU))

    @property
    def cpu_least(self) -> float | None:
        """Percent, in the window or in its newest period, whichever is lower; None where it is not known."""
        known = [cpu for cpu in (self._now(Metric.CPU), self._latest(Metric.CPU)) if cpu is not None]
        return min(known, default=None)

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
        least = self.cpu_least
        kept_coming = self.load_ratio is not None and self.load_ratio >= REQUESTS_KEPT_COMING
        return (
            least is not None
            and self.cpu_before >= CPU_WORTH_COMPARING
            and least <= CPU_COLLAPSED * self.cpu_before
            and kept_coming
        )

    @cached_property
    def memory_full(self) -> bool:
        """Memory of the tasks is nearly used up, and was not before."""
        now, before = self._now(Metric.MEMORY), self._before(Metric.MEMORY)
        return now is not None and now >= MEMORY_FULL and (before is None or before < MEMORY_FULL)

    @cached_property
    def memory_climbs(self) -> bool:
        """Memory is far above the usual and still rises, period by period: it will be full soon."""
        now, latest, before = self._now(Metric.MEMORY), self._latest(Metric.MEMORY), self._before(Metric.MEMORY)
        if now is None or latest is None or before is None:
            return False
        return latest >= max(MEMORY_TIGHT, before + MEMORY_RISES) and latest - now >= MEMORY_STEP

    @cached_property
    def leaks(self) -> bool:
        """The memory of a new release climbs that was never watched to be good."""
        return self.memory_climbs and self.unproven and self.is_new_release

    @property
    def memory(self) -> str:
        before = self._before(Metric.MEMORY)
        usual = "unknown before" if before is None else f"{before:.0f} % before"
        return f"memory is at {_most(self._now(Metric.MEMORY), self._latest(Metric.MEMORY)):.0f} % ({usual})"

    @property
    def as_held(self) -> bool:
        """No more tasks are wanted than a lease of the responder's own keeps running: it knows why they are there."""
        service, held = self._findings.service.value, None if self._budget is None else self._budget.held
        return service is not None and held is not None and service.desired <= held

    @cached_property
    def crowded(self) -> bool:
        """Far more tasks run than before, for no more load, and they idle."""
        tasks, before = self._now(Metric.TASKS), self._before(Metric.TASKS)
        service, cpu = self._findings.service.value, self._now(Metric.CPU)
        if service is None or before is None or before <= 0 or cpu is None or self.load_ratio is None:
            return False
        many = max(service.desired, tasks or 0.0) >= TASKS_ROSE * before
        return many and not self.load_up and cpu <= min(CPU_WASTED, max(self.cpu_before, CPU_WORTH_COMPARING))

    @property
    def wasteful(self) -> bool:
        """So many tasks, and no lease of the responder's own that keeps them."""
        return self.crowded and not self.as_held

    @property
    def _budget(self) -> BudgetFacts | None:
        return self._findings.budget.value

    @cached_property
    def over_budget(self) -> str | None:
        """How far the tasks that are wanted go beyond the playbook's budget; None within it, or where nobody knows."""
        budget, service = self._budget, self._findings.service.value
        if budget is None or service is None or budget.allowed is None or service.desired <= budget.allowed:
            return None
        return f"{service.desired} tasks are wanted, and the budget of {budget.text} allows {budget.allowed}"

    @cached_property
    def idle(self) -> bool:
        """More tasks than before idle, for no more load and no lease: those that ran before carried it."""
        tasks, before = self._now(Metric.TASKS), self._before(Metric.TASKS)
        service = self._findings.service.value
        if service is None or before is None or self._now(Metric.CPU) is None or self.load_ratio is None:
            return False
        more = max(service.desired, tasks or 0.0) > before and not self.as_held
        return more and not self.load_up and self.cpu_now <= CPU_WASTED

    @cached_property
    def costly(self) -> bool:
        """A signal spoke of money, and the service's own state does not refute it."""
        budget = self._budget
        if budget is None or not budget.told:
            return False
        return self.wasteful or self.over_budget is not None or budget.unclear

    @cached_property
    def threats(self) -> tuple[ThreatFacts, ...]:
        """Findings that nobody has put away, the gravest first."""
        facts = self._findings.threats.value
        open_ones = () if facts is None else (threat for threat in facts.threats if not threat.archived)
        return tuple(sorted(open_ones, key=lambda threat: -threat.severity))

    @property
    def threats_unread(self) -> bool:
        """A finding was told of, and GuardDuty did not say more; one that was never asked for has no error."""
        return self._findings.threats.error is not None

    @property
    def waste(self) -> str:
        before, service = self._before(Metric.TASKS) or 0.0, self.service
        return f"{service.desired} tasks are wanted against {before:.0f} before, at {self.cpu_now:.0f} % CPU"

    @cached_property
    def at_ceiling(self) -> bool:
        scaling, service = self._findings.scaling.value, self._findings.service.value
        return scaling is not None and service is not None and scaling.registered and service.desired >= scaling.maximum

    @cached_property
    def beyond_ceiling(self) -> bool:
        """Whether the load is more than the tasks that the scalable target allows could carry, all of them together."""
        scaling, tasks, ratio = self._findings.scaling.value, self._before(Metric.TASKS), self.load_ratio
        if scaling is None or not scaling.registered or scaling.maximum <= 0 or tasks is None or ratio is None:
            return False
        now = max(ratio, self._latest_load_ratio or 0.0)
        return self.cpu_before * now * tasks / scaling.maximum > CPU_BEARABLE

    @cached_property
    def is_new_release(self) -> bool:
        """Whether another task definition began to run within the hour before the trouble was noticed, not after."""
        releases = self._findings.releases.value
        if releases is None or releases.returned or not self._another_ran_before(releases):
            return False
        innocent = self.trouble_came_first and not self.made_worse
        return not innocent and self._within(releases.current_since, RELEASE_IS_NEW)

    @cached_property
    def may_be_a_cure(self) -> bool:
        """Whether somebody's answer to the trouble is being rolled out, or was so lately that it cannot show yet.

        That is a deployment that began while there was trouble already, or one that replaced a release just rolled out.
        """
        service = self._findings.service.value
        releases = self._findings.releases.value
        if service is None or service.primary is None or (releases is not None and releases.deployed_by_us):
            return False
        began = service.primary.created_at
        if not self._within(began, CURE_TAKES):
            return False
        ended = self._rolled_out_at
        still_open = ended is None or self._findings.looked_at - ended < CURE_SHOWS
        return still_open and ((self.trouble_came_first and not self.made_worse) or self._replaced_at_once)

    @cached_property
    def _rolled_out_at(self) -> datetime | None:
        """When the newest deployment came to its end; None while it has not."""
        service, releases = self._findings.service.value, self._findings.releases.value
        primary = None if service is None else service.primary
        if primary is None or primary.rollout_state not in (None, "COMPLETED"):
            return None
        records = () if releases is None else releases.service_deployments
        finished = next((r.finished_at for r in records if abs(r.created_at - primary.created_at) < _SAME), None)
        return finished or primary.updated_at or primary.created_at

    @cached_property
    def _replaced_at_once(self) -> bool:
        """Whether the release before the newest one had hardly been rolled out when it was replaced."""
        releases, service = self._findings.releases.value, self._findings.service.value
        if releases is None or service is None or service.primary is None:
            return False
        began, by_arn = service.primary.created_at, {r.arn: r.task_definition for r in releases.revisions}
        for record in releases.service_deployments:
            ran = by_arn.get(record.target_revision or "")
            if ran is None or ran == releases.current or record.created_at >= began:
                continue
            return began - (record.finished_at or record.created_at) < HARDLY_OLDER
        return False

    def _within(self, moment: datetime, lookback: timedelta) -> bool:
        """Before the trouble was noticed, but not longer before than that."""
        noticed = min((a.since for a in self.alarming), default=self._findings.looked_at)
        return noticed - lookback <= moment <= noticed

    @cached_property
    def unproven(self) -> bool:
        """Whether the release that runs was never watched to be good."""
        releases = self._findings.releases.value
        if releases is None:
            return False
        mine = next((r for r in releases.history if r.task_definition == releases.current), None)
        return mine is None or mine.state is not ReleaseState.GOOD

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
        ago = counted(round(minutes), "minute")
        return f"release {short(self.releases.current)} came {ago} ago, before the trouble"

    def stopped(self, within: timedelta) -> tuple[TaskFacts, ...]:
        """Tasks of the current release that stopped by themselves lately."""
        tasks, service = self._findings.tasks.value, self._findings.service.value
        if tasks is None or service is None:
            return ()
        return self_stopped(service, tasks, now=self._findings.looked_at, within=within)

    def crashes(self, within: timedelta) -> int:
        """How many tasks of the current release stopped by themselves lately."""
        return len(self.stopped(within))

    def loops(self, *, since: datetime | None) -> tuple[TaskFacts, ...]:
        """Tasks that make a crash loop (`functions/diagnostics/crashes.py`). Empty where that is not known."""
        tasks, service = self._findings.tasks.value, self._findings.service.value
        if tasks is None or service is None:
            return ()
        return looping(service, tasks, now=self._findings.looked_at, since=since)

    def stopped_because(self, within: timedelta, *words: str) -> tuple[str, ...]:
        """Reasons of tasks that stopped by themselves lately and named one of these words."""
        return tuple(
            reason
            for task in self.stopped(within)
            if (reason := next((r for r in _reasons(task) if any(w.lower() in r.lower() for w in words)), None))
        )

    def events_say(self, within: timedelta, *words: str) -> str | None:
        """The newest service event of late that has one of these words."""
        service = self._findings.service.value
        if service is None:
            return None
        oldest = self._findings.looked_at - within
        lately = (event.message for event in service.events if event.at >= oldest)
        return next((text for text in lately if any(word.lower() in text.lower() for word in words)), None)

    @cached_property
    def _complaints(self) -> dict[Complaint, int]:
        return {} if self.logs is None else dict(complaints(self.logs))

    def complaining(self, *about: Complaint) -> bool:
        """Whether most error lines since the trouble began are about this. Logs that could not be read say nothing."""
        total = sum(self._complaints.values())
        count = sum(self._complaints.get(complaint, 0) for complaint in about)
        return total >= COMPLAINTS_TELL and count >= COMPLAINTS_AGREE * total

    def complaint(self, *about: Complaint) -> str:
        """What most error lines say, with a sample."""
        total = sum(self._complaints.values())
        count = sum(self._complaints.get(complaint, 0) for complaint in about)
        patterns = () if self.logs is None else self.logs.patterns
        wanted = (pattern for pattern in patterns if complaint_in(pattern) in about)
        sample = next((pattern.sample or pattern.pattern for pattern in wanted), "")
        return f"{count} of {total} error lines since the trouble began are like: {sample}"

    @cached_property
    def stalled(self) -> bool:
        """A deployment of which no task runs although none failed: it hangs."""
        service = self._findings.service.value
        primary = None if service is None else service.primary
        if service is None or primary is None or primary.rollout_state != "IN_PROGRESS":
            return False
        old = self._findings.looked_at - primary.created_at >= STALLED_AFTER
        return old and self.nothing_runs and len(service.deployments) > 1

    @cached_property
    def nothing_runs(self) -> bool:
        """No task of the newest deployment runs, and none failed: what users feel is not what these tasks do."""
        service = self._findings.service.value
        primary = None if service is None else service.primary
        if primary is None:
            return False
        return primary.running == 0 and primary.failed == 0 and not self.rejected(LATELY)

    def rejected(self, within: timedelta) -> int:
        """How many tasks of the current release stopped by themselves, or were stopped because they were unhealthy."""
        tasks, service = self._findings.tasks.value, self._findings.service.value
        if tasks is None or service is None or service.primary is None:
            return 0
        unhealthy = sum(
            1
            for task in tasks.stopped
            if task.task_definition == service.primary.task_definition
            and task.stop_code == STOPPED_BY_SCHEDULER
            and task.stopped_reason.startswith(HEALTH_CHECK_FAILED)
            and task.stopped_at is not None
            and task.stopped_at >= self._findings.looked_at - within
        )
        return self.crashes(within) + unhealthy

    @cached_property
    def no_capacity(self) -> str | None:
        """What ECS said lately of tasks for which there is no capacity."""
        return self.events_say(SAID_LATELY, *NO_CAPACITY)

    @cached_property
    def _secrets_changed(self) -> tuple[SecretFacts, ...]:
        """Secrets of the task definition that were changed after the oldest task that runs had read them."""
        secrets, tasks = self._findings.secrets.value, self._findings.tasks.value
        started = [] if tasks is None else [task.started_at for task in tasks.running if task.started_at is not None]
        if secrets is None or not started:
            return ()
        return tuple(s for s in secrets.secrets if s.changed_at is not None and s.changed_at > min(started))

    @cached_property
    def changed_secrets(self) -> tuple[str, ...]:
        """The same, one sentence each."""
        return tuple(
            f"{secret.name} was changed at {secret.changed_at:%H:%M:%S}, after tasks had read it"
            for secret in self._secrets_changed
        )

    @cached_property
    def locked_out(self) -> bool:
        """Whether a secret was changed a moment ago under tasks that run, and error lines say that credentials are
        refused. Logs tell it within seconds, metrics within minutes. A deployment under way brings fresh tasks anyway.
        """
        service, lately = self._findings.service.value, self._findings.looked_at - LOCKED_OUT_WITHIN
        return (
            service is not None
            and len(service.deployments) == 1
            and any(s.exists and s.changed_at is not None and s.changed_at >= lately for s in self._secrets_changed)
            and self.complaining(Complaint.AUTHENTICATION)
        )

    @cached_property
    def cost(self) -> tuple[str, ...]:
        """What the tasks that are wanted cost a day, by the list price of Fargate."""
        definition, service = self._findings.definition.value, self._findings.service.value
        each = None if definition is None else task_usd_per_day(definition)
        if service is None or each is None:
            return ()
        return (f"{service.desired} tasks cost about {service.desired * each:.0f} USD a day",)

    @cached_property
    def flaps(self) -> bool:
        """Every alarm that is in ALARM went off several times lately, for a short while only, and by itself."""
        if self.history is None or not self.alarming:
            return False
        return all(flapping(alarm, self.history, now=self._findings.looked_at) for alarm in self.alarming)

    @cached_property
    def aftermath(self) -> str | None:
        """What is back for a while, without the service having recovered from its absence."""
        return self._back(lambda since: since >= AFTERMATH)

    @cached_property
    def just_back(self) -> str | None:
        """What is back so lately that its clients may yet connect again by themselves."""
        return None if self.aftermath is not None else self._back(lambda since: since < AFTERMATH)

    def _back(self, lately: Callable[[timedelta], bool]) -> str | None:
        facts = self._findings.dependencies.value
        if facts is None or facts.troubled:
            return None
        for dependency in facts.dependencies:
            if dependency.back_since is not None and lately(self._findings.looked_at - dependency.back_since):
                return f"dependency {dependency.name} is back since {dependency.back_since:%H:%M:%S}"
        return None


_SAME = timedelta(seconds=30)
"""A deployment and its record are made by one call, and tell its time each for itself."""


def _reasons(task: TaskFacts) -> Iterable[str]:
    return (task.stopped_reason, *task.container_reasons)


def _least(value: float | None) -> float:
    """What is not known counts as nothing."""
    return 0.0 if value is None else value


def _most(*values: float | None) -> float:
    return max((value for value in values if value is not None), default=0.0)


def _given(value: T | None) -> T:
    if value is None:
        raise LookupError("a rule asked for a reading that it does not require")
    return value


def _rose(now: float, before: float | None, factor: float) -> bool:
    """Whether it is clearly more than usual; without a usual, any is."""
    return before is None or now >= factor * before
