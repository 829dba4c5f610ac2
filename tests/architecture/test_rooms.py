"""The rooms of the project, and the few rules that hold between them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def modules(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((PROJECT / room).rglob("*.py"))


def attributes(tree: ast.AST) -> Iterator[str]:
    """Every `name.attribute` in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_room_imports_what_it_may_not_see() -> None:
    """Every import contract of `pyproject.toml` is kept."""
    # In a process of its own: it silences every logger there is.
    check = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(cache_dir=None))",
    ]
    done = subprocess.run(check, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_environment_is_read_in_one_place() -> None:
    """Of all that is deployed or synthesised, only the settings know environment variables; the app knows CDK's own."""
    readers = {
        path.relative_to(PROJECT)
        for path in modules("functions", "infra")
        if {"os.environ", "os.getenv"} & set(attributes(ast.parse(path.read_text())))
    }
    assert readers == {Path("functions/settings.py")}


def test_nothing_in_the_functions_asks_for_the_time_or_for_chance_but_the_clock() -> None:
    """Decisions can be replayed: the core gets the time handed in and throws no dice."""
    forbidden = {"datetime.now", "datetime.utcnow", "time.time", "random.random", "uuid.uuid4"}
    pure = [f"functions/{room}" for room in ("workflow", "playbooks", "guardrails", "diagnostics", "actions", "domain")]
    guilty = {
        path.relative_to(PROJECT) for path in modules(*pure) if forbidden & set(attributes(ast.parse(path.read_text())))
    }
    assert guilty == set()


def test_every_function_has_one_handler() -> None:
    """A module of `functions/handlers` is one Lambda function: its docstring says so and it has one `handler`."""
    shared = {"visits.py"}
    for path in sorted((PROJECT / "functions" / "handlers").glob("[a-z]*.py")):
        if path.name in shared:
            continue
        tree = ast.parse(path.read_text())
        assert (ast.get_docstring(tree) or "").startswith(f"Lambda `{path.stem}`")
        handlers = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "handler"]
        assert len(handlers) == 1, path
