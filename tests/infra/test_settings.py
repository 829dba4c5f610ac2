"""Every function is told all that it builds itself from."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from functions import bootstrap
from tests.infra.synthesis import Synthesis

BUILT_BY: Mapping[str, tuple[Callable[[], Any], ...]] = {
    "intake": (bootstrap.intake,),
    "assess": (bootstrap.assess, bootstrap.watch),
    "remediate": (bootstrap.remediate,),
    "verify": (bootstrap.verify,),
    "notify": (bootstrap.page_people, bootstrap.ask_people),
    "close": (bootstrap.close,),
    "report": (bootstrap.write_report,),
    "restore": (bootstrap.restore,),
    "sweep": (bootstrap.sweep,),
    "bake": (bootstrap.bake,),
    "check": (bootstrap.run_checks,),
    "digest": (bootstrap.send_digest,),
    "forward": (bootstrap.forward,),
    "lookup": (bootstrap.service_reader,),
    "contain": (bootstrap.contain, bootstrap.lift),
    "api": (
        bootstrap.records,
        bootstrap.inquire,
        bootstrap.order_by_hand,
        bootstrap.answer_people,
        bootstrap.switch_everything,
        bootstrap.trying,
    ),
    "read": (bootstrap.inspect, bootstrap.try_order),
    "trial": (bootstrap.make_trial,),
}
"""What each function is made of, by the name of its handler's module."""


@pytest.fixture(autouse=True)
def nothing_built(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is left of what other tests built, and the playbooks need no file."""
    before = dict(bootstrap._built)
    bootstrap._built.clear()
    bootstrap._built["_playbooks"] = ()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    yield
    bootstrap._built.clear()
    bootstrap._built.update(before)


def modules(synthesis: Synthesis) -> dict[str, Mapping[str, Any]]:
    """The environment of every function of the responder, by the name of its handler's module."""
    assert synthesis.contain is not None
    stacks = (synthesis.responder, synthesis.contain)
    found = [each for stack in stacks for each in stack.resources("AWS::Lambda::Function").values()]
    ours = [function for function in found if str(function["Handler"]).startswith("functions.handlers.")]
    return {function["Handler"].split(".")[2]: function["Environment"]["Variables"] for function in ours}


def test_every_function_is_known_here(containing: Synthesis) -> None:
    """A new one has to be added above."""
    assert set(modules(containing)) == set(BUILT_BY)


@pytest.mark.parametrize("module", BUILT_BY)
def test_a_function_builds_itself_from_its_environment(
    module: str, containing: Synthesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that is missing would show at the first alarm only."""
    for name, value in modules(containing)[module].items():
        monkeypatch.setenv(name, value if isinstance(value, str) else "arn:aws:x:eu-west-1:123456789012:x")
    for build in BUILT_BY[module]:
        build()
