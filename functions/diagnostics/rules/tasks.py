"""Causes that lie in the tasks that run."""

from functions.diagnostics.rules.case import Case
from functions.diagnostics.signs import Signs
from functions.diagnostics.thresholds import CRASHES_COUNT, KILLED_FOR_MEMORY, LATELY
from functions.domain.words import counted


def crash_loop(signs: Signs, case: Case) -> None:
    """Tasks of a release that ran for long now stop by themselves again and again.

    Not for their memory, and without a release shortly before: those are other causes.
    """
    crashes = signs.crashes(LATELY)
    if crashes >= CRASHES_COUNT:
        case.rests_on(0.8, f"{crashes} tasks stopped by themselves in the last {LATELY.seconds // 60} minutes")
    killed = len(signs.stopped_because(LATELY, KILLED_FOR_MEMORY))
    case.speaks_against(
        2 * killed > crashes, f"{counted(killed, 'of them was', 'of them were')} killed for their memory", at_most=0.5
    )
    case.speaks_against(signs.may_be_new_release, "a new release came shortly before, or may have", at_most=0.4)


def out_of_memory(signs: Signs, case: Case) -> None:
    """Tasks fill their memory and are killed for it, with a release that ran well before.

    Stopped tasks give it as their reason, or the memory is nearly full and was not before.
    """
    killed = signs.stopped_because(LATELY, KILLED_FOR_MEMORY)
    if killed:
        case.rests_on(
            0.9, f"{counted(len(killed), 'task was killed for its', 'tasks were killed for their')} memory: {killed[0]}"
        )
    if signs.memory_full:
        case.rests_on(0.7 if signs.unwell else 0.6, signs.memory, *signs.symptoms)
    case.speaks_against(signs.may_be_new_release, "a new release came shortly before, or may have", at_most=0.5)


def stuck_tasks(signs: Signs, case: Case) -> None:
    """Tasks look healthy but hardly work: they hang, or hold connections to something that has been away.

    The CPU fell far below the usual while requests kept coming and users feel it; or a dependency is back, and the
    tasks still fail. It is hardly believed with more load, right after a release, or while a dependency is in trouble.
    """
    felt = signs.failing or signs.slow or signs.hosts_missing
    if felt and signs.cpu_collapsed and signs.service.running > 0:
        case.rests_on(
            0.85,
            f"CPU fell from {signs.cpu_before:.0f} % to {signs.cpu_least or 0:.0f} % while requests kept coming",
            *signs.symptoms,
        )
    aftermath = signs.aftermath
    if signs.failing and not signs.easing and aftermath is not None:
        case.rests_on(0.8, f"{aftermath}, and the tasks still fail: they may hold dead connections", *signs.symptoms)
    case.speaks_against(signs.load_up, f"there is more load than usual: {signs.load}", at_most=0.4)
    case.speaks_against(signs.crowded, "far more tasks share the work than before", at_most=0.3)
    case.speaks_against(signs.is_new_release, "a new release came shortly before", at_most=0.4)
    case.speaks_against(not signs.service.steady, "the service is not in a steady state", at_most=0.4)
    for dependency in signs.dependencies.troubled:
        case.speaks_against(
            True, f"dependency {dependency.name} is {dependency.state}, which idles tasks too", at_most=0.2
        )
    case.speaks_against(
        not signs.dependencies.all_ok and not signs.dependencies.troubled,
        "no dependency is known to be fine, and a dead one idles tasks too",
        at_most=0.5,
    )
