"""Synthetic checks in a playbook: what may be written, and what is said of what may not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from functions.domain.errors import PlaybookError
from functions.domain.severity import Severity
from functions.playbooks.compiled import Compiled, compile_playbooks
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import Playbook

HEAD = "region: eu-west-1\ncluster: shop\nservice: orders\nalarms:\n"
CHECK = "  - check: up\n    url: https://shop.example.com\n"
ELSEWHERE = "arn:aws:secretsmanager:us-east-1:123456789012:secret:cron-Ab12Cd"
NEAR = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cron-Ab12Cd"


def playbook(*alarms: dict[str, Any]) -> Playbook:
    return Playbook.model_validate(
        {"region": "eu-west-1", "cluster": "shop", "service": "orders", "severity": "P1", "alarms": alarms}
    )


def written(**said: Any) -> dict[str, Any]:
    return {"check": "up", "url": "https://shop.example.com", **said}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("timeout: 11s", "alarms.timeout: 11s is out of bounds; write a number less than or equal to 10"),
        ("timeout: soon", "alarms.timeout: 'soon' is no length of time; write 90s, 10m or 1h"),
        ("status: 700", "alarms.status: 700 is out of bounds; write a number less than or equal to 599"),
        (
            "threshold: 3",
            (
                "alarms.threshold is no key of a playbook; write one of: check, url, status, json, websocket, header, "
                "timeout, evaluation_periods, datapoints, severity"
            ),
        ),
        ("sevrity: P1", "alarms.sevrity is no key of a playbook; write severity"),
        ("datapoints: 4", "alarms: datapoints (4) is above evaluation_periods (3); write datapoints: 3 or less"),
        ("websocket: maybe", "alarms.websocket: 'maybe' is neither yes nor no; write true or false"),
        ("json: {field: a}", "alarms.json: a field has one limit; write either above, below or other_than"),
        (
            "json: {field: a, above: 0, below: 9}",
            "alarms.json: a field has one limit; write either above, below or other_than",
        ),
        ("json: {above: 0}", "alarms.json.field is missing; write a JMESPath, such as pools.unhealthy"),
        (
            "json: {field: a, equals: 1}",
            "alarms.json.equals is no key of a playbook; write one of: field, above, below, other_than",
        ),
        ("json: {field: 'a[', above: 0}", "alarms.json.field: 'a[' is no JMESPath; write one such as pools.unhealthy"),
        ("json: {field: a, above: '0'}", "alarms.json.above: '0' is no number; write one such as 5"),
        ("json: {field: a, above: .nan}", "alarms.json.above: 'nan' is no number; write one such as 5"),
        (
            "json: {field: a, other_than: [1]}",
            "alarms.json.other_than: not comparable with a field; write a text, a number, true or false",
        ),
        ("json: field", "alarms.json: 'field' has no keys; write `key: value` lines below it, or leave it out"),
        (
            "header: {name: X-Key}",
            "alarms.header.secret is missing; write the name or the ARN of a secret in Secrets Manager",
        ),
        (
            "header: {name: Host, secret: a}",
            "alarms.header.name: the check writes Host by itself; write another header, or leave it out",
        ),
        (
            "header: {name: Sec-WebSocket-Key, secret: a}",
            "alarms.header.name: the check writes Sec-WebSocket-Key by itself; write another header, or leave it out",
        ),
        (
            "header: {name: 'X: Y', secret: a}",
            "alarms.header.name: no header is called that; write one such as Authorization",
        ),
        (
            "header: {name: X, secret: 'a:key::'}",
            "alarms.header.secret: no secret of Secrets Manager is called that; write its name or its whole ARN",
        ),
        (
            "header: {name: X, secret: 'cron-*'}",
            "alarms.header.secret: no secret of Secrets Manager is called that; write its name or its whole ARN",
        ),
        (
            "header: {name: X, secret: 'arn:aws:ssm:eu-west-1:123456789012:parameter/cron'}",
            "alarms.header.secret: no secret of Secrets Manager is called that; write its name or its whole ARN",
        ),
        ("header: {name: X, secret: a, prefx: b}", "alarms.header.prefx is no key of a playbook; write prefix"),
        (
            'header: {name: X, secret: a, prefix: "b\\nY: c"}',
            "alarms.header.prefix: no header can have that; write printable ASCII",
        ),
    ],
)
def test_a_mistake_names_its_line_and_the_remedy(line: str, says: str, tmp_path: Path) -> None:
    """File, line, and what to write instead."""
    file = tmp_path / "orders.yaml"
    file.write_text(f"{HEAD}{CHECK}    {line}\n")
    with pytest.raises(PlaybookError) as raised:
        load_playbooks([file])
    at = 5 if says.startswith("alarms:") else 7
    assert str(raised.value) == f"{file}:{at}: {says}"


@pytest.mark.parametrize(
    ("alarms", "line", "says"),
    [
        ("  - check: up\n", 5, "alarms.url is missing; write one such as https://example.com/health"),
        (
            "  - check: Pool health\n    url: https://shop.example.com\n",
            5,
            (
                "alarms.check: 'Pool health' does not fit; write a name of small letters, digits and hyphens, such as "
                "pool-health"
            ),
        ),
        (
            "  - check: up\n    url: http://shop.example.com\n",
            6,
            "alarms.url: no URL that can be checked; write one that begins with https://, without a password in it",
        ),
        (
            f"{CHECK}    websocket: true\n    status: 200\n",
            5,
            "alarms: a WebSocket opens with 101; leave status out",
        ),
        (
            f"{CHECK}    websocket: true\n    json: {{field: a, above: 0}}\n",
            5,
            "alarms: a WebSocket opens without an answer to read; write json in a check of its own",
        ),
        (
            f"{CHECK}    header: {{name: X, secret: '{ELSEWHERE}'}}\n",
            1,
            "the playbook: alarms: the secret of check 'up' lies in us-east-1; write one of eu-west-1",
        ),
        (
            CHECK + CHECK,
            1,
            (
                "the playbook: alarms: 'responder-shop-orders-check-up' stands there twice; write each symptom, "
                "log, check and existing alarm once"
            ),
        ),
    ],
)
def test_what_does_not_go_together(alarms: str, line: int, says: str, tmp_path: Path) -> None:
    """One mistake each, and the remedy."""
    file = tmp_path / "orders.yaml"
    file.write_text(HEAD + alarms)
    with pytest.raises(PlaybookError) as raised:
        load_playbooks([file])
    assert str(raised.value) == f"{file}:{line}: {says}"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example",
        "wss://shop.example",
        "http://shop.example",
        "http://127.0.0.1.shop.example",
        "http://localhost@shop.example",
        "https://",
        "https://a b",
        "https://shop.example/\n",
        "https://shop.example/\x00",
        "https://shop.example:0",
        "https://shop.example:99999",
        "https://user:word@shop.example",
        f"https://{'a' * 64}.example",
        "https://shöp.example",
        "shop.example",
    ],
)
def test_urls_that_are_not_checked(url: str) -> None:
    """A secret may travel with the request: it goes out encrypted, or it stays on this machine."""
    with pytest.raises(ValidationError, match="no URL that can be checked"):
        playbook(written(url=url))


@pytest.mark.parametrize(
    "url", ["https://shop.example", "https://shop.example:8443/a?b=c", "http://localhost:8080/", "http://127.0.0.1"]
)
def test_urls_that_are_checked(url: str) -> None:
    """With HTTP on this machine alone, where an emulator is."""
    assert playbook(written(url=url)).synthetic_checks[0].url == url


def test_a_check_is_an_alarm() -> None:
    """It has a name of its own, a severity, and M of N minutes."""
    made = playbook(written(severity="P4"), {"symptom": "cpu"})
    assert made.alarm_names == ("responder-shop-orders-check-up", "responder-shop-orders-cpu")
    assert made.severity_of("responder-shop-orders-check-up") is Severity.P4
    assert playbook(written()).severity_of("responder-shop-orders-check-up") is Severity.P1
    (check,) = made.synthetic_checks
    assert (check.evaluation_periods, check.datapoints, check.expected, check.timeout) == (3, 2, 200, 5)
    assert playbook(written(evaluation_periods=1)).synthetic_checks[0].datapoints == 1


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"websocket": True},
        {"status": 204},
        {"json": {"field": "a", "above": 0}},
        {"json": {"field": "a", "below": 0.5}},
        {"json": {"field": "a", "other_than": False}},
        {"json": {"field": "a", "other_than": "ok"}},
        {"header": {"name": "X", "secret": NEAR, "key": "k", "prefix": "Bearer "}},
    ],
    ids=str,
)
def test_a_compiled_check_comes_back_the_same(said: dict[str, Any]) -> None:
    """What the function makes is what was validated."""
    made = playbook(written(**said))
    assert tuple(Compiled(compile_playbooks([made]).encode()).values()) == (made,)
