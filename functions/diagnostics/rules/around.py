"""Causes that lie in one task, one zone or the load balancer: told by where the trouble is, and where it is not."""

from functions.diagnostics.rules.case import Case, no_dependency_trouble
from functions.diagnostics.signs import Signs
from functions.domain import outliers


def one_bad_task(signs: Signs, case: Case) -> None:
    """One task among healthy ones fails requests or hangs; a fresh one in its place would not.

    Nearly all error lines come from one task, or one target alone is unhealthy. While tasks come and go, right after a
    release, with a dependency in trouble, or once the newest data shows no trouble any more it is hardly believed.
    """
    found = outliers.bad_task(signs.findings)
    if isinstance(found, outliers.Nowhere):
        return
    case.rests_on(0.88 if signs.unwell else 0.5, found.evidence, *signs.symptoms)
    case.speaks_against(signs.easing, "the newest data shows no trouble any more", at_most=0.5)
    case.speaks_against(not signs.service.steady, "the service is not in a steady state", at_most=0.4)
    case.speaks_against(signs.may_be_new_release, "a new release came shortly before, or may have", at_most=0.4)
    no_dependency_trouble(signs, case, at_most=0.4)


def zone_impaired(signs: Signs, case: Case) -> None:
    """Tasks in one Availability Zone fail while those in the others work.

    Tasks of one zone are unhealthy, fail their health checks or do not start, and none elsewhere; or nearly all failed
    requests are of one zone. AWS Health may say so, too.
    """
    found = outliers.bad_zone(signs.findings)
    if isinstance(found, outliers.Nowhere):
        return
    case.rests_on(0.9 if signs.unwell else 0.5, found.evidence, *signs.symptoms)
    case.speaks_against(signs.may_be_new_release, "a new release came shortly before, or may have", at_most=0.5)
    no_dependency_trouble(signs, case, at_most=0.4)


def stickiness_lost(signs: Signs, case: Case) -> None:
    """Sticky sessions that the service needs are off in its target group: users land on tasks that do not know them.

    Told by the attributes of the target group, where the playbook says `sticky_sessions`.
    """
    front = signs.front
    if front is None or front.sticky_s is None:
        return
    for group in front.target_groups:
        if not group.stickiness:
            name = group.arn.rsplit(":", 1)[-1]
            case.rests_on(
                0.93 if signs.unwell else 0.7,
                f"sticky sessions are off in {name}, and the playbook says that the service needs them",
                *signs.symptoms,
            )
