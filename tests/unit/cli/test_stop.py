"""`responder stop` and `responder start`, at the desk."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.errors import ChangeRefused, LedgerError, NotNamed, ReadFailed
from functions.domain.incidents import FleetSwitch
from functions.ports import Ledger
from tests.fakes.clock import FakeClock
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF
from tools.cli.main import Desk, desk_ledger, run

NAME = "ecs-first-responder"
REMEDIATE, RESTORE, CONTAIN = f"{NAME}-remediate", f"{NAME}-restore", f"{NAME}-contain"
WHY = ("--reason", "it rolls back too much", "--by", "ann")


@dataclass
class Functions:
    """What is reserved for each function that is deployed."""

    reserve: dict[str, int | None] = field(default_factory=lambda: {REMEDIATE: None, RESTORE: None, CONTAIN: None})
    unread: bool = False
    refused: frozenset[str] = frozenset()

    def reserved(self, function: str) -> int | None:
        if self.unread:
            raise ReadFailed(f"function {function}: AccessDenied")
        if function not in self.reserve:
            raise NotNamed(f"there is no function {function}")
        return self.reserve[function]

    def hold(self, function: str) -> None:
        self._set(function, 0)

    def let_go(self, function: str) -> None:
        self._set(function, None)

    def _set(self, function: str, value: int | None) -> None:
        if function in self.refused:
            raise ChangeRefused(f"{function} was refused: AccessDenied")
        self.reserve[function] = value


@dataclass
class Sat:
    """Whoever sits at the desk."""

    clock: FakeClock = field(default_factory=FakeClock)
    functions: Functions = field(default_factory=Functions)
    reachable: bool = True

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(clock=self.clock)

    def say(self, *arguments: str) -> int:
        desk = Desk(
            open_ledger=self.open_ledger,
            now=self.clock.now,
            open_hold=lambda region: self.functions,
            identity=lambda region: "arn:aws:iam::1:user/ann",
        )
        return run([*arguments, "--region", REF.region], desk)

    def open_ledger(self, table: str, region: str) -> Ledger:
        return self.ledger if self.reachable else self.unreachable()

    def unreachable(self) -> NoReturn:
        raise LedgerError(f"the table {NAME} cannot be reached")


@pytest.fixture
def sat() -> Sat:
    return Sat()


def test_everything_is_stopped_and_started_again(sat: Sat, capsys: pytest.CaptureFixture[str]) -> None:
    """With who, since when and why; the functions are left as they are."""
    assert sat.say("stop", "--all", *WHY) == 0
    assert sat.ledger.fleet_switch() == FleetSwitch(
        stopped=True, by="ann", reason="it rolls back too much", at=sat.clock.now()
    )
    assert set(sat.functions.reserve.values()) == {None}
    out = capsys.readouterr().out
    assert "Everything is stopped" in out
    assert "`responder start --all --reason '...'` ends it" in out

    sat.clock.advance(seconds=60)
    assert sat.say("start", "--all", "--reason", "it was right", "--by", "ben") == 0
    assert sat.ledger.fleet_switch() == FleetSwitch(stopped=False, by="ben", reason="it was right", at=sat.clock.now())
    assert "It is over: everything is stopped by ann since 20" in capsys.readouterr().out
    notes = sat.ledger.by_hand_between(sat.clock.now() - timedelta(hours=1), sat.clock.now())
    assert [note.said for note in notes] == [
        "ben lets the responder act again: it was right",
        "ann stopped everything: it rolls back too much",
    ]


def test_it_has_to_be_said_that_all_is_meant(sat: Sat, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever means one service is told what there is for it."""
    assert sat.say("stop", *WHY) == 2
    assert sat.say("start", *WHY) == 2
    assert sat.ledger.fleet_switch() == FleetSwitch(stopped=False)
    err = capsys.readouterr().err
    assert "`responder pause SERVICE`" in err
    assert "`responder resume SERVICE`" in err


