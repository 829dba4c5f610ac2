"""What only the ledger on DynamoDB has to stand: rivals between reading and writing, and a table that says no."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from moto import mock_aws

from functions.adapters.ledger import ATTEMPTS, CALLS, DynamoLedger
from functions.domain.byhand import ByHand
from functions.domain.changes import Lease, LeaseTerms
from functions.domain.errors import LedgerError, Superseded
from functions.domain.evidence import ReleaseState
from functions.domain.incidents import Fact, FleetSwitch, Incident, NewEvent, Switch
from functions.domain.services import ServiceRef
from functions.domain.signals import Wakes
from functions.ports import BudgetCharge
from tests.fakes.aws import FakeAws, iam_action, refusal
from tests.fakes.clock import FakeClock
from tests.fakes.signals import alarm_signal
from tests.fakes.table import create_table

ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
BASKET = ServiceRef(region="eu-west-1", cluster="shop", service="basket")
NOTE = NewEvent(fact=Fact.LOOKED_AGAIN, actor="watch", summary="looked")
CONFLICT = {"Code": "TransactionConflict"}


class Rivals:
    """Two ledgers on one table. What `meanwhile` is given happens between the other's reading and its writing."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self._client, self._rival_client = (boto3.client("dynamodb", region_name="eu-west-1") for _ in range(2))
        create_table(self._client, "ledger")
        self.ledger, self.rival = (
            DynamoLedger(client, table="ledger", clock=self.clock, pause=lambda _: None)
            for client in (self._client, self._rival_client)
        )

    def meanwhile(self, act: Callable[[], object], *, times: int = 1) -> None:
        left = [act] * times

        def before_call(**_: object) -> None:
            if left:
                left.pop()()

        self._client.meta.events.register("before-call.dynamodb.TransactWriteItems", before_call)

    def listen(self, hear: Callable[[str], object]) -> None:
        """Tells the operations that the first ledger calls from now on."""
        self._client.meta.events.register("before-call.dynamodb", lambda model, **_: hear(model.name))

    def write(self, item: dict[str, str]) -> None:
        self._rival_client.put_item(TableName="ledger", Item={name: {"S": value} for name, value in item.items()})

    def open(self, ref: ServiceRef = ORDERS) -> Incident:
        opening = self.rival.record_signal(alarm_signal(alarm=f"{ref.service}-5xx"), ref, may_open=True)
        assert opening.incident_id is not None
        return self.rival.incident(opening.incident_id)


@pytest.fixture
def rivals() -> Iterator[Rivals]:
    with mock_aws():
        yield Rivals()


