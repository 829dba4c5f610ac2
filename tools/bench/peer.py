"""The same alarm of the same service, answered by Cloud Custodian: cold start, AWS calls, and CPU time.

All tasks of a service are stuck. The responder finds out, and starts them anew; Cloud Custodian (Apache-2.0, PyPI
package `c7n`) is woken by the same event, and does the same because its policy says so. Each function runs in a process
of its own, its AWS calls answered from memory in the bytes of the service's protocol: what both sides take is their
own work and that of boto3, and nothing else. docs/performance.md says what the peer does not do.
"""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from functions import settings as names
from tools.bench.custodian.installed import ROOT, python
from tools.bench.custodian.ours import Given
from tools.bench.entries import Entry, Told
from tools.bench.replay.calls import Bare, Invocation, Listener, SameOrAlike, find_answers
from tools.bench.replay.handlers import SetClock, deployed, shipped
from tools.bench.replay.recorded import record
from tools.bench.replay.wire import BareClients, Wire, WireClients
from tools.drill.deployment import DrillSettings, InTurn
from tools.drill.runner import quiet
from tools.drill.scenario import Scenario, load_scenarios

SCENARIO = "stuck-tasks"
REMEDY = "UpdateService"

ROUNDS = 3
"""Processes of each kind, by turns; the medians count."""
AGAIN = 20
"""Events that come again in each process, warm."""

HERE = Path(__file__).with_name("custodian")


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one side took: until its first event was handled, and for one more when it is warm."""

    cold_s: float
    warm_s: float


def measure(told: Told) -> Sequence[Entry]:
    """Both sides by turns.

    Raises:
        NotInstalled: if the peer cannot be installed.
    """
    told("installing Cloud Custodian beside ours")
    theirs = python()
    (scenario,) = load_scenarios([SCENARIO])
    told("recording the incident")
    invocations = until_remedied(record(scenario))
    heard(scenario, invocations)
    ours: list[Side] = []
    peers: list[Side] = []
    for number in range(1, ROUNDS + 1):
        told(f"round {number} of {ROUNDS}")
        ours.append(respond(scenario, invocations))
        side, calls = enforce(scenario, invocations, theirs)
        peers.append(side)
    made = [call.operation for invocation in invocations for call in invocation.calls]
    return entries(ours, peers, made=made, calls=calls)


def entries(ours: Sequence[Side], peers: Sequence[Side], *, made: Sequence[str], calls: Sequence[str]) -> list[Entry]:
    """`made` and `calls` are the operations of one event, of ours and of the peer."""

    def middle(sides: Sequence[Side], of: Callable[[Side], float]) -> float:
        return median(map(of, sides))

    return [
        Entry(
            name="peer: cold start",
            unit="CPU s",
            ours=middle(ours, lambda side: side.cold_s),
            baseline=middle(peers, lambda side: side.cold_s),
            how="from the start of the process to the end of its first event; ours: three functions together",
        ),
        Entry(
            name="peer: AWS calls for an event",
            unit="calls",
            ours=len(made),
            baseline=len(calls),
            how=f"until {REMEDY} was answered; the peer: {', '.join(calls)}",
        ),
        Entry(
            name="peer: CPU for an event",
            unit="ms",
            ours=1000 * middle(ours, lambda side: side.warm_s),
            baseline=1000 * middle(peers, lambda side: side.warm_s),
            how="warm, median; ours: intake, assess and remediate together",
        ),
    ]


def until_remedied(invocations: Sequence[Invocation]) -> list[Invocation]:
    """From the message that opened the incident to the step that remedied.

    Raises:
        LookupError: nothing was remedied.
    """
    last = next((place for place, each in enumerate(invocations) if _remedies(each)), None)
    if last is None:
        raise LookupError(f"{SCENARIO}: {REMEDY} was not called")
    steps = [place for place in range(last) if invocations[place].function == "intake"]
    first = next(place for place in steps if _starts(invocations[place]))
    # Further messages of the same trouble came in meanwhile: one event is what is counted.
    return [invocations[first], *(each for each in invocations[first + 1 : last + 1] if each.function != "intake")]


def _remedies(invocation: Invocation) -> bool:
    return any(call.operation == REMEDY for call in invocation.calls)


def _starts(invocation: Invocation) -> bool:
    return any(call.operation == "StartExecution" for call in invocation.calls)


def heard(scenario: Scenario, invocations: Sequence[Invocation]) -> None:
    """Handle each once as it is deployed, and know it from then on by the calls that it made then."""
    wire, setting = Wire(), scenario.setting
    bare = Bare(BareClients(wire, region=setting.region))
    settings = DrillSettings(region=setting.region, account=setting.account)
    for invocation in invocations:
        find_answers(wire, bare, invocation)
        listener = Listener(SameOrAlike(invocation))
        wire.live = listener.live
        clients = WireClients(wire, region=setting.region, heard=listener.heard)
        clock = SetClock(invocation.at)
        parts: Any = {
            "settings": settings,
            "clients": clients,
            "clock": clock,
            "playbooks": shipped(scenario.playbooks),
        }
        with quiet(), redirect_stdout(StringIO()), deployed(threads=InTurn, **parts) as handle:
            handle(invocation)
        invocation.calls = listener.calls
        find_answers(wire, bare, invocation)


def respond(scenario: Scenario, invocations: Sequence[Invocation]) -> Side:
    """Ours: each function in a process of its own."""
    cold_s = warm_s = 0.0
    for function in dict.fromkeys(each.function for each in invocations):
        given = Given(
            invocations=[each for each in invocations if each.function == function],
            playbooks=scenario.playbooks,
            again=AGAIN,
        )
        found = _run(
            [sys.executable, "-m", "tools.bench.custodian.ours", function],
            pickle.dumps(given),
            environment=_settings(scenario),
            directory=ROOT,
        )
        cold_s += found["cold_s"]
        warm_s += median(found["warm_s"])
    return Side(cold_s=cold_s, warm_s=warm_s)


def enforce(scenario: Scenario, invocations: Sequence[Invocation], theirs: Path) -> tuple[Side, Sequence[str]]:
    """The peer's: its one function, and the operations that it called."""
    setting = scenario.setting
    config = {
        "execution-options": {"account_id": setting.account, "metrics_enabled": False},
        **yaml.safe_load((HERE / "policy.yml").read_text()),
    }
    given = {"event": event_of(invocations), "answers": answers_for(scenario, invocations), "again": AGAIN}
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "config.json").write_text(json.dumps(config))
        found = _run(
            [str(theirs), str(HERE / "theirs.py")],
            json.dumps(given).encode(),
            environment={"AWS_DEFAULT_REGION": setting.region, "AWS_REGION": setting.region, **_NOBODY},
            directory=Path(directory),
        )
    if found["calls"][-1:] != [REMEDY]:
        raise LookupError(f"Cloud Custodian did not remedy: it called {found['calls']}")
    return Side(cold_s=found["cold_s"], warm_s=median(found["warm_s"])), found["calls"]


