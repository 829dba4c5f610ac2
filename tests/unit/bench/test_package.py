"""What the bench finds in the package."""

from pathlib import Path

import pytest

from tools.bench import package


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("python/pydantic_core/_pydantic_core.pyi", True),
        ("python/wrapt-stubs/__init__.py", True),
        ("python/annotated_types/test_cases.py", True),
        ("python/somebody/tests/data.json", True),
        ("python/aws_cdk/__init__.py", True),
        ("tools/bench/package.py", True),
        ("functions/handlers/trial.py", False),
        ("functions/workflow/api/trials.py", False),
        ("python/aws_lambda_powertools/utilities/testimony.py", False),
    ],
)
def test_what_is_of_the_desk_is_told_from_what_a_function_needs(inside: str, found: bool) -> None:
    """By its path."""
    assert package.of_the_desk(Path(inside)) is found


def test_the_size_is_that_of_the_archive(tmp_path: Path) -> None:
    """Compressed, with every file in it."""
    file = tmp_path / "a.txt"
    file.write_text("a" * 100_000)

    one = package.zipped([(file, Path("a.txt"))])

    assert one < 1_000
    assert package.zipped([(file, Path("a.txt")), (file, Path("b.txt"))]) > one
