"""What a deployment may be told by CDK context (`cdk.json` or `-c key=value`), read once and checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aws_cdk import aws_logs as logs

from functions.domain.digests import Period


class ContextError(ValueError):
    """A context value that cannot be used. The message is one line and says what to write instead."""


class Architecture(StrEnum):
    """Where the functions run, which decides the dependency layer."""

    ARM64 = "arm64"
    X86_64 = "x86_64"
    LOCAL = "local"
    """An emulator that runs them in an interpreter which has the dependencies already: no layer."""


class Synthesizer(StrEnum):
    DEFAULT = "default"
    """The roles that `cdk bootstrap` made."""
    CLI = "cli"
    """The credentials of whoever runs `cdk deploy`; bootstrap's bucket is used, its roles are not."""


RETENTIONS: Mapping[int, logs.RetentionDays] = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}
"""Days a log group may be kept: those of CloudWatch Logs that somebody would choose."""

NO_DIGEST = "none"

_SHORT_PERIODS = (10, 30)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One deployment of the responder: to one account and Region, for the playbooks of that Region."""

    name: str = "ecs-first-responder"
    """Begins the names of everything; a second responder in the same Region needs another."""
    region: str
    account: str | None = None
    playbooks: Path = Path("playbooks")
    alarm_period: int = 60
    """Seconds; for alarms whose playbook says nothing."""
    architecture: Architecture = Architecture.ARM64
    python_version: str = "3.13"
    synthesizer: Synthesizer = Synthesizer.DEFAULT
    destroyable: bool = False
    """Whether `cdk destroy` may take the ledger and the archive with it."""
    log_retention: int = 90
    """Days."""
    fleet_actions_per_hour: int = 20
    """Actions in one hour for all services together; 0 means none allowed."""
    log_scan_mb: int = 1000
    """Megabytes of a service's logs that one look may scan; 0 means that logs are not read."""
    object_lock_days: int | None = None
    """Days during which nobody can delete what lies in the archive; without it, no Object Lock."""
    subscribers: tuple[str, ...] = ()
    """E-mail addresses and https:// URLs that get every page, beside those the playbooks name."""
    task_roles: tuple[str, ...] = ()
    """ARNs of the only roles that a re-registered task definition may carry; without any, all."""
    chat: bool = False
    """Whether there is a topic for chat, to which every event about an incident goes."""
    api: bool = True
    """Whether there is an HTTP API for operators. Nothing is asked of it without IAM."""
    digests: str = "daily,weekly,monthly"
    """Which digests go to the page topic, at six in the morning UTC; `none` for none of them."""
    fleet_dashboard: bool = True
    """Whether there is a dashboard of the responder and its fleet: one of the three that an account has for nothing,
    else 3 USD a month."""
    unattended: bool = True
    """Whether people are paged straight for an alarm of a service while the responder is unwell: 0.50 USD a month for
    each service, and as much once."""
    contain: bool = False
    """Whether a stack of its own gets the rights to isolate a service, block an address and disable a user."""

    @property
    def digest_periods(self) -> tuple[Period, ...]:
        return tuple(period for period in Period if period in self.digests.split(","))

    @classmethod
    def from_context(
        cls, get: Callable[[str], object], *, default_region: str | None, default_account: str | None
    ) -> "Deployment":
        """Read the context through CDK's `try_get_context`.

        Raises:
            ContextError: naming the key, what is wrong with it, and what to write.
        """
        reader = _Reader(get)
        region = reader.text("region") or default_region
        if region is None:
            raise ContextError("context region: none given and none configured; write -c region=eu-west-1")
        defaults = cls(region=region)
        return cls(
            name=reader.text("name") or defaults.name,
            region=region,
            account=reader.text("account") or default_account,
            playbooks=Path(reader.text("playbooks") or defaults.playbooks),
            alarm_period=reader.number("alarm_period", defaults.alarm_period, valid=_is_period),
            architecture=Architecture(
                reader.choice("architecture", defaults.architecture, [choice.value for choice in Architecture])
            ),
            python_version=reader.choice("python_version", defaults.python_version, ["3.12", "3.13", "3.14"]),
            synthesizer=Synthesizer(
                reader.choice("synthesizer", defaults.synthesizer, [choice.value for choice in Synthesizer])
            ),
            destroyable=reader.choice("destroyable", "false", ["true", "false"]) == "true",
            log_retention=reader.number("log_retention", defaults.log_retention, valid=RETENTIONS.__contains__),
            fleet_actions_per_hour=reader.number("fleet_actions_per_hour", defaults.fleet_actions_per_hour),
            log_scan_mb=reader.number("log_scan_mb", defaults.log_scan_mb),
            object_lock_days=reader.optional_number("object_lock_days"),
            subscribers=reader.texts("subscribers"),
            task_roles=reader.texts("task_roles"),
            chat=reader.choice("chat", "false", ["true", "false"]) == "true",
            api=reader.choice("api", "true", ["true", "false"]) == "true",
            digests=reader.several("digests", defaults.digests, [period.value for period in Period]),
            fleet_dashboard=reader.choice("fleet_dashboard", "true", ["true", "false"]) == "true",
            unattended=reader.choice("unattended", "true", ["true", "false"]) == "true",
            contain=reader.choice("contain", "false", ["true", "false"]) == "true",
        )


def _is_period(seconds: int) -> bool:
    return seconds in _SHORT_PERIODS or (seconds > 0 and seconds % 60 == 0)


class _Reader:
    """Context values are text when they come by `-c`, and JSON values when they come from `cdk.json`."""

    def __init__(self, get: Callable[[str], object]) -> None:
        self._get = get

    def text(self, key: str) -> str | None:
        value = self._get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise ContextError(f"context {key}: {value!r} is no text; write it in quotes")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._get(key)
        listed = value.split(",") if isinstance(value, str) else [] if value is None else value
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise ContextError(f"context {key}: {value!r} is no list; write one,two")
        return tuple(item.strip() for item in listed if item.strip())

    def choice(self, key: str, default: str, choices: list[str]) -> str:
        value = self._get(key)
        if value is None:
            return default
        said = str(value).lower() if isinstance(value, bool) else value
        if said not in choices:
            raise ContextError(f"context {key}: {value!r} is none of {', '.join(choices)}")
        return str(said)

    def several(self, key: str, default: str, choices: list[str]) -> str:
        """Some of the choices with commas between them, or `none`."""
        value = self.text(key) or default
        chosen = [] if value == NO_DIGEST else [each.strip() for each in value.split(",")]
        wrong = next((each for each in chosen if each not in choices), None)
        if wrong is not None:
            raise ContextError(f"context {key}: {wrong!r} is none of {', '.join(choices)}; write {NO_DIGEST} for none")
        return ",".join(chosen) or NO_DIGEST

    def number(self, key: str, default: int, *, valid: Callable[[int], bool] = lambda _: True) -> int:
        number = self.optional_number(key)
        if number is None:
            return default
        if not valid(number):
            raise ContextError(f"context {key}: {number} is not possible; leave it out for {default}")
        return number

    def optional_number(self, key: str) -> int | None:
        value = self._get(key)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not str(value).isdecimal():
            raise ContextError(f"context {key}: {value!r} is no number; write a whole number of 0 or more")
        return int(str(value))