def event_of(invocations: Sequence[Invocation]) -> dict[str, Any]:
    """The message that opened the incident. The rule of EventBridge has chosen it: no policy reads what it says."""
    event: dict[str, Any] = json.loads(invocations[0].event["Records"][0]["body"])
    return event


def answers_for(scenario: Scenario, invocations: Sequence[Invocation]) -> Mapping[str, str]:
    """What ECS answers the peer, by operation: of the service, the bytes that ours got."""
    setting = scenario.setting
    calls = [call for invocation in invocations for call in invocation.calls]
    told = {call.operation: call.answer.body.decode() for call in calls if call.service == "ecs"}
    (service,) = json.loads(told["DescribeServices"])["services"]
    cluster = {"clusterArn": service["clusterArn"], "clusterName": setting.cluster, "status": "ACTIVE"}
    return {
        "ListClusters": json.dumps({"clusterArns": [service["clusterArn"]]}),
        "DescribeClusters": json.dumps({"clusters": [cluster], "failures": []}),
        "ListServices": json.dumps({"serviceArns": [service["serviceArn"]]}),
        "DescribeServices": told["DescribeServices"],
        REMEDY: told[REMEDY],
    }


_NOBODY = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_EC2_METADATA_DISABLED": "true"}


def _settings(scenario: Scenario) -> Mapping[str, str]:
    """What the stack sets."""
    known = DrillSettings(region=scenario.setting.region, account=scenario.setting.account)
    return {
        **_NOBODY,
        "AWS_REGION": known.region,
        "AWS_DEFAULT_REGION": known.region,
        "AWS_LAMBDA_FUNCTION_NAME": known.table,
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
        names.TABLE_NAME: known.table,
        names.BUCKET_NAME: known.bucket,
        names.STATE_MACHINE_ARN: known.state_machine,
        names.PAGE_TOPIC_ARN: known.page_topic,
        names.SECOND_TOPIC_ARN: known.second_topic,
        names.FUNCTION_TIMEOUT: str(known.function_timeout_s),
        names.FLEET_ACTIONS_PER_HOUR: str(known.fleet_actions_per_hour),
        names.LOG_SCAN_MB: str(known.log_scan_mb),
        names.CONTAIN: "false",
    }


def _run(command: Sequence[str], given: bytes, *, environment: Mapping[str, str], directory: Path) -> dict[str, Any]:
    """What the process writes, as JSON.

    Raises:
        RuntimeError: if it fails, with the last thing it said.
    """
    with tempfile.TemporaryDirectory() as between:
        told, found = Path(between, "given"), Path(between, "found")
        told.write_bytes(given)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "C7N_", "PYTHON"))}
        done = subprocess.run(
            [*command, str(told), str(found)],
            cwd=directory,
            env={**clean, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {(done.stderr.strip() or 'it failed').splitlines()[-1]}")
        written: dict[str, Any] = json.loads(found.read_text())
        return written
