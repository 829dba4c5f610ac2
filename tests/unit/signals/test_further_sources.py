"""AWS Health, costs and findings: what is read of each, and what is worth an incident."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import SignalRefused
from functions.domain.signals import Signal, SignalKind
from functions.handlers.signals import Ignored, read_message
from functions.handlers.signals.threats import tells_of_role
from functions.playbooks.concerned import concerned, told_to
from functions.playbooks.schema import Playbook
from tools.chaos import samples
from tools.chaos.inputs import bad_json

AT = datetime(2026, 3, 1, 3, 12, 4, tzinfo=UTC)


def signal(message: Any) -> Signal:
    (found,) = read_message(message)
    assert isinstance(found, Signal), found
    return found


def refusal(message: Any) -> str:
    (found,) = read_message(message)
    assert isinstance(found, SignalRefused)
    return str(found)


class TestHealth:
    def test_an_open_issue(self) -> None:
        """What is wrong, where, since when it is told, and for whom."""
        found = signal(samples.health_event("shop | orders"))
        assert (found.kind, found.event_name, found.level) == (SignalKind.HEALTH, "AWS_ECS_OPERATIONAL_ISSUE", "issue")
        assert (found.aws_service, found.names, found.region) == ("ECS", ("shop/orders",), samples.REGION)
        assert (found.occurred_at, found.account) == (AT, samples.ACCOUNT)
        assert found.reason == "Tasks take longer than usual to start."
        assert found.opens_incident

    @pytest.mark.parametrize(
        "said",
        [
            {"eventTypeCategory": "scheduledChange"},
            {"eventTypeCategory": "accountNotification"},
            {"eventTypeCategory": None},
            {"statusCode": "closed"},
            {"statusCode": "upcoming"},
        ],
    )
    def test_what_is_no_trouble_of_now_opens_nothing(self, said: dict[str, Any]) -> None:
        """Planned work, notes, and what is over: for an incident that is open already."""
        assert not signal(samples.health_event(**said)).opens_incident

    @pytest.mark.parametrize(
        ("entity", "name"),
        [
            (samples.service_arn(), "shop/orders"),
            (samples.service_arn("orders"), "/orders"),
            (samples.CLUSTER, "shop/*"),
            (f"arn:aws:ecs:{samples.REGION}:{samples.ACCOUNT}:task/shop/0123", "shop/"),
            ("shop/orders", "shop/orders"),
            ("shop | orders", "shop/orders"),
            ("i-0123456789abcdef0", "i-0123456789abcdef0"),
        ],
    )
    def test_every_way_to_write_what_is_affected(self, entity: str, name: str) -> None:
        """Services, clusters and tasks are told apart; what is none of ECS stays as it is."""
        assert signal(samples.health_event(entity)).names == (name,)

    def test_a_zone_is_no_resource(self) -> None:
        """It concerns whoever runs there, and only the service's own tasks tell who that is."""
        assert signal(samples.health_event("euc1-az2", "eu-central-1a", service="EC2")).names == ()

    def test_the_region_is_that_of_the_trouble(self) -> None:
        """A backup Region hears of the trouble of others; a global event is in none."""
        event = samples.health_event() | {"region": "us-west-2"}
        assert signal(event).region == samples.REGION
        assert signal(samples.health_event(eventRegion="global")).region is None

    def test_told_again_it_is_the_same_until_its_state_changes(self) -> None:
        """AWS sends an event anew with every update."""
        first, later = samples.health_event(), samples.health_event(lastUpdatedTime="Sun, 01 Mar 2026 05:00:00 GMT")
        assert signal(first).dedupe_key == signal(later).dedupe_key
        assert signal(first).dedupe_key != signal(samples.health_event(statusCode="closed")).dedupe_key

    @pytest.mark.parametrize("said", [{"eventTypeCode": None}, {"service": 3}])
    def test_it_has_to_say_what_happened(self, said: dict[str, Any]) -> None:
        """Otherwise it is refused."""
        assert "does not say what happened" in refusal(samples.health_event(**said))


