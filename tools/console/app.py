"""The console's addresses: each reads what was asked, makes one call, and shows a page or goes back to one."""

from datetime import datetime, timedelta
from threading import Lock
from xml.etree.ElementTree import Element

from flask import Flask, abort, flash, redirect, render_template, request, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from functions.domain.approvals import Answer
from functions.domain.durations import spoken
from functions.domain.errors import (
    AnswerRefused,
    InputError,
    LedgerError,
    NotInLedger,
    NotNamed,
    OrderRefused,
    ResponderError,
    Superseded,
)
from functions.domain.evidence import short
from functions.domain.incidents import Mode
from functions.domain.people import Said
from functions.domain.redaction import clean
from functions.domain.services import ServiceRef, is_ecs_name
from functions.workflow.answers import TakeAnswer
from functions.workflow.command import SaySo
from functions.workflow.reporting.elements import html, shown
from functions.workflow.reporting.style import CSS
from tools.cli.listed import counted, titled
from tools.cli.options import length_of
from tools.cli.render import WAYS_OUT
from tools.cli.status_screen import BEARABLE, WELL, why_stopped
from tools.cli.switches import AS_WRITTEN, Hand, end_pause, set_mode, set_pause
from tools.console import services as told
from tools.console.drills import read_drill
from tools.console.guard import Door, let_in, stand_guard, token
from tools.console.incidents import SINCE, STATES, Incidents
from tools.console.orders import Orders
from tools.console.room import Room
from tools.console.services import Services, age
from tools.console.terminal import commands

PAUSES = ("30m", "1h", "2h", "4h", "8h", "24h")

_WORDS = {"ack": Said.ACKNOWLEDGED, "take": Said.TAKEN, "release": Said.RELEASED}
_ANSWERS = {"approve": Answer.GRANTED, "deny": Answer.DENIED}
_NEXT = {
    Answer.GRANTED: "The responder looks again first, and acts only if the plan is still the same.",
    Answer.DENIED: "People are paged, and the responder goes on looking.",
}


def make_app(room: Room, door: Door, *, writing: Lock) -> Flask:
    """The pages of one operator, behind their door. What a form orders is done while `writing` is held: one thing at a
    time, and none is cut short."""
    app = Flask(__name__)
    stand_guard(app, door)
    _furnish(app, room)
    incidents = Incidents(room)
    services = Services(room, incidents)
    _serve_incidents(app, room, incidents, writing)
    _serve_services(app, room, services, Orders(room), writing)
    _serve_others(app, room, door)
    return app


def _serve_incidents(app: Flask, room: Room, incidents: Incidents, writing: Lock) -> None:
    @app.get("/")
    def home() -> Response:
        return redirect(url_for("incident_list"))

    @app.get("/incidents")
    def incident_list() -> str:
        since = request.args.get("since", "24h")
        state = request.args.get("state", "all")
        named = request.args.get("service", "")
        length = length_of(since) if since in SINCE else None
        if length is None or state not in STATES:
            abort(404, "There is no such list. The filters above it make those that there are.")
        service = _ref(named) if named else None
        listing = incidents.listing(since=length, state=state, service=service)
        return render_template(
            "incidents.html",
            listing=listing,
            counts=counted(listing.rows),
            services=incidents.services(),
            chosen={"since": since, "state": state, "service": named},
        )

    @app.get("/incidents/<incident_id>")
    def incident(incident_id: str) -> str:
        return render_template("incident.html", page=incidents.page(incident_id))

    @app.post("/incidents/<incident_id>/answer")
    def answer(incident_id: str) -> Response:
        said = _ANSWERS.get(request.form.get("say", ""))
        plan_hash = request.form.get("plan", "")
        if said is None or not plan_hash:
            abort(400, "This form says neither yes nor no to a plan, so nothing was done.")
        take = TakeAnswer(ledger=room.ledger, answers=room.answers, now=room.now)
        reason = clean(request.form.get("reason", ""), limit=500)
        with writing:
            done = take(incident_id, said, by=room.by, identity=room.identity, reason=reason, plan_hash=plan_hash)
        flash(f"{said.value.capitalize()}: {done.summary}. {_NEXT[said]}")
        return redirect(url_for("incident", incident_id=incident_id))

    @app.post("/incidents/<incident_id>/word")
    def word(incident_id: str) -> Response:
        said = _WORDS.get(request.form.get("say", ""))
        if said is None:
            abort(400, "This form says nothing that can be said of an incident, so nothing was done.")
        say = SaySo(ledger=room.ledger, now=room.now)
        reason = clean(request.form.get("reason", ""), limit=500)
        with writing:
            holds = say(incident_id, said, by=room.by, identity=room.identity, reason=reason)
        flash(f"{holds[:1].upper()}{holds[1:]}.")
        return redirect(url_for("incident", incident_id=incident_id))


