"""How the things that a playbook names are doing: the dependencies of the service, and the checks of a new release.

What has metrics is judged period by period, and is in trouble when it was in trouble in most of the newest ones. What
nobody measured, and what could not be read, is unknown, never fine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never

from functions.diagnostics.gauges import Gauge, Trouble, gauge_of
from functions.domain.dependencies import DependencyFacts, DependencyState
from functions.domain.errors import ReadFailed
from functions.domain.evidence import AlarmFacts
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.domain.watched import (
    Watched,
    WatchedAlarm,
    WatchedDatabase,
    WatchedService,
    WatchedUrl,
)
from functions.ports import HealthReaders, Points

LOOKBACK = timedelta(hours=3)
"""How far back metrics are read, to know what is usual."""
USUAL_ENDS = timedelta(minutes=15)
"""What is younger than this is not part of what is usual."""
FEWEST_USUAL = 5
"""With fewer data points nothing is known of what is usual."""
BACK_WITHIN = timedelta(hours=1)
"""How long something that came back is said to be back."""
LATE_PERIODS = 2
"""A standard metric arrives up to a minute late, and the last period of all still runs."""
WINDOW, NEEDED = 3, 2
"""In trouble: in so many of the newest periods. Of longer periods than a minute, one is enough."""

_GRAVEST = (DependencyState.FAILING, DependencyState.THROTTLED, DependencyState.SLOW)

# DB instance status (Amazon RDS User Guide, "Viewing Amazon RDS DB instance status"): these answer, those do not. A
# status in neither set, such as one that AWS adds later, says nothing.
_ANSWERS = frozenset(
    {
        "available",
        "backing-up",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "converting-to-vpc",
        "delete-precheck",
        "modifying",
        "moving-to-vpc",
        "resetting-master-credentials",
        "storage-config-upgrade",
        "storage-initialization",
        "storage-optimization",
    }
)
_DOES_NOT_ANSWER = frozenset(
    {
        "backtracking",
        "creating",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-create",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "maintenance",
        "rebooting",
        "renaming",
        "restore-error",
        "starting",
        "stopped",
        "stopping",
        "storage-full",
        "upgrading",
    }
)


@dataclass(frozen=True)
class Watcher:
    """Reads what a playbook names, of whatever kind; it raises nothing."""

    readers: HealthReaders

    def __call__(self, ref: ServiceRef, watched: Sequence[Watched], *, now: datetime) -> tuple[DependencyFacts, ...]:
        """One entry for each, in the order given. What cannot be read is unknown, with the reason."""
        if not watched:
            return ()
        with self.readers.threads(len(watched) + 2) as pool:
            alarms = pool.submit(self._alarms, [each for each in watched if isinstance(each, WatchedAlarm)], now)
            gauged = pool.submit(self._gauged, watched, now)
            asked = {
                each.name: pool.submit(self._asked, ref, each)
                for each in watched
                if isinstance(each, WatchedDatabase | WatchedService | WatchedUrl)
            }
            known = {**gauged.result(), **alarms.result()}
            return tuple(
                _together(known.get(each.name), asked[each.name].result() if each.name in asked else None)
                for each in watched
            )

    def _alarms(self, watched: Sequence[WatchedAlarm], now: datetime) -> dict[str, DependencyFacts]:
        try:
            alarms = {alarm.name: alarm for alarm in self.readers.metrics.alarms([each.alarm for each in watched])}
        except ReadFailed as error:
            return {each.name: _unknown(each, str(error)) for each in watched}
        facts = {}
        for each in watched:
            alarm, back_since = alarms.get(each.alarm), None
            if alarm is None:
                state, detail = DependencyState.UNKNOWN, f"alarm {each.alarm} does not exist"
            elif alarm.state is AlarmState.ALARM:
                state, detail = DependencyState.FAILING, f"alarm {each.alarm} is ALARM: {alarm.reason}"
            elif alarm.breaching_now:
                state, detail = DependencyState.FAILING, f"the metric of alarm {each.alarm} breaches"
            elif alarm.state is AlarmState.OK:
                state, detail = DependencyState.OK, f"alarm {each.alarm} is OK"
                back_since = _answers_since(alarm, now)
            else:
                state, detail = DependencyState.UNKNOWN, f"alarm {each.alarm} has no data"
            facts[each.name] = DependencyFacts(
                name=each.name, kind=each.kind, state=state, detail=detail, back_since=back_since
            )
        return facts

    def _gauged(self, watched: Sequence[Watched], now: datetime) -> dict[str, DependencyFacts]:
        """Everything that has metrics, in one request."""
        gauges = [(each, gauge) for each in watched if (gauge := gauge_of(each)) is not None]
        measures = [measure for _, gauge in gauges for measure in gauge.measures.values()]
        if not measures:
            return {}
        try:
            points = iter(self.readers.metrics.measured(measures, start=now - LOOKBACK, end=now))
        except ReadFailed as error:
            return {each.name: _unknown(each, str(error)) for each, _ in gauges}
        return {
            each.name: gauged(each, gauge, {name: next(points) for name in gauge.measures}, now=now)
            for each, gauge in gauges
        }

    def _asked(self, ref: ServiceRef, watched: WatchedDatabase | WatchedService | WatchedUrl) -> DependencyFacts:
        try:
            match watched:
                case WatchedDatabase():
                    return self._database(watched)
                case WatchedService():
                    return self._service(watched, watched.ref(ref))
                case WatchedUrl():
                    return self._url(watched)
                case _:
                    assert_never(watched)
        except ReadFailed as error:
            return _unknown(watched, str(error))

    def _database(self, watched: WatchedDatabase) -> DependencyFacts:
        database = self.readers.databases.database(watched.rds)
        if database is None:
            return _unknown(watched, f"RDS knows no DB instance {watched.rds}")
        state = DependencyState.UNKNOWN
        if database.status in _ANSWERS:
            state = DependencyState.OK
        elif database.status in _DOES_NOT_ANSWER:
            state = DependencyState.FAILING
        return DependencyFacts(
            name=watched.name,
            kind=watched.kind,
            state=state,
            detail=f"RDS says {database.status}",
            top_queries=tuple(database.top_queries),
            security_groups=database.security_groups,
            port=database.port,
        )

    def _service(self, watched: WatchedService, ref: ServiceRef) -> DependencyFacts:
        service = self.readers.service.service(ref)
        if service is None:
            return _unknown(watched, f"ECS knows no service {ref.service} in cluster {ref.cluster}")
        return DependencyFacts(
            name=watched.name,
            kind=watched.kind,
            state=DependencyState.OK if service.running > 0 else DependencyState.FAILING,
            detail=f"{service.running} of {service.desired} tasks run",
            figures={"running tasks": service.running, "wanted tasks": service.desired},
        )

    def _url(self, watched: WatchedUrl) -> DependencyFacts:
        check = watched.http
        answer = self.readers.http.answer(check.url, timeout_s=check.timeout)
        if answer.status is None:
            state, detail = DependencyState.FAILING, f"no answer within {check.timeout} s: {answer.error}"
        elif answer.status != check.status:
            state, detail = DependencyState.FAILING, f"it answers {answer.status} instead of {check.status}"
        elif answer.seconds > check.timeout / 2:
            state, detail = DependencyState.SLOW, f"it answers {answer.status}, but only after {answer.seconds:.1f} s"
        else:
            state, detail = DependencyState.OK, f"it answers {answer.status}"
        return DependencyFacts(
            name=watched.name, kind=watched.kind, state=state, detail=detail, figures={"answer s": answer.seconds}
        )


def gauged(watched: Watched, gauge: Gauge, points: Mapping[str, Points], *, now: datetime) -> DependencyFacts:
    """What its metrics say: `points` by the name of each measure of the gauge, oldest first."""
    period_s = gauge.period_s
    current = int(now.timestamp()) // period_s
    by_period: dict[int, dict[str, float]] = {}
    for name, values in points.items():
        for at, value in values:
            by_period.setdefault(int(at.timestamp()) // period_s, {})[name] = value
    by_period = {period: values for period, values in by_period.items() if period < current}
    newest = max(by_period, default=None)
    if newest is None or newest < current - 1 - LATE_PERIODS:
        return _unknown(watched, f"nothing was measured in the last {(LATE_PERIODS + 1) * period_s // 60} minutes")

    usual = _usual(points, before=now - USUAL_ENDS)
    troubles = {period: tuple(gauge.judge(values, usual)) for period, values in by_period.items()}
    window, needed = (WINDOW, NEEDED) if period_s <= 60 else (1, 1)

    def lasting(period: int) -> tuple[Trouble, ...]:
        """The troubles that enough of the periods up to this one show, as the newest of them tell it."""
        recent = [trouble for p in range(period, period - window, -1) for trouble in troubles.get(p, ())]
        states = [trouble.state for trouble in recent]
        return tuple(trouble for trouble in recent if states.count(trouble.state) >= needed)

    figures = by_period[newest]
    found = sorted(lasting(newest), key=lambda trouble: _GRAVEST.index(trouble.state))
    if found:
        said = dict.fromkeys(trouble.says for trouble in found if trouble.state is found[0].state)
        return DependencyFacts(
            name=watched.name, kind=watched.kind, state=found[0].state, detail=next(iter(said)), figures=figures
        )
    oldest = int((now - BACK_WITHIN).timestamp()) // period_s
    last = max((p for p in troubles if oldest <= p < newest and troubles[p] and lasting(p)), default=None)
    return DependencyFacts(
        name=watched.name,
        kind=watched.kind,
        state=DependencyState.OK,
        detail="its metrics are within their limits",
        figures=figures,
        back_since=None if last is None else datetime.fromtimestamp((last + 1) * period_s, UTC),
    )


def _answers_since(alarm: AlarmFacts, now: datetime) -> datetime | None:
    """Since when what an alarm watches is back, where that was lately: the alarm says OK at the end of a whole period
    in which it was."""
    back_since = alarm.since - timedelta(seconds=alarm.period_s)
    return back_since if alarm.since > now - BACK_WITHIN else None


def _usual(points: Mapping[str, Points], *, before: datetime) -> dict[str, float]:
    """The median of each measure before that time; those with too few points are left out."""
    usual = {}
    for name, values in points.items():
        earlier = sorted(value for at, value in values if at < before)
        if len(earlier) >= FEWEST_USUAL:
            usual[name] = earlier[len(earlier) // 2]
    return usual


def _together(measured: DependencyFacts | None, asked: DependencyFacts | None) -> DependencyFacts:
    """A database has a status and metrics: the graver of both counts, and it is fine only if both say so."""
    if measured is None or asked is None:
        facts = measured or asked
        assert facts is not None
        return facts
    order = (*_GRAVEST, DependencyState.UNKNOWN, DependencyState.OK)
    first, second = sorted((asked, measured), key=lambda facts: order.index(facts.state))
    return first.model_copy(
        update={
            "detail": f"{first.detail}; {second.detail}",
            "figures": measured.figures,
            "back_since": measured.back_since if first.state is DependencyState.OK else None,
            "top_queries": asked.top_queries if first.state.trouble else (),
            "security_groups": asked.security_groups,
            "port": asked.port,
        }
    )


def _unknown(watched: Watched, reason: str) -> DependencyFacts:
    return DependencyFacts(name=watched.name, kind=watched.kind, state=DependencyState.UNKNOWN, detail=reason)
