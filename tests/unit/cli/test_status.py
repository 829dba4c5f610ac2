"""`responder status`: a service on one screen, with what is not known named as such."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.errors import LedgerError
from functions.domain.evidence import (
    AlarmFacts,
    DeploymentFacts,
    ScalingActivityFacts,
    ScalingFacts,
    ServiceFacts,
    TargetFacts,
    TaskFacts,
    TasksFacts,
    TrackingPolicyFacts,
)
from functions.domain.incidents import FleetSwitch, Mode, Switch
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.ports import Ledger, Measure, Points
from tests.fakes.clock import FakeClock
from tests.fakes.signals import alarm_signal
from tests.fakes.world import GROUP, REF, V1, V2, World
from tools.cli.main import Desk, run
from tools.cli.status import EVERY_S

PLAYBOOK = """\
region: eu-west-1
cluster: shop
service: orders
mode: ask
alarms:
  - existing: orders-5xx
"""


class Sick(World):
    """A service in the middle of a deployment that goes wrong."""

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        shown = super().service(ref)
        assert shown is not None
        new = DeploymentFacts(
            id="ecs-svc/2",
            status="PRIMARY",
            rollout_state="IN_PROGRESS",
            rollout_reason="ECS deployment ecs-svc/2 in progress.",
            task_definition=V2,
            desired=2,
            running=0,
            pending=1,
            failed=3,
            created_at=self.clock.now() - timedelta(minutes=4),
        )
        old = shown.deployments[0].model_copy(update={"status": "ACTIVE"})
        return shown.model_copy(update={"deployments": (new, old), "running": 1, "pending": 1})

    def tasks(self, ref: ServiceRef) -> TasksFacts:
        now = self.clock.now()
        died = TaskFacts(
            arn="arn:aws:ecs:eu-west-1:1:task/shop/dead5678dead5678",
            task_definition=V2,
            last_status="STOPPED",
            stopped_at=now - timedelta(seconds=100),
            stop_code="EssentialContainerExited",
            stopped_reason="Essential container in task exited",
            exit_codes=(137,),
            container_reasons=("OutOfMemoryError: container killed",),
        )
        taken = died.model_copy(
            update={"stop_code": "ServiceSchedulerInitiated", "stopped_reason": "Scaling activity initiated by (x)"}
        )
        runs = TaskFacts(
            arn="arn:aws:ecs:eu-west-1:1:task/shop/feed1234feed1234",
            task_definition=V1,
            last_status="RUNNING",
            health="UNHEALTHY",
            zone="eu-west-1b",
            started_at=now - timedelta(days=3),
        )
        return TasksFacts(running=(runs,), stopped=(died, taken))

    def targets(self, target_groups: Sequence[str]) -> Sequence[TargetFacts]:
        ill = {"state": "unhealthy", "reason": "Target.Timeout", "zone": "eu-west-1b"}
        return (
            TargetFacts(target_group=GROUP, target="10.0.0.1:8080", state="healthy"),
            TargetFacts.model_validate({"target_group": GROUP, "target": "10.0.0.2:8080", **ill}),
        )

    def scaling(self, ref: ServiceRef, *, resource_id: str | None = None) -> ScalingFacts:
        return ScalingFacts(
            registered=True,
            minimum=1,
            maximum=2,
            scale_in_suspended=True,
            policies=(TrackingPolicyFacts(name="cpu60", metric="ECSServiceAverageCPUUtilization", target=60),),
            activities=(
                ScalingActivityFacts(
                    at=self.clock.now() - timedelta(minutes=2), status="Failed", description="Setting to 3"
                ),
            ),
        )

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        return [
            AlarmFacts(
                name=name,
                arn="arn",
                state=AlarmState.ALARM,
                since=self.clock.now() - timedelta(minutes=3),
                reason="Threshold Crossed: 9 > 5 [bold]not markup[/bold] \x1b[31m",
            )
            for name in names
            if name != "gone"
        ]

    def measured(self, measures: Sequence[Measure], *, start: object, end: object) -> Sequence[Points]:
        return [[(self.clock.now(), 97.0 if m.metric == "TaskCpuUtilization" else 61.0)] for m in measures]


@dataclass
class Sat:
    """Whoever sits at the desk."""

    world: World = field(default_factory=lambda: World(clock=FakeClock()))
    slept: list[float] = field(default_factory=list)
    looks: int = 1
    """After so many looks Ctrl-C is pressed."""

    def __post_init__(self) -> None:
        self.ledger: Ledger = MemoryLedger(clock=self.world.clock, archive=None)

    def open_ledger(self, table: str, region: str) -> Ledger:
        return self.ledger

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert isinstance(self.world.clock, FakeClock)
        self.world.clock.advance(seconds=seconds)
        if len(self.slept) >= self.looks:
            raise KeyboardInterrupt

    def status(self, directory: Path, *arguments: str, written: str = PLAYBOOK, expect: int = 0) -> None:
        (directory / "orders.yaml").write_text(written)
        desk = Desk(
            open_ledger=self.open_ledger,
            now=self.world.clock.now,
            open_readers=lambda region: self.world.readers,
            sleep=self.sleep,
        )
        command = ["status", "shop/orders", "--playbooks", str(directory), "--region", "eu-west-1", *arguments]
        assert run(command, desk) == expect


@pytest.fixture
def sat() -> Sat:
    return Sat()


@pytest.fixture
def sick() -> Sat:
    return Sat(world=Sick(clock=FakeClock()))


def test_a_service_that_is_well(sat: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A hundred points, every part with its numbers, and no word of trouble."""
    sat.status(tmp_path)
    out = capsys.readouterr().out
    assert "100 of 100" in out
    for said in (
        "2 of 2 tasks run",
        "0.0 % of the requests fail (target 1 %)",
        "p95 is 0.4 s (target 3 s)",
        "mode ask, no open incident",
        "2 run, 2 wanted",
        "DEPLOYMENTS   steady",
        "2 of 2 healthy in orders",
        "2 to 10 tasks, 2 wanted",
        "none of 1 in ALARM",
        "the playbook names none",
    ):
        assert said in out
    assert "unknown:" not in out