def _serve_services(app: Flask, room: Room, services: Services, orders: Orders, writing: Lock) -> None:
    @app.get("/services")
    def service_list() -> str:
        rows = services.rows()
        looking = any(row.seen is None and row.held.playbook is not None for row in rows)
        return render_template("services.html", rows=rows, poll_s=told.FIRST_POLL_S if looking else told.POLL_S)

    @app.get("/services/<path:key>")
    def service(key: str) -> str:
        return render_template("service.html", page=services.page(_ref(key)), pauses=PAUSES, as_written=AS_WRITTEN)

    @app.post("/switch/<path:key>")
    def switch(key: str) -> Response:
        ref, form, hand = _ref(key), request.form, Hand(by=room.by, identity=room.identity, at=room.now())
        reason = form.get("reason", "").strip()
        with writing:
            match form.get("say", ""):
                case "pause":
                    length = length_of(form.get("for", ""))
                    if length is None:
                        raise InputError("for how long? write 30m, 2h or 7d")
                    until = set_pause(room.ledger, ref, length, hand=hand, reason=_needed(reason))
                    flash(f"{ref.service} is paused until {until:%Y-%m-%d %H:%M} UTC: the responder only looks.")
                case "resume":
                    was = end_pause(room.ledger, ref, hand=hand).was_paused
                    flash(f"{ref.service} is resumed." if was else f"{ref.service} was not paused.")
                case "mode":
                    holds = set_mode(room.ledger, ref, form.get("mode", ""), hand=hand, reason=_needed(reason))
                    flash(f"{ref.service}: {holds}.")
                case _:
                    abort(400, "This form sets nothing, so nothing was done.")
        return redirect(url_for("service", key=ref.key))

    @app.post("/try/<path:key>")
    def try_order(key: str) -> str:
        ref = _ref(key)
        return render_template("order.html", ref=ref, tried=orders.try_out(ref, request.form), ways_out=WAYS_OUT)

    @app.post("/order/<path:key>")
    def order(key: str) -> Response:
        with writing:
            ordered, given = orders.give(_ref(key), request.form.get("ticket", ""))
        again = " It had been ordered before, and is done once." if given.duplicate else ""
        flash(f"Ordered: {ordered.wanted}.{again} The timeline tells what becomes of it.")
        return redirect(url_for("incident", incident_id=given.incident_id))


def _serve_others(app: Flask, room: Room, door: Door) -> None:
    @app.get("/drills")
    def drills() -> str:
        drill = None if room.drill_file is None else read_drill(room.drill_file)
        return render_template("drills.html", drill=drill)

    @app.get("/enter")
    def enter() -> str:
        if not door.lets_in(request.args.get("key", "")):
            abort(401)
        let_in()
        return render_template("entered.html")

    @app.get("/report.css")
    def report_style() -> Response:
        return Response(CSS, mimetype="text/css")

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        status = error.code or 500
        said = _SAID.get(status, "")
        return render_template("error.html", status=status, said=said or error.description or error.name), status

    @app.errorhandler(ResponderError)
    def failed(error: ResponderError) -> tuple[str, int]:
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 502)
        return render_template("error.html", status=status, said=str(error)), status


_SAID = {
    401: "Open the address that `responder console` printed last: each works once.",
    404: "",
    500: "Something went wrong that nobody foresaw; the terminal has the details. Nothing is known of what was asked.",
}
_STATUS = (
    (NotInLedger, 404),
    (NotNamed, 404),
    (Superseded, 409),
    (AnswerRefused, 409),
    (OrderRefused, 409),
    (InputError, 400),
    (LedgerError, 502),
)


def _furnish(app: Flask, room: Room) -> None:
    """What every template has at hand. Text is escaped, and loses what cannot be seen, wherever it is written out."""
    app.jinja_options = {"autoescape": True}
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.autoescape = True
    app.jinja_env.finalize = _finalized
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        tree=_tree, clock=_clock, moment=_moment, short=short, spoken=_spoken, figure=_figure, cut=_cut
    )
    app.jinja_env.globals.update(
        room=room,
        now=room.now,
        age=lambda since: age(since, room.now()),
        Mode=Mode,
        form_token=token,
        fleet_switch=lambda: room.ledger.fleet_switch(),
        since_names=SINCE,
        state_names=STATES,
        services_of=told,
        why_stopped=why_stopped,
        titled=titled,
        commands=commands,
        well=WELL,
        bearable=BEARABLE,
    )


def _finalized(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return shown(value)
    return value


def _tree(element: Element) -> Markup:
    """The one way by which markup comes into a page: as a tree, in which a text cannot be any."""
    return Markup(html(element))


def _clock(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%H:%M:%S}"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _spoken(span: timedelta) -> str:
    return spoken(span)


def _figure(value: float | None, digits: int = 0, unit: str = "") -> str:
    if value is None:
        return "?"
    return f"{value:,.{digits}f}{unit}"


def _cut(text: object, limit: int = 300) -> str:
    return clean(str(text), limit=limit)


def _ref(key: str) -> ServiceRef:
    """Raises NotNamed for what is no `region/cluster/service`."""
    parts = key.split("/")
    if len(parts) != 3 or not all(map(is_ecs_name, parts)):
        raise NotNamed(f"{clean(key, limit=100)} is no service: an address ends in region/cluster/service")
    return ServiceRef(region=parts[0], cluster=parts[1], service=parts[2])


def _needed(reason: str) -> str:
    if not reason:
        raise InputError("why? write a reason; the next person will ask")
    return reason
