"""Forged messages through the real handlers, in a world in which nothing is wrong: no action, and a record of each."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from functions.domain.incidents import Fact, IncidentStatus
from functions.handlers import intake
from functions.observability import logger
from tools.chaos import samples
from tools.chaos.deployment import FragileDeployment
from tools.chaos.inputs import calm
from tools.drill.deployment import DrillSettings
from tools.drill.engine import Json
from tools.drill.runner import clients_of, quiet
from tools.drill.world import wire
from tools.drill.world.messages import from_queue
from tools.drill.world.world import World

ELSEWHERE = "999999999999"
OURS = "responder-shop-orders-error-rate"
"""An alarm of the playbook, which is OK."""

LOOKED = {Fact.INCIDENT_OPENED, Fact.SIGNAL_RECEIVED, Fact.EVIDENCE_GATHERED, Fact.CAUSES_RANKED}
CHANGED = {Fact.PLAN_CHOSEN, Fact.ACTION_INTENDED, Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL}


@dataclass
class At:
    """The responder at work."""

    world: World
    deployment: FragileDeployment

    def take(self, body: Any) -> list[str]:
        """What is left to the dead-letter queue."""
        setting = self.world.setting
        event = from_queue(body, account=setting.account, region=setting.region, id="m-1", at=self.world.now)
        answer = intake.handler(event, self.deployment._context("intake"))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    @property
    def actions(self) -> list[str]:
        return [change.operation for change in self.world.changes if change.caller == "responder"]

    @property
    def unmatched(self) -> list[str]:
        return [reason for _, reason in self.deployment.ledger.unmatched()]


@contextmanager
def at_work() -> Iterator[At]:
    scenario = calm()
    setting, world = scenario.setting, World(scenario.setting, seed=0)
    settings = DrillSettings(region=setting.region, account=setting.account)
    deployment = FragileDeployment(
        world, clients=clients_of(setting.region), playbooks=scenario.playbooks, settings=settings
    )
    findings: Mapping[str, Callable[[Mapping[str, Any]], Json]] = {"GetFindings": lambda _: {"Findings": []}}
    with (
        quiet(),
        wire.connected(world, {**deployment.answering, **findings}),
        wire.calling("responder"),
        deployment.live(),
    ):
        yield At(world, deployment)


def forged(name: str = OURS, *, service: str = "orders", **said: Any) -> dict[str, Any]:
    """What an alarm's SNS action would publish."""
    return samples.sns_message(name, service=service) | said


def event_of(service: str = "orders", cluster: str = "shop", **said: Any) -> dict[str, Any]:
    """What EventBridge would deliver."""
    detail = samples.alarm_detail(samples.metric(cluster, service), name=f"{service}-cpu")
    return samples.alarm_event(detail) | said


def elsewhere(message: Any, old: str, new: str) -> Any:
    return json.loads(json.dumps(message).replace(old, new))


LOOKED_AT = {
    "an alarm that is not in ALARM": forged(),
    "an alarm that does not exist, with our service's name": forged("orders-made-up"),
    "an alarm of ours whose dimensions name another service": forged(service="payments"),
    "an alarm of ours whose dimensions name a service that is not": forged(service="nothing"),
    "a state change of hours ago": forged(StateChangeTime="2026-03-02T02:00:00.000+0000"),
    "a state change of the future": forged(StateChangeTime="2036-03-02T02:00:00.000+0000"),
    "through the topic of another account": samples.envelope(
        forged(), TopicArn=f"arn:aws:sns:eu-central-1:{ELSEWHERE}:alarms", Signature="Zm9yZ2Vk"
    ),
    "a deployment that did not fail": samples.deployment_event(),
    "a task that did not stop": samples.task_event(),
    "trouble of AWS that is none": samples.health_event(samples.service_arn()),
    "a finding that GuardDuty does not know": samples.finding_event(),
}
"""What names a service with a playbook: it is looked at, and nothing is found."""

