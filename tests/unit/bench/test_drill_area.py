import pytest

from tools.bench.drill import Lap, drilled, entries, peak_mb
from tools.drill.policies.registry import POLICIES
from tools.drill.scenario import load_scenarios


def test_a_lap_measures_each_scenario_with_the_responder_and_without() -> None:
    """A run of the responder contains the whole world's work, and the responder's own on top."""
    scenarios = load_scenarios(["false-alarm"])

    drilled(scenarios, 0)
    lap = drilled(scenarios, 1)

    assert lap.runs == 1
    assert 0 < lap.alone_s < min(lap.ours_s, lap.others_s)
    assert 0 < lap.peak_mb <= peak_mb()


def test_figures_are_for_one_run_and_the_first_lap_only_warms() -> None:
    """The times of the lap that warms are in no figure; its memory is what later laps are held against."""
    first = Lap(runs=10, ours_s=99.0, alone_s=99.0, peak_mb=100.0)
    drills = Lap(runs=20, ours_s=2.0, alone_s=1.0, others_s=8.0, peak_mb=105.0) + Lap(peak_mb=90.0)

    whole, rate, run, memory, foul = entries(first, drills, Lap(runs=2, ours_s=0.5, alone_s=0.1))

    assert [whole.ours, whole.floor] == pytest.approx([11 / 20 / len(POLICIES), 0.05])
    assert [run.ours, run.floor] == pytest.approx([0.1, 0.05])
    assert run.met is True
    assert [rate.ours, rate.floor] == pytest.approx([60 * len(POLICIES) * 20 / 11, 1200])
    assert (memory.ours, memory.baseline, memory.met) == (105.0, 100.0, True)
    assert [foul.ours, foul.floor] == pytest.approx([0.25, 0.05])
