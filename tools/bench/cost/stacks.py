"""What a deployment has that is paid for by the month: its templates are synthesised and gone through."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk

from infra.application import build
from infra.context import Architecture, Deployment
from tools.cost.prices import Item

PROJECT = Path(__file__).resolve().parents[3]

PLAYBOOK = """\
region: us-east-1
cluster: shop
service: {name}
alarms:
  - symptom: error-rate
  - symptom: healthy-hosts
"""
"""The README's first one."""

Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """What stands there for so many services, by the month. `own` is the responder's, `unattended` the alarms that page
    people past a responder that is unwell, `alarms` those that the playbooks ask for."""

    own: Counter[Item]
    unattended: Counter[Item]
    alarms: Counter[Item]
    traced: frozenset[str]
    """Functions whose every invocation is a trace."""


def stacks(services: int) -> Stacks:
    """The templates of a deployment with defaults, for so many services."""
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        playbooks = directory / "playbooks"
        playbooks.mkdir()
        for number in range(services):
            (playbooks / f"service-{number}.yaml").write_text(PLAYBOOK.format(name=f"service-{number}"))
        flags = json.loads((PROJECT / "cdk.json").read_text())["context"]
        app = cdk.App(outdir=str(directory / "out"), context=flags)
        # `local` only leaves out packaging the dependencies, which takes a minute.
        deployment = Deployment(
            region="us-east-1", account="123456789012", playbooks=playbooks, architecture=Architecture.LOCAL
        )
        responder, _ = build(app, deployment)
        bodies = {s.stack_name: json.loads(Path(s.template_full_path).read_text()) for s in app.synth().stacks}
    own = bodies.pop(responder.stack_name)
    of_services = sum(map(_charged, bodies.values()), Counter())
    unwell = _charged(own).pop(Item.COMPOSITE, 0)
    return Stacks(
        own=Counter({item: count for item, count in _charged(own).items() if item is not Item.COMPOSITE}),
        unattended=Counter({Item.COMPOSITE: of_services[Item.COMPOSITE] + unwell}),
        alarms=Counter({item: count for item, count in of_services.items() if item is not Item.COMPOSITE}),
        traced=frozenset(_traced(own)),
    )


def _charged(body: Body) -> Counter[Item]:
    found: Counter[Item] = Counter()
    for resource in body["Resources"].values():
        match resource["Type"]:
            case "AWS::CloudWatch::Alarm":
                queries = resource["Properties"].get("Metrics")
                found[Item.ALARM] += 1 if queries is None else sum("MetricStat" in query for query in queries)
            case "AWS::CloudWatch::CompositeAlarm":
                found[Item.COMPOSITE] += 1
            case "AWS::CloudWatch::Dashboard":
                found[Item.DASHBOARD] += 1
            case "AWS::KMS::Key":
                found[Item.KEY] += 1
            case "AWS::Lambda::EventSourceMapping":
                found[Item.SQS_REQUEST] += EMPTY_RECEIVES_A_MONTH
    return found


POLLERS, LONG_POLL_S = 5, 20
"""Lambda begins with five pollers, each of which asks for 20 s at a time (AWS Compute Blog, "Understanding how AWS
Lambda scales with Amazon SQS standard queues"; Developer Guide, "Using Lambda with Amazon SQS")."""

EMPTY_RECEIVES_A_MONTH = POLLERS * 730 * 3600 // LONG_POLL_S


def _traced(body: Body) -> Iterable[str]:
    for resource in body["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function" and properties.get("TracingConfig", {}).get("Mode") == "Active":
            yield properties["FunctionName"].removeprefix("ecs-first-responder-")
