"""Byte code in the place of sources: what is imported need not be compiled first.

A function finds its files on a disk that it cannot write to, so that Python would compile all that it imports at every
start; for one of ours that takes as long again as everything else. Byte code is of use only to the Python that it was
made for, and is made by that one, which this machine may have beside its own. What functions and modules say of
themselves to readers stays behind.
"""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from shutil import which

_WHICH_ONE = "import sys; print(sys.implementation.name, *sys.version_info[:2], sys.executable, sep='\\n')"
"""A name on the path may be a script that looks for the interpreter: the executable is it itself."""


@cache
def compiler(python_version: str) -> str | None:
    """A CPython of that version, such as 3.13, on this machine: this one, or one that the path has; None without."""
    major, minor = python_version.split(".")
    for candidate in (sys.executable, which(f"python{python_version}")):
        if candidate is None:
            continue
        told = subprocess.run([candidate, "-c", _WHICH_ONE], capture_output=True, text=True, check=False)
        if told.returncode == 0 and told.stdout.splitlines()[:3] == ["cpython", major, minor]:
            return told.stdout.splitlines()[3]
    return None


def compile_in_place(directory: Path, *, python: str, seen_as: str) -> None:
    """Replace every source file below the directory by its byte code, without docstrings of functions and modules; one
    that does not compile stays.

    `seen_as`: where the directory lies in a function, which tracebacks name. The same sources give the same bytes:
    neither times nor paths nor the order of sets are in them.

    Raises:
        RuntimeError: if there is no byte code at all.
    """
    for source in directory.rglob("*.py"):
        source.write_bytes(without_docstrings(source.read_bytes()))
    options = ["-q", "-b", "-j1", "--invalidation-mode", "unchecked-hash", "-s", str(directory), "-p", seen_as]
    # It fails when one file does, and some libraries have templates that are no Python of today.
    done = subprocess.run(
        [python, "-m", "compileall", *options, str(directory)],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    compiled = [source for source in directory.rglob("*.py") if source.with_suffix(".pyc").exists()]
    if not compiled:
        raise RuntimeError(f"{python} made no byte code: {(done.stderr or done.stdout).strip()[-500:]}")
    for source in compiled:
        source.unlink()


def without_docstrings(source: bytes) -> bytes:
    """The same program, line by line, without the docstrings of its functions and of itself.

    Those of classes stay: where there is none, dataclasses make one up at every start, which takes longer. What this
    Python cannot read is left as it is.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    lines = source.splitlines(keepends=True)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            _blank(lines, node.body[0], filler=b"" if isinstance(node, ast.Module) else b"None")
    return b"".join(lines)


def _blank(lines: list[bytes], said: ast.stmt, *, filler: bytes) -> None:
    """Put the filler in the place of a statement, and leave as many lines as there were."""
    first, last = said.lineno - 1, (said.end_lineno or said.lineno) - 1
    after = lines[last][said.end_col_offset :]
    lines[first] = lines[first][: said.col_offset] + filler + after
    lines[first + 1 : last + 1] = [b"\n"] * (last - first)
