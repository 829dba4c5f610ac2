"""The page about the keys of a playbook is what the models say, and whoever reads it can write what it says."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, get_origin

import pytest
import yaml
from pydantic import BaseModel, Field, ValidationError

from functions.domain.dependencies import DependencyKind
from functions.domain.durations import Seconds, seconds
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import Playbook
from tests.docs.pages import REFERENCE
from tools.reference.keys import NEEDED, Key, keys_of
from tools.reference.page import page

KEYS = list(keys_of(Playbook))


def dotted(key: Key) -> str:
    return ".".join(key.way)


HEAD = {"region": "eu-west-1", "cluster": "shop", "service": "orders"}
BOUNDS = re.compile(r", from (\S+) to (\S+?)(?:,|$)")


def plain(key: Key) -> bool:
    """It stands in no list, and below nothing that the operator chooses."""
    in_list = get_origin(Playbook.model_fields[key.way[0]].annotation) is tuple
    return not in_list and not any(name.isupper() for name in key.way)


def test_the_page_is_what_the_models_say() -> None:
    """Nobody edits its tables: what is wrong in them is wrong in a docstring, in a type or in the generator."""
    assert REFERENCE.text == page(REFERENCE.text), f"run `make reference`: {REFERENCE} is of yesterday"


def test_every_key_is_described() -> None:
    """Whoever adds a key says below it, in a docstring, what it is: operators read that."""
    untold = [dotted(key) for key in KEYS if not key.says]
    assert untold == [], f"say below each, in a docstring, what it is: {', '.join(untold)}"


def test_every_key_is_on_the_page_once() -> None:
    """All that the schema knows are there, wherever the page wants them, and none stands twice."""
    cell = r" (?:[^|\n]|\\\|)*\|"
    shown = re.findall(rf"^\| (?:\*\*)?`([\w.]+)`(?:\*\*)? \|{cell * 3}$", REFERENCE.text, re.M)
    assert sorted(shown) == sorted(map(dotted, KEYS))


def test_every_kind_of_dependency_can_be_told() -> None:
    """Each is in bold, and no other key is."""
    bold = {key.way[-1] for key in KEYS if key.names_kind and key.way[0] == "dependencies"}
    assert bold == set(DependencyKind)


def test_what_the_page_calls_a_default_is_one(tmp_path: Path) -> None:
    """A playbook that writes every default out is the playbook that leaves all of them out."""
    written: dict[str, object] = dict(HEAD)
    for key in KEYS:
        if key.default.startswith("`") and plain(key) and is_there(key):
            *above, last = key.way
            place: dict[str, object] = written
            for name in above:
                place = place.setdefault(name, {})  # type: ignore[assignment]
            place[last] = yaml.safe_load(key.default.strip("`"))
    assert len(written) > len(HEAD) + 5
    file = tmp_path / "orders.yaml"
    assert loaded_from(file, written) == loaded_from(file, HEAD)


def is_there(key: Key) -> bool:
    """What it belongs to is there without a word: a default in what is optional holds only once that is written."""
    value: object = Playbook(region="eu-west-1", cluster="shop", service="orders")
    for name in key.way[:-1]:
        value = getattr(value, name, None)
    return value is not None


def loaded_from(file: Path, said: Mapping[str, object]) -> Playbook:
    file.write_text(yaml.safe_dump(said))
    (playbook,) = load_playbooks([file])
    return playbook


@pytest.mark.parametrize("key", [key for key in KEYS if BOUNDS.search(key.write) and plain(key)], ids=dotted)
def test_what_the_page_calls_bounds_are_those(key: Key) -> None:
    """The loader takes both ends of a span, and nothing beyond them."""
    found = BOUNDS.search(key.write)
    assert found is not None
    low, high = (float(str(seconds(end) if end[-1].isalpha() else end)) for end in found.groups())
    step = 0.01 if key.write.startswith("a number") else 1
    assert [refused(key, value) for value in (low - step, low, high, high + step)] == [True, False, False, True]


def refused(key: Key, value: float) -> bool:
    """Whether the loader finds fault with this very key."""
    said: object = value if key.write.startswith("a number") else round(value)
    for name in reversed(key.way):
        said = {name: said}
    assert isinstance(said, dict)
    try:
        Playbook.model_validate({**HEAD, **said})
    except ValidationError as invalid:
        return any(error["loc"] == key.way for error in invalid.errors())
    return False


def test_each_section_ends_with_an_example() -> None:
    """Of its own keys: a reader sees how they are written."""
    sections = re.split(r"^## ", REFERENCE.text, flags=re.M)[1:]
    for section in sections:
        (names,) = re.findall(r"<!-- keys: (.+) -->", section)
        assert section.rstrip().endswith("```")
        example = yaml.safe_load(section.split("```yaml\n")[-1].split("```")[0])
        assert set(example) & set(names.split()) - {"region", "cluster", "service"}, names


class Toy(BaseModel):
    """A model of every shape."""

    told: Annotated[Seconds, Field(ge=60)] = 90
    """Said."""
    untold: int = Field(default=3, gt=0)
    share_percent: float = Field(ge=0, le=50)
    """Of all."""


def toy() -> Iterator[tuple[str, ...]]:
    for key in keys_of(Toy, below=("toy",)):
        yield dotted(key), key.says, key.write, key.default


def test_types_bounds_and_defaults_are_in_the_words_of_operators() -> None:
    """Lengths of time as they are written, the narrower of two bounds, and nothing where nobody said anything."""
    assert list(toy()) == [
        ("toy.told", "Said.", "a length of time, from 1m to 24h", "`90s`"),
        ("toy.untold", "", "a whole number, above 0", "`3`"),
        ("toy.share_percent", "Of all.", "percent, from 0 to 50", NEEDED),
    ]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("dependencies.errors_percent", [("lambda", "api", "bedrock", "sagemaker"), ("cognito",)]),
        ("dependencies.connections", [("rds",)]),
        ("dependencies.http.url", [()]),
        ("dependencies.name", [()]),
    ],
)
def test_a_key_of_some_kinds_names_them(key: str, said: list[tuple[str, ...]]) -> None:
    """Once for all kinds that have it in the same words, and again where another kind means something else by it."""
    assert [each.beside for each in KEYS if dotted(each) == key] == said
