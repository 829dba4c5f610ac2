"""What a way to respond is, and what it is given to work with."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from functions.adapters.clients import Clients
from functions.domain.incidents import Event
from functions.domain.signals import AlarmState, Signal
from functions.handlers.signals import read_message
from functions.playbooks.schema import Playbook
from tools.drill.deployment import Deployment
from tools.drill.engine import Json
from tools.drill.results import Mark, Note
from tools.drill.scenario import Scenario
from tools.drill.world.world import World

Take = Callable[[Json], None]
"""Takes a batch of the intake queue, as Lambda gets it from SQS."""


@dataclass
class Stage:
    """One run, from the side of whoever responds. All changes go through the clients, which the world answers."""

    scenario: Scenario
    world: World
    clients: Clients
    deployment: Deployment
    """The responder, deployed in this world; only its own policy wakes it."""
    notes: list[Note] = field(default_factory=list)
    paged_at: list[float] = field(default_factory=list)
    trail: tuple[Event, ...] | None = None
    """What the responder decided, by time, once the run is over; None where nobody makes a diagnosis."""

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.world.at(self.world.seconds + seconds, callback)

    def note(self, mark: Mark, actor: str, text: str, *, at_s: float | None = None) -> None:
        at = self.world.seconds if at_s is None else at_s
        self.notes.append(Note(at_s=at, mark=mark, actor=actor, text=text))

    def page(self, actor: str, text: str, *, at_s: float | None = None) -> None:
        """People are told."""
        self.paged_at.append(self.world.seconds if at_s is None else at_s)
        self.note(Mark.PAGE, actor, text, at_s=at_s)

    def playbook_of(self, alarm: str) -> Playbook | None:
        """The playbook of the service whose alarm it is."""
        return next((playbook for playbook in self.scenario.playbooks if alarm in playbook.alarm_names), None)


class Policy(Protocol):
    """One way to respond. A policy has no state of its own: what it has to remember lives as long as the run."""

    name: str
    title: str
    """What it does, in one line."""

    def fit_out(self, scenario: Scenario) -> Scenario:
        """The scenario where people respond this way; only the native features of ECS change the world itself."""

    def respond(self, stage: Stage) -> AbstractContextManager[Take]:
        """Respond until the block ends."""


def signals_of(message: Json) -> list[Signal]:
    """What a batch of the queue says, read as the responder reads it."""
    outcomes = (outcome for record in message["Records"] for outcome in read_message(record["body"]))
    return [outcome for outcome in outcomes if isinstance(outcome, Signal)]


def alarms_of(message: Json) -> list[str]:
    """Names of the alarms that a batch of the queue says went to ALARM."""
    return [
        signal.alarm for signal in signals_of(message) if signal.alarm is not None and signal.state is AlarmState.ALARM
    ]
