"""What the responder counts of itself: the names of its metrics, and which lines of a trail are counted as what.

Alarms and the dashboard of the fleet read them by these names; `functions/observability.py` writes them. A metric with
a dimension of its own is paid for in the hours in which it is written, so the values of one are few and known: actions,
and alarms of playbooks. What is nearly always 0 is written only when it is not: one metric that is written all
the time is 0.30 USD a month, and the heartbeat's is the only one.
"""

from collections.abc import Callable, Container, Mapping
from enum import StrEnum

from functions.domain.heartbeat import is_heartbeat
from functions.domain.incidents import Event, Fact, Incident
from functions.domain.model import Model
from functions.domain.signals import AlarmState, Signal

NAMESPACE = "EcsFirstResponder"
SERVICE = "ecs-first-responder"
"""Value of the dimension `service`, which every metric has."""


class Count(StrEnum):
    """A metric, by its name in CloudWatch."""

    SIGNALS_RECORDED = "SignalsRecorded"
    SIGNALS_REJECTED = "SignalsRejected"
    SIGNALS_NOT_TAKEN = "SignalsNotTaken"
    """Messages that could be read and not be taken in, for reasons of our own: the ledger, the workflow."""
    ALARMS_RAISED = "AlarmsRaised"
    """State changes to ALARM that a step has seen, by `alarm`."""
    CHECKS_NOT_MADE = "ChecksNotMade"
    """Rounds in which a synthetic check could not be carried out for reasons of our own."""
    BUGS_ANSWERED = "BugsAnswered"
    """Requests that the HTTP API answered with 500, of which Lambda counts no error, or with 503 because a function
    that it asked failed."""
    INCIDENTS_OPENED = "IncidentsOpened"
    INCIDENTS_RESOLVED = "IncidentsResolved"
    RECOVERY_SECONDS = "RecoverySeconds"
    """From the alarm to the recovery, one value for each incident."""
    PAGES_SENT = "PagesSent"
    ACTIONS_BEGUN = "ActionsBegun"
    """Intents written, by `action`."""
    INCIDENTS_OPEN = "IncidentsOpen"
    """At each sweep, like the next two; not written while there are none."""
    LEASES_OVERDUE = "LeasesOverdue"
    FLEET_ACTIONS = "FleetActions"
    """Actions of the last hour, all services together: what the budget of the fleet counts."""
    HEARTBEAT_SECONDS = "HeartbeatSeconds"
    """From the schedule to the last step, of each that came back in time. How many did is its number of samples."""


BY: Mapping[Count, str] = {Count.ALARMS_RAISED: "alarm", Count.ACTIONS_BEGUN: "action"}
"""The metrics that have a second dimension, and its name."""

SECONDS = frozenset({Count.RECOVERY_SECONDS, Count.HEARTBEAT_SECONDS})
"""Those that are times; all others are counts."""


class Counted(Model):
    """One value of a metric. `of` is the value of its second dimension, where it has one."""

    count: Count
    value: float = 1.0
    of: str | None = None


OTHER = "other"
"""What has no name of its own in a second dimension."""


def counted(incident: Incident, event: Event, *, alarms: Callable[[], Container[str]]) -> tuple[Counted, ...]:
    """What one line of a trail, just written, adds to the metrics. `alarms` tells those that playbooks name: whoever
    may send a message must not be able to make metrics, which cost."""
    if is_heartbeat(incident.service):
        return _beaten(event)
    match event.fact:
        case Fact.INCIDENT_OPENED:
            return (Counted(count=Count.INCIDENTS_OPENED),)
        case Fact.INCIDENT_RESOLVED:
            return (Counted(count=Count.INCIDENTS_RESOLVED), *_seconds(Count.RECOVERY_SECONDS, event))
        case Fact.PAGE_SENT:
            return (Counted(count=Count.PAGES_SENT),)
        case Fact.ACTION_INTENDED:
            plan = event.data.get("plan")
            named = plan.get("action") if isinstance(plan, Mapping) else None
            # A plan that is too large for the trail lies in the archive.
            return (Counted(count=Count.ACTIONS_BEGUN, of=str(named or OTHER)),)
        case Fact.SIGNAL_RECEIVED if "signal" in event.data:
            signal = Signal.model_validate(event.data["signal"])
            if signal.alarm is None or signal.state is not AlarmState.ALARM:
                return ()
            return (Counted(count=Count.ALARMS_RAISED, of=signal.alarm if signal.alarm in alarms() else OTHER),)
        case _:
            return ()


def _beaten(event: Event) -> tuple[Counted, ...]:
    if event.fact is not Fact.INCIDENT_RESOLVED or event.data.get("in_time") is not True:
        return ()
    return _seconds(Count.HEARTBEAT_SECONDS, event)


def _seconds(count: Count, event: Event) -> tuple[Counted, ...]:
    seconds = event.data.get("seconds")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return ()
    return (Counted(count=count, value=float(seconds)),)
