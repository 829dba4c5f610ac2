"""The peer's own virtual environment, made on first use from its own pins."""

import hashlib
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).with_name("requirements.txt")

ROOT = Path(__file__).resolve().parents[3]

_INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")


class NotInstalled(Exception):
    """The peer cannot be installed here. Its message says what was tried."""


def python(directory: Path = ROOT / "build" / "peer", pins: Path = PINS) -> Path:
    """The interpreter of the peer's environment, which is made if it is not there, or has other pins.

    Raises:
        NotInstalled: if that fails, for example without a network.
    """
    found = directory / "bin" / "python"
    mark, wanted = directory / ".installed", hashlib.sha256(pins.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return found
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(directory)],
        [str(found), *_INSTALL, "--require-hashes", "--requirement", str(pins)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            raise NotInstalled(f"Cloud Custodian could not be installed: {' '.join(command)}: {last[0]}")
    mark.write_text(wanted)
    return found
