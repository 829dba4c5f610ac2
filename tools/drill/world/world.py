"""The world: everything that moves by itself, in virtual time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from functions.domain.services import ServiceRef
from functions.playbooks.schema import Symptom
from tools.drill.world.alarms import Alarm, Rule
from tools.drill.world.chance import Chance
from tools.drill.world.checks import Check
from tools.drill.world.constants import CONSTANTS, Constants
from tools.drill.world.dependencies import ALARM_THRESHOLD, METRIC, NAMESPACE, Dependency
from tools.drill.world.descriptions import describe_task
from tools.drill.world.disturbances import Api, Deliveries
from tools.drill.world.faults import Faults
from tools.drill.world.logs import LATE_S, Counted
from tools.drill.world.messages import (
    alarm_by_eventbridge,
    alarm_by_sns,
    ecs_event,
    from_queue,
    secret_event,
    task_event,
)
from tools.drill.world.metrics import MINUTE_S, Metrics, key_of
from tools.drill.world.parts import Task
from tools.drill.world.reasons import by_itself
from tools.drill.world.refusal import Refused
from tools.drill.world.scaling import ScalableTarget
from tools.drill.world.secrets import Secret, made
from tools.drill.world.service import Service
from tools.drill.world.serving import Backing
from tools.drill.world.setting import Alarm as AlarmSetting
from tools.drill.world.setting import Dependency as DependencySetting
from tools.drill.world.setting import Needs, Setting
from tools.drill.world.shifts import Shifts
from tools.drill.world.tally import STEP_S, Tally
from tools.drill.world.timetable import Timetable
from tools.drill.world.vitals import Minute, Vitals

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""When every run begins: a Monday morning."""

TICK_S = 10.0
"""How often health checks and retries are looked at."""

FEWEST_REQUESTS_PER_MINUTE = 10
"""The alarm on the error rate needs as many requests, as the deployed alarm does."""

_STATISTICS = {
    Symptom.ERRORS: ("HTTPCode_Target_5XX_Count", "Sum"),
    Symptom.HEALTHY_HOSTS: ("HealthyHostCount", "Minimum"),
    Symptom.RESPONSE_TIME: ("TargetResponseTime", "Average"),
    Symptom.CPU: ("CPUUtilization", "Average"),
    Symptom.MEMORY: ("MemoryUtilization", "Average"),
    Symptom.TASKS: ("CPUUtilization", "SampleCount"),
}

LOG_NAMESPACE = "EcsFirstResponder/Logs"
"""Where the deployment puts the counted lines of a service."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One call that changed something, or was refused."""

    at_s: float
    caller: str
    """Who called: the label of `wire.calling`, or who it was in the world (`pipeline`, `engineer`)."""
    operation: str
    parameters: dict[str, Any]
    refused: str | None = None
    """The error code, where AWS refused."""


@dataclass(frozen=True, kw_only=True)
class Mute:
    """One mute rule of CloudWatch, with its one window."""

    rule: str
    alarms: tuple[str, ...]
    begins: datetime
    ends: datetime
    written: dict[str, Any]
    """Its schedule, as it was put."""


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One thing worth a note on a timeline."""

    at_s: float
    kind: str
    """fault, alarm, ecs, scaling, webhook, backup or mute."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What only the world knows."""

    faults: tuple[str, ...]
    """Kinds of the faults that have begun and still hurt, for example `bad-release/5xx` or `traffic-spike`."""
    began_at_s: float | None
    """When the first fault of the run began, gone or not."""
    served: bool
    """Whether the goal was met in the newest whole step, for every service."""


@lru_cache(maxsize=1000)
def moment_of(seconds: float) -> datetime:
    """A time of any run as a date; the same ones are asked for over and over."""
    return BEGINNING + timedelta(seconds=seconds)


