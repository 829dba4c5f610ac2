"""One visit of a step, as every step's function does it: carried through the table, and told in one log line."""

from collections.abc import Callable
from typing import Any

from functions.observability import logger
from functions.workflow.table import StepName
from functions.workflow.visit import StepCall, Visit, carry


def visit(
    step: StepName, event: dict[str, Any], call: StepCall, *, exhausted: StepCall | None = None
) -> dict[str, Any]:
    """The payload of the state machine in, the same with an outcome out."""
    logger.append_keys(incident_id=event.get("incident_id"), step=step)
    payload = carry(step, event, call, exhausted=exhausted)
    logger.info("visited", extra={name: payload[name] for name in ("outcome", "wait_s", "generation")})
    return payload


def ask(event: dict[str, Any], call: Callable[[Visit, str], None]) -> None:
    """The same for a step whose outcome comes from people: it is given the token that the answer needs."""
    logger.append_keys(incident_id=event.get("incident_id"), step=event["step"])
    call(Visit.model_validate(event), event["token"])
    logger.info("asked", extra={"expires_in_s": event.get("wait_s")})
