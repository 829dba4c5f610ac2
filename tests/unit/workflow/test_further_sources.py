"""Incidents that AWS Health, costs and findings open: looked at like any other, and never a reason to act."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.changes import SetCeiling
from functions.domain.incidents import Fact, IncidentStatus
from functions.domain.services import ServiceRef
from functions.domain.signals import OVER_BUDGET, Signal, SignalKind
from functions.domain.threats import ThreatFacts
from functions.handlers.signals import read_message
from functions.workflow.budget import PERIOD_S
from functions.workflow.decide import YOUNG_AT_MOST
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_incident import assert_sound, facts, playbook
from tools.chaos import samples

EACH_USD = 24 * (0.5 * 0.04048 + 1 * 0.004445)
"""What a task of the world costs a day: half a vCPU and one GB."""


def told(message: Any) -> Signal:
    """A message of the samples, from the world's Region."""
    (signal,) = read_message(message)
    assert isinstance(signal, Signal)
    return signal if signal.region is None else signal.model_copy(update={"region": REF.region})


FINDING = told(samples.finding_event())
THREAT = ThreatFacts(arn=samples.FINDING, type="Execution:Runtime/ReverseShell", severity=8, resource="task/shop/0123")
NOTICE = told(samples.budget_notice())


@pytest.fixture
def responder() -> Responder:
    """A service that is well."""
    return Responder(account=samples.ACCOUNT, playbook=playbook())


def page_facts(responder: Responder) -> str:
    return "\n".join(page.text for page in responder.notifier.pages)


def closes(responder: Responder) -> None:
    """The incident ends unheard, and nothing was changed."""
    responder.run()
    (incident,) = responder.ledger.incidents_of(REF)
    assert incident.status is IncidentStatus.RESOLVED
    assert responder.notifier.pages == []
    assert responder.world.changes == []
    assert_sound(responder)


@pytest.mark.parametrize(
    "message",
    [
        samples.health_event(),
        samples.health_event("shop | orders"),
        samples.health_event(service="EC2"),
        samples.budget_notice(),
        samples.anomaly_event(),
    ],
)
def test_a_service_that_is_well_refutes_trouble_and_costs(responder: Responder, message: Any) -> None:
    """It is looked at, and nobody hears of it."""
    (opening,) = responder.intake(told(message))
    assert opening.opened
    closes(responder)


@pytest.mark.parametrize(
    "message",
    [
        samples.health_event(service="S3"),
        samples.health_event("mall | orders"),
        samples.budget_notice("total"),
        samples.finding_event(samples.ROLE_USED),
    ],
)
def test_what_concerns_nobody_is_kept_and_nothing_is_done(responder: Responder, message: Any) -> None:
    """With the reason, for people."""
    assert responder.intake(told(message)) == ()
    assert len(responder.ledger.unmatched()) == 1
    assert responder.ledger.incidents_of(REF) == ()
    assert responder.executions.started == []


def test_what_opens_nothing_joins_what_is_open(responder: Responder) -> None:
    """Planned work of AWS is a line in the trail of an incident that is under way."""
    planned = told(samples.health_event(eventTypeCategory="scheduledChange"))
    (opening,) = responder.intake(planned)
    assert opening.incident_id is None
    responder.intake(FINDING)
    joined = told(samples.health_event(eventTypeCategory="scheduledChange", eventArn="arn:aws:health:x::event/2"))
    (opening,) = responder.intake(joined)
    assert (opening.opened, opening.incident_id) == (False, responder.executions.started[0][0])


@settings(deadline=None)
@given(st.lists(st.sampled_from(["issue", "closed", "again"]), min_size=1, max_size=10))
def test_however_often_aws_tells_it_one_event_opens_one_incident(order: list[str]) -> None:
    """Also in another order, and after it was closed."""
    responder = Responder(account=samples.ACCOUNT, playbook=playbook())
    for what in order:
        said = {"statusCode": "closed"} if what == "closed" else {"lastUpdatedTime": None} if what == "again" else {}
        responder.intake(told(samples.health_event(**said)))
    assert len(responder.ledger.incidents_of(REF)) == len(set(order) & {"issue", "again"}) - (
        {"issue", "again"} <= set(order)
    )


