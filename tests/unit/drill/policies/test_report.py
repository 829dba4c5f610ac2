"""Reports of incidents that the responder went through in the drill, from the first message to the last lease."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from functions.domain.durations import spoken
from functions.domain.incidents import Event, Fact
from functions.workflow.reporting.logs import MOST_BYTES, MOST_LINES
from functions.workflow.reporting.model import IncidentReport
from tools.drill.policies.registry import POLICIES
from tools.drill.runner import play, quiet
from tools.drill.scenario import load_scenarios


@dataclass(frozen=True)
class Drilled:
    """The trail of an incident, and what was kept of it."""

    events: tuple[Event, ...]
    documents: Mapping[str, str]

    @property
    def report(self) -> IncidentReport:
        return IncidentReport.model_validate_json(self.documents["report.json"])

    def event(self, fact: Fact) -> Event:
        return next(event for event in self.events if event.fact is fact)


def drilled(name: str) -> Drilled:
    (scenario,) = load_scenarios([name])
    with quiet():
        run = play(scenario, POLICIES["responder"], 1)
    assert run.stage.deployment is not None
    assert run.stage.deployment.failures == []
    kept = {key: body.decode() for (_, key), body in run.stage.world.objects.items() if "/report/" in key}
    incident = min(run.stage.deployment.trail(), key=lambda event: event.at).incident_id
    documents = {key.rpartition("/")[2]: body for key, body in kept.items() if f"/{incident}/" in key}
    events = tuple(event for event in run.stage.deployment.trail() if event.incident_id == incident)
    return Drilled(events=events, documents=documents)


def test_a_report_tells_what_the_trail_tells() -> None:
    """Cause, action and times of a bad release that was rolled back stand in the page as in the trail."""
    run = drilled("release-fails-requests")
    page, report = run.documents["report.html"], run.report
    opened, acted, resolved = map(run.event, (Fact.INCIDENT_OPENED, Fact.ACTION_TAKEN, Fact.INCIDENT_RESOLVED))
    assert report.cause == "bad-release"
    assert "bad-release" in page
    assert run.event(Fact.ACTION_INTENDED).data["plan"]["summary"] in page
    assert f"{acted.at:%H:%M:%S}" in page
    assert spoken(acted.at - report.alarm_at) in page
    assert spoken(resolved.at - report.alarm_at) in page
    assert report.alarm_at <= opened.at < acted.at < resolved.at
    assert {curve.title for curve in report.curves} >= {"Failed requests", "Response time", "CPU", "Healthy targets"}
    (action,) = report.actions
    failed = next(gain for gain in action.gains if gain.what == "Failed requests")
    assert (failed.same, failed.after[:1]) == (False, "0")
    assert [difference.what for difference in report.differences or ()] == ["image"]


def test_the_lines_of_a_drilled_incident_are_kept_within_their_limits() -> None:
    """Oldest first, all of the incident's time."""
    run = drilled("database-down")
    written = run.documents["log.jsonl"]
    lines = [json.loads(line) for line in written.splitlines()]
    assert 0 < len(lines) <= MOST_LINES
    assert len(written) <= MOST_BYTES
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert any("could not connect to server" in line["message"] for line in lines)
    assert "nothing was changed" in run.report.summary
    assert run.report.causes[0].cause == "dependency-failing"


@pytest.mark.parametrize(
    "name", ["traffic-spike-with-room", "deployment-stalls", "no-fargate-capacity", "runaway-cost"]
)
def test_every_kind_of_incident_has_a_report(name: str) -> None:
    """Whatever was done or left, each section that is there has something to say."""
    report = drilled(name).report
    assert report.entries
    assert report.causes
    assert report.steps
    assert report.unread == ()
    assert all(action.state and action.effect for action in report.actions)
    assert report.actions or report.no_action
