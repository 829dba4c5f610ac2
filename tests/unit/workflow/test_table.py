"""The table itself: it has no dead ends, no endless loops and no outcome that leads nowhere."""

import pytest

from functions.workflow.table import ENTRY, TABLE, Outcome, StepName, next_step

EVENTS_PER_VISIT = 12
"""Events that one visit leaves in an execution's history at the most: states entered and left, and the task between."""

SAID_BY = {
    StepName.ASSESS: {"act", "ask", "contain", "wait", "all-clear", "stand-down", "escalate"},
    StepName.REMEDIATE: {"done", "next-stage", "differs", "look-again", "failed"},
    StepName.CONTAIN: {"done", "next-stage", "differs", "failed"},
    StepName.VERIFY: {
        "recovered",
        "not-yet",
        "wait",
        "cannot-tell",
        "ineffective",
        "look-again",
        "promised-meanwhile",
        "give-up",
    },
    StepName.PAGE: {"paged", "told"},
    StepName.UPDATE: {"paged", "not-yet"},
    StepName.WATCH: {"promised", "look-again", "changed", "all-clear"},
    StepName.CLOSE: {"resolved", "leases-left", "new-signal", "returned"},
    StepName.INTERIM: {"leases-left"},
    StepName.REPORT: {"resolved", "restored"},
    StepName.RESTORE: {"restored", "not-due", "postponed", "contain", "give-up"},
    StepName.LIFT: {"done", "postponed", "give-up"},
}
"""What each step may say by itself."""

COUNTED = [row.name for row in TABLE.values() if row.function is not None and not row.awaits]


@pytest.mark.parametrize("step", SAID_BY)
def test_everything_a_step_can_say_leads_somewhere(step: StepName) -> None:
    """And there is nothing in the table that no step says, but for the counter's word."""
    assert {str(outcome) for outcome in TABLE[step].transitions} == SAID_BY[step] | {"exhausted"}


@pytest.mark.parametrize("step", TABLE)
def test_every_transition_ends_in_a_step(step: StepName) -> None:
    """A step of the table, or the end."""
    assert set(TABLE[step].transitions.values()) <= {*TABLE, StepName.END}


@pytest.mark.parametrize("start", TABLE)
def test_the_end_can_be_reached_from_everywhere(start: StepName) -> None:
    """There is no step that an execution cannot leave."""
    assert StepName.END in _reachable(start)


def test_every_step_is_reached_from_an_entry() -> None:
    """There is no step that nobody comes to."""
    assert set().union(*(_reachable(entry) for entry in ENTRY)) == {*StepName}


@pytest.mark.parametrize("step", COUNTED)
def test_every_step_that_does_something_is_counted(step: StepName) -> None:
    """Its visits are bounded, and the counter's word leads on."""
    assert TABLE[step].visits > 0
    assert Outcome.EXHAUSTED in TABLE[step].transitions


def test_every_loop_goes_through_a_counted_step() -> None:
    """Without the counted steps the table has no cycle."""
    free = {*TABLE} - {*COUNTED}
    for step in free:
        assert step not in _reachable(step, within=free)


def test_the_longest_execution_stays_below_the_history_limit() -> None:
    """25,000 events are the end of a Standard execution (Step Functions Developer Guide, "Service quotas")."""
    assert sum(row.visits for row in TABLE.values()) * EVENTS_PER_VISIT < 25_000


def test_what_does_nothing_but_wait_says_one_thing() -> None:
    """Step Functions does these alone."""
    alone = [row for row in TABLE.values() if row.function is None]
    assert {row.name for row in alone} == {StepName.SETTLE, StepName.SUCCESSOR}
    assert all(set(row.transitions) == {Outcome.DONE} for row in alone)


def test_only_approval_waits_for_people() -> None:
    """What can come of it: a yes, a no, or nothing in time. Whoever listens looks again, woken or not."""
    assert [row.name for row in TABLE.values() if row.awaits] == [StepName.APPROVAL, StepName.LISTEN]
    assert {*TABLE[StepName.APPROVAL].transitions} == {Outcome.GRANTED, Outcome.DENIED, Outcome.EXPIRED}
    assert TABLE[StepName.LISTEN].transitions == dict.fromkeys((Outcome.NEW_SIGNAL, Outcome.EXPIRED), StepName.VERIFY)


@pytest.mark.parametrize("step", [name for name, row in TABLE.items() if row.function is not None])
def test_a_superseded_execution_ends_from_anywhere(step: StepName) -> None:
    """Without a word."""
    assert next_step(step, Outcome.SUPERSEDED) is StepName.END


def test_an_outcome_that_the_step_does_not_know_is_a_bug() -> None:
    """It is raised, not guessed at."""
    with pytest.raises(KeyError):
        next_step(StepName.CLOSE, Outcome.ACT)


def _reachable(start: StepName, *, within: set[StepName] | None = None) -> set[StepName]:
    """The steps that an execution can come to from there."""
    reached: set[StepName] = set()
    waiting = [start]
    while waiting:
        row = TABLE.get(waiting.pop())
        if row is None:
            continue
        following = set(row.transitions.values())
        if row.function is not None:
            following.add(StepName.END)
        if within is not None:
            following &= within
        waiting += following - reached
        reached |= following
    return reached | ({start} if within is None else set())
