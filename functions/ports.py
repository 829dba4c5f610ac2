"""What the core needs from outside. Adapters keep these promises on AWS; fakes keep them in tests.

Every reading method raises `ReadFailed` when AWS does not answer: never an empty answer instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from functions.domain.incidents import Opening as Opening
from functions.domain.model import Model

if TYPE_CHECKING:
    from functions.domain.announcements import Announcement
    from functions.domain.approvals import Answer, Approval
    from functions.domain.backups import BackupFacts, Backups
    from functions.domain.breach import DenialsFacts, ExposureFacts, ImagesFacts
    from functions.domain.byhand import ByHand
    from functions.domain.changes import (
        BackUpTable,
        CallWebhook,
        Change,
        ChangeResult,
        IpSet,
        Lease,
        MuteAlarm,
        SnapshotDatabase,
        UnmuteAlarm,
    )
    from functions.domain.circumstances import (
        AlarmHistoryFacts,
        ChangesFacts,
        FrontFacts,
        HealthFacts,
        LinesFacts,
        LogsFacts,
        SecretsFacts,
        StackFacts,
        TaskDefinitionFacts,
    )
    from functions.domain.costs import BillFacts
    from functions.domain.dependencies import DatabaseFacts, HttpAnswer, QueriesFacts
    from functions.domain.evidence import (
        AlarmFacts,
        Metric,
        Release,
        ReleaseState,
        RevisionFacts,
        ScalingFacts,
        ServiceDeploymentFacts,
        ServiceFacts,
        TargetFacts,
        TasksFacts,
    )
    from functions.domain.findings import Findings
    from functions.domain.incidents import Event, FleetSwitch, InboxEntry, Incident, NewEvent, Switch
    from functions.domain.logged import LogCause, LogQuery
    from functions.domain.network import SecurityGroup
    from functions.domain.orders import Order
    from functions.domain.services import ServiceRef
    from functions.domain.signals import Signal, Wakes
    from functions.domain.synthetic import CheckAnswer, Checked, SyntheticCheck
    from functions.domain.tables import TableFacts
    from functions.domain.threats import ThreatsFacts
    from functions.domain.trials import CheckSaid, Load, Run, Sample
    from functions.domain.troubles import Trouble
    from functions.domain.validation import MonitoringFacts


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, in UTC."""


class ServiceReader(Protocol):
    """Reads one ECS service and what surrounds it. Changes nothing."""

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        """The service now, or None when ECS says there is none by that name."""

    def services(self, refs: Sequence[ServiceRef]) -> Mapping[ServiceRef, ServiceFacts | None]:
        """Many in few requests. What could not be read together with others is left out: ask for it by itself."""

    def tasks(self, ref: ServiceRef) -> TasksFacts:
        """Running tasks and those that stopped lately."""

    def service_deployments(self, ref: ServiceRef) -> Sequence[ServiceDeploymentFacts]:
        """Newest first, at most 20; empty where ECS keeps none."""

    def revisions(self, arns: Sequence[str]) -> Sequence[RevisionFacts]:
        """The given service revisions, at most 20."""

    def task_definition_status(self, task_definition: str) -> str:
        """ACTIVE, INACTIVE or DELETE_IN_PROGRESS; MISSING when it is gone."""

    def definition(self, task_definition: str) -> TaskDefinitionFacts:
        """What a task definition says, whatever its status."""

    def targets(self, target_groups: Sequence[str]) -> Sequence[TargetFacts]:
        """Every target of the given target groups (ARNs)."""

    def load_balancer(self, target_group: str) -> str | None:
        """ARN of the load balancer in front of the target group; None when it has none."""

    def scaling(self, ref: ServiceRef, *, resource_id: str | None = None) -> ScalingFacts:
        """The scalable target of the desired count; `resource_id` where it is not the service's own."""


@dataclass(frozen=True, kw_only=True)
class MetricsQuery:
    """What to read for one service, between two times.

    `period_s` is the length of a data point. Dimensions are by metric because ALB and ECS name things differently.
    """

    start: datetime
    end: datetime
    period_s: int
    dimensions: Mapping[Metric, Mapping[str, str]]
    zones: tuple[str, ...] = ()
    """Availability Zones (names) for which the metrics that have one are read one by one, too."""


