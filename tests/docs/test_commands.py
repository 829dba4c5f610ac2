"""Whatever people are told to type exists: targets, scenarios, commands, options, keys, names, playbooks."""

import re
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import click
import pytest
import yaml
from botocore import xform_name

from functions.playbooks.loading import load_playbooks
from functions.workflow.table import StepName
from infra.contain_stack import contain_name
from infra.context import Architecture, Deployment
from tests.docs.pages import OPERATIONS, PAGES, PROJECT, README, Page
from tests.infra.synthesis import Synthesis, synthesise
from tools.cli.main import cli
from tools.demo.__main__ import main as demo
from tools.demo.scenarios import SCENARIOS

pages = pytest.mark.parametrize("page", PAGES, ids=str)
PLAYBOOK = """\
region: eu-west-1
cluster: shop
service: orders
alarms:
  - symptom: cpu
  - {check: front-door, url: https://shop.example.com/}
"""
NAME = re.compile(r"\becs-first-responder(?:-[a-z]+)*")
OF_EVERY_COMMAND = ("--region", "--query", "--output", "--profile")
BEYOND_THE_API = (["logs", "tail"], ["sso", "login"])
"""Commands of the aws CLI that are no operation of a service."""
CALLED_OTHERWISE = {"s3api": "s3"}
"""What the aws CLI calls a service, where that is not its name."""
MARKS = "●○·▲◆◇▷▶✗◀✉✓"


@pages
def test_every_make_target_exists(page: Page) -> None:
    """`make TARGET` names a target, `SCENARIO=` a scenario; no variable is set that the Makefile does not read."""
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.M))
    variables = set(re.findall(r"^([A-Z]+) \?=", makefile, re.M))
    for command in page.commands:
        words = command.split()
        if words[:1] == ["make"]:
            assert {word for word in words[1:] if "=" not in word} <= targets, command
        for name, value in re.findall(r"\b([A-Z]+)=(\S+)", command):
            if words[:1] == ["make"] or command.startswith(name):
                assert name in variables, command
                assert name != "SCENARIO" or value in {*SCENARIOS, "all"}, command


def responder_commands(page: Page) -> Iterator[list[str]]:
    for command in page.commands:
        words = command.removeprefix(".venv/bin/").split()
        if words[:1] == ["responder"] and len(words) > 1:
            yield words[1:]


