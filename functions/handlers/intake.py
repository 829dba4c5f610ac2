"""Lambda `intake`: fed by the queue, turns messages into signals.

A bad record is reported to the queue as failed and, after its retries, lies in the dead-letter queue; the good ones of
the same batch are kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.counts import Count
from functions.domain.errors import SignalRefused
from functions.domain.incidents import Opening
from functions.domain.signals import Signal, SignalKind
from functions.handlers.signals import Ignored, Outcome, read_message
from functions.observability import logger, metrics

REASONS_TOLD = 5
"""Of one message; a message may be made of many."""

Taken = tuple[Opening, ...] | Exception

bootstrap.at_start(bootstrap.intake, clients=("dynamodb", "stepfunctions"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The records of the batch that failed, as SQS wants them: the others are not sent again (Lambda Developer Guide,
    "Handling errors for an SQS event source in Lambda")."""
    records = [(str(record["messageId"]), _read(record)) for record in event["Records"]]
    taken = iter(_take([each for _, outcomes in records for each in outcomes if isinstance(each, Signal)]))
    failed = [message_id for message_id, outcomes in records if not _settled(message_id, outcomes, taken)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _read(record: Mapping[str, Any]) -> Sequence[Outcome | Exception]:
    try:
        return read_message(record["body"])
    except Exception as error:  # noqa: BLE001 - a bug in reading one record keeps back no other
        return [error]


def _take(signals: Sequence[Signal]) -> Sequence[Taken]:
    """What came of each signal. Whatever it is, the batch is answered, so that Lambda counts no error."""
    try:
        return bootstrap.intake().batch(signals) if signals else ()
    except Exception as error:  # noqa: BLE001 - as above
        return [error] * len(signals)


def _settled(message_id: str, outcomes: Sequence[Outcome | Exception], taken: Iterator[Taken]) -> bool:
    """Log and count what came of one message; False where the queue has to keep it: one part of it could not be read,
    or not be taken in. The other parts are taken in all the same."""
    refused: list[SignalRefused] = []
    broken: Exception | None = None
    recorded = 0
    for outcome in outcomes:
        if isinstance(outcome, SignalRefused):
            refused.append(outcome)
        elif isinstance(outcome, Exception):
            broken = outcome
        elif isinstance(outcome, Ignored):
            logger.info("message ignored", extra={"message_id": message_id, "reason": outcome.reason})
        else:
            openings = next(taken)
            if isinstance(openings, Exception):
                broken = openings
                continue
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
    if broken is not None:
        metrics.add_metric(name=Count.SIGNALS_NOT_TAKEN, unit=MetricUnit.Count, value=1)
        reason = f"{type(broken).__name__}: {broken}"
        logger.error("message not taken", extra={"message_id": message_id, "reason": reason})
    if refused:
        metrics.add_metric(name=Count.SIGNALS_REJECTED, unit=MetricUnit.Count, value=1)
        reasons = "; ".join(str(error) for error in refused[:REASONS_TOLD])
        if len(refused) > REASONS_TOLD:
            reasons += f"; and {len(refused) - REASONS_TOLD} more"
        logger.error("message rejected", extra={"message_id": message_id, "reason": reasons})
    return broken is None and not refused