class TestCosts:
    @pytest.mark.parametrize("message", [samples.budget_notice(), samples.envelope(samples.budget_notice())])
    def test_a_budget_notice_is_plain_text(self, message: Any) -> None:
        """Its lines say which budget, and what was spent."""
        found = signal(message)
        assert (found.kind, found.reference, found.level) == (SignalKind.COST, "orders-monthly", "ACTUAL")
        assert found.reason == "ACTUAL $41.37, threshold > $40.00"
        assert (found.account, found.region, found.occurred_at) == (samples.ACCOUNT, None, None)
        assert found.opens_incident

    def test_a_notice_without_a_budget_is_refused(self) -> None:
        """And a text that only speaks of budgets is ignored."""
        assert "Budget Name" in refusal("AWS Budget Notification March 01, 2026\nAWS Account 111122223333\n")
        (other,) = read_message("Dear all, the AWS Budget Notification of today is late.")
        assert isinstance(other, Ignored)

    def test_the_same_notice_twice_is_one_signal(self) -> None:
        """Another day's notice is another one."""
        again = signal(samples.budget_notice() + "\n")
        assert again.dedupe_key == signal(samples.budget_notice()).dedupe_key
        tomorrow = samples.budget_notice().replace("March 01", "March 02")
        assert signal(tomorrow).dedupe_key != again.dedupe_key

    @pytest.mark.parametrize("message", [samples.anomaly_message(), samples.anomaly_event()])
    def test_an_anomaly(self, message: samples.JsonObject) -> None:
        """The same by SNS and by EventBridge: how much, of what, and where the money went."""
        found = signal(message)
        assert (found.kind, found.event_name, found.aws_service) == (SignalKind.COST, "COST_ANOMALY", "ECS")
        assert (found.region, found.account) == (samples.REGION, samples.ACCOUNT)
        assert found.reason == "42.1 USD more than expected: Amazon Elastic Container Service"
        assert found.opens_incident

    def test_a_tag_is_known_by_its_value(self) -> None:
        """Its key may have colons in it, too."""
        tagged = samples.anomaly_event(dimensionValue="aws:ecs:serviceName:orders", monitorName="by-tag", rootCauses=[])
        assert signal(tagged).names == ("orders", "by-tag")
        assert signal(tagged).aws_service is None

    def test_kubernetes_is_not_ecs(self) -> None:
        """Its name in the bill begins alike."""
        other = "Amazon Elastic Container Service for Kubernetes"
        found = signal(samples.anomaly_event(dimensionValue=other, rootCauses=[{"service": other}]))
        assert found.aws_service is None

    def test_an_anomaly_needs_a_name(self) -> None:
        """Told again it could not be recognised."""
        assert "anomalyId" in refusal(samples.anomaly_event(anomalyId=None))


class TestFindings:
    def test_a_finding_about_a_task(self) -> None:
        """Cluster and service from the task's group, the level in GuardDuty's words, and its own name."""
        found = signal(samples.finding_event())
        assert (found.kind, found.level, found.reference) == (SignalKind.THREAT, "HIGH", samples.FINDING)
        assert (found.cluster, found.service, found.region) == ("shop", "orders", samples.REGION)
        assert found.event_name == "CryptoCurrency:Runtime/BitcoinTool.B!DNS"
        assert found.opens_incident

    @pytest.mark.parametrize(
        ("severity", "level", "opens"),
        [(1, "LOW", False), (3.9, "LOW", False), (4, "MEDIUM", True), (7.0, "HIGH", True), (10, "CRITICAL", True)],
    )
    def test_how_grave_it_has_to_be(self, severity: float, level: str, opens: bool) -> None:
        """What is low is noted in an incident that is open."""
        found = signal(samples.finding_event(severity=severity))
        assert (found.level, found.opens_incident) == (level, opens)

    @pytest.mark.parametrize("severity", [None, True, "8", 0, -3, 11, float("nan"), float("inf")])
    def test_what_is_no_severity_is_refused(self, severity: Any) -> None:
        """It is neither grave nor harmless."""
        assert "severity" in refusal(samples.finding_event(severity=severity))

    @pytest.mark.parametrize("arn", [None, samples.CLUSTER, samples.FINDING.partition("/finding/")[0]])
    def test_without_a_name_it_could_not_be_read_back(self, arn: str | None) -> None:
        """A message alone proves nothing."""
        assert "read back" in refusal(samples.finding_event(arn=arn))

    @pytest.mark.parametrize("group", ["family:batch", "service:", "service:a b"])
    def test_a_task_of_no_service_is_nobodys(self, group: str) -> None:
        """Even where a playbook is for its cluster."""
        details = {"arn": samples.CLUSTER, "taskDetails": {"group": group}}
        found = signal(samples.finding_event({"resourceType": "ECSCluster", "ecsClusterDetails": details}))
        assert (found.cluster, found.service) == (None, None)

    def test_a_finding_about_a_role_is_for_another_function(self) -> None:
        """Whose role it is only AWS can tell."""
        assert tells_of_role(samples.finding_event(samples.ROLE_USED))
        assert not tells_of_role(samples.finding_event())
        user = {"accessKeyDetails": {"userName": "jane", "userType": "IAMUser"}}
        assert not tells_of_role(samples.finding_event(user))
        assert signal(samples.finding_event(samples.ROLE_USED)).names == ("orders-task",)


