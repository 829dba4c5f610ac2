"""The OpenAPI document of the HTTP API, and the table of its paths, made from the routes that answer.

python -m tools.reference.openapi     # docs/openapi.json and the table of docs/api.md anew, after a change of a route
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functions.handlers.http.app import document
from tools.markdown import code, table

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENT, PAGE = DOCS / "openapi.json", DOCS / "api.md"

_TABLE = re.compile(r"<!-- paths -->\n(?:\n|\|.*\n)*")


def written() -> str:
    """The document as it lies in the docs, the same for the same routes."""
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"


def page(text: str) -> str:
    """The page with the table that the routes give it now."""
    return _TABLE.sub(lambda _: f"<!-- paths -->\n\n{table(('request', 'what it answers', 'body'), rows())}\n", text)


def rows() -> list[tuple[str, str, str]]:
    """One for each path and method, by topic and path."""
    made = document()
    found = [
        (operation["tags"][0], path, method, operation)
        for path, operations in made["paths"].items()
        for method, operation in operations.items()
    ]
    return [
        (code(f"{method.upper()} {path}"), operation["summary"], ", ".join(map(code, _keys(operation, made))))
        for _, path, method, operation in sorted(found, key=lambda each: each[:3])
    ]


def _keys(operation: dict[str, Any], made: dict[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for kind in content.values():
        reference = kind["schema"].get("$ref") or next(r["$ref"] for r in kind["schema"]["allOf"])
        yield from made["components"]["schemas"][reference.rpartition("/")[2]].get("properties", {})


def main() -> None:
    DOCUMENT.write_text(written(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
