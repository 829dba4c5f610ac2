"""Arguments and options that several modules of commands share, and how what people write is read."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tools.cli.aws import configured_region, profile_option
from tools.cli.completion import PLAYBOOKS, known_services

if TYPE_CHECKING:
    from functions.domain.services import ServiceRef

_LENGTH = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Length(click.ParamType[timedelta]):
    """A length of time such as `90s`, `30m`, `2h` or `7d`."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        length = length_of(str(value))
        if length is None:
            self.fail(f"'{value}' is no length of time; write 30m, 2h or 7d", param, ctx)
        return length


def length_of(text: str) -> timedelta | None:
    """The length of time that somebody wrote; None where it is none."""
    written = _LENGTH.fullmatch(text)
    if written is None or int(written[1]) == 0:
        return None
    return timedelta(**{_UNITS[written[2]]: int(written[1])})


aws_options = (
    click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The Region; else your profile's."),
    profile_option,
)
"""Of every command that asks AWS."""

service_argument = click.argument("service", metavar="SERVICE", shell_complete=known_services)

ledger_options = (
    click.option("--table", envvar="RESPONDER_TABLE", default="ecs-first-responder", help="The ledger's table."),
    *aws_options,
)

_playbooks = partial(click.option, "--playbooks", type=click.Path(path_type=Path), envvar=PLAYBOOKS)

by_option = click.option(
    "--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name", help="Who you are."
)

playbooks_option = _playbooks(default="playbooks", show_default=True, help="Directory of playbooks, or one of them.")

playbooks_if_there = _playbooks(help="Directory of playbooks, or one of them.  [default: playbooks, if there]")

order_options = (
    click.option("--reason", required=True, help="Why; it stands in the trail, and in the question to people."),
    by_option,
    *ledger_options,
)

by_hand_options = (
    click.option("--reason", required=True, help="Why; the next person will ask."),
    by_option,
    *ledger_options,
)
"""Of what is done at once, and leaves a note in the ledger."""


def with_options(*options: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command all of these, in this order."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def region_of(region: str | None) -> str:
    """The Region that was written, or that the environment or the profile names."""
    region = region or configured_region()
    if not region:
        raise click.ClickException("no Region is given; set AWS_REGION or write --region, for example us-east-1")
    return region


def service_of(text: str, region: str | None) -> "ServiceRef":
    """The service that somebody wrote as `cluster/service` or `region/cluster/service`."""
    from functions.domain.services import ServiceRef, is_ecs_name

    parts = text.split("/")
    if len(parts) == 2:
        parts.insert(0, region_of(region))
    if len(parts) != 3 or not all(map(is_ecs_name, parts)):
        raise click.ClickException(f"'{text}' is no service; write cluster/service or region/cluster/service")
    return ServiceRef(region=parts[0], cluster=parts[1], service=parts[2])
