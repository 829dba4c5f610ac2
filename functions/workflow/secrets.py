"""Secrets: one was changed, and tasks that read it at their start may be locked out from now on.

ECS reads a secret when a task starts, and never again. Whose tasks read it only their task definitions say, so it is
looked up here, where AWS may be read. The incident then looks closely for two minutes; without trouble it ends unheard.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.domain.errors import ReadFailed
from functions.domain.model import Model
from functions.domain.redaction import clean
from functions.domain.secrets import SecretChange
from functions.domain.signals import Signal, SignalKind
from functions.playbooks.schema import Playbook
from functions.ports import Executions, Ledger, ServiceReader


class Concerned(Model):
    """Whom a change concerned, for its log line."""

    secret: str
    services: tuple[str, ...] = ()
    """Services of playbooks with tasks that are older than the change."""
    opened: tuple[str, ...] = ()
    """Their incidents, new or open already."""
    unread: tuple[str, ...] = ()
    """Services that AWS did not let us read. Nothing repeats it: their alarms tell, some minutes later."""


@dataclass(frozen=True, kw_only=True)
class TellSecretChange:
    ledger: Ledger
    executions: Executions
    reader: ServiceReader
    playbooks: Sequence[Playbook]

    def __call__(self, change: SecretChange) -> Concerned:
        """Record the change for every service that it concerns. Once is enough: a second delivery changes nothing."""
        services: list[str] = []
        opened: list[str] = []
        unread: list[str] = []
        for playbook in self.playbooks:
            try:
                concerned = self._concerns(change, playbook)
            except ReadFailed as error:
                unread.append(f"{playbook.ref.key}: {error}")
                continue
            if not concerned:
                continue
            services.append(playbook.ref.key)
            signal = Signal(
                kind=SignalKind.SECRET,
                occurred_at=change.at,
                account=change.account,
                region=playbook.region,
                cluster=playbook.cluster,
                service=playbook.service,
                event_name=change.event,
                secret=clean(change.name, limit=200),
            )
            opening = self.ledger.record_signal(signal, playbook.ref, may_open=signal.opens_incident)
            if opening.incident_id is not None:
                # Also for a repeated signal, as the intake does: the call may have been lost the first time.
                self.executions.start(opening.incident_id, opening.generation)
                opened.append(opening.incident_id)
        return Concerned(
            secret=clean(change.name), services=tuple(services), opened=tuple(opened), unread=tuple(unread)
        )

    def _concerns(self, change: SecretChange, playbook: Playbook) -> bool:
        """Whether a task runs that has read this secret before it was changed."""
        if change.region not in (None, playbook.region):
            return False
        running = self.reader.tasks(playbook.ref).running
        older = {t.task_definition for t in running if t.started_at is not None and t.started_at < change.at}
        return any(
            change.concerns(reference)
            for definition in sorted(older)
            for reference in self.reader.definition(definition).secrets
        )
