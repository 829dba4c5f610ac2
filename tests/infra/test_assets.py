"""What is shipped to Lambda: the code, and the dependencies as that machine and that Python need them."""

import ast
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.playbooks.compiled import load_compiled
from functions.settings import COMPILED_PLAYBOOKS
from tests.infra.synthesis import PROJECT, Synthesis

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
    """Every source file of `functions`, the compiled playbooks, and nothing else: no test, no cache, no secret."""
    shipped = {path.relative_to(code) for path in code.rglob("*") if path.is_file()}
    sources = {path.relative_to(PROJECT) for path in (PROJECT / "functions").rglob("*.py")}
    assert shipped == {*sources, Path(COMPILED_PLAYBOOKS)}


def test_every_handler_is_shipped(synthesis: Synthesis, code: Path) -> None:
    """What a function is told to run is there."""
    for properties in synthesis.responder.resources("AWS::Lambda::Function").values():
        module = properties["Handler"].removesuffix(".handler").replace(".", "/")
        assert "def handler(" in (code / f"{module}.py").read_text()


def test_everything_the_functions_import_is_shipped(code: Path, layer: Path) -> None:
    """No function fails at import: what is not Python's own lies in the layer. Loading YAML stays at the desk."""
    at_the_desk = {code / "functions" / "playbooks" / name for name in ("loading.py", "tree.py")}
    imported = {
        name.partition(".")[0]
        for source in (code / "functions").rglob("*.py")
        if source not in at_the_desk
        for name in imports(ast.parse(source.read_text()))
    }
    outside = imported - sys.stdlib_module_names - {"functions"}
    assert {name for name in outside if not list(layer.glob(f"{name}*"))} == set()
    assert "boto3" in outside


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def test_the_functions_get_the_playbooks_of_their_region(code: Path) -> None:
    """The functions read, without YAML, what synth validated."""
    playbooks = load_compiled((code / COMPILED_PLAYBOOKS).read_text())
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
    """Exactly what `functions/requirements.txt` pins, boto3 included: Lambda's own changes with the day."""
    pinned = {
        tuple(line.strip().replace("_", "-").lower().split("=="))
        for line in (PROJECT / "functions" / "requirements.txt").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    }
    shipped = {
        tuple(path.name.removesuffix(".dist-info").replace("_", "-").lower().rsplit("-", 1))
        for path in layer.glob("*.dist-info")
    }
    assert shipped == pinned
    assert "boto3" in {name for name, _ in shipped}


def test_the_layer_fits_into_lambda(layer: Path) -> None:
    """Layer and code stay well below the 250 MB that a function may have unzipped (Lambda quotas)."""
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) < 100_000_000
