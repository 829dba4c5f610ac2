"""The results as JSON, for whatever reads them next: a pipeline, a spreadsheet, the drill of a month later.

```json
{"schema": 1, "seeds": 20,
 "policies": {"responder": {"runs": 460, "recovered": 441, ..., "scenarios": {"bad-release-5xx": {"runs": 20, ...}}}},
 "scenarios": {"bad-release-5xx": {"kind": "outage", "title": "...", "truth": "...", "fixable": true, "people": false,
                                   "shown": {...}, "better_than": {"none": true, ...}}},
 "asked": [{"what": "harmful runs", "asked": "0", "found": "0", "met": true}, ...],
 "harm": [{"scenario": "...", "policy": "...", "seed": 3, "reasons": ["..."]}],
 "sensitivity": [{"constant": "...", "factor": 0.5, "policies": {"responder": {...}}, "shown": {...}, "asked": [...]}]}
```
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools.drill.results import Demand, Results, Shown, Spread, Summary

SCHEMA = 1
"""Grows when a field changes its meaning or goes away."""

_DECIMALS = 3


def as_json(results: Results) -> str:
    """All numbers but the runs' timelines, with a newline at the end; the same results give the same bytes."""
    whole = {
        "schema": SCHEMA,
        "seeds": results.seeds,
        "policies": {
            policy.name: {
                **_summary(results.by_policy[policy.name]),
                "scenarios": {
                    scenario.name: _summary(results.by_scenario[scenario.name][policy.name])
                    for scenario in results.scenarios
                    if policy.name in results.by_scenario[scenario.name]
                },
            }
            for policy in results.policies
        },
        "scenarios": {
            scenario.name: {
                "kind": scenario.kind,
                "title": scenario.title,
                "truth": scenario.truth,
                "fixable": scenario.fixable,
                "people": scenario.people,
                "shown": _shown(results.shown.get(scenario.name)),
                "better_than": dict(results.better_than.get(scenario.name, {})),
            }
            for scenario in results.scenarios
        },
        "asked": _demands(results.demands),
        "harm": [
            {"scenario": run.scenario, "policy": run.policy, "seed": run.seed, "reasons": list(run.harm)}
            for run in results.runs
            if run.harm
        ],
        "sensitivity": [
            {
                "constant": variation.constant,
                "factor": variation.factor,
                "policies": _summaries(variation.by_policy),
                "shown": _shown(variation.shown),
                "asked": _demands(variation.demands),
            }
            for variation in results.variations
        ],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _shown(shown: Shown | None) -> dict[str, Any] | None:
    if shown is None:
        return None
    return {
        "runs": shown.runs,
        "harmful": shown.harmful,
        "impact_ratio_to_oracle": _median(shown.ratio),
        "unfixable": shown.unfixable,
        "escalated_correctly": shown.escalated_correctly,
        "cause_first": shown.cause_first,
    }


def _demands(demands: Sequence[Demand]) -> list[dict[str, Any]]:
    return [{"what": each.what, "asked": each.asked, "found": each.found, "met": each.met} for each in demands]


def _summaries(by_policy: Mapping[str, Summary]) -> dict[str, dict[str, Any]]:
    return {policy: _summary(summary) for policy, summary in by_policy.items()}


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "runs": summary.runs,
        "troubled": summary.troubled,
        "recovered": summary.recovered,
        "escalated_correctly": summary.escalated_correctly,
        "impact_median": round(summary.impact_median, _DECIMALS),
        "impact_ratio_to_oracle": _median(summary.impact_ratio_to_oracle),
        "recovery_s": _p50(summary.recovery_s),
        "recovery_from_alarm_s": _p50(summary.recovery_from_alarm_s),
        "recovery_ratio_to_oracle": _median(summary.recovery_ratio_to_oracle),
        "actions": summary.actions,
        "harmful": summary.harmful,
        "cause_first": summary.cause_first,
        "named_instead": dict(summary.named_instead),
    }


def _median(spread: Spread) -> dict[str, float | None]:
    return {"median": _number(spread.p50), "p95": _number(spread.p95)}


def _p50(spread: Spread) -> dict[str, float | None]:
    return {"p50": _number(spread.p50), "p95": _number(spread.p95)}


def _number(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)
