"""Tables that repeat what the code says are what the code says. A failure shows the table to paste."""

import dataclasses
import inspect
import re
import tomllib
from collections.abc import Sequence

from functions.actions.registry import ACTIONS
from functions.adapters import ledger
from functions.diagnostics.ranking import RULES
from functions.diagnostics.score import ERRORS_TIMES, LATENCY_TIMES, LEAST_KNOWN, LOST_MOST, WEIGHTS
from functions.diagnostics.thresholds import (
    ERRORS_MATTER,
    ERRORS_P1,
    ERRORS_P2,
    FAILURES_TELL,
    NOBODY_SERVED,
    SLOW_P2_S,
)
from functions.domain.causes import Cause
from functions.domain.durations import seconds
from functions.domain.incidents import Mode
from functions.domain.score import TargetLines
from functions.domain.severity import Later, Severity
from functions.guardrails.verdicts import GUARDRAILS
from functions.playbooks.ladders import default_ladder
from functions.playbooks.schema import Playbook
from functions.workflow.decide import PATIENCE
from functions.workflow.decision import OTHERS_AT_WORK
from functions.workflow.table import TABLE, Outcome, Step
from infra.context import Deployment
from tests.docs.pages import ARCHITECTURE, OPERATIONS, PROJECT, README, Page, code, written


def must_show(page: Page, header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    """The page has this very table."""
    assert page.table(*header) == rows, f"{page} should have:\n\n{written(header, rows)}\n"


def first_line(documented: object) -> str:
    return (inspect.getdoc(documented) or "").splitlines()[0].rstrip(".")


def answer(cause: Cause) -> str:
    if cause in OTHERS_AT_WORK:
        return f"wait; people after {PATIENCE.seconds // 60} minutes"
    return ", then ".join(code(action) for action in default_ladder(cause)) or "stand down, and look again"


def test_the_causes_and_their_default_ladders() -> None:
    """The README lists every cause, what has to be read for it, and what happens by default."""
    rows = [
        (code(rule.cause), first_line(rule.judge), ", ".join(rule.requires), answer(rule.cause)) for rule in RULES
    ] + [(code(Cause.UNKNOWN), "No cause fits the evidence", "", answer(Cause.UNKNOWN))]
    must_show(README, ("cause", "what it is", "has to be read", "by default"), rows)
    assert {row[0] for row in rows} == set(map(code, Cause))


def test_the_actions() -> None:
    """Every action with what it does, how it is undone and how long it is given by default, and whether it asks."""
    plain = Playbook(region="eu-west-1", cluster="shop", service="orders")
    rows = []
    for name, action in ACTIONS.items():
        settle = plain.settle_of(name)
        asks = " (asks)" if action.asks else ""
        rows.append((code(name) + asks, action.effect, action.undo, f"{settle.first_look} s, {settle.deadline} s"))
    must_show(README, ("action", "what it does", "how it is undone", "first look, deadline"), rows)


def test_the_modes() -> None:
    """Every mode is explained, in the order of trust."""
    assert [mode for mode, _ in README.table("mode", "what happens")] == [code(mode) for mode in Mode]


def test_the_guardrails() -> None:
    """Every guardrail is explained, in the order in which they judge."""
    shown = [name for name, _ in README.table("guardrail", "the plan is carried out only if")]
    assert shown == [guardrail.__name__.replace("_", " ") for guardrail in GUARDRAILS]


def test_the_health_score() -> None:
    """Every part with its points, the targets that it is measured against, and the numbers around it."""
    table = OPERATIONS.table("part", "points", "all of them", "none of them")
    assert [(part, points) for part, points, _, _ in table] == [(part, str(w)) for part, w in WEIGHTS.items()]
    assert set(re.findall(r"`(\w+)`", " ".join(row[2] for row in table))) == set(TargetLines.model_fields)
    lost = {part: none for part, _, _, none in table}
    assert lost["errors"] == f"at {ERRORS_TIMES:g} times that"
    assert lost["latency"] == f"at {LATENCY_TIMES:g} times that"
    said = " ".join(OPERATIONS.text.split())
    assert f"Fewer than {FAILURES_TELL} failed requests" in said
    assert f"the score is {LOST_MOST} at most" in said
    assert f"less than {LEAST_KNOWN:.0%} of the points".replace("%", " %") in said


def test_the_severities() -> None:
    """Every step of the scale, with the lines that the evidence has to cross and the default time to respond."""
    lines = {
        Severity.P0: [f"{NOBODY_SERVED * 100:.0f} % of requests fail"],
        Severity.P1: [f"{ERRORS_P1 * 100:.0f} % of requests fail"],
        Severity.P2: [f"{ERRORS_P2 * 100:.0f} % of requests fail", f"{SLOW_P2_S:.0f} seconds"],
        Severity.P3: [f"{ERRORS_MATTER * 100:.0f} % of requests fail"],
        Severity.P4: [],
    }
    table = OPERATIONS.table("severity", "what is seen", "default time to respond")
    assert [row[0] for row in table] == list(Severity)
    severities = Playbook(region="eu-west-1", cluster="shop", service="orders").severities
    for name, seen, respond in table:
        assert all(line in seen for line in lines[Severity(name)]), name
        default = severities[Severity(name)].respond
        written = (
            respond if isinstance(default, Later) else seconds(respond.replace(" hours", "h").replace(" minutes", "m"))
        )
        assert written == default


def test_the_context_keys() -> None:
    """Every key that a deployment may be told is there with its default."""
    defaults = {field.name: field.default for field in dataclasses.fields(Deployment)}
    shown = {key.strip("`"): default.strip("`") for key, default, _ in README.table("key", "default", "what it is")}
    assert shown == {key: default_text(default) for key, default in defaults.items()}


def default_text(default: object) -> str:
    if default is dataclasses.MISSING or default is None or default == ():
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_the_life_of_an_incident() -> None:
    """The architecture page shows the table that the state machine is compiled from."""
    header = ("step", "function", "waits first", "visits", "says → goes to")
    must_show(ARCHITECTURE, header, [step_row(step) for step in TABLE.values()])


def step_row(step: Step) -> tuple[str, ...]:
    leads = " · ".join(f"{said} → {to}" for said, to in step.transitions.items() if said is not Outcome.EXHAUSTED)
    used_up = step.transitions.get(Outcome.EXHAUSTED)
    leads += "" if used_up is None else f" · visits used up → {used_up}"
    return (
        step.name,
        "" if step.function is None else code(step.function),
        "yes" if step.waits else "",
        str(step.visits or ""),
        leads,
    )


def test_the_records_of_the_ledger() -> None:
    """The architecture page shows the keys that the ledger writes."""
    lines = [line for line in (ledger.__doc__ or "").splitlines() if line.startswith("| ")][2:]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    must_show(ARCHITECTURE, ("record", "pk", "sk", "in index"), rows)


def test_the_rooms() -> None:
    """The architecture page lists the rooms from the upper to the lower, as the import rule has them."""
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    rooms = [room.strip() for layer in layers for room in layer.split("|")]
    shown = [name.strip("`/") for name, _ in ARCHITECTURE.table("room of functions/", "holds")]
    assert [name.removesuffix(".py") for name in shown] == rooms
