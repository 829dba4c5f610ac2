"""What a service costs, and what its playbook allows it to cost."""

from math import floor

from functions.domain.model import Model


class BudgetFacts(Model):
    """The budget of the playbook, beside what one task costs."""

    tasks: int | None = None
    """How many tasks the playbook means to pay for; None where it does not say."""
    usd_per_day: float | None = None
    task_usd_per_day: float | None = None
    """By the list price of Fargate; None where the task definition does not say how large a task is, or it runs
    elsewhere."""
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
