"""The emulator of the demo: what it answers, and that it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.demo.emulator import ACCOUNT, REGION, Emulator, emulator

HOLD_UNTIL_KILLED = """
import signal
import time
from tools.demo.emulator import emulator
# A shell starts its background jobs deaf to Ctrl-C, and whatever they start is so too: the tests may be one.
signal.signal(signal.SIGINT, signal.default_int_handler)
with emulator() as running:
    print(running.directory, flush=True)
    time.sleep(60)
"""


def processes_of(directory: Path) -> list[str]:
    """The command lines or environments that name a directory: those of the servers that were started with it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(directory).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def test_both_servers_answer_for_one_account() -> None:
    """The same account and Region are behind every client, Application Auto Scaling's included."""
    with emulator() as running:
        assert running.client("sts").get_caller_identity()["Account"] == ACCOUNT
        running.register_scalable_target(cluster="shop", service="orders", minimum=2, maximum=5)
        (target,) = running.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
            "ScalableTargets"
        ]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == ("service/shop/orders", 2, 5)
    assert f":{REGION}:{ACCOUNT}:" in target["ScalableTargetARN"]


def test_children_cannot_reach_a_real_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials, profiles and endpoints of the person at the desk do not get into a child's environment."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", "https://ecs.example.com")
    running = Emulator(endpoint="http://127.0.0.1:1", autoscaling_endpoint="http://127.0.0.1:2", directory=tmp_path)
    environment = running.environment()
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_ECS"} & set(environment)
    assert environment["AWS_ACCESS_KEY_ID"] == ACCOUNT
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert running.client("ecs").meta.endpoint_url == running.endpoint


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_signal_leaves_nothing_behind(number: signal.Signals) -> None:
    """However the program is told to stop, its servers and its temporary directory go with it."""
    with subprocess.Popen([sys.executable, "-c", HOLD_UNTIL_KILLED], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        directory = Path(program.stdout.readline().strip())
        assert directory.is_dir()
        if Path("/proc").is_dir():
            assert processes_of(directory)
        program.send_signal(number)
        program.wait(timeout=20)
    deadline = time.monotonic() + 5
    while processes_of(directory) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(directory) == []
    assert not directory.exists()