Points = Sequence[tuple[datetime, float]]
"""Data points with the time at which their period began, oldest first."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """What a `MetricsQuery` brought."""

    metrics: Mapping[Metric, Points]
    by_zone: Mapping[str, Mapping[Metric, Points]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One metric to be read, whosever it is."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    period_s: int = 60
    summed_over: tuple[str, ...] = ()
    """Further dimensions that it has, and over whose values it is added up."""

    @property
    def expression(self) -> str:
        """The metric math that adds it up (CloudWatch User Guide, "CloudWatch search expression syntax": the dimensions
        are named in full, in braces)."""
        schema = ",".join([self.namespace, *self.dimensions, *self.summed_over])
        terms = [f'MetricName="{self.metric}"', *(f'{name}="{value}"' for name, value in self.dimensions.items())]
        return f"SUM(SEARCH('{{{schema}}} {' '.join(terms)}', '{self.statistic}', {self.period_s}))"


class MetricsReader(Protocol):
    """CloudWatch: alarms and their metrics."""

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        """The alarms that exist, with their own metric asked again; a name without an alarm is left out."""

    def states(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        """The same without asking their metrics, which is paid for by the metric: nobody knows whether one breaches."""

    def series(self, query: MetricsQuery) -> Series:
        """Data points in one request: counts as sums over the period, hosts as minimum, tasks as the number of samples
        that came in over the period, percentiles as such, all else as average."""

    def alarm_history(self, names: Sequence[str], *, since: datetime) -> AlarmHistoryFacts:
        """When each of the alarms went off since then."""

    def measured(self, measures: Sequence[Measure], *, start: datetime, end: datetime) -> Sequence[Points]:
        """The data points of each measure, in the order given; empty where there are none."""


class MonitoringReader(Protocol):
    """What watches a service."""

    def monitoring(self, alarms: Sequence[str], *, dashboard: str | None) -> MonitoringFacts:
        """The alarms of these names, what mutes them now, and whether the dashboard of that name exists, where one is
        named. Mute rules and a dashboard that cannot be read are named as unread; alarms raise `ReadFailed`."""


class FrontReader(Protocol):
    """What stands in front of a service: its target groups and their load balancer."""

    def front(self, target_groups: Sequence[str], *, load_balancer: str | None = None) -> FrontFacts:
        """Settings of the target groups (ARNs), and whether traffic may be shifted out of a zone; `load_balancer`
        (ARN) where it is not the one that the first of them names."""


class LogsReader(Protocol):
    """The logs of a service."""

    def errors(
        self,
        groups: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        causes: Sequence[LogCause] = (),
        queries: Sequence[LogQuery] = (),
    ) -> LogsFacts:
        """Lines that speak of an error or of one of the `causes`, grouped by what they say, within a limit on time and
        cost; then the `queries`, in what is left of both. One of these that fails is unknown by itself."""

    def lines(self, groups: Sequence[str], *, since: datetime, until: datetime, most: int) -> LinesFacts:
        """Lines as they stand there, at most so many: those that speak of an error first, then the oldest others."""


class SecretsReader(Protocol):
    """Whether secrets exist and when they changed. Never what is in them."""

    def secrets(self, references: Sequence[str]) -> SecretsFacts:
        """Each `valueFrom` of a task definition: the ARN of a Secrets Manager secret, or the ARN or name of an SSM
        parameter."""


class AccountReader(Protocol):
    """What else goes on in the account and around it."""

    def changes(self, ref: ServiceRef, *, since: datetime) -> ChangesFacts:
        """Calls that changed the service, with who made them. CloudTrail tells them minutes late."""

    def stack(self, resource: str) -> StackFacts:
        """The CloudFormation stack that a resource (physical id) belongs to."""

    def health(self, region: str) -> HealthFacts:
        """Open issues of AWS in the Region."""

    def threats(self, findings: Sequence[str]) -> ThreatsFacts:
        """The findings of GuardDuty with these ARNs. One that GuardDuty does not have makes all of them unread."""


class BreachReader(Protocol):
    """What may speak for a breach."""

    def exposure(self, groups: Sequence[str]) -> ExposureFacts:
        """Rules of these security groups (ids) that let everybody in."""

    def images(self, images: Sequence[str]) -> ImagesFacts:
        """What the scans of ECR found in these images (`repository@digest`); the first three are looked at."""

    def denials(self, ref: ServiceRef, *, task_role: str, since: datetime) -> DenialsFacts:
        """Calls that were denied and concern the service or its role (ARN), and those that its tasks made."""


class DatabaseReader(Protocol):
    def database(self, instance: str) -> DatabaseFacts | None:
        """The DB instance of RDS now, or None when RDS says there is none by that name."""


class NetworkReader(Protocol):
    """Security groups."""

    def of_load_balancer(self, arn: str) -> Sequence[str]:
        """Ids of the security groups of a load balancer."""

    def groups(self, ids: Sequence[str]) -> Sequence[SecurityGroup]:
        """The rules of these security groups."""


class TableReader(Protocol):
    def table(self, table: str, *, called: str, now: datetime) -> TableFacts:
        """What the DynamoDB table of that name takes, and how concentrated its throttled keys were lately. `called` is
        what people call it."""


class HttpReader(Protocol):
    def answer(self, url: str, *, timeout_s: int) -> HttpAnswer:
        """What comes back on one GET request; redirects are not followed.

        Raises:
            ReadFailed: the name in it cannot be looked up, which says more of us than of whoever should answer.
        """


class CheckCaller(Protocol):
    """Asks over HTTP what a synthetic check asks, from outside of any VPC."""

    def ask(self, check: SyntheticCheck, *, headers: Mapping[str, str]) -> CheckAnswer:
        """What comes back on one request; redirects are not followed.

        Raises:
            ReadFailed: for a reason of our own, so that nothing is known of whoever should answer.
        """


class SecretValues(Protocol):
    """What is in a secret. Whoever asks keeps it out of logs, metrics, trails and exceptions."""

    def value(self, secret: str, *, key: str | None) -> str:
        """The secret by name or ARN, or the value under one key of a secret that is a JSON object.

        Raises:
            ReadFailed: it cannot be read, or has no such key; without a word of what is in it.
        """


class CheckMetrics(Protocol):
    def publish(self, checked: Sequence[Checked], *, at: datetime) -> None:
        """One data point for each check.

        Raises:
            ReadFailed: CloudWatch does not take them.
        """


class Inspector(Protocol):
    def inspect(self, ref: ServiceRef, probes: Sequence[str] = ()) -> Findings:
        """One look at a service by somebody who may read AWS: through these probes and those they need, or all.

        Raises:
            ReadFailed: nobody looked.
        """

    def reply(self, ref: ServiceRef, order: Order) -> Mapping[str, Any]:
        """What would become of an order now, as the plain JSON of a reply; nothing is done and nothing written.

        Raises:
            ReadFailed: nobody looked.
        """


class Trier(Protocol):
    """Somebody who asks a service over HTTP, with no rights of its own."""

    def checks(self, ref: ServiceRef, *, whole: bool) -> Sequence[CheckSaid]:
        """The checks of the service's playbook, made at once: their answers, or with `whole` also what is in them.

        Raises:
            ReadFailed: nobody asked.
        """

    def begin(self, load: Load) -> None:
        """Let a trial under load begin; it ends by itself, and writes down what it found.

        Raises:
            ReadFailed: nobody knows whether it begins.
        """


class LoadMaker(Protocol):
    def make(self, load: Load) -> Sequence[Sample]:
        """Send the requests of a trial, side by side and no faster than it may; ends soon after its time."""


class Runs(Protocol):
    """Trials under load, by their ids."""

    def announce(self, run: Run) -> bool:
        """Write down that it begins. False when there is one of that id."""

    def run(self, run_id: str) -> Run | None:
        """None where there is none by that id, or it cannot be read."""

    def close(self, run: Run) -> None:
        """Write down what came of it."""


class BackupReader(Protocol):
    def known(self, backups: Backups) -> Sequence[BackupFacts]:
        """Every backup of what is named, whoever took it, newest first."""


@dataclass(frozen=True, kw_only=True)
class HealthReaders:
    """What tells how a service is doing, with what stands in front of it and what it stands on."""

    service: ServiceReader
    metrics: MetricsReader
    front: FrontReader
    databases: DatabaseReader
    http: HttpReader
    threads: Callable[[int], Executor]
    """Makes an executor that carries out so many reads side by side."""


@dataclass(frozen=True, kw_only=True)
class Readers(HealthReaders):
    """Everything a look may read."""

    logs: LogsReader
    secrets: SecretsReader
    account: AccountReader
    breach: BreachReader
    network: NetworkReader
    tables: TableReader
    backups: BackupReader


class WebhookCaller(Protocol):
    def call(self, change: CallWebhook) -> ChangeResult:
        """Send the one request, with its token; redirects are not followed. Whatever is answered is no success yet.

        Raises:
            ChangeRefused: it was not sent, or the application answered that it will not do it.
            ChangeDoubtful: it was sent, and no clear answer came.
        """


class ServiceChanger(Protocol):
    """The only door through which anything is changed. One call, at most one effect, never repeated by the client."""

    def apply(self, ref: ServiceRef, change: Change) -> ChangeResult:
        """Carry out one change.

        Raises:
            ChangeRefused: AWS answered no; nothing happened.
            ChangeDoubtful: no answer; it may have happened.
        """


class MuteReader(Protocol):
    def muted_s(self, alarm: str) -> int:
        """For how long our own rule mutes an alarm; 0 where it is not muted by it, or not any more."""


class MuteKeeper(MuteReader, Protocol):
    """Muted alarms, for whoever sits at the desk."""

    def actions(self, alarm: str) -> tuple[str, ...] | None:
        """ARNs of what an alarm does; None where nobody could say. Raises ReadFailed also where there is none."""

    def apply(self, change: MuteAlarm | UnmuteAlarm) -> ChangeResult:
        """As the `ServiceChanger` does it, and with the same errors."""


class BackupKeeper(BackupReader, Protocol):
    """Backups, for whoever sits at the desk. It deletes none."""

    def take(self, change: BackUpTable | SnapshotDatabase) -> ChangeResult:
        """Take one, unless there is one of its name.

        Raises:
            ChangeRefused: there is none; AWS says why.
            ChangeDoubtful: no answer; taking it again does no harm.
        """


class BillReader(Protocol):
    def bill(self, *, since: date, until: date) -> BillFacts:
        """What the account cost on each day from `since` on, until the day before `until`, by service of AWS. Each
        request costs money, so none is repeated."""


class QuotaReader(Protocol):
    def fargate_vcpus(self) -> float:
        """How many vCPUs the account may run on Fargate at once in this Region, Spot aside."""


class QueriesReader(Protocol):
    def busiest(self, instance: str, *, since: datetime, until: datetime) -> QueriesFacts:
        """The statements that loaded the DB instance most; `since` lies within the last seven days."""


class DetectorReader(Protocol):
    def detectors(self) -> Sequence[str]:
        """Ids of GuardDuty's detectors in this Region; none where it was never switched on."""