class TestFindings:
    def test_people_are_told_what_guardduty_confirms(self, responder: Responder) -> None:
        """At once, with type, severity and resource, though the service is well; nothing is changed."""
        responder.world.quiet.shown_threats = (THREAT,)
        responder.intake(FINDING)
        responder.run(until=StepName.WATCH)
        assert responder.path == ["assess:escalate", "page:paged"]
        assert "suspected-breach" in responder.notifier.pages[0].text
        for evidence in ("HIGH (8)", "ReverseShell", "task/shop/0123"):
            assert evidence in page_facts(responder)
        assert ("threats", (samples.FINDING,)) in responder.world.quiet.asked
        assert responder.world.changes == []

    def test_one_that_cannot_be_read_is_paged(self, responder: Responder) -> None:
        """After the two minutes that an unclear incident is given: a message alone is no evidence, and no all-clear."""
        responder.world.quiet.unreadable = {"threats"}
        began = responder.clock.now()
        responder.intake(FINDING)
        responder.run(until=StepName.WATCH)
        assert len(responder.notifier.pages) == 1
        assert responder.clock.now() - began < 2 * YOUNG_AT_MOST
        assert "threats" in page_facts(responder)
        assert responder.world.changes == []

    def test_an_archived_one_is_nothing_to_tell(self, responder: Responder) -> None:
        """Somebody has looked at it."""
        responder.world.quiet.shown_threats = (THREAT.model_copy(update={"archived": True}),)
        responder.intake(FINDING)
        closes(responder)

    @pytest.mark.thorough
    @pytest.mark.parametrize("then", ["archived", "unread"])
    def test_it_holds_the_incident_until_it_is_archived_or_for_a_day(self, responder: Responder, then: str) -> None:
        """An incident holds the lock of the service: it does not stay open for what people leave lying."""
        responder.world.quiet.shown_threats = (THREAT,)
        responder.intake(FINDING)
        began = responder.clock.now()

        def meanwhile(step: StepName) -> None:
            if responder.clock.now() - began > timedelta(hours=3) and then == "archived":
                responder.world.quiet.shown_threats = (THREAT.model_copy(update={"archived": True}),)

        responder.run(before=meanwhile)
        (incident,) = responder.ledger.incidents_of(REF)
        assert incident.status is IncidentStatus.RESOLVED
        lasted = responder.clock.now() - began
        assert lasted > (timedelta(hours=3) if then == "archived" else timedelta(days=1))
        assert lasted < (timedelta(hours=4) if then == "archived" else timedelta(hours=25))
        assert len([page for page in responder.notifier.pages if "suspected-breach" in page.text]) >= 1
        assert_sound(responder)

    def test_a_low_one_neither_opens_nor_holds_an_incident(self, responder: Responder) -> None:
        """GuardDuty says of it that it was blocked, or came to nothing."""
        responder.world.quiet.shown_threats = (THREAT.model_copy(update={"severity": 2}),)
        low = told(samples.finding_event(severity=2))
        (opening,) = responder.intake(low)
        assert opening.incident_id is None
        responder.intake(told(samples.health_event()))
        responder.intake(low.model_copy(update={"reference": f"{samples.FINDING}0"}))
        closes(responder)

    def test_what_nobody_told_of_is_not_asked_for(self, responder: Responder) -> None:
        """Most accounts pay for no GuardDuty, and it is no evidence in other incidents."""
        responder.intake(told(samples.health_event()))
        responder.run()
        assert "threats" not in {call for call, _ in responder.world.quiet.asked}

    def test_the_role_of_the_tasks_is_looked_up(self, responder: Responder) -> None:
        """By the task definition that runs; a role of nobody is kept as unmatched."""
        used = told(samples.finding_event(samples.ROLE_USED))
        threatened = responder.tell_threat(used)
        assert (threatened.services, len(responder.executions.started)) == ((REF.key,), 1)
        assert threatened.opened == responder.ledger.incidents_of(REF)[0].id
        other = used.model_copy(update={"names": ("batch",), "reference": f"{samples.FINDING}0"})
        assert responder.tell_threat(other).opened is None
        assert [reason for _, reason in responder.ledger.unmatched()] == ["no service of a playbook has the role"]

    def test_a_role_that_several_services_share_is_nobodys(self, responder: Responder) -> None:
        """A session does not say which of them it came from."""
        both = [responder.playbook, playbook(service="cart", alarms=[])]
        tell = type(responder.tell_threat)(
            ledger=responder.ledger, executions=responder.executions, reader=responder.world, playbooks=both
        )
        assert tell(told(samples.finding_event(samples.ROLE_USED))).opened is None
        ((_, reason),) = responder.ledger.unmatched()
        assert "several services" in reason

    @pytest.mark.parametrize("unread", ["service", "definition"])
    def test_a_role_that_could_not_be_looked_up_is_kept(self, responder: Responder, unread: str) -> None:
        """Nothing is opened on a guess, and the list of unmatched signals says why."""
        responder.world.unreadable = {unread}
        assert responder.tell_threat(told(samples.finding_event(samples.ROLE_USED))).opened is None
        ((_, reason),) = responder.ledger.unmatched()
        assert "could not be read" in reason


