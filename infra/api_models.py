"""botocore's models of AWS, down to what a function reads when it makes its clients.

They are most of what botocore weighs, and reading them is most of what making a client takes: each comes with the whole
reference of its service, and compressed. Taken out are services that nothing here calls, what is only there to be read
by people, and examples; what is left is what it was, so that a client sends and understands the same.
"""

import gzip
import json
from collections.abc import Collection
from pathlib import Path
from shutil import rmtree
from typing import Any

_ENDPOINTS = "endpoints.json"
"""What botocore knows of every service in every Region; a service that it does not name there has the usual address."""

_EXAMPLES = "examples-1."


def trim(data: Path, *, services: Collection[str]) -> None:
    """Leave in `botocore/data` what clients of these services need; the directory is changed.

    Raises:
        LookupError: if botocore has no model of one of them.
    """
    missing = set(services) - {path.name for path in data.iterdir()}
    if missing:
        raise LookupError(f"botocore has no model of {', '.join(sorted(missing))}")
    for other in [path for path in data.iterdir() if path.is_dir() and path.name not in services]:
        rmtree(other)
    called: set[str] = set()
    for path in sorted(data.glob("*/*/*")):
        if path.name.startswith(_EXAMPLES):
            path.unlink()
            continue
        model = without_documentation(_read(path))
        called.add(model.get("metadata", {}).get("endpointPrefix"))
        _write(path, model)
    endpoints = _read(data / _ENDPOINTS)
    for partition in endpoints["partitions"]:
        partition["services"] = {name: said for name, said in partition["services"].items() if name in called}
    _write(data / _ENDPOINTS, endpoints)


def without_documentation(model: Any) -> Any:
    """The same without its texts. A member of a structure that bears that name is none: it is a structure itself."""
    if isinstance(model, dict):
        return {
            key: without_documentation(value)
            for key, value in model.items()
            if key != "documentation" or not isinstance(value, str)
        }
    return [without_documentation(each) for each in model] if isinstance(model, list) else model


def _read(path: Path) -> Any:
    written = path.read_bytes()
    return json.loads(gzip.decompress(written) if path.suffix == ".gz" else written)


def _write(path: Path, model: Any) -> None:
    """In the place of the file, and no longer compressed: the asset is a zip, and the function need not unpack it."""
    path.unlink()
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    plain.write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")
