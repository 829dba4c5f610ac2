"""Each number of a drill, by example."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.causes import Cause
from functions.domain.incidents import GENESIS, Event, Fact, NewEvent
from functions.workflow.decision import Decision
from functions.workflow.table import Outcome
from tools.drill import measures
from tools.drill.results import RunResult
from tools.drill.scenario import Remedy, Truth

FIXABLE = Truth.model_validate({"says": "", "cause": "bad-release", "remedies": [Remedy.ROLL_BACK]})
BY_ITSELF = Truth.model_validate({"says": "", "cause": "false-alarm"})
FOR_PEOPLE = Truth.model_validate({"says": "", "cause": "dependency-failing", "people": True})


def run(
    policy: str = "responder",
    seed: int = 0,
    *,
    failed: float = 0,
    fault_s: float | None = 1000,
    recovered_s: float | None = 1600,
    harm: tuple[str, ...] = (),
) -> RunResult:
    return RunResult(
        scenario="s",
        policy=policy,
        seed=seed,
        ended_s=4000,
        fault_s=fault_s,
        alarm_s=1200,
        recovered_s=recovered_s,
        requests=1e6,
        failed=failed,
        slow=0,
        actions=1,
        escalated=False,
        escalated_correctly=True,
        harm=harm,
    )


def test_trouble_lasts_from_the_first_miss_to_the_last() -> None:
    """A relapse belongs to it: recovered is who stays so."""
    served = [True] * 10 + [False] * 5 + [True] * 5 + [False] * 4 + [True] * 60
    assert measures.trouble(served) == measures.Trouble(began_s=100, ended_s=240)


def test_a_blip_is_no_trouble() -> None:
    """Twenty seconds of missed goals are impact, and nothing to recover from."""
    assert measures.trouble([True, False, False, True]) is None


def test_trouble_at_the_end_never_ended() -> None:
    """Who is still in trouble at the end has not recovered."""
    assert measures.trouble([True] + [False] * 3) == measures.Trouble(began_s=10, ended_s=None)


def test_trouble_that_just_paused_has_not_ended() -> None:
    """Tasks that die every few minutes have not recovered in between."""
    assert measures.trouble([False] * 3 + [True] * 59) == measures.Trouble(began_s=0, ended_s=None)


def test_people_are_paged_where_no_action_helps() -> None:
    """Whatever became of the service."""
    assert measures.escalated_correctly(FOR_PEOPLE, paged=True, recovered=False)
    assert not measures.escalated_correctly(FOR_PEOPLE, paged=False, recovered=True)


def test_nobody_is_woken_for_what_was_fixed() -> None:
    """And somebody is for what was not."""
    assert measures.escalated_correctly(FIXABLE, paged=False, recovered=True)
    assert not measures.escalated_correctly(FIXABLE, paged=True, recovered=True)
    assert measures.escalated_correctly(FIXABLE, paged=True, recovered=False)
    assert not measures.escalated_correctly(FIXABLE, paged=False, recovered=False)


def trail(*decisions: tuple[str, Outcome, Cause]) -> list[Event]:
    """Events that decide, by time, each with its incident; an opened incident before each of them."""
    found = []
    for place, (incident, outcome, cause) in enumerate(decisions):
        decision = Decision(outcome=outcome, cause=cause, confidence=0.9, reason="because")
        for fact, data in ((Fact.SIGNAL_RECEIVED, {}), (Fact.WAITED, {"decision": decision.model_dump(mode="json")})):
            new = NewEvent(fact=fact, actor="assess", summary="", data=data)
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=place)
            found.append(Event.chain(incident, 2 * place, at, new, GENESIS))
    return found


def first_named(*decisions: tuple[str, Outcome, Cause]) -> Cause | None:
    named = measures.cause_named(trail(*decisions))
    return None if named is None else named.cause


def named(cause: Cause, minute: int = 0) -> measures.Named:
    return measures.Named(cause, minute_of(minute))


def minute_of(minute: int) -> datetime:
    return datetime(2026, 1, 1, 12, minute, tzinfo=UTC)


@pytest.mark.parametrize("outcome", [Outcome.ACT, Outcome.ASK, Outcome.ESCALATE, Outcome.STAND_DOWN])
def test_a_cause_is_named_by_what_follows_from_it(outcome: Outcome) -> None:
    """A wait before and another decision after it change nothing."""
    decided = [
        ("a", Outcome.WAIT, Cause.SOMEONE_AT_WORK),
        ("a", outcome, Cause.BAD_RELEASE),
        ("a", Outcome.ESCALATE, Cause.OVERLOAD),
    ]
    assert first_named(*decided) is Cause.BAD_RELEASE


def test_who_only_waited_for_others_named_them() -> None:
    """And all clear, which follows, is theirs."""
    decided = [("a", Outcome.WAIT, Cause.NATIVE_ROLLBACK), ("a", Outcome.ALL_CLEAR, Cause.UNKNOWN)]
    assert first_named(*decided) is Cause.NATIVE_ROLLBACK


def test_too_early_to_tell_names_nothing() -> None:
    """It is no diagnosis yet."""
    assert first_named(("a", Outcome.WAIT, Cause.OVERLOAD)) is None


def test_all_clear_without_a_cause_is_a_false_alarm() -> None:
    """It says that nothing was wrong."""
    assert first_named(("a", Outcome.ALL_CLEAR, Cause.UNKNOWN)) is Cause.FALSE_ALARM


def test_the_first_incident_that_names_a_cause_counts() -> None:
    """Whichever service it is of."""
    decided = [
        ("a", Outcome.WAIT, Cause.UNKNOWN),
        ("b", Outcome.ACT, Cause.DEPENDENCY_FAILING),
        ("c", Outcome.ACT, Cause.OVERLOAD),
    ]
    assert first_named(*decided) is Cause.DEPENDENCY_FAILING


def test_nothing_named_is_right_where_it_ends_by_itself() -> None:
    """Elsewhere somebody had to hear of it."""
    assert measures.cause_first(BY_ITSELF, None)
    assert not measures.cause_first(FIXABLE, None)
    assert not measures.cause_first(FOR_PEOPLE, None)
    assert measures.cause_first(FIXABLE, named(Cause.BAD_RELEASE))
    assert not measures.cause_first(FIXABLE, named(Cause.CRASH_LOOP))


def test_what_was_true_when_it_was_named_is_right() -> None:
    """Before the engineer begins nobody is at work, and the release alone is to blame."""
    truth = Truth.model_validate({"says": "", "cause": "someone-at-work"})
    begun = [("bad-release/5xx", minute_of(0)), ("engineer/rolls-back", minute_of(10))]
    assert measures.cause_first(truth, named(Cause.BAD_RELEASE, 5), begun)
    assert not measures.cause_first(truth, named(Cause.BAD_RELEASE, 15), begun)
    assert not measures.cause_first(truth, named(Cause.OVERLOAD, 5), begun)
    assert measures.cause_first(truth, named(Cause.SOMEONE_AT_WORK, 15), begun)


def test_a_few_requests_more_are_no_harm() -> None:
    """More than twenty and more than two in a hundred are."""
    assert measures.more_was_lost(20, 0) is None
    assert measures.more_was_lost(21, 0) is not None
    assert measures.more_was_lost(10_200, 10_000) is None
    assert measures.more_was_lost(10_201, 10_000) is not None


def test_a_floor_is_broken_only_by_who_acted() -> None:
    """Tasks that are missing without any action, too, or were missing before it, are not held against anybody."""
    steady, missing = [2.0] * 6, [2.0, 0.0, 0.0, 0.0, 2.0, 2.0]
    assert measures.floor_broken(missing, steady, floor=1, since_s=5) is not None
    assert measures.floor_broken(missing, missing[::-1], floor=1, since_s=5) is None
    assert measures.floor_broken(missing, steady, floor=1, since_s=42) is None


def test_a_floor_is_not_broken_by_a_task_that_is_being_replaced() -> None:
    """Half a minute is what it takes to notice."""
    assert measures.floor_broken([2.0, 0.4, 0.0, 2.0], [2.0] * 4, floor=1, since_s=0) is None


def test_ratios_compare_with_the_oracle_seed_by_seed() -> None:
    """(x + 1) / (oracle + 1), so that an oracle without any impact divides nothing by zero."""
    ours = [run(seed=0, failed=9), run(seed=1, failed=99)]
    oracle = {("s", 0): run("oracle", 0, failed=0), ("s", 1): run("oracle", 1, failed=19)}
    assert measures.summary(ours, oracle).impact_ratio_to_oracle.p50 == 5
    assert measures.summary(ours, oracle).impact_ratio_to_oracle.p95 == 10


def test_who_never_recovers_counts_with_the_rest_of_the_run() -> None:
    """Giving up never looks fast."""
    found = measures.summary([run(recovered_s=None)], {("s", 0): run("oracle", 0)})
    assert (found.recovered, found.recovery_s.p50, found.recovery_from_alarm_s.p50) == (0, 3000, 2800)


def test_a_run_without_trouble_has_nothing_to_recover_from() -> None:
    """It counts as recovered, and in no distribution."""
    found = measures.summary([run(fault_s=None, recovered_s=None)], {("s", 0): run("oracle", 0)})
    assert (found.recovered, found.troubled, found.recovery_s.p50) == (1, 0, None)


def test_a_percentile_is_one_of_the_values() -> None:
    """Nearest rank: no number in a table that no run had."""
    assert measures.percentile([5, 1, 4, 2], 50) == 2
    assert measures.percentile([5, 1, 4, 2], 95) == 5
    assert measures.percentile([], 50) is None
