"""What every ledger promises, wherever it lies."""

from datetime import timedelta

import pytest

from functions.adapters import bookkeeping, items
from functions.domain.approvals import Answer, Approval
from functions.domain.byhand import ByHand
from functions.domain.changes import Lease, LeaseTerms
from functions.domain.errors import NotInLedger, Superseded, TrailBroken
from functions.domain.evidence import ReleaseState
from functions.domain.heartbeat import HEARTBEAT
from functions.domain.incidents import (
    Fact,
    FleetSwitch,
    InboxEntry,
    Incident,
    IncidentStatus,
    Mode,
    NewEvent,
    Switch,
    verify_trail,
)
from functions.domain.maintenance import Announced
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState, Wakes
from functions.domain.table import TTL_ATTRIBUTE
from functions.domain.troubles import Trouble
from functions.ports import BudgetCharge, Ledger
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.signals import START, alarm_signal
from tests.integration.conftest import chaos_ledger

ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
BASKET = ServiceRef(region="eu-west-1", cluster="shop", service="basket")


def note(summary: str = "looked", **data: object) -> NewEvent:
    return NewEvent(fact=Fact.LOOKED_AGAIN, actor="watch", summary=summary, data=data)


RESOLVED = NewEvent(fact=Fact.INCIDENT_RESOLVED, actor="close", summary="it is well again")


def open_incident(ledger: Ledger, ref: ServiceRef = ORDERS, *, number: int = 0) -> Incident:
    signal = alarm_signal(number, alarm=f"{ref.service}-5xx")
    opening = ledger.record_signal(signal, ref, may_open=True)
    assert opening.opened
    assert opening.incident_id is not None
    return ledger.incident(opening.incident_id)


def verify(ledger: Ledger, incident_id: str) -> None:
    head = ledger.incident(incident_id)
    verify_trail(ledger.events(incident_id), head_sequence=head.head_sequence, head_hash=head.head_hash)


def lease_of(incident: Incident, *, identifier: str = "floor", minutes: int = 30) -> Lease:
    return Lease(
        id=identifier,
        incident_id=incident.id,
        service_key=incident.service.key,
        terms=LeaseTerms(resource_id="service/shop/orders", original=2, value=4, duration_s=60 * minutes),
        taken_at=incident.opened_at,
        due_at=incident.opened_at + timedelta(minutes=minutes),
    )


class TestRecordingSignals:
    def test_the_first_signal_opens(self, ledger: Ledger, clock: FakeClock) -> None:
        """A signal that may open makes an incident with a lock, an inbox entry and the first line of its trail."""
        incident = open_incident(ledger)

        assert incident.status is IncidentStatus.OPEN
        assert incident.id.startswith("inc-20260301-031200-")
        assert len(incident.execution_name) <= 80
        assert (incident.signals_received, incident.signals_seen, incident.generation) == (1, 0, 1)
        assert ledger.lock_holder(ORDERS) == incident.id
        assert [entry.number for entry in ledger.inbox(incident.id)] == [1]
        assert ledger.inbox(incident.id)[0].received_at == clock.now()
        assert [event.fact for event in ledger.events(incident.id)] == [Fact.INCIDENT_OPENED]
        verify(ledger, incident.id)

    def test_a_repeated_signal_changes_nothing(self, ledger: Ledger) -> None:
        """A message delivered again finds its incident and writes nothing, so that intake can repair a lost start."""
        incident = open_incident(ledger)

        again = ledger.record_signal(alarm_signal(), ORDERS, may_open=True)

        assert (again.incident_id, again.duplicate, again.opened) == (incident.id, True, False)
        assert again.execution_name == incident.execution_name
        assert ledger.incident(incident.id) == incident
        assert len(ledger.inbox(incident.id)) == 1

    def test_further_signals_join(self, ledger: Ledger) -> None:
        """Whatever is signalled while an incident is open goes into its inbox in order, even an OK."""
        incident = open_incident(ledger)

        joined = ledger.record_signal(alarm_signal(1, alarm="orders-cpu"), ORDERS, may_open=True)
        ok = ledger.record_signal(alarm_signal(2, state=AlarmState.OK), ORDERS, may_open=False)

        assert {joined.incident_id, ok.incident_id} == {incident.id}
        assert not joined.opened
        assert not joined.duplicate
        assert [entry.number for entry in ledger.inbox(incident.id)] == [1, 2, 3]
        assert ledger.inbox(incident.id)[2].signal == alarm_signal(2, state=AlarmState.OK)
        assert ledger.incident(incident.id).signals_received == 3

    def test_nothing_open_and_nothing_to_open(self, ledger: Ledger) -> None:
        """A signal that may not open is only noted when nothing is open, and known when it comes again."""
        ok = alarm_signal(state=AlarmState.OK)

        first = ledger.record_signal(ok, ORDERS, may_open=False)
        second = ledger.record_signal(ok, ORDERS, may_open=True)

        assert (first.incident_id, first.duplicate, first.execution_name) == (None, False, None)
        assert (second.incident_id, second.duplicate) == (None, True)
        assert ledger.lock_holder(ORDERS) is None

    def test_services_do_not_share_incidents(self, ledger: Ledger) -> None:
        """Two services of one cluster have an incident each."""
        assert open_incident(ledger, ORDERS).id != open_incident(ledger, BASKET).id

    def test_a_new_state_change_after_the_end_opens_another(self, ledger: Ledger, clock: FakeClock) -> None:
        """After an incident was resolved its signals are known still, and a new state change opens a second one."""
        incident = ledger.append(open_incident(ledger), [note()], step="assess", signals_seen=1)
        ledger.resolve(incident, RESOLVED)
        clock.advance(seconds=60)

        old = ledger.record_signal(alarm_signal(), ORDERS, may_open=True)
        new = ledger.record_signal(alarm_signal(60), ORDERS, may_open=True)

        assert (old.incident_id, old.duplicate) == (incident.id, True)
        assert new.opened
        assert new.incident_id != incident.id

    def test_unmatched_signals_are_kept_once(self, ledger: Ledger, clock: FakeClock) -> None:
        """A signal without a playbook is kept with its reason, newest first, and only once."""
        assert ledger.record_unmatched(alarm_signal(1), "no playbook")
        clock.advance(seconds=1)
        assert ledger.record_unmatched(alarm_signal(2), "no service")
        assert not ledger.record_unmatched(alarm_signal(1), "no playbook")

        assert ledger.unmatched() == ((alarm_signal(2), "no service"), (alarm_signal(1), "no playbook"))
        assert ledger.unmatched(limit=1) == ((alarm_signal(2), "no service"),)


