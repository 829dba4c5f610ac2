"""`responder console` as a process: how it ends."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPException
from http.cookiejar import CookieJar
from threading import Thread
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

import pytest

from tests.fakes.world import REF

SLOW_S = 120
"""How long AWS lets a read wait."""

DESK = f"""
import dataclasses, sys, time
from tests.fakes.desk import desk_of
from tests.unit.console.test_pages import incident_id, ran
from functions.workflow.table import StepName
from tools.cli.main import run

made = ran("observe", until=StepName.WATCH)
record = made.ledger.record_signal

def slowly(*arguments, **named):
    print("writing", flush=True)
    time.sleep(2)
    done = record(*arguments, **named)
    print("written", flush=True)
    return done

class Unanswered:
    def __getattr__(self, name):
        def read(*arguments, **named):
            print("reading", flush=True)
            time.sleep({SLOW_S})
        return read

made.ledger.record_signal = slowly
readers = dataclasses.replace(made.world.readers, service=Unanswered())
desk = dataclasses.replace(desk_of(made), open_readers=lambda region: readers)
print(incident_id(made), flush=True)
sys.exit(run(["console", "--no-browser", "--region", "{REF.region}", "--playbooks", sys.argv[1]], desk))
"""


@pytest.fixture
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    playbooks = tmp_path_factory.mktemp("playbooks")
    (playbooks / "orders.yaml").write_text(f"region: {REF.region}\ncluster: shop\nservice: orders\n")
    made = subprocess.Popen(
        [sys.executable, "-c", DESK, str(playbooks)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    yield made
    made.kill()
    made.communicate()


def until(process: subprocess.Popen[str], wanted: str) -> str:
    """What the process says, up to the line that has this."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if re.search(wanted, line):
            return line.strip()
    raise AssertionError(said)


def meanwhile(opener: OpenerDirector, asked: Request) -> None:
    """Ask, and rely on no answer: the process ends before there is one, or in the middle of it."""

    def ask() -> None:
        try:
            opener.open(asked, timeout=SLOW_S).read()
        except (OSError, HTTPException):
            return

    Thread(target=ask, daemon=True).start()


def test_ctrl_c_waits_for_a_form_and_not_for_what_is_read(process: subprocess.Popen[str]) -> None:
    """What was ordered is done; what AWS has not answered yet changes nothing, and nobody waits for it."""
    incident = until(process, "^inc-")
    link = until(process, "/enter")
    base = link.split("/enter")[0]
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
    opener.open(link, timeout=30).read()
    page = opener.open(f"{base}/incidents/{incident}", timeout=30).read().decode()
    until(process, "reading")
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    form = urlencode({"token": token[1], "say": "ack"}).encode()
    meanwhile(opener, Request(f"{base}/incidents/{incident}/word", form, {"Origin": base}))
    until(process, "writing")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=SLOW_S / 4)
    assert process.returncode == 0, rest
    assert "written" in rest
    assert "Traceback" not in rest
