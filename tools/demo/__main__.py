"""`make demo`: an incident from alarm to audited recovery, on an AWS that lives as long as the demo."""

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime

from functions.domain.incidents import Incident
from functions.ports import Ledger
from functions.workflow.trails import Trail, read_trail
from tools.demo.cdk import PROJECT, CdkFailed
from tools.demo.emulator import ACCOUNT, EmulatorFailed, export_lines
from tools.demo.narrator import Narrator, Outcome
from tools.demo.scenarios import SCENARIOS, Scenario, Told, chosen
from tools.demo.stage import ALARM, PATIENCE_S, PLAYBOOKS, REF, RESPONDER, DemoFailed, Stage, open_stage, traffic

PAGE_TAKES_S = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios; 0 when every one ended as it should."""
    parser = ArgumentParser(prog="make demo", description="The responder at work, on an embedded AWS.")
    parser.add_argument("--scenario", default="bad-release", help=f"{', '.join(SCENARIOS)} or all")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args(arguments)
    try:
        scenarios = chosen(options.scenario)
    except KeyError:
        parser.error(f"there is no scenario '{options.scenario}': write {', '.join(SCENARIOS)} or all")
    narrator = Narrator()
    try:
        with open_stage() as stage:
            return _play(stage, scenarios, narrator, keep=options.keep)
    except KeyboardInterrupt:
        narrator.say("", "stopped; nothing is left running")
        return 128 + signal.SIGINT
    except (DemoFailed, CdkFailed, EmulatorFailed) as failure:
        narrator.say("", f"✗ {failure}")
        return 1


def _play(stage: Stage, scenarios: Sequence[Scenario], narrator: Narrator, *, keep: bool) -> int:
    narrator.title("Setting the stage", below="the stacks that go to AWS, on an emulator beside this process")
    with narrator.doing("deploy the sample service: ECS on Fargate behind a load balancer, with cdk"):
        stage.deploy_service()
    with narrator.doing("deploy the responder, and the alarms of the service's playbook, with cdk"):
        stage.deploy_responder()
    with traffic(stage):
        with narrator.doing("let traffic flow until there is a usual, and the running release has proven good"):
            stage.warm_up(tick=lambda: None)
        outcomes: list[Outcome] = []
        for number, scenario in enumerate(scenarios):
            if number > 0:
                _let_rest(stage, scenarios[number - 1], narrator)
            outcomes.append(_perform(stage, scenario, narrator))
        narrator.numbers(outcomes)
        well = all(outcome.well for outcome in outcomes)
        if keep:
            _stay(stage, outcomes, narrator)
        else:
            target = f" SCENARIO={scenarios[0].name}" if len(scenarios) == 1 else " SCENARIO=all"
            narrator.hint("Look again", [f"make demo{target} KEEP=1    leaves it running, for responder and aws"])
    return 0 if well else 1


def _perform(stage: Stage, scenario: Scenario, narrator: Narrator) -> Outcome:
    """Break the service, watch until the story is over, and check how it ended."""
    narrator.title(f"{scenario.name}: {scenario.title}", below=f"expected: {scenario.expect}")
    ledger = stage.ledger()
    before = {incident.id for incident in ledger.incidents_of(REF)}
    stage.pages()
    first = len(stage.totals())
    broken_at = datetime.now(UTC)
    scenario.cause(stage)
    told = Told()
    trail: Trail | None = None
    try:
        with narrator.watching():
            incident = _opened(stage, ledger, before, narrator)
            trail = _followed(stage, scenario, ledger, incident, narrator, since=broken_at)
        stage.until(lambda: stage.alarm_state() == "OK", f"alarm {ALARM} did not go back to OK", tick=lambda: None)
    except DemoFailed as failure:
        told.append(str(failure))
    finally:
        scenario.relieve(stage)
    if trail is not None:
        told.must(trail.broken is None, f"the trail does not verify: {trail.broken}")
        scenario.check(stage, trail, told)
        _show_pages(stage, narrator)
        narrator.incident(trail)
    seconds = stage.totals()[first:]
    return Outcome(
        scenario=scenario.name,
        trail=trail,
        requests=sum(second.requests for second in seconds),
        failed=sum(second.failed for second in seconds),
        problems=tuple(told),
    )


def _let_rest(stage: Stage, before: Scenario, narrator: Narrator) -> None:
    """What a scenario leaves behind would be taken for the cause of the next one, or for somebody's answer to it."""
    stage.take_back()
    rested_at = datetime.now(UTC) + before.echoes
    with narrator.doing(f"let {before.name} grow old: until then the responder reckons with its consequences"):
        while datetime.now(UTC) < rested_at:
            time.sleep(1)


