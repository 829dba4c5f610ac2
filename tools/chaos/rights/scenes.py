"""What is played so that every function makes every call it has a right to: scenarios, and errands in two of them."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from functions import bootstrap
from functions.domain.digests import Period
from functions.domain.errors import ReadFailed
from functions.domain.orders import Ordered
from functions.domain.services import ServiceRef
from functions.handlers import bake, check, digest, forward, lookup
from functions.handlers.http.app import document
from tools.chaos.rights.recorded import Calls, Errand, Errands, Recorded, play
from tools.chaos.sweep import scenarios_of
from tools.drill.scenario import load_scenarios

HERE = Path(__file__).with_name("scenarios")
EVERYTHING = HERE / "everything.yaml"
"""Its playbook names one of everything: what is deployed for it may do whatever a deployment may."""

SERVICE = ServiceRef(region="eu-central-1", cluster="shop", service="orders")
ON_THIS_MACHINE = "http://127.0.0.1:9"
"""Nobody listens there."""


def _order(what: Ordered, **said: object) -> Errand:
    return lambda deployment: deployment.order(SERVICE, what=what, **said)


def _ask_everything(deployment: Recorded) -> None:
    """Every path of the HTTP API, as its document has them."""
    (incident, *_) = [i.id for i in deployment.ledger.incidents_of(SERVICE)] or ["inc-none"]
    names = {
        "cluster": SERVICE.cluster,
        "service": SERVICE.service,
        "incident_id": incident,
        "run_id": "run-none",
        "plan_name": "emergency_rollback",
    }
    bodies: Mapping[str, dict[str, object]] = {
        "emergency-scale": {"target_count": 6, "dry_run": True},
        "rollback": {"dry_run": True},
        "execute-plan": {"cluster_name": SERVICE.cluster, "service_name": SERVICE.service, "dry_run": True},
        "performance-test": {"base_url": ON_THIS_MACHINE, "concurrent_requests": 1, "duration_seconds": 1},
    }
    for path, methods in document()["paths"].items():
        for method in methods:
            body = next((body for part, body in bodies.items() if part in path), {}) if method == "post" else None
            deployment.ask(method.upper(), path.format(**names), body)


def _forward(deployment: Recorded) -> None:
    deployment.call("forward", forward.handler, {"source": "aws.cloudwatch"})


def _look_up(deployment: Recorded) -> None:
    """What a deployment asks for; the answer to CloudFormation is no call of AWS."""
    for find in (lookup.front_door, lookup.log_group):
        deployment.call("lookup", lambda _, __, find=find: find(bootstrap.service_reader(), SERVICE), {})


def _check(deployment: Recorded) -> None:
    deployment.call("check", check.handler, {})


def _digest(deployment: Recorded) -> None:
    for period in Period:
        deployment.call("digest", digest.handler, {"period": period.value})


def _find_a_task(deployment: Recorded) -> None:
    about = {
        "resourceType": "ECSCluster",
        "ecsClusterDetails": {"name": SERVICE.cluster, "taskDetails": {"group": f"service:{SERVICE.service}"}},
    }
    deployment.hear(deployment.find(about))


def _find_a_role(deployment: Recorded) -> None:
    about = {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "Role", "userName": "orders-task"}}
    deployment.call("bake", bake.handler, deployment.find(about))


def _beat(deployment: Recorded) -> None:
    deployment.hear(deployment.beat())


def _send_nothing(deployment: Recorded) -> None:
    """A digest that nobody gets is given up, so that it can be sent again."""
    deployment.refused.add("Publish")
    with suppress(ReadFailed):
        deployment.call("digest", digest.handler, {"period": Period.DAILY.value})
    deployment.refused.discard("Publish")


def _scale(count: int) -> Errand:
    path = f"/api/v1/disaster-recovery/emergency-scale/{SERVICE.cluster}/{SERVICE.service}"
    return lambda deployment: deployment.ask("POST", path, {"target_count": count, "reason": "more is coming"})


WITH_ERRANDS: Mapping[str, Errands] = {
    "everything": Errands(
        planned=(
            (60, _look_up),
            (90, _forward),
            (120, _check),
            (130, _beat),
            (150, _ask_everything),
            (180, _scale(6)),
            (600, _order(Ordered.SET_COUNT, count=5, duration_s=600)),
            (1500, _order(Ordered.LOOK)),
            (2700, _ask_everything),
            (3600, _find_a_task),
            (3650, _ask_everything),
            (3660, _scale(7)),
            (3720, _find_a_role),
            (4200, _order(Ordered.BLOCK_ADDRESS, address="93.184.216.34", duration_s=600)),
            (4800, _order(Ordered.DISABLE_USER, user="u-17")),
            (6600, _digest),
        ),
    ),
    "tracking": Errands(
        planned=((1200, _send_nothing), (1260, _digest), (5400, _order(Ordered.ISOLATE))), logs_run_on=True
    ),
    # A lease that is not taken is ended, and a report is written without what the front says.
    "traffic-spike-with-room": Errands(refused=frozenset({"RegisterScalableTarget", "DescribeLoadBalancerAttributes"})),
}

SCENARIOS = (
    "deployment-stalls",
    "flapping-alarm-muted",
    "old-release-leaks-memory",
    "one-bad-task",
    "request-flood",
    "spike-and-bad-release",
    "stickiness-lost",
    "table-throttled",
    "traffic-spike-with-room",
    "zone-loses-requests",
)
"""Those of the drill and of chaos in which something is called that no other scene calls."""


def recorded() -> Calls:
    """All scenes together."""
    own = [str(path) for path in sorted(HERE.glob("*.yaml"))]
    calls: dict[str, frozenset[str]] = {}
    for scenario in (*load_scenarios(own), *scenarios_of(SCENARIOS)):
        for function, actions in play(scenario, WITH_ERRANDS.get(scenario.name, Errands())).items():
            calls[function] = calls.get(function, frozenset()) | actions
    return calls