class TestRaces:
    def test_two_signals_open_one_incident(self, rivals: Rivals) -> None:
        """Whoever loses the race to open joins what the winner opened."""
        opened: list[Incident] = []
        rivals.meanwhile(lambda: opened.append(rivals.open()))

        opening = rivals.ledger.record_signal(alarm_signal(1), ORDERS, may_open=True)

        assert (opening.incident_id, opening.opened) == (opened[0].id, False)
        assert len(rivals.ledger.inbox(opened[0].id)) == 2

    def test_what_was_read_ahead_is_no_longer_so(self, rivals: Rivals) -> None:
        """Whatever happened since, each signal is recorded once, in the incident that holds the service then."""
        signals = [alarm_signal(number, alarm=f"orders-{number}") for number in range(5)]
        asked = [(signal, ORDERS) for signal in signals]

        ahead = rivals.ledger.look_ahead(asked)
        incident = rivals.rival.append(rivals.open(), [NOTE], step="verify", signals_seen=1)
        assert rivals.rival.record_signal(signals[0], ORDERS, may_open=True).incident_id == incident.id
        taken = [rivals.ledger.record_signal(signal, ORDERS, may_open=True, ahead=ahead) for signal in signals[:3]]
        assert [(opening.incident_id, opening.duplicate) for opening in taken] == [
            (incident.id, True),
            (incident.id, False),
            (incident.id, False),
        ]
        assert [entry.number for entry in rivals.rival.inbox(incident.id)] == [1, 2, 3, 4]

        ahead = rivals.ledger.look_ahead(asked)
        seen = rivals.rival.append(rivals.rival.incident(incident.id), [NOTE], step="verify", signals_seen=4)
        rivals.rival.resolve(seen, NOTE)
        opened, joined = (
            rivals.ledger.record_signal(signal, ORDERS, may_open=True, ahead=ahead) for signal in signals[3:]
        )
        assert (opened.opened, joined.opened, joined.incident_id) == (True, False, opened.incident_id)
        assert opened.incident_id != incident.id

    def test_what_was_read_ahead_is_read_once(self, rivals: Rivals) -> None:
        """A batch is read in two requests, and a copy within it writes nothing."""
        called: list[str] = []
        rivals.listen(called.append)
        signals = [alarm_signal(number, alarm=f"orders-{number}") for number in (0, 1, 1, 2)]

        ahead = rivals.ledger.look_ahead([(signal, ORDERS) for signal in signals])
        openings = [rivals.ledger.record_signal(signal, ORDERS, may_open=True, ahead=ahead) for signal in signals]

        assert [(opening.opened, opening.duplicate) for opening in openings] == [
            (True, False),
            (False, False),
            (False, True),
            (False, False),
        ]
        assert called == ["BatchGetItem", *["TransactWriteItems"] * 3]

    def test_who_begins_to_listen_meanwhile_is_woken(self, rivals: Rivals) -> None:
        """Between the reading of an incident and the counting of the signal: one of the two sees the other."""
        incident = rivals.open()
        rivals.meanwhile(lambda: rivals.rival.listen(incident.id, 1, "t", wakes=Wakes.TROUBLE, signals=1))
        assert rivals.ledger.record_signal(alarm_signal(5), ORDERS, may_open=True).token == "t"

    def test_a_signal_meanwhile_ends_the_listening(self, rivals: Rivals) -> None:
        """The same, the other way round."""
        incident = rivals.open()
        rivals.meanwhile(lambda: rivals.rival.record_signal(alarm_signal(5), ORDERS, may_open=True))
        assert not rivals.ledger.listen(incident.id, 1, "t", wakes=Wakes.TROUBLE, signals=1)

    def test_what_was_read_ahead_knows_nobody_who_listens_by_now(self, rivals: Rivals) -> None:
        """A batch is read at once; whoever listens since is woken all the same."""
        incident = rivals.open()
        ahead = rivals.ledger.look_ahead([(alarm_signal(5), ORDERS)])
        rivals.rival.listen(incident.id, 1, "t", wakes=Wakes.TROUBLE, signals=1)
        assert rivals.ledger.record_signal(alarm_signal(5), ORDERS, may_open=True, ahead=ahead).token == "t"

    def test_an_ok_is_not_lost_to_an_opening(self, rivals: Rivals) -> None:
        """A signal that would only have been noted joins an incident that opens at the same moment."""
        rivals.meanwhile(rivals.open)
        opening = rivals.ledger.record_signal(alarm_signal(1), ORDERS, may_open=False)
        assert opening.incident_id == rivals.ledger.lock_holder(ORDERS)

    def test_a_signal_finds_its_incident_closed(self, rivals: Rivals) -> None:
        """A signal whose incident is resolved at the same moment opens another one."""
        incident = rivals.rival.append(rivals.open(), [NOTE], step="verify", signals_seen=1)
        rivals.meanwhile(lambda: rivals.rival.resolve(incident, NOTE))

        opening = rivals.ledger.record_signal(alarm_signal(1), ORDERS, may_open=True)

        assert opening.opened
        assert opening.incident_id != incident.id

    def test_the_same_message_twice_at_once(self, rivals: Rivals) -> None:
        """Two deliveries of one message at the same moment: one records it, the other sees a duplicate."""
        rivals.meanwhile(rivals.open)

        opening = rivals.ledger.record_signal(alarm_signal(alarm="orders-5xx"), ORDERS, may_open=True)

        assert (opening.duplicate, opening.opened) == (True, False)
        assert opening.incident_id == rivals.ledger.lock_holder(ORDERS)

    def test_a_signal_wins_over_a_close(self, rivals: Rivals) -> None:
        """An incident is not closed over a signal that comes while it is being closed."""
        incident = rivals.rival.append(rivals.open(), [NOTE], step="verify", signals_seen=1)
        rivals.meanwhile(lambda: rivals.rival.record_signal(alarm_signal(1), ORDERS, may_open=True))

        with pytest.raises(Superseded):
            rivals.ledger.resolve(incident, NOTE)

        assert rivals.ledger.lock_holder(ORDERS) == incident.id

    @pytest.mark.parametrize(("limit", "written"), [(2, True), (1, False)])
    def test_two_services_share_the_last_action(self, rivals: Rivals, limit: int, written: bool) -> None:
        """A charge that another service makes meanwhile counts: there must be room for both."""
        orders, basket = rivals.open(ORDERS), rivals.open(BASKET)
        budget = BudgetCharge(at=rivals.clock.now(), service_limit=9, fleet_limit=limit)
        rivals.meanwhile(lambda: rivals.rival.append(basket, [NOTE], step="remediate", budget=budget))

        if written:
            assert rivals.ledger.append(orders, [NOTE], step="remediate", budget=budget).head_sequence == 2
        else:
            with pytest.raises(Superseded):
                rivals.ledger.append(orders, [NOTE], step="remediate", budget=budget)

        assert rivals.ledger.fleet(since=rivals.clock.now()).charges == limit

    @pytest.mark.parametrize("budgeted", [True, False])
    def test_a_stop_in_the_last_moment(self, rivals: Rivals, budgeted: bool) -> None:
        """Set between reading and writing, it refuses the write: it is a condition of the same transaction."""
        incident = rivals.open()
        stopped = FleetSwitch(stopped=True, by="ana", reason="now")
        rivals.meanwhile(lambda: rivals.rival.set_fleet_switch(stopped))
        budget = BudgetCharge(at=rivals.clock.now(), service_limit=9, fleet_limit=9) if budgeted else None

        with pytest.raises(Superseded, match="everything is stopped by ana: now"):
            rivals.ledger.append(incident, [NOTE], step="remediate", budget=budget, unless_stopped=True)

        assert rivals.ledger.incident(incident.id) == incident

    @pytest.mark.parametrize("body", ["{", '{"stopped": "perhaps"}', '{"halted": true}', ""])
    def test_a_switch_that_makes_no_sense_stops_everything(self, rivals: Rivals, body: str) -> None:
        """Whoever wrote it may have meant a stop; setting it anew is the way out."""
        incident = rivals.open()
        rivals.write({"pk": "FLEET", "sk": "SWITCH", "body": body})
        assert rivals.ledger.fleet(since=rivals.clock.now()).switch.stopped
        assert "cannot be read" in rivals.ledger.fleet_switch().said
        with pytest.raises(Superseded, match="cannot be read"):
            rivals.ledger.append(incident, [NOTE], step="remediate", unless_stopped=True)
        rivals.ledger.set_fleet_switch(FleetSwitch(stopped=False), was=rivals.ledger.fleet_switch())
        assert rivals.ledger.append(incident, [NOTE], step="remediate", unless_stopped=True).head_sequence == 2

    def test_two_judgements(self, rivals: Rivals) -> None:
        """A quarantine written meanwhile is not overwritten by what was read before it."""
        rivals.meanwhile(
            lambda: rivals.rival.judge_release(ORDERS, "orders:2", ReleaseState.QUARANTINED, reason="it failed")
        )

        rivals.ledger.note_release(ORDERS, "orders:2", at=rivals.clock.now())

        assert rivals.ledger.releases(ORDERS)[0].state is ReleaseState.QUARANTINED

    def test_a_judgement_by_hand_while_the_release_is_seen_running(self, rivals: Rivals) -> None:
        """Being seen changes nothing of what the person saw: both are kept."""
        rivals.ledger.note_release(ORDERS, "orders:2", at=rivals.clock.now())
        later = rivals.clock.advance(seconds=60)
        rivals.meanwhile(lambda: rivals.rival.note_release(ORDERS, "orders:2", at=later))
        note = ByHand(at=later, by="ana", what="quarantines orders:2", reason="it lies")

        rivals.ledger.judge_by_hand(ORDERS, "orders:2", ReleaseState.QUARANTINED, note, was=ReleaseState.SEEN)

        (release,) = rivals.ledger.releases(ORDERS)
        assert (release.state, release.last_seen) == (ReleaseState.QUARANTINED, later)

    def test_endless_rivalry_ends(self, rivals: Rivals) -> None:
        """A writer that never wins gives up with Superseded, so that the message is delivered again."""
        rivals.open()
        numbers = iter(range(100, 200))
        rivals.meanwhile(
            lambda: rivals.rival.record_signal(alarm_signal(next(numbers)), ORDERS, may_open=True), times=ATTEMPTS
        )

        with pytest.raises(Superseded):
            rivals.ledger.record_signal(alarm_signal(1), ORDERS, may_open=True)

        assert not rivals.ledger.record_signal(alarm_signal(1), ORDERS, may_open=True).duplicate


