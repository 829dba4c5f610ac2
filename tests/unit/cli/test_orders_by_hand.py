"""Orders by hand at the desk: what is said, what is waited for, and the exit status."""

from pathlib import Path

import pytest

from functions.domain.approvals import Answer
from functions.domain.changes import Change, ForceNewDeployment, SetCeiling, SetFloor, SetTaskDefinition, StopTask
from functions.workflow.table import StepName
from tests.fakes.desk import IDENTITY, desk_of
from tests.fakes.engine import Execution, Responder
from tests.fakes.world import REF, V2
from tests.unit.workflow.test_approval import answering
from tests.unit.workflow.test_incident import raise_alarm
from tests.unit.workflow.test_orders_by_hand import RESOURCE, responder_in, with_history
from tools.cli.main import run

SERVICE = "shop/orders"
WHY = ("--reason", "load test at ten", "--by", "ann")
COMMANDS = [
    ("redeploy", SERVICE),
    ("rollback", SERVICE),
    ("scale", SERVICE, "6"),
    ("limits", SERVICE, "3", "12"),
    ("stop-task", SERVICE, "1"),
    ("open", SERVICE),
]


@pytest.fixture
def responder() -> Responder:
    return with_history()


def say(made: Responder, *arguments: str, steps: int = 3, playbooks: Path | None = None) -> int:
    """One command; while it waits, the newest execution goes on by so many rows of the table."""
    executions: dict[tuple[str, int], Execution] = {}

    def sleep(seconds: float) -> None:
        made.clock.advance(seconds=seconds)
        incident, generation, step = made.executions.started[-1]
        key = (incident, generation)
        if key not in executions:
            executions[key] = Execution.begun(incident, generation, step)
        for _ in range(steps):
            if executions[key].at is not StepName.END and key not in made.executions.ended:
                made.go(executions[key])

    more = () if playbooks is None else ("--playbooks", str(playbooks))
    return run([*arguments, "--region", REF.region, *more], desk_of(made, sleep=sleep))


