"""A round of all synthetic checks: what is asked, published and told."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import ReadFailed
from functions.domain.synthetic import CheckAnswer, Checked, SyntheticCheck
from functions.playbooks.schema import Playbook
from functions.workflow.checks import RunChecks
from tests.fakes.clock import FakeClock


@dataclass
class FakeCaller:
    """Answers by the name of the check; one without an answer cannot be asked."""

    answers: Mapping[str, CheckAnswer]
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def ask(self, check: SyntheticCheck, *, headers: Mapping[str, str]) -> CheckAnswer:
        self.asked.append((check.check, headers))
        if check.check not in self.answers:
            raise ReadFailed("shop.example.com cannot be looked up")
        return self.answers[check.check]


class FakeSecrets:
    """Knows one secret."""

    def value(self, secret: str, *, key: str | None) -> str:
        if secret != "orders/cron":
            raise ReadFailed(f"secret {secret}: AccessDeniedException")
        return "4711-0815"


@dataclass
class FakeMetrics:
    """Keeps what was published."""

    calls: list[tuple[datetime, Sequence[Checked]]] = field(default_factory=list)

    def publish(self, checked: Sequence[Checked], *, at: datetime) -> None:
        self.calls.append((at, checked))

    @property
    def published(self) -> dict[tuple[str, str], float]:
        return {(each.ref.service, each.check): each.value for _, checked in self.calls for each in checked}


def playbook(service: str, *checks: dict[str, Any]) -> Playbook:
    alarms = [{"url": "https://shop.example.com", **check} for check in checks]
    return Playbook.model_validate(
        {"region": "eu-west-1", "cluster": "shop", "service": service, "alarms": [{"symptom": "cpu"}, *alarms]}
    )


def rounds(caller: FakeCaller, metrics: FakeMetrics, *playbooks: Playbook) -> RunChecks:
    return RunChecks(
        caller=caller,
        secrets=FakeSecrets(),
        metrics=metrics,
        clock=FakeClock(),
        playbooks=playbooks,
        threads=ThreadPoolExecutor,
    )


FINE, BAD = CheckAnswer(status=200), CheckAnswer(status=500)


def test_the_checks_of_all_playbooks_are_made() -> None:
    """Two services may have checks of the same name; alarms of other kinds ask nothing."""
    caller, metrics = FakeCaller({"front": FINE, "pool": BAD}), FakeMetrics()
    made = rounds(
        caller, metrics, playbook("orders", {"check": "front"}, {"check": "pool"}), playbook("cart", {"check": "front"})
    )()
    assert metrics.published == {("orders", "front"): 0.0, ("orders", "pool"): 1.0, ("cart", "front"): 0.0}
    assert [at for at, _ in metrics.calls] == [FakeClock().now()]
    assert (made.fine, made.failed) == (2, {"shop/orders pool": "answered 500 instead of 200"})


def test_without_checks_nothing_is_published() -> None:
    """An empty call would be refused."""
    metrics = FakeMetrics()
    assert rounds(FakeCaller({}), metrics, playbook("orders"))().model_dump() == {
        "fine": 0, "failed": {}, "not_made": {},
    }  # fmt: skip
    assert metrics.calls == []


def test_a_header_is_sent_by_the_check_that_names_it() -> None:
    """And by no other."""
    caller = FakeCaller({"front": FINE, "cron": FINE})
    header = {"name": "Authorization", "secret": "orders/cron", "prefix": "Bearer "}
    rounds(caller, FakeMetrics(), playbook("orders", {"check": "front"}, {"check": "cron", "header": header}))()
    assert dict(caller.asked) == {"front": {}, "cron": {"Authorization": "Bearer 4711-0815"}}


def test_without_its_secret_a_check_is_not_made() -> None:
    """A request without the header would only prove that the header is needed."""
    caller, metrics = FakeCaller({"front": FINE, "cron": FINE}), FakeMetrics()
    header = {"name": "Authorization", "secret": "orders/other"}
    made = rounds(caller, metrics, playbook("orders", {"check": "front"}, {"check": "cron", "header": header}))()
    assert metrics.published == {("orders", "front"): 0.0}
    assert [name for name, _ in caller.asked] == ["front"]
    (reason,) = made.not_made.values()
    assert reason.startswith("secret orders/other: AccessDeniedException; see that it exists")


OUTCOMES = st.dictionaries(
    st.from_regex(r"\A[a-z][a-z0-9-]{0,9}\Z"), st.sampled_from([FINE, BAD, None]), min_size=1, max_size=8
)


@given(outcomes=OUTCOMES)
def test_every_check_is_told_once_and_only_what_was_asked_is_published(outcomes: dict[str, CheckAnswer | None]) -> None:
    """Fine, failed or not made: never two of them, and nothing is published for what was not made."""
    answers = {name: answer for name, answer in outcomes.items() if answer is not None}
    metrics = FakeMetrics()
    made = rounds(FakeCaller(answers), metrics, playbook("orders", *({"check": name} for name in outcomes)))()
    assert metrics.published == {("orders", name): 0.0 if answer is FINE else 1.0 for name, answer in answers.items()}
    failed = {f"shop/orders {name}" for name, answer in answers.items() if answer is BAD}
    not_made = {f"shop/orders {name}" for name in outcomes.keys() - answers.keys()}
    assert (set(made.failed), set(made.not_made)) == (failed, not_made)
    assert made.fine == len(outcomes) - len(failed) - len(not_made)