@pytest.mark.parametrize("make", [samples.health_event, samples.anomaly_event, samples.finding_event])
def test_what_says_to_come_from_aws_and_does_not(make: Any) -> None:
    """Everybody may put events with a source of their own on a bus."""
    (found,) = read_message(make() | {"source": "com.example"})
    assert isinstance(found, Ignored)


def book(service: str = "orders", **said: Any) -> Playbook:
    return Playbook.model_validate({"region": samples.REGION, "cluster": "shop", "service": service, **said})


def whom(message: Any, *books: Playbook) -> list[str]:
    return [m.playbook.service for m in concerned(signal(message), books) if m.playbook is not None]


ORDERS, CART, ELSEWHERE = book(), book("cart"), book(region="us-east-1")
DATABASE = [{"name": "db", "rds": "orders-db"}]


class TestWhomItConcerns:
    def test_trouble_of_ecs_concerns_every_service_in_its_region(self) -> None:
        """Each as a signal of its own, so that a second delivery changes nothing for any of them."""
        found = signal(samples.health_event())
        assert whom(samples.health_event(), ORDERS, CART, ELSEWHERE) == ["orders", "cart"]
        assert len({told_to(found, playbook.ref).dedupe_key for playbook in (ORDERS, CART)}) == 2

    @pytest.mark.parametrize("service", ["FARGATE", "EC2", "ELASTICLOADBALANCING"])
    def test_so_does_what_every_service_stands_on(self, service: str) -> None:
        """A zone among it."""
        assert whom(samples.health_event(service=service), ORDERS, CART) == ["orders", "cart"]

    def test_other_services_of_aws_concern_whose_playbook_names_one(self) -> None:
        """A database for example, as a whole or by its name."""
        with_database = book(dependencies=DATABASE)
        assert whom(samples.health_event(service="RDS"), with_database, CART) == ["orders"]
        arn = f"arn:aws:rds:{samples.REGION}:{samples.ACCOUNT}:db:orders-db"
        assert whom(samples.health_event(arn, service="RDS"), with_database, CART) == ["orders"]
        assert whom(samples.health_event("other-db", service="RDS"), with_database, CART) == []
        assert whom(samples.health_event(service="S3"), with_database, CART) == []

    @pytest.mark.parametrize(
        ("entity", "found"),
        [
            ("shop | cart", ["cart"]),
            (samples.CLUSTER, ["orders", "cart"]),
            (f"arn:aws:ecs:{samples.REGION}:{samples.ACCOUNT}:task/shop/0123", []),
            (samples.service_arn("cart"), ["cart"]),
            ("mall | cart", []),
            ("i-0123456789abcdef0", []),
        ],
    )
    def test_what_an_event_names_is_all_that_it_concerns(self, entity: str, found: list[str]) -> None:
        """A task is of one service, and the event does not say which."""
        assert whom(samples.health_event(entity), ORDERS, CART) == found

    def test_the_only_service_of_a_cluster_has_its_tasks(self) -> None:
        """As far as playbooks go."""
        task = f"arn:aws:ecs:{samples.REGION}:{samples.ACCOUNT}:task/shop/0123"
        assert whom(samples.health_event(task), ORDERS, book(cluster="mall")) == ["orders"]

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("orders-monthly", ["orders"]),
            ("Monthly ORDERS", ["orders"]),
            ("orders-db monthly", ["orders-db"]),
            ("reorders", []),
            ("orders and cart", []),
            ("ecs", ["orders", "cart", "orders-db"]),
            ("all of Fargate", ["orders", "cart", "orders-db"]),
            ("secs", []),
            ("total", []),
        ],
    )
    def test_a_budget_is_known_by_its_name(self, name: str, found: list[str]) -> None:
        """The longer name is meant where one is a part of the other; of two names none."""
        assert whom(samples.budget_notice(name), ORDERS, CART, book("orders-db")) == found

    def test_the_cluster_tells_services_of_one_name_apart(self) -> None:
        """Where the budget names it, too."""
        dev = book(cluster="shop-dev")
        assert whom(samples.budget_notice("orders"), ORDERS, dev) == []
        (match,) = concerned(signal(samples.budget_notice("orders in shop-dev")), (book(cluster="mall"), dev))
        assert match.playbook == dev

    def test_an_anomaly_of_ecs_concerns_every_service_of_its_region(self) -> None:
        """One with a tag only the service that is the tag's value."""
        assert whom(samples.anomaly_event(), ORDERS, CART, ELSEWHERE) == ["orders", "cart"]
        assert whom(samples.anomaly_event(dimensionValue="service:cart"), ORDERS, CART) == ["cart"]

    def test_a_finding_concerns_the_service_of_its_task(self) -> None:
        """Where only a cluster is known, the one service there, and of several none."""
        cluster = {"resourceType": "ECSCluster", "ecsClusterDetails": {"arn": samples.CLUSTER}}
        assert whom(samples.finding_event(), ORDERS, CART) == ["orders"]
        assert whom(samples.finding_event(), CART) == []
        assert whom(samples.finding_event(cluster), ORDERS) == ["orders"]
        assert whom(samples.finding_event(cluster), ORDERS, CART) == []
        assert whom(samples.finding_event(samples.ROLE_USED), ORDERS) == []

    @pytest.mark.parametrize(
        ("message", "reason"),
        [
            (samples.health_event("i-1"), "of others"),
            (samples.health_event(service="S3"), "stands on S3"),
            (samples.budget_notice("total"), "no service of a playbook in it"),
            (samples.finding_event(samples.ROLE_USED), "no service and no cluster"),
        ],
    )
    def test_why_it_is_nobodys(self, message: Any, reason: str) -> None:
        """A person reads it in the list of unmatched signals."""
        (match,) = concerned(signal(message), (ORDERS, CART))
        assert match.playbook is None
        assert reason in match.reason


