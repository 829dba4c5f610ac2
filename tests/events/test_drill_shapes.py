"""The drill's world answers like AWS: keys, types and wordings are those of recorded answers.

The recordings lie beside the project, in `../shared/events`, and are no part of it; without them these tests are
skipped. That an answer fits the output shape of its operation is checked at every call; here it is held to what AWS
really fills in.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from functions.playbooks.schema import Playbook
from tests.unit.drill.world.worlds import client
from tools.drill.scenario import load_scenarios
from tools.drill.world import wire
from tools.drill.world.world import World

EVENTS = Path(__file__).parents[2].parent / "shared" / "events"
pytestmark = pytest.mark.skipif(not EVENTS.is_dir(), reason="the recorded answers are not beside the project")

SCENARIOS = (
    "release-dies-at-start",
    "release-listens-elsewhere",
    "release-leaks-memory",
    "release-image-missing",
    "release-secret-missing",
    "native-rollback-under-way",
    "slow-start-of-the-day",
    "traffic-spike-at-ceiling",
    "no-fargate-capacity",
    "stuck-tasks",
    "zone-impaired",
    "release-is-slow",
)
"""Between them they bring out every kind of answer."""

LOOK_EVERY_S = 150

Shape = Mapping[str, set[str]]
"""Types by path; `[]` stands for every element of a list."""


def shape(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every path in an answer with its type."""
    if isinstance(value, Mapping):
        yield path, "object"
        for key, inner in value.items():
            yield from shape(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        yield path, "list"
        for inner in value:
            yield from shape(inner, f"{path}[]")
    else:
        yield path, kind(path, value)


def kind(path: str, value: object) -> str:
    """A time is a time, as a datetime, in ISO 8601 or in seconds since the epoch."""
    if isinstance(value, datetime) or re.search(r"(At|Time)$", path):
        return "time"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__


def merged(values: Iterable[object]) -> Shape:
    found: dict[str, set[str]] = {}
    for value in values:
        for path, what in shape(value):
            found.setdefault(path, set()).add(what)
    return found


def recorded(folder: str, key: str, *, only: Callable[[str], bool] = lambda name: True) -> list[dict[str, Any]]:
    """The things below `key` in the samples of a folder; hand-written fixtures of tests are no evidence."""
    things: list[dict[str, Any]] = []
    for path in sorted((EVENTS / folder).glob("*.json")):
        if path.name.startswith(("mcp-test", "cartography")) or not only(path.name):
            continue
        sample = json.loads(path.read_text(encoding="utf-8"))
        things += sample.get(key, [])
        if isinstance(one := sample.get(key.removesuffix("s")), dict):
            things.append(one)
    return things


def real(name: str) -> bool:
    """Made by AWS, not for this purpose."""
    return not name.startswith("constructed")


class Answers:
    """What the world said, over all scenarios and times."""

    def __init__(self) -> None:
        self.services: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        self.targets: list[dict[str, Any]] = []
        self.activities: list[dict[str, Any]] = []
        self.scalable: list[dict[str, Any]] = []
        self.deployments: list[dict[str, Any]] = []
        self.revisions: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def hear(self, message: dict[str, Any]) -> None:
        body = json.loads(message["Records"][0]["body"])
        if "detail-type" in body:
            self.events.append(body)

    def look(self, clients: wire.WiredClients, playbook: Playbook) -> None:
        ecs, elb = clients.once("ecs"), clients.once("elbv2")
        scaling = clients.once("application-autoscaling")
        named = {"cluster": playbook.cluster, "service": playbook.service}
        (service,) = ecs.describe_services(cluster=playbook.cluster, services=[playbook.service])["services"]
        self.services.append(service)
        for status in ("RUNNING", "STOPPED"):
            arns = ecs.list_tasks(cluster=playbook.cluster, serviceName=playbook.service, desiredStatus=status)
            if arns["taskArns"]:
                found = ecs.describe_tasks(cluster=playbook.cluster, tasks=arns["taskArns"][:100])
                self.tasks += found["tasks"]
        for balancer in service["loadBalancers"]:
            health = elb.describe_target_health(TargetGroupArn=balancer["targetGroupArn"])
            self.targets += health["TargetHealthDescriptions"]
        of_service = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
        resource = f"service/{playbook.cluster}/{playbook.service}"
        self.scalable += scaling.describe_scalable_targets(**of_service, ResourceIds=[resource])["ScalableTargets"]
        self.activities += scaling.describe_scaling_activities(
            **of_service, ResourceId=resource, IncludeNotScaledActivities=True
        )["ScalingActivities"]
        listed = ecs.list_service_deployments(**named)["serviceDeployments"]
        arns = [brief["serviceDeploymentArn"] for brief in listed[:20]]
        found = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
        self.deployments += found
        targets = [deployment["targetServiceRevision"]["arn"] for deployment in found]
        self.revisions += ecs.describe_service_revisions(serviceRevisionArns=targets)["serviceRevisions"]


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Their worlds, each looked at every few minutes."""
    said = Answers()
    clients: dict[str, wire.WiredClients] = {}
    for scenario in load_scenarios(SCENARIOS):
        setting = scenario.setting
        ours = clients.setdefault(setting.region, wire.WiredClients(region=setting.region))
        world = World(setting, seed=1)
        world.on_message(said.hear)
        with wire.connected(world):
            for seconds in range(1500, int(setting.horizon_s), LOOK_EVERY_S):
                world.run_until(seconds)
                said.look(ours, scenario.playbooks[0])
    return said


def same_types(said: Iterable[dict[str, Any]], samples: Iterable[dict[str, Any]]) -> None:
    """Where both have a key, it holds the same."""
    known = merged(samples)
    differ = {
        path: (what, known[path]) for path, what in merged(said).items() if path in known and not what <= known[path]
    }
    assert differ == {}


def always_there(samples: list[dict[str, Any]]) -> set[str]:
    """Keys that no recorded sample lacks."""
    return set.intersection(*(set(sample) for sample in samples))


def has_all(said: list[dict[str, Any]], keys: set[str]) -> None:
    """Every answer has these keys."""
    assert said
    assert {key for one in said for key in keys - set(one)} == set()


def test_services(answers: Answers) -> None:
    """A service has every key that every recorded service has, its deployments too, and nothing of another type."""
    samples = recorded("ecs_describe_services", "services")
    same_types(answers.services, samples)
    active = [service for service in recorded("ecs_describe_services", "services", only=real) if service["deployments"]]
    has_all(answers.services, always_there(active))
    has_all(
        [deployment for service in answers.services for deployment in service["deployments"]],
        always_there([deployment for service in active for deployment in service["deployments"]]),
    )


LEFT_OUT = {"connectivityAt", "pullStartedAt", "pullStoppedAt"}
"""Times within the start of a task. Nothing reads them, and a pull is a part of the start in this world."""


def test_tasks(answers: Answers) -> None:
    """A task has every key that every recorded task has, whether it runs or was stopped, but for those left out."""
    same_types(answers.tasks, recorded("ecs_describe_tasks", "tasks"))
    for status in ("RUNNING", "STOPPED"):
        samples = [task for task in recorded("ecs_describe_tasks", "tasks") if task["lastStatus"] == status]
        if samples:
            has_all([task for task in answers.tasks if task["lastStatus"] == status], always_there(samples) - LEFT_OUT)


def test_events_of_stopped_tasks(answers: Answers) -> None:
    """The event of a stopped task has what every recorded one has, and is about the task in the same way."""
    kind = "ECS Task State Change"
    samples = [
        event
        for path in (EVENTS / "ecs_events").glob("*.json")
        if (event := json.loads(path.read_text(encoding="utf-8"))).get("detail-type") == kind and real(path.name)
    ]
    told = [event for event in answers.events if event["detail-type"] == kind]
    same_types(told, samples)
    has_all(told, always_there(samples))
    stopped = [event["detail"] for event in samples if event["detail"]["lastStatus"] == "STOPPED"]
    started = [event["detail"] for event in told if "startedAt" in event["detail"]]
    has_all(started, always_there(stopped) - LEFT_OUT)
    assert all(event["resources"] == [event["detail"]["taskArn"]] for event in (*told, *samples))
    (fields,) = {frozenset(event["detail"]) - {"startedAt"} for event in told}
    assert fields <= {key for event in samples for key in event["detail"]}
    assert {event["detail"]["stopCode"] for event in told} == {
        "TaskFailedToStart", "EssentialContainerExited", "ServiceSchedulerInitiated"
    }  # fmt: skip


def test_target_health(answers: Answers) -> None:
    """Targets have states and reasons that AWS has, and no reason when they are healthy."""
    same_types(answers.targets, recorded("elbv2_target_health", "TargetHealthDescriptions"))
    samples = recorded("elbv2_target_health", "TargetHealthDescriptions")
    known = {(s["TargetHealth"]["State"], s["TargetHealth"].get("Reason")) for s in samples if "TargetHealth" in s}
    known |= {("draining", "Target.DeregistrationInProgress"), ("unhealthy", "Target.FailedHealthChecks")}
    said = {(t["TargetHealth"]["State"], t["TargetHealth"].get("Reason")) for t in answers.targets}
    assert said <= known
    assert {state for state, _ in said} >= {"healthy", "initial", "unhealthy"}


def test_scaling(answers: Answers) -> None:
    """Activities and targets of Application Auto Scaling are those that are recorded, with its reasons not to scale."""
    samples = recorded("autoscaling_activities", "ScalingActivities")
    same_types(answers.activities, samples)
    same_types(answers.scalable, recorded("autoscaling_targets", "ScalableTargets"))
    has_all(answers.activities, always_there(recorded("autoscaling_activities", "ScalingActivities", only=real)))
    reasons = {why["Code"] for activity in answers.activities for why in activity.get("NotScaledReasons", ())}
    assert reasons == {why["Code"] for sample in samples for why in sample.get("NotScaledReasons", ())}
    causes = {plain(activity["Cause"]) for activity in answers.activities}
    assert causes <= {"monitor alarm * in state ALARM triggered policy *", "minimum capacity was set to #"}


def test_service_deployments(answers: Answers) -> None:
    """Service deployments and revisions are those that are recorded; every rollback has its reason."""
    same_types(answers.deployments, recorded("ecs_service_deployments", "serviceDeployments"))
    same_types(answers.revisions, recorded("ecs_service_deployments", "serviceRevisions"))
    one = "awscli-describe-service-deployments.json"
    full = always_there(recorded("ecs_service_deployments", "serviceDeployments", only=lambda name: name == one))
    finished = [d for d in answers.deployments if "finishedAt" in d]
    has_all(finished, full)
    rolled_back = [d for d in answers.deployments if d["status"].startswith("ROLLBACK")]
    assert rolled_back
    assert all(d["rollback"]["reason"] for d in rolled_back)


def plain(text: str) -> str:
    """A message without what differs from one service to the next."""
    text = re.sub(
        r"monitor alarm \S+ in state ALARM triggered policy \S+",
        "monitor alarm * in state ALARM triggered policy *",
        text,
    )
    text = re.sub(r"^service \(([^)]*)\)", r"(service \1)", text)
    text = re.sub(r"\((task|service|deployment|target-group|port|instance|elb) [^)]*\)", r"(\1 *)", text)
    text = re.sub(r"\(task \*\)(?: \(task \*\))+", "(task *)", text)
    text = re.sub(r"(deployment )?\(?deployment (ecs-svc/\d+|\*)\)?", "(deployment *)", text)
    return re.sub(r"\b\d+\b", "#", text).strip()


DOCUMENTED = {
    "(service *) registered # targets in (target-group *)",
    "(service *) (task *) (port *) is unhealthy in (target-group *) due to (reason Health checks failed)",
    "(service *) (task *) (port *) is unhealthy in (target-group *) due to (reason Request timed out)",
    (
        "(service *) was unable to place a task. Reason: Capacity is unavailable at this time. "
        "Please try again later or in a different availability zone."
    ),
}
"""Messages that no sample has: ECS Developer Guide, "Amazon ECS service event messages"."""


def test_service_event_messages(answers: Answers) -> None:
    """A service's events are worded as ECS words them; what happens in every deployment is among them."""
    said = {plain(event["message"]) for service in answers.services for event in service["events"]}
    known = {
        plain(event["message"])
        for service in recorded("ecs_describe_services", "services")
        for event in service.get("events", ())
    }
    known |= {plain(path.read_text(encoding="utf-8")) for path in (EVENTS / "ecs_service_event_messages").glob("*.txt")}
    known |= {f"(service *) {message}" for message in known if message.startswith("Message: ")}
    assert said - DOCUMENTED <= known
    assert said >= {
        "(service *) has reached a steady state.",
        "(service *) has started # tasks: (task *).",
        "(service *) has stopped # running tasks: (task *).",
        "(service *) (deployment *) deployment failed: tasks failed to start.",
    }


def test_stopped_reasons(answers: Answers) -> None:
    """A stopped task says why with the code and the words that ECS has for it."""
    samples = {
        (task["stopCode"], begins(task["stoppedReason"]))
        for task in recorded("ecs_describe_tasks", "tasks")
        if "stoppedReason" in task
    }
    samples |= {("TaskFailedToStart", "CannotPullContainerError"), ("EssentialContainerExited", "OutOfMemoryError")}
    said = {(t["stopCode"], begins(t["stoppedReason"])) for t in answers.tasks if "stoppedReason" in t}
    assert said <= samples
    assert len(said) >= 5


def begins(reason: str) -> str:
    """The name of the error, or the sentence without its names."""
    error = re.match(r"[A-Z]\w+Error", reason)
    return error[0] if error else plain(reason)


def test_what_others_tell() -> None:
    """Events of CloudTrail and DB instances have the keys and types of recorded ones."""
    setting = next(iter(load_scenarios(["database-down"]))).setting
    world = World(setting, seed=1)
    world.change_by("pipeline", "UpdateService", {"service": setting.services[0].name, "desiredCount": 4})
    world.run_until(setting.horizon_s)
    with wire.connected(world):
        events = client("cloudtrail").lookup_events()["Events"]
        instances = client("rds").describe_db_instances()["DBInstances"]
    assert events
    assert instances
    samples = recorded("cloudtrail", "Events")
    same_types(events, samples)
    has_all(events, always_there(samples))
    told = [json.loads(event["CloudTrailEvent"]) for event in events]
    same_types(told, [json.loads(sample["CloudTrailEvent"]) for sample in samples])
    same_types(instances, recorded("rds", "DBInstances", only=lambda name: name.startswith(("awscli", "botocore"))))
