"""Bad input through the real intake: a sample keeps every promise, and each broken promise is seen."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from functions import bootstrap
from functions.domain.errors import PlaybookError
from functions.domain.signals import Signal
from functions.handlers import intake
from functions.handlers.signals import Ignored, Outcome, read_message
from functions.workflow.intake import Intake
from tools.chaos import feeding, figures
from tools.chaos.feeding import ACTION, LOST, UNBOUNDED, UNHANDLED, Fed, feed
from tools.chaos.fuzz import main
from tools.chaos.inputs import Way, input_of, way_of
from tools.drill.runner import quiet

FEW = range(40)


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    with quiet():
        yield


def promises(found: Fed) -> set[str]:
    return {each.promise for each in found.broken}


def test_a_sample_keeps_every_promise() -> None:
    """`python -m tools.chaos.fuzz` takes 100,000."""
    found = feed(7, range(250))
    assert found.broken == ()
    assert found.inputs == 250
    assert min(found.good, found.recorded, found.ignored, found.refused) > 20
    assert found.opened


def test_an_input_is_a_function_of_its_seed_and_its_number() -> None:
    """So that it can be made again; one in ten is a playbook."""
    made = [input_of(3, number) for number in range(60)]
    assert made == [input_of(3, number) for number in reversed(range(60))][::-1]
    assert made != [input_of(4, number) for number in range(60)]
    assert [each.way for each in made] == [way_of(number) for number in range(60)]
    assert sum(each.way is Way.PLAYBOOK for each in made) == 6
    assert len({each.text for each in made}) > 50


def reading(change: Callable[[list[Outcome]], list[Outcome]]) -> Callable[[Any], list[Outcome]]:
    return lambda body: change(read_message(body))


def ignores_what_it_should_record(outcomes: list[Outcome]) -> list[Outcome]:
    return [Ignored(reason="not today") if isinstance(outcome, Signal) else outcome for outcome in outcomes]


def says_nothing(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if isinstance(outcome, Signal)]


def stumbles(outcomes: list[Outcome]) -> list[Outcome]:
    if not isinstance(outcomes[0], Signal):
        raise KeyError("detail")
    return outcomes


@pytest.mark.parametrize(
    ("change", "promise"),
    [(ignores_what_it_should_record, LOST), (says_nothing, LOST), (stumbles, UNHANDLED)],
)
def test_a_reader_that_breaks_a_promise_is_seen(
    change: Callable[[list[Outcome]], list[Outcome]], promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that loses good records, one that says nothing of bad ones, one that raises what nobody foresaw."""
    monkeypatch.setattr(intake, "read_message", reading(change))
    assert promise in promises(feed(0, FEW))


def test_a_message_that_is_obeyed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A responder that changes a service because a message says so."""

    class Obedient(Intake):
        def batch(self, signals: Sequence[Signal]) -> Any:
            bootstrap._clients().once("ecs").update_service(cluster="shop", service="orders", desiredCount=0)
            return super().batch(signals)

    monkeypatch.setattr("functions.workflow.intake.Intake", Obedient)
    assert promises(feed(0, FEW)) >= {ACTION}


def test_a_record_without_bounds_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A responder that keeps whatever is sent."""

    class Keeping(Intake):
        def batch(self, signals: Sequence[Signal]) -> Any:
            return super().batch([each.model_copy(update={"reason": each.summary * 10_000}) for each in signals])

    monkeypatch.setattr("functions.workflow.intake.Intake", Keeping)
    assert UNBOUNDED in promises(feed(0, FEW))


def fails(paths: object) -> None:
    raise RuntimeError("a traceback")


def is_rude(paths: object) -> None:
    raise PlaybookError("orders.yaml:1: \x1b[31mred")


@pytest.mark.parametrize("loader", [fails, is_rude])
def test_a_loader_that_breaks_its_promise_is_seen(loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but an error in plain lines may come of a playbook that does not hold."""
    monkeypatch.setattr(feeding, "load_playbooks", loader)
    assert promises(feed(0, [9])) == {UNHANDLED}


def test_one_input_is_made_again_and_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a text of JSON, in which no terminal finds anything to obey."""
    monkeypatch.setattr("tools.chaos.fuzz.BLOCK", 10)
    file = tmp_path / "input"
    said = CliRunner().invoke(main, ["replay", "--seed", "2", "--input", "19", "--save", str(file)])
    assert said.exit_code == 0
    _, text = said.output.splitlines()
    assert text.isascii()
    assert json.loads(text) == input_of(2, 19).text
    assert file.read_bytes() == input_of(2, 19).text.encode("utf-8", "surrogatepass")


@pytest.mark.thorough
def test_the_command_counts_and_adds_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside those that are in the file already; the exit status says whether all promises were kept."""
    file = tmp_path / "build" / "chaos.json"
    figures.add(file, {"crash_points": 7, "unhandled": 9})
    said = CliRunner().invoke(main, ["--inputs", "10", "--jobs", "1", "--json", str(file)])
    assert said.exit_code == 0
    assert json.loads(file.read_text()) == {"crash_points": 7, "fuzzed": 10, "unhandled": 0}
    broken = Fed(inputs=1, broken=(feeding.Broken(number=5, promise=LOST, says="\x1b[31mgone"),))
    monkeypatch.setattr("tools.chaos.fuzz.fed", lambda *_, **__: broken)
    said = CliRunner().invoke(main, ["--inputs", "1", "--seed", "3"])
    assert said.exit_code == 1
    assert "python -m tools.chaos.fuzz replay --seed 3 --input 5" in said.output
    assert "\x1b[31mgone" not in said.output
