"""The tables of the page about the keys of a playbook, made from the models that read it.

python -m tools.reference.page     # the tables anew, after a change of the models

What is around the tables is written by hand. A line `<!-- keys: limits scale_out -->` says which keys the table below
it has; a key that no such line names stands with the one before it in the schema.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from functions.playbooks.schema import Playbook, Symptom
from tools.documented import said_of_members
from tools.markdown import code, one_line, table
from tools.reference.keys import Key, as_written, keys_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "playbooks.md"

_TABLES = re.compile(r"<!-- keys: ([a-z_ ]+) -->\n(?:\n|\|.*\n)*")
"""The line that asks for tables, and those that are there."""


def page(text: str) -> str:
    """The page with the tables that the models give it now."""
    named = [found[1].split() for found in _TABLES.finditer(text)]
    told = list(keys_of(Playbook))

    def tables(found: re.Match[str]) -> str:
        made = _tables(found[1].split(), named, told)
        return "\n\n".join([f"<!-- keys: {found[1]} -->", *made, ""])

    return _TABLES.sub(tables, text)


def _tables(wanted: Sequence[str], named: Sequence[Sequence[str]], told: Sequence[Key]) -> Iterator[str]:
    names = _with_followers(wanted, {name for each in named for name in each})
    keys = sorted((key for key in told if key.way[0] in names), key=lambda key: names.index(key.way[0]))
    yield table(("key", "what it is", "what to write", "default"), [_row(key) for key in keys])
    if "alarms" in names:
        yield _symptoms()
    for name in names:
        yield from _defaults(name)


def _with_followers(wanted: Sequence[str], named: set[str]) -> Sequence[str]:
    """The keys that are wanted, and after each those that follow it in the schema and are named nowhere."""
    followed: dict[str, list[str]] = {}
    leader = wanted[0]
    for name in Playbook.model_fields:
        leader = name if name in named else leader
        followed.setdefault(leader, []).append(name)
    return [name for key in wanted for name in followed[key]]


def _row(key: Key) -> tuple[str, ...]:
    name = code(".".join(key.way))
    beside = f"Beside {', '.join(map(code, key.beside))}. " if key.beside else ""
    return f"**{name}**" if key.names_kind else name, one_line(beside + key.says), one_line(key.write), key.default


def _symptoms() -> str:
    said = said_of_members(Symptom)
    rows = [(code(symptom), said[symptom], code(f"{symptom.default_threshold:g}")) for symptom in Symptom]
    return table(("symptom", "what the alarm watches", "default threshold"), rows)


def _defaults(name: str) -> Iterator[str]:
    """What holds for each choice of a key such as `settle`, which has defaults for each."""
    plain = Playbook(region="eu-west-1", cluster="shop", service="orders")
    of_each = getattr(plain, name)
    if not isinstance(of_each, Mapping) or not of_each:
        return
    if not isinstance(next(iter(of_each.values())), BaseModel):
        one = FieldInfo.from_annotation(get_args(Playbook.model_fields[name].annotation)[1])
        yield table(
            ("for", f"default of {code(name)}"), [(code(c), code(as_written(v, one))) for c, v in of_each.items()]
        )
    else:
        rows = [(code(choice), *_values(model)) for choice, model in of_each.items()]
        keys = type(next(iter(of_each.values()))).model_fields
        yield table((f"default of {code(name)}", *keys), rows)


def _values(model: BaseModel) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        yield code(as_written(getattr(model, name), field))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
