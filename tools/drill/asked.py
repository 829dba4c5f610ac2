"""What is asked of the responder, and whether a drill shows it.

The numbers are targets; the measures say how each comes about. An action can fix a scenario that has remedies; all
others end by themselves or by people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.drill.measures import ratios, spread
from tools.drill.results import Demand, RunResult, Shown, Summary

OURS = "responder"

MEDIAN_AT_MOST, P95_AT_MOST = 1.25, 2.0
"""Impact ratio to the oracle, over the runs that an action can fix."""
MEDIAN_WHEN_BENT = 1.5
"""The same for the middle run in a world whose constants are bent."""
ESCALATED_AT_LEAST = 0.99
"""Share of the runs that no action can fix in which people were told exactly if they were needed."""
NAMED_AT_LEAST = 0.95
"""Share of all runs in which the true cause was named first."""


@dataclass(frozen=True)
class Asking:
    """What is needed to ask it of some runs: which scenarios an action can fix, and the oracle's runs."""

    fixable: frozenset[str]
    oracle: Mapping[tuple[str, int], RunResult]

    def shown(self, runs: Sequence[RunResult]) -> Shown | None:
        """What the responder's among these runs show; None without any."""
        ours = [run for run in runs if run.policy == OURS]
        if not ours:
            return None
        fixable = [run for run in ours if run.scenario in self.fixable]
        rest = [run for run in ours if run.scenario not in self.fixable]
        return Shown(
            runs=len(ours),
            harmful=sum(1 for run in ours if run.harm),
            ratio=spread(ratios(fixable, self.oracle)),
            unfixable=len(rest),
            escalated_correctly=sum(1 for run in rest if run.escalated_correctly),
            cause_first=sum(1 for run in ours if run.cause_first),
        )


def better_than(by_policy: Mapping[str, Summary]) -> Mapping[str, bool]:
    """Whether the responder's middle run loses less than that of each other way to respond, but the oracle's."""
    ours = by_policy.get(OURS)
    if ours is None:
        return {}
    return {
        name: ours.impact_median < summary.impact_median
        for name, summary in by_policy.items()
        if name not in (OURS, "oracle")
    }


def demands(shown: Shown, better: Mapping[str, Mapping[str, bool]], *, bent: bool = False) -> Iterator[Demand]:
    """Each thing that is asked, with what was found; `better` has the fixable scenarios, none in a bent world."""
    median = MEDIAN_WHEN_BENT if bent else MEDIAN_AT_MOST
    yield Demand("harmful runs", "0", str(shown.harmful), shown.harmful == 0)
    if shown.ratio.p50 is not None and shown.ratio.p95 is not None:
        yield Demand(
            "impact ÷ oracle where an action can fix it, middle run",
            f"≤ {median:g}",
            f"{shown.ratio.p50:.2f}",
            shown.ratio.p50 <= median,
        )
        yield Demand("the same, p95", f"≤ {P95_AT_MOST:g}", f"{shown.ratio.p95:.2f}", shown.ratio.p95 <= P95_AT_MOST)
    if better:
        worse = [
            f"{scenario} ({', '.join(name for name, is_better in of.items() if not is_better)})"
            for scenario, of in better.items()
            if not all(of.values())
        ]
        yield Demand("better than every other way to respond there", "always", "; ".join(worse) or "always", not worse)
    if shown.unfixable:
        share = shown.escalated_correctly / shown.unfixable
        yield Demand(
            "people paged correctly where no action can fix it",
            f"≥ {ESCALATED_AT_LEAST:.0%}",
            f"{share:.1%}",
            share >= ESCALATED_AT_LEAST,
        )
    share = shown.cause_first / shown.runs
    yield Demand("true cause named first", f"≥ {NAMED_AT_LEAST:.0%}", f"{share:.1%}", share >= NAMED_AT_LEAST)