class DrillRecords(Protocol):
    def last(self) -> DrillRecord | None:
        """The newest result of a drill that somebody put into the archive; None where there is none to be had."""


@dataclass(frozen=True, kw_only=True)
class DigestReaders:
    """What a digest reads that no incident needs."""

    bill: BillReader
    quotas: QuotaReader
    queries: QueriesReader
    detectors: DetectorReader
    mutes: MuteReader
    backups: BackupReader
    drills: DrillRecords


class IpSetReader(Protocol):
    def holds(self, ip_set: IpSet, address: str) -> bool:
        """Whether this one address is in the set by itself; a range that it is in does not count."""


class DrillRecord(Model):
    """A document that `responder drill --json` wrote."""

    kept_at: datetime
    body: str


Ahead = dict[Any, Any]
"""What a ledger read ahead; its contents are the ledger's own."""


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """One incident as a whole: its head, the trail that ends there, oldest first, and every signal that was counted."""

    incident: Incident
    events: Sequence[Event]
    inbox: Sequence[InboxEntry]


@dataclass(frozen=True, kw_only=True)
class ServiceRecord:
    """What the ledger holds of one service."""

    holder: str | None
    """Id of the incident that holds it."""
    switch: Switch
    releases: Sequence[Release]
    """Newest first."""
    charges: Sequence[datetime]
    """When actions were charged to it in the last day, newest first."""
    ineffective: Mapping[str, datetime]
    """When an action did not help in the last day, by incident."""
    leases: Sequence[Lease]
    stored: Any = field(default=None, compare=False, repr=False)
    """How it lies there, for the ledger that read it."""


