"""Synthetic checks in a world: what the responder's own function would find and publish, minute by minute.

A check is one more request: it fails as often as those of users do, and when answers take longer than its time-out.
What an answer has in it, WebSockets and secrets are not modelled: as far as they go, every check is fine.
"""

from dataclasses import dataclass

from functions.domain.services import ServiceRef
from functions.domain.synthetic import METRIC, NAMESPACE, dimensions
from tools.drill.world.metrics import Key, Metrics, Series, key_of
from tools.drill.world.service import Service
from tools.drill.world.setting import Alarm

REMEMBERED_MINUTES = 60
"""How long the checks have been made before the run."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of one service, and its metric."""

    setting: Alarm
    service: Service
    key: Key
    series: Series

    @classmethod
    def made(cls, written: Alarm, service: Service, ref: ServiceRef, metrics: Metrics) -> "Check":
        """A check that was fine until the run began."""
        key = key_of(NAMESPACE, METRIC, dimensions(ref, written.name))
        check = cls(setting=written, service=service, key=key, series=metrics.make(key, late_s=0.0))
        for minute in range(-REMEMBERED_MINUTES, 0):
            check.publish(minute, failed=False)
        return check

    def look(self, minute: int, share: float) -> None:
        """Make it at the end of a minute. `share`, from 0 to 1, is its luck."""
        front = self.service.front
        self.publish(minute, failed=share < front.failing or front.latency_s >= self.setting.timeout_s)

    def publish(self, minute: int, *, failed: bool) -> None:
        value = 1.0 if failed else 0.0
        self.series.add(minute, total=value, count=1.0, value=value)
