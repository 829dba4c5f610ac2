"""The one way to make an AWS client: Region, time-outs and, above all, whether a call may be sent twice."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock
from typing import Any

import botocore
from botocore.config import Config
from botocore.session import get_session
from botocore.utils import parse_timestamp

from functions.domain.called import Service

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 5
READ_ATTEMPTS = 3

_USER_AGENT = f"ecs-first-responder Botocore/{botocore.__version__}"
"""Whole: what botocore says by itself it puts together anew, twice for each request, in an eighth of a call's CPU."""


class Clients:
    """Makes clients for one Region. Calls nothing; IAM actions are named by the adapters that use the clients.

    A client is made when it is first used, and once: that takes 20 to 90 ms of CPU time, and most events need few of
    the clients that a function has. They are made by botocore, of which boto3 is a shell: importing that, too, takes
    another sixth of a function's start.

    A session is not safe for threads, the clients it has made are: one is made at a time.
    """

    def __init__(self, *, region: str) -> None:
        self._region = region
        self._session = get_session()
        self._session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=read_time)
        self._making = Lock()
        self._by_settings: dict[tuple[str, int, float], Any] = {}

    def repeating(self, service: Service) -> Any:
        """A client for reads, and for writes that are harmless or refused when they arrive a second time."""
        return _Later(lambda: self._client(service, attempts=READ_ATTEMPTS))

    def once(self, service: Service) -> Any:
        """A client for changes, and for reads that are not worth a second try: one call is sent at most once.

        ECS has no idempotency token for changes, and botocore would send a call again after a read time-out.
        """
        return _Later(lambda: self._client(service, attempts=1))

    def waiting(self, service: Service, *, seconds: float) -> Any:
        """A client for one call at a time that takes as long to be answered; it is sent at most once."""
        return _Later(lambda: self._one(service, attempts=1, read_timeout_s=seconds))

    def _client(self, service: Service, *, attempts: int) -> Any:
        return self._one(service, attempts=attempts, read_timeout_s=READ_TIMEOUT_S)

    def _one(self, service: Service, *, attempts: int, read_timeout_s: float) -> Any:
        with self._making:
            made = self._by_settings.get((service, attempts, read_timeout_s))
            if made is None:
                config = self._config(attempts=attempts, read_timeout_s=read_timeout_s)
                made = self._session.create_client(service, region_name=self._region, config=config)
                self._by_settings[service, attempts, read_timeout_s] = made
            return made

    def _config(self, *, attempts: int, read_timeout_s: float) -> Config:
        return Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=read_timeout_s,
            # The mode is named because botocore's default differs between releases and can be set from the environment.
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent=_USER_AGENT,
        )


def read_time(written: Any) -> datetime:
    """A time as AWS writes it in an answer; seconds since 1970 become a time in UTC.

    Of these botocore makes a time of the machine's own zone, which takes a tenth of the CPU of a look. What else there
    is, it reads itself.

    Raises:
        ValueError: it is no time.
    """
    try:
        return datetime.fromtimestamp(written, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        read: datetime = parse_timestamp(written)
        return read


class _Later:
    """A client that is made when something is first asked of it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @cached_property
    def _client(self) -> Any:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
