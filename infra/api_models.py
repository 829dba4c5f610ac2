"""botocore's models of AWS, down to what a function reads when it makes its clients.

They are most of what botocore weighs, and reading them is most of what making a client takes: each comes with the whole
reference of its service, and compressed. Taken out are services and operations that nothing here calls, what is only
there to be read by people, and examples; what is left is what it was: a client sends and understands the same.
"""

import gzip
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

_ENDPOINTS = "endpoints.json"
"""What botocore knows of every service in every Region; a service that it does not name there has the usual address."""

_EXAMPLES = "examples-1."
_MODEL = "service-2.json"
_MORE = "service-2.sdk-extras.json"

_IMPLIED: Mapping[str, tuple[str, ...]] = {"s3": ("CreateSession", "HeadBucket")}
"""What botocore calls by itself: to find the Region of a bucket, and to be let into one of S3 Express."""


def trim(data: Path, *, called: Mapping[str, Collection[str]]) -> None:
    """Leave in `botocore/data` what clients need that call these operations, by service; the directory is changed.

    Raises:
        LookupError: if botocore has no model of one of them.
    """
    for other in [path for path in data.iterdir() if path.is_dir() and path.name not in called]:
        rmtree(other)
    prefixes: set[str] = set()
    modelled: dict[str, set[str]] = {}
    for path in sorted(data.glob("*/*/*")):
        if path.name.startswith(_EXAMPLES):
            path.unlink()
        elif path.name in (_MODEL, f"{_MODEL}.gz"):
            service, model = path.parts[-3], without_documentation(_whole(path))
            prefixes.add(model["metadata"]["endpointPrefix"])
            model = _only(model, {*called[service], *_IMPLIED.get(service, ())})
            modelled.setdefault(service, set()).update(model["operations"])
            _write(path, model)
        elif path.exists():
            _write(path, without_documentation(_read(path)))
    for service, operations in called.items():
        if missing := set(operations) - modelled.get(service, set()):
            raise LookupError(f"botocore has no model of {service} {', '.join(sorted(missing))}")
    endpoints = _read(data / _ENDPOINTS)
    for partition in endpoints["partitions"]:
        partition["services"] = {name: said for name, said in partition["services"].items() if name in prefixes}
    _write(data / _ENDPOINTS, endpoints)


def _whole(path: Path) -> Any:
    """A model with what botocore adds to it, in a file beside it that is then of no more use."""
    model, more = _read(path), path.with_name(_MORE)
    if more.exists():
        _add(model, _read(more)["merge"])
        more.unlink()
    return model


def _add(to: Any, more: Any) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(to.get(key), dict):
            _add(to[key], value)
        else:
            to[key] = value


def _only(model: Any, operations: Collection[str]) -> Any:
    """A service of these operations alone, with the shapes that they name, and those that these name in turn."""
    kept = {name: said for name, said in model["operations"].items() if name in operations}
    shapes: dict[str, Any] = {}
    left = set(_named(kept))
    while left:
        name = left.pop()
        shapes[name] = model["shapes"][name]
        left.update(set(_named(shapes[name])) - shapes.keys())
    return {**model, "operations": kept, "shapes": {name: shapes[name] for name in sorted(shapes)}}


def _named(part: Any) -> Iterator[str]:
    """The shapes that a part of a model names: `shape` is a reference wherever it holds a text."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _named(each)


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