class TestListening:
    """The execution that carries an incident pauses, and leaves what wakes it."""

    def test_the_next_signal_that_ends_the_pause_has_the_token(self, ledger: Ledger) -> None:
        """Also when it comes again; another signal has none."""
        incident = open_incident(ledger)
        assert ledger.record_signal(alarm_signal(), ORDERS, may_open=True).token is None
        assert ledger.listen(incident.id, 1, "the token", wakes=Wakes.TROUBLE, signals=1)

        ok = ledger.record_signal(alarm_signal(1, state=AlarmState.OK), ORDERS, may_open=False)
        another = ledger.record_signal(alarm_signal(2, alarm="orders-cpu"), ORDERS, may_open=True)
        again = ledger.record_signal(alarm_signal(2, alarm="orders-cpu"), ORDERS, may_open=True)

        assert (ok.token, another.token, again.token) == (None, "the token", "the token")
        assert ledger.incident(incident.id).signals_received == 3
        verify(ledger, incident.id)

    def test_a_later_pause_takes_the_place_of_an_earlier_one(self, ledger: Ledger) -> None:
        """Only the newest token is any good."""
        incident = open_incident(ledger)
        assert ledger.listen(incident.id, 1, "one", wakes=Wakes.TROUBLE, signals=1)
        assert ledger.listen(incident.id, 1, "two", wakes=Wakes.ORDERS, signals=None)
        assert ledger.record_signal(alarm_signal(2, alarm="orders-cpu"), ORDERS, may_open=True).token is None

    def test_a_signal_that_came_meanwhile_ends_it_before_it_begins(self, ledger: Ledger) -> None:
        """Nothing is left then."""
        incident = open_incident(ledger)
        ledger.record_signal(alarm_signal(1, state=AlarmState.OK), ORDERS, may_open=False)
        assert not ledger.listen(incident.id, 1, "the token", wakes=Wakes.TROUBLE, signals=1)
        assert ledger.record_signal(alarm_signal(2, alarm="orders-cpu"), ORDERS, may_open=True).token is None

    def test_whoever_writes_has_woken(self, ledger: Ledger) -> None:
        """Its token is gone."""
        incident = open_incident(ledger)
        assert ledger.listen(incident.id, 1, "the token", wakes=Wakes.TROUBLE, signals=1)
        ledger.append(incident, [note("looked")], step="verify")
        assert ledger.record_signal(alarm_signal(2, alarm="orders-cpu"), ORDERS, may_open=True).token is None

    def test_only_who_carries_the_incident_listens(self, ledger: Ledger) -> None:
        """Neither who was taken over, nor anybody once it is closed."""
        incident = open_incident(ledger)
        incident = ledger.next_generation(incident, note("taken over"))
        with pytest.raises(Superseded):
            ledger.listen(incident.id, 1, "the token", wakes=Wakes.TROUBLE, signals=1)
        seen = ledger.append(incident, [note("looked")], step="assess", signals_seen=1)
        ledger.resolve(seen, note("over"))
        with pytest.raises(Superseded):
            ledger.listen(incident.id, 2, "the token", wakes=Wakes.TROUBLE, signals=1)


