"""The dashboard that a playbook asks for: what is on it, with which lines, and that nobody else gets one."""

import json
from typing import Any

import pytest

from infra.service_dashboard import WIDTH
from tests.infra.synthesis import Synthesis, Template

ORDERS = "ecs-first-responder-shop-orders"
PAYMENTS = "ecs-first-responder-shop-pay-ments-4eba294a"
DASHBOARD = "AWS::CloudWatch::Dashboard"


@pytest.fixture(scope="module")
def orders(synthesis: Synthesis) -> Template:
    return synthesis.services[ORDERS]


@pytest.fixture(scope="module")
def widgets(orders: Template) -> dict[str, Any]:
    """Every widget, by its title."""
    (dashboard,) = orders.resources(DASHBOARD).values()
    body = json.loads(orders.written(dashboard["DashboardBody"]))
    return {widget["properties"].get("title", "heading"): widget for widget in body["widgets"]}


def lines(widget: Any) -> dict[str, tuple[float, str]]:
    return {
        line["label"]: (line["value"], line["color"])
        for line in widget["properties"].get("annotations", {}).get("horizontal", ())
    }


def metrics(widget: Any) -> set[str]:
    return {metric[1] for metric in widget["properties"]["metrics"] if isinstance(metric[0], str)}


def test_only_who_asks_gets_one(synthesis: Synthesis) -> None:
    """It may cost 3 USD a month: a playbook that does not say so has none."""
    (dashboard,) = synthesis.services[ORDERS].resources(DASHBOARD).values()
    assert dashboard["DashboardName"] == "responder-eu-west-1-shop-orders"
    assert synthesis.services[PAYMENTS].resources(DASHBOARD) == {}


def test_the_four_signals_and_the_targets_are_on_it(widgets: dict[str, Any]) -> None:
    """Requests, errors, response times and saturation, and what the load balancer thinks of the tasks."""
    assert metrics(widgets["Requests a minute"]) == {"RequestCount"}
    assert metrics(widgets["5xx answers a minute"]) == {"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"}
    assert metrics(widgets["Targets"]) == {"HealthyHostCount", "UnHealthyHostCount"}
    assert metrics(widgets["CPU, %"]) == {"CPUUtilization"}
    assert metrics(widgets["Memory, %"]) == {"MemoryUtilization"}
    (time,) = widgets["Response time, s"]["properties"]["metrics"]
    assert time[-1]["stat"] == "p95"


def test_thresholds_are_red_and_targets_orange(widgets: dict[str, Any]) -> None:
    """Each line is the playbook's own number."""
    red, orange = "#d62728", "#ff7f0e"
    assert lines(widgets["5xx answers a minute"]) == {"alarm": (30, red)}
    assert lines(widgets["Targets"]) == {"alarm": (2, red)}
    assert lines(widgets["CPU, %"]) == {"alarm": (90, red), "target": (70, orange)}
    assert lines(widgets["Response time, s"])["target, p95"] == (3, orange)
    assert lines(widgets["Lines in the log a minute"]) == {"alarm: throttling-errors": (25, red)}
    assert lines(widgets["db"]) == {"connections": (200, red)}
    assert lines(widgets["db, %"]) == {"slow from here": (95, red), "target": (80, orange)}
    assert lines(widgets["queue"]) == {"limit": (300, red)}


def test_every_alarm_has_its_state_there(orders: Template, widgets: dict[str, Any]) -> None:
    """Those that the deployment makes, those that exist, and those that speak for a dependency."""
    shown = {arn.rpartition(":")[2] for arn in widgets["Alarms"]["properties"]["alarms"]}
    made = {properties["AlarmName"] for properties in orders.resources("AWS::CloudWatch::Alarm").values()}
    assert shown == made | {"orders-legacy-5xx", "cache-evicts"}


def test_what_the_service_stands_on_is_there(widgets: dict[str, Any]) -> None:
    """By the metrics that the responder itself looks at, one unit in each graph."""
    assert metrics(widgets["db, time"]) == {"ReplicaLag", "ReadLatency", "WriteLatency"}
    assert metrics(widgets["db, bytes"]) == {"FreeStorageSpace"}
    assert "ReadThrottleEvents" in metrics(widgets["carts"])
    assert metrics(widgets["stock: running tasks"]) == {"CPUUtilization"}
    assert "SUM(SEARCH(" in json.dumps(widgets["logins"])


def test_checks_are_there_by_name(widgets: dict[str, Any]) -> None:
    """A query in a URL is nobody's business: only the check's name is shown."""
    assert "pool-health" in json.dumps(widgets["Checks: 0 is fine, 1 failed"])
    assert "4711" not in json.dumps(list(widgets.values()))


def test_it_is_free_for_the_first_three(widgets: dict[str, Any]) -> None:
    """Fifty metrics at most, of those that a playbook of this size has."""
    assert sum(len(widget["properties"].get("metrics", ())) for widget in widgets.values()) <= 50


def test_nothing_lies_upon_another(widgets: dict[str, Any]) -> None:
    """Every row is as wide as the dashboard."""
    taken: set[tuple[int, int]] = set()
    for widget in widgets.values():
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        taken |= cells
    rows = {y for _, y in taken}
    assert all({x for x, row in taken if row == y} == set(range(WIDTH)) for y in rows)
