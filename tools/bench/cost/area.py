"""What the responder costs: idle, and for an incident."""

import statistics
from collections.abc import Sequence

from tools.bench.cost.figures import by_one_action, counted, named
from tools.bench.cost.incidents import LADDER, TYPICAL, Told, played, scenarios
from tools.bench.entries import Against, Entry, Goal
from tools.bench.entries import Told as Tell
from tools.cost.model import Counted, Kind, Part, Question, bill, total
from tools.cost.prices import Used, usd

SERVICES = 10

ONE_ACTION_USD = 0.002
LADDER_USD = 0.01
IDLE_USD = 5.0


def measure(told: Tell) -> Sequence[Entry]:
    """Every scenario of the drill with a meter on it, a quiet month, and the templates of a deployment."""
    found: list[Told] = []
    for scenario in scenarios():
        told(scenario.name)
        found.append(played(scenario))
    told("a quiet month")
    kept = counted(named(found, TYPICAL), named(found, LADDER.stem))
    return [*_of_incidents(found, kept), *_of_months(kept)]


def _of_incidents(found: Sequence[Told], kept: Counted) -> list[Entry]:
    resolved = by_one_action(found)
    prices = [usd(each.used) for each in resolved]
    dearest, longest = resolved[-1], named(found, LADDER.stem)
    return [
        Entry(
            f"cost: an incident resolved by one action, the dearest of {len(resolved)}",
            "USD",
            prices[-1],
            goal=Goal(ONE_ACTION_USD, Against.NOTHING),
            how=f"{dearest.scenario}: {shown(dearest.used)}",
        ),
        Entry(
            f"cost: an incident resolved by one action, median of {len(resolved)}",
            "USD",
            statistics.median(prices),
            goal=Goal(ONE_ACTION_USD, Against.NOTHING),
        ),
        Entry(
            "cost: the longest ladder, three of four rungs taken in vain, until people are paged",
            "USD",
            usd(longest.until_watched),
            goal=Goal(LADDER_USD, Against.NOTHING),
            how=shown(longest.until_watched),
        ),
        Entry(
            f"cost: the same, and {longest.watched_s / 60:.0f} minutes of watching until people mended it",
            "USD",
            usd(longest.used),
            how=shown(longest.used),
        ),
        Entry("cost: each hour of watching", "USD", usd(kept.times[Kind.WATCHED_HOUR])),
        Entry("cost: a release watched until it is good", "USD", usd(kept.times[Kind.RELEASE])),
    ]


def _of_months(kept: Counted) -> list[Entry]:
    month = bill(kept, Question(services=SERVICES, incidents=0, releases=0))
    unattended = usd(kept.month(Part.UNATTENDED, SERVICES))
    idle = total(month.idle)
    return [
        Entry(
            f"cost: a month without incidents, {SERVICES} services, beyond the alarms in their stacks",
            "USD",
            idle,
            goal=Goal(IDLE_USD, Against.NOTHING),
        ),
        Entry(
            f"cost: the same with {Part.UNATTENDED}",
            "USD",
            idle + unattended,
            goal=Goal(IDLE_USD, Against.NOTHING),
            how="0.50 for each service, so that CloudWatch alone pages people for it",
        ),
        *(Entry(f"cost, a month: {line.what}", "USD", line.usd, how=shown(line.made_of)) for line in month.idle),
        *(Entry(f"cost, a month: {line.what}", "USD", line.usd, how=shown(line.made_of)) for line in month.alarms),
    ]


def shown(used: Used) -> str:
    """All that was used."""
    return ", ".join(f"{amount:,.6g} {item.value}" for item, amount in used.items() if amount)
