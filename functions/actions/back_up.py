"""Save the data before something else is done: a backup of every table and a snapshot of the DB instance."""

from functions.actions.action import Action, Refusal, Terms, state_before, untouchable
from functions.domain.backups import name_in
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, Plan, backing_up
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource


def plan_back_up(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Everything that the playbook names, one after the other, under the incident's own name."""
    service = findings.service.value
    if service is None:
        return Refusal("the service could not be read")
    refusal = untouchable(service)
    if refusal is not None:
        return Refusal(refusal)
    if terms.backups is None or terms.backups.nothing or not terms.incident_id:
        return Refusal("the playbook names nothing to back up")
    name = name_in(terms.incident_id)
    changes = backing_up(terms.backups, name)
    return Plan(
        action=ActionName.BACK_UP,
        cause=cause,
        summary=f"back up {terms.backups} as {name}",
        changes=changes,
        before=state_before(changes, service),
        undo="nothing to undo; backups stay, and cost, until somebody deletes them",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


BACK_UP = Action(
    name=ActionName.BACK_UP,
    effect="takes a backup of the tables and a snapshot of the DB instance that the playbook names; what comes after "
    "it in the ladder follows at once",
    preconditions="`backups` in the playbook; what comes after it is done only if all of them were taken",
    undo="nothing to undo; backups stay until somebody deletes them",
    restarts_or_scales=False,
    prepares=True,
    plan=plan_back_up,
    permissions=(
        Permission(action="dynamodb:ListBackups", resource=Resource.BACKUP_LIST),
        Permission(action="dynamodb:CreateBackup", resource=Resource.BACKED_UP_TABLE),
        Permission(action="rds:CreateDBSnapshot", resource=Resource.BACKED_UP_DATABASE),
    ),
)
