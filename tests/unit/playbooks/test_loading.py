"""Reading playbooks: every mistake has its file, its line, and what to write instead."""

import subprocess
import sys
from pathlib import Path

import pytest

from functions.domain.errors import PlaybookError
from functions.domain.incidents import Mode
from functions.playbooks.loading import load_playbooks

HEAD = "region: eu-west-1\ncluster: shop\nservice: orders\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders.yaml"


def mistakes(*paths: Path, variant: str | None = None) -> list[str]:
    with pytest.raises(PlaybookError) as raised:
        load_playbooks(paths, variant=variant)
    return str(raised.value).splitlines()


def test_the_smallest_file(file: Path) -> None:
    """Three lines are a playbook, named after its file."""
    file.write_text(HEAD)

    (playbook,) = load_playbooks([file])
    assert playbook.name == "orders"
    assert playbook.ref.key == "eu-west-1/shop/orders"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("mode: automatic\n", 4, "mode: 'automatic' is not allowed; write auto"),
        ("sverity: P1\n", 4, "sverity is no key of a playbook; write severity"),
        ("limits:\n  max_task: 3\n", 5, "limits.max_task is no key of a playbook; write max_tasks"),
        (
            "limits:\n  min_tasks: 9\n  max_tasks: 3\n",
            4,
            "limits: min_tasks (9) is above max_tasks (3); write max_tasks: 9 or more, or lower min_tasks",
        ),
        ("contain:\n  evidnce: true\n", 5, "contain.evidnce is no key of a playbook; write evidence"),
        ("contain:\n  ip_set: {name: b, id: '1', scop: REGIONAL}\n", 5, "contain.ip_set.scop is no key of a playbook"),
        ("approval:\n  expire: 5m\n", 5, "approval.expire is no key of a playbook; write expires"),
        ("approval: {expires: 10s}\n", 4, "approval.expires: 10s is out of bounds; write a number greater than"),
        ("limits: {max_tasks: -1}\n", 4, "limits.max_tasks: -1 is out of bounds; write a number greater than"),
        ("limits:\n  cooldown: 5 minutes\n", 5, "'5 minutes' is no length of time; write 90s, 10m or 1h"),
        ("ladders:\n  overlod: [page]\n", 5, "ladders.overlod: 'overlod' is not allowed; write overload"),
        ("ladders:\n  overload:\n    - scaleout\n", 6, "ladders.overload: 'scaleout' is not allowed; write scale-out"),
        ("ladders:\n  overload: [reboot]\n", 5, "write one of: force-new-deployment, scale-out, roll-back, raise-"),
        ("ladders:\n  overload: [page, scale-out]\n", 5, "ladders.overload: nothing comes after page; write it last"),
        ("alarms:\n  - symptom: cpu\n  - symptm: cpu\n", 6, "alarms.symptm is no key of a playbook; write symptom"),
        ("alarms:\n  - existing: x\n    threshold: 5\n", 6, "alarms.threshold is no key"),
        ("alarms:\n  - symptom: cpu\n    datapoints: 9\n", 5, "datapoints (9) is above evaluation_periods (3)"),
        ("dependencies:\n  - name: db\n", 5, "exactly one kind are needed; write one of: alarm,"),
        ("dependencies:\n  - {name: db, rds: a, alarm: b}\n", 5, "exactly one kind"),
        ("dependencies:\n  - {name: db, postgres: a}\n", 5, "exactly one kind"),
        ("dependencies: [db]\n", 4, "exactly one kind"),
        ("dependencies:\n  - {alarm: db-down}\n", 5, "dependencies.name is missing; write a short name"),
        ("dependencies:\n  - name: fn\n    lambda: prices\n    error_percent: 3\n", 7, "write errors_percent"),
        ("dependencies:\n  - name: t\n    dynamodb: carts\n    reboot: true\n", 7, "reboot is no key"),
        ("checks:\n  - name: p\n    http: {urll: https://x.example}\n", 6, "urll is no key of a playbook; write url"),
        ("checks:\n  - name: p\n    http: {url: 'ftp://x.example'}\n", 6, "checks.http.url: no URL that can be asked"),
        ("checks:\n  - name: p\n    http: {url: https://x.example, timeout: 1m}\n", 6, "http.timeout: 1m is out of"),
        ("checks:\n  - name: m\n    metric: {namespace: A, metric: B}\n", 6, "write either above or below"),
        ("dependencies:\n  - {name: db, rds: a}\n  - {name: db, rds: b}\n", 1, "the name 'db' stands there twice"),
        ("sticky_sessions: 0s\n", 4, "sticky_sessions: 0s is out of bounds"),
        ("alarms: {symptom: cpu}\n", 4, "alarms: a mapping is no list; write each item on a line of its own"),
        ("settle:\n  rollback: {first_look: 1m, deadline: 2m}\n", 5, "'rollback' is not allowed; write roll-back"),
        ("confidence: yes\n", 4, "confidence: a yes or no is no number; write one such as 0.6"),
        ("notify:\n", 4, "notify: nothing has no keys; write `key: value` lines below it, or leave it out"),
        ("service: cart\n", 4, "'service' stands there twice; write it once"),
        ("maintenance:\n  - sunday 02:00\n", 5, "maintenance: 'sunday 02:00' has no keys; write `key: value` lines"),
        ("maintenance: [{every: sundy, from: 02:00, to: 04:00}]\n", 4, "every: 'sundy' is not allowed; write sunday"),
        ("maintenance: [{every: day, from: 22:00, to: 26:00}]\n", 4, "'26:00' is no time of day; write one such as"),
        ("maintenance: [{every: day, form: 22:00, to: 23:00}]\n", 4, "maintenance.form is no key of a playbook; write"),
        ("maintenance:\n  - every: day\n    from: 22:00\n", 5, "maintenance.to is missing; write a time of day, such"),
        ("maintenance: [{every: day, from: 1:00, to: 2:00, zone: CEST}]\n", 4, "there is no time zone 'CEST'; write"),
        ("severities:\n  P5: {label: low}\n", 5, "severities.P5: 'P5' is not allowed; write one of: P0, P1,"),
        ("severities:\n  P1:\n    lable: HIGH\n", 6, "severities.P1.lable is no key of a playbook; write label"),
        ("severities: {P1: {respond: soon}}\n", 4, "'soon' is no time to respond; write one from 1m to 24h, 'next bus"),
        ("severities: {P1: {respond: 0}}\n", 4, "'0' is no time to respond"),
        ("severities: {P1: {label: 'a\\nb'}}\n", 4, "does not fit; write what your people call it"),
        ("cluster2: [\n", 5, "is no YAML here"),
        ("a: &x 1\nb: *x\n", 4, "is used a second time through an alias; write it out"),
        ("variants: []\n", 4, "variants holds nothing"),
        ("variants:\n  Prod: {}\n", 5, "'Prod' is no variant's name"),
        ("variants:\n  prod: 5\n", 5, "variant 'prod' is no mapping"),
        ("variants:\n  prod:\n    mode: yolo\n", 6, "mode: 'yolo' is not allowed; write one of: observe, ask, auto"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_line_and_the_remedy(file: Path, text: str, line: int, says: str) -> None:
    """A wrong key, an unknown action, a limit out of order: file, line, and what to write instead."""
    file.write_text(HEAD + text)

    assert any(m.startswith(f"{file}:{line}: ") and says in m for m in mistakes(file)), mistakes(file)


@pytest.mark.parametrize(
    "text", ["", "- a\n", "just text\n", "a: \x01", "? [a]\n: b\n", "x: !!python/object:os.system {}\n"]
)
def test_what_is_no_playbook_at_all(file: Path, text: str) -> None:
    """A file that holds something else is one clear mistake, and nothing in it is ever run."""
    file.write_text(text)

    assert all(m.startswith(str(file)) for m in mistakes(file))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "text",
    [
        "since: 2026-02-30\n",
        "mode: !!int x\n",
        "mode: !!timestamp x\n",
        f"mode: {'[' * 20_000}\n",
        '"mo\\u001b[2Jde": auto\n',
        'mode: "au\\u202eto"\n',
        f"mode: {'9' * 5_000}\n",
    ],
)
def test_what_only_looks_like_a_playbook_is_one_clear_mistake(file: Path, text: str) -> None:
    """A date that is none, a tag, depth, escapes or great length: lines that a terminal can show, and no traceback."""
    file.write_text(HEAD + text)

    told = mistakes(file)
    assert told
    assert all(m.startswith(str(file)) and m.isprintable() and len(m) < 500 for m in told)


