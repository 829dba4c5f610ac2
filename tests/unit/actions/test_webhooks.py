"""Plans that call a webhook of the application."""

import pytest

from functions.actions.action import Refusal
from functions.actions.registry import ACTIONS
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, CallWebhook, Plan
from functions.domain.webhooks import Webhook
from tests.fakes.findings import findings, service, terms, without

HOOK = Webhook.model_validate(
    {"name": "cleanup", "url": "https://shop.example.com/api/cleanup", "token": "shop/cron-secret", "timeout": "5s"}
)
TERMS = terms(webhooks=(HOOK, HOOK.model_copy(update={"name": "sweep"})), named="cleanup")
CALL = ACTIONS[ActionName.CALL_WEBHOOK]


def test_the_webhook_that_the_ladder_names() -> None:
    """With what the playbook says of it, and the name of its secret alone; it is a rung of its own."""
    plan = CALL.plan(Cause.STUCK_TASKS, findings(), TERMS)
    assert isinstance(plan, Plan)
    assert plan.changes == (
        CallWebhook(
            webhook="cleanup",
            url="https://shop.example.com/api/cleanup",
            method="POST",
            timeout_s=5,
            token="shop/cron-secret",
        ),
    )
    assert plan.rung == "call-webhook:cleanup"
    assert plan.summary == "call webhook cleanup: POST https://shop.example.com/api/cleanup"


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (without(findings(), "service"), "could not be read"),
        (findings(service=service(status="DRAINING")), "DRAINING"),
        (findings(service=service(desired=0, running=0)), "a person did"),
        (findings(service=service(running=0)), "no task runs"),
    ],
)
def test_nothing_is_called_that_could_not_answer(seen: object, reason: str) -> None:
    """A service that is not there, or that a person stopped."""
    refusal = CALL.plan(Cause.STUCK_TASKS, seen, TERMS)  # type: ignore[arg-type]
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_a_webhook_that_the_playbook_lost() -> None:
    """The incident began with another version of it."""
    refusal = CALL.plan(Cause.STUCK_TASKS, findings(), terms(named="cleanup"))
    assert isinstance(refusal, Refusal)
    assert "no webhook 'cleanup'" in refusal.reason
