"""Lambda `intake`: fed by the queue, turns messages into signals.

A bad record is reported to the queue as failed and, after its retries, lies in the dead-letter queue; the good ones of
the same batch are kept.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.counts import Count
from functions.domain.errors import SignalRefused
from functions.domain.signals import SignalKind
from functions.handlers.signals import Ignored, read_message
from functions.observability import logger, metrics

REASONS_TOLD = 5
"""Of one message; a message may be made of many."""

bootstrap.at_start(bootstrap.intake, clients=("dynamodb", "stepfunctions"))


def read_record(message_id: str, body: str) -> None:
    """Take in every signal of one queue message, then refuse the message if one part of it could not be read.

    Raises:
        SignalRefused: so that the queue keeps the message.
    """
    intake = bootstrap.intake()
    refused: list[SignalRefused] = []
    recorded = 0
    for outcome in read_message(body):
        if isinstance(outcome, SignalRefused):
            refused.append(outcome)
        elif isinstance(outcome, Ignored):
            logger.info("message ignored", extra={"message_id": message_id, "reason": outcome.reason})
        else:
            try:
                openings = intake(outcome)
            except Exception:
                # Whatever it is: the batch is answered all the same, so that Lambda counts no error.
                metrics.add_metric(name=Count.SIGNALS_NOT_TAKEN, unit=MetricUnit.Count, value=1)
                raise
            # A heartbeat counts itself when it comes back.
            recorded += outcome.kind is not SignalKind.HEARTBEAT
            logger.info(
                "signal recorded",
                extra={
                    "message_id": message_id,
                    "signal": outcome.title,
                    "openings": [opening.model_dump(mode="json") for opening in openings],
                },
            )
    if recorded:
        metrics.add_metric(name=Count.SIGNALS_RECORDED, unit=MetricUnit.Count, value=recorded)
    if refused:
        metrics.add_metric(name=Count.SIGNALS_REJECTED, unit=MetricUnit.Count, value=1)
        reasons = "; ".join(str(error) for error in refused[:REASONS_TOLD])
        if len(refused) > REASONS_TOLD:
            reasons += f"; and {len(refused) - REASONS_TOLD} more"
        logger.error("message rejected", extra={"message_id": message_id, "reason": reasons})
        raise SignalRefused(reasons)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The records of the batch that failed: the queue sends these again, and forgets the others (Lambda Developer
    Guide, "Handling errors for an SQS event source in Lambda")."""
    failed = [record["messageId"] for record in event["Records"] if not _taken(record["messageId"], record["body"])]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _taken(message_id: str, body: str) -> bool:
    try:
        read_record(message_id, body)
    except SignalRefused:
        return False
    except Exception as error:  # noqa: BLE001 - the queue keeps the message, whatever it is, and sends it again
        logger.error(
            "message not taken", extra={"message_id": message_id, "reason": f"{type(error).__name__}: {error}"}
        )
        return False
    return True
