"""What a service costs, and what its playbook allows it to cost."""

from collections.abc import Mapping
from datetime import date
from math import floor

from functions.domain.model import Model

OWN_TAG = "ecs-first-responder"
"""Whatever the responder's stacks make has this tag, with the deployment's name."""


class BudgetFacts(Model):
    """The budget of the playbook, beside what one task costs."""

    tasks: int | None = None
    """How many tasks the playbook means to pay for; None where it does not say."""
    usd_per_day: float | None = None
    task_usd_per_day: float | None = None
    """By the list price of Fargate; None where the task definition does not say how large a task is, or it runs
    elsewhere."""
    held: int | None = None
    """How many tasks a lease of the responder's own keeps running for now; None without such a lease."""
    told: bool = False
    """Whether a signal of the last day spoke of money."""

    @property
    def allowed(self) -> int | None:
        """How many tasks keep within the budget; None without one, or where nobody knows what a task costs."""
        affordable = (
            floor(self.usd_per_day / self.task_usd_per_day)
            if self.usd_per_day is not None and self.task_usd_per_day
            else None
        )
        return min((each for each in (self.tasks, affordable) if each is not None), default=None)

    @property
    def unclear(self) -> bool:
        """A budget in dollars, and nobody knows what a task costs."""
        return self.usd_per_day is not None and self.task_usd_per_day is None

    @property
    def text(self) -> str:
        """The budget, for a person."""
        parts = [f"{self.tasks} tasks"] if self.tasks is not None else []
        parts += [f"{self.usd_per_day:g} USD a day"] if self.usd_per_day is not None else []
        return " and ".join(parts)


class BilledDay(Model):
    """What one day cost, before credits are shared and upfront payments spread (`UnblendedCost`)."""

    day: date
    by_service: Mapping[str, float]
    """By the name that the bill gives a service of AWS; in the currency of the bill."""
    own: float = 0.0
    """What of it has `OWN_TAG`; nothing as long as nobody has activated that as a cost allocation tag."""
    estimated: bool = False
    """AWS may still change it: true until the month is billed."""

    @property
    def total(self) -> float:
        return sum(self.by_service.values())


class BillFacts(Model):
    """What the whole account cost, day by day (Cost Explorer, GetCostAndUsage)."""

    days: tuple[BilledDay, ...]
    """Oldest first; days without a figure are left out."""
    currency: str = "USD"
    requests: int = 1
    """How many requests it took: each costs 0.01 USD."""

    @property
    def total(self) -> float:
        return sum(day.total for day in self.days)

    @property
    def own(self) -> float:
        return sum(day.own for day in self.days)

    @property
    def by_service(self) -> Mapping[str, float]:
        """All days together, the dearest first."""
        sums: dict[str, float] = {}
        for day in self.days:
            for name, amount in day.by_service.items():
                sums[name] = sums.get(name, 0.0) + amount
        return dict(sorted(sums.items(), key=lambda entry: (-entry[1], entry[0])))
