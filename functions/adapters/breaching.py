"""Whether data points breach an alarm's own rule, its M of N: evaluated here because SetAlarmState can fake a state."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

LATE_PERIODS = 2
"""How many of the newest periods may still be empty: AWS services publish up to a minute late."""

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a metric alarm compares (CloudWatch API reference, MetricAlarm)."""

    operator: str
    threshold: float
    statistic: str
    """Empty for metric math, whose result may be anything."""
    period_s: int
    evaluation_periods: int
    datapoints: int
    missing: str
    """TreatMissingData: breaching, notBreaching, ignore or missing."""

    @property
    def looks_back_s(self) -> int:
        return (self.evaluation_periods + LATE_PERIODS + 1) * self.period_s

    @property
    def grows(self) -> bool:
        """Whether the value of a period can still rise until the period is over, so that a low one says nothing yet."""
        return self.statistic in ("Sum", "SampleCount", "")


def breaching(rule: Rule, points: Sequence[tuple[datetime, float]], *, now: datetime) -> bool | None:
    """Whether the newest data breaches the rule; None where there is no data to tell, or no such comparison.

    The period that is not over yet counts as a data point of its own when it is the newest, but cannot hide a breach of
    the periods before it.
    """
    compare = _COMPARISONS.get(rule.operator)
    if compare is None:
        return None
    current = int(now.timestamp()) // rule.period_s
    oldest = current - rule.evaluation_periods - LATE_PERIODS
    verdicts = {
        period: compare(value, rule.threshold)
        for at, value in points
        if oldest <= (period := int(at.timestamp()) // rule.period_s) <= current
    }
    if rule.grows and compare is not operator.gt and compare is not operator.ge:
        verdicts.pop(current, None)
    filler = {"breaching": True, "notBreaching": False}.get(rule.missing)
    newest = max(verdicts, default=oldest - 1)
    if newest < current - 1 - LATE_PERIODS:
        return filler
    ends = {newest, current - 1} if newest == current else {newest}
    return any(_enough(rule, verdicts, end, filler) for end in ends)


def _enough(rule: Rule, verdicts: Mapping[int, bool], end: int, filler: bool | None) -> bool:
    window = range(end - rule.evaluation_periods + 1, end + 1)
    return sum(1 for period in window if verdicts.get(period, filler)) >= rule.datapoints
