"""Sends a digest, once for each day, week or month."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.domain.digests import Period, Verdict
from functions.domain.errors import ReadFailed
from functions.domain.model import Model
from functions.playbooks.schema import Playbook
from functions.ports import Archive, Clock, DigestReaders, Ledger, Notifier, Readers
from functions.workflow.digests.around import Sources
from functions.workflow.digests.compose import DEADLINE_S, compose
from functions.workflow.digests.letter import as_markdown, page_of


class Sent(Model):
    """What became of one digest, for its log line."""

    digest: str
    """`daily/2026-03-01`, for example."""
    sent: bool
    """False where it was sent before."""
    look: int = 0
    unknown: int = 0
    kept: str | None = None
    """URL of its copy; None where the archive did not take it."""


@dataclass(frozen=True, kw_only=True)
class SendDigest:
    ledger: Ledger
    readers: Readers
    more: DigestReaders
    archive: Archive
    notifier: Notifier
    clock: Clock
    playbooks: Sequence[Playbook]
    responder: str
    region: str
    deadline_s: float = DEADLINE_S

    def __call__(self, period: Period) -> Sent:
        """Read, keep a copy, claim, and send.

        It is claimed last, just before it is sent: whoever fails before that may be repeated and loses nothing, and
        of two who come so far, one sends.

        Raises:
            ReadFailed: the topic did not take it, and the claim was given back.
            LedgerError: nobody knows whether it was sent before, so it was not.
        """
        now = self.clock.now()
        name = f"{period}/{period.key(now)}"
        sources = Sources(readers=self.readers, more=self.more, ledger=self.ledger, period=period, until=now)
        digest = compose(
            self.playbooks, sources, responder=self.responder, region=self.region, deadline_s=self.deadline_s
        )
        claim = f"digest/{name}"
        if not self.ledger.claim(claim):
            return Sent(digest=name, sent=False)
        try:
            self.notifier.publish(page_of(digest))
        except ReadFailed:
            self.ledger.give_up(claim)
            raise
        return Sent(
            digest=name,
            sent=True,
            look=digest.count(Verdict.LOOK),
            unknown=digest.count(Verdict.UNKNOWN),
            kept=self._kept(f"digests/{name}.md", as_markdown(digest)),
        )

    def _kept(self, key: str, body: str) -> str | None:
        """A copy is for later: without one, people have the mail."""
        try:
            return self.archive.keep(key, body, content_type="text/markdown; charset=utf-8")
        except ReadFailed:
            return None
