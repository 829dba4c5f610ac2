import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tools.bench.custodian.installed import PINS, NotInstalled, python
from tools.bench.peer import HERE, SCENARIO, Side, entries, until_remedied
from tools.bench.replay.calls import NO_ANSWER, Call, Invocation
from tools.drill.scenario import load_scenarios


def invoked(function: str, *operations: str) -> Invocation:
    calls = [Call("any", operation, {}, 1, NO_ANSWER) for operation in operations]
    return Invocation(function=function, step=function, event={}, at=datetime(2026, 3, 1, tzinfo=UTC), calls=calls)


def test_what_counts_is_one_event_from_its_message_to_the_remedy() -> None:
    """What came before the incident, further messages, and what came after the remedy are left out."""
    played = [
        invoked("intake", "PutItem"),
        invoked("intake", "StartExecution"),
        invoked("assess", "DescribeServices"),
        invoked("intake", "StartExecution"),
        invoked("remediate", "DescribeServices", "UpdateService"),
        invoked("verify", "DescribeServices"),
    ]

    assert until_remedied(played) == [played[1], played[2], played[4]]
    with pytest.raises(LookupError, match="UpdateService was not called"):
        until_remedied(played[:3])


def test_both_sides_do_the_same_to_the_same_service() -> None:
    """The peer's policy restarts the service whose tasks are stuck, which is what ends that scenario."""
    (scenario,) = load_scenarios([SCENARIO])
    (policy,) = yaml.safe_load((HERE / "policy.yml").read_text())["policies"]

    assert [service.name for service in scenario.setting.services] == [policy["filters"][0]["serviceName"]]
    assert policy["actions"] == [{"type": "modify", "update": {"forceNewDeployment": True}}]
    assert "restart" in scenario.truth.remedies


def test_figures_are_medians_and_calls_are_counted() -> None:
    """Rounds that were disturbed do not count; each call counts, whatever it is."""
    ours = [Side(cold_s=cold_s, warm_s=0.07) for cold_s in (2.0, 1.0, 9.0)]

    cold, calls, warm = entries(ours, [Side(cold_s=0.5, warm_s=0.02)], made=["A", "B", "A"], calls=["A"])

    assert (cold.ours, cold.baseline) == (2.0, 0.5)
    assert (calls.ours, calls.baseline) == (3, 1)
    assert (warm.ours, warm.baseline) == (pytest.approx(70), pytest.approx(20))


def test_the_peer_is_installed_once_for_its_pins(tmp_path: Path) -> None:
    """An environment with these very pins is taken as it is; every pin of the file has a hash."""
    (tmp_path / ".installed").write_text(hashlib.sha256(PINS.read_bytes()).hexdigest())

    assert python(tmp_path) == tmp_path / "bin" / "python"
    pins = PINS.read_text().replace("\\\n", "").splitlines()
    assert all("--hash=sha256:" in line for line in pins if "==" in line and not line.lstrip().startswith("#"))


def test_whoever_cannot_install_the_peer_is_told_so(tmp_path: Path) -> None:
    """The area fails with the command that failed, and measures nothing."""
    (tmp_path / "file").write_text("no directory")

    with pytest.raises(NotInstalled, match=r"Cloud Custodian could not be installed: .*venv"):
        python(tmp_path / "file" / "peer")
