"""`responder cost`: a month for somebody's own numbers."""

import json
from datetime import UTC, datetime

import pytest

from tools.cli.main import Desk, run
from tools.cost.model import Question, bill, kept, total
from tools.cost.prices import PRICES, Item


@pytest.fixture
def desk() -> Desk:
    def unreachable(table: str, region: str) -> None:
        raise AssertionError("nobody asks AWS what it costs")

    return Desk(open_ledger=unreachable, now=lambda: datetime.now(UTC))  # type: ignore[arg-type]


def told(desk: Desk, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    assert run(["cost", *options, "--json"], desk) == 0
    said: dict[str, object] = json.loads(capsys.readouterr().out)
    return said


def test_every_line_is_its_parts_times_the_list_price(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """And all lines are the month."""
    said = told(desk, capsys)
    lines = [*said["idle"], *said["alarms_of_services"], *said["incidents"]]  # type: ignore[misc]
    for line in lines:
        assert line["usd"] == pytest.approx(sum(PRICES[Item(i)].each * n for i, n in line["of"].items()))
    assert said["usd_a_month"] == pytest.approx(sum(line["usd"] for line in lines))


def test_the_page_adds_up_and_fits(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A hundred columns where nobody says how wide it is."""
    assert run(["cost"], desk) == 0
    page = capsys.readouterr().out
    assert max(map(len, page.splitlines())) <= 100
    question = Question(ladders=1, watched_h=1)
    assert f"{bill(kept(), question).usd:,.2f}" in page
    assert f"{total(bill(kept(), question).idle):,.2f}" in page


@pytest.mark.parametrize(
    ("options", "more"),
    [
        (["--services", "20"], 10 * (0.40 + 0.50)),
        (["--alarms", "6"], 10 * 0.20),
        (["--dashboards", "3"], 3.00),
        (["--no-unattended"], -5.50),
        (["--dashboards", "3", "--no-fleet-dashboard"], 0.0),
    ],
)
def test_what_matters_can_be_said(
    desk: Desk, capsys: pytest.CaptureFixture[str], options: list[str], more: float
) -> None:
    """Each option moves the month by what it costs, and not much else."""
    usual, other = told(desk, capsys), told(desk, capsys, *options)
    assert other["usd_a_month"] - usual["usd_a_month"] == pytest.approx(
        more, abs=1.0 if "--services" in options else 1e-6
    )  # type: ignore[operator]


def test_nothing_costs_what_stands_there(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """No incident and no release is no line that costs."""
    said = told(desk, capsys, "--incidents", "0", "--in-vain", "0", "--releases", "0")
    assert [line["usd"] for line in said["incidents"]] == [0.0, 0.0, 0.0, 0.0]  # type: ignore[index,union-attr]


def test_more_in_vain_than_there_are_is_one_line(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what to write."""
    assert run(["cost", "--incidents", "2", "--in-vain", "3"], desk) == 2
    assert capsys.readouterr().err == "responder: 3 of 2 incidents cannot be: write --in-vain 2 or less\n"
