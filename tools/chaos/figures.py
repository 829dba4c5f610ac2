"""The file of figures: each kind of run adds its own."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def add(path: Path, figures: Mapping[str, int]) -> None:
    """Put these figures into the JSON object of a file, which need not be there; the others stay."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps({**known, **figures}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(new, path)