NOBODYS = {
    "an alarm of another account": (elsewhere(forged(), samples.ACCOUNT, ELSEWHERE), f"of account {ELSEWHERE}"),
    "an event of another account": (elsewhere(event_of(), samples.ACCOUNT, ELSEWHERE), f"of account {ELSEWHERE}"),
    "no account at all": (elsewhere(forged(), samples.ACCOUNT, "11112222"), "of account 11112222"),
    "a finding of another account": (
        elsewhere(samples.finding_event(), samples.ACCOUNT, ELSEWHERE),
        f"of account {ELSEWHERE}",
    ),
    "trouble of another account of the organisation": (
        samples.health_event(samples.service_arn(), affectedAccount=ELSEWHERE),
        f"of account {ELSEWHERE}",
    ),
    "an alarm of another Region": (elsewhere(forged(), "eu-central-1", "us-east-1"), "no playbook is for us-east-1/"),
    "an event of another Region": (elsewhere(event_of(), "eu-central-1", "us-east-1"), "no playbook is for us-east-1/"),
    "a service without a playbook": (event_of("carts"), "no playbook is for eu-central-1/shop/carts"),
    "a service of the same name in another cluster": (event_of(cluster="shop2"), "no playbook is for"),
    "an alarm of nobody": (elsewhere(forged("made-up"), "ServiceName", "Host"), "its metrics name no service"),
}
"""What names nothing of ours: it is kept as unmatched, with the reason."""

REFUSED = {
    "an ARN of another account": forged(AlarmArn=f"arn:aws:cloudwatch:eu-central-1:{ELSEWHERE}:alarm:{OURS}"),
    "an ARN of another Region": event_of(resources=["arn:aws:cloudwatch:us-east-1:111122223333:alarm:orders-cpu"]),
    "an account that is not the ARN's": forged(AWSAccountId=ELSEWHERE),
    "a state that there is not": forged(NewStateValue="ALARM!"),
    "a name that no alarm has": forged("orders\x1b[2J"),
}
"""What contradicts itself: it is left to the dead-letter queue."""


@pytest.mark.parametrize("what", LOOKED_AT)
def test_what_names_a_service_of_ours_is_looked_at_and_nothing_is_done(what: str) -> None:
    """The trail has the message, what was seen instead, and why nothing follows from it; however often it comes."""
    with at_work() as at:
        at.world.run_until(600)
        for _ in range(3):
            assert at.take(LOOKED_AT[what]) == []
            at.world.run_until(at.world.seconds + 600)
        ledger, trail = at.deployment.ledger, at.deployment.trail()
        assert at.actions == []
        assert {event.incident_id for event in trail} == {trail[0].incident_id}
        facts = {event.fact for event in trail}
        assert facts >= LOOKED
        assert not facts & CHANGED
        incident = ledger.incident(trail[0].incident_id)
        assert incident.service.service == "orders"
        # What cannot be read is no all clear: people are told, and the incident stays open.
        unread = "not exist" in what or "does not know" in what
        assert incident.status is (IncidentStatus.OPEN if unread else IncidentStatus.RESOLVED)
        assert facts & ({Fact.PAGE_SENT} if unread else {Fact.INCIDENT_RESOLVED})


@pytest.mark.parametrize("what", NOBODYS)
def test_what_names_nothing_of_ours_is_kept_with_the_reason(what: str) -> None:
    """Once, and no incident is opened."""
    message, says = NOBODYS[what]
    with at_work() as at:
        for _ in range(2):
            assert at.take(message) == []
        at.world.run_until(900)
        assert at.actions == []
        assert at.deployment.trail() == ()
        (reason,) = at.unmatched
        assert says in reason


@pytest.mark.parametrize("what", REFUSED)
def test_what_contradicts_itself_is_left_to_the_dead_letter_queue(what: str, caplog: pytest.LogCaptureFixture) -> None:
    """With the reason in the log."""
    with at_work() as at:
        logger.setLevel("ERROR")
        assert at.take(REFUSED[what]) == ["m-1"]
        at.world.run_until(900)
        assert at.actions == []
        assert at.deployment.trail() == ()
    assert any(record.message == "message rejected" and vars(record)["reason"] for record in caplog.records)
