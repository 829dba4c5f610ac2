"""Everything counted at once: what `tools/cost/figures.json` holds."""

from collections.abc import Mapping, Sequence

from tools.bench.cost.incidents import Told
from tools.bench.cost.quiet import quiet, young
from tools.bench.cost.stacks import stacks
from tools.cost.model import Counted, Kind, Part
from tools.cost.prices import Item, Used, usd

FEW, MORE = 1, 5
"""Services for which the quiet month is counted: each further one adds the same."""

_ROUNDS: Mapping[str, Part] = {
    "bake": Part.BAKE,
    "sweep": Part.SWEEP,
    "heartbeat": Part.HEARTBEAT,
    "digest": Part.DIGEST,
}


def month(services: int) -> Mapping[Part, Used]:
    """Everything that costs by the month, counted for so many services."""
    counted, built = quiet(services), stacks(services)
    parts: dict[Part, Used] = {}
    for who, part in _ROUNDS.items():
        used: dict[Item, float] = dict(counted[who])
        if who in built.traced:
            used[Item.TRACE] = used.get(Item.TRACE, 0.0) + used[Item.LAMBDA_REQUEST]
        parts[part] = used
    parts[Part.METRICS] = counted["metrics"]
    own = {
        Part.OWN_ALARMS: Item.ALARM,
        Part.KEY: Item.KEY,
        Part.QUEUE: Item.SQS_REQUEST,
        Part.DASHBOARD: Item.DASHBOARD,
    }
    parts |= {part: {item: float(built.own[item])} for part, item in own.items()}
    parts[Part.UNATTENDED] = dict(built.unattended)
    parts[Part.SERVICE_ALARMS] = dict(built.alarms)
    return parts


def of_months() -> tuple[Mapping[Part, Used], Mapping[Part, Used]]:
    """What a deployment uses in a month, and what each service adds to it."""
    few, more = month(FEW), month(MORE)
    each = {
        part: {item: (more[part].get(item, 0.0) - n) / (MORE - FEW) for item, n in _all(few[part], more[part]).items()}
        for part in few
    }
    fixed = {part: {item: n - FEW * each[part].get(item, 0.0) for item, n in few[part].items()} for part in few}
    return _without_nothing(fixed), _without_nothing(each)


def _all(few: Used, more: Used) -> Used:
    return {item: few.get(item, 0.0) for item in {**few, **more}}


def _without_nothing(parts: Mapping[Part, Used]) -> Mapping[Part, Used]:
    return {part: {item: n for item, n in used.items() if abs(n) > 1e-9} for part, used in parts.items()}


def by_one_action(told: Sequence[Told]) -> list[Told]:
    """Those resolved by one action, with nothing to wait for before it, the cheapest first."""
    resolved = (t for t in told if t.resolved and t.incidents == t.actions == 1 and not t.watched_s)
    return sorted(resolved, key=lambda t: usd(t.used))


def named(told: Sequence[Told], scenario: str) -> Told:
    """What came of one scenario."""
    (found,) = (each for each in told if each.scenario == scenario)
    return found


def of_times(typical: Told, longest: Told) -> Mapping[Kind, Used]:
    """What costs each time, from an incident that one action resolved, and the longest ladder."""
    watched_h = longest.watched_s / 3600
    watch = {item: (n - longest.until_watched.get(item, 0.0)) / watched_h for item, n in longest.used.items()}
    return {
        Kind.ONE_ACTION: typical.used,
        Kind.LADDER: longest.until_watched,
        Kind.WATCHED_HOUR: {item: n for item, n in watch.items() if n > 0},
        Kind.RELEASE: young(),
    }


def counted(typical: Told, longest: Told) -> Counted:
    """All of it."""
    fixed, each = of_months()
    return Counted(fixed=fixed, each=each, times=of_times(typical, longest))
