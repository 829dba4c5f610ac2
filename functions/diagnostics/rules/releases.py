"""Causes that come with a release."""

from functions.diagnostics.complaints import Complaint
from functions.diagnostics.rules.case import Case, no_dependency_trouble
from functions.diagnostics.signs import Signs
from functions.diagnostics.thresholds import (
    CANNOT_INITIALISE,
    CANNOT_PULL,
    CRASHES_COUNT,
    LATELY,
    NO_ROOM,
    NOT_THERE,
    SECRET_GONE,
    STALLED_AFTER,
)
from functions.domain.words import counted


def bad_deployment(signs: Signs, case: Case) -> None:
    """A deployment in progress, or given up by the circuit breaker, whose new tasks do not come up or hurt users.

    Tasks of the new release fail to start or to stay up, users feel it while it is being rolled out, or ECS has given
    up and nothing went back.
    """
    primary = signs.service.primary
    if primary is None:
        return
    if primary.rollout_state == "FAILED":
        case.rests_on(
            0.95, f"deployment {primary.id} failed and nothing rolled it back: {primary.rollout_reason}".rstrip(": ")
        )
    elif primary.rollout_state == "IN_PROGRESS" and signs.is_new_release:
        failed = max(primary.failed, signs.rejected(LATELY))
        told = f"{counted(failed, 'task')} of deployment {primary.id} failed to start or to stay up"
        if failed >= CRASHES_COUNT:
            case.rests_on(0.9, told)
        elif failed:
            case.rests_on(0.85 if signs.unwell else 0.5, told)
        if signs.unwell:
            case.rests_on(0.8, f"deployment {primary.id} is in progress and users feel it", *signs.symptoms)
        case.speaks_against(signs.nothing_runs, "no task of it runs, and none failed", at_most=0.5)
    case.speaks_against(
        signs.releases.current_since < primary.created_at,
        "the deployment brought no other release: what it runs ran before",
        at_most=0.4,
    )
    no_dependency_trouble(signs, case, at_most=0.3)


def bad_release(signs: Signs, case: Case) -> None:
    """A release whose deployment completed, and then the service got worse without more load.

    It came within the hour before the trouble. Users feel it, or its tasks crash, or the memory of a release that was
    never known to be good climbs. More load, or a dependency in trouble, would explain it better.
    """
    primary = signs.service.primary
    if primary is None or primary.rollout_state not in (None, "COMPLETED") or not signs.is_new_release:
        return
    crashes = signs.crashes(LATELY)
    if signs.unwell:
        case.rests_on(0.9, signs.release_age, *signs.symptoms)
    if crashes >= CRASHES_COUNT:
        case.rests_on(0.9, signs.release_age, f"{crashes} tasks of this release stopped by themselves lately")
    elif crashes and signs.unproven:
        case.rests_on(0.75, signs.release_age, "a task of it stopped by itself, before it was known to be good")
    if signs.leaks:
        case.rests_on(0.8, signs.release_age, f"{signs.memory} and still rises")
    if signs.complaining(Complaint.OTHER):
        case.evidence_for.append(signs.complaint(Complaint.OTHER))
    else:
        case.speaks_against(signs.load_up, f"there is more load than usual: {signs.load}", at_most=0.55)
    no_dependency_trouble(signs, case, at_most=0.3)


def image_unavailable(signs: Signs, case: Case) -> None:
    """The registry does not have the image of the tasks that are to start.

    The reasons of stopped tasks say that the image could not be pulled; one is enough if it says that there is none.
    """
    reasons = signs.stopped_because(LATELY, *CANNOT_PULL)
    gone = [reason for reason in reasons if any(words in reason.lower() for words in NOT_THERE)]
    if gone:
        case.rests_on(0.97, f"{counted(len(gone), 'task')} could not start: {gone[0]}")
    elif len(reasons) >= CRASHES_COUNT:
        case.rests_on(0.9, f"{counted(len(reasons), 'task')} could not start: {reasons[0]}")


def secret_missing(signs: Signs, case: Case) -> None:
    """A secret or parameter that the task definition names does not exist, so that no task starts.

    The reasons of stopped tasks say so, and a look at the secret itself may confirm it.
    """
    reasons = [
        reason
        for reason in signs.stopped_because(LATELY, CANNOT_INITIALISE)
        if any(words.lower() in reason.lower() for words in SECRET_GONE)
    ]
    if reasons:
        case.rests_on(0.97, f"{counted(len(reasons), 'task')} could not start: {reasons[0]}")
    secrets = signs.findings.secrets.value
    for secret in () if secrets is None or not reasons else secrets.secrets:
        if secret.exists is False:
            case.evidence_for.append(f"{secret.name} does not exist")


def deployment_stalled(signs: Signs, case: Case) -> None:
    """A deployment that neither goes on nor fails: its tasks hang before they run, or its bounds leave no room.

    For longer than a start takes none of its tasks runs, and none has failed; or ECS says that the deployment
    configuration leaves no room for one.
    """
    primary = signs.service.primary
    if primary is None:
        return
    if signs.stalled:
        case.rests_on(
            0.85,
            f"{STALLED_AFTER.seconds} s after deployment {primary.id} began none of its tasks runs, and none failed",
            *signs.symptoms,
        )
    no_room = signs.events_say(LATELY, NO_ROOM)
    if primary.rollout_state == "IN_PROGRESS" and signs.nothing_runs and no_room is not None:
        case.rests_on(0.9, no_room)
    case.speaks_against(signs.no_capacity is not None, "there is no capacity for tasks", at_most=0.5)


def schema_mismatch(signs: Signs, case: Case) -> None:
    """The code and the schema of its database do not fit: a column or a table that one of them expects is not there.

    Most error lines speak of it, while users feel it or tasks crash.
    """
    if signs.complaining(Complaint.SCHEMA) and (signs.unwell or signs.crashes(LATELY)):
        case.rests_on(0.95, signs.complaint(Complaint.SCHEMA), *signs.symptoms)


def health_check_misconfigured(signs: Signs, case: Case) -> None:
    """The load balancer asks tasks that work at the wrong port or path, or expects another answer.

    All targets are unhealthy while their tasks run and requests are answered well, or the check asks a port that no
    container listens on. Right after a release, it is rather the release's. Where targets time out, what the security
    groups let through is said with it.
    """
    sick = [target for target in signs.targets.targets if target.state == "unhealthy"]
    known = [target for target in signs.targets.targets if target.state in ("healthy", "unhealthy")]
    front, definition = signs.front, signs.findings.definition.value
    if sick and len(sick) == len(known) and signs.service.running >= len(sick) and not signs.failing and not signs.slow:
        all_of_them = "the only target is" if len(sick) == 1 else f"all {len(sick)} targets are"
        case.rests_on(0.8, f"{all_of_them} unhealthy ({sick[0].reason}), and yet requests are answered well")
    listens = () if definition is None else definition.ports
    for group in () if front is None or not sick or not listens else front.target_groups:
        port = group.health_check_port
        if port.isdigit() and int(port) not in listens:
            ports = ", ".join(map(str, listens))
            case.rests_on(0.85, f"the health check asks port {port}, and the containers listen on {ports}")
    if case.confidence > 0:
        case.evidence_for.extend(signs.timeouts)
    case.speaks_against(signs.may_be_new_release, "a new release came shortly before, or may have", at_most=0.6)
    no_dependency_trouble(signs, case, at_most=0.5)
