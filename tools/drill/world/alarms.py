"""CloudWatch alarms: M of N periods, every treatment of missing data, SetAlarmState, and nothing but transitions.

Source: Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data" and "Evaluating an alarm".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Compare = Callable[[float, float], bool]

EXTRA_PERIODS = 2
"""CloudWatch retrieves more periods than it evaluates and uses the newest that have data; how many more, the guide does
not say (its examples show five for three). [assumption of two for every alarm]"""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an alarm compares."""

    greater: bool
    """GreaterThanThreshold, else LessThanThreshold: the two that the responder's own alarms use."""
    threshold: float
    period_s: int
    evaluation_periods: int
    datapoints: int
    missing: str
    """TreatMissingData: breaching, notBreaching, ignore or missing."""

    def breaches(self, value: float) -> bool:
        return value > self.threshold if self.greater else value < self.threshold


def judged(rule: Rule, values: Sequence[float | None], *, state: str) -> str:
    """The state that follows from the newest periods, oldest first; None where a period has no data.

    The newest periods that have data are used. Only when they are fewer than the evaluation periods, the rest is
    filled in as the treatment says; `ignore` keeps the state, and `missing` goes by the data there is.
    """
    known = [rule.breaches(value) for value in values if value is not None][-rule.evaluation_periods :]
    lacking = rule.evaluation_periods - len(known)
    breaching = sum(known) + (lacking if rule.missing == "breaching" else 0)
    if breaching >= rule.datapoints:
        return "ALARM"
    if rule.missing in ("breaching", "notBreaching") or not all(known):
        return "OK"
    if rule.missing == "ignore":
        return state if lacking else "OK"
    if not known:
        return "INSUFFICIENT_DATA"
    return "ALARM" if lacking else "OK"


@dataclass(kw_only=True)
class Alarm:
    """One metric alarm and its state.

    `definition` is what DescribeAlarms answers beside the state; `read` gives the value of the period that begins at a
    time, from what has arrived, or None.
    """

    name: str
    rule: Rule
    definition: dict[str, Any]
    read: Callable[[float], float | None]
    told_by: str = "sns"
    state: str = "OK"
    reason: str = "Threshold Crossed: the newest datapoints were not breaching."
    updated_at: datetime
    changed_at: datetime
    history: list[tuple[datetime, str, str, str, str]] = field(default_factory=list)
    """Transitions, oldest first: when, state and reason before, state and reason after."""

    def evaluate(self, now_s: float, now: datetime) -> bool:
        """Judge again; whether the state changed."""
        rule = self.rule
        current = int(now_s // rule.period_s)
        first = current - rule.evaluation_periods - EXTRA_PERIODS
        values = [self.read(period * rule.period_s) for period in range(first, current)]
        state = judged(rule, values, state=self.state)
        if state == self.state:
            return False
        self.set(state, _reason(rule, values, state), now)
        return True

    def set(self, state: str, reason: str, now: datetime) -> bool:
        """Enter a state, as an evaluation or SetAlarmState does; whether it is another one than before."""
        changed = state != self.state
        if changed:
            self.history.append((now, self.state, self.reason, state, reason))
        self.state, self.reason, self.updated_at = state, reason, now
        if changed:
            self.changed_at = now
        return changed


def _reason(rule: Rule, values: Sequence[float | None], state: str) -> str:
    known = [value for value in values if value is not None][-rule.evaluation_periods :]
    if not known:
        treated = {"breaching": "[Breaching]", "notBreaching": "[NonBreaching]"}.get(rule.missing, "[Missing]")
        return (
            f"Threshold Crossed: no datapoints were received for {rule.evaluation_periods} periods and "
            f"{rule.evaluation_periods} missing datapoints were treated as {treated}."
        )
    told = [value for value in known if rule.breaches(value) == (state == "ALARM")] or known
    shown = ", ".join(f"{value:.4g}" for value in reversed(told))
    many = f"{len(told)} out of the last {rule.evaluation_periods} datapoints [{shown}]"
    side = "greater than" if rule.greater else "less than"
    was = "were" if state == "ALARM" else "were not"
    return f"Threshold Crossed: {many} {was} {side} the threshold ({rule.threshold:.4g})."
