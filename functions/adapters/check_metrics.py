"""Publishes what synthetic checks found, as one metric for each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from functions.adapters.answers import reading
from functions.domain.synthetic import METRIC, NAMESPACE, Checked, dimensions

CALLS = ("cloudwatch:PutMetricData",)
"""It takes no resource; the condition `cloudwatch:namespace` narrows it (CloudWatch User Guide, "Using condition keys
to limit access to CloudWatch namespaces")."""

MOST_PER_CALL = 1000
"""Metrics in one request (CloudWatch API reference, PutMetricData)."""


class CloudWatchCheckMetrics:
    """The `CheckMetrics` of the deployed responder. IAM actions: `CALLS`.

    The client may repeat: the alarms ask for the maximum of a minute, which a second arrival does not change.
    """

    def __init__(self, client: Any) -> None:
        self._cloudwatch = client

    def publish(self, checked: Sequence[Checked], *, at: datetime) -> None:
        data = [
            {
                "MetricName": METRIC,
                "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions(each.ref, each.check).items()],
                "Timestamp": at,
                "Value": each.value,
            }
            for each in checked
        ]
        for start in range(0, len(data), MOST_PER_CALL):
            with reading("the metrics of the checks"):
                self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + MOST_PER_CALL])
