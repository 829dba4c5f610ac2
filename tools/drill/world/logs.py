"""What the tasks of a service write to CloudWatch Logs, as far as it tells of errors.

Each failed request leaves a line in the stream of the task that failed it, with the reason as the task knows it. A
request that hangs in a worker, or that no task got, leaves none. Worked out when somebody asks, from the spells of the
load balancer.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tools.drill.world.around import Around
from tools.drill.world.metrics import MINUTE_S
from tools.drill.world.spells import Spell

if TYPE_CHECKING:
    from tools.drill.world.parts import Task
    from tools.drill.world.service import Service

LATE_S = 6.0
"""How long after it was written a line can be found. Assumption; the AWS documentation promises nothing, and users see
some seconds."""
BYTES_PER_REQUEST = 280.0
"""What a request writes whether it fails or not: one line of an access log. Assumption."""
NOISE_PER_MINUTE = 0.25
"""Error lines of a task that mean nothing: users who went away, input that makes no sense. Assumption."""
LEVEL = "ERROR"
"""How each line begins, before what it says."""
NOISE: Sequence[str] = (
    "client closed the connection before the response was sent",
    "invalid input in field 'quantity': not a number",
    "cache refresh failed, keeping the previous entries",
)


class Lines(NamedTuple):
    """Lines of one task with the same text."""

    task: str
    text: str
    times: int


class Logs:
    """The log group of one service."""

    def __init__(self, service: "Service", world: Around) -> None:
        self._service, self._world = service, world
        self.group = f"/ecs/{service.name}"
        self.prefix, self.container = "ecs", "app"
        self._said: list[tuple[float, str, str]] = []
        """Single lines: when, which task, and what."""

    def last_words(self, task: "Task") -> None:
        """A task ends by itself, and says so."""
        self._said.append((self._world.timetable.now, task.id, task.release.last_words))

    def between(self, start_s: float, ends_s: float) -> Iterator[list[Lines]]:
        """Error lines of this time that can be found by now, in lots of the same time, newest first."""
        ends_s = min(ends_s, self._world.timetable.now - LATE_S)
        said = [entry for entry in reversed(self._said) if start_s <= entry[0] < ends_s]
        for spell, length in self._service.front.spells.between(start_s, ends_s):
            lot: list[Lines] = []
            while said and said[0][0] >= spell.start_s:
                lot.append(_single(said.pop(0)))
            minute = int(spell.start_s // MINUTE_S)
            for crew, written in spell.written(self._world.constants):
                for text, rate in written:
                    for task in crew.zones:
                        count = self._whole(rate * length, f"{task}/{text}", minute)
                        if count:
                            lot.append(Lines(task, text, count))
            lot += self._noise(spell, length, minute)
            yield lot
        yield [_single(entry) for entry in said]

    def _noise(self, spell: Spell, length: float, minute: int) -> Iterator[Lines]:
        tasks = [task for crew in spell.crews if not (crew.conduct.dead or crew.conduct.stuck) for task in crew.zones]
        name, chance = f"log/{self._service.name}/noise", self._world.chance
        for place in range(self._whole(NOISE_PER_MINUTE * len(tasks) * length / MINUTE_S, "noise", minute)):
            task = tasks[int(chance.share(f"{name}/{place}/task", minute) * len(tasks))]
            yield Lines(task, NOISE[int(chance.share(f"{name}/{place}/text", minute) * len(NOISE))], 1)

    def _whole(self, mean: float, entity: str, minute: int) -> int:
        """A whole number of lines that is right in the mean."""
        return int(mean + self._world.chance.share(f"log/{self._service.name}/{entity}", minute))

    def scanned(self, start_s: float, ends_s: float) -> float:
        """Bytes that a query of this time reads."""
        return sum(
            spell.offered * sum(len(crew.zones) for crew in spell.crews) * length * BYTES_PER_REQUEST
            for spell, length in self._service.front.spells.between(start_s, ends_s)
        )


class Counted:
    """How many lines had one of some words: what a metric filter makes of them (CloudWatch Logs User Guide, "Creating
    metrics from log events using filters"). A minute without any counts 0."""

    def __init__(self, logs: Logs, words: Sequence[str]) -> None:
        self._logs, self._words = logs, words

    def value(self, minutes: range, statistic: str) -> float | None:
        """The sum over some minutes.

        Raises:
            ValueError: for a statistic that the world does not keep.
        """
        if statistic != "Sum":
            raise ValueError(f"the world keeps no statistic {statistic} of lines")
        if not minutes:
            return None
        lots = self._logs.between(minutes.start * MINUTE_S, minutes.stop * MINUTE_S)
        return float(sum(lines.times for lot in lots for lines in lot if self._has_one(lines.text)))

    def _has_one(self, text: str) -> bool:
        line = f"{LEVEL} {text}"
        return any(word in line for word in self._words)


def _single(entry: tuple[float, str, str]) -> Lines:
    return Lines(entry[1], entry[2], 1)
