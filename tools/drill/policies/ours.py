"""The responder itself, as it is deployed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from functions.domain.incidents import Event, Fact
from tools.drill.policies.passive import Nobody
from tools.drill.policies.policy import Stage, Take
from tools.drill.results import Mark

MARKS: Mapping[Fact, Mark] = {
    Fact.INCIDENT_OPENED: Mark.ALARM,
    Fact.SIGNAL_RECEIVED: Mark.ALARM,
    Fact.ACTION_TAKEN: Mark.ACTION,
    Fact.ACTION_DOUBTFUL: Mark.ACTION,
    Fact.LEASE_RESTORED: Mark.ACTION,
    Fact.INCIDENT_RESOLVED: Mark.RECOVERED,
}
"""What else is in a trail is a thought; what people are told is told apart before."""

TOLD = frozenset({Fact.PAGE_SENT, Fact.APPROVAL_REQUESTED})


class Responder(Nobody):
    name = "responder"
    title = "this responder, in mode auto"

    @contextmanager
    def respond(self, stage: Stage) -> Iterator[Take]:
        began = stage.world.now
        with stage.deployment.live():
            yield stage.deployment.take
        stage.trail = stage.deployment.trail()
        for event in stage.trail:
            _tell(stage, event, (event.at - began).total_seconds())
        for at_s, failure in stage.deployment.failures:
            stage.page("aws", failure, at_s=at_s)


def _tell(stage: Stage, event: Event, at_s: float) -> None:
    if event.fact in TOLD:
        stage.page(event.actor, event.summary, at_s=at_s)
    else:
        stage.note(MARKS.get(event.fact, Mark.THOUGHT), event.actor, event.summary, at_s=at_s)
