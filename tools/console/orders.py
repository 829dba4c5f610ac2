"""Orders from a page: tried first, shown, and given exactly as they were shown.

What is carried out is what the operator has seen: the order travels through the page signed, with the time of its dry
run, and with a key that makes pressing twice one order.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from functions.domain.errors import InputError
from functions.domain.orders import LATEST, Order, Ordered
from functions.domain.services import ServiceRef
from functions.workflow.orders import Given, GiveOrder, OrderState, Reply, TryOrder
from tools.cli.byhand import write_order
from tools.cli.options import length_of
from tools.console.room import Room

GOOD_FOR_S = 300
"""How long a dry run may be acted upon: what it saw grows old. The responder looks again in any case."""

BY_NAME: Mapping[str, Ordered] = {
    "rollback": Ordered.ROLL_BACK,
    "scale": Ordered.SET_COUNT,
    "redeploy": Ordered.REDEPLOY,
}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """An order as it would go, with the words by which it is given."""

    order: Order
    reply: Reply
    ticket: str
    """The signed order; empty where it would be refused."""


class Orders:
    def __init__(self, room: Room) -> None:
        self._room = room
        self._signer = URLSafeTimedSerializer(secrets.token_bytes(32), salt="order")

    def try_out(self, ref: ServiceRef, form: Mapping[str, str]) -> Tried:
        """Look at the service and say what would become of it; nothing is written.

        Raises:
            InputError: something in the form cannot be ordered.
        """
        room, order = self._room, self._read(form)
        attempt = TryOrder(
            ledger=room.ledger, examiner=room.examiner, clock=room.examiner.clock, playbooks=room.playbooks
        )
        reply = attempt(ref, order)
        refused = reply.state is OrderState.REFUSED
        ticket = "" if refused else self._signer.dumps([ref.key, order.model_dump(mode="json")])
        return Tried(order=order, reply=reply, ticket=str(ticket))

    def give(self, ref: ServiceRef, ticket: str) -> tuple[Order, Given]:
        """Order what was tried.

        Raises:
            InputError: it was never tried here, or too long ago.
            OrderRefused, LedgerError: as giving it at the desk does.
        """
        try:
            key, written = self._signer.loads(ticket, max_age=GOOD_FOR_S)
        except SignatureExpired:
            minutes = GOOD_FOR_S // 60
            raise InputError(
                f"the dry run is more than {minutes} minutes old, so nothing was ordered: try it again"
            ) from None
        except BadSignature:
            raise InputError("this was not tried in this console, so nothing was ordered") from None
        if key != ref.key:
            raise InputError("this was tried for another service, so nothing was ordered")
        room, order = self._room, Order.model_validate(written)
        give = GiveOrder(ledger=room.ledger, executions=room.executions, now=room.now, playbooks=room.playbooks)
        return order, give(ref, order)

    def _read(self, form: Mapping[str, str]) -> Order:
        what = BY_NAME.get(form.get("what", ""))
        reason = form.get("reason", "").strip()
        if what is None:
            raise InputError(f"what is ordered? one of {', '.join(BY_NAME)}")
        if not reason:
            raise InputError("why? an order needs a reason; it stands in the trail")
        about: dict[str, Any] = {}
        match what:
            case Ordered.ROLL_BACK:
                about["to"] = form.get("to", "").strip() or LATEST
            case Ordered.SET_COUNT:
                about["count"] = _count(form.get("count", ""))
                lasts = form.get("for", "").strip()
                length = length_of(lasts) if lasts else None
                if lasts and length is None:
                    raise InputError(f"'{lasts}' is no length of time; write 30m, 2h or 7d, or nothing for good")
                if length is not None:
                    about["duration_s"] = int(length.total_seconds())
        key = f"console-{secrets.token_hex(8)}"
        return write_order(what, by=self._room.by, identity=self._room.identity, reason=reason, key=key, **about)


def _count(text: str) -> int:
    written = text.strip()
    if not (written.isascii() and written.isdigit() and len(written) <= 6):
        raise InputError(f"'{written}' is no number of tasks; write a whole number, such as 6")
    return int(written)