NEW = [samples.health_event("shop | orders"), samples.anomaly_event(), samples.anomaly_message(),
       samples.finding_event(), samples.finding_event(samples.ROLE_USED)]  # fmt: skip


@given(st.integers(min_value=0), st.sampled_from(NEW))
def test_a_broken_message_concerns_somebody_by_name_or_nobody(seed: int, message: samples.JsonObject) -> None:
    """Whatever is wrong with it: no exception, and only playbooks of ours in the Region that it names."""
    for outcome in read_message(bad_json(Random(seed), message)):
        if isinstance(outcome, Signal):
            matches = concerned(outcome, (ORDERS, CART, ELSEWHERE))
            assert matches
            for match in matches:
                assert match.reason
                assert match.playbook is None or outcome.region in (None, match.playbook.region)


@given(st.text(max_size=200), st.integers(min_value=0, max_value=300), st.integers(min_value=0, max_value=300))
def test_a_broken_notice_is_read_or_refused(text: str, start: int, length: int) -> None:
    """A budget's notice with anything in place of a part of it."""
    notice = samples.budget_notice()
    (outcome,) = read_message(notice[:start] + text + notice[start + length :])
    assert isinstance(outcome, Signal | Ignored | SignalRefused)
    if isinstance(outcome, Signal):
        assert outcome.kind is SignalKind.COST
        assert concerned(outcome, (ORDERS, CART))
