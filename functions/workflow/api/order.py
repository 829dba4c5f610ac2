"""Orders over the HTTP API: the same as at the desk. Each is tried first, so that a no is known at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from functions.domain.changes import Verdict
from functions.domain.errors import NotNamed, ReadFailed, Refused
from functions.domain.model import Model
from functions.domain.orders import LATEST, Order, Ordered
from functions.domain.redaction import clean
from functions.domain.services import ServiceRef
from functions.playbooks.named import the_one
from functions.playbooks.schema import Playbook
from functions.ports import Inspector, Ledger
from functions.workflow.api.answer import called, reason_of
from functions.workflow.api.records import snapshot, status_url
from functions.workflow.orders import GiveOrder, OrderState, Reply


class PlanName(StrEnum):
    """Plans that may be carried out by name."""

    SERVICE_ROLLBACK = "service_rollback"
    """Back to the last known good release."""
    SERVICE_RESTART = "service_restart"
    """The same release, with new tasks."""
    EMERGENCY_SCALE = "emergency_scale"
    """Another number of tasks."""


class OrderAnswer(Model):
    """An order that is taken in, or, in a dry run, what would become of it."""

    run_id: str | None
    """Id of the incident that carries it; of a dry run, the one that is open, if any."""
    status_url: str | None
    """Path under which the incident tells what becomes of it."""
    dry_run: bool
    duplicate: bool = False
    """It had been given before, and is not given twice."""
    order: str
    """What is ordered, by whom and why."""
    state: OrderState
    reason: str
    plan: str | None
    """What is to be done, in a sentence."""
    verdicts: tuple[Verdict, ...]
    """What each guardrail says."""


@dataclass(frozen=True, kw_only=True)
class Who:
    """Whoever orders, as IAM knows them, why, and by which key the same order is known again."""

    identity: str
    reason: str
    dry_run: bool
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderByHand:
    """Every method raises Refused, with the guardrail, where the order would not be obeyed as things stand."""

    inspector: Inspector
    give: GiveOrder
    ledger: Ledger
    playbooks: Sequence[Playbook]

    def roll_back(self, service: str, snapshot_id: str, who: Who) -> OrderAnswer:
        playbook = the_one(self.playbooks, service)
        to = snapshot_id.strip() or LATEST
        if to != LATEST:
            to = snapshot(self.ledger.releases(playbook.ref), to)
        return self._ordered(playbook, who, what=Ordered.ROLL_BACK, to=to)

    def scale(self, service: str, count: int, who: Who) -> OrderAnswer:
        return self._ordered(the_one(self.playbooks, service), who, what=Ordered.SET_COUNT, count=count)

    def carry_out(self, name: str, service: str, count: int | None, who: Who) -> OrderAnswer:
        """Raises NotNamed where there is no such plan."""
        match name:
            case PlanName.SERVICE_ROLLBACK:
                return self.roll_back(service, LATEST, who)
            case PlanName.SERVICE_RESTART:
                return self._ordered(the_one(self.playbooks, service), who, what=Ordered.REDEPLOY)
            case PlanName.EMERGENCY_SCALE if count is not None:
                return self.scale(service, count, who)
            case PlanName.EMERGENCY_SCALE:
                raise Refused("how many tasks? write target_count", rule="target-count")
        raise NotNamed(f"there is no plan {clean(name, limit=60)}; write one of {', '.join(PlanName)}")

    def _ordered(
        self, playbook: Playbook, who: Who, *, what: Ordered, to: str = "", count: int | None = None
    ) -> OrderAnswer:
        order = Order(
            what=what,
            to=to,
            count=count,
            by=called(who.identity),
            identity=who.identity,
            reason=reason_of(who.reason, who.identity),
            key=who.key,
        )
        before = None if who.dry_run else self._before(playbook.ref, order)
        if before is not None:
            return answer(order, Reply(state=OrderState.WAITING), incident_id=before, dry_run=False, duplicate=True)
        tried = _read(self.inspector.reply(playbook.ref, order))
        if tried.state is OrderState.REFUSED:
            raise Refused(tried.reason, rule=", ".join(tried.refused_by) or "precondition")
        if who.dry_run:
            return answer(order, tried, incident_id=tried.incident_id, dry_run=True)
        given = self.give(playbook.ref, order)
        return answer(order, tried, incident_id=given.incident_id, dry_run=False, duplicate=given.duplicate)

    def _before(self, ref: ServiceRef, order: Order) -> str | None:
        """The open incident that has this very order by its key: what it set going would now refuse a second one."""
        holder = self.ledger.lock_holder(ref) if order.key else None
        given = () if holder is None else self.ledger.inbox(holder)
        return holder if any(entry.signal.order == order for entry in given) else None


def _read(said: Mapping[str, Any]) -> Reply:
    try:
        return Reply.model_validate(said)
    except ValidationError as error:
        raise ReadFailed("what would become of the order could not be read") from error


def answer(
    order: Order, reply: Reply, *, incident_id: str | None, dry_run: bool, duplicate: bool = False
) -> OrderAnswer:
    return OrderAnswer(
        run_id=incident_id,
        status_url=None if incident_id is None else status_url(incident_id),
        dry_run=dry_run,
        duplicate=duplicate,
        order=order.summary,
        state=reply.state if dry_run else OrderState.WAITING,
        reason=reply.reason,
        plan=None if reply.plan is None else reply.plan.summary,
        verdicts=reply.verdicts,
    )