class Ledger(Protocol):
    """The memory of the responder. Every write is conditional; a condition that no longer holds raises `Superseded`."""

    # --- intake

    def look_ahead(self, signals: Sequence[tuple[Signal, ServiceRef]]) -> Ahead:
        """Read at once what `record_signal` would read of each of these signals."""

    def record_signal(self, signal: Signal, ref: ServiceRef, *, may_open: bool, ahead: Ahead | None = None) -> Opening:
        """Deduplicate, put into the inbox of the service's open incident and count it there, in one transaction.

        Opens an incident and takes the service's lock when there is none and `may_open`. What was read `ahead` spares
        the first attempt its reads and is kept up to date; each write is conditional on it all the same.
        """

    def listen(self, incident_id: str, generation: int, token: str, *, wakes: Wakes, signals: int | None) -> bool:
        """Leave what wakes the execution of that generation: it comes back with the `Opening` of the next signal that
        does. False, and nothing is left, where the incident has another number of `signals` by now: one came meanwhile.

        Raises:
            Superseded: another generation carries the incident on, or it is closed.
        """

    def record_unmatched(self, signal: Signal, reason: str) -> bool:
        """Keep a signal that belongs to no playbook. False when it was kept before."""

    # --- the incident

    def incident(self, incident_id: str) -> Incident:
        """Raises NotInLedger."""

    def events(self, incident_id: str) -> Sequence[Event]:
        """The whole trail, oldest first, as it is stored and hashed."""

    def evidence(self, event: Event) -> Mapping[str, Any]:
        """The data of an event as it was appended, even where it was so large that the trail holds only its hash.

        Raises:
            TrailBroken: if the archived document is not the one that was appended.
        """

    def inbox(self, incident_id: str) -> Sequence[InboxEntry]:
        """Every signal of the incident, oldest first."""

    def case_file(self, incident_id: str) -> CaseFile:
        """`incident`, `events` and `inbox` in one reading, and in accord: no line of the trail that the head counts is
        missing, and no signal.

        Raises:
            NotInLedger: there is no such incident.
            TrailBroken: they do not come into accord.
        """

    def append(
        self,
        incident: Incident,
        events: Sequence[NewEvent],
        *,
        step: str,
        signals_seen: int | None = None,
        lease: Lease | None = None,
        budget: BudgetCharge | None = None,
        approval: Approval | None = None,
        trouble: Trouble | None = None,
        unless_stopped: bool = False,
        as_read: tuple[ServiceRecord, Fleet] | None = None,
    ) -> Incident:
        """Append events after `incident.head_sequence`, and with them, in the same transaction, a lease, a charge, a
        request for approval or the trouble that the service is in and may share; either takes the place of an earlier
        one. `unless_stopped`: only while operators have not stopped everything; what is about to be changed is written
        so.

        `as_read` is what was read just before of the service and the fleet. It spares the ledger to read it again: what
        has changed since is noticed by the transaction, and read anew.

        At most 90 events. A lease of the same id and incident is replaced, for example to postpone its end.

        Raises:
            Superseded: the head or the generation is no longer the given one, a budget is used up meanwhile, or
                everything is stopped.
        """

    def resolve(self, incident: Incident, event: NewEvent) -> Incident:
        """Close it and release the lock in one transaction, provided that every signal received was seen.

        Raises:
            Superseded: a signal came, or somebody else moved on.
        """

    def next_generation(self, incident: Incident, event: NewEvent) -> Incident:
        """Take the incident over for a new execution; every write of the older one is refused from now on."""

    def approval(self, incident_id: str) -> Approval | None:
        """The newest request for approval, with its answer; None when nobody was ever asked."""

    def answer_approval(self, asked: Approval, answered: Approval) -> None:
        """Write an answer, once.

        Raises:
            Superseded: it was answered or replaced meanwhile, or the incident is closed or was taken over.
        """

    # --- the service

    def service_record(self, ref: ServiceRef) -> ServiceRecord:
        """`lock_holder`, `switch`, `releases`, `charges`, `ineffective` and `service_leases` in one reading."""

    def lock_holder(self, ref: ServiceRef) -> str | None:
        """Id of the incident that holds the service."""

    def switch(self, ref: ServiceRef) -> Switch:
        """What operators set; an empty switch when nobody did."""

    def set_switch(self, ref: ServiceRef, switch: Switch, *, was: Switch | None = None) -> None:
        """Set it, whatever it was, or only if it still is what it `was`.

        Raises:
            Superseded: somebody else set it meanwhile.
        """

    def releases(self, ref: ServiceRef) -> Sequence[Release]:
        """The release history, newest first."""

    def note_release(
        self, ref: ServiceRef, task_definition: str, *, at: datetime, surroundings: str = "", passed: bool = False
    ) -> None:
        """It was seen running at that time, and where `passed`, with every check of its playbook passing.

        Known releases keep their state and first time.
        """

    def judge_release(self, ref: ServiceRef, task_definition: str, state: ReleaseState, *, reason: str) -> None:
        """Write down what is now known of a release. A quarantined one stays so until a person lifts it."""

    def judge_by_hand(
        self, ref: ServiceRef, task_definition: str, state: ReleaseState, note: ByHand, *, was: ReleaseState | None
    ) -> None:
        """What a person says of a release, whatever it was before, with the note of it in one transaction. `was` is the
        state that they saw; None where the release is not on record.

        Raises:
            Superseded: it is no longer that state.
        """

    def charges(self, ref: ServiceRef, *, since: datetime) -> Sequence[datetime]:
        """When actions were charged to this service in the last day, newest first."""

    def note_ineffective(self, ref: ServiceRef, incident_id: str, *, at: datetime) -> None:
        """An action of this incident did not help; said again, it changes nothing. Kept for a day."""

    def forget_ineffective(self, ref: ServiceRef) -> None:
        """Actions help again, or a person looked at it."""

    def ineffective(self, ref: ServiceRef, *, since: datetime) -> Mapping[str, datetime]:
        """When an action did not help lately, by incident."""

    # --- the fleet

    def fleet(self, *, since: datetime) -> Fleet:
        """What holds for every service at once, read together; actions of the last day."""

    def fleet_switch(self) -> FleetSwitch:
        """What operators set for every service. When nobody did, nothing is stopped; where the record makes no sense,
        everything is."""

    def set_fleet_switch(self, switch: FleetSwitch, *, was: FleetSwitch | None = None) -> None:
        """Set it, whatever it was, or only if it still is what it `was`.

        Raises:
            Superseded: somebody else set it meanwhile.
        """

    # --- leases

    def leases(self, incident_id: str) -> Sequence[Lease]:
        """Leases of an incident that are still out."""

    def service_leases(self, ref: ServiceRef) -> Sequence[Lease]:
        """Leases on a service that are still out, whichever incident took them."""

    def end_lease(self, incident: Incident, lease: Lease, event: NewEvent) -> Incident:
        """Remove a lease and say in the trail how it ended, in one transaction."""

    # --- what is done once

    def claim(self, what: str) -> bool:
        """Whether the caller is the first to claim it; whoever comes second is told False. Kept for 400 days."""

    def give_up(self, what: str) -> None:
        """Give a claim back: what was claimed did not come about, and somebody else may try."""

    def note_by_hand(self, note: ByHand) -> None:
        """Keep what a person is about to do at the desk. The same note twice is one."""

    # --- lists, one request each

    def open_incidents(self) -> Sequence[Incident]:
        """Like every list of incidents without the heartbeat's, which `lock_holder` has while it is out."""

    def incidents_between(self, start: datetime, end: datetime) -> Sequence[Incident]:
        """All incidents opened in a time range, both ends included, newest first."""

    def incidents_of(self, ref: ServiceRef, *, limit: int = 50) -> Sequence[Incident]:
        """A service's incidents, newest first."""

    def leases_due(self, at: datetime) -> Sequence[Lease]:
        """Leases whose end has passed."""

    def unmatched(self, *, limit: int = 50) -> Sequence[tuple[Signal, str]]:
        """Signals that belong to no playbook, with the reason, newest first."""

    def by_hand_between(self, start: datetime, end: datetime) -> Sequence[ByHand]:
        """What people did at the desk in a time range, both ends included, newest first."""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All services together."""

    switch: FleetSwitch
    charges: int
    """How many actions were charged to it in the time asked for."""
    troubles: tuple[Trouble, ...] = ()
    """Services whose incidents were opened in that time, by their keys."""
    stored: Any = field(default=None, compare=False, repr=False)
    """How it lies there, for the ledger that read it."""


class BudgetCharge(Model):
    """One action to be counted, and the limits it must stay within in the hour that ends now."""

    at: datetime
    service_limit: int
    fleet_limit: int


class Executions(Protocol):
    """The workflow engine."""

    def start(self, incident: str, generation: int, *, step: str = "assess") -> bool:
        """Start the execution of that incident and generation. False when it exists already, which is fine."""

    def running(self, incident: str, generation: int) -> bool:
        """Whether that execution runs now."""

    def wake(self, token: str, outcome: str) -> bool:
        """Let the execution that listens with this token go on with that outcome. False when it listens no longer.

        Raises:
            ReadFailed: if nobody knows whether it was told; telling it again does no harm.
        """


class Answers(Protocol):
    """The way back into an execution that waits for people."""

    def deliver(self, token: str, answer: Answer) -> bool:
        """Let the execution that waits with this token go on. False when it waits no longer.

        Raises:
            ReadFailed: if nobody knows whether it was told; telling it again does no harm.
        """


class Page(Model):
    """What people get: one subject line, and a text that stands alone."""

    subject: str
    """At most 100 characters, ASCII, without line breaks (SNS `Subject`)."""
    text: str
    attributes: Mapping[str, str] = {}


class FunctionHold(Protocol):
    """Keeps functions of the responder from running at all, with the credentials of whoever sits at the desk."""

    def reserved(self, function: str) -> int | None:
        """How many executions are reserved for it; 0 while it is held, None where nothing is reserved.

        Raises:
            NoSuchFunction: there is none by that name.
            ReadFailed: nobody could say.
        """

    def hold(self, function: str) -> None:
        """Let it run no more; what runs already comes to its end. Doing it twice does no harm.

        Raises:
            ChangeRefused: AWS answered no.
            ChangeDoubtful: no answer; it may be held.
        """

    def let_go(self, function: str) -> None:
        """Reserve nothing for it, so that it runs again. Doing it twice does no harm.

        Raises:
            ChangeRefused: AWS answered no.
            ChangeDoubtful: no answer; it may run again.
        """


class Notifier(Protocol):
    def publish(self, page: Page) -> str:
        """Send it; the identifier of the message. Raises ReadFailed when the topic does not take it."""


class Announcer(Protocol):
    """The bus for machines: whatever listens there."""

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Put them on the bus, in order. Raises ReadFailed when the bus does not take all of them."""


class Archive(Protocol):
    """Write-once storage beside the table."""

    def url(self, key: str) -> str:
        """Where a document of that key lies, or would lie."""

    def keep(self, key: str, body: str, *, content_type: str) -> str:
        """Store a document; its URL (`s3://…`). Raises ReadFailed when the storage does not take it."""

    def fetch(self, url: str) -> str:
        """The document kept under that URL. Raises ReadFailed."""