class World:
    """One world for one seed. Nothing happens but in `run_until`, and nothing depends on anything but the arguments and
    the calls that come in by the wire."""

    def __init__(self, setting: Setting, *, seed: int, constants: Constants = CONSTANTS) -> None:
        self.setting, self.constants = setting, constants
        self.chance = Chance(seed)
        self.timetable = Timetable()
        self.metrics = Metrics()
        self._error_rates: dict[tuple[Any, ...], float] = {}
        """Of periods of which everything has arrived."""
        self.changes: list[Change] = []
        self.diary: list[Happening] = []
        self.backups: list[dict[str, Any]] = []
        """What was backed up, as DynamoDB and RDS tell it."""
        self.mutes: dict[str, Mute] = {}
        """Mute rules by name."""
        self.pages: list[tuple[float, dict[str, Any]]] = []
        self.announced: list[Mapping[str, Any]] = []
        """What was put on the event bus."""
        """What was published to topics: time and the parameters of sns:Publish."""
        self.objects: dict[tuple[str, str], bytes] = {}
        """What lies in buckets, by bucket and key."""
        self.capacity = True
        self.zones = tuple(f"{setting.region}{'abcdef'[n]}" for n in range(setting.zones))
        self._zones: dict[str, float] = {}
        self.shifts = Shifts(self)
        self.queries: dict[str, dict[str, Any]] = {}
        """What queries of logs are answered, by their identifier."""
        self.secrets: dict[str, Secret] = {}
        """By `valueFrom`."""
        self._launch_tokens, self._launch_at_s = constants.launch_burst, 0.0
        self._numbered = 0
        self._intake: Callable[[dict[str, Any]], None] | None = None
        self._told_of_secrets: Callable[[dict[str, Any]], None] | None = None
        self.deliveries = Deliveries(chance=self.chance, timetable=self.timetable, delay_s=constants.delivery_s)
        self.api = Api(chance=self.chance, timetable=self.timetable)
        self.alarms: dict[str, Alarm] = {}
        self.dependencies = {each.name: self._dependency(each) for each in setting.dependencies}
        self.services: dict[str, Service] = {}
        for written in setting.services:
            self.services[written.name] = Service(written, self)
            for name in written.secrets:
                secret = made(setting, self.chance, written.name, name)
                self.secrets[secret.arn] = secret
        self.targets = {
            service.name: ScalableTarget(service, service.setting.scaling, self.chance, constants, self.metrics)
            for service in self.services.values()
            if service.setting.scaling is not None
        }
        self.checks: list[Check] = []
        for service in self.services.values():
            for alarm in service.setting.alarms:
                self._add_alarm(self._service_alarm(alarm, service))
        self.faults = Faults(self)
        self.timetable.at(TICK_S, self._tick)
        self.timetable.at(MINUTE_S, self._minute)
        for target in self.targets.values():
            self._track(target, self.chance.between(0, MINUTE_S, f"{target.service.name}/tracking/phase"))

    @property
    def seconds(self) -> float:
        """Since the beginning of the run."""
        return self.timetable.now

    @property
    def now(self) -> datetime:
        return self.moment(self.timetable.now)

    def moment(self, seconds: float) -> datetime:
        """A time of the run as a date; those before the run are negative."""
        return moment_of(seconds)

    def run_until(self, seconds: float) -> None:
        """Let the world go on, callbacks included, until this time of the run."""
        self.timetable.run_until(seconds)
        self.settle()

    def at(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call back at this time; next, if it has passed."""
        self.timetable.at(seconds, callback)

    def on_message(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Who takes the messages of the intake queue: events as Lambda gets them from SQS."""
        self._intake = callback

    def on_secret(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Who is called with the events of changed secrets, by a rule of EventBridge."""
        self._told_of_secrets = callback

    @property
    def tallies(self) -> dict[str, Tally]:
        """By service."""
        return {name: service.front.tally for name, service in self.services.items()}

    @property
    def tally(self) -> Tally:
        """Of all services together."""
        return Tally.sum(list(self.tallies.values()))

    @property
    def truth(self) -> Truth:
        step, goal = int(self.seconds // STEP_S) - 1, self.setting.goal
        self.settle()
        return Truth(
            faults=tuple(dict.fromkeys(trouble.kind for trouble in self.faults.begun if trouble.hurts())),
            began_at_s=min((trouble.began_s for trouble in self.faults.begun), default=None),
            served=step < 0 or all(tally.served(step, **goal.model_dump()) for tally in self.tallies.values()),
        )

    def settle(self) -> None:
        """Count what happened until now, before something changes."""
        for service in self.services.values():
            service.front.count()

    def service_changed(self, service: Service) -> None:
        """The tasks of one service share connections with those of the others."""
        if any(dependency.connections is not None for dependency in self.dependencies.values()):
            self.dependencies_changed()

    def dependencies_changed(self) -> None:
        for service in self.services.values():
            service.front.serve_again()

    def alarm_state(self, name: str) -> str:
        return self.alarms[name].state

    def has_capacity(self) -> bool:
        return self.capacity

    def zone_failing(self, zone: str) -> float:
        """Share of the requests that a task in this zone loses."""
        return self._zones.get(zone, 0.0)

    def shifted_away(self, load_balancer: str) -> frozenset[str]:
        """Zones whose targets this load balancer sends nothing."""
        return self.shifts.away(load_balancer)

    def impair(self, zone: str, failing: float) -> None:
        """Let a zone lose this share of its requests; 0 repairs it."""
        self._zones[zone] = failing
        for service in self.services.values():
            service.changed()

    def launch_delay_s(self) -> float:
        """How long a launch waits for Fargate's launch rate, in which all services share."""
        now, constants = self.seconds, self.constants
        gained = (now - self._launch_at_s) * constants.launches_per_s
        self._launch_tokens = min(constants.launch_burst, self._launch_tokens + gained) - 1.0
        self._launch_at_s = now
        return max(0.0, -self._launch_tokens / constants.launches_per_s)

    def dependency_backing(self, service: Service) -> Backing:
        """What its dependencies do to a service now."""
        passing, slow, wait_s = 1.0, 0.0, 0.0
        blame: list[tuple[str, float]] = []
        waiting = late = ""
        for place, need in enumerate(service.setting.needs):
            dependency = self.dependencies[need.dependency]
            failing, slow_s = dependency.failing(self.wanted(need.dependency)), dependency.slow_s
            if failing == 0.0 and slow_s is None:
                continue
            share = self._share(service, place, need)
            passing *= 1.0 - share * failing
            if failing > 0:
                blame.append((dependency.complaint(), share * failing))
            if slow_s is not None:
                slow, wait_s = max(slow, share), max(wait_s, slow_s)
                waiting, late = dependency.waiting(), dependency.late()
        return Backing(failing=1.0 - passing, slow=slow, wait_s=wait_s, blame=tuple(blame), waiting=waiting, late=late)

    def _share(self, service: Service, place: int, need: Needs) -> float:
        return self.chance.number(need.requests_percent, f"{service.name}/needs/{place}/requests") / 100

    def share_needed(self, service: Service, dependency: str) -> float:
        """Share of its requests that a service cannot answer without this dependency."""
        shares = (
            self._share(service, n, need)
            for n, need in enumerate(service.setting.needs)
            if need.dependency == dependency
        )
        return max(shares, default=0.0)

    def wanted(self, dependency: str, *, before: bool = False) -> float:
        """How many connections all running tasks together want, or those that ran before the run."""

        def of(service: Service, place: int, need: Needs) -> float:
            each = self.chance.number(need.connections_per_task, f"{service.name}/needs/{place}/connections")
            return each * (service.setting.tasks if before else service.running())

        return sum(
            of(service, place, need)
            for service in self.services.values()
            for place, need in enumerate(service.setting.needs)
            if need.dependency == dependency
        )

    def _calls(self, dependency: str, minute: int) -> float:
        """How often all services together called it in a minute."""

        def of(service: Service, place: int, need: Needs) -> float:
            share = self.chance.number(need.requests_percent, f"{service.name}/needs/{place}/requests") / 100
            return share * service.front.requests_in(minute)

        return sum(
            of(service, place, need)
            for service in self.services.values()
            for place, need in enumerate(service.setting.needs)
            if need.dependency == dependency
        )

    def ecs_event(self, service: Service, detail_type: str, detail: dict[str, Any]) -> None:
        """Let EventBridge tell an event: the rules of the responder forward all that a service sends here."""
        body = ecs_event(
            detail_type,
            detail,
            service_arn=service.arn,
            account=self.setting.account,
            region=self.setting.region,
            id=self._id(),
            at=self.now,
        )
        self._send(f"{service.name}/{detail['eventName']}", body)

    def task_stopped(self, service: Service, task: Task) -> None:
        """Let EventBridge tell that a task is STOPPED, if the responder's rule asks for tasks like it."""
        if not by_itself(task.stop_code, task.stopped_reason):
            return
        told = describe_task(service, task, self.moment)
        body = task_event(told, account=self.setting.account, region=self.setting.region, id=self._id(), at=self.now)
        self._send(f"{service.name}/task-stopped", body)

    def change_secret(self, value_from: str) -> None:
        """Somebody gives it another value. EventBridge tells it: soon of a parameter, later of what CloudTrail told."""
        secret = self.secrets[value_from]
        secret.changed_s = self.seconds
        operation = "PutParameter" if secret.parameter else "PutSecretValue"
        self.change_by("engineer", operation, {"name" if secret.parameter else "secretId": secret.arn})
        account, region = self.setting.account, self.setting.region
        event = json.dumps(secret_event(secret, account=account, region=region, id=self._id(), at=self.now))

        def deliver(received: int) -> None:
            if self._told_of_secrets is not None:
                self._told_of_secrets(json.loads(event))

        source = f"{secret.name}/changed"
        low_s, high_s = self.constants.trail_event_low_s, self.constants.trail_event_high_s
        late_s = 0.0 if secret.parameter else self.chance.between(low_s, high_s, source)
        self.timetable.after(late_s, lambda: self.deliveries.send(source, deliver))

    def happened(self, kind: str, text: str) -> None:
        self.diary.append(Happening(at_s=self.seconds, kind=kind, text=text))

    def change_by(self, caller: str, operation: str, parameters: dict[str, Any], *, refused: str | None = None) -> None:
        """Note who changed what."""
        self.changes.append(
            Change(at_s=self.seconds, caller=caller, operation=operation, parameters=parameters, refused=refused)
        )

    def _send(self, source: str, body: dict[str, Any]) -> None:
        account, region, identifier = self.setting.account, self.setting.region, self._id()
        text = json.dumps(body)

        def deliver(received: int) -> None:
            if self._intake is not None:
                # A copy is parsed anew: whoever takes a message may change it.
                self._intake(
                    from_queue(
                        json.loads(text),
                        account=account,
                        region=region,
                        id=identifier,
                        at=self.now,
                        received=received,
                    )
                )

        self.deliveries.send(source, deliver)

    def _id(self) -> str:
        self._numbered += 1
        token = self.chance.token("world/id", self._numbered)
        return "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:]))

    def _tick(self) -> None:
        self.settle()
        for service in self.services.values():
            service.check_targets()
        self.timetable.after(TICK_S, self._tick)

    def _minute(self) -> None:
        minute = int(self.seconds // MINUTE_S) - 1
        for name, dependency in self.dependencies.items():
            dependency.watch(minute, self.wanted(name))
        if self.checks:
            self.settle()
        for check in self.checks:
            check.look(minute, self.chance.share(f"check/{check.setting.name}", minute))
        self.timetable.after(MINUTE_S, self._minute)

    def _track(self, target: ScalableTarget, first_s: float) -> None:
        def look() -> None:
            self.settle()
            target.track()
            self.timetable.after(MINUTE_S, look)

        self.timetable.at(first_s, look)

    def set_alarm_state(self, name: str, state: str, reason: str) -> None:
        """SetAlarmState: it holds until the next evaluation.

        Raises:
            Refused: if there is no such alarm.
        """
        alarm = self.alarms.get(name)
        if alarm is None:
            raise Refused("ResourceNotFound", f"Alarm {name} does not exist")
        previous = alarm.state
        if alarm.set(state, reason, self.now):
            self._tell_alarm(alarm, previous)

    def _add_alarm(self, alarm: Alarm) -> None:
        self.alarms[alarm.name] = alarm
        phase = self.chance.between(0, MINUTE_S, f"alarm/{alarm.name}/phase")

        def look() -> None:
            self.settle()
            previous = alarm.state
            if alarm.evaluate(self.seconds, self.now):
                self._tell_alarm(alarm, previous)
            self.timetable.after(MINUTE_S, look)

        self.timetable.at(phase, look)

    def _tell_alarm(self, alarm: Alarm, previous: str) -> None:
        self.happened("alarm", f"{alarm.name} is {alarm.state}: {alarm.reason}")
        if alarm.state == "ALARM":
            for service in self.services.values():
                service.rollouts.alarm_went_off(alarm.name)
        self._run_actions(alarm, previous)

    def _run_actions(self, alarm: Alarm, previous: str) -> None:
        where = {"account": self.setting.account, "region": self.setting.region}
        match alarm.told_by:
            case "sns" if self._muted(alarm):
                pass
            case "sns":
                self._send(alarm.name, alarm_by_sns(alarm, previous=previous, id=self._id(), **where))
            case "eventbridge":
                self._send(alarm.name, alarm_by_eventbridge(alarm, previous=previous, id=self._id(), **where))

    def mute(self, mute: Mute) -> None:
        """Hold the actions of alarms back for a while. Events of their state are sent all the same."""
        self.mutes[mute.rule] = mute
        self.happened("mute", f"{', '.join(mute.alarms)} until {mute.ends:%H:%M}")

        def ends() -> None:
            if self.mutes.get(mute.rule) is mute:
                self._run_held_back(mute)

        self.timetable.after((mute.ends - self.now).total_seconds(), ends)

    def unmute(self, rule: str) -> None:
        """End a mute early; one that is not there, or over, is none."""
        mute = self.mutes.pop(rule, None)
        if mute is not None and mute.begins <= self.now < mute.ends:
            self._run_held_back(mute)

    def _muted(self, alarm: Alarm) -> bool:
        return any(alarm.name in m.alarms and m.begins <= self.now < m.ends for m in self.mutes.values())

    def _run_held_back(self, mute: Mute) -> None:
        """Actions run when a mute ends and the alarm is in ALARM (CloudWatch API reference, DeleteAlarmMuteRule)."""
        for name in mute.alarms:
            alarm = self.alarms.get(name)
            if alarm is not None and alarm.state == "ALARM":
                self._run_actions(alarm, alarm.state)

    def _check_alarm(self, written: AlarmSetting, service: Service) -> Alarm:
        ref = ServiceRef(region=self.setting.region, cluster=self.setting.cluster, service=service.name)
        check = Check.made(written, service, ref, self.metrics)
        self.checks.append(check)
        rule = Rule(
            greater=True,
            threshold=written.threshold,
            period_s=written.period_s,
            evaluation_periods=written.evaluation_periods,
            datapoints=written.datapoints,
            missing=written.missing or "missing",
        )

        def read(start_s: float) -> float | None:
            return self.metrics.value(check.key, start_s, written.period_s, "Maximum", now_s=self.seconds)

        metric = _plain(check.key, "Maximum", written.period_s)
        description = f"{service.name} has to answer within {written.timeout_s:g} s"
        return self._alarm(written.name, rule, metric, read, told_by=written.told_by, description=description)

    def _service_alarm(self, written: AlarmSetting, service: Service) -> Alarm:
        symptom = written.symptom
        if symptom == "check":
            return self._check_alarm(written, service)
        low = symptom is Symptom.HEALTHY_HOSTS
        rule = Rule(
            greater=not low,
            threshold=written.threshold,
            period_s=written.period_s,
            evaluation_periods=written.evaluation_periods,
            datapoints=written.datapoints,
            missing=written.missing or ("breaching" if low else "notBreaching"),
        )
        if symptom is None:
            return self._log_alarm(written, rule, service)
        keys = service.front.metric_keys
        if symptom is Symptom.ERROR_RATE:
            names = ("RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count")
            queries = [
                _query(identifier, keys[name], "Sum", written.period_s)
                for identifier, name in zip(("requests", "target5xx", "balancer5xx"), names, strict=True)
            ]
            expression = {"Id": "expr_1", "Expression": error_rate_expression(written.period_s), "ReturnData": True}
            metric: dict[str, Any] = {"Metrics": [{**expression, "Period": written.period_s}, *queries]}
        else:
            name, statistic = _STATISTICS[symptom]
            statistic = written.statistic or statistic
            metric = _plain(keys[name], statistic, written.period_s)
        # Tasks report once a minute: over a longer period as many samples come together.
        per = written.period_s / MINUTE_S if symptom is Symptom.TASKS else 1.0
        if per > 1:
            samples = _query("samples", keys[name], statistic, written.period_s)
            expression = {"Id": "expr_1", "Expression": tasks_expression(written.period_s), "ReturnData": True}
            metric = {"Metrics": [{**expression, "Period": written.period_s}, samples]}

        def read(start_s: float) -> float | None:
            if symptom is Symptom.ERROR_RATE:
                return self.error_rate([keys[name] for name in names], start_s, written.period_s)
            value = self.metrics.value(keys[name], start_s, written.period_s, statistic, now_s=self.seconds)
            return None if value is None else value / per

        description = f"{symptom} of {service.name}"
        return self._alarm(written.name, rule, metric, read, told_by=written.told_by, description=description)

    def _log_alarm(self, written: AlarmSetting, rule: Rule, service: Service) -> Alarm:
        """An alarm on lines in the log: those of one period, as a metric filter counts them."""
        key = key_of(LOG_NAMESPACE, written.name, {})
        late_s = self.chance.between(
            self.constants.metric_late_low_s, self.constants.metric_late_high_s, f"{written.name}/metrics-late"
        )
        self.metrics.hold(key, Counted(service.logs, written.contains), late_s=late_s + LATE_S)

        def read(start_s: float) -> float | None:
            return self.metrics.value(key, start_s, written.period_s, "Sum", now_s=self.seconds)

        metric = _plain(key, "Sum", written.period_s)
        description = f"lines in the log of {service.name}"
        return self._alarm(written.name, rule, metric, read, told_by=written.told_by, description=description)

    def error_rate(self, keys: list[Any], start_s: float, period_s: int) -> float | None:
        """5xx answers in percent of all requests, as the deployed alarm computes it: 0 with too few requests.

        Where nothing of the period has arrived yet there is no value. (CloudWatch would fill it with 0; a newest period
        that is not there is not evaluated either way, because one with data is taken instead.)
        """
        period = (*keys, start_s, period_s)
        known = self._error_rates.get(period)
        if known is not None:
            return known
        now_s = self.seconds
        found = self._error_rate(keys, start_s, period_s, now_s)
        if found is not None and self.metrics.settled(keys, start_s, period_s, now_s=now_s):
            self._error_rates[period] = found
        return found

    def _error_rate(self, keys: list[Any], start_s: float, period_s: int, now_s: float) -> float | None:
        if all(self.metrics.newest_minute(key, now_s) * MINUTE_S < start_s for key in keys):
            return None
        requests, target, balancer = (
            self.metrics.value(key, start_s, period_s, "Sum", now_s=now_s) or 0.0 for key in keys
        )
        if requests + balancer < max(1, FEWEST_REQUESTS_PER_MINUTE * period_s // 60):
            return 0.0
        return 100.0 * (target + balancer) / (requests + balancer)

    def _dependency(self, written: DependencySetting) -> Dependency:
        key = key_of(NAMESPACE, METRIC, {"Dependency": written.name})
        late_s = self.chance.between(
            self.constants.metric_late_low_s, self.constants.metric_late_high_s, f"{written.name}/metrics-late"
        )
        dependency = Dependency(
            setting=written,
            connections=None
            if written.connections is None
            else self.chance.number(written.connections, f"{written.name}/connections"),
            series=self.metrics.make(key, late_s=late_s),
            vitals=Vitals(
                written.name,
                written.kind,
                latency_s=self.chance.number(written.latency_s, f"{written.name}/latency"),
                chance=self.chance,
                calls=lambda minute: self._calls(written.name, minute),
                usual=lambda: Minute(connected=self.wanted(written.name, before=True)),
            ),
        )
        dependency.vitals.hold(self.metrics, late_s=late_s)
        if written.alarm is not None:
            rule = Rule(
                greater=True,
                threshold=ALARM_THRESHOLD,
                period_s=MINUTE_S,
                evaluation_periods=written.alarm_datapoints,
                datapoints=written.alarm_datapoints,
                missing="notBreaching",
            )

            def read(start_s: float) -> float | None:
                return self.metrics.value(key, start_s, MINUTE_S, "Sum", now_s=self.seconds)

            metric = _plain(key, "Sum", MINUTE_S)
            description = f"{written.kind} {written.name} does not answer"
            self._add_alarm(self._alarm(written.alarm, rule, metric, read, told_by="nobody", description=description))
        return dependency

    def _alarm(
        self,
        name: str,
        rule: Rule,
        metric: dict[str, Any],
        read: Callable[[float], float | None],
        *,
        told_by: str,
        description: str,
    ) -> Alarm:
        where = f"{self.setting.region}:{self.setting.account}"
        topics = [f"arn:aws:sns:{where}:responder-alarms"] if told_by == "sns" else []
        made_at = self.moment(-30 * 86_400.0)
        definition = {
            "AlarmName": name,
            "AlarmArn": f"arn:aws:cloudwatch:{where}:alarm:{name}",
            "AlarmDescription": description,
            "AlarmConfigurationUpdatedTimestamp": made_at,
            "ActionsEnabled": True,
            "OKActions": topics,
            "AlarmActions": topics,
            "InsufficientDataActions": topics,
            "EvaluationPeriods": rule.evaluation_periods,
            "DatapointsToAlarm": rule.datapoints,
            "Threshold": rule.threshold,
            "ComparisonOperator": "GreaterThanThreshold" if rule.greater else "LessThanThreshold",
            "TreatMissingData": rule.missing,
            **metric,
        }
        return Alarm(
            name=name,
            rule=rule,
            definition=definition,
            read=read,
            told_by=told_by,
            updated_at=made_at,
            changed_at=made_at,
        )


def error_rate_expression(period_s: int) -> str:
    """The deployed alarm's metric math."""
    fewest = max(1, FEWEST_REQUESTS_PER_MINUTE * period_s // 60)
    return (
        f"IF(FILL(requests,0)+FILL(balancer5xx,0)>={fewest},"
        "100*(FILL(target5xx,0)+FILL(balancer5xx,0))/(FILL(requests,0)+FILL(balancer5xx,0)),0)"
    )


def tasks_expression(period_s: int) -> str:
    """The same for the number of running tasks over more than a minute."""
    return f"samples/{period_s // 60}"


def _pairs(dimensions: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions]


def _plain(key: Any, statistic: str, period_s: int) -> dict[str, Any]:
    namespace, name, dimensions = key
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": _pairs(dimensions),
        "ExtendedStatistic" if statistic.startswith("p") else "Statistic": statistic,
        "Period": period_s,
    }


def _query(identifier: str, key: Any, statistic: str, period_s: int) -> dict[str, Any]:
    namespace, name, dimensions = key
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": _pairs(dimensions)}
    return {
        "Id": identifier,
        "MetricStat": {"Metric": metric, "Period": period_s, "Stat": statistic},
        "ReturnData": False,
    }
