"""The JSON that other programs read."""

import json
from typing import Any

from tests.fakes.drills import drill_results
from tools.drill.report import as_json
from tools.drill.results import Results

FIELDS = {
    "runs": None,
    "recovered": None,
    "escalated_correctly": None,
    "impact_median": None,
    "impact_ratio_to_oracle": {"median", "p95"},
    "recovery_s": {"p50", "p95"},
    "recovery_ratio_to_oracle": {"median", "p95"},
    "actions": None,
    "harmful": None,
}
"""What every consumer may count on, for each policy and each scenario."""


def read(results: Results) -> dict[str, Any]:
    found = json.loads(as_json(results))
    assert isinstance(found, dict)
    return found


def test_every_policy_and_every_scenario_has_the_fields() -> None:
    """A policy has its numbers for all scenarios together, and below `scenarios` for each."""
    results = drill_results(scenarios=3)
    told = read(results)
    assert list(told["policies"]) == [policy.name for policy in results.policies]
    for policy in told["policies"].values():
        assert list(policy["scenarios"]) == ["scenario-1", "scenario-2", "scenario-3"]
        for summary in (policy, *policy["scenarios"].values()):
            for field, inner in FIELDS.items():
                assert field in summary
                assert inner is None or set(summary[field]) == inner


def test_the_same_results_give_the_same_bytes() -> None:
    """Nothing in the JSON depends on the time, the machine or the order of a hash."""
    assert as_json(drill_results()) == as_json(drill_results())


def test_numbers_are_the_summaries_numbers() -> None:
    """The JSON says what was measured, rounded to a thousandth."""
    results = drill_results(scenarios=1)
    told = read(results)["policies"]["responder"]["scenarios"]["scenario-1"]
    measured = results.by_scenario["scenario-1"]["responder"]
    assert told["runs"] == measured.runs
    assert told["recovery_s"]["p95"] == round(measured.recovery_s.p95 or 0, 3)
    assert told["impact_ratio_to_oracle"]["median"] == round(measured.impact_ratio_to_oracle.p50 or 0, 3)


def test_without_an_oracle_there_is_no_ratio() -> None:
    """A number that does not exist is null, not zero."""
    told = read(drill_results(policies=("none", "responder")))
    assert told["policies"]["responder"]["impact_ratio_to_oracle"] == {"median": None, "p95": None}


def test_harm_has_its_reasons() -> None:
    """Each harmful run is named with its seed and the reasons, so that it can be run again."""
    harm = read(drill_results(scenarios=1))["harm"]
    assert harm == [
        {
            "scenario": "scenario-1",
            "policy": "restart",
            "seed": 1,
            "reasons": ["users lost 412 requests, 96 more than without any action"],
        }
    ]


def test_sensitivity_is_told() -> None:
    """Each variation says which constant it bent, how far, and what each policy made of it."""
    first, second = read(drill_results())["sensitivity"]
    assert (first["constant"], first["factor"], second["factor"]) == ("task start", 0.5, 1.5)
    assert set(FIELDS) <= set(first["policies"]["responder"])