class TestTheTrail:
    def test_events_follow_each_other(self, ledger: Ledger, clock: FakeClock) -> None:
        """Appended events are read back in order, at the time of their append, in one unbroken chain."""
        incident = open_incident(ledger)
        at = clock.advance(seconds=5)

        incident = ledger.append(incident, [note("one", count=1, ratio=0.5), note("two")], step="assess")
        incident = ledger.append(incident, [note("three")], step="verify")

        events = ledger.events(incident.id)
        assert [event.summary for event in events[1:]] == ["one", "two", "three"]
        assert events[1].data == {"count": 1, "ratio": 0.5}
        assert events[1].at == at
        assert ledger.incident(incident.id) == incident
        assert incident.step == "verify"
        verify(ledger, incident.id)

    def test_an_append_to_an_old_head_is_refused(self, ledger: Ledger) -> None:
        """Of two writers with the same head the second is refused and leaves nothing behind."""
        incident = open_incident(ledger)
        ledger.append(incident, [note("first")], step="assess")

        with pytest.raises(Superseded):
            ledger.append(incident, [note("second")], step="assess")

        assert len(ledger.events(incident.id)) == 2
        verify(ledger, incident.id)

    def test_an_older_generation_is_refused(self, ledger: Ledger) -> None:
        """After another execution took over, the first one writes no more."""
        old = open_incident(ledger)
        new = ledger.next_generation(old, note("taken over"))

        assert new.generation == 2
        assert new.execution_name == f"{old.id}-2"
        with pytest.raises(Superseded):
            ledger.append(old, [note()], step="assess")
        with pytest.raises(Superseded):
            ledger.append(new.model_copy(update={"generation": 1}), [note()], step="assess")
        with pytest.raises(Superseded):
            ledger.next_generation(old, note())
        ledger.append(new, [note()], step="assess")
        verify(ledger, old.id)

    def test_a_signal_does_not_stop_an_append(self, ledger: Ledger) -> None:
        """Intake counts signals while the workflow writes; neither undoes what the other did."""
        incident = open_incident(ledger)
        ledger.record_signal(alarm_signal(1), ORDERS, may_open=True)

        ledger.append(incident, [note()], step="assess", signals_seen=1)

        stored = ledger.incident(incident.id)
        assert (stored.signals_received, stored.signals_seen) == (2, 1)

    def test_large_evidence_lies_in_the_archive(self, ledger: Ledger, archive: FakeArchive) -> None:
        """Data over 8 KB leaves only its hash in the trail, and is given back whole."""
        incident = open_incident(ledger)
        data = {"log": ["x" * 100] * 200}

        ledger.append(incident, [note("much", **data), note("little", log=[])], step="assess")

        _, much, little = ledger.events(incident.id)
        assert set(much.data) == {"archived", "sha256"}
        assert ledger.evidence(much) == data
        assert ledger.evidence(little) == {"log": []}
        verify(ledger, incident.id)

    def test_tampered_evidence_is_found(self, ledger: Ledger, archive: FakeArchive) -> None:
        """An archived document that is not the one appended breaks the trail."""
        ledger.append(open_incident(ledger), [note("much", log=["x" * 100] * 200)], step="assess")
        (incident,) = ledger.open_incidents()
        for url in archive.documents:
            archive.documents[url] = '{"log":[]}'

        with pytest.raises(TrailBroken):
            ledger.evidence(ledger.events(incident.id)[1])

    def test_an_append_says_something(self, ledger: Ledger) -> None:
        """An append without events, or with more than fit into one transaction, is a mistake of the caller."""
        incident = open_incident(ledger)
        for events in ([], [note()] * 91):
            with pytest.raises(ValueError, match="90 events"):
                ledger.append(incident, events, step="assess")

    def test_a_full_append_fits(self, ledger: Ledger) -> None:
        """As many events as are allowed go into one transaction together with a lease and a charge."""
        incident = open_incident(ledger)
        budget = BudgetCharge(at=incident.opened_at, service_limit=1, fleet_limit=1)

        ledger.append(incident, [note()] * 90, step="assess", lease=lease_of(incident), budget=budget)

        assert len(ledger.events(incident.id)) == 91

    def test_what_is_not_there(self, ledger: Ledger) -> None:
        """An unknown incident is an error by name; its lists are empty."""
        with pytest.raises(NotInLedger):
            ledger.incident("inc-20260301-031200-abcdef")
        assert ledger.events("inc-20260301-031200-abcdef") == ()
        assert ledger.inbox("inc-20260301-031200-abcdef") == ()


class TestResolving:
    def test_resolving_releases_the_lock(self, ledger: Ledger, clock: FakeClock) -> None:
        """A resolved incident is closed at that time, holds no lock and is open no longer."""
        incident = ledger.append(open_incident(ledger), [note()], step="verify", signals_seen=1)
        at = clock.advance(seconds=30)

        resolved = ledger.resolve(incident, RESOLVED)

        assert (resolved.status, resolved.closed_at) == (IncidentStatus.RESOLVED, at)
        assert ledger.incident(incident.id) == resolved
        assert ledger.lock_holder(ORDERS) is None
        assert ledger.open_incidents() == ()
        verify(ledger, incident.id)

    def test_an_unseen_signal_keeps_it_open(self, ledger: Ledger) -> None:
        """An incident is not closed over a signal that nobody looked at."""
        incident = ledger.append(open_incident(ledger), [note()], step="verify", signals_seen=1)
        ledger.record_signal(alarm_signal(1), ORDERS, may_open=True)

        for stale in (incident, ledger.incident(incident.id)):
            with pytest.raises(Superseded):
                ledger.resolve(stale, RESOLVED)

        assert ledger.lock_holder(ORDERS) == incident.id
        seen = ledger.append(ledger.incident(incident.id), [note()], step="assess", signals_seen=2)
        assert ledger.resolve(seen, RESOLVED).status is IncidentStatus.RESOLVED

    def test_it_is_closed_once(self, ledger: Ledger) -> None:
        """A second resolve is refused, also when another incident holds the service by then."""
        incident = ledger.append(open_incident(ledger), [note()], step="verify", signals_seen=1)
        resolved = ledger.resolve(incident, RESOLVED)
        second = open_incident(ledger, number=99)

        for head in (incident, resolved):
            with pytest.raises(Superseded):
                ledger.resolve(head, RESOLVED)

        assert ledger.lock_holder(ORDERS) == second.id

    def test_the_trail_goes_on_after_the_end(self, ledger: Ledger) -> None:
        """What is given back later is written into the trail of the closed incident, which stays closed."""
        incident = ledger.append(open_incident(ledger), [note()], step="verify", signals_seen=1)
        resolved = ledger.resolve(incident, RESOLVED)

        later = ledger.append(ledger.next_generation(resolved, note("for a lease")), [note()], step="restore")

        assert ledger.incident(incident.id) == later
        assert later.status is IncidentStatus.RESOLVED
        assert later.closed_at == resolved.closed_at
        assert ledger.open_incidents() == ()
        verify(ledger, incident.id)


