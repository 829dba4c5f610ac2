"""What is shipped to Lambda: the code, and the dependencies as that machine and that Python need them."""

import ast
import hashlib
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import aws_cdk as cdk
import pytest

from functions.playbooks.compiled import Compiled
from functions.settings import COMPILED_PLAYBOOKS
from infra import packaging
from infra.byte_code import compile_in_place, compiler, without_docstrings
from infra.context import Architecture, Deployment
from tests.infra.synthesis import PROJECT, Synthesis
from tools.chaos.rights.scenes import recorded

AT_THE_DESK = ("loading.py", "tree.py")
"""Of `functions/playbooks`: what reads YAML."""

AARCH64 = 183
"""`e_machine` of an ELF file for 64-bit Arm (System V ABI, ELF header)."""


@pytest.fixture(scope="module")
def code(synthesis: Synthesis) -> Path:
    """The one directory that all functions run."""
    directories = {
        synthesis.asset(properties, "Code")
        for properties in synthesis.responder.resources("AWS::Lambda::Function").values()
    }
    (directory,) = directories
    return directory


@pytest.fixture(scope="module")
def layer(synthesis: Synthesis) -> Path:
    ((_, properties),) = synthesis.responder.resources("AWS::Lambda::LayerVersion").items()
    return synthesis.asset(properties, "Content") / "python"


def test_the_code_is_the_package_and_the_playbooks(code: Path) -> None:
    """Every module of `functions`, the compiled playbooks, and nothing else: no test, no cache, no secret."""
    suffix = ".py" if compiler(Deployment.python_version) is None else ".pyc"
    shipped = {path.relative_to(code) for path in code.rglob("*") if path.is_file()}
    modules = {path.relative_to(PROJECT).with_suffix(suffix) for path in (PROJECT / "functions").rglob("*.py")}
    assert shipped == {*modules, Path(COMPILED_PLAYBOOKS)}


def test_every_handler_is_shipped(synthesis: Synthesis, code: Path) -> None:
    """What a function is told to run is there."""
    for properties in synthesis.responder.resources("AWS::Lambda::Function").values():
        module = properties["Handler"].removesuffix(".handler").replace(".", "/")
        assert list((code / module).parent.glob(f"{Path(module).name}.py*"))
        assert "def handler(" in (PROJECT / f"{module}.py").read_text()


def test_everything_the_functions_import_is_shipped(layer: Path) -> None:
    """No function fails at import: what is not Python's own lies in the layer. Loading YAML stays at the desk."""
    at_the_desk = {PROJECT / "functions" / "playbooks" / name for name in AT_THE_DESK}
    imported = {
        name.partition(".")[0]
        for source in (PROJECT / "functions").rglob("*.py")
        if source not in at_the_desk
        for name in imports(ast.parse(source.read_text()))
    }
    outside = imported - sys.stdlib_module_names - {"functions"}
    assert {name for name in outside if not list(layer.glob(f"{name}*"))} == set()
    assert "botocore" in outside


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def test_the_functions_get_the_playbooks_of_their_region(code: Path) -> None:
    """The functions read, without YAML, what synth validated."""
    playbooks = Compiled.of(code / COMPILED_PLAYBOOKS).values()
    assert [playbook.ref.key for playbook in playbooks] == ["eu-west-1/shop/orders", "eu-west-1/shop/pay_ments"]


def test_every_compiled_library_fits_the_machine_and_the_python(layer: Path) -> None:
    """Built for 64-bit Arm and for CPython 3.13 or its stable ABI; one of another kind would fail at import."""
    libraries = list(layer.rglob("*.so"))
    assert any(library.parent.name == "pydantic_core" for library in libraries)
    for library in libraries:
        header = library.read_bytes()[:20]
        assert header[:4] == b"\x7fELF", library
        assert struct.unpack("<H", header[18:20]) == (AARCH64,), library
        assert ".cpython-313-" in library.name or ".abi3." in library.name, library


def test_the_layer_holds_the_pinned_versions(layer: Path) -> None:
    """Exactly what `functions/requirements.txt` pins, botocore included: Lambda's own changes with the day."""
    lines = re.findall(r"^([\w.-]+)==(\S+)", packaging.REQUIREMENTS.read_text(), re.M)
    pinned = {(name.replace("_", "-").lower(), version) for name, version in lines}
    shipped = {
        tuple(path.name.removesuffix(".dist-info").replace("_", "-").lower().rsplit("-", 1))
        for path in layer.glob("*.dist-info")
    }
    assert shipped == pinned
    assert "botocore" in {name for name, _ in shipped}


def test_the_layer_fits_into_lambda(layer: Path) -> None:
    """Layer and code stay well below the 250 MB that a function may have unzipped (Lambda quotas)."""
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) < 100_000_000


