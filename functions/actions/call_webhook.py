"""Let the application clean up after itself: one request to an endpoint that the playbook names."""

from functions.actions.action import Action, Refusal, Terms, state_before, untouchable
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, CallWebhook, Plan
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource


def plan_call_webhook(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """The webhook that the ladder names, while a task runs that could answer."""
    webhook = next((each for each in terms.webhooks if each.name == terms.named), None)
    if webhook is None:
        return Refusal(f"the playbook has no webhook '{terms.named}'")
    service = findings.service.value
    if service is None:
        return Refusal("the service could not be read")
    refusal = untouchable(service)
    if refusal is not None:
        return Refusal(refusal)
    if service.running == 0:
        return Refusal("no task runs that could answer")
    changes = (
        CallWebhook(
            webhook=webhook.name,
            url=webhook.url,
            method=webhook.method,
            timeout_s=webhook.timeout,
            repeatable=webhook.repeatable,
            token=webhook.token,
        ),
    )
    return Plan(
        action=ActionName.CALL_WEBHOOK,
        cause=cause,
        summary=f"call webhook {webhook.name}: {webhook.method} {webhook.url}",
        changes=changes,
        before=state_before(changes, service),
        undo="nothing that the responder knows of: what the call did, the application says",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


CALL_WEBHOOK = Action(
    name=ActionName.CALL_WEBHOOK,
    effect="sends one request to an endpoint of the application that the playbook names, such as its own clean-up",
    preconditions="a webhook in the playbook, and a task that could answer",
    undo="what the call did, only the application knows",
    # It replaces no task and adds none: what it costs the dependencies, the application decides for itself.
    restarts_or_scales=False,
    plan=plan_call_webhook,
    permissions=(Permission(action="secretsmanager:GetSecretValue", resource=Resource.WEBHOOK_TOKEN),),
)
