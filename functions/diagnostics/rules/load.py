"""Causes that lie in how much there is to do, and in how many tasks there are for it."""

from functions.diagnostics.breach import breach_evidence
from functions.diagnostics.complaints import Complaint
from functions.diagnostics.rules.case import Case, no_dependency_trouble
from functions.diagnostics.signs import Signs
from functions.diagnostics.thresholds import LATELY, LOAD_FLOODS, SEVERITY_TELLS


def overload(signs: Signs, case: Case) -> None:
    """More requests than the tasks can carry: load and CPU went up together.

    Either of them alone is worth less. Where a release came shortly before, a dependency is in trouble, or the
    autoscaler may not go higher, another cause says it better.
    """
    if signs.load_up and signs.cpu_high:
        case.rests_on(0.9, f"more load: {signs.load}", f"CPU is at {signs.cpu_now:.0f} %", *signs.symptoms)
    elif signs.load_up and signs.unwell and not signs.cpu_collapsed:
        case.rests_on(0.65, f"more load: {signs.load}", *signs.symptoms)
    elif signs.cpu_high and signs.cpu_up:
        case.rests_on(0.5, f"CPU is at {signs.cpu_now:.0f} % without more requests")
    if signs.complaining(Complaint.OVERLOADED, Complaint.SLOW):
        case.evidence_for.append(signs.complaint(Complaint.OVERLOADED, Complaint.SLOW))
    else:
        case.speaks_against(signs.is_new_release, "a new release came shortly before", at_most=0.65)
    case.speaks_against(not signs.releases_known, "whether a release came shortly before is not known", at_most=0.5)
    no_dependency_trouble(signs, case, at_most=0.2)
    case.speaks_against(
        signs.at_ceiling, "the service already runs as many tasks as its scalable target allows", at_most=0.4
    )
    case.speaks_against(
        signs.beyond_ceiling, "as many tasks as its scalable target allows could not carry it", at_most=0.4
    )
    case.speaks_against(signs.flooded, f"more than {LOAD_FLOODS:g} times the usual load is no crowd", at_most=0.4)
    case.speaks_against(signs.no_capacity is not None, "there is no capacity for more tasks", at_most=0.4)


def scaling_ceiling(signs: Signs, case: Case) -> None:
    """Overloaded, and the autoscaler may not go as high as the load needs: people decide on a ceiling.

    There is more load, users or the CPU feel it, and as many tasks are wanted as the scalable target allows; or so many
    could not carry the load.
    """
    if (signs.at_ceiling or signs.beyond_ceiling) and signs.load_up and (signs.cpu_high or signs.unwell):
        case.rests_on(
            0.9,
            f"more load: {signs.load}",
            f"{signs.service.desired} tasks are wanted, and the scalable target allows {signs.scaling.maximum}",
            *(("so many could not carry it",) if signs.beyond_ceiling else ()),
        )
    no_dependency_trouble(signs, case, at_most=0.2)
    case.speaks_against(signs.flooded, f"more than {LOAD_FLOODS:g} times the usual load is no crowd", at_most=0.4)
    case.speaks_against(signs.no_capacity is not None, "there is no capacity for more tasks", at_most=0.4)


def suspected_breach(signs: Signs, case: Case) -> None:
    """Far more requests than users ever send, at once: an attack, or a client gone wild. Scaling would pay for it.

    Told by the number of requests alone: several times the usual, which no crowd of users is. Or by a finding of
    GuardDuty about the service, read back from GuardDuty: the graver it is, the surer. Where the playbook asks for it,
    open security groups, findings in the images and denied calls are shown beside it.
    """
    for threat in signs.threats:
        said = f"GuardDuty, {threat.level} ({threat.severity:g}): {threat.type} on {threat.resource}"
        case.rests_on(SEVERITY_TELLS[threat.level], said)
    if signs.flooded:
        case.rests_on(0.85, f"more than {LOAD_FLOODS:g} times the usual load: {signs.load}", *signs.symptoms)
    if signs.threats or signs.flooded:
        case.evidence_for.extend(breach_evidence(signs.findings))


def no_capacity(signs: Signs, case: Case) -> None:
    """AWS has no capacity for the tasks that are wanted.

    ECS says so in the events of the service, and tasks are missing.
    """
    said = signs.no_capacity
    missing = signs.service.desired - signs.service.running
    if said is not None and missing > 0:
        case.rests_on(0.95, said, f"{signs.service.running} of {signs.service.desired} tasks run")
    elif said is not None:
        case.rests_on(0.5, said)


def runaway_cost(signs: Signs, case: Case) -> None:
    """Far more tasks run than the load needs: a policy, a floor or a metric went wrong, and each of them costs.

    The tasks idle, there is no more load than before, and users feel nothing. Beyond the playbook's budget a few tasks
    too many are enough; where the load needs them, the cause is not sure enough to act upon, and people are told. As
    many as the responder itself keeps running for a while are no waste.
    """
    if signs.wasteful:
        case.rests_on(0.9, signs.waste, f"the load is no higher: {signs.load}", *signs.cost)
    if signs.over_budget is not None:
        case.rests_on(0.85 if signs.idle else 0.5, signs.over_budget, *signs.cost)
        case.speaks_against(
            not signs.idle and not signs.wasteful and not signs.as_held,
            f"the tasks may be needed: CPU is at {signs.cpu_now:.0f} %, {signs.load}",
            at_most=0.5,
        )
    case.speaks_against(signs.as_held, "the responder itself keeps so many running for now", at_most=0.4)
    case.speaks_against(signs.failing or signs.slow, "users feel something, too", at_most=0.5)
    case.speaks_against(signs.crashes(LATELY) > 0, "tasks stop by themselves", at_most=0.5)
    no_dependency_trouble(signs, case, at_most=0.4)