@pytest.mark.parametrize("arguments", [("--all", "--hard"), ("--hard",)])
def test_a_hard_stop_holds_the_functions_too(
    sat: Sat, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of them, with what was done to it; the start lets them go."""
    assert sat.say("stop", *arguments, *WHY) == 0
    assert sat.functions.reserve == {REMEDIATE: 0, RESTORE: 0, CONTAIN: 0}
    assert sat.ledger.fleet_switch().stopped
    out = capsys.readouterr().out
    for function in (REMEDIATE, RESTORE, CONTAIN):
        assert f"{function}: held" in out

    assert sat.say("start", "--all", *WHY) == 0
    assert set(sat.functions.reserve.values()) == {None}
    assert capsys.readouterr().out.count("runs again") == 3


def test_a_hard_stop_works_without_the_ledger(sat: Sat, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, and ends with a status that scripts notice."""
    sat.reachable = False
    assert sat.say("stop", "--all", "--hard", *WHY) == 1
    assert sat.functions.reserve == {REMEDIATE: 0, RESTORE: 0, CONTAIN: 0}
    out = capsys.readouterr().out
    assert "Everything is stopped" not in out
    assert "The ledger does not know of it: the table ecs-first-responder cannot be reached" in out


def test_the_functions_are_held_before_the_ledger_is_waited_for(sat: Sat) -> None:
    """A table that hangs takes many seconds, in which nothing may be done any more."""
    seen: list[dict[str, int | None]] = []

    def hanging() -> NoReturn:
        seen.append(dict(sat.functions.reserve))
        raise LedgerError("read timeout")

    sat.reachable, sat.unreachable = False, hanging  # type: ignore[method-assign]
    assert sat.say("stop", "--all", "--hard", *WHY) == 1
    assert seen == [{REMEDIATE: 0, RESTORE: 0, CONTAIN: 0}]


def test_a_profile_that_there_is_not_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the way to the functions as on the way to the ledger."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    desk = Desk(open_ledger=desk_ledger, now=FakeClock().now)
    assert run(["stop", "--hard", *WHY, "--region", REF.region], desk) == 2
    assert capsys.readouterr().err.startswith("responder: your AWS configuration has no profile ")


def test_a_stop_that_cannot_be_written_points_at_the_hard_one(sat: Sat, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is stopped then, and nobody may believe that it is."""
    sat.reachable = False
    assert sat.say("stop", "--all", *WHY) == 2
    said = capsys.readouterr()
    assert "nothing is stopped: the table ecs-first-responder cannot be reached" in said.err
    assert "`responder stop --all --hard`" in said.err
    assert set(sat.functions.reserve.values()) == {None}


def test_a_start_without_the_ledger_starts_nothing(sat: Sat) -> None:
    """Whether somebody stopped everything is not known then."""
    sat.functions.reserve = {REMEDIATE: 0, RESTORE: 0, CONTAIN: 0}
    sat.reachable = False
    assert sat.say("start", "--all", *WHY) == 2
    assert set(sat.functions.reserve.values()) == {0}


def test_a_function_that_is_not_deployed(sat: Sat, capsys: pytest.CaptureFixture[str]) -> None:
    """The contain stack need not be there; without the others it is the wrong Region or name."""
    del sat.functions.reserve[CONTAIN]
    assert sat.say("stop", "--hard", *WHY) == 0
    assert f"{CONTAIN}: not deployed" in capsys.readouterr().out
    del sat.functions.reserve[REMEDIATE]
    assert sat.say("stop", "--hard", *WHY) == 1
    out = capsys.readouterr().out
    assert f"{REMEDIATE}: not deployed in {REF.region}; are --region and --table right?" in out
    assert f"{RESTORE}: held" in out


def test_one_that_is_refused_keeps_no_other_from_being_held(sat: Sat, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said which one still runs; nor does it matter that nobody may read what was reserved."""
    sat.functions.refused = frozenset({REMEDIATE})
    sat.functions.unread = True
    assert sat.say("stop", "--hard", *WHY) == 1
    assert sat.functions.reserve == {REMEDIATE: None, RESTORE: 0, CONTAIN: 0}
    assert f"{REMEDIATE}: NOT DONE: {REMEDIATE} was refused" in capsys.readouterr().out


def test_what_somebody_reserved_is_said_and_not_taken_away(sat: Sat, capsys: pytest.CaptureFixture[str]) -> None:
    """The stop has to overwrite it, and says how it comes back; a start leaves what holds nothing."""
    sat.functions.reserve[REMEDIATE] = 5
    assert sat.say("start", "--all", *WHY) == 0
    assert "its reserved concurrency stays 5" in capsys.readouterr().out
    assert sat.functions.reserve[REMEDIATE] == 5
    assert sat.say("stop", "--hard", *WHY) == 0
    assert f"--function-name {REMEDIATE} --reserved-concurrent-executions 5" in capsys.readouterr().out


def test_a_start_that_cannot_let_a_function_go_says_so(sat: Sat, capsys: pytest.CaptureFixture[str]) -> None:
    """The stop in the ledger is over by then, so that it has to be mended."""
    sat.say("stop", "--hard", *WHY)
    sat.functions.refused = frozenset({RESTORE})
    assert sat.say("start", "--all", *WHY) == 1
    out = capsys.readouterr().out
    assert f"{RESTORE}: NOT DONE" in out
    assert "The responder acts again" not in out


@pytest.mark.parametrize("arguments", [(), ("--state", "open"), ("--unmatched",)])
def test_the_list_of_incidents_begins_with_it(
    sat: Sat, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """And no more when it is over; what came from outside is no control sequence."""
    sat.ledger.record_signal(alarm_signal(), REF, may_open=True)
    sat.say("incidents", *arguments)
    assert "STOPPED" not in capsys.readouterr().out
    sat.say("stop", "--all", "--reason", "a \x1b[31mhunch", "--by", "ann")
    capsys.readouterr()
    sat.say("incidents", *arguments)
    out = capsys.readouterr().out
    assert "EVERYTHING IS STOPPED" in out.splitlines()[0]
    assert "everything is stopped by ann since" in out
    assert "\x1b[31m" not in out
    sat.say("start", "--all", *WHY)
    capsys.readouterr()
    sat.say("incidents", *arguments)
    assert "STOPPED" not in capsys.readouterr().out