def test_a_service_that_is_sick(sick: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong stands there with its reason: tasks, deployment, targets, scaling, alarms."""
    sick.status(tmp_path, written=PLAYBOOK + "  - existing: gone\n")
    out = capsys.readouterr().out
    for said in (
        "1 run, 1 pending, 2 wanted",
        "feed1234feed1234  running  unhealthy  97 %  61 %    eu-west-1b  orders:1  3 days ago",
        "dead5678 stopped 1 min 40 s ago, exit code 137: OutOfMemoryError: container killed",
        "1 taken away by ECS within the hour",
        "2 at once",
        "0 of 2, 3 failed",
        "ECS deployment ecs-svc/2 in progress.",
        "1 of 2 healthy in orders",
        "10.0.0.2:8080  unhealthy  eu-west-1b  Target.Timeout",
        "scaling in is suspended",
        "cpu60 keeps ECSServiceAverageCPUUtilization at 60",
        "failed, 2 min 00 s ago: Setting to 3",
        "1 of 1 in ALARM",
        "ALARM    orders-5xx",
        "MISSING  gone",
    ):
        assert said in out
    assert "100 of 100" not in out


def test_what_comes_from_outside_is_text(sick: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither markup nor control characters in the reason of an alarm do anything."""
    sick.status(tmp_path)
    out = capsys.readouterr().out
    assert "[bold]not markup[/bold]" in out
    assert "\x1b" not in out


def test_what_could_not_be_read_is_unknown(sat: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each section says why, and without metrics there is no score."""
    sat.world.unreadable = {"series", "tasks", "scaling", "alarms", "targets"}
    sat.status(tmp_path)
    out = capsys.readouterr().out
    assert "HEALTH        unknown" in out
    for section in ("TARGETS", "SCALING", "ALARMS"):
        assert f"{section:<14}unknown: {section.lower()} " in out
    assert "  unknown: tasks " in out
    assert "100 of 100" not in out


def test_one_part_that_is_not_known_is_named(sat: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The score is of the rest, and says of how much."""
    sat.world.unreadable = {"targets"}
    sat.status(tmp_path)
    out = capsys.readouterr().out
    assert "of the 78% that is known" in out
    assert "?/20" in out


def test_without_a_ledger_the_rest_is_shown(sat: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has to be allowed to read the ledger to look at a service."""

    def refuse(table: str, region: str) -> Ledger:
        raise LedgerError("the table cannot be reached: AccessDenied")

    sat.open_ledger = refuse  # type: ignore[method-assign]
    sat.status(tmp_path)
    out = capsys.readouterr().out
    said = "mode ask in the playbook; the ledger is unknown: the table cannot be reached: AccessDenied"
    assert said in " ".join(out.split())
    assert "100 of 100" in out


def test_switch_window_and_incident(sat: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What operators set, the window that is open, and the open incident with how to read it."""
    now = sat.world.clock.now()
    sat.ledger.set_switch(
        REF, Switch(mode=Mode.OBSERVE, paused_until=now + timedelta(hours=1), by="maria", reason="we know")
    )
    opening = sat.ledger.record_signal(alarm_signal(), REF, may_open=True)
    always = 'maintenance:\n  - {every: day, from: "00:00", to: "24:00"}\n'
    sat.status(tmp_path, written=PLAYBOOK + always)
    out = capsys.readouterr().out
    assert "mode observe" in out
    assert "UTC by maria: we know" in out
    assert "in maintenance: " in out
    assert "orders-5xx is ALARM, open for 0 s, at intake" in " ".join(out.split())
    assert f"responder show {opening.incident_id}" in out


def test_a_stop_of_everything_comes_first(sat: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the service itself, with who, since when and why; scripts find it, too."""
    sat.ledger.set_fleet_switch(FleetSwitch(stopped=True, by="maria", reason="a hunch", at=sat.world.clock.now()))
    sat.status(tmp_path)
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert "EVERYTHING IS STOPPED" in first
    assert second.startswith("everything is stopped by maria since 20")
    assert second.endswith("UTC: a hunch")
    sat.status(tmp_path, "--json")
    assert json.loads(capsys.readouterr().out)["responder"]["value"]["stopped"] == second


def test_the_score_for_scripts(sat: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`.score` is a number or null, `.health` says why, and unknown readings have their error."""
    sat.status(tmp_path, "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["score"] == 100
    assert [part["name"] for part in shown["health"]["parts"]][:2] == ["tasks", "targets"]
    assert shown["service"]["service"] == "orders"

    sat.world.unreadable = {"service"}
    sat.status(tmp_path, "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["score"] is None
    assert shown["tasks"]["value"] is not None
    assert "service" in shown["service_facts"]["error"]


def test_watching(sat: Sat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every 30 s until Ctrl-C, which is no error; the trend of score and errors is shown."""
    sat.looks = 3
    sat.status(tmp_path, "--watch")
    assert sat.slept == [EVERY_S] * 3 == [30] * 3
    out = capsys.readouterr().out
    assert "again every 30 s, Ctrl-C ends" in out
    assert "100 → 100 in 1 min 00 s" in out
    assert "0.0 % → 0.0 % of the requests" in out


@pytest.mark.parametrize(
    ("arguments", "written", "told"),
    [
        ((), PLAYBOOK.replace("orders\n", "carts\n", 1), "no playbook in"),
        (("--watch", "--json"), PLAYBOOK, "--watch is for people"),
        (("--region", ""), PLAYBOOK, "no Region is given"),
    ],
)
def test_what_is_missing_is_said(
    arguments: tuple[str, ...],
    written: str,
    told: str,
    sat: Sat,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line, and nothing is read."""
    sat.status(tmp_path, *arguments, written=written, expect=2)
    assert told in capsys.readouterr().err
