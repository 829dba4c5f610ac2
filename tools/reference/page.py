"""The page about the keys of a playbook, made from the models that read it.

python -m tools.reference.page     # the page anew, after a change of the models
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from functions.domain.dependencies import DependencyKind
from functions.playbooks.schema import Playbook, Symptom
from tools.documented import said_of_members
from tools.markdown import bullets, code, one_line, prose, table
from tools.reference.keys import NEEDED, Key, keys_of, length

PAGE = Path(__file__).resolve().parents[2] / "docs" / "playbooks.md"


@dataclass(frozen=True)
class Section:
    """A part of the page: what goes together for people."""

    title: str
    keys: tuple[str, ...]
    """The keys of a playbook that it tells of, and with each those that follow it in the schema and stand nowhere."""
    says: tuple[str, ...]
    example: str
    """A whole playbook, to be copied."""


_HEAD = "region: eu-west-1\ncluster: shop\nservice: orders\n"

SECTIONS: Sequence[Section] = (
    Section(
        "The service",
        ("name", "region", "cluster", "service", "mode", "severity", "sticky_sessions", "overrides"),
        (
            "Which service it is, and how far the responder may go: `observe` pages with what it would do, `ask` asks "
            "people before it acts, `auto` acts. Begin with `observe`, which is the default. One playbook per service.",
            "Target groups, load balancer, log group and scalable target are read from the service at each deployment. "
            "Write them under `overrides` only where the deployment finds another one, or none.",
        ),
        "mode: ask\nseverity: P1               # where the alarm has none of its own\nsticky_sessions: 1h\n"
        "overrides:\n  log_group: /ecs/orders\n",
    ),
    Section(
        "Alarms",
        ("alarms",),
        (
            "An alarm opens an incident and is no reason to act: its own metric is asked again first. Each entry is of "
            "one kind, told by the key in bold; each alarm stands in one playbook only. The deployment creates alarms "
            "on symptoms; those on errors, healthy hosts and response time need an Application Load Balancer. ECS's "
            "own events, such as tasks that die or deployments that fail, are followed without any alarm.",
        ),
        "alarms:\n  - symptom: error-rate\n    threshold: 2            # percent of the requests\n    severity: P1\n"
        "  - symptom: response-time\n    threshold: 1.5          # seconds\n    evaluation_periods: 5\n    datapoints: 3\n"
        "  - existing: orders-checkout-failures\n",
    ),
    Section(
        "Dependencies and checks",
        ("dependencies", "checks"),
        (
            "A dependency is a name and exactly one kind, told by the key in bold. It is *failing*, *slow* or "
            "*throttled*, and then nothing is restarted or scaled; or fine; or *unknown*, when nobody measured it or "
            "it could not be read. Unknown vetoes nothing and is never taken for fine. What has metrics is in trouble "
            'when two of the last three minutes were bad. "Far longer than usual" is three times the median of the '
            "last three hours, and at least half a second (20 ms for a database's storage).",
            "Checks are of the same kinds. They run once a minute while a release is in its `bake` time. One that is "
            "in trouble makes the release *suspect*: it is not rolled back for that, but never rolled back to. A "
            "release is *good* after passing every check for its bake time, three looks at least; what nobody could "
            "read only prolongs. A suspect release that then passes a whole bake time is good, too.",
        ),
        "dependencies:\n  - name: orders-db\n    rds: orders-db\n    connections: 400\n"
        "  - {name: stock, ecs: shop/stock}\n"
        "  - name: backlog\n    metric:\n      namespace: AWS/SQS\n      metric: ApproximateAgeOfOldestMessage\n"
        "      dimensions: {QueueName: orders}\n      statistic: Maximum\n      above: 600\n"
        "checks:\n  - name: front-page\n    http: {url: https://shop.example.com/, timeout: 2s}\n",
    ),
    Section(
        "Limits",
        ("limits", "scale_out", "zonal_shift", "confidence"),
        (
            "A limit of `0` means none allowed; a limit that is absent has its default. Whatever a limit forbids goes "
            "to people, with the plan that was not carried out.",
        ),
        "mode: auto\nlimits:\n  min_tasks: 2\n  max_tasks: 12\n  actions_per_hour: 2\n"
        "scale_out: {step_percent: 100, lease: 1h}\nconfidence: 0.7\n",
    ),
    Section(
        "Ladders and actions",
        ("ladders",),
        (
            "A ladder answers a cause, not an alarm. Its actions are tried from the first to the last, each at most "
            "once in an incident, and it ends with people, whether `page` is written or not. The README has the "
            "[causes, their ladders by default, and the actions](../README.md#write-a-playbook); what each action "
            "needs is in [causes.md](causes.md).",
        ),
        "mode: auto\nladders:\n  stuck-tasks: [page]       # people only, instead of the default\n"
        "  overload: [scale-out, raise-ceiling, page]\n",
    ),
    Section(
        "Times",
        ("settle", "bake"),
        (
            "Lengths of time are written `90s`, `10m` or `1h`, here and everywhere else, and are a day at most. Only "
            "the `period` of an alarm or a metric is a plain number of seconds, as CloudWatch has it.",
        ),
        "bake: 30m\nsettle:\n  roll-back: {deadline: 15m}   # its tasks take long to start\n",
    ),
    Section(
        "People",
        ("approval", "notify"),
        (
            "Pages go to one topic of SNS, and with them the requests for a yes or a no and the news that all is well "
            "again. [operations.md](operations.md#reading-a-page) says how to read and to answer them.",
        ),
        "mode: ask\napproval: {expires: 30m}\nnotify:\n  email: [on-call@example.com]\n"
        '  https: ["https://pager.example.com/hooks/orders"]\n',
    ),
)

_PLAIN = Playbook(region="eu-west-1", cluster="shop", service="orders")


def page() -> str:
    """The whole page, with a newline at the end."""
    keys = list(keys_of(Playbook))
    parts = [*_head(), *(part for section in SECTIONS for part in _section(section, keys))]
    return "\n\n".join(parts) + "\n"


def section_of(key: str) -> Section:
    """Where a key of a playbook is told of: where it is put, else where the key before it in the schema is."""
    names = list(Playbook.model_fields)
    for name in reversed(names[: names.index(key) + 1]):
        for section in SECTIONS:
            if name in section.keys:
                return section
    return SECTIONS[0]


def _head() -> Iterator[str]:
    yield "# Every key of a playbook"
    yield "<!-- Made by `make reference` from the models that read playbooks. -->"
    yield prose(
        "One YAML file per service says what the responder watches and how far it may go. Everything may be left out "
        "but `region`, `cluster` and `service`. If you have none yet, [write your first](first-playbook.md); "
        "`playbooks/examples/complete.yaml` has every key in one file."
    )
    yield bullets(
        "A key that is not known is an error: a misspelt limit must never be a limit that is not there.",
        "Keys are named from the top, as the messages of `responder check` name them: `limits.max_tasks` is `max_tasks:` "
        "in the lines below `limits:`. Capitals stand for what you choose.",
        f"*{NEEDED}* is a key without a default. An empty default means none.",
        "What `variants:` is for, one file for several environments, shows `playbooks/examples/variants.yaml`.",
    )


def _section(section: Section, keys: Sequence[Key]) -> Iterator[str]:
    yield f"## {section.title}"
    yield from map(prose, section.says)
    mine = [key for key in keys if section_of(key.way[0]) is section]
    # In the order in which the section names them, and then as the schema has them.
    placed = {name: place for place, name in enumerate(section.keys)}
    mine.sort(key=lambda key: placed.get(_leader(key.way[0]), 0))
    yield table(("key", "what it is", "what to write", "default"), [_row(key) for key in mine])
    if "alarms" in section.keys:
        yield _symptoms()
    for name in dict.fromkeys(key.way[0] for key in mine):
        yield from _defaults(name)
    yield f"```yaml\n{_HEAD}{section.example}```"


def _leader(key: str) -> str:
    """The key that decides where another one stands."""
    names = list(Playbook.model_fields)
    known = {name for section in SECTIONS for name in section.keys}
    return next(name for name in reversed(names[: names.index(key) + 1]) if name in known)


def _row(key: Key) -> tuple[str, ...]:
    name = code(".".join(key.way))
    beside = f"Beside {', '.join(map(code, key.beside))}. " if key.beside else ""
    return f"**{name}**" if key.names_kind else name, one_line(beside + key.says), key.write, key.default
