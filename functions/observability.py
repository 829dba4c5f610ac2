"""The one logger and metrics of the functions. Traces are Lambda's and Step Functions' own."""

from collections.abc import Callable, Container, Sequence

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from functions.domain.counts import BY, NAMESPACE, SECONDS, SERVICE, Counted, counted
from functions.domain.incidents import Event, Incident

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def emit(*values: Counted) -> None:
    """Write each as a line of its own, at once: a function that dies later has counted what it did."""
    for each in values:
        unit = MetricUnit.Seconds if each.count in SECONDS else MetricUnit.Count
        by = BY.get(each.count)
        with single_metric(
            name=each.count, unit=unit, value=each.value, namespace=NAMESPACE, default_dimensions={"service": SERVICE}
        ) as metric:
            if by is not None and each.of is not None:
                metric.add_dimension(name=by, value=each.of)


def counting(alarms: Callable[[], Container[str]]) -> Callable[[Incident, Sequence[Event]], None]:
    """Counts lines of a trail that were just written. `alarms` tells those that playbooks name, once one needs it."""

    def count(incident: Incident, events: Sequence[Event]) -> None:
        try:
            emit(*(each for event in events for each in counted(incident, event, alarms=alarms)))
        except Exception as error:  # noqa: BLE001 - what was written stands; nothing in an incident waits for a count
            logger.warning("not counted", extra={"error": f"{type(error).__name__}: {error}"})

    return count
