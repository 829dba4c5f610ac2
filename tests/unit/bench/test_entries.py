import pytest

from tools.bench.entries import Against, Entry, Goal


@pytest.mark.parametrize(
    ("entry", "met"),
    [
        (Entry("a", "s", ours=1.2, floor=1.0), None),
        (Entry("a", "s", ours=1.2, floor=1.0, goal=Goal(1.2)), True),
        (Entry("a", "s", ours=1.3, floor=1.0, goal=Goal(1.2)), False),
        (Entry("a", "s", ours=1.3, goal=Goal(1.2)), False),
        (Entry("a", "s", ours=1.3, floor=0.0, goal=Goal(1.2)), False),
        (Entry("a", "s", ours=1.3, floor=1.0, baseline=4.0, goal=Goal(0.5, Against.BASELINE)), True),
        (Entry("a", "USD", ours=5.0, goal=Goal(5, Against.NOTHING)), True),
        (Entry("a", "USD", ours=5.1, goal=Goal(5, Against.NOTHING)), False),
    ],
)
def test_a_goal_is_met_by_the_figures_alone(entry: Entry, met: bool | None) -> None:
    """A goal whose other side was not measured is not met, and a figure without a goal is neither."""
    assert entry.met is met
    assert entry.written()["met"] is met


def test_the_file_has_what_readers_of_it_look_for() -> None:
    """The keys are the ones that docs/performance.md promises."""
    written = Entry("a", "s", ours=3.0, floor=2.0, baseline=6.0, goal=Goal(1.5), how="counted").written()

    assert written == {
        "name": "a",
        "unit": "s",
        "ours": 3.0,
        "floor": 2.0,
        "baseline": 6.0,
        "ratio_to_floor": 1.5,
        "ratio_to_baseline": 0.5,
        "goal": "≤ 1.5 × floor",
        "met": True,
        "how": "counted",
    }