class TestTheService:
    def test_the_switch(self, ledger: Ledger, clock: FakeClock) -> None:
        """What operators set is kept as they set it; before that the switch is empty."""
        assert ledger.switch(ORDERS) == Switch()
        paused = Switch(paused_until=clock.now(), mode=Mode.OBSERVE, by="ana", reason="sale", at=clock.now())

        ledger.set_switch(ORDERS, paused)

        assert ledger.switch(ORDERS) == paused
        assert ledger.switch(BASKET) == Switch()

    def test_a_switch_that_somebody_else_set_meanwhile_is_not_overwritten(
        self, ledger: Ledger, clock: FakeClock
    ) -> None:
        """Whoever read it before has to read it again; else an announced window could get lost."""
        window = Announced(
            start=clock.now(), end=clock.now() + timedelta(hours=1), by="ana", reason="disks", at=clock.now()
        )
        before, announced, paused = Switch(), Switch(maintenance=(window,)), Switch(paused_until=clock.now())
        ledger.set_switch(ORDERS, announced, was=before)
        with pytest.raises(Superseded):
            ledger.set_switch(ORDERS, paused, was=before)
        assert ledger.switch(ORDERS) == announced

        ledger.set_switch(ORDERS, paused, was=announced)
        assert ledger.switch(ORDERS) == paused

    def test_the_release_history(self, ledger: Ledger, clock: FakeClock) -> None:
        """Releases come newest first; seeing one again moves its last time and keeps what was known."""
        first, second = clock.now(), clock.advance(seconds=60)
        ledger.note_release(ORDERS, "orders:1", at=first, surroundings="abc")
        ledger.note_release(ORDERS, "orders:2", at=second)
        ledger.judge_release(ORDERS, "orders:1", ReleaseState.GOOD, reason="quiet for an hour")
        ledger.note_release(ORDERS, "orders:1", at=first)

        new, old = ledger.releases(ORDERS)

        assert (new.task_definition, new.state) == ("orders:2", ReleaseState.SEEN)
        assert (old.task_definition, old.state, old.surroundings) == ("orders:1", ReleaseState.GOOD, "abc")
        ledger.note_release(ORDERS, "orders:1", at=clock.advance(seconds=60))
        assert [release.task_definition for release in ledger.releases(ORDERS)] == ["orders:1", "orders:2"]
        assert ledger.releases(ORDERS)[0].first_seen == first
        assert ledger.releases(BASKET) == ()

    def test_quarantine_stays(self, ledger: Ledger, clock: FakeClock) -> None:
        """A quarantined release is not rehabilitated by a later judgement, nor by being seen again."""
        ledger.judge_release(ORDERS, "orders:3", ReleaseState.QUARANTINED, reason="it broke the service")

        ledger.judge_release(ORDERS, "orders:3", ReleaseState.GOOD, reason="quiet")
        ledger.note_release(ORDERS, "orders:3", at=clock.now())

        (release,) = ledger.releases(ORDERS)
        assert (release.state, release.reason) == (ReleaseState.QUARANTINED, "it broke the service")

    def test_what_a_person_says_of_a_release(self, ledger: Ledger, clock: FakeClock) -> None:
        """Lifts a quarantine, too, and is kept with who said it and why; from then on it proves itself anew."""
        ledger.judge_release(ORDERS, "orders:3", ReleaseState.QUARANTINED, reason="it broke the service")
        note = ByHand(at=clock.now(), by="ana", identity="arn:ana", what="trusts orders:3", reason="the database did")

        ledger.judge_by_hand(ORDERS, "orders:3", ReleaseState.SEEN, note, was=ReleaseState.QUARANTINED)

        (release,) = ledger.releases(ORDERS)
        assert (release.state, release.reason) == (ReleaseState.SEEN, "ana: the database did")
        assert ledger.by_hand_between(clock.now(), clock.now()) == (note,)
        ledger.judge_release(ORDERS, "orders:3", ReleaseState.GOOD, reason="quiet")
        assert ledger.releases(ORDERS)[0].state is ReleaseState.GOOD

    def test_a_person_judges_what_they_saw(self, ledger: Ledger, clock: FakeClock) -> None:
        """Where it is another state by now, nothing is written, and nothing is noted."""
        note = ByHand(at=clock.now(), by="ana", what="quarantines orders:3", reason="a hunch")
        with pytest.raises(Superseded, match="not on record"):
            ledger.judge_by_hand(ORDERS, "orders:3", ReleaseState.QUARANTINED, note, was=ReleaseState.GOOD)
        assert ledger.releases(ORDERS) == ()
        assert ledger.by_hand_between(clock.now(), clock.now()) == ()

        ledger.judge_by_hand(ORDERS, "orders:3", ReleaseState.QUARANTINED, note, was=None)
        ledger.note_release(ORDERS, "orders:3", at=clock.advance(seconds=60))
        assert ledger.releases(ORDERS)[0].state is ReleaseState.QUARANTINED

    def test_what_people_do_by_hand(self, ledger: Ledger, clock: FakeClock) -> None:
        """Is kept once, and listed newest first."""
        first = ByHand(at=clock.now(), by="ana", what="mutes orders-5xx", reason="noise", about="orders-5xx")
        second = first.model_copy(update={"at": clock.advance(seconds=60), "by": "ben"})
        for note in (first, second, first):
            ledger.note_by_hand(note)

        assert ledger.by_hand_between(first.at, second.at) == (second, first)
        assert ledger.by_hand_between(second.at, second.at) == (second,)


