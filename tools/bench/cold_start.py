"""Cold start: from the start of the interpreter until a function is ready for its first event.

Ready means: imported, and everything made that the first event needs, as handling it in a process of its own showed:
what the composition root builds for it, every module, every model's validator, every client. The floor is a script
that makes the same clients with boto3, and nothing else.

Both read their code from files that are compiled already, as those of boto3 in Lambda's runtime are.
"""

import compileall
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import botocore

from functions import settings as names
from functions.domain.called import CALLED
from functions.playbooks.compiled import compile_playbooks
from functions.playbooks.schema import Playbook
from infra import api_models
from tools.bench.cold.recording import FirstEvent, first_events
from tools.bench.entries import Entry, Goal, Told
from tools.drill.deployment import DrillSettings

PROJECT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).with_name("cold")
REGION = "eu-central-1"
LAYER = "python"
"""Where the layer lies beside the code, in the directory that stands for both."""

HELD = ("intake", "assess", "remediate", "verify")
"""The functions between an alarm and its end, which are held to the goal."""

LEFT_OUT = frozenset({"lookup"})
"""It runs while a stack is deployed, where nobody waits for its start, and has to answer CloudFormation at an address
that no recording has."""

GOAL = Goal(1.25)
ROUNDS, FEWER_ROUNDS = 9, 3
"""How often each is started at least: those that are held to the goal, and the others."""

MOST_ROUNDS = 45
"""Those that are held are started until the lowest is no accident on either side, or so often."""

ALIKE = 1.03
"""The third lowest of all starts is at most so many times the lowest, where that is no accident: on a machine that is
shared, only a start that nobody disturbs is as fast as the code allows, and that can be one in five."""

FEW, MANY = 5, 5_000
MANY_GOAL = Goal(1.1)
"""Of a start with many playbooks, as a multiple of one with few."""


def measure(told: Told) -> Sequence[Entry]:
    """Every function that handles events; CPU time of both sides, taken in turns, and what the clock says of ours.

    Of all starts the lowest counts: whatever else runs on the machine only adds (`in_turns`).
    """
    told("the first event of each function")
    events, playbooks = first_events()
    entries: list[Entry] = []
    for function in (*HELD, *sorted(set(events) - LEFT_OUT - set(HELD))):
        with Started(events[function], playbooks[function]) as started:
            held = function in HELD
            rounds, most = (ROUNDS, MOST_ROUNDS) if held else (FEWER_ROUNDS, FEWER_ROUNDS)
            ours, floor = in_turns(started.ours, started.floor, rounds, most, partial(_tell, told, function))
        wall, floor_wall = (min(each.wall_ms for each in side) for side in (ours, floor))
        entries.append(
            Entry(
                f"cold start: {function}",
                "ms CPU",
                ours=lowest(ours),
                floor=lowest(floor),
                goal=GOAL if held else None,
                how=f"lowest of {len(ours)}; {len(started.needs['clients'])} clients; "
                f"{wall:.0f} ms by the clock, the floor {floor_wall:.0f} ms",
            )
        )
    return [*entries, *(_with_many(function, events[function], playbooks[function], told) for function in HELD[:2])]


def _with_many(function: str, first: FirstEvent, playbooks: Sequence[Playbook], told: Told) -> Entry:
    """The same function with few playbooks and with many; each finds the one that its event needs."""
    with (
        Started(first, among(playbooks, FEW)) as few,
        Started(first, among(playbooks, MANY)) as many,
    ):
        telling = partial(_tell, told, f"{function} with {MANY:,} playbooks")
        with_many, with_few = in_turns(many.ours, few.ours, ROUNDS, MOST_ROUNDS, telling)
    return Entry(
        f"cold start: {function}, {MANY:,} playbooks",
        "ms CPU",
        ours=lowest(with_many),
        floor=lowest(with_few),
        goal=MANY_GOAL,
        how=f"the floor is the same with {FEW}; the first look-up is in it; lowest of {len(with_many)}",
    )


def _tell(told: Told, name: str, number: int) -> None:
    told(f"{name}, {number}")


def in_turns(
    ours: Callable[[], "Start"], floor: Callable[[], "Start"], rounds: int, most: int, told: Callable[[int], object]
) -> tuple[list["Start"], list["Start"]]:
    """The starts of both sides: so many rounds, and more until the lowest of either is no accident, up to `most`."""
    sides: tuple[list[Start], list[Start]] = ([], [])
    while len(sides[0]) < rounds or (len(sides[0]) < most and not all(no_accident(side) for side in sides)):
        told(len(sides[0]) + 1)
        sides[0].append(ours())
        sides[1].append(floor())
    return sides


