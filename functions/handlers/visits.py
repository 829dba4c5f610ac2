"""One visit of a step, as every step's function does it: carried through the table, and told in one log line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from functions.domain.heartbeat import ID_PREFIX
from functions.observability import logger
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import StepCall, Visit, carry

if TYPE_CHECKING:
    from functions.workflow.announce import Announce


def visit(
    step: StepName, event: dict[str, Any], call: StepCall, *, exhausted: StepCall | None = None
) -> dict[str, Any]:
    """The payload of the state machine in, the same with an outcome out."""
    logger.append_keys(incident_id=event.get("incident_id"), step=step)
    payload = carry(step, event, call, exhausted=exhausted)
    logger.info("visited", extra={name: payload[name] for name in ("outcome", "wait_s", "generation")})
    return payload


def announced(payload: dict[str, Any], announce: Callable[[], Announce]) -> dict[str, Any]:
    """The payload, after what the step wrote was put on the bus. The step is done by then, whatever comes of this."""
    if payload["outcome"] == Outcome.SUPERSEDED or payload["incident_id"].startswith(ID_PREFIX):
        return payload
    try:
        return {**payload, "announced": announce()(payload["incident_id"], payload["announced"])}
    except Exception as error:  # noqa: BLE001 - an incident goes on without a word to machines, even a bug's
        logger.warning("not announced", extra={"error": f"{type(error).__name__}: {error}"})
        return payload


def question_announced(event: dict[str, Any], announce: Callable[[], Announce]) -> None:
    """The same for people who are asked, whose letter is out by then."""
    try:
        announce().question(event["incident_id"])
    except Exception as error:  # noqa: BLE001 - as in `announced`
        logger.warning("not announced", extra={"error": f"{type(error).__name__}: {error}"})


def ask(event: dict[str, Any], call: Callable[[Visit, str], None]) -> None:
    """The same for a step whose outcome comes from elsewhere: it is given the token that whoever says it needs."""
    logger.append_keys(incident_id=event.get("incident_id"), step=event["step"])
    call(Visit.model_validate(event), event["token"])
    logger.info("waits", extra={"expires_in_s": event.get("wait_s")})