class TestBudgets:
    @staticmethod
    def charge(ledger: Ledger, clock: FakeClock, incident: Incident, *, service: int = 9, fleet: int = 9) -> Incident:
        budget = BudgetCharge(at=clock.now(), service_limit=service, fleet_limit=fleet)
        return ledger.append(incident, [note()], step="remediate", budget=budget)

    def test_a_used_up_budget_refuses(self, ledger: Ledger, clock: FakeClock) -> None:
        """The charge beyond the limit is refused together with its events, until the hour has passed."""
        incident = self.charge(ledger, clock, open_incident(ledger), service=1)
        first = clock.now()
        clock.advance(seconds=3599)
        with pytest.raises(Superseded):
            self.charge(ledger, clock, incident, service=1)
        assert ledger.incident(incident.id) == incident

        clock.advance(seconds=1)
        self.charge(ledger, clock, incident, service=1)

        assert ledger.charges(ORDERS, since=first) == (clock.now(), first)
        assert ledger.charges(ORDERS, since=clock.now()) == (clock.now(),)
        assert ledger.charges(BASKET, since=first) == ()

    def test_zero_allows_none(self, ledger: Ledger, clock: FakeClock) -> None:
        """A limit of 0 means none allowed, for the service as for the fleet."""
        incident = open_incident(ledger)
        for limits in ({"service": 0}, {"fleet": 0}):
            with pytest.raises(Superseded):
                self.charge(ledger, clock, incident, **limits)
        assert ledger.fleet(since=incident.opened_at).charges == 0

    def test_the_fleet_shares_one_budget(self, ledger: Ledger, clock: FakeClock) -> None:
        """Two services together cannot exceed what the fleet may do."""
        orders, basket = open_incident(ledger, ORDERS), open_incident(ledger, BASKET)
        self.charge(ledger, clock, orders, fleet=1)

        with pytest.raises(Superseded):
            self.charge(ledger, clock, basket, fleet=1)

        assert ledger.fleet(since=orders.opened_at).charges == 1
        assert ledger.charges(BASKET, since=orders.opened_at) == ()

    def test_a_stale_writer_is_not_charged(self, ledger: Ledger, clock: FakeClock) -> None:
        """An append that is refused leaves the budget as it was."""
        incident = open_incident(ledger)
        ledger.append(incident, [note()], step="assess")

        with pytest.raises(Superseded):
            self.charge(ledger, clock, incident)

        assert ledger.charges(ORDERS, since=incident.opened_at) == ()


class TestTheFleetSwitch:
    STOPPED = FleetSwitch(stopped=True, by="ana", reason="too much at once")

    def test_where_nobody_set_it_nothing_is_stopped(self, ledger: Ledger, clock: FakeClock) -> None:
        """As in every ledger that is older than it."""
        assert ledger.fleet_switch() == FleetSwitch(stopped=False)
        assert ledger.fleet(since=clock.now()).switch == FleetSwitch(stopped=False)
        assert not FleetSwitch(stopped=False).stopped
        incident = ledger.append(open_incident(ledger), [note()], step="remediate", unless_stopped=True)
        assert incident.head_sequence == 2

    def test_it_is_kept_as_it_was_set(self, ledger: Ledger, clock: FakeClock) -> None:
        """Alone as beside the charges of the fleet."""
        stopped = self.STOPPED.model_copy(update={"at": clock.now()})
        ledger.set_fleet_switch(stopped)
        assert ledger.fleet_switch() == stopped
        assert ledger.fleet(since=clock.now()).switch == stopped

    def test_nothing_is_begun_while_everything_is_stopped(self, ledger: Ledger, clock: FakeClock) -> None:
        """Neither the line of the trail nor the lease nor the charge is written; what else happens goes into the
        trail all the same."""
        incident, since = open_incident(ledger), clock.now()
        ledger.set_fleet_switch(self.STOPPED)
        budget = BudgetCharge(at=since, service_limit=9, fleet_limit=9)
        with pytest.raises(Superseded, match="everything is stopped by ana: too much at once"):
            ledger.append(
                incident,
                [note()],
                step="remediate",
                lease=lease_of(incident),
                budget=budget,
                unless_stopped=True,
            )
        assert ledger.incident(incident.id) == incident
        assert ledger.service_leases(ORDERS) == ()
        assert ledger.fleet(since=since).charges == 0

        incident = ledger.append(incident, [note()], step="assess")
        ledger.set_fleet_switch(FleetSwitch(stopped=False, by="ben", reason="over"))
        incident = ledger.append(incident, [note()], step="remediate", budget=budget, unless_stopped=True)
        assert ledger.fleet(since=since).charges == 1
        verify(ledger, incident.id)

    def test_one_that_somebody_else_set_meanwhile_is_not_overwritten(self, ledger: Ledger) -> None:
        """Whoever starts again ends the stop that they saw, and no later one; a stop is never refused."""
        ledger.set_fleet_switch(self.STOPPED)
        another = FleetSwitch(stopped=True, by="cem", reason="again")
        ledger.set_fleet_switch(another)
        with pytest.raises(Superseded):
            ledger.set_fleet_switch(FleetSwitch(stopped=False), was=self.STOPPED)
        assert ledger.fleet_switch() == another
        ledger.set_fleet_switch(FleetSwitch(stopped=False), was=another)
        assert not ledger.fleet_switch().stopped