def test_a_time_of_day_needs_no_quotes(file: Path) -> None:
    """YAML reads 22:00 as the number 1320; an operator means ten in the evening, and 2:00 is two."""
    file.write_text(HEAD + "maintenance:\n  - {every: saturday, from: 22:00, to: 2:00}\n")
    (playbook,) = load_playbooks([file])
    assert [window.label for window in playbook.maintenance] == ["every saturday 22:00 to 02:00 UTC"]


def test_all_mistakes_at_once(file: Path) -> None:
    """All files are read to their end, and mistakes come in the order of their lines."""
    file.write_text("region: here\ncluster: shop\nmode: yolo\n")
    other = file.with_name("cart.yaml")
    other.write_text("nonsense: 1\n")

    lines = mistakes(file, other)
    assert [line.split(": ")[0] for line in lines] == [
        f"{file}:1", f"{file}:1", f"{file}:3", f"{other}:1", f"{other}:1", f"{other}:1", f"{other}:1",
    ]  # fmt: skip
    assert any("service is missing" in line for line in lines)


def test_a_directory_stands_for_its_files(tmp_path: Path) -> None:
    """Every YAML file of a directory is read, examples below it are not."""
    (tmp_path / "orders.yaml").write_text(HEAD)
    (tmp_path / "cart.yml").write_text(HEAD.replace("orders", "cart"))
    (tmp_path / "README.md").write_text("words")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "bad.yaml").write_text("bad")

    assert [p.name for p in load_playbooks([tmp_path])] == ["cart", "orders"]


