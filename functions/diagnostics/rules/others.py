"""Causes that need no action of ours: somebody else is at it, or nothing is wrong."""

from functions.diagnostics.rules.case import Case
from functions.diagnostics.signs import Signs
from functions.diagnostics.thresholds import CRASHES_COUNT, LATELY


def native_rollback(signs: Signs, case: Case) -> None:
    """ECS itself is going back to an earlier release: whatever we did would be on top of it.

    ECS says so itself, in the state of its newest service deployment.
    """
    flight = signs.releases.in_flight
    if flight is not None and flight.rolling_back:
        case.rests_on(1.0, f"ECS is rolling back by itself: {flight.status} {flight.rollback_reason}".rstrip())


def someone_at_work(signs: Signs, case: Case) -> None:
    """A person, a pipeline or a stack is changing the service: acting on top of it would fight it.

    Seen in a deployment that is not ours, and that began after the incident did or when there was trouble already. Or
    in the service's CloudFormation stack, unless its update is what brought the release under suspicion.
    """
    if signs.releases.changed_during_incident:
        case.rests_on(0.95, "a deployment that is not ours began after this incident did")
    if signs.may_be_a_cure:
        case.rests_on(0.95, "the newest deployment began when there was trouble already: it may be somebody's cure")
    stack = signs.stack
    if stack is not None and "ROLLBACK_IN_PROGRESS" in stack.status:
        case.rests_on(0.95, f"stack {stack.name} is going back: {stack.status}")
    elif stack is not None and stack.in_progress and not signs.is_new_release:
        case.rests_on(0.9, f"stack {stack.name} is being changed: {stack.status}")


def false_alarm(signs: Signs, case: Case) -> None:
    """The alarm is not borne out by its own metric or by the service, or it goes off and on again by itself.

    Nothing is wrong with the service: its tasks and targets are healthy, none crashes, no release came shortly before,
    and users feel nothing in the newest data. An alarm flaps that went off several times within two hours, briefly each
    time and without an answer of the responder's: what was mended is no false alarm.
    """
    alarming = signs.alarming
    if alarming and all(alarm.breaching_now is False for alarm in alarming) and not signs.unwell:
        case.rests_on(0.9, "the metric of every alarm that is in ALARM does not breach", "the service shows no symptom")
    if signs.flaps and signs.history is not None:
        often = {alarm.name: signs.history.by_itself(alarm.name) for alarm in alarming}
        case.rests_on(0.8, *(f"{name} went off {times} times in two hours, briefly" for name, times in often.items()))
    if signs.goes_on:
        for symptom in signs.symptoms:
            case.speaks_against(True, symptom, at_most=0.4)
    case.speaks_against(not signs.service.steady, "the service is not in a steady state", at_most=0.4)
    case.speaks_against(signs.hosts_missing, "healthy targets are missing", at_most=0.4)
    sick = signs.unhealthy_targets
    failing = "1 target fails its" if sick == 1 else f"{sick} targets fail their"
    case.speaks_against(sick > 0, f"{failing} health check", at_most=0.4)
    case.speaks_against(signs.may_be_new_release, "a new release came shortly before, or may have", at_most=0.5)
    crashes = signs.crashes(LATELY)
    case.speaks_against(crashes >= CRASHES_COUNT, f"{crashes} tasks stopped by themselves lately", at_most=0.4)