class TestLeases:
    def test_a_lease_is_out_until_it_ends(self, ledger: Ledger, clock: FakeClock) -> None:
        """A lease is listed with its incident and its service until its end is in the trail."""
        incident = open_incident(ledger)
        lease = lease_of(incident)
        incident = ledger.append(incident, [note("raised")], step="remediate", lease=lease)
        assert ledger.leases(incident.id) == (lease,)
        assert ledger.service_leases(ORDERS) == (lease,)
        assert ledger.service_leases(BASKET) == ()

        incident = ledger.end_lease(incident, lease, note("given back"))

        assert ledger.leases(incident.id) == ()
        assert ledger.incident(incident.id) == incident
        verify(ledger, incident.id)

    def test_a_lease_ends_once(self, ledger: Ledger) -> None:
        """Ending a lease that is no longer out is refused and says nothing in the trail."""
        incident = open_incident(ledger)
        lease = lease_of(incident)
        incident = ledger.append(incident, [note()], step="remediate", lease=lease)
        ended = ledger.end_lease(incident, lease, note())

        with pytest.raises(Superseded):
            ledger.end_lease(ended, lease, note())

        assert ledger.incident(incident.id) == ended

    def test_a_lease_is_due(self, ledger: Ledger, clock: FakeClock) -> None:
        """A lease is due from its end on, earliest first; postponed, it is due later."""
        incident = open_incident(ledger)
        long, short = lease_of(incident, identifier="long", minutes=60), lease_of(incident, identifier="short")
        incident = ledger.append(incident, [note()], step="remediate", lease=long)
        incident = ledger.append(incident, [note()], step="remediate", lease=short)

        assert ledger.leases_due(short.due_at - timedelta(seconds=1)) == ()
        assert ledger.leases_due(short.due_at) == (short,)
        assert ledger.leases_due(long.due_at) == (short, long)

        later = short.model_copy(update={"due_at": long.due_at + timedelta(minutes=1)})
        ledger.append(incident, [note("postponed")], step="restore", lease=later)
        assert ledger.leases_due(long.due_at) == (long,)

    def test_a_lease_is_not_taken_from_another_incident(self, ledger: Ledger) -> None:
        """An incident cannot overwrite a lease that another one took."""
        orders, basket = open_incident(ledger, ORDERS), open_incident(ledger, BASKET)
        lease = lease_of(orders)
        ledger.append(orders, [note()], step="remediate", lease=lease)

        with pytest.raises(Superseded):
            ledger.append(basket, [note()], step="remediate", lease=lease.model_copy(update={"incident_id": basket.id}))

        assert ledger.service_leases(ORDERS) == (lease,)


class TestLists:
    def test_incidents_by_time_and_by_service(self, ledger: Ledger, clock: FakeClock) -> None:
        """Incidents are listed newest first: the open ones, a service's, and those opened in a time range."""
        first = open_incident(ledger, ORDERS)
        first = ledger.append(first, [note()], step="verify", signals_seen=1)
        first = ledger.resolve(first, RESOLVED)
        clock.advance(seconds=60)
        second = open_incident(ledger, BASKET)
        clock.advance(seconds=60)
        third = open_incident(ledger, ORDERS, number=120)

        assert ledger.open_incidents() == (third, second)
        assert ledger.incidents_of(ORDERS) == (third, first)
        assert ledger.incidents_of(ORDERS, limit=1) == (third,)
        assert ledger.incidents_between(first.opened_at, second.opened_at) == (second, first)
        assert ledger.incidents_between(second.opened_at, clock.now()) == (third, second)


ASKED = NewEvent(fact=Fact.APPROVAL_REQUESTED, actor="approval", summary="asked people")


def approval_of(incident: Incident, *, number: int = 1) -> Approval:
    return Approval(
        incident_id=incident.id,
        generation=incident.generation,
        number=number,
        plan_hash="0" * 64,
        summary="roll back",
        token="t" * 600,
        asked_at=incident.opened_at,
        expires_at=incident.opened_at + timedelta(minutes=15),
    )


def granted(asked: Approval) -> Approval:
    return asked.model_copy(update={"answer": Answer.GRANTED, "by": "maria", "answered_at": asked.asked_at})


def ask(ledger: Ledger, incident: Incident, *, number: int = 1) -> tuple[Incident, Approval]:
    asked = approval_of(incident, number=number)
    return ledger.append(incident, [ASKED], step="approval", approval=asked), asked