def test_a_file_has_a_size_that_people_write(file: Path) -> None:
    """One that is far larger is not parsed at all; the largest that may be is."""
    file.write_text(HEAD + "#" * (64 * 1024 - len(HEAD)))
    assert load_playbooks([file])
    file.write_text(HEAD + "#" * (64 * 1024 - len(HEAD) + 1))
    assert mistakes(file) == [f"{file}: is larger than 64 KB; write several files"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A path that is not there is a mistake like any other."""
    (line,) = mistakes(tmp_path / "gone.yaml")
    assert line == f"{tmp_path / 'gone.yaml'}: cannot be read (No such file or directory)"


VARIANTS = """\
region: eu-west-1
service: orders
limits: {max_tasks: 4, cooldown: 5m}
alarms:
  - symptom: cpu
variants:
  dev: {cluster: shop-dev}
  prod:
    cluster: shop
    mode: auto
    limits: {max_tasks: 40}
    alarms: [{existing: orders-5xx}]
"""


def test_variants_lay_their_keys_over_the_file(file: Path) -> None:
    """Each variant is a playbook of its own: mappings are merged, everything else is replaced."""
    file.write_text(VARIANTS)

    dev, prod = load_playbooks([file])
    assert (dev.name, dev.cluster, dev.mode) == ("orders-dev", "shop-dev", Mode.OBSERVE)
    assert (prod.name, prod.cluster, prod.mode) == ("orders-prod", "shop", Mode.AUTO)
    assert (prod.limits.max_tasks, prod.limits.cooldown) == (40, 300)
    assert prod.alarm_names == ("orders-5xx",)


def test_one_variant_is_chosen(file: Path) -> None:
    """With a variant, files give that one; files without variants always count; an unknown one is a mistake."""
    file.write_text(VARIANTS)
    file.with_name("cart.yaml").write_text(HEAD.replace("orders", "cart"))

    assert [p.name for p in load_playbooks([file.parent], variant="prod")] == ["cart", "orders-prod"]
    assert mistakes(file.parent, variant="prd") == ["no playbook has a variant 'prd'; write one of: dev, prod"]


def test_one_playbook_per_service(file: Path) -> None:
    """Two playbooks for one service contradict each other sooner or later."""
    file.write_text(HEAD)
    other = file.with_name("other.yaml")
    other.write_text(HEAD)

    (line,) = mistakes(file, other)
    assert line == f"{other}:3: eu-west-1/shop/orders has a playbook already, {file}:3; write one playbook per service"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("service: orders\nalarms: [{existing: x}]\n", "service: cart\nalarms: [{existing: x}]\n"),
        ("service: cart\nalarms: [{symptom: cpu}]\n", "service: o\nalarms: [{existing: responder-shop-cart-cpu}]\n"),
        ("service: b-c\nalarms: [{symptom: cpu}]\n", "service: c\ncluster: shop-b\nalarms: [{symptom: cpu}]\n"),
    ],
)
def test_one_playbook_per_alarm(file: Path, first: str, second: str) -> None:
    """An alarm in two playbooks, written or made, would not say whose it is."""
    head = "region: eu-west-1\n"
    other = file.with_name("other.yaml")
    file.write_text(head + ("" if "cluster" in first else "cluster: shop\n") + first)
    other.write_text(head + ("" if "cluster" in second else "cluster: shop\n") + second)

    assert any("write it in one playbook only" in line for line in mistakes(file, other))


def test_functions_need_no_yaml() -> None:
    """What runs in Lambda reads compiled playbooks and never imports the YAML reader."""
    code = (
        "import sys; import functions.playbooks.compiled, functions.playbooks.matching, functions.handlers.signals; "
        "sys.exit('yaml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[3]).returncode == 0
