"""Mute rules in a world: what an alarm tells is held back for a while, and told at the end if it still holds."""

import json
from typing import Any

import pytest

from functions.adapters.mutes import AlarmMutes
from functions.domain.changes import MuteAlarm, UnmuteAlarm
from functions.domain.errors import ChangeRefused
from tests.unit.drill.world.worlds import world
from tools.drill.deployment import WorldClock
from tools.drill.world.wire import WiredClients, connected
from tools.drill.world.world import World

ALARM = {"name": "orders-cpu", "symptom": "cpu", "threshold": 90}


def muting(seconds: int = 600) -> tuple[World, AlarmMutes, list[Any]]:
    """A world with one alarm, which is muted, and what its messages say."""
    of = world(alarms=[ALARM])
    told: list[Any] = []
    of.on_message(told.append)
    mutes = AlarmMutes(client=WiredClients(region="eu-west-1").once, clock=WorldClock(of))
    with connected(of):
        mutes.apply(MuteAlarm(alarm="orders-cpu", duration_s=seconds))
    return of, mutes, told


def goes_off(of: World) -> None:
    of.set_alarm_state("orders-cpu", "ALARM", "said the test")
    assert of.alarms["orders-cpu"].state == "ALARM"


def test_nothing_is_told_while_it_is_muted() -> None:
    """Its state changes all the same, and the world's own look puts it back."""
    of, mutes, told = muting()
    of.run_until(120)
    with connected(of):
        assert mutes.muted_s("orders-cpu") == 600
        with pytest.raises(ChangeRefused, match="already"):
            mutes.apply(MuteAlarm(alarm="orders-cpu", duration_s=60))
    goes_off(of)
    of.run_until(300)
    assert told == []
    of.run_until(900)
    with connected(of):
        assert mutes.muted_s("orders-cpu") == 0


def test_what_still_holds_is_told_when_the_mute_ends_early() -> None:
    """Deleting the rule runs the actions of an alarm in ALARM."""
    of, mutes, told = muting()
    of.run_until(120)
    goes_off(of)
    with connected(of):
        mutes.apply(UnmuteAlarm(alarm="orders-cpu"))
    of.run_until(140)
    body = json.loads(told[0]["Records"][0]["body"])
    assert "orders-cpu" in str(body)
    assert "ALARM" in str(body)
    assert of.changes == []
