"""Which playbook is meant, by the names that people write."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from functions.domain.errors import NotNamed, WhichService
from functions.domain.redaction import clean
from functions.domain.watched import WatchedUrl
from functions.playbooks.schema import Playbook


def the_one(playbooks: Sequence[Playbook], written: str | None) -> Playbook:
    """The playbook of the service that is written as `cluster/service` or `service`; without a word, the only one.

    Raises:
        WhichService: several could be meant.
        NotNamed: there is none.
    """
    said = (written or "").strip("/").split("/")
    if not written:
        meant = list(playbooks)
    elif len(said) == 1:
        meant = [each for each in playbooks if each.service == said[0]]
    else:
        meant = [each for each in playbooks if f"{each.cluster}/{each.service}" == "/".join(said[-2:])]
    if not meant:
        raise NotNamed(f"no playbook is for service {clean(written, limit=120)}" if written else "there is no playbook")
    if len(meant) > 1:
        raise WhichService(tuple(f"{each.cluster}/{each.service}" for each in meant))
    return meant[0]


def origins(playbook: Playbook) -> tuple[str, ...]:
    """Where the service answers, as `scheme://host[:port]`: of its checks, and of nothing that it merely stands on."""
    urls = [check.url for check in playbook.synthetic_checks]
    urls += [check.http.url for check in playbook.checks if isinstance(check, WatchedUrl)]
    return tuple(dict.fromkeys(origin(url) for url in urls))


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in small letters and without the port that the scheme has anyway.

    Raises:
        ValueError: it has none of these, or a password in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(f"{clean(url, limit=100)} is no URL of a host: write one such as https://shop.example.com")
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
