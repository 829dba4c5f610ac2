"""Several commands write their figures into one file."""

import json
from pathlib import Path

import pytest

from functions.domain.errors import InputError
from tools.chaos.figures import add


def test_figures_of_others_stay(tmp_path: Path) -> None:
    """Whatever the order in which the commands run, and however often."""
    path = tmp_path / "build" / "chaos.json"
    add(path, {"crash_points": 1, "double_effects": 2})
    add(path, {"fuzzed": 3})
    add(path, {"crash_points": 4, "double_effects": 0})
    assert json.loads(path.read_text()) == {"crash_points": 4, "double_effects": 0, "fuzzed": 3}


@pytest.mark.parametrize("lies", ["[]", "{", "figures"])
def test_what_is_no_file_of_figures_is_refused_and_kept(tmp_path: Path, lies: str) -> None:
    """Somebody else's file is not written over."""
    path = tmp_path / "notes.json"
    path.write_text(lies)
    with pytest.raises(InputError, match="name another"):
        add(path, {"fuzzed": 3})
    assert path.read_text() == lies