def no_accident(starts: Sequence["Start"]) -> bool:
    """Whether three starts took about the lowest time of all."""
    (first, _, third, *_) = sorted(each.cpu_ms for each in starts)
    return third <= first * ALIKE


def lowest(starts: Sequence["Start"]) -> float:
    """In ms of CPU time."""
    return min(each.cpu_ms for each in starts)


def among(playbooks: Sequence[Playbook], count: int) -> list[Playbook]:
    """As many playbooks, these among them."""
    (model, *_) = playbooks
    more = (model.model_copy(update={"service": f"{model.service}-{n:05}"}) for n in range(count - len(playbooks)))
    return [*playbooks, *more]


@dataclass(frozen=True, kw_only=True)
class Start:
    """How long one start took."""

    cpu_ms: float
    wall_ms: float


@dataclass
class Started:
    """Starts one function as often as it is asked to, from a directory with the code as it is shipped."""

    first: FirstEvent
    playbooks: Sequence[Playbook]
    needs: Mapping[str, Any] = field(default_factory=dict)
    """What the first event needs."""

    def __enter__(self) -> "Started":
        self._scratch = TemporaryDirectory(prefix="cold-start-")
        self._code = Path(self._scratch.name)
        ship(self._code, self.playbooks)
        recorded = self._code / "first-event"
        self.first.write(recorded)
        handler = {"handler": f"functions.handlers.{self.first.function}"}
        found = self._run("ours", {**handler, "discover": str(recorded)}, more=[HERE.parents[2]])
        (playbook, *_) = self.playbooks
        looks_up = {"intake": {"alarm": playbook.alarm_names[0]}} if playbook.alarm_names else {}
        of_service = {"service": playbook.ref.key} if self.first.function in HELD else {}
        self.needs = {**handler, "region": REGION, **found, **looks_up.get(self.first.function, of_service)}
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def ours(self) -> Start:
        return self._start("ours")

    def floor(self) -> Start:
        return self._start("floor")

    def _start(self, side: str) -> Start:
        begun = monotonic()
        ready = self._run(side, self.needs)
        return Start(cpu_ms=ready["cpu_s"] * 1000, wall_ms=(ready["at"] - begun) * 1000)

    def _run(self, side: str, spec: Mapping[str, Any], *, more: Sequence[Path] = ()) -> Any:
        layer = [self._code / LAYER] if side == "ours" else []
        done = subprocess.run(
            [sys.executable, str(HERE / f"{side}.py"), json.dumps(spec)],
            env=environment(self._code, *layer, *more, account=self.first.account),
            cwd=self._code,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.first.function}, {side}: {done.stderr.strip().splitlines()[-1]}")
        return json.loads(done.stdout.splitlines()[-1])


def ship(directory: Path, playbooks: Sequence[Playbook]) -> None:
    """What the asset has, and of the layer botocore: it alone is not shipped as it is installed. All compiled."""

    def left_out(path: str, names: list[str]) -> set[str]:
        others = {name for name in names if (Path(path) / name).is_dir()} if Path(path).name == "data" else set()
        return {"__pycache__", *(others - CALLED.keys())}

    shipped = directory / LAYER / "botocore"
    shutil.copytree(Path(botocore.__file__).parent, shipped, ignore=left_out)
    api_models.trim(shipped / "data", called=CALLED)
    for source in sorted((PROJECT / "functions").rglob("*.py")):
        target = directory / source.relative_to(PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    (directory / names.COMPILED_PLAYBOOKS).write_text(compile_playbooks(playbooks), encoding="utf-8")
    compileall.compile_dir(str(directory), quiet=1)


def environment(code: Path, *more: Path, account: str) -> dict[str, str]:
    """What the stack tells a function, and nothing of this machine."""
    # The answers that were recorded name the table.
    told = DrillSettings(region=REGION, account=account)
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, (code, *more))),
        "PYTHONHASHSEED": "0",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_LAMBDA_FUNCTION_NAME": "responder",
        names.INITIALIZATION: "on-demand",
        "LAMBDA_TASK_ROOT": str(code),
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        "PYDANTIC_DISABLE_PLUGINS": "1",
        names.TABLE_NAME: told.table,
        names.STATE_MACHINE_ARN: told.state_machine,
        names.PAGE_TOPIC_ARN: told.page_topic,
        names.SECOND_TOPIC_ARN: told.second_topic,
        names.BUCKET_NAME: told.bucket,
        names.INTAKE_QUEUE_URL: f"https://sqs.{REGION}.amazonaws.com/{account}/responder",
        names.FUNCTION_TIMEOUT: "60",
        names.FLEET_ACTIONS_PER_HOUR: "20",
        names.LOG_SCAN_MB: "1000",
        names.CONTAIN: "true",
        names.READ_FUNCTION: "read",
        names.TRIAL_FUNCTION: "trial",
    }