@pytest.fixture
def playbooks(tmp_path: Path) -> Path:
    (tmp_path / "orders.yaml").write_text("region: eu-west-1\ncluster: shop\nservice: orders\nmode: auto\n")
    return tmp_path


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (("redeploy", SERVICE), [ForceNewDeployment()]),
        (("rollback", SERVICE), [SetTaskDefinition(task_definition=V2)]),
        (("rollback", SERVICE, "--to", "orders:2"), [SetTaskDefinition(task_definition=V2)]),
        (("scale", SERVICE, "6"), [SetFloor(resource_id=RESOURCE, minimum=6)]),
        (("scale", SERVICE, "6", "--for", "2h"), [SetFloor(resource_id=RESOURCE, minimum=6)]),
        (("limits", SERVICE, "3", "12"), [SetCeiling(resource_id=RESOURCE, maximum=12, minimum=3)]),
        (
            ("stop-task", SERVICE, "1"),
            [StopTask(task="task/1", reason="stopped by hand, through the first responder")],
        ),
    ],
)
def test_an_order_is_waited_for_and_what_was_done_is_said(
    words: tuple[str, ...], changes: list[Change], responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the plan, its undo and where to look on; exit status 0."""
    assert say(responder, *words, *WHY) == 0
    assert responder.world.changes == changes
    out = capsys.readouterr().out
    incident = responder.executions.started[-1][0]
    assert "✓ done" in out
    assert "plan" in out
    assert f"responder show {incident}" in out
    order = responder.ledger.inbox(incident)[0].signal.order
    assert order is not None
    assert (order.by, order.identity, order.reason) == ("ann", IDENTITY, "load test at ten")


def test_a_look_by_hand_says_what_was_found(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """As the first decision has it."""
    assert say(responder, "open", SERVICE, *WHY, steps=1) == 0
    assert "looked: all-clear: every alarm of the incident is OK" in capsys.readouterr().out
    responder.world.running = responder.world.desired = 2
    responder.world.stuck = True
    responder.clock.advance(seconds=600)
    assert say(responder, "open", SERVICE, *WHY, "--wait", "300", steps=1) == 0
    assert "looked: act: stuck-tasks" in capsys.readouterr().out


def test_what_a_guardrail_refuses_is_said_with_its_name(
    responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, and nothing was changed."""
    assert say(responder, "scale", SERVICE, "21", *WHY) == 1
    out = capsys.readouterr().out
    assert "✗ refused by task counts" in out
    assert "task counts: 21 tasks are outside 1 to 20" in out
    assert "nothing was changed" in out
    assert responder.world.changes == []


def test_what_has_to_be_granted_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 3: it is not decided yet."""
    responder = responder_in(limits={"min_tasks": 0})
    assert say(responder, "scale", SERVICE, "0", *WHY, steps=1) == 3
    incident = responder.executions.started[-1][0]
    assert f"responder approve {incident}" in capsys.readouterr().out
    responder.asked = answering(responder, Answer.GRANTED)
    responder.run(until=StepName.CLOSE)
    assert responder.world.desired == 0


def test_without_waiting_the_order_is_only_given(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """What becomes of it is for the trail to tell."""
    assert say(responder, "redeploy", SERVICE, *WHY, "--wait", "0") == 0
    assert responder.world.changes == []
    assert "tells what becomes of it" in capsys.readouterr().out


def test_when_nobody_looks_in_time_that_is_said(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """The order stays; exit status 3."""
    assert say(responder, "redeploy", SERVICE, *WHY, "--wait", "10", steps=0) == 3
    assert "nobody has looked at it in 10 s" in capsys.readouterr().out.replace("\n", " ")


def test_a_watched_incident_answers_within_the_wait(responder: Responder) -> None:
    """Nobody waits for the quarter of an hour that it sleeps."""
    responder.world.database_down = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert say(responder, "scale", SERVICE, "2", *WHY) == 0


def test_the_trail_shows_which_guardrail_an_order_passed(
    responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not only with --full."""
    assert say(responder, "redeploy", SERVICE, *WHY) == 0
    responder.run()
    responder.clock.advance(seconds=61)
    assert say(responder, "redeploy", SERVICE, *WHY) == 0
    assert "the order of ann passes it" in capsys.readouterr().out.replace("\n", " ")
    assert say(responder, "show", responder.executions.started[-1][0]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "! an earlier incident was acted upon" in shown


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_dry_run_prints_the_plan_and_changes_nothing(
    words: tuple[str, ...], responder: Responder, playbooks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No incident is opened, and nobody hears of it."""
    assert say(responder, *words, *WHY, "--dry-run", playbooks=playbooks) == 0
    out = capsys.readouterr().out
    assert "dry run" in out
    assert "nothing was changed" in out
    assert responder.executions.started == []
    assert responder.ledger.open_incidents() == ()
    assert responder.world.changes == []


def test_a_dry_run_names_the_guardrail(
    responder: Responder, playbooks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, as the order itself would have."""
    assert say(responder, "limits", SERVICE, "0", "30", *WHY, "--dry-run", playbooks=playbooks) == 1
    assert "would be refused by task counts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scale", "orders", "6"), "is no service"),
        (("scale", SERVICE, "6", "--for", "30s"), "write a length from 1m to 90d"),
        (("limits", SERVICE, "6", "3"), "the floor (6) is above the ceiling (3)"),
        (("rollback", SERVICE, "--to", "orders:2;rm"), "to:"),
        (("stop-task", SERVICE, "a b"), "task:"),
        (("redeploy", SERVICE, "--key", "a b"), "--key"),
    ],
)
def test_what_cannot_be_an_order_is_refused_at_the_desk(
    words: tuple[str, ...], said: str, responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that says what to write instead; status 2, and nothing is recorded."""
    assert say(responder, *words, *WHY) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert responder.ledger.open_incidents() == ()


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_every_order_needs_a_reason(words: tuple[str, ...], responder: Responder) -> None:
    """The next person will ask."""
    assert say(responder, *words) == 2
    assert responder.ledger.open_incidents() == ()


def test_a_service_without_a_playbook_is_refused_where_the_playbooks_are(responder: Responder, playbooks: Path) -> None:
    """A slip of the pen opens no incident."""
    assert say(responder, "redeploy", "shop/odrers", *WHY, playbooks=playbooks) == 2
    assert responder.ledger.open_incidents() == ()


def test_a_reason_is_data(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters and credentials get neither into the trail nor onto the screen."""
    nasty = "see \x1b[31m[bold]red[/bold] password=hunter2hunter2"
    assert say(responder, "redeploy", SERVICE, "--reason", nasty, "--by", "ann") == 0
    assert say(responder, "show", responder.executions.started[-1][0]) == 0
    out = capsys.readouterr().out
    assert "\x1b[31m" not in out
    assert "hunter2" not in out