class TestApprovals:
    def test_a_request_lies_beside_its_incident(self, ledger: Ledger) -> None:
        """Written with the event that tells of it; before that there is none."""
        incident = open_incident(ledger)
        assert ledger.approval(incident.id) is None
        incident, asked = ask(ledger, incident)
        assert ledger.approval(incident.id) == asked
        assert ledger.events(incident.id)[-1].fact is Fact.APPROVAL_REQUESTED
        verify(ledger, incident.id)

    def test_a_request_of_an_incident_that_moved_on_is_not_written(self, ledger: Ledger) -> None:
        """Nobody may be asked in the name of an execution that was replaced."""
        incident = open_incident(ledger)
        ledger.append(incident, [note()], step="watch")
        with pytest.raises(Superseded):
            ask(ledger, incident)
        assert ledger.approval(incident.id) is None

    def test_an_answer_is_written_once(self, ledger: Ledger) -> None:
        """The second one is refused, even if it is the same; the trail is left alone."""
        incident, asked = ask(ledger, open_incident(ledger))
        ledger.answer_approval(asked, granted(asked))
        assert ledger.approval(incident.id) == granted(asked)
        for again in (granted(asked), asked.model_copy(update={"answer": Answer.DENIED})):
            with pytest.raises(Superseded, match="answered or replaced"):
                ledger.answer_approval(asked, again)
        assert ledger.approval(incident.id) == granted(asked)
        assert ledger.incident(incident.id) == incident

    def test_a_later_request_takes_the_place_of_an_earlier_one(self, ledger: Ledger) -> None:
        """And an answer to the earlier one is refused."""
        incident, first = ask(ledger, open_incident(ledger))
        incident, second = ask(ledger, incident, number=2)
        with pytest.raises(Superseded, match="answered or replaced"):
            ledger.answer_approval(first, granted(first))
        assert ledger.approval(incident.id) == second

    def test_an_answered_request_is_replaced_too(self, ledger: Ledger) -> None:
        """When the plan was another one, people are asked anew."""
        incident, first = ask(ledger, open_incident(ledger))
        ledger.answer_approval(first, granted(first))
        incident, second = ask(ledger, incident, number=2)
        assert ledger.approval(incident.id) == second

    def test_no_answer_to_an_execution_that_was_replaced(self, ledger: Ledger) -> None:
        """Its successor asks again."""
        incident, asked = ask(ledger, open_incident(ledger))
        ledger.next_generation(incident, note())
        with pytest.raises(Superseded, match="taken over"):
            ledger.answer_approval(asked, granted(asked))

    def test_no_answer_to_a_closed_incident(self, ledger: Ledger) -> None:
        """There is nothing to allow any more."""
        incident, asked = ask(ledger, open_incident(ledger))
        incident = ledger.append(incident, [note()], step="assess", signals_seen=1)
        ledger.resolve(incident, RESOLVED)
        with pytest.raises(Superseded, match="closed"):
            ledger.answer_approval(asked, granted(asked))


class TestClaims:
    def test_only_the_first_gets_it(self, ledger: Ledger) -> None:
        """Whoever comes second is told so; another claim is another matter."""
        assert ledger.claim("digest/daily/2026-03-01")
        assert not ledger.claim("digest/daily/2026-03-01")
        assert ledger.claim("digest/daily/2026-03-02")

    def test_what_was_given_up_may_be_claimed_again(self, ledger: Ledger) -> None:
        """And giving up what nobody claimed is no error."""
        ledger.give_up("digest/weekly/2026-W09")
        assert ledger.claim("digest/weekly/2026-W09")
        ledger.give_up("digest/weekly/2026-W09")
        assert ledger.claim("digest/weekly/2026-W09")


class TestHeartbeats:
    def test_no_list_has_one_open_or_resolved(self, ledger: Ledger, clock: FakeClock) -> None:
        """It has a lock and a trail like every incident, and is an incident of no service."""
        incident = open_incident(ledger, HEARTBEAT)
        assert incident.id.startswith("heartbeat-")
        assert ledger.lock_holder(HEARTBEAT) == incident.id
        assert ledger.open_incidents() == ()
        incident = ledger.append(incident, [note()], step="assess", signals_seen=1)
        assert ledger.open_incidents() == ()
        ledger.resolve(incident, RESOLVED)
        a_day = timedelta(days=1)
        assert ledger.incidents_between(clock.now() - a_day, clock.now() + a_day) == ()
        assert ledger.incidents_of(HEARTBEAT) == ()
        assert ledger.lock_holder(HEARTBEAT) is None
        verify(ledger, incident.id)


class TestCounting:
    def test_every_line_is_told_once_and_only_what_was_written(self, clock: FakeClock) -> None:
        """The first one, those of every step, and none of a write that was refused or of a signal that came twice."""
        told: list[Fact] = []
        with chaos_ledger(clock, None) as ledger:
            ledger._written = lambda _, lines: told.extend(line.fact for line in lines)
            incident = open_incident(ledger)
            ledger.record_signal(alarm_signal(alarm="orders-5xx"), ORDERS, may_open=True)
            after = ledger.append(incident, [note(), note()], step="assess", signals_seen=1)
            with pytest.raises(Superseded):
                ledger.append(incident, [note()], step="assess")
            ledger.resolve(after, RESOLVED)
        assert told == [Fact.INCIDENT_OPENED, Fact.LOOKED_AGAIN, Fact.LOOKED_AGAIN, Fact.INCIDENT_RESOLVED]


def test_records_of_a_heartbeat_expire_and_no_others() -> None:
    """Ninety-six a day are of no use for long; what happened to a service is kept."""
    signal = alarm_signal()
    for ref, expires in ((HEARTBEAT, True), (ORDERS, False)):
        incident, event = bookkeeping.opening(signal, ref, START)
        entry = InboxEntry(number=1, received_at=START, signal=signal)
        for item in (
            items.head_item(incident),
            items.event_item(event),
            items.inbox_item(incident.id, entry),
            items.expiry(incident.id, START),
        ):
            assert (TTL_ATTRIBUTE in item) is expires


