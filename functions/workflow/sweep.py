"""Sweep: every five minutes, pick up what fell down. Nothing depends on a message arriving."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from functions.domain.changes import Lease
from functions.domain.errors import LedgerError, NotInLedger, ReadFailed, Superseded
from functions.domain.evidence import AlarmFacts
from functions.domain.heartbeat import HEARTBEAT
from functions.domain.incidents import Fact, Incident, IncidentStatus, NewEvent
from functions.domain.model import Model
from functions.domain.permissions import Permission, Resource
from functions.domain.signals import AlarmState, Signal, SignalKind
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Executions, Ledger, MetricsReader
from functions.workflow.table import StepName

NEEDS = (Permission(action="cloudwatch:DescribeAlarms", resource=Resource.ANY),)
"""What it reads of AWS besides its executions."""

AN_HOUR = timedelta(hours=1)
READ_AT_ONCE = 100
"""Alarms whose states are one request, which is paid for by the request (CloudWatch API reference, DescribeAlarms)."""

OVERDUE = timedelta(minutes=30)
"""After its end a lease is given back within minutes, or postponed a few times while that would not be safe."""


def together(playbooks: Iterable[Playbook]) -> Iterator[Sequence[Playbook]]:
    """Those that name alarms, by as many as fit into one request; the alarms of one are not torn apart."""
    some: list[Playbook] = []
    count = 0
    for playbook in playbooks:
        named = len(playbook.alarm_names)
        if named == 0:
            continue
        if some and count + named > READ_AT_ONCE:
            yield some
            some, count = [], 0
        some.append(playbook)
        count += named
    if some:
        yield some


class Swept(Model):
    """What one sweep did, for its log line."""

    restarted: tuple[str, ...] = ()
    restoring: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Services or alarms that AWS did not let us read; the next sweep tries again."""
    open: int = 0
    """Incidents that are open."""
    overdue: int = 0
    """Temporary changes that nobody gave back, half an hour after their end."""
    fleet_actions: int = 0
    """Actions of the last hour, all services together."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    ledger: Ledger
    executions: Executions
    metrics: MetricsReader
    clock: Clock
    playbooks: Sequence[Playbook]
    take_over_after: timedelta
    """Longer than any function's time-out: nothing of an old execution can still write when it is taken over."""

    def __call__(self) -> Swept:
        """What cannot be swept now keeps nothing else from it.

        Raises:
            LedgerError, ReadFailed: the first thing that went wrong with an incident or a lease, once all the rest was
                swept, so that Lambda counts it and sweeps again.
        """
        troubles: list[LedgerError | ReadFailed] = []
        now = self.clock.now()
        still_open = self.ledger.open_incidents()
        restarted = self._restarting(still_open, troubles)
        due, fleet = self.ledger.leases_due(now), self.ledger.fleet(since=now - AN_HOUR)
        restoring = [] if fleet.switch.stopped else self._restoring(due, troubles)
        opened: list[str] = []
        unread: list[str] = []
        for playbooks in together(self.playbooks):
            names = dict.fromkeys(name for playbook in playbooks for name in playbook.alarm_names)
            try:
                alarms = {alarm.name: alarm for alarm in self.metrics.states(tuple(names))}
            except ReadFailed as error:
                unread += [f"{playbook.ref.key}: {error}" for playbook in playbooks]
                continue
            for playbook in playbooks:
                try:
                    opened += self._opened(playbook, [alarms[name] for name in playbook.alarm_names if name in alarms])
                except LedgerError as error:
                    troubles.append(error)
        if troubles:
            raise troubles[0]
        return Swept(
            restarted=tuple(restarted),
            restoring=tuple(restoring),
            opened=tuple(opened),
            unread=tuple(unread),
            open=len(still_open),
            overdue=sum(1 for lease in due if lease.due_at < now - OVERDUE),
            fleet_actions=fleet.charges,
        )

    def _restarting(self, still_open: Sequence[Incident], troubles: list[LedgerError | ReadFailed]) -> list[str]:
        """Open incidents that got a new execution, a heartbeat's among them: it has to come back some day."""
        restarted = []
        out = [incident.id for incident in still_open]
        try:
            beat = self.ledger.lock_holder(HEARTBEAT)
            out += [] if beat is None else [beat]
        except LedgerError as error:
            troubles.append(error)
        for incident_id in out:
            try:
                if self._restarted(incident_id):
                    restarted.append(incident_id)
            except (LedgerError, ReadFailed) as error:
                troubles.append(error)
        return restarted

    def _restarted(self, incident_id: str) -> bool:
        """Take over an open incident whose execution has ended; read anew, because the index may be behind."""
        incident = self.ledger.incident(incident_id)
        if incident.status is not IncidentStatus.OPEN:
            return False
        return self._taken_over(incident, StepName.ASSESS, "no execution carries this incident: a new one goes on")

    def _restoring(self, due: Sequence[Lease], troubles: list[LedgerError | ReadFailed]) -> list[str]:
        """Leases whose end has passed and that nobody is about to give back: an open incident of the service does, when
        it closes. Not while everything is stopped: an execution could only wait, or fail on a function that is held."""
        started: list[str] = []
        for lease in due:
            try:
                incident = self.ledger.incident(lease.incident_id)
                held = self.ledger.lock_holder(incident.service) is not None
                if held or incident.id in started:
                    continue
                if self._taken_over(incident, StepName.RESTORE, "a lease is overdue and no execution carries it"):
                    started.append(incident.id)
            except NotInLedger:
                continue
            except (LedgerError, ReadFailed) as error:
                troubles.append(error)
        return started

    def _taken_over(self, incident: Incident, step: StepName, why: str) -> bool:
        if self.clock.now() - incident.updated_at < self.take_over_after:
            return False
        if self.executions.running(incident.id, incident.generation):
            return False
        event = NewEvent(fact=Fact.EXECUTION_RESTARTED, actor="sweep", summary=why)
        try:
            successor = self.ledger.next_generation(incident, event)
        except Superseded:
            return False
        return self.executions.start(successor.id, successor.generation, step=step)

    def _opened(self, playbook: Playbook, alarms: Sequence[AlarmFacts]) -> list[str]:
        """Alarms in ALARM without an incident: their message was lost, or they never sent one."""
        opened = []
        for alarm in alarms:
            if alarm.state is not AlarmState.ALARM:
                continue
            signal = Signal(
                kind=SignalKind.ALARM,
                occurred_at=alarm.since,
                account=alarm.arn.split(":")[4] if alarm.arn.count(":") >= 5 else None,
                region=playbook.region,
                alarm=alarm.name,
                alarm_arn=alarm.arn,
                state=alarm.state,
                reason=alarm.reason,
                cluster=playbook.cluster,
                service=playbook.service,
            )
            opening = self.ledger.record_signal(signal, playbook.ref, may_open=True)
            if opening.incident_id is not None and not opening.duplicate:
                self.executions.start(opening.incident_id, opening.generation)
                opened.append(opening.incident_id)
        return opened
