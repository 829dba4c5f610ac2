"""The function that sends digests: which one its schedule asks for, and what it leaves in the log."""

import pytest

from functions import bootstrap
from functions.domain.digests import Period
from functions.handlers import digest
from functions.workflow.digests.send import Sent
from tests.unit.handlers.context import context


@pytest.mark.parametrize("period", Period)
def test_each_schedule_says_which_one(
    period: Period, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What became of it is one line of the log."""
    asked: list[Period] = []

    def send(which: Period) -> Sent:
        asked.append(which)
        return Sent(digest=f"{which}/2026-03-01", sent=True, look=2, unknown=1)

    monkeypatch.setattr(bootstrap, "send_digest", lambda: send)
    said = digest.handler({"period": period.value}, context("digest"))
    assert asked == [period]
    assert said["sent"]
    (line,) = (vars(record) for record in caplog.records)
    assert (line["message"], line["look"], line["unknown"]) == ("digest", 2, 1)


def test_an_unknown_period_is_an_error() -> None:
    """A schedule that asks for something else is a mistake of the stack, on which an alarm stands."""
    with pytest.raises(ValueError, match="yearly"):
        digest.handler({"period": "yearly"}, context("digest"))
