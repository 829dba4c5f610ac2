"""People at the desk: they answer what the responder asks, and order, each by a function of the responder's own.

Such a function dies like every other. Whoever was not told that it worked does the same again a minute later; whoever
was told no does not.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.domain.approvals import Answer
from functions.domain.errors import InputError
from functions.domain.orders import Order, Ordered
from functions.playbooks.schema import Playbook
from functions.ports import Executions
from functions.workflow.orders import GiveOrder
from tools.drill.scenario import Desk

if TYPE_CHECKING:
    from tools.chaos.deployment import FragileDeployment

LOOKS_EVERY_S = 60.0
"""How often somebody at the desk looks at what is open."""

IDENTITY = "arn:aws:iam::000000000000:user/operator"
WHY = "the scenario says so"


class People:
    """Whoever sits at the desk of one run."""

    def __init__(self, desk: Desk, deployment: "FragileDeployment", *, executions: Executions) -> None:
        self._desk, self._deployment = desk, deployment
        self._give = GiveOrder(ledger=deployment.ledger, executions=executions, now=lambda: deployment.now)
        self._tried: set[str] = set()
        self._done: set[str] = set()

    def look(self, playbooks: tuple[Playbook, ...], now_s: float) -> None:
        """Do what is due at this second of the run."""
        desk = self._desk
        if desk.orders is not None and now_s >= desk.orders_at_s:
            for playbook in playbooks:
                self._does(f"order for {playbook.ref.key}", partial(self._order, playbook, desk.orders))
        if desk.answer is None:
            return
        for incident in self._deployment.ledger.open_incidents():
            asked = self._deployment.ledger.approval(incident.id)
            if asked is None or (self._deployment.now - asked.asked_at).total_seconds() < desk.answer_after_s:
                continue
            self._does(f"answer {asked.number} for {incident.id}", partial(self._answer, incident.id, desk.answer))

    def _does(self, what: str, act: Callable[[], object]) -> None:
        if what in self._done:
            return
        again = what in self._tried
        self._tried.add(what)
        try:
            with self._deployment.invocation("api", again=again):
                act()
        except InputError:
            pass
        except Exception:  # noqa: BLE001 - a function that died, or could not say: whatever it is, they try again
            return
        self._done.add(what)

    def _answer(self, incident_id: str, answer: Answer) -> None:
        bootstrap.answer_people()(incident_id, answer, identity=IDENTITY, reason=WHY)

    def _order(self, playbook: Playbook, what: Ordered) -> None:
        self._give(playbook.ref, Order(what=what, by="operator", identity=IDENTITY, reason=WHY, key="chaos"))
