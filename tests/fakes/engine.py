"""Runs the workflow's table in virtual time, the way Step Functions runs what `infra/` compiles from it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from functions.actions.registry import ACTIONS
from functions.adapters.memory_ledger import MemoryLedger
from functions.diagnostics.registry import PROBES
from functions.domain.errors import Superseded
from functions.playbooks.schema import Playbook
from functions.workflow.answers import TakeAnswer
from functions.workflow.approval import AskPeople
from functions.workflow.assess import Assess, Examiner
from functions.workflow.bake import Bake
from functions.workflow.close import Close
from functions.workflow.command import SaySo
from functions.workflow.intake import Intake
from functions.workflow.listen import Listen
from functions.workflow.orders import GiveOrder, TryOrder
from functions.workflow.page import PagePeople
from functions.workflow.remediate import Remediate
from functions.workflow.report import WriteReport
from functions.workflow.restore import Lift, Restore
from functions.workflow.scored import ScoreLook
from functions.workflow.secrets import TellSecretChange
from functions.workflow.sweep import Sweep
from functions.workflow.table import TABLE, Outcome, Step, StepName, next_step
from functions.workflow.threats import TellThreat
from functions.workflow.update import KeepPromises
from functions.workflow.verify import Verify
from functions.workflow.visit import StepCall, Visit, carry
from functions.workflow.watch import Watch
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.world import FakeAnswers, FakeExecutions, FakeNotifier, World

FLEET_LIMIT = 20


class Killed(Exception):
    """An execution that ended in the middle, as a crash or StopExecution ends it."""


@dataclass
class Execution:
    """One execution of the state machine: where it stands, and the payload it carries."""

    incident: str
    generation: int
    at: StepName
    payload: dict[str, Any]

    @classmethod
    def begun(cls, incident: str, generation: int, step: str) -> "Execution":
        payload = {"incident_id": incident, "generation": generation, "step": step}
        return cls(incident=incident, generation=generation, at=StepName(step), payload=payload)

    @property
    def key(self) -> tuple[str, int]:
        return self.incident, self.generation


@dataclass
class Responder:
    """The whole responder in memory, around one world."""

    playbook: Playbook
    clock: FakeClock = field(default_factory=FakeClock)
    visited: list[tuple[StepName, Outcome]] = field(default_factory=list)
    asked: Callable[[], None] | None = None
    """What people do when they are asked, for example answer."""
    contain_deployed: bool = True
    account: str = "000000000000"

    def __post_init__(self) -> None:
        self.people = FakeAnswers()
        self.world = World(clock=self.clock)
        self.archive = FakeArchive()
        self.ledger = MemoryLedger(clock=self.clock, archive=self.archive)
        self.executions = FakeExecutions()
        self.notifier = FakeNotifier()
        self.second = FakeNotifier()
        playbooks = {self.playbook.ref.key: self.playbook}
        self.examiner = examiner = Examiner(
            ledger=self.ledger,
            readers=self.world.readers,
            clock=self.clock,
            probes=PROBES,
            actions=ACTIONS,
            fleet_actions_per_hour=FLEET_LIMIT,
            contain_deployed=self.contain_deployed,
        )
        validator = self.world.validator
        self.intake = Intake(
            ledger=self.ledger,
            executions=self.executions,
            addressees=lambda signal: [self.playbook.addressee],
            account=self.account,
        )
        self.sweep = Sweep(
            ledger=self.ledger,
            executions=self.executions,
            metrics=self.world,
            clock=self.clock,
            playbooks=[self.playbook],
            take_over_after=timedelta(seconds=70),
        )
        self.bake = Bake(
            ledger=self.ledger,
            executions=self.executions,
            readers=self.world.readers,
            clock=self.clock,
            probes=PROBES,
            playbooks=[self.playbook],
        )
        self.tell_secret_change = TellSecretChange(
            ledger=self.ledger, executions=self.executions, reader=self.world, playbooks=[self.playbook]
        )
        self.tell_threat = TellThreat(
            ledger=self.ledger, executions=self.executions, reader=self.world, playbooks=[self.playbook]
        )
        self.watch = Watch(ledger=self.ledger, examiner=examiner, playbooks=playbooks, validator=validator)
        self.say = SaySo(ledger=self.ledger, now=self.clock.now)
        self.take_answer = TakeAnswer(ledger=self.ledger, answers=self.people, now=self.clock.now)
        self.listen = Listen(ledger=self.ledger, executions=lambda: self.executions)
        self.ask_people = AskPeople(ledger=self.ledger, notifier=self.notifier, clock=self.clock, playbooks=playbooks)
        self.give_order = GiveOrder(
            ledger=self.ledger, executions=self.executions, now=self.clock.now, playbooks=playbooks
        )
        self.try_order = TryOrder(ledger=self.ledger, examiner=examiner, clock=self.clock, playbooks=playbooks)
        remediate = Remediate(
            ledger=self.ledger,
            readers=self.world.readers,
            changer=self.world,
            clock=self.clock,
            actions=ACTIONS,
            playbooks=playbooks,
            fleet_actions_per_hour=FLEET_LIMIT,
        )
        self.steps: dict[StepName, StepCall] = {
            StepName.ASSESS: Assess(ledger=self.ledger, examiner=examiner, playbooks=playbooks, validator=validator),
            StepName.WATCH: self.watch,
            StepName.REMEDIATE: remediate,
            StepName.VERIFY: Verify(
                ledger=self.ledger,
                readers=self.world.readers,
                score_look=lambda: ScoreLook(ledger=self.ledger, readers=self.world.readers, probes=PROBES),
                clock=self.clock,
                playbooks=playbooks,
                validator=validator,
            ),
            StepName.PAGE: PagePeople(
                ledger=self.ledger,
                notifier=self.notifier,
                archive=self.archive,
                clock=self.clock,
                playbooks=playbooks,
            ),
            StepName.UPDATE: KeepPromises(
                ledger=self.ledger,
                notifier=self.notifier,
                second=self.second,
                clock=self.clock,
                playbooks=playbooks,
            ),
            StepName.CLOSE: Close(
                ledger=self.ledger,
                archive=self.archive,
                notifier=self.notifier,
                clock=self.clock,
                playbooks=playbooks,
            ),
            StepName.REPORT: WriteReport(
                ledger=self.ledger,
                archive=self.archive,
                readers=self.world.readers,
                clock=self.clock,
                playbooks=playbooks,
            ),
            StepName.RESTORE: Restore(
                ledger=self.ledger,
                reader=self.world,
                mutes=self.world,
                changer=self.world.giving_back,
                clock=self.clock,
                playbooks=playbooks,
                contain_deployed=self.contain_deployed,
            ),
            StepName.LIFT: Lift(
                ledger=self.ledger,
                ip_sets=self.world,
                changer=self.world.giving_back,
                clock=self.clock,
                playbooks=playbooks,
            ),
        }
        self.steps[StepName.INTERIM] = self.steps[StepName.REPORT]
        self.steps[StepName.CONTAIN] = replace(remediate, step=StepName.CONTAIN)

    def run(
        self,
        *,
        until: StepName = StepName.END,
        before: Callable[[StepName], None] | None = None,
        most: int = 500,
    ) -> dict[str, Any]:
        """Run the newest execution to its end, or until it is about to visit `until`; the payload it has then.

        `before` is called ahead of every visit and may change the world, or raise `Killed`.
        """
        execution = Execution.begun(*self.executions.started[-1])
        for _ in range(most):
            if execution.at is until or execution.key in self.executions.ended:
                return execution.payload
            self.go(execution, before=before)
        raise AssertionError(f"no end after {most} visits: {self.visited[-10:]}")

    def go(self, execution: Execution, *, before: Callable[[StepName], None] | None = None) -> None:
        """One row of the table. Whoever raises `Killed` on the way ends the execution there."""
        try:
            execution.at = self._followed(execution, TABLE[execution.at], before)
        except Killed:
            self.executions.ended.add(execution.key)
        if execution.at is StepName.END:
            self.executions.ended.add(execution.key)

    def _followed(self, execution: Execution, row: Step, before: Callable[[StepName], None] | None) -> StepName:
        if row.waits:
            self.clock.advance(seconds=execution.payload.get("wait_s", 0))
        if row.name is StepName.SUCCESSOR:
            self.executions.start(execution.incident, execution.payload["generation"])
        if row.function is None:
            return row.transitions[Outcome.DONE]
        if before is not None:
            before(row.name)
        if row.awaits:
            outcome = self._asked(execution) if row.name is StepName.APPROVAL else self._listened(execution)
            execution.payload = {**execution.payload, "outcome": outcome}
            self.visited.append((row.name, outcome))
            return next_step(row.name, outcome)
        exhausted = self.watch.hand_over if row.name is StepName.WATCH else None
        execution.payload = carry(row.name, execution.payload, self.steps[row.name], exhausted=exhausted)
        self.clock.advance(seconds=1)
        outcome = Outcome(execution.payload["outcome"])
        self.visited.append((row.name, outcome))
        return next_step(row.name, outcome)

    def _listened(self, execution: Execution) -> Outcome:
        """Woken at once by what came since the last look; else time passes."""
        token = f"token-{len(self.visited)}"
        visit = Visit.model_validate({**execution.payload, "step": StepName.LISTEN})
        self.executions.listening = token
        try:
            self.listen(visit, token)
        except Superseded:
            return Outcome.SUPERSEDED
        if self.executions.listening is None:
            return Outcome.NEW_SIGNAL
        self.executions.listening = None
        self.clock.advance(seconds=visit.wait_s)
        return Outcome.EXPIRED

    def _asked(self, execution: Execution) -> Outcome:
        """Ask, and let people answer; without an answer time passes until nobody may give one any more."""
        token = f"token-{len(self.visited)}"
        visit = Visit.model_validate({**execution.payload, "step": StepName.APPROVAL})
        self.people.waiting, self.people.said = token, None
        try:
            self.ask_people(visit, token)
        except Superseded:
            return Outcome.SUPERSEDED
        expires = self.clock.now() + timedelta(seconds=visit.wait_s)
        if self.asked is not None:
            self.asked()
        self.people.waiting = None
        if self.people.said is None:
            self.clock.advance(seconds=max(0.0, (expires - self.clock.now()).total_seconds()))
            return Outcome.EXPIRED
        said, self.people.said = self.people.said, None
        return Outcome(said)

    @property
    def path(self) -> list[str]:
        """The steps visited, each with its outcome, repeated ones once. What the table spares decides nothing and is
        left out."""
        said = [f"{step}:{outcome}" for step, outcome in self.visited if not TABLE[step].spared]
        return [line for n, line in enumerate(said) if n == 0 or line != said[n - 1]]