class TestWhatOthersHaveToKnow:
    def test_what_did_not_help_is_kept_for_a_day(self, ledger: Ledger, clock: FakeClock) -> None:
        """Once an incident, at the time it was first said; of one service, and until it is forgotten."""
        first = clock.now()
        ledger.note_ineffective(ORDERS, "inc-1", at=first)
        second = clock.advance(seconds=3600)
        ledger.note_ineffective(ORDERS, "inc-1", at=second)
        ledger.note_ineffective(ORDERS, "inc-2", at=second)

        assert ledger.ineffective(ORDERS, since=first) == {"inc-1": first, "inc-2": second}
        assert ledger.ineffective(ORDERS, since=second) == {"inc-2": second}
        assert ledger.ineffective(BASKET, since=first) == {}

        later = clock.advance(seconds=24 * 3600)
        ledger.note_ineffective(ORDERS, "inc-3", at=later)
        assert set(ledger.ineffective(ORDERS, since=first)) == {"inc-3"}

        for _ in range(2):
            ledger.forget_ineffective(ORDERS)
            assert ledger.ineffective(ORDERS, since=first) == {}

    def test_troubles_are_read_with_the_fleet(self, ledger: Ledger, clock: FakeClock) -> None:
        """The newest of each service, those of the time asked for."""
        at = clock.now()

        def trouble(ref: ServiceRef, number: int, *shares: str) -> Trouble:
            return Trouble(
                service_key=ref.key,
                incident_id=f"inc-{number}",
                at=at + timedelta(minutes=number),
                shares=shares,
            )

        incidents = {ref: open_incident(ledger, ref, number=number) for number, ref in enumerate((ORDERS, BASKET))}
        for ref, number, shares in ((ORDERS, 1, ("a",)), (BASKET, 2, ("a", "zone b")), (ORDERS, 3, ("c",))):
            noted = trouble(ref, number, *shares)
            incidents[ref] = ledger.append(incidents[ref], [note()], step="assess", trouble=noted)

        found = ledger.fleet(since=at).troubles
        assert found == (trouble(BASKET, 2, "a", "zone b"), trouble(ORDERS, 3, "c"))
        assert ledger.fleet(since=at + timedelta(minutes=3)).troubles == (trouble(ORDERS, 3, "c"),)

    def test_a_trouble_goes_with_its_lines(self, ledger: Ledger, clock: FakeClock) -> None:
        """Whoever was overtaken tells nobody of trouble."""
        incident = open_incident(ledger)
        ledger.next_generation(incident, note("taken over"))
        told = Trouble(service_key=ORDERS.key, incident_id=incident.id, at=clock.now(), shares=("a",))
        with pytest.raises(Superseded):
            ledger.append(incident, [note()], step="assess", trouble=told)
        assert ledger.fleet(since=clock.now()).troubles == ()

    # --- read at once

    def test_a_case_file_is_what_its_parts_are(self, ledger: Ledger) -> None:
        """Head, trail and inbox, as each of them is read alone."""
        incident = open_incident(ledger)
        ledger.record_signal(alarm_signal(number=7), ORDERS, may_open=True)
        ledger.append(ledger.incident(incident.id), [note(), note()], step="assess")
        file = ledger.case_file(incident.id)
        assert file.incident == ledger.incident(incident.id)
        assert list(file.events) == list(ledger.events(incident.id))
        assert list(file.inbox) == list(ledger.inbox(incident.id))
        assert (len(file.events), len(file.inbox)) == (3, 2)
        with pytest.raises(NotInLedger):
            ledger.case_file("inc-none")

    def test_a_service_record_is_what_its_parts_are(self, ledger: Ledger, clock: FakeClock) -> None:
        """Of a service that nothing is known of, too."""
        empty = ledger.service_record(BASKET)
        assert (empty.holder, empty.switch, list(empty.leases), dict(empty.ineffective)) == (None, Switch(), [], {})
        incident = open_incident(ledger)
        lease, now = lease_of(incident), clock.now()
        charge = BudgetCharge(at=now, service_limit=3, fleet_limit=9)
        ledger.append(incident, [note()], step="remediate", lease=lease, budget=charge)
        ledger.set_switch(ORDERS, Switch(mode=Mode.OBSERVE, by="ann"))
        ledger.note_release(ORDERS, "orders:1", at=now)
        ledger.note_ineffective(ORDERS, "inc-1", at=now)
        record = ledger.service_record(ORDERS)
        assert record.holder == ledger.lock_holder(ORDERS) == incident.id
        assert record.switch == ledger.switch(ORDERS)
        assert list(record.releases) == list(ledger.releases(ORDERS))
        assert list(record.charges) == list(ledger.charges(ORDERS, since=now)) == [now]
        assert dict(record.ineffective) == ledger.ineffective(ORDERS, since=now)
        assert list(record.leases) == [lease]

    def test_what_was_read_before_an_intent_is_no_licence(self, ledger: Ledger, clock: FakeClock) -> None:
        """A charge, a stop or a lease that came after the reading counts all the same."""
        incident = open_incident(ledger)
        charge = BudgetCharge(at=clock.now(), service_limit=1, fleet_limit=9)
        as_read = ledger.service_record(ORDERS), ledger.fleet(since=clock.now())
        incident = ledger.append(incident, [note()], step="remediate", budget=charge, as_read=as_read)
        with pytest.raises(Superseded, match="budget"):
            ledger.append(incident, [note()], step="remediate", budget=charge, as_read=as_read)

        roomy = charge.model_copy(update={"service_limit": 9})
        incident = ledger.append(incident, [note()], step="remediate", budget=roomy, as_read=as_read)
        assert len(ledger.charges(ORDERS, since=clock.now())) == 2

        ledger.set_fleet_switch(FleetSwitch(stopped=True, by="ann"))
        with pytest.raises(Superseded):
            ledger.append(incident, [note()], step="remediate", unless_stopped=True, as_read=as_read)
        assert len(ledger.events(incident.id)) == 3
