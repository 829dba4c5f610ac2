"""What is shipped to Lambda: a layer with the pinned dependencies, and the code with the compiled playbooks.

Both are directories below `build/`, named by a hash of what they are made from: the same inputs give the same
directory, and it is made once.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from functions.settings import COMPILED_PLAYBOOKS
from infra.context import Architecture

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "build"
REQUIREMENTS = PROJECT / "functions" / "requirements.txt"

_MACHINES = {Architecture.ARM64: "aarch64", Architecture.X86_64: "x86_64"}
_GLIBC = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
"""Wheels that run on Amazon Linux 2023, which every Lambda runtime from Python 3.12 on stands on (glibc 2.34)."""


_FORGET_CODE_AFTER_S = 3_600
"""Every change of the code leaves a directory behind; a synthesis needs its own for seconds."""


class PackagingFailed(RuntimeError):
    """The dependencies could not be brought together; the message is the last line of pip."""


def dependency_layer(*, architecture: Architecture, python_version: str) -> Path:
    """Directory with `python/`, holding `functions/requirements.txt` as wheels for that machine and Python.

    Raises:
        PackagingFailed: when pip finds no such wheel, or no package index.
    """
    platforms = tuple(f"{glibc}_{_MACHINES[architecture]}" for glibc in _GLIBC)
    inputs = hashlib.sha256(repr((REQUIREMENTS.read_text(), platforms, python_version)).encode())

    def install(directory: Path) -> None:
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
            *("--requirement", str(REQUIREMENTS), "--target", str(directory / "python")),
            *("--only-binary", ":all:", "--implementation", "cp", "--python-version", python_version),
        ]
        for platform in platforms:
            command += ["--platform", platform]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last_words = done.stderr.strip().splitlines()[-1:] or ["no word from pip"]
            raise PackagingFailed(f"dependencies for {architecture}, Python {python_version}: {last_words[0]}")
        shutil.rmtree(directory / "python" / "bin", ignore_errors=True)

    return _made_once(f"layer-{architecture}-python{python_version.replace('.', '')}", inputs.hexdigest(), install)


def code(*, compiled_playbooks: str) -> Path:
    """Directory with the package `functions`, source files only, and the playbooks beside it."""
    sources = sorted((PROJECT / "functions").rglob("*.py"))
    inputs = hashlib.sha256(compiled_playbooks.encode())
    for source in sources:
        inputs.update(f"\0{source.relative_to(PROJECT)}\0".encode())
        inputs.update(source.read_bytes())

    def copy(directory: Path) -> None:
        for source in sources:
            target = directory / source.relative_to(PROJECT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        (directory / COMPILED_PLAYBOOKS).write_text(compiled_playbooks)

    made = _made_once("code", inputs.hexdigest(), copy)
    for other in BUILD.glob("code-*"):
        if other != made and time.time() - other.stat().st_mtime > _FORGET_CODE_AFTER_S:
            shutil.rmtree(other, ignore_errors=True)
    os.utime(made)
    return made


def _made_once(name: str, digest: str, make: Callable[[Path], None]) -> Path:
    """Build where nobody looks and move it into place, so that an interrupted build leaves nothing half done."""
    finished = BUILD / f"{name}-{digest[:16]}"
    if finished.is_dir():
        return finished
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".making-") as scratch:
        unfinished = Path(scratch) / name
        unfinished.mkdir()
        make(unfinished)
        try:
            os.rename(unfinished, finished)
        except OSError:
            # Another synth made the same directory meanwhile; its content is equal.
            if not finished.is_dir():
                raise
    return finished