@pages
def test_every_responder_command_exists(page: Page) -> None:
    """With every option it is shown with."""
    for words in responder_commands(page):
        options = {option for parameter in named(words).params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, words


def test_every_responder_command_in_a_text_of_the_project_exists() -> None:
    """Pages, letters, alarms and errors tell people what to type, and nobody who follows them finds that it is gone."""
    told = re.compile(r"(?:[`\"'{}] ?|: )responder ([a-z][a-z-]+) (\S+)")
    found = 0
    for room in ("functions", "infra", "tools/cli", "tools/console"):
        for file in (PROJECT / room).rglob("*.py"):
            for name, then in told.findall(file.read_text(encoding="utf-8")):
                found += 1
                assert name in cli.commands, (file, name)
                group = cli.commands[name]
                of_group = not isinstance(group, click.Group) or then.strip("`\"'.,;") in group.commands
                assert of_group, (file, name, then)
    assert found > 20


def test_every_responder_command_is_explained() -> None:
    """The table of the operations page has them all, with options that they have."""
    rows = OPERATIONS.table("command", "what for")
    words = [what.strip("`").split()[1:] for what, _ in rows]
    typed = {" ".join(each[:2]) if isinstance(cli.commands[each[0]], click.Group) else each[0] for each in words}
    assert typed == names()
    for what, why in rows:
        options = {option for parameter in command(what).params for option in parameter.opts}
        assert set(re.findall(r"--[a-z]+", why)) <= options, what


def command(written: str) -> click.Command:
    return named(written.strip("`").split()[1:])


def named(words: list[str]) -> click.Command:
    """The command that these words call; of a group without one of its own commands, the group."""
    found = cli.commands[words[0]]
    if isinstance(found, click.Group) and len(words) > 1:
        return found.commands[words[1]]
    return found


def names() -> set[str]:
    """Every command as it is typed, those of groups with the group's name."""
    of_groups = {(name, each) for name, c in cli.commands.items() if isinstance(c, click.Group) for each in c.commands}
    alone = {name for name, c in cli.commands.items() if not isinstance(c, click.Group)}
    return alone | {" ".join(each) for each in of_groups}


@pages
def test_every_context_key_exists(page: Page) -> None:
    """What stands behind `-c` is a field of the deployment."""
    for line in page.commands:
        for key in re.findall(r"(?:^|\s)-c (\w+)=", line):
            assert key in Deployment.__dataclass_fields__ or key == "key", line


@pages
def test_every_aws_command_exists(page: Page) -> None:
    """With the options that the CLI makes of the operation's parameters, and those that every operation has."""
    session = botocore.session.get_session()
    for command in page.commands:
        words = command.split()
        if words[:1] != ["aws"] or len(words) < 3 or words[1:3] in BEYOND_THE_API:
            continue
        model = session.get_service_model(CALLED_OTHERWISE.get(words[1], words[1]))
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(operations[words[2]]).input_shape
        options = {f"--{xform_name(name, '-')}" for name in (shape.members if shape is not None else ())}
        assert {word for word in words if word.startswith("--")} <= {*options, *OF_EVERY_COMMAND}, command


@pages
def test_every_playbook_on_a_page_holds(page: Page, tmp_path: Path) -> None:
    """A block of YAML is a whole playbook, and can be copied; but for pipelines and scenarios of the drill."""
    for number, block in enumerate(page.blocks("yaml")):
        if not {"jobs", "world"}.isdisjoint(yaml.safe_load(block)):
            continue
        file = tmp_path / str(number) / "orders.yaml"
        file.parent.mkdir()
        file.write_text(block)
        assert len(load_playbooks([file])) == 1


@pytest.fixture(scope="module")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The stacks of the README's playbook, with an alarm that needs no look-up, and with chat."""
    playbooks = tmp_path_factory.mktemp("playbooks")
    (playbooks / "orders.yaml").write_text(PLAYBOOK)
    deployment = Deployment(region="eu-west-1", playbooks=playbooks, architecture=Architecture.LOCAL, chat=True)
    return synthesise(deployment, tmp_path_factory.mktemp("cdk.out"))


def test_everything_that_is_named_is_deployed(synthesis: Synthesis) -> None:
    """A stack, queue, topic, function or alarm on a page bears the name that the stacks give it."""
    names = {"ecs-first-responder", contain_name("ecs-first-responder"), *synthesis.services}
    for resource in synthesis.responder.body["Resources"].values():
        properties = resource.get("Properties", {}).items()
        names |= {value for key, value in properties if key.endswith("Name") and isinstance(value, str)}
    for page in PAGES:
        assert set(NAME.findall(page.text)) <= names, page


def test_every_alarm_on_the_responder_is_explained(synthesis: Synthesis) -> None:
    """People who are paged by one find it on the operations page."""
    alarms = [alarm["AlarmName"] for alarm in synthesis.responder.resources("AWS::CloudWatch::Alarm").values()]
    rows = OPERATIONS.table("alarm", "what it means", "what to do")
    shown = [name for row in rows for name in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(f"ecs-first-responder-{name}" for name in shown) == sorted(alarms)


def test_the_excerpt_looks_like_the_demo() -> None:
    """Each event stands there as the demo prints it: distance, mark, who says it, and what."""
    (excerpt,) = README.blocks("text")
    events = [line for line in excerpt.splitlines() if line.startswith(" +")]
    actors = "|".join(["intake", *StepName])
    assert len(events) > 5
    assert all(re.match(rf" \+\d:\d\d [{MARKS}] ({actors}) +\S", line) for line in events)
    assert "recovered" in excerpt


def test_the_demo_takes_what_the_makefile_gives_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`make demo` calls the demo with options that it has."""
    with pytest.raises(SystemExit):
        demo(["--help"])
    told = capsys.readouterr().out
    recipe = re.search(r"tools\.demo (.*)$", (PROJECT / "Makefile").read_text(), re.M)
    assert recipe is not None
    assert all(option in told for option in re.findall(r"--[a-z]+", recipe[1]))