def samples_of(responder: Responder, tasks: float, minutes: int = 60) -> None:
    """So many tasks ran for that long, as their CPU samples tell."""
    now = responder.clock.now()
    begins = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes + now.minute % 5)
    periods = minutes * 60 // PERIOD_S + 1
    responder.world.elsewhere["CPUUtilization"] = [
        (begins + n * timedelta(seconds=PERIOD_S), tasks * PERIOD_S / 60) for n in range(periods)
    ]


def on_a_budget(tasks: int, **budget: object) -> Responder:
    """So many tasks run now, where two ran before; the rest of the service is well."""
    responder = Responder(account=samples.ACCOUNT, playbook=playbook(alarms=[], budget=budget))
    responder.world.desired = responder.world.running = tasks
    samples_of(responder, tasks)
    return responder


class TestDollars:
    def test_a_service_above_its_budget_opens_an_incident_once_a_day(self) -> None:
        """However often bake comes by."""
        responder = on_a_budget(6, usd_per_day=2.5)
        opened = responder.bake().opened
        assert len(opened) == 1
        for _ in range(3):
            responder.clock.advance(seconds=60)
            samples_of(responder, 6)
            assert responder.bake().opened == ()
        (incident,) = responder.ledger.incidents_of(REF)
        assert incident.title == "over budget"
        (entry,) = responder.ledger.inbox(incident.id)
        assert (entry.signal.kind, entry.signal.event_name) == (SignalKind.COST, OVER_BUDGET)
        assert "6 tasks cost about 3.55 USD a day, and the playbook allows 2.5" in entry.signal.reason

    @pytest.mark.parametrize(
        ("tasks", "ran", "minutes"),
        [(4, 4, 60), (4, 9, 60), (6, 4, 60), (6, 6, 10), (6, 0, 0)],
        ids=["within", "was above", "only just above", "not for long", "nothing measured"],
    )
    def test_it_has_to_be_above_now_and_for_a_while(self, tasks: int, ran: int, minutes: int) -> None:
        """What a deployment starts beside the old tasks is gone by then."""
        responder = on_a_budget(tasks, usd_per_day=4 * EACH_USD + 0.01)
        if minutes:
            samples_of(responder, ran, minutes)
        else:
            responder.world.elsewhere.clear()
        assert responder.bake().opened == ()

    @pytest.mark.parametrize("unread", ["definition", "measured"])
    def test_what_cannot_be_read_opens_nothing(self, unread: str) -> None:
        """The next round tries again, and the release is watched all the same."""
        responder = on_a_budget(6, usd_per_day=1.0)
        responder.world.unreadable = {unread}
        baked = responder.bake()
        assert baked.opened == ()
        assert f"{REF.key}: {unread} is throttled" in baked.unread
        assert [release.task_definition for release in responder.ledger.releases(REF)] == [V1]

    def test_idle_tasks_beyond_the_budget_are_taken_away(self) -> None:
        """Down to the budget, and not below it, though the load needs fewer and two ran before."""
        responder = on_a_budget(10, usd_per_day=7.5 * EACH_USD)
        responder.bake()
        responder.run()
        assert responder.world.changes == [SetCeiling(resource_id="service/shop/orders", maximum=7, minimum=None)]
        assert "runaway-cost" in page_facts(responder)
        assert responder.ledger.open_incidents() == ()
        assert_sound(responder)

    def test_tasks_that_the_load_needs_are_left_alone_and_people_are_told(self) -> None:
        """Once; the incident stays open while the service is above its budget, for a day at most."""
        responder = on_a_budget(6, usd_per_day=2.5)
        responder.world.load = 3.0
        responder.bake()
        began = responder.clock.now()
        responder.run(until=StepName.WATCH)
        assert responder.world.changes == []
        assert len(responder.notifier.pages) == 1
        assert "the budget of 2.5 USD a day allows 4" in page_facts(responder)
        assert "the tasks may be needed" in page_facts(responder)
        assert responder.clock.now() - began <= timedelta(minutes=15)
        responder.run()
        assert responder.world.changes == []
        assert facts(responder)[-1] is Fact.INCIDENT_RESOLVED
        assert timedelta(days=1) < responder.clock.now() - began < timedelta(hours=25)

    @settings(max_examples=40, deadline=None)
    @given(st.floats(min_value=0.2, max_value=6), st.integers(min_value=3, max_value=40), st.integers(1, 30))
    def test_nothing_is_scaled_in_below_the_budget_or_under_load(self, load: float, tasks: int, budget: int) -> None:
        """Whatever the load, the number of tasks and the budget are."""
        responder = on_a_budget(tasks, usd_per_day=(budget + 0.5) * EACH_USD)
        responder.world.load, responder.world.maximum = load, 40
        responder.bake()
        if responder.executions.started:
            responder.run(until=StepName.WATCH)
        for change in responder.world.changes:
            if isinstance(change, SetCeiling):
                assert budget <= change.maximum < tasks
                assert load <= 1.1


