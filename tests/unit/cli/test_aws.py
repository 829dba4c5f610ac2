"""Profiles, Regions and credentials at the desk, as the AWS CLI has them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import click
import pytest
from botocore.exceptions import ClientError

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.errors import LedgerError
from tests.fakes.clock import FakeClock
from tests.fakes.world import REF
from tools.cli.aws import KEYS, _signed_in
from tools.cli.main import Desk, cli, desk_ledger, desk_readers, run

NO_AWS = {"check", "completion", "cost", "drill", "explain"}
"""Commands that ask AWS nothing."""

SSO = """\
[profile on-call]
region = eu-north-1
sso_start_url = https://example.awsapps.com/start
sso_region = eu-north-1
sso_account_id = 000000000000
sso_role_name = on-call
"""


def commands() -> Iterator[tuple[str, click.Command]]:
    for name, command in cli.commands.items():
        if name in NO_AWS:
            continue
        if isinstance(command, click.Group):
            yield from ((f"{name} {each}", one) for each, one in command.commands.items())
        else:
            yield name, command


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No credentials, no configuration, and no instance that has a role."""
    for name in (*KEYS, "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        # Set first, so that it is taken back after the test what the command itself does to the environment.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("HOME", str(tmp_path))
    _signed_in.cache_clear()
    return tmp_path / "config"


def desk(ledger: MemoryLedger | None = None) -> Desk:
    clock = FakeClock()
    made = ledger or MemoryLedger(clock=clock)
    return Desk(open_ledger=lambda table, region: made, now=clock.now, identity=lambda region: "arn:aws:iam::1:user/a")


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_takes_region_and_profile(name: str, command: click.Command) -> None:
    """In the same way, with the environment's names for a Region."""
    by_name = {parameter.name: parameter for parameter in command.params}
    assert by_name["region"].envvar == ["AWS_REGION", "AWS_DEFAULT_REGION"]
    assert "--profile" in by_name["profile"].opts


def test_a_profile_comes_before_keys(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names one does not want another account, whatever else the environment holds; its Region counts, too."""
    nobody.write_text("[profile on-call]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another account's")
    seen: dict[str, object] = {}

    def opened(table: str, region: str) -> MemoryLedger:
        import os

        seen.update(region=region, profile=os.environ["AWS_PROFILE"], key=os.environ.get("AWS_ACCESS_KEY_ID"))
        return MemoryLedger(clock=FakeClock())

    assert run(["incidents", "--profile", "on-call"], Desk(open_ledger=opened, now=FakeClock().now)) == 0
    assert seen == {"region": "eu-north-1", "profile": "on-call", "key": None}


def test_a_region_that_is_written_comes_first(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then AWS_REGION, AWS_DEFAULT_REGION, and the profile's."""
    nobody.write_text("[default]\nregion = eu-north-1\n")
    asked: list[str] = []

    def opened(table: str, region: str) -> MemoryLedger:
        asked.append(region)
        return MemoryLedger(clock=FakeClock())

    sat = Desk(open_ledger=opened, now=FakeClock().now)
    assert run(["incidents"], sat) == 0
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert run(["incidents"], sat) == 0
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert run(["incidents"], sat) == 0
    assert run(["incidents", "--region", "us-east-1"], sat) == 0
    assert asked == ["eu-north-1", "eu-west-2", "eu-west-3", "us-east-1"]


def test_a_service_with_its_region_needs_no_other() -> None:
    """It is where its responder is."""
    ledger = MemoryLedger(clock=FakeClock())
    sat = desk(ledger)
    assert run(["pause", str(REF), "--for", "1h", "--reason", "a test"], sat) == 0
    assert ledger.switch(REF).paused_until == sat.now() + timedelta(hours=1)
    assert run(["maintenance", str(REF)], sat) == 0
    assert run(["release", "list", str(REF)], sat) == 0
    assert run(["resume", str(REF)], sat) == 0


@pytest.mark.parametrize("command", [["incidents"], ["show", "inc-1"], ["status", "shop/orders"]])
def test_missing_credentials_are_one_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That says what to do, however many calls the command would have made."""
    (tmp_path / "orders.yaml").write_text("region: eu-west-1\ncluster: shop\nservice: orders\n")
    more = ["--playbooks", str(tmp_path)] if command[0] == "status" else []
    real = Desk(open_ledger=desk_ledger, now=FakeClock().now, open_readers=desk_readers)
    assert run([*command, *more, "--region", "eu-west-1"], real) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("responder: there are no AWS credentials; run `aws sso login` or `aws configure`, or ")


def test_a_sign_in_that_is_over(nobody: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names the command that begins it anew."""
    nobody.write_text(SSO)
    real = Desk(open_ledger=desk_ledger, now=FakeClock().now)
    assert run(["incidents", "--profile", "on-call"], real) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "responder: your AWS sign-in is over; run `aws sso login --profile on-call`, then this again"


@pytest.mark.parametrize(("code", "hinted"), [("ExpiredTokenException", True), ("AccessDeniedException", False)])
def test_credentials_that_aws_does_not_know(code: str, hinted: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """What is refused for the credentials themselves is told with what to do; what is not allowed is something else."""

    def opened(table: str, region: str) -> NoReturn:
        refused = ClientError({"Error": {"Code": code, "Message": "no"}}, "Query")
        raise LedgerError("the table cannot be read") from refused

    assert run(["incidents", "--region", "eu-west-1"], Desk(open_ledger=opened, now=FakeClock().now)) == 2
    err = capsys.readouterr().err
    assert err.startswith("responder: the table cannot be read\n")
    assert ("run `aws sso login`" in err) is hinted


def test_a_table_that_is_not_there_is_most_likely_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever has the wrong Region set is told so, and not only that something was not found."""

    def opened(table: str, region: str) -> NoReturn:
        absent = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "Query")
        raise LedgerError("the table cannot be read") from absent

    assert run(["incidents", "--region", "eu-west-1"], Desk(open_ledger=opened, now=FakeClock().now)) == 2
    _, hint = capsys.readouterr().err.splitlines()
    assert "is it the right Region and account? write another --region" in hint
