"""What surrounds a service on an ordinary day, behind the ports: a test sets what is to be seen there."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from functions.domain.backups import BackupFacts, Backups
from functions.domain.breach import CallFacts, DenialsFacts, ExposureFacts, ImageFacts, ImagesFacts, OpenDoor
from functions.domain.circumstances import (
    ChangesFacts,
    FrontFacts,
    HealthFacts,
    LinesFacts,
    LogLine,
    LogsFacts,
    SecretFacts,
    SecretsFacts,
    StackFacts,
    TargetGroupFacts,
)
from functions.domain.dependencies import DatabaseFacts, HttpAnswer
from functions.domain.errors import ReadFailed
from functions.domain.logged import LogCause, LogQuery
from functions.domain.network import SecurityGroup
from functions.domain.patterns import patterns_in
from functions.domain.services import ServiceRef
from functions.domain.tables import TableFacts
from functions.domain.threats import ThreatFacts, ThreatsFacts
from functions.ports import MetricsReader, Readers, ServiceReader


@dataclass
class Quiet:
    """Front, logs, secrets and account: nothing is the matter with any of them."""

    shown_front: Mapping[str, object] = field(default_factory=dict)
    """What is not as it is by default."""
    shown_logs: Mapping[str, object] = field(default_factory=dict)
    shown_lines: tuple[str, ...] = ()
    """Error lines, as they stand in the log."""
    shown_secrets: Mapping[str, SecretFacts] = field(default_factory=dict)
    """By reference; every other one exists."""
    shown_changes: tuple[object, ...] = ()
    shown_stack: StackFacts = field(default_factory=StackFacts)
    shown_health: HealthFacts = field(default_factory=HealthFacts)
    shown_doors: tuple[OpenDoor, ...] = ()
    shown_images: tuple[ImageFacts, ...] = ()
    shown_calls: tuple[CallFacts, ...] = ()
    shown_threats: tuple[ThreatFacts, ...] = ()
    """What GuardDuty has of the findings that it is asked for."""
    shown_databases: Mapping[str, DatabaseFacts] = field(default_factory=dict)
    """By name; there are no others."""
    shown_groups: tuple[SecurityGroup, ...] = ()
    """Security groups; there are no others."""
    shown_balancer_groups: tuple[str, ...] = ("sg-balancer",)
    shown_tables: Mapping[str, TableFacts] = field(default_factory=dict)
    """By name; every other one is provisioned and has nothing remarkable."""
    shown_answers: Mapping[str, HttpAnswer] = field(default_factory=dict)
    """By URL; every other name cannot be looked up."""
    shown_backups: tuple[BackupFacts, ...] = ()
    unreadable: set[str] = field(default_factory=set)
    """Names of reading methods that fail."""
    asked: list[tuple[str, object]] = field(default_factory=list)
    """Which methods were asked, and about what."""

    words_asked: list[tuple[tuple[LogCause, ...], tuple[LogQuery, ...]]] = field(default_factory=list)
    """Which words of the playbook the logs were asked for, at each reading of them."""

    def readers(self, *, service: ServiceReader, metrics: MetricsReader) -> Readers:
        """Everything a look may read, with the service and its metrics somewhere else."""
        return Readers(
            service=service,
            metrics=metrics,
            front=self,
            logs=self,
            secrets=self,
            account=self,
            breach=self,
            databases=self,
            network=self,
            tables=self,
            http=self,
            backups=self,
            threads=ThreadPoolExecutor,
        )

    def known(self, backups: Backups) -> Sequence[BackupFacts]:
        self._may("backups", backups)
        return self.shown_backups

    def _may(self, call: str, about: object) -> None:
        self.asked.append((call, about))
        if call in self.unreadable:
            raise ReadFailed(f"{call} is throttled")

    def front(self, target_groups: Sequence[str], *, load_balancer: str | None = None) -> FrontFacts:
        self._may("front", (tuple(target_groups), load_balancer))
        groups = tuple(TargetGroupFacts(arn=arn) for arn in target_groups)
        return FrontFacts.model_validate(
            {"target_groups": groups, "load_balancer": load_balancer or "arn:balancer", **self.shown_front}
        )

    def errors(
        self,
        groups: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        causes: Sequence[LogCause] = (),
        queries: Sequence[LogQuery] = (),
    ) -> LogsFacts:
        self._may("errors", (tuple(groups), since, until))
        self.words_asked.append((tuple(causes), tuple(queries)))
        patterns = patterns_in(self.shown_lines, causes)
        facts = {"since": since, "groups": tuple(groups), "patterns": patterns}
        return LogsFacts.model_validate({**facts, **self.shown_logs})

    def lines(self, groups: Sequence[str], *, since: datetime, until: datetime, most: int) -> LinesFacts:
        self._may("lines", (tuple(groups), since, until))
        told = [LogLine(at=since, stream="ecs/app/0123", message=line) for line in self.shown_lines]
        return LinesFacts(
            since=since, until=until, groups=tuple(groups), lines=tuple(told[:most]), whole=len(told) <= most
        )

    def secrets(self, references: Sequence[str]) -> SecretsFacts:
        self._may("secrets", tuple(references))
        return SecretsFacts(secrets=tuple(self.shown_secrets.get(r, SecretFacts(name=r)) for r in references))

    def changes(self, ref: ServiceRef, *, since: datetime) -> ChangesFacts:
        self._may("changes", since)
        return ChangesFacts.model_validate({"since": since, "changes": self.shown_changes})

    def stack(self, resource: str) -> StackFacts:
        self._may("stack", resource)
        return self.shown_stack

    def health(self, region: str) -> HealthFacts:
        self._may("health", region)
        return self.shown_health

    def exposure(self, groups: Sequence[str]) -> ExposureFacts:
        self._may("exposure", tuple(groups))
        return ExposureFacts(asked=True, doors=self.shown_doors)

    def images(self, images: Sequence[str]) -> ImagesFacts:
        self._may("images", tuple(images))
        return ImagesFacts(asked=True, images=self.shown_images)

    def denials(self, ref: ServiceRef, *, task_role: str, since: datetime) -> DenialsFacts:
        self._may("denials", task_role)
        return DenialsFacts(asked=True, calls=self.shown_calls)

    def threats(self, findings: Sequence[str]) -> ThreatsFacts:
        self._may("threats", tuple(findings))
        return ThreatsFacts(threats=self.shown_threats)

    def database(self, instance: str) -> DatabaseFacts | None:
        self._may("database", instance)
        return self.shown_databases.get(instance)

    def of_load_balancer(self, arn: str) -> Sequence[str]:
        self._may("of_load_balancer", arn)
        return self.shown_balancer_groups

    def groups(self, ids: Sequence[str]) -> Sequence[SecurityGroup]:
        self._may("groups", tuple(ids))
        return tuple(group for group in self.shown_groups if group.id in ids)

    def table(self, table: str, *, called: str, now: datetime) -> TableFacts:
        self._may("table", table)
        usual = TableFacts(name=called, on_demand=False, read_units=100, write_units=50)
        return self.shown_tables.get(table, usual)

    def answer(self, url: str, *, timeout_s: int) -> HttpAnswer:
        self._may("answer", url)
        if url not in self.shown_answers:
            raise ReadFailed(f"{url} cannot be looked up")
        return self.shown_answers[url]
