"""What people are advised to type: every word of it exists, and nothing of it acts by itself."""

import shlex

import botocore.session
import pytest
from botocore import xform_name

from functions.domain.causes import Cause
from functions.domain.dependencies import DependenciesFacts, DependencyFacts, DependencyState
from functions.workflow.advice import MOST_DEPENDENCIES, advice
from tests.fakes.findings import findings, service
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import playbook
from tools.cli.main import cli

WATCHED = (
    {"name": "a", "alarm": "a"},
    {"name": "b", "rds": "b"},
    {"name": "c", "dynamodb": "ccc"},
    {"name": "d", "lambda": "d"},
    {"name": "e", "ecs": "e"},
    {"name": "f", "http": {"url": "https://example.com/"}},
)


def troubled(*names: str) -> DependenciesFacts:
    return DependenciesFacts(
        dependencies=tuple(DependencyFacts(name=name, state=DependencyState.FAILING) for name in names)
    )


@pytest.mark.parametrize("cause", list(Cause))
def test_every_command_that_is_advised_exists(cause: Cause) -> None:
    """Each is one of the command `responder`, or an operation of AWS; options are those that it has."""
    for each in WATCHED:
        looked = findings(service=service(), dependencies=troubled(str(each["name"])))
        for line in advice(cause, REF, playbook(dependencies=[each]), looked):
            label, words = line[:11], shlex.split(line[11:])
            assert label == f"{label.strip():<11}"
            assert words[0] in ("responder", "aws", "curl")
            if words[0] == "responder":
                options = {option for each in cli.commands[words[1]].params for option in each.opts}
                assert {word for word in words if word.startswith("--")} <= options
                assert words[1] == "status" or {"--dry-run", "--reason"} <= set(words)
            elif words[0] == "aws":
                model = botocore.session.get_session().get_service_model(words[1])
                assert words[2] in {xform_name(name, "-") for name in model.operation_names}


def test_many_dependencies_in_trouble_do_not_fill_the_page() -> None:
    """Three at the most, and nothing twice."""
    names = [str(each["name"]) for each in WATCHED]
    said = advice(
        Cause.DEPENDENCY_FAILING, REF, playbook(dependencies=list(WATCHED)), findings(dependencies=troubled(*names))
    )
    assert len(said) == MOST_DEPENDENCIES + 1
    assert len({*said}) == len(said)


def test_where_nothing_was_read_a_status_is_left() -> None:
    """Without a look nobody knows how many tasks more would be, nor what is in trouble."""
    assert advice(Cause.OVERLOAD, REF, None, None) == ["Status     responder status shop/orders --region eu-west-1"]
