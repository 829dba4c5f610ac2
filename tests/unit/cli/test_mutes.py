"""`responder mute` and `unmute`: only what only tells people, for a while."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.byhand import ByHand
from functions.domain.changes import ChangeResult, MuteAlarm, UnmuteAlarm
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tools.cli.main import Desk, run

TOPIC = "arn:aws:sns:eu-west-1:000000000000:on-call"
POLICY = "arn:aws:autoscaling:eu-west-1:000000000000:scalingPolicy:0123:resource/ecs/service/shop/orders:policyName/out"


@dataclass
class Muted:
    """The `MuteKeeper`, in memory."""

    does: tuple[str, ...] | None = (TOPIC,)
    muted: int = 0
    made: list[MuteAlarm | UnmuteAlarm] = field(default_factory=list)

    def actions(self, alarm: str) -> tuple[str, ...] | None:
        return self.does

    def muted_s(self, alarm: str) -> int:
        return self.muted

    def apply(self, change: MuteAlarm | UnmuteAlarm) -> ChangeResult:
        self.made.append(change)
        return ChangeResult()


def ask(keeper: Muted, *arguments: str, status: int = 0) -> Sequence[ByHand]:
    """What the ledger has of it by then."""
    clock = FakeClock()
    ledger = MemoryLedger(clock=clock, archive=FakeArchive())
    desk = Desk(
        open_ledger=lambda table, region: ledger,
        now=clock.now,
        open_mutes=lambda region: keeper,
        identity=lambda region: "arn:aws:iam::1:user/maria",
    )
    assert run([*arguments, "--region", "eu-west-1"], desk) == status
    return ledger.by_hand_between(clock.now(), clock.now())


def test_an_alarm_is_muted_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Who and why stand in the rule; what ends it earlier is said."""
    keeper = Muted()
    (note,) = ask(keeper, "mute", "orders-5xx", "--for", "2h", "--reason", "load test", "--by", "maria")
    assert note.said == "maria mutes orders-5xx for 2h: load test"
    assert (note.about, note.identity) == ("orders-5xx", "arn:aws:iam::1:user/maria")
    assert keeper.made == [MuteAlarm(alarm="orders-5xx", duration_s=7200, note="maria: load test")]
    assert "responder unmute orders-5xx" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("does", "length", "told"),
    [
        ((TOPIC, POLICY), "2h", "it does more than tell people"),
        (None, "2h", "could not be read"),
        ((), "2h", "no actions"),
        ((TOPIC,), "16d", "1m to 15d"),
        ((TOPIC,), "30s", "1m to 15d"),
    ],
)
def test_what_stays_loud(
    does: tuple[str, ...] | None, length: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alarm that scales above all, and no mute without an end that CloudWatch takes."""
    keeper = Muted(does=does)
    assert ask(keeper, "mute", "orders-5xx", "--for", length, "--reason", "x", status=2) == ()
    assert told in capsys.readouterr().err
    assert keeper.made == []


@pytest.mark.parametrize(("muted", "told"), [(7200, "is not muted any more"), (0, "was not muted by the responder")])
def test_a_mute_is_ended(muted: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked for twice, it does no harm."""
    keeper = Muted(muted=muted)
    (note,) = ask(keeper, "unmute", "orders-5xx", "--by", "maria")
    assert note.said == "maria ends the mute of orders-5xx"
    assert keeper.made == [UnmuteAlarm(alarm="orders-5xx")]
    assert told in capsys.readouterr().out