def test_nothing_of_the_desk_is_shipped(code: Path, layer: Path) -> None:
    """No test, no stand-in for AWS, no CDK, no cache, no command, and nothing that tells where it was built."""
    rooms = {"tests", "infra", "tools", "aws_cdk", "constructs", "jsii", "moto", "ministack", "pytest", "pip", "bin"}
    assert rooms.isdisjoint({path.name for root in (code, layer) for path in root.iterdir()})
    inside = [path for root in (code, layer) for path in root.rglob("*")]
    assert {"tests", "__pycache__", "RECORD", "direct_url.json", "INSTALLER"}.isdisjoint({p.name for p in inside})
    assert [path for path in inside if path.suffix == ".pth" or path.is_symlink()] == []


def test_everybody_may_read_what_is_shipped(code: Path, layer: Path) -> None:
    """The zip keeps the modes of files, and a function does not run as who built it."""
    assert {path.stat().st_mode & 0o777 for root in (code, layer) for path in root.rglob("*") if path.is_file()} == {
        0o644
    }


BUILD_ELSEWHERE = """
import os, sys, time
os.umask(0o077)
from pathlib import Path
from infra.context import Architecture
from infra.packaging import code, dependency_layer
print(code(compiled_playbooks=Path(sys.argv[1]).read_text(encoding="utf-8"), python_version=sys.argv[3]))
print(dependency_layer(architecture=Architecture(sys.argv[2]), python_version=sys.argv[3]))
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, code: Path) -> tuple[Path, Path]:
    """Code and layer as another clone builds them: another path, another Python's path, older files, written in another
    order, another umask, locale, time zone and order of sets."""
    clone = tmp_path_factory.mktemp("another clone")
    sources = [path for room in ("functions", "infra") for path in (PROJECT / room).rglob("*") if path.is_file()]
    for source in sorted(sources, reverse=True):
        if "__pycache__" not in source.parts:
            target = clone / source.relative_to(PROJECT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            os.utime(target, (0, time.time() - 400 * 86_400))
    python = clone / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    done = subprocess.run(
        [python, "-c", BUILD_ELSEWHERE, code / COMPILED_PLAYBOOKS, Architecture.ARM64, Deployment.python_version],
        cwd=clone,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("LC_")},
            "PYTHONPATH": os.pathsep.join([str(clone), sysconfig.get_path("purelib")]),
            "PYTHONHASHSEED": "4711",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
            "LC_ALL": "C",
            "TZ": "Asia/Kolkata",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = [Path(line) for line in done.stdout.splitlines()]
    assert all(path.is_relative_to(clone) for path in made)
    return made[0], made[1]


def shipped(directory: Path) -> Mapping[str, tuple[int, str]]:
    """Mode and hash of every file."""
    return {
        str(path.relative_to(directory)): (path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("part", [0, 1], ids=["code", "layer"])
def test_one_commit_gives_one_asset(part: int, code: Path, layer: Path, elsewhere: tuple[Path, Path]) -> None:
    """Two clones build the same files, so CDK gives them one hash: what was reviewed is what is deployed."""
    here = (code, layer.parent)[part]
    there = elsewhere[part]
    assert shipped(here) == shipped(there)
    assert cdk.FileSystem.fingerprint(str(here)) == cdk.FileSystem.fingerprint(str(there))
    assert here.name == f"asset.{cdk.FileSystem.fingerprint(str(there))}"


def test_a_file_of_another_hash_is_not_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that was replaced after it was locked ends the build."""
    lock = re.sub(r"(?<=sha256:)[0-9a-f]{8}", "0" * 8, packaging.REQUIREMENTS.read_text())
    other = tmp_path / "requirements.txt"
    other.write_text(lock)
    monkeypatch.setattr(packaging, "REQUIREMENTS", other)
    monkeypatch.setattr(packaging, "BUILD", tmp_path / "build")
    with pytest.raises(packaging.PackagingFailed, match="DO NOT MATCH THE HASHES"):
        packaging.dependency_layer(architecture=Architecture.ARM64, python_version=Deployment.python_version)
    assert list((tmp_path / "build").iterdir()) == []


# --- byte code

OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
OWN_MACHINE = Architecture.ARM64 if platform.machine() in ("aarch64", "arm64") else Architecture.X86_64

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
foreign = [m.__name__ for m in list(sys.modules.values()) if (getattr(m, "__file__", None) or "").endswith(".py")
           and any(root in m.__file__ for root in sys.path[:2])]
