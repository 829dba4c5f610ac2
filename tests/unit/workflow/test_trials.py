"""Who carries a trial out: the checks of the playbook, or load, and only where the service answers."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.dependencies import HttpAnswer
from functions.domain.errors import NotNamed, ReadFailed
from functions.domain.services import ServiceRef
from functions.domain.synthetic import CheckAnswer, SyntheticCheck
from functions.domain.trials import Load, RunState, Sample, is_run_id, measured, run_id
from functions.playbooks.schema import Playbook
from functions.workflow.api.trials import MakeTrial
from tests.fakes.api import FakeRuns
from tests.fakes.clock import FakeClock
from tests.fakes.world import REF

PLAYBOOK = Playbook.model_validate(
    {
        "region": REF.region,
        "cluster": REF.cluster,
        "service": REF.service,
        "alarms": [
            {"check": "pools", "url": "https://shop.example.com/pools", "json": {"field": "bad", "above": 0}},
            {
                "check": "cron",
                "url": "https://shop.example.com/cron",
                "header": {"name": "Authorization", "secret": "orders/cron"},
            },
        ],
        "checks": [
            {"name": "front", "http": {"url": "https://www.example.com/", "status": 200}},
            {"name": "alarm", "alarm": "an-alarm"},
        ],
    }
)


@dataclass
class Service:
    """Answers whoever asks it."""

    body: str = '{"bad": 3}'
    status: int = 200
    unreadable: bool = False
    asked: list[str] = field(default_factory=list)

    def ask(self, check: SyntheticCheck, *, headers: Mapping[str, str]) -> CheckAnswer:
        assert not headers
        self.asked.append(check.url)
        if self.unreadable:
            raise ReadFailed("no resolver")
        return CheckAnswer(status=self.status, body=self.body if check.reads is not None else None)

    def answer(self, url: str, *, timeout_s: int) -> HttpAnswer:
        self.asked.append(url)
        return HttpAnswer(status=self.status, seconds=0.1)

    def make(self, load: Load) -> Sequence[Sample]:
        self.asked.append(load.url)
        return [Sample(status=self.status, seconds=0.1)] * 3


@dataclass
class Trial:
    service: Service = field(default_factory=Service)
    runs: FakeRuns = field(default_factory=FakeRuns)

    @property
    def make(self) -> MakeTrial:
        return MakeTrial(
            caller=self.service,
            http=self.service,
            loader=self.service,
            runs=self.runs,
            clock=FakeClock(),
            playbooks=[PLAYBOOK],
            threads=ThreadPoolExecutor,
        )


def load(url: str) -> Load:
    at = FakeClock().now()
    return Load(id=run_id(REF, at), service=REF, url=url, concurrent=2, seconds=5, by="arn:aws:x", asked_at=at)


def test_a_smoke_test_asks_whether_it_answers() -> None:
    """What is in the answer is the matter of the validation."""
    said = {each.check: each for each in Trial().make.checks(REF, whole=False)}
    assert {name: each.passed for name, each in said.items()} == {"pools": True, "cron": None, "front": True}


def test_a_validation_reads_the_answers() -> None:
    """A field that is beyond its limit fails, and says so."""
    said = {each.check: each for each in Trial().make.checks(REF, whole=True)}
    assert (said["pools"].passed, said["pools"].finding) == (False, "bad is 3, above 0")


def test_a_check_with_a_secret_is_not_made() -> None:
    """Who has the network has no secret: it is neither passed nor failed, and nothing is sent without it."""
    trial = Trial()
    (cron,) = (each for each in trial.make.checks(REF, whole=True) if each.check == "cron")
    assert cron.passed is None
    assert "https://shop.example.com/cron" not in trial.service.asked


def test_another_answer_fails() -> None:
    """With what was answered instead."""
    said = Trial(service=Service(status=500)).make.checks(REF, whole=False)
    assert {each.check: each.finding for each in said if each.passed is False} == {
        "pools": "answered 500 instead of 200",
        "front": "answered 500 instead of 200",
    }


def test_what_could_not_be_asked_says_nothing_of_the_service() -> None:
    """A reason of our own."""
    (pools,) = (e for e in Trial(service=Service(unreadable=True)).make.checks(REF, whole=True) if e.check == "pools")
    assert (pools.passed, pools.finding) == (None, "no resolver")


def test_load_is_made_and_written_down() -> None:
    """Under the id under which it was announced."""
    trial = Trial()
    trial.make.load(load("https://www.example.com/checkout"))
    (run,) = trial.runs.known.values()
    assert run.state is RunState.DONE
    assert run.measured is not None
    assert run.measured.requests == 3


@pytest.mark.parametrize("url", ["https://elsewhere.example.com/", "http://www.example.com/"])
def test_load_goes_nowhere_else(url: str) -> None:
    """Whoever called the function, and whatever they were allowed."""
    trial = Trial()
    trial.make.load(load(url))
    (run,) = trial.runs.known.values()
    assert (run.state, trial.service.asked) == (RunState.FAILED, [])


def test_a_service_without_a_playbook_is_not_asked() -> None:
    """By nobody."""
    with pytest.raises(NotNamed):
        Trial().make.checks(ServiceRef(region=REF.region, cluster="shop", service="other"), whole=True)


samples = st.lists(
    st.builds(
        Sample,
        status=st.one_of(st.none(), st.integers(100, 599)),
        seconds=st.floats(0, 60),
        error=st.sampled_from("ab"),
    )
)


@given(samples)
def test_what_was_measured_adds_up(made: list[Sample]) -> None:
    """Every request is counted once, and the quantiles are in order."""
    told = measured(made)
    assert told.requests == len(made) == sum(told.statuses.values())
    assert 0 <= told.failed <= told.requests
    assert 0 <= told.error_rate <= 100
    times = [told.p50_s, told.p95_s, told.p99_s, told.slowest_s]
    if not made:
        assert times == [None] * 4
    else:
        known = [each for each in times if each is not None]
        assert known == sorted(known)
        assert len(known) == 4


def test_the_id_of_a_run_is_one() -> None:
    """Nothing else is looked for in the archive."""
    assert is_run_id(run_id(REF, FakeClock().now()))
    assert not is_run_id("run-../../etc/passwd")
