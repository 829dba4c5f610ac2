"""What holds in every world, whatever goes wrong in it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.drill.world.worlds import DATABASE, bad_release, orders, world
from tools.drill.world.parts import ONGOING

HOWS = ["dies-at-start", "dies-later", "5xx", "slow", "wrong-port", "memory-leak", "image-missing", "secret-missing"]

FAULTS = st.lists(
    st.one_of(
        st.builds(lambda how, at_s: bad_release(how, at_s=at_s), st.sampled_from(HOWS), st.integers(0, 1500)),
        st.builds(
            lambda how, at_s: {"kind": "dependency", "dependency": "db", "how": how, "at_s": at_s, "until_s": 2000},
            st.sampled_from(["down", "slow", "out-of-connections"]),
            st.integers(0, 1500),
        ),
        st.builds(
            lambda does, at_s: {"kind": "engineer", "does": does, "at_s": at_s},
            st.sampled_from(["deploys", "rolls-back", "scales"]),
            st.integers(0, 1500),
        ),
        st.builds(
            lambda kind, at_s: {"kind": kind, "at_s": at_s},
            st.sampled_from(["stuck-tasks", "bad-task", "memory-leak", "zone-impaired", "no-capacity", "flapping"]),
            st.integers(0, 1500),
        ),
    ),
    max_size=4,
)
ROLLOUTS = st.fixed_dictionaries(
    {
        "minimum_percent": st.sampled_from([0, 50, 100]),
        "maximum_percent": st.sampled_from([100, 150, 200]),
        "circuit_breaker": st.booleans(),
        "rollback": st.booleans(),
    }
)


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(faults=FAULTS, rollout=ROLLOUTS, tasks=st.integers(1, 8), retries=st.integers(0, 2), seed=st.integers(0, 99))
def test_the_books_balance(
    faults: list[dict[str, Any]], rollout: dict[str, Any], tasks: int, retries: int, seed: int
) -> None:
    """Requests are those of the traffic, no more fail or are slow than there are, and ECS keeps its own bounds."""
    traffic = {"base_rps": 100, "noise_percent": 0, "retries": retries}
    of = world(
        *faults,
        seed=seed,
        tasks=tasks,
        rollout=rollout,
        traffic=traffic,
        needs=[{"dependency": "db"}],
        dependencies=[DATABASE],
        scaling={"minimum": 1, "maximum": 10, "tracking": {"target": 60}},
    )
    service = orders(of)
    for seconds in range(50, 3001, 50):
        of.run_until(seconds)
        primary = service.primary
        assert service.rollouts.deployments[0] is primary
        assert primary.status == "PRIMARY"
        assert all(deployment.status == "ACTIVE" for deployment in service.rollouts.deployments[1:])
        assert sum(record.status in ONGOING for record in service.rollouts.records) <= 1
        assert (service.rollouts.flight is not None) == (service.rollouts.records[-1].status in ONGOING)
        assert all(task.stopped_s is None for task in service.tasks)
        assert all(task.stopped_reason for task in service.gone)
        if primary.rollout == "COMPLETED":
            assert service.rollouts.deployments == [primary]
    tally = of.tally
    assert abs(sum(tally.requests) - 300_000) < 1e-3
    assert len(tally.requests) == 300
    for requests, lost, slow in zip(tally.requests, tally.failed, tally.slow, strict=True):
        assert -1e-9 <= lost <= requests + 1e-6
        assert -1e-9 <= slow <= requests + 1e-6