print(foreign, importlib.import_module("functions.workflow.table").next_step.__code__.co_filename)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are for Lambda's Linux")
def test_a_function_runs_from_byte_code_alone() -> None:
    """For a Python that this machine has, every module of ours and of the layer is there without its source, imports
    with nothing else installed, and tells tracebacks where it lies in a function."""
    code = packaging.code(compiled_playbooks="", python_version=OWN_VERSION)
    layer = packaging.dependency_layer(architecture=OWN_MACHINE, python_version=OWN_VERSION) / "python"
    assert [path for root in (code, layer) for path in root.rglob("*.py")] == []
    modules = [
        ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((PROJECT / "functions").rglob("*.py"))
        if path.name not in AT_THE_DESK
    ]
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", IMPORT_ALL, *modules],
        env={"PYTHONPATH": os.pathsep.join(map(str, (code, layer))), "AWS_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["[]", "/var/task/functions/workflow/table.py"]


RECORD_ALL = """
import json
import botocore.session, functions, pydantic
from tools.chaos.rights.scenes import recorded
assert not hasattr(botocore.session.get_session().create_client("ec2", region_name="eu-west-1"), "describe_instances")
shipped = [module.__file__ for module in (botocore.session, functions, pydantic)]
print(json.dumps([shipped, {function: sorted(calls) for function, calls in recorded().items()}]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are for Lambda's Linux")
def test_every_function_does_from_it_all_that_it_is_there_for() -> None:
    """In scenes in which each function makes every call that it is granted, the shipped code with the shipped libraries
    makes the calls that the sources make."""
    code = packaging.code(compiled_playbooks="", python_version=OWN_VERSION)
    layer = packaging.dependency_layer(architecture=OWN_MACHINE, python_version=OWN_VERSION) / "python"
    done = subprocess.run(
        [sys.executable, "-P", "-c", RECORD_ALL],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (code, layer, PROJECT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shipped, calls = json.loads(done.stdout.splitlines()[-1])
    assert [Path(file).suffix for file in shipped] == [".pyc"] * 3
    assert calls == {function: sorted(made) for function, made in recorded().items()}
    assert len(calls) > 15


def test_without_that_python_sources_are_shipped() -> None:
    """No machine has this one; whoever deploys from it is told, and nothing else differs."""
    assert compiler("3.99") is None
    code = packaging.code(compiled_playbooks="", python_version="3.99")
    assert list(code.rglob("*.pyc")) == []
    assert (code / "functions" / "handlers" / "intake.py").exists()


def test_a_python_that_makes_none_ends_the_build(tmp_path: Path) -> None:
    """Sources that pass for byte code would be slow, and nobody would know."""
    (tmp_path / "module.py").write_text("KNOWN = 1\n")
    with pytest.raises(RuntimeError, match="made no byte code"):
        compile_in_place(tmp_path, python=shutil.which("false") or "false", seen_as="/var/task")
    assert (tmp_path / "module.py").exists()


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (b'"""m"""\nfrom __future__ import annotations\n', b"\nfrom __future__ import annotations\n"),
        (b'def f(): "d"\n', b"def f(): None\n"),
        (b'def f():\n    ("a"\n     "b")\n    return 1\n', b"def f():\n    None\n\n    return 1\n"),
        (b'def f():\n    """x\n    y"""; return 2\n', b"def f():\n    None; return 2\n\n"),
        ('async def f():\r\n    """é\r\n    """\r\n'.encode(), b"async def f():\r\n    None\r\n\n"),
        (b'class A:\n    """kept"""\n    x: int\n    """gone by itself"""\n', None),
        (b'def f():\n    x = """d"""\n', None),
        (b"def f(:\n", None),
        (b"# coding: latin-1\nx = '\xe9'\n", None),
    ],
)
def test_what_functions_say_to_readers_stays_behind(source: bytes, left: bytes | None) -> None:
    """What classes say stays, because dataclasses would make it up anew at every start."""
    assert without_docstrings(source) == (source if left is None else left)


def test_a_program_without_docstrings_is_the_same_program() -> None:
    """Every line of our own does what it did, where it stood."""
    for path in sorted((PROJECT / "functions").rglob("*.py")):
        before, after = (ast.parse(text) for text in (path.read_bytes(), without_docstrings(path.read_bytes())))
        for node in (node for tree in (before, after) for node in ast.walk(tree)):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
                first = node.body[0]
                if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                    node.body.pop(0)
        assert where(before) == where(after), path


def where(tree: ast.AST) -> list[tuple[str, int]]:
    """Every statement, with its line."""
    return [(ast.dump(node), node.lineno) for node in ast.walk(tree) if isinstance(node, ast.stmt)]


def test_byte_code_tells_neither_when_nor_where_it_was_made(tmp_path: Path) -> None:
    """So that one commit is one asset; a file that is no Python of today stays as it is."""
    made: list[bytes] = []
    for place in ("one", "another place"):
        directory = tmp_path / place
        (directory / "package").mkdir(parents=True)
        (directory / "package" / "module.py").write_text("KNOWN = 'abc' in {'x', 'y', 'z', 'abc'}\n")
        (directory / "package" / "template.py").write_text("print 'not of today'\n")
        os.utime(directory / "package" / "module.py", (len(made), len(made)))
        compile_in_place(directory, python=sys.executable, seen_as="/opt/python")
        assert {path.name for path in (directory / "package").iterdir()} == {"module.pyc", "template.py"}
        made.append((directory / "package" / "module.pyc").read_bytes())
    assert made[0] == made[1]
