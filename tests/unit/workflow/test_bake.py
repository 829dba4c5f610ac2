"""What a new release has to prove before it counts as good."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from functions.domain.dependencies import HttpAnswer
from functions.domain.errors import LedgerError
from functions.domain.evidence import Release, ReleaseState
from functions.domain.services import ServiceRef
from functions.playbooks.schema import Playbook
from functions.workflow.bake import ROUND_S
from functions.workflow.decide import SHIPPER_WATCHES
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V2

URL = "https://shop.example/"
FINE, BROKEN = HttpAnswer(status=200, seconds=0.1), HttpAnswer(status=500, seconds=0.1)
BAKE_S = 600


@pytest.fixture
def responder() -> Responder:
    """A service whose release has been shipped just now, and is checked by one request."""
    playbook = Playbook.model_validate(
        {
            "region": REF.region,
            "cluster": REF.cluster,
            "service": REF.service,
            "mode": "auto",
            "bake": BAKE_S,
            "checks": [{"name": "front-page", "http": {"url": URL}}],
        }
    )
    made = Responder(playbook=playbook)
    made.world.ship(V2)
    made.world.quiet.shown_answers = {URL: FINE}
    return made


def baked(responder: Responder, *, minutes: int, answer: HttpAnswer | None = FINE) -> Release:
    """Bake looks every minute, and the check is answered like that."""
    responder.world.quiet.shown_answers = {} if answer is None else {URL: answer}
    for _ in range(minutes):
        responder.clock.advance(seconds=60)
        responder.bake()
    return next(release for release in responder.ledger.releases(REF) if release.task_definition == V2)


def test_a_release_that_passes_for_its_bake_time_is_good(responder: Responder) -> None:
    """Not a look earlier."""
    assert baked(responder, minutes=9).state is ReleaseState.SEEN
    assert baked(responder, minutes=2).state is ReleaseState.GOOD


def test_a_failed_check_makes_a_release_suspect_and_touches_nothing(responder: Responder) -> None:
    """It says which check and why; no incident is opened and nothing is changed for that alone."""
    release = baked(responder, minutes=1, answer=BROKEN)
    assert (release.state, release.reason) == (
        ReleaseState.SUSPECT,
        "check front-page is failing: it answers 500 instead of 200",
    )
    assert responder.ledger.open_incidents() == ()
    assert responder.world.changes == []


def test_a_suspect_release_may_prove_itself_anew(responder: Responder) -> None:
    """It has to pass a whole bake time after the failure."""
    baked(responder, minutes=8)
    baked(responder, minutes=1, answer=BROKEN)
    assert baked(responder, minutes=9).state is ReleaseState.SUSPECT
    assert baked(responder, minutes=1).state is ReleaseState.GOOD


def test_what_nobody_could_read_prolongs(responder: Responder) -> None:
    """Unknown answers neither pass nor fail, however many there are."""
    assert baked(responder, minutes=60, answer=None).state is ReleaseState.SEEN
    assert baked(responder, minutes=9).state is ReleaseState.SEEN
    assert baked(responder, minutes=1).state is ReleaseState.GOOD


def test_a_short_bake_time_needs_several_looks(responder: Responder) -> None:
    """One look is luck."""
    responder.playbook = responder.playbook.model_copy(update={"bake": 0})
    responder.__post_init__()
    responder.world.ship(V2)
    assert baked(responder, minutes=2).state is ReleaseState.SEEN
    assert baked(responder, minutes=1).state is ReleaseState.GOOD


def test_nothing_is_judged_while_an_incident_holds_the_service(responder: Responder) -> None:
    """Whatever fails then is the incident's to find out."""
    responder.ledger.record_signal(alarm_signal(), REF, may_open=True)
    assert baked(responder, minutes=30, answer=BROKEN).state is ReleaseState.SEEN


def test_a_release_that_hurts_is_rolled_back_before_any_alarm() -> None:
    """It opens an incident; its first minutes are its shipper's, and when they are over nobody waits for an alarm."""
    responder = Responder(
        playbook=Playbook.model_validate(
            {"region": REF.region, "cluster": REF.cluster, "service": REF.service, "mode": "auto", "bake": BAKE_S}
        )
    )
    world = responder.world
    responder.bake()
    responder.clock.advance(seconds=2 * BAKE_S)
    responder.bake()
    world.bad.add(V2)
    world.ship(V2)
    shipped_at = responder.clock.now()
    responder.clock.advance(seconds=100)
    assert responder.bake().opened
    responder.run(until=StepName.REMEDIATE)
    waited = responder.clock.now() - shipped_at
    assert SHIPPER_WATCHES <= waited <= SHIPPER_WATCHES + timedelta(seconds=15)


def test_a_ledger_that_fails_for_one_service_stops_no_other(responder: Responder) -> None:
    """It is said of which service, and the others are looked after in the same round."""
    basket = responder.playbook.model_copy(update={"service": "basket"})
    bake = replace(responder.bake, playbooks=[basket, responder.playbook])
    releases = responder.ledger.releases

    def failing(ref: ServiceRef) -> Sequence[Release]:
        if ref == basket.ref:
            raise LedgerError("the table ledger cannot be reached")
        return releases(ref)

    responder.ledger.releases = failing  # type: ignore[method-assign]
    baked = bake()
    assert baked.failed == (f"{basket.ref.key}: the table ledger cannot be reached",)
    assert baked.unread == ()
    assert [release.task_definition for release in releases(REF)] == [V2]


def test_a_round_without_time_leaves_the_rest_to_the_next(responder: Responder) -> None:
    """What it did not come to is said, and is what the round after it begins with: each has its turn."""
    services = [responder.playbook.model_copy(update={"service": f"orders-{n:02}"}) for n in range(30)]
    bake = replace(responder.bake, playbooks=services)
    rounds = []
    for _ in range(5):
        slow = replace(bake, stopwatch=count(step=ROUND_S / 12).__next__)
        rounds.append({each.ref.key for each in services} - set(slow().late))
    assert [len(each) for each in rounds] == [12] * 5
    assert all(sum(each.ref.key in looked_after for looked_after in rounds) == 2 for each in services)
    assert bake().late == ()