class TestNoticesOfAws:
    def test_one_that_the_service_bears_out_is_answered(self, responder: Responder) -> None:
        """Without a budget in the playbook, too: five times the tasks of before, for no more load."""
        responder.world.desired = responder.world.running = 10
        responder.intake(NOTICE)
        responder.run()
        assert [type(change) for change in responder.world.changes] == [SetCeiling]
        assert "runaway-cost" in page_facts(responder)

    def test_what_a_lease_keeps_running_is_not_taken_for_waste(self, responder: Responder) -> None:
        """The crowd is gone, the tasks that the responder asked for idle, and a bill is complained of."""
        responder.world.load = 3.0
        assert responder.world.settle_alarm()
        responder.intake(alarm_signal().model_copy(update={"account": samples.ACCOUNT}))
        responder.run(until=StepName.RESTORE)
        (floor,) = (lease.terms.value for lease in responder.ledger.service_leases(REF))
        responder.world.load = 0.9
        assert responder.world.desired == floor
        responder.clock.advance(seconds=240)
        responder.intake(NOTICE.model_copy(update={"occurred_at": responder.clock.now()}))
        responder.run(until=StepName.RESTORE)
        (newest, _) = sorted(responder.ledger.incidents_of(REF), key=lambda each: each.opened_at, reverse=True)
        said = [event.summary for event in responder.ledger.events(newest.id)]
        assert any("all clear" in each or "all-clear" in each for each in said), said
        assert not any("runaway-cost" in each for each in said), said

    def test_with_a_budget_whose_price_nobody_knows_people_are_told(self) -> None:
        """Neither within it nor beyond it."""
        responder = Responder(account=samples.ACCOUNT, playbook=playbook(budget={"usd_per_day": 100.0}))
        responder.world.unreadable = {"definition"}
        responder.intake(NOTICE)
        responder.run(until=StepName.WATCH)
        assert (len(responder.notifier.pages), responder.world.changes) == (1, [])


def test_two_services_are_told_each_for_itself(responder: Responder) -> None:
    """Trouble of AWS opens an incident for each of them, with an execution of its own."""
    both = [responder.playbook, playbook(service="cart", alarms=[])]
    intake = replace(responder.intake, addressees=lambda signal: [each.addressee for each in both])
    for _ in range(2):
        openings = intake(told(samples.health_event()))
    assert [opening.duplicate for opening in openings] == [True, True]
    assert len(responder.executions.started) == 2
    for service in ("orders", "cart"):
        ref = ServiceRef(region=REF.region, cluster=REF.cluster, service=service)
        assert [incident.service for incident in responder.ledger.incidents_of(ref)] == [ref]


def test_what_people_see_of_each_source() -> None:
    """A few words for the list of incidents."""
    messages = (samples.health_event(), samples.budget_notice(), samples.finding_event())
    assert [told(message).title for message in messages] == [
        "AWS Health: AWS_ECS_OPERATIONAL_ISSUE (issue)",
        "cost: orders-monthly",
        "GuardDuty: CryptoCurrency:Runtime/BitcoinTool.B!DNS (HIGH)",
    ]