class TestTheTable:
    @staticmethod
    def ledger(aws: FakeAws) -> DynamoLedger:
        return DynamoLedger(aws.client("dynamodb"), table="ledger", clock=FakeClock(), pause=lambda _: None)

    def test_a_conflict_is_tried_again(self) -> None:
        """A transaction that only collided with another is tried again until it goes through."""
        answers = [
            refusal("TransactionCanceledException", CancellationReasons=[CONFLICT, CONFLICT]),
            refusal("TransactionCanceledException", CancellationReasons=[{"Code": "None"}, CONFLICT]),
        ]

        def reply(_: Any) -> Any:
            if answers:
                aws.replies["TransactWriteItems"] = answers.pop()
            else:
                aws.replies["TransactWriteItems"] = {}
            return {}

        aws = FakeAws(GetItem=reply)

        assert self.ledger(aws).record_signal(alarm_signal(), ORDERS, may_open=True).opened
        assert [action for action, _ in aws.calls].count("dynamodb:TransactWriteItems") == 3

    @pytest.mark.parametrize(
        "reply",
        [
            refusal("AccessDeniedException"),
            refusal("ResourceNotFoundException", "no table, password=hunter2"),
            refusal("ProvisionedThroughputExceededException"),
            EndpointConnectionError(endpoint_url="https://dynamodb"),
            NoCredentialsError(),
        ],
    )
    def test_a_table_that_says_no(self, reply: Exception) -> None:
        """Whatever keeps the table from answering is a LedgerError that names the table and holds no secret."""
        ledger = self.ledger(FakeAws(GetItem=reply, Query=reply, PutItem=reply, TransactWriteItems=reply))
        for ask in (
            lambda: ledger.incident("inc-1"),
            ledger.open_incidents,
            lambda: ledger.set_switch(ORDERS, Switch()),
            ledger.fleet_switch,
            lambda: ledger.fleet(since=FakeClock().now()),
            lambda: ledger.set_fleet_switch(FleetSwitch(stopped=False)),
            lambda: ledger.record_unmatched(alarm_signal(), "no playbook"),
        ):
            with pytest.raises(LedgerError, match="table ledger") as caught:
                ask()
            assert "hunter2" not in str(caught.value)

    def test_long_lists_are_read_to_their_end(self) -> None:
        """A list that DynamoDB cuts at its page size goes on where it was cut; a limited one stops."""

        def page(parameters: Any) -> dict[str, Any]:
            start = int(parameters.get("ExclusiveStartKey", {}).get("sk", {}).get("S", "0"))
            items = [
                {"sk": {"S": str(n)}, "body": {"S": alarm_signal(n).model_dump_json()}, "reason": {"S": "r"}}
                for n in range(start, start + 2)
            ]
            return {"Items": items} | ({"LastEvaluatedKey": {"sk": {"S": str(start + 2)}}} if start < 4 else {})

        aws = FakeAws(Query=page)

        assert len(self.ledger(aws).unmatched()) == 6
        aws.calls.clear()
        assert len(self.ledger(aws).unmatched(limit=2)) == 2
        assert len(aws.calls) == 1

    @mock_aws
    def test_declared_calls_are_the_calls_made(self) -> None:
        """The ledger declares the IAM actions of its calls and, for a transaction, those of its parts."""
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_table(client, "ledger")
        actions: set[str] = set()

        def note(*, params: Any, model: Any, **_: object) -> None:
            parts = {f"dynamodb:{kind}Item" for part in params.get("TransactItems", ()) for kind in part}
            actions.update(parts or {iam_action(model)})

        client.meta.events.register("provide-client-params", note)
        ledger = DynamoLedger(client, table="ledger", clock=FakeClock())
        opening = ledger.record_signal(alarm_signal(), ORDERS, may_open=True)
        assert opening.incident_id is not None
        incident = ledger.incident(opening.incident_id)
        ledger.look_ahead([(alarm_signal(1), ORDERS)])
        ledger.record_signal(alarm_signal(1), ORDERS, may_open=False)
        lease = Lease(
            id="floor",
            incident_id=incident.id,
            service_key=ORDERS.key,
            terms=LeaseTerms(resource_id="r", original=2, value=4, duration_s=60),
            taken_at=incident.opened_at,
            due_at=incident.opened_at,
        )
        incident = ledger.append(incident, [NOTE], step="remediate", lease=lease)
        ledger.end_lease(incident, lease, NOTE)
        ledger.set_switch(ORDERS, Switch())
        ledger.fleet(since=incident.opened_at)
        ledger.open_incidents()

        assert actions == set(CALLS)
