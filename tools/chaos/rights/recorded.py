"""The whole responder in a drill's world, with every call that each of its functions makes written down.

The functions of the workflow, intake, sweep and bake run as in `make chaos`; those that people and schedules call are
called here. Handlers, use cases and adapters are those of the deployment, the ledger's included. What a world does not
have is answered from a table.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

from botocore.response import StreamingBody

from functions.adapters.stepfunctions import StepFunctionsExecutions
from functions.adapters.webhooks import HttpsWebhooks
from functions.domain.called import Service
from functions.domain.errors import InputError
from functions.domain.orders import Order
from functions.domain.services import ServiceRef
from functions.handlers import api, read, trial
from functions.ports import WebhookCaller
from functions.workflow.orders import GiveOrder
from functions.workflow.table import Outcome
from tools.chaos import samples
from tools.chaos.deployment import FragileDeployment
from tools.chaos.rights.actions import actions_of
from tools.drill.deployment import DrillSettings
from tools.drill.engine import Json
from tools.drill.scenario import Scenario
from tools.drill.world import messages, wire
from tools.drill.world.answers import OPERATIONS
from tools.drill.world.refusal import Refused
from tools.drill.world.world import World

Calls = Mapping[str, frozenset[str]]
"""The IAM actions that the calls of each function took, by its name."""

Given = Mapping[str, Any]

LOOKS_EVERY_S = 600.0
"""How often people look at the services, and grant what they are asked."""

MOST_LOGS_MB = 1
BEYOND = {"bytesScanned": 1e9}
"""A query that has scanned more than it may, and is stopped for it."""

_INSIGHTS_RULE = "DynamoDBContributorInsights-PKT-carts-1700000000000"
_DETECTOR, _FINDING = "12abc34d567e8fa901bc2d34e56789f0", "0ab1cd2ef34567890ab1cd2ef3456789"


class Everything(DrillSettings):
    """What the stacks would have told the functions, with all that need not be deployed."""

    @property
    def contain_deployed(self) -> bool:
        return True

    @property
    def log_scan_mb(self) -> int:
        return MOST_LOGS_MB

    @property
    def read_function(self) -> str:
        return "read"

    @property
    def trial_function(self) -> str:
        return "trial"

    @property
    def intake_queue(self) -> str:
        return f"https://sqs.{self.region}.amazonaws.com/{self.account}/ecs-first-responder-intake"


class RecordedClients(wire.WiredClients):
    """On the wire, too, when they wait for long."""

    def waiting(self, service: Service, *, seconds: float) -> Any:
        return self.once(service)


class Recorded(FragileDeployment):
    """As it is deployed with the contain stack and the HTTP API. `errands` are what people and schedules do besides."""

    def __init__(self, world: World, *, settings: Everything, errands: "Errands", **rest: Any) -> None:
        super().__init__(world, settings=settings, **rest)
        self._everything = settings
        self._errands = errands
        self._blocked: Sequence[str] = ()
        self.calls: dict[str, set[str]] = {}
        self.refused = set(errands.refused)
        """Operations that AWS refuses from now on."""

    def around(self, model: Any, given: Given, attempts: int, ask: Callable[[], Json]) -> Json:
        """Write down a call that a function makes; people at a desk have rights of their own."""
        if self.running:
            self.calls.setdefault(self.running[-1].function, set()).update(actions_of(model, given))
        if model.name in self.refused:
            raise Refused("AccessDeniedException", f"User is not authorized to perform {model.name}")
        return ask()

    @property
    def answering(self) -> Mapping[str, Callable[[Given], Json]]:
        reads = OPERATIONS.reads
        databases, results = reads["DescribeDBInstances"], reads["GetQueryResults"]
        definitions = reads["DescribeTaskDefinition"]
        where = f"{self._everything.region}:{self._everything.account}"
        return {
            **super().answering,
            "AdminDisableUser": lambda given: {},
            "DescribeContributorInsights": lambda given: {
                "TableName": given["TableName"],
                "ContributorInsightsStatus": "ENABLED",
                "ContributorInsightsRuleList": [_INSIGHTS_RULE],
            },
            "DescribeDBInstances": lambda given: {
                "DBInstances": [
                    each | {"PerformanceInsightsEnabled": True} for each in databases(self._world, given)["DBInstances"]
                ]
            },
            "DescribeDimensionKeys": lambda given: {"Keys": []},
            # Copies keep tags, where there are any.
            "DescribeTaskDefinition": lambda given: (
                definitions(self._world, given) | {"tags": [{"key": "team", "value": "shop"}]}
            ),
            "DescribeImageScanFindings": lambda given: {"imageScanStatus": {"status": "COMPLETE"}},
            "GetCostAndUsage": lambda given: {"ResultsByTime": []},
            "GetFindings": lambda given: {"Findings": [_finding(where, each) for each in given["FindingIds"]]},
            "GetInsightRuleReport": lambda given: {"AggregateValue": 0.0, "Contributors": []},
            "GetIPSet": lambda given: {
                "IPSet": {
                    "Name": given["Name"],
                    "Id": given["Id"],
                    "ARN": f"arn:aws:wafv2:{where}:regional/ipset/{given['Name']}/{given['Id']}",
                    "IPAddressVersion": "IPV4",
                    "Addresses": list(self._blocked),
                },
                "LockToken": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            },
            "GetQueryResults": lambda given: (
                {"status": "Running", "results": [], "statistics": BEYOND}
                if self._errands.logs_run_on
                else results(self._world, given)
            ),
            "GetSecretValue": lambda given: {"Name": given["SecretId"], "SecretString": "token"},
            "GetServiceQuota": lambda given: {"Quota": {"Value": 100.0}},
            "Invoke": self._invoked,
            "ListDetectors": lambda given: {"DetectorIds": [_DETECTOR]},
            "PutMetricData": lambda given: {},
            "SendMessage": lambda given: {"MessageId": "message-1"},
            "SendTaskSuccess": self._answered,
            "UpdateIPSet": self._block,
        }

    def _block(self, given: Given) -> Json:
        self._blocked = tuple(given["Addresses"])
        return {"NextLockToken": "1f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}

    def _answered(self, given: Given) -> Json:
        self.engine.answer(given["taskToken"], Outcome(json.loads(given["output"])["outcome"]))
        return {}

    def _invoked(self, given: Given) -> Json:
        """One function of the responder calls another."""
        handler = {"read": read.handler, "trial": trial.handler}[given["FunctionName"]]
        answer = json.dumps(self.call(given["FunctionName"], handler, json.loads(given["Payload"]))).encode()
        return {"StatusCode": 200, "Payload": StreamingBody(BytesIO(answer), len(answer))}

    def _webhooks(self) -> WebhookCaller:
        """As on AWS: the token is read. Nobody answers."""
        return HttpsWebhooks(client=self._clients.once)

    @contextmanager
    def live(self) -> Iterator[None]:
        with super().live():
            self._later(LOOKS_EVERY_S, self._look)
            for at_s, errand in self._errands.planned:
                self._later(at_s, lambda errand=errand: errand(self))  # type: ignore[misc]
            yield

    def _look(self) -> None:
        for playbook in self._playbooks:
            self.call("read", read.handler, {"service": playbook.ref.key, "probes": []})
        for incident in self.ledger.open_incidents():
            self.ask("POST", f"/api/v1/incidents/{incident.id}/approve", {"reason": "go ahead"})
        self._later(LOOKS_EVERY_S, self._look)

    # --- what errands are made of

    def call(self, function: str, handler: Callable[..., Any], event: Json) -> Any:
        """Call a function of the responder by its name."""
        with self.invocation(function):
            return handler(event, self._context(function))

    def ask(self, method: str, path: str, body: Json | None = None) -> None:
        """Ask the HTTP API. What it answers, a problem included, is of no interest here."""
        path, _, query = path.partition("?")
        http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7", "userAgent": "curl"}
        event: Json = {
            "version": "2.0",
            "routeKey": f"{method} /{{proxy+}}",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"host": "api.example.com", "content-type": "application/json"},
            "queryStringParameters": dict(part.split("=") for part in query.split("&")) if query else None,
            "requestContext": {
                "accountId": self._everything.account,
                "apiId": "api",
                "authorizer": {"iam": {"userArn": f"arn:aws:iam::{self._everything.account}:user/ann"}},
                "domainName": "api.example.com",
                "http": http,
                "requestId": "request-1",
                "routeKey": f"{method} /{{proxy+}}",
                "stage": "$default",
                "time": "01/Mar/2026:03:12:00 +0000",
                "timeEpoch": 1772334720000,
            },
            "isBase64Encoded": False,
            **({} if body is None else {"body": json.dumps(body)}),
        }
        self.call("api", api.handler, event)

    def order(self, service: ServiceRef, **said: Any) -> None:
        """Order something at a desk, as `responder` does."""
        give = GiveOrder(
            ledger=self.ledger,
            executions=StepFunctionsExecutions(
                self._clients.repeating("stepfunctions"), state_machine=self._everything.state_machine
            ),
            now=self._clock.now,
        )
        with suppress(InputError):
            give(service, Order.model_validate({"by": "ann", "reason": "a test of rights", **said}))

    def hear(self, event: Json) -> None:
        """An event of EventBridge arrives in the intake queue."""
        account, region = self._everything.account, self._everything.region
        self.take(messages.from_queue(event, account=account, region=region, id=event["id"], at=self._clock.now()))

    def beat(self) -> Json:
        """The responder's own heartbeat, as its schedule sends it."""
        return samples.heartbeat_event(
            account=self._everything.account,
            region=self._everything.region,
            time=f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}",
        )

    def find(self, about: Json) -> Json:
        """GuardDuty finds something, as EventBridge tells of it (GuardDuty User Guide, "Creating custom responses")."""
        account, region, at = self._everything.account, self._everything.region, self._clock.now()
        return {
            "version": "0",
            "id": "4b1d2f3e-0000-4000-8000-000000000001",
            "detail-type": "GuardDuty Finding",
            "source": "aws.guardduty",
            "account": account,
            "region": region,
            "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "resources": [],
            "detail": {
                **_told(f"{region}:{account}"),
                "updatedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "resource": about,
            },
        }


