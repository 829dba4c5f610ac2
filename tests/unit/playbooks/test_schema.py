"""What a playbook may say, and what it means when it says nothing."""

from typing import Any

import pytest
from pydantic import ValidationError

from functions.domain.causes import Cause
from functions.domain.changes import ActionName
from functions.domain.incidents import Mode
from functions.domain.severity import Later, Severity
from functions.playbooks.compiled import Compiled, compile_playbooks
from functions.playbooks.ladders import NOT_OURS, default_ladder
from functions.playbooks.schema import NewAlarm, Playbook, Symptom

SMALLEST = {"region": "eu-west-1", "cluster": "shop", "service": "orders"}


def playbook(**said: Any) -> Playbook:
    return Playbook.model_validate(SMALLEST | said)


def problems(**said: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        playbook(**said)
    return str(raised.value)


def test_the_smallest_playbook_observes() -> None:
    """Without a mode nothing is changed, and every other key has a default."""
    smallest = playbook()

    assert smallest.mode is Mode.OBSERVE
    assert smallest.ref.key == "eu-west-1/shop/orders"
    assert smallest.limits.min_tasks == 1
    assert smallest.alarm_names == ()


def test_a_budget_in_tasks_makes_the_alarm_on_tasks() -> None:
    """Above it for ten minutes, because a deployment runs old and new tasks side by side; in dollars it makes none."""
    (alarm,) = playbook(budget={"tasks": 8}).alarms
    assert isinstance(alarm, NewAlarm)
    assert (alarm.symptom, alarm.threshold, alarm.evaluation_periods, alarm.datapoints) == (Symptom.TASKS, 8, 10, 10)
    assert playbook(budget={"usd_per_day": 20}).alarms == ()
    assert playbook(budget={"tasks": 8}).cost_alarms == ("responder-shop-orders-tasks",)


def test_an_alarm_on_tasks_that_is_written_stands() -> None:
    """It says how long, and the budget how many: both say the same number."""
    written = {"symptom": "tasks", "threshold": 8, "evaluation_periods": 5}
    (alarm,) = playbook(budget={"tasks": 8}, alarms=[written]).alarms
    assert isinstance(alarm, NewAlarm)
    assert alarm.evaluation_periods == 5
    assert "write threshold: 8, or leave the alarm out" in problems(
        budget={"tasks": 8}, alarms=[{"symptom": "tasks", "threshold": 14}]
    )


def test_a_budget_survives_the_deployment() -> None:
    """What is compiled is read back the same: the alarm is made once."""
    book = playbook(budget={"tasks": 8, "usd_per_day": 20.5}, alarms=[{"symptom": "cpu"}])
    assert tuple(Compiled(compile_playbooks([book]).encode()).values()) == (book,)


@pytest.mark.parametrize(
    "budget",
    [{"tasks": 0}, {"tasks": -1}, {"tasks": 2.5}, {"tasks": True}, {"tasks": "8"}, {"usd_per_day": 0},
     {"usd_per_day": "20"}, {"usd_per_day": float("inf")}, {"usd_per_day": float("nan")}, {"usd": 3}, 8, ["tasks"]],
)  # fmt: skip
def test_what_is_no_budget_is_an_error(budget: Any) -> None:
    """A budget of nothing is none, and a misspelt one must never be one that is not there."""
    assert "budget" in problems(budget=budget)


def test_a_budget_pays_for_what_must_run() -> None:
    """Otherwise the service would be beyond it all the time."""
    assert "min_tasks (4)" in problems(budget={"tasks": 3}, limits={"min_tasks": 4})


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_ladder(cause: Cause) -> None:
    """Every ladder ends with people, but for causes that are not ours to answer."""
    ladder = playbook().ladder(cause)

    assert ladder == default_ladder(cause)
    assert ladder == () if cause in NOT_OURS else ladder[-1] is ActionName.PAGE


def test_a_ladder_ends_with_people_even_if_unsaid() -> None:
    """A written ladder replaces the default, and a page follows its last action."""
    written = playbook(ladders={"overload": ["scale-out", "force-new-deployment"], "stuck-tasks": []})

    assert written.ladder(Cause.OVERLOAD) == (
        ActionName.SCALE_OUT,
        ActionName.FORCE_NEW_DEPLOYMENT,
        ActionName.PAGE,
    )
    assert written.ladder(Cause.STUCK_TASKS) == (ActionName.PAGE,)
    assert written.ladder(Cause.BAD_RELEASE) == default_ladder(Cause.BAD_RELEASE)


@pytest.mark.parametrize(
    "ladders",
    [
        {"overload": ["page", "scale-out"]},
        {"overload": ["scale-out", "scale-out"]},
        {"false-alarm": ["roll-back"]},
        {"native-rollback": ["roll-back", "page"]},
        {"no-such-cause": ["page"]},
        {"overload": ["reboot"]},
        {"suspected-breach": ["block-address", "page"]},
        {"suspected-breach": ["disable-user"]},
        {"overload": ["isolate", "page"]},
        {"suspected-breach": ["isolate:all", "page"]},
        {"suspected-breach": ["block-address:93.184.216.34"]},
    ],
)
def test_ladders_that_cannot_be_climbed(ladders: Any) -> None:
    """Nothing comes after a page, nothing twice, and nobody acts where ECS or a person is at it."""
    assert problems(ladders=ladders)


HOOK = {"name": "cleanup", "url": "https://shop.example.com/api/cleanup"}


def test_a_ladder_calls_webhooks_by_name() -> None:
    """In the order that is written, among other actions."""
    rungs = ["call-webhook:cleanup", "call-webhook:sweep", "force-new-deployment"]
    written = playbook(webhooks=[HOOK, HOOK | {"name": "sweep"}], ladders={"stuck-tasks": rungs})

    assert written.ladder(Cause.STUCK_TASKS) == (*rungs, "page")
    assert tuple(Compiled(compile_playbooks([written]).encode()).values()) == (written,)


@pytest.mark.parametrize(
    ("rungs", "problem"),
    [
        (["call-webhook"], "which webhook? write call-webhook:NAME"),
        (["call-webhook:"], "which webhook?"),
        (["call-webhook:swepe"], "no webhook is called 'swepe'"),
        (["call-webhook:cleanup", "call-webhook:cleanup"], "twice"),
        (["roll-back:cleanup"], "write roll-back alone"),
    ],
)
def test_rungs_that_name_nothing(rungs: list[str], problem: str) -> None:
    """A webhook is named once, and stands in the playbook; other actions are done with nothing."""
    assert problem in problems(webhooks=[HOOK], ladders={"stuck-tasks": rungs})


@pytest.mark.parametrize(
    "said",
    [
        {"url": "http://shop.example.com/"},
        {"url": "http://127.0.0.1.example.com/"},
        {"url": "https://user:pass@shop.example.com/"},
        {"url": "https://shop.example.com/?secret=hunter2"},
        {"url": "https://shop.example.com/#part"},
        {"url": "https:///cleanup"},
        {"url": "ftp://shop.example.com/"},
        {"method": "DELETE"},
        {"method": "get"},
        {"repeatable": "yes"},
        {"name": "Clean Up"},
        {"name": ""},
        {"token": "a b"},
        {"token": "shop/*"},
        {"token": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:*"},
        {"token": "arn:aws:ssm:eu-west-1:111122223333:parameter/x"},
        {"timeout": "0s"},
        {"timeout": "21s"},
        {"headers": {}},
    ],
)
def test_webhooks_that_are_not_called(said: Any) -> None:
    """Only over TLS, only with methods and secrets that are named, never with a credential in the URL."""
    assert problems(webhooks=[HOOK | said])


def test_a_webhook_at_home_needs_no_tls() -> None:
    """Nobody listens in on 127.0.0.1."""
    (hook,) = playbook(webhooks=[HOOK | {"url": "http://127.0.0.1:8080/cleanup"}]).webhooks
    assert (hook.method, hook.repeatable, hook.token, hook.timeout) == ("POST", False, None, 10)
    assert problems(webhooks=[HOOK, HOOK])


def test_names_of_created_alarms() -> None:
    """An alarm made from a playbook has the same name at every deployment, at most as long as CloudWatch allows."""
    assert playbook(alarms=[{"symptom": "error-rate"}]).alarm_names == ("responder-shop-orders-error-rate",)

    long = playbook(cluster="c" * 200, service="s" * 200, alarms=[{"symptom": "cpu"}, {"symptom": "memory"}])
    assert [len(name) for name in long.alarm_names] == [255, 255]
    assert len(set(long.alarm_names)) == 2


def test_an_alarm_of_one_line() -> None:
    """A symptom alone makes an alarm: its threshold and its M of N have defaults, which follow what is written."""
    made = playbook(alarms=[{"symptom": symptom} for symptom in Symptom]).alarms

    assert [alarm.threshold for alarm in made] == [symptom.default_threshold for symptom in Symptom]  # type: ignore[union-attr]
    (short,) = playbook(alarms=[{"symptom": "cpu", "evaluation_periods": 1}]).alarms
    assert short.datapoints == 1  # type: ignore[union-attr]


def test_severity_of_an_alarm() -> None:
    """An alarm's own severity comes before the playbook's."""
    graded = playbook(severity="P3", alarms=[{"symptom": "cpu"}, {"existing": "orders-5xx", "severity": "P0"}])

    assert graded.severity_of("orders-5xx") is Severity.P0
    assert graded.severity_of("responder-shop-orders-cpu") is Severity.P3
    assert graded.severity_of(None) is Severity.P3


@pytest.mark.parametrize(
    "alarm",
    [
        {"symptom": "cpu", "datapoints": 4},
        {"symptom": "cpu", "threshold": 0},
        {"symptom": "cpu", "threshold": 101},
        {"symptom": "cpu", "threshold": float("nan")},
        {"symptom": "cpu", "threshold": True},
        {"symptom": "cpu", "period": 45},
        {"symptom": "cpu", "period": 0},
        {"symptom": "cpu", "period": 86400, "evaluation_periods": 2},
        {"symptom": "cpu", "evaluation_periods": 0},
        {"existing": ""},
        {"existing": "a\nb"},
        {"existing": "a", "threshold": 5},
        {},
    ],
)
def test_alarms_that_cloudwatch_would_refuse(alarm: Any) -> None:
    """What CloudWatch refuses at deployment is refused at the desk already."""
    assert problems(alarms=[alarm])


def test_the_same_alarm_twice() -> None:
    """A symptom or an existing alarm stands in a playbook once."""
    assert "twice" in problems(alarms=[{"symptom": "cpu"}, {"symptom": "cpu", "threshold": 50}])


@pytest.mark.parametrize(("written", "meant"), [("90s", 90), ("10m", 600), ("1h", 3600), (45, 45), ("0s", 0)])
def test_lengths_of_time(written: Any, meant: int) -> None:
    """A length of time is written with its unit, or in seconds."""
    assert playbook(limits={"cooldown": written}).limits.cooldown == meant


@pytest.mark.parametrize("written", ["", "10", "10 minutes", "-5s", "1.5h", "25h", -1, 1.5, True, None, [1]])
def test_what_is_no_length_of_time(written: Any) -> None:
    """Anything else is refused rather than guessed at."""
    assert problems(limits={"cooldown": written})


def test_zero_means_none_allowed() -> None:
    """A limit of 0 is kept as 0; only an absent one has its default."""
    strict = playbook(limits={"actions_per_hour": 0, "attempts_per_incident": 0, "cooldown": 0}).limits

    assert (strict.actions_per_hour, strict.attempts_per_incident, strict.cooldown) == (0, 0, 0)


def test_limits_in_order() -> None:
    """A minimum above the maximum is a mistake, whichever was meant."""
    assert "min_tasks (5) is above max_tasks (2)" in problems(limits={"min_tasks": 5, "max_tasks": 2})


def test_settling_times_are_complete() -> None:
    """What a playbook leaves out of an action's times has its default, and an action always has its times."""
    patient = playbook(settle={"roll-back": {"deadline": "20m"}})

    assert (patient.settle_of(ActionName.ROLL_BACK).first_look, patient.settle_of(ActionName.ROLL_BACK).deadline) == (
        90,
        1200,
    )
    assert all(patient.settle_of(action).deadline > 0 for action in ActionName if action is not ActionName.PAGE)
    assert "not after first_look" in problems(settle={"roll-back": {"first_look": "10m"}})


@pytest.mark.parametrize("name", ["", "a b", "arn:aws:ecs:eu-west-1:1:cluster/shop", "s" * 256, "оrders", "*"])
def test_names_ecs_would_refuse(name: str) -> None:
    """Cluster and service are names that ECS allows, never ARNs or patterns."""
    assert problems(cluster=name)
    assert problems(service=name)


@pytest.mark.parametrize(
    "said",
    [
        {"mode": "full-auto"},
        {"modus": "auto"},
        {"region": "Ireland"},
        {"confidence": 1.5},
        {"confidence": "high"},
        {"notify": {"email": ["nobody"]}},
        {"notify": {"https": ["http://example.com"]}},
        {"overrides": {"target_groups": ["orders"]}},
        {"overrides": {"scalable_target": "orders"}},
        {"scale_out": {"step_percent": 0}},
        {"scale_out": {"lease": "5s"}},
        {"limits": {"max_tasks": -1}},
        {"limits": {"max_tasks": "20"}},
    ],
)
def test_what_no_playbook_may_say(said: Any) -> None:
    """Unknown keys and values out of range are refused."""
    assert problems(**said)


def test_compiled_playbooks_come_back_the_same() -> None:
    """What the deployment ships is what was validated, in one order."""
    check = {"check": "up", "url": "https://shop.example.com", "json": {"field": "ready", "other_than": True}}
    alarms = [{"symptom": "cpu"}, {"existing": "x"}, check]
    one = playbook(name="one", alarms=alarms, ladders={"overload": ["scale-out"]})
    two = playbook(name="two", service="cart", settle={"scale-out": {"first_look": "2m"}})

    assert tuple(Compiled(compile_playbooks([one, two]).encode()).values()) == (two, one)
    assert compile_playbooks([one, two]) == compile_playbooks([two, one])


def test_by_default_nobody_is_shut_out() -> None:
    """A suspected breach goes to people, no set and no pool is named, and nothing of it is read."""
    plain = playbook()

    assert plain.ladder(Cause.SUSPECTED_BREACH) == (ActionName.PAGE,)
    assert (plain.contain.ip_set, plain.contain.user_pool, plain.contain.evidence) == (None, None, False)


def test_a_playbook_may_isolate_when_a_breach_is_suspected() -> None:
    """Which is asked for all the same."""
    written = playbook(ladders={"suspected-breach": ["isolate", "page"]})

    assert written.ladder(Cause.SUSPECTED_BREACH) == (ActionName.ISOLATE, ActionName.PAGE)


@pytest.mark.parametrize(
    "contain",
    [
        {"ip_set": {"name": "blocked", "id": "1"}},
        {"ip_set": {"name": "blocked", "id": "1", "scope": "GLOBAL"}},
        {"ip_set": {"name": "a/b", "id": "1", "scope": "REGIONAL"}},
        {"ip_set": {"name": "*", "id": "1", "scope": "REGIONAL"}},
        {"never_block": ["8.8.8.1/24"]},
        {"never_block": ["example.com"]},
        {"user_pool": "arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_A"},
        {"user_pool": "*"},
        {"evidence": "yes"},
        {"waf": True},
    ],
)
def test_what_may_be_shut_out_is_named_exactly(contain: Any) -> None:
    """The rights are made from these names: a wildcard or a half of one is a mistake."""
    assert "contain" in problems(contain=contain)


def test_the_severities_of_a_service() -> None:
    """A playbook names what differs: a label, a time, or both; the rest has the scale's name and the default time."""
    named = playbook(
        severities={"P0": {"label": "CRITICAL"}, "P2": {"label": "WARNING", "respond": "next business day"}}
    )
    assert {str(each): (said.label, said.respond) for each, said in named.severities.items()} == {
        "P0": ("CRITICAL", 900),
        "P1": ("P1", 900),
        "P2": ("WARNING", Later.NEXT_BUSINESS_DAY),
        "P3": ("P3", Later.NEXT_BUSINESS_DAY),
        "P4": ("P4", Later.WHEN_THERE_IS_TIME),
    }
    assert playbook().severities[Severity.P2].respond == 4 * 3600


def test_windows_and_severities_survive_the_way_to_lambda() -> None:
    """What synth validated is what the functions read."""
    window = {"every": ["sunday", "monday"], "from": "22:00", "to": "02:00", "zone": "Europe/Berlin"}
    written = playbook(maintenance=[window], severities={"P0": {"label": "CRITICAL", "respond": "10m"}})
    assert tuple(Compiled(compile_playbooks([written]).encode()).values()) == (written,)
