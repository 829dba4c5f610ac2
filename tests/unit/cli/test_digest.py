"""`responder digest`: the same as the mail, read with the credentials of the desk."""

from datetime import datetime
from pathlib import Path

import pytest
import yaml

from functions.domain.digests import Period
from functions.playbooks.loading import load_playbooks
from functions.ports import Ledger
from functions.workflow.digests.around import Sources
from functions.workflow.digests.compose import compose
from functions.workflow.digests.letter import as_text
from tests.fakes.digests import MORNING, ORDERS, STOCK, Estate, estate
from tools.cli.main import Desk, run


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two services of this Region, and one of another."""
    for playbook in (ORDERS, STOCK, {"region": "us-east-1", "cluster": "shop", "service": "elsewhere"}):
        (tmp_path / f"{playbook['service']}.yaml").write_text(yaml.safe_dump(playbook))
    return tmp_path


def desk(found: Estate) -> Desk:
    def sources(region: str, ledger: Ledger, period: Period, until: datetime) -> Sources:
        assert (region, ledger, until) == ("eu-west-1", found.ledger, MORNING)
        return found.sources(period)

    return Desk(open_ledger=lambda table, region: found.ledger, now=lambda: MORNING, open_digest_sources=sources)


@pytest.mark.parametrize(
    ("options", "period"),
    [([], Period.DAILY), (["--daily"], Period.DAILY), (["--weekly"], Period.WEEKLY), (["--monthly"], Period.MONTHLY)],
)
def test_it_prints_what_the_mail_says(
    options: list[str], period: Period, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the playbooks of this Region, and of the last day where nothing else is said."""
    found = estate()
    command = ["digest", *options, "--playbooks", str(directory), "--region", "eu-west-1"]
    assert run(command, desk(found)) == 0
    printed = capsys.readouterr().out
    assert "of 2 services in eu-west-1" in printed
    assert "elsewhere" not in printed
    playbooks = [playbook for playbook in load_playbooks([directory]) if playbook.region == "eu-west-1"]
    sent = compose(playbooks, estate().sources(period), responder="ecs-first-responder", region="eu-west-1")
    assert printed == as_text(sent)


def test_markdown(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it lies in the archive, with the reason for what there is not."""
    found = estate()
    assert run(["digest", "--markdown", "--playbooks", str(directory), "--region", "eu-west-1"], desk(found)) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# Digest of the last day: 2 services in eu-west-1")
    assert "| n/a | URLs | the playbook has no check that asks one |" in printed


def test_nothing_is_claimed(directory: Path) -> None:
    """Whoever looks at the desk keeps no mail from being sent."""
    found = estate()
    assert run(["digest", "--playbooks", str(directory), "--region", "eu-west-1"], desk(found)) == 0
    assert found.ledger.claim("digest/daily/2026-03-02")


def test_what_the_credentials_may_not_read_is_unknown(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And is no error: the rest is told."""
    found = estate()
    found.unreadable = {"bill"}
    assert run(["digest", "--weekly", "--playbooks", str(directory), "--region", "eu-west-1"], desk(found)) == 0
    assert "bill is throttled" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"), [([], "no Region is given"), (["--region", "ap-south-1"], "is for ap-south-1")]
)
def test_what_is_missing_is_said(
    arguments: list[str],
    said: str,
    directory: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line, and status 2."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert run(["digest", "--playbooks", str(directory), *arguments], desk(estate())) == 2
    assert said in capsys.readouterr().err
