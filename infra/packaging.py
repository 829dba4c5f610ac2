"""What is shipped to Lambda: a layer with the pinned dependencies, and the code with the compiled playbooks.

Both are directories below `build/`, named by a hash of what they are made from: the same inputs give the same
directory, and it is made once. One commit gives the same files everywhere, byte for byte, so that the hash by which CDK
names an asset tells which commit runs.
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

from functions.domain.called import CALLED
from functions.settings import COMPILED_PLAYBOOKS
from infra import api_models, byte_code
from infra.context import Architecture

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "build"
REQUIREMENTS = PROJECT / "functions" / "requirements.txt"

_MACHINES = {Architecture.ARM64: "aarch64", Architecture.X86_64: "x86_64"}
_GLIBC = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
"""Wheels that run on Amazon Linux 2023, which every Lambda runtime from Python 3.12 on stands on (glibc 2.34)."""

_INSTALLERS_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What pip leaves beside a distribution's metadata (PyPA: Recording installed projects). RECORD hashes commands, too,
and a command's first line is the path of the Python that ran pip; the others say how pip was called."""

_PARTS_FOR_OTHERS = (
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/batch",
    "aws_lambda_powertools/utilities/circuit_breaker",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/idempotency",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parameters",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "pydantic/v1",
    "urllib3/contrib/emscripten",
)
"""What no function uses, and nothing that one uses imports; pydantic looks at its own past only to complain of it."""

_NO_USE_IN_A_FUNCTION = (
    *("*.pyi", "test_*.py", "conftest.py"),
    *("aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*", "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz"),
    *("dateutil/rrule.py", "dateutil/tz/win.py", "pydantic/mypy.py", "urllib3/contrib/pyopenssl.py"),
    *("tzdata/zoneinfo/*.tab", "tzdata/zoneinfo/tzdata.zi"),
)
"""Stubs for type checkers, and tests, which some distributions bring along; pages, tables and parts that nobody asks
for."""

_FORGET_CODE_AFTER_S = 3_600
"""Every change of the code leaves a directory behind; a synthesis needs its own for seconds."""


class PackagingFailed(RuntimeError):
    """What is shipped could not be made; the message is pip's last error, or why there is no byte code."""


def dependency_layer(*, architecture: Architecture, python_version: str) -> Path:
    """Directory with `python/`, holding `functions/requirements.txt` as wheels for that machine and Python; botocore
    with the models of those operations only that functions call. Modules are byte code, where this machine can make it.

    Raises:
        PackagingFailed: when pip finds no such wheel, no package index, or a file of another hash than the locked one,
            or when that Python makes no byte code.
    """
    platforms = tuple(f"{glibc}_{_MACHINES[architecture]}" for glibc in _GLIBC)
    python = byte_code.compiler(python_version)
    told = (REQUIREMENTS.read_text(encoding="utf-8"), platforms, python_version, CALLED, python is not None)
    inputs = hashlib.sha256(repr(told).encode())

    def install(directory: Path) -> None:
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
            *("--require-hashes", "--requirement", str(REQUIREMENTS), "--target", str(directory / "python")),
            *("--only-binary", ":all:", "--implementation", "cp", "--python-version", python_version),
        ]
        for platform in platforms:
            command += ["--platform", platform]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            mistakes = [line for line in said if line.startswith("ERROR:")] or said or ["no word from pip"]
            raise PackagingFailed(f"dependencies for {architecture}, Python {python_version}: {mistakes[-1]}")
        api_models.trim(directory / "python" / "botocore" / "data", called=CALLED)
        shutil.rmtree(directory / "python" / "bin", ignore_errors=True)
        for part in _PARTS_FOR_OTHERS:
            shutil.rmtree(directory / "python" / part)
        for pattern in _NO_USE_IN_A_FUNCTION:
            for path in (directory / "python").rglob(pattern):
                path.unlink()
        for metadata in (directory / "python").glob("*.dist-info"):
            for note in _INSTALLERS_NOTES:
                (metadata / note).unlink(missing_ok=True)
        if python is not None:
            _compile(directory / "python", python=python, seen_as="/opt/python")

    return _made_once(f"layer-{architecture}-python{python_version.replace('.', '')}", inputs.hexdigest(), install)


def code(*, compiled_playbooks: str, python_version: str | None) -> Path:
    """Directory with the package `functions` and the playbooks beside it.

    The modules are byte code for that Python, where this machine can make it; for none, and without, they are sources.

    Raises:
        PackagingFailed: when that Python makes no byte code.
    """
    sources = sorted((PROJECT / "functions").rglob("*.py"))
    python = None if python_version is None else byte_code.compiler(python_version)
    inputs = hashlib.sha256(f"{compiled_playbooks}\0{python_version if python else ''}".encode())
    for source in sources:
        inputs.update(f"\0{source.relative_to(PROJECT)}\0".encode())
        inputs.update(source.read_bytes())

    def copy(directory: Path) -> None:
        for source in sources:
            target = directory / source.relative_to(PROJECT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        if python is not None:
            _compile(directory, python=python, seen_as="/var/task")
        (directory / COMPILED_PLAYBOOKS).write_text(compiled_playbooks, encoding="utf-8", newline="\n")

    made = _made_once("code", inputs.hexdigest(), copy)
    for other in BUILD.glob("code-*"):
        if other != made and time.time() - other.stat().st_mtime > _FORGET_CODE_AFTER_S:
            shutil.rmtree(other, ignore_errors=True)
    os.utime(made)
    return made


def _compile(directory: Path, *, python: str, seen_as: str) -> None:
    try:
        byte_code.compile_in_place(directory, python=python, seen_as=seen_as)
    except RuntimeError as failed:
        raise PackagingFailed(str(failed)) from None


def _made_once(name: str, digest: str, make: Callable[[Path], None]) -> Path:
    """Build where nobody looks and move it into place, so that an interrupted build leaves nothing half done.

    `digest` tells the inputs; how they are treated is the text of the files that treat them.
    """
    recipe = hashlib.sha256(digest.encode())
    for treatment in (__file__, api_models.__file__, byte_code.__file__):
        recipe.update(Path(treatment).read_bytes())
    finished = BUILD / f"{name}-{recipe.hexdigest()[:16]}"
    if finished.is_dir():
        return finished
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".making-") as scratch:
        unfinished = Path(scratch) / name
        unfinished.mkdir()
        make(unfinished)
        _open_to_all(unfinished)
        try:
            os.rename(unfinished, finished)
        except OSError:
            # Another synth made the same directory meanwhile; its content is equal.
            if not finished.is_dir():
                raise
    return finished


def _open_to_all(directory: Path) -> None:
    """Everybody may read, whatever this machine's umask: the zip keeps the modes, and a function is another user.

    (Lambda Developer Guide, .zip file archives: 644 for files, 755 for directories.)
    """
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
