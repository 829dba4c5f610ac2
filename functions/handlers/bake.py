"""Lambda `bake`: woken every minute, looks after young releases; woken by a changed secret or a finding about a role,
finds whom it concerns."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.errors import SignalRefused
from functions.handlers.signals import secrets, threats
from functions.observability import logger

bootstrap.at_start(bootstrap.bake, clients=("dynamodb", "ecs"))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What was done, for whoever calls it by hand; neither the schedule nor the rules look."""
    if secrets.tells_of_secret(event):
        return _secret_changed(event)
    if threats.tells_of_role(event):
        return _role_used(event)
    baked = bootstrap.bake()()
    told = baked.model_dump(mode="json")
    if baked.failed:
        logger.error("baked, but not for every service", extra=told)
    else:
        logger.info("baked", extra=told)
    return told


def _secret_changed(event: dict[str, Any]) -> dict[str, Any]:
    """An event that cannot be read is one line in the log: sent again it would be no better."""
    try:
        change = secrets.from_eventbridge(event)
    except SignalRefused as refused:
        logger.error("event rejected", extra={"event_id": str(event.get("id")), "reason": str(refused)})
        return {"refused": str(refused)}
    if change is None:
        logger.info("event ignored", extra={"event_id": str(event.get("id"))})
        return {}
    concerned = bootstrap.tell_secret_change()(change).model_dump(mode="json")
    logger.info("secret changed", extra=concerned)
    return concerned


def _role_used(event: dict[str, Any]) -> dict[str, Any]:
    """The same for a finding of GuardDuty that names a role."""
    try:
        signal = threats.from_eventbridge(event)
    except SignalRefused as refused:
        logger.error("event rejected", extra={"event_id": str(event.get("id")), "reason": str(refused)})
        return {"refused": str(refused)}
    threatened = bootstrap.tell_threat()(signal).model_dump(mode="json")
    logger.info("role used", extra=threatened)
    return threatened
