"""Signals as the parser would make them."""

from datetime import UTC, datetime, timedelta

from functions.domain.signals import AlarmState, Signal, SignalKind

START = datetime(2026, 3, 1, 3, 10, tzinfo=UTC)


def alarm_signal(number: int = 0, *, state: AlarmState = AlarmState.ALARM, alarm: str = "orders-5xx") -> Signal:
    """The state change of an alarm; another number is another state change."""
    return Signal(
        kind=SignalKind.ALARM,
        occurred_at=START + timedelta(seconds=number),
        account="000000000000",
        region="eu-west-1",
        cluster="shop",
        service="orders",
        alarm=alarm,
        state=state,
        reason="Threshold Crossed",
    )


def task_signal(at: datetime = START, *, deployment: str = "ecs-svc/1") -> Signal:
    """A task of the service that stopped by itself then."""
    return Signal(
        kind=SignalKind.TASK,
        occurred_at=at,
        account="000000000000",
        region="eu-west-1",
        cluster="shop",
        service="orders",
        event_name="STOPPED",
        stop_code="EssentialContainerExited",
        deployment_id=deployment,
        reason="Essential container in task exited",
    )
