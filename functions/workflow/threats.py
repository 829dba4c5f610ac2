"""Threats: GuardDuty saw somebody use the credentials of a role. Whose tasks have that role only their task definitions
say, so it is looked up here, where AWS may be read."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.domain.errors import ReadFailed
from functions.domain.model import Model
from functions.domain.signals import Signal
from functions.playbooks.concerned import told_to
from functions.playbooks.schema import Playbook
from functions.ports import Executions, Ledger, ServiceReader


class Threatened(Model):
    """Whom a finding concerned, for its log line."""

    finding: str
    services: tuple[str, ...] = ()
    """Services of playbooks whose tasks have the role."""
    opened: str | None = None
    """The incident, new or open already."""
    unread: tuple[str, ...] = ()
    """Services that AWS did not let us read."""


@dataclass(frozen=True, kw_only=True)
class TellThreat:
    ledger: Ledger
    executions: Executions
    reader: ServiceReader
    playbooks: Sequence[Playbook]

    def __call__(self, signal: Signal) -> Threatened:
        """Record the finding for the service whose role it names. One that several share, or that nobody is known to
        have, is kept as unmatched: a session of a role does not say which service it came from."""
        found: list[Playbook] = []
        unread: list[str] = []
        for playbook in self.playbooks:
            try:
                if signal.region in (None, playbook.region) and self._role(playbook) in signal.names:
                    found.append(playbook)
            except ReadFailed as error:
                unread.append(f"{playbook.ref.key}: {error}")
        opened = None
        if len(found) == 1 and not unread:
            told = told_to(signal, found[0].ref)
            opening = self.ledger.record_signal(told, found[0].ref, may_open=told.opens_incident)
            opened = opening.incident_id
            if opening.incident_id is not None:
                # Also for a repeated signal, as the intake does: the call may have been lost the first time.
                self.executions.start(opening.incident_id, opening.generation)
        else:
            self.ledger.record_unmatched(signal, _why(found, unread))
        return Threatened(
            finding=signal.title,
            services=tuple(playbook.ref.key for playbook in found),
            opened=opened,
            unread=tuple(unread),
        )

    def _role(self, playbook: Playbook) -> str | None:
        service = self.reader.service(playbook.ref)
        if service is None or service.primary is None:
            return None
        role = self.reader.definition(service.primary.task_definition).task_role
        return None if role is None else role.rpartition("/")[2]


def _why(found: Sequence[Playbook], unread: Sequence[str]) -> str:
    if unread:
        return f"whose role it is could not be read: {'; '.join(unread)}"
    if found:
        return f"several services have the role: {', '.join(playbook.ref.key for playbook in found)}"
    return "no service of a playbook has the role"
