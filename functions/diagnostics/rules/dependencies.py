"""Causes that lie in what the service stands on, or in how it is let in there."""

from functions.diagnostics.complaints import Complaint
from functions.diagnostics.network import ways_to_databases
from functions.diagnostics.rules.case import Case
from functions.diagnostics.signs import Signs
from functions.diagnostics.tables import table_evidence
from functions.domain.dependencies import DependencyState

UNNAMED = 0.7
"""How sure the service's own words make it, where nothing is known of the dependency itself."""


def dependency_failing(signs: Signs, case: Case) -> None:
    """What the service stands on is down: more tasks or new tasks would only make it worse.

    A dependency of the playbook is failing. Or, with less confidence, most error lines say that something refuses
    connections or has none left. Whether security groups let the tasks reach a database is said with it.
    """
    for dependency in signs.dependencies.in_state(DependencyState.FAILING):
        case.rests_on(0.95 if signs.unwell else 0.7, f"dependency {dependency.name} is failing: {dependency.detail}")
    _in_its_words(signs, case, Complaint.REFUSED, Complaint.CONNECTIONS)
    if case.confidence > 0:
        case.evidence_for.extend((*ways_to_databases(signs.findings), *signs.symptoms))


def dependency_slow(signs: Signs, case: Case) -> None:
    """What the service stands on answers, but far too late: requests wait for it and hold the workers.

    A dependency of the playbook is slow. Or, with less confidence, most error lines tell of time-outs, or requests take
    longer although the tasks have no more to do; more load or a new release would explain that better.
    """
    for dependency in signs.dependencies.in_state(DependencyState.SLOW):
        case.rests_on(0.93 if signs.unwell else 0.7, f"dependency {dependency.name} is slow: {dependency.detail}")
    if signs.slow:
        _in_its_words(signs, case, Complaint.SLOW)
        if signs.dependencies.dependencies and not signs.cpu_up and not signs.cpu_collapsed:
            case.rests_on(0.65, "requests take longer while the tasks have no more to do: they wait for something")
    if case.confidence > 0:
        case.evidence_for.extend(signs.symptoms)
    elsewhere = not signs.dependencies.in_state(DependencyState.SLOW)
    case.speaks_against(elsewhere and signs.load_up, f"there is more load than usual: {signs.load}", at_most=0.4)
    case.speaks_against(elsewhere and signs.may_be_new_release, "a new release came shortly before", at_most=0.4)


def table_throttled(signs: Signs, case: Case) -> None:
    """A table, or another service of AWS, refuses a part of the calls because they are too many.

    A dependency of the playbook throttles. Or, with less confidence, most error lines say that something does. What the
    table takes, and whether a hot key fills a part of it, is said with it.
    """
    for dependency in signs.dependencies.in_state(DependencyState.THROTTLED):
        case.rests_on(0.95 if signs.unwell else 0.7, f"dependency {dependency.name} throttles: {dependency.detail}")
    _in_its_words(signs, case, Complaint.THROTTLED)
    if case.confidence > 0:
        case.evidence_for.extend((*table_evidence(signs.findings), *signs.symptoms))


def permission_denied(signs: Signs, case: Case) -> None:
    """The tasks may not do what they have to: a policy or a grant was changed, or the release needs another one.

    Users feel it, and most error lines say that access is denied.
    """
    if signs.unwell and signs.complaining(Complaint.DENIED):
        case.rests_on(0.93, signs.complaint(Complaint.DENIED), *signs.symptoms)


def authentication_failing(signs: Signs, case: Case) -> None:
    """The credentials of the tasks are refused: a secret was changed after they had read it, or is wrong.

    Users feel it, and most error lines say that credentials are refused. A secret that changed after tasks had read it
    supports that; where it changed a moment ago, such error lines are enough, before users can be seen to feel it.
    """
    if signs.unwell and signs.complaining(Complaint.AUTHENTICATION):
        case.rests_on(0.93, signs.complaint(Complaint.AUTHENTICATION), *signs.symptoms)
    elif signs.locked_out:
        case.rests_on(0.85, signs.complaint(Complaint.AUTHENTICATION))
    if case.confidence > 0:
        case.evidence_for.extend(signs.changed_secrets)


def _in_its_words(signs: Signs, case: Case, *about: Complaint) -> None:
    if signs.unwell and signs.complaining(*about):
        case.rests_on(UNNAMED, signs.complaint(*about))