def _opened(stage: Stage, ledger: Ledger, before: set[str], narrator: Narrator) -> Incident:
    """The incident that the scenario opens."""

    def fresh() -> list[Incident]:
        return [incident for incident in ledger.incidents_of(REF) if incident.id not in before]

    note = "the alarm has not noticed yet"
    stage.until(lambda: bool(fresh()), "no incident was opened", tick=lambda: _show(stage, narrator, note))
    return fresh()[0]


def _followed(
    stage: Stage, scenario: Scenario, ledger: Ledger, incident: Incident, narrator: Narrator, *, since: datetime
) -> Trail:
    """Tell every event as it comes, until the story is over."""
    told = 0
    relieved = False
    ends = time.monotonic() + PATIENCE_S
    while True:
        now = ledger.incident(incident.id)
        events = ledger.events(incident.id)
        for event in events[told:]:
            narrator.event(event, since=since)
            if event.fact is scenario.relieve_after and not relieved:
                relieved = True
                scenario.relieve(stage)
        told = len(events)
        if scenario.finished(stage, now):
            return read_trail(ledger, incident.id)
        if time.monotonic() > ends:
            narrator.incident(read_trail(ledger, incident.id))
            raise DemoFailed(f"the incident was not over within {PATIENCE_S:.0f} s; its last step is {now.step}")
        _show(stage, narrator, f"{RESPONDER} is at step {now.step}")
        time.sleep(0.5)


def _show(stage: Stage, narrator: Narrator, note: str) -> None:
    narrator.show(stage.totals(), alarm=stage.alarm_state(), note=note)


def _show_pages(stage: Stage, narrator: Narrator) -> None:
    ends = time.monotonic() + PAGE_TAKES_S
    pages: list[str] = []
    while not pages and time.monotonic() < ends:
        pages = stage.pages()
        time.sleep(0.2)
    for page in pages:
        narrator.page(page)


def _stay(stage: Stage, outcomes: Sequence[Outcome], narrator: Narrator) -> None:
    """Say how to reach what runs, and wait for Ctrl-C."""
    incidents = [outcome.trail.incident.id for outcome in outcomes if outcome.trail is not None]
    machine = f"arn:aws:states:{REF.region}:{ACCOUNT}:stateMachine:{RESPONDER}"
    variables = {**stage.aws.variables, "RESPONDER_PLAYBOOKS": str(PLAYBOOKS.relative_to(PROJECT))}
    narrator.hint("Look again, in another terminal of this folder", export_lines(variables).splitlines())
    narrator.hint(
        "then",
        [
            ".venv/bin/responder incidents    # what happened, why, and what was done",
            ".venv/bin/responder console      # the same as pages",
            f".venv/bin/responder status {REF.cluster}/{REF.service}",
            *(f".venv/bin/responder show {incident}" for incident in incidents),
            *(f".venv/bin/responder verify {incident}" for incident in incidents),
            "aws ecs describe-services --cluster shop --services orders",
            f"aws stepfunctions list-executions --state-machine-arn {machine}",
        ],
    )
    narrator.say("", "Ctrl-C stops the emulator and removes everything.")
    while True:
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