def _told(where: str, id: str = _FINDING) -> Json:
    return {
        "arn": f"arn:aws:guardduty:{where}:detector/{_DETECTOR}/finding/{id}",
        "id": id,
        "type": "Execution:Runtime/ReverseShell",
        "severity": 8,
        "title": "A process opened a reverse shell",
    }


def _finding(where: str, id: str) -> Json:
    """As GetFindings has it."""
    told = {name[0].upper() + name[1:]: value for name, value in _told(where, id).items()}
    return told | {
        "AccountId": where.partition(":")[2],
        "Region": where.partition(":")[0],
        "CreatedAt": "2026-03-01T03:00:00.000Z",
        "UpdatedAt": "2026-03-01T03:00:00.000Z",
        "SchemaVersion": "2.0",
        "Resource": {},
    }


Errand = Callable[[Recorded], object]


@dataclass(frozen=True)
class Errands:
    """What people and schedules do in one scene."""

    planned: Sequence[tuple[float, Errand]] = ()
    """Seconds after the beginning, and what is done then."""
    refused: frozenset[str] = frozenset()
    """Operations that AWS refuses at first."""
    logs_run_on: bool = False
    """Every query of logs scans more than it may."""


def play(scenario: Scenario, errands: Errands) -> Calls:
    """The whole scenario, and what was called in it."""
    world = World(scenario.setting, seed=0)
    settings = Everything(region=scenario.setting.region, account=scenario.setting.account)
    clients = _clients(scenario.setting.region)
    deployment = Recorded(world, clients=clients, playbooks=scenario.playbooks, settings=settings, errands=errands)
    deployment.live_through(deployment.around)
    return {function: frozenset(actions) for function, actions in deployment.calls.items()}


@cache
def _clients(region: str) -> RecordedClients:
    return RecordedClients(region=region)
