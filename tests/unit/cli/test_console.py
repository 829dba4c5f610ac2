"""`responder console` and `responder mode`: what is opened, and what is said where that fails."""

from pathlib import Path

import pytest

from functions.domain.errors import LedgerError
from functions.domain.incidents import Mode
from tests.fakes.desk import IDENTITY, desk_of
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import playbook
from tools.cli.main import run
from tools.console.room import open_room
from tools.console.server import standing


@pytest.fixture
def responder() -> Responder:
    return Responder(playbook=playbook())


def test_a_room_has_the_playbooks_of_its_region(responder: Responder, tmp_path: Path) -> None:
    """The others belong to another responder; without a directory there are none."""
    for region in (REF.region, "us-west-2"):
        (tmp_path / f"{region}.yaml").write_text(f"region: {region}\ncluster: shop\nservice: orders\n")
    desk = desk_of(responder)
    room = open_room(desk, table="t", region=REF.region, by="ann\n\x1b[31m", playbooks=tmp_path)
    assert list(room.playbooks) == [REF.key]
    assert (room.by.isprintable(), room.identity) == (True, IDENTITY)
    nowhere = open_room(desk, table="t", region=REF.region, by="ann", playbooks=tmp_path / "none")
    assert nowhere.playbooks == {}


def test_what_cannot_be_opened_is_said_before_the_first_page(
    responder: Responder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In one line, with exit status 2: no Region, no table, a playbook that does not hold."""

    class Away(type(responder.ledger)):  # type: ignore[misc]
        def fleet_switch(self) -> None:
            raise LedgerError("the table ecs-first-responder cannot be reached")

    away = Away(clock=responder.clock)
    assert run(["console", "--region", REF.region], desk_of(responder, open_ledger=lambda table, region: away)) == 2
    assert capsys.readouterr().err == "responder: the table ecs-first-responder cannot be reached\n"
    (tmp_path / "orders.yaml").write_text("cluster: shop\n")
    assert run(["console", "--region", REF.region, "--playbooks", str(tmp_path)], desk_of(responder)) == 2
    assert "orders.yaml" in capsys.readouterr().err


def test_it_listens_on_the_loopback_address_alone(responder: Responder, tmp_path: Path) -> None:
    """On a port of its own where none is asked for, and no option names another address."""
    room = open_room(desk_of(responder), table="t", region=REF.region, by="ann", playbooks=tmp_path)
    links: list[str] = []
    with standing(room, port=0, say=links.append) as (server, door):
        assert server.server_address[0] == "127.0.0.1"
        assert door.address == f"127.0.0.1:{server.server_port}"
        assert door.link() == links[0]


def test_a_port_that_is_taken_is_named(
    responder: Responder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Werkzeug would end the process; here it is an error like every other."""
    room = open_room(desk_of(responder), table="t", region=REF.region, by="ann", playbooks=tmp_path)
    with standing(room, port=0, say=lambda _: None) as (server, _):
        taken = str(server.server_port)
        assert run(["console", "--region", REF.region, "--no-browser", "--port", taken], desk_of(responder)) == 2
    assert f"port {taken} of 127.0.0.1 cannot be had; write another --port" in capsys.readouterr().err


def test_a_mode_is_set_by_hand_until_the_playbook_holds_again(
    responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """With who set it and why; a pause beside it stays."""
    desk = desk_of(responder)
    where = ("--region", REF.region, "--by", "ann")
    assert run(["pause", "shop/orders", "--for", "1h", "--reason", "a look", *where], desk) == 0
    assert run(["mode", "shop/orders", "ask", "--reason", "new on call", *where], desk) == 0
    switch = responder.ledger.switch(REF)
    assert (switch.mode, switch.by, switch.reason) == (Mode.ASK, "ann", "new on call")
    assert switch.paused(responder.clock.now())
    assert "the mode is ask, whatever the playbook says" in capsys.readouterr().out
    assert run(["mode", "shop/orders", "playbook", "--reason", "all is well", *where], desk) == 0
    assert responder.ledger.switch(REF).mode is None
    assert run(["mode", "shop/orders", "wild", "--reason", "x", *where], desk) == 2
    assert run(["mode", "shop/orders", "auto", *where], desk) == 2
