"""The file of figures, into which several commands write one after the other: each its own keys."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from functions.domain.errors import InputError


def add(path: Path, figures: Mapping[str, object]) -> None:
    """Write these into the file, and leave what it has by other names. Without a file one is made.

    Raises:
        InputError: if what lies there is no file of figures.
    """
    try:
        kept = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no file of figures ({error}); name another, or remove it") from None
    if not isinstance(kept, dict):
        raise InputError(f"{path} is no file of figures, which is a JSON object; name another, or remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: whoever is interrupted here leaves the others' figures as they are.
    written = path.with_name(f"{path.name}.new")
    written.write_text(json.dumps({**kept, **figures}, indent=2) + "\n")
    os.replace(written, path)
