"""Bake: every minute, look after the releases. What runs is written down; a young release is watched until it is good.

ECS stops watching when a deployment ends, and an alarm speaks only after several bad periods. A release that hurts is
seen here first: it opens an incident, which then reads everything anew before anything is done.

The checks of the playbook run here, too. One that fails makes the release suspect: it is not rolled back for that, but
it is never rolled back to. A check may fail for what is not the release's fault, so a suspect one that then passes a
whole bake time has given as much proof as any other, and becomes good.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from functions.diagnostics.dependencies import Watcher
from functions.diagnostics.look import Probe, look
from functions.diagnostics.ranking import rank
from functions.domain.causes import Cause, Judgement
from functions.domain.dependencies import DependenciesFacts
from functions.domain.errors import LedgerError, ReadFailed
from functions.domain.evidence import DeploymentFacts, Release, ReleaseState, ServiceFacts
from functions.domain.model import Model
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState, Signal, SignalKind
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Executions, Ledger, Readers
from functions.workflow.budget import overspent
from functions.workflow.surroundings import surroundings_of

NOTE_EVERY = timedelta(minutes=5)
"""How often it is written down that a release still runs."""

AT_ONCE = 10
"""Services that are read together."""

LOOK_EVERY = timedelta(minutes=1)
FEWEST_PASSED = 3
"""However short the bake time, so many looks have to find every check passing."""

UNPROVEN = (ReleaseState.SEEN, ReleaseState.SUSPECT)

LOOK_DEADLINE_S = 15.0

ROUND_S = 35.0
"""After so long a round turns to no further service: the function has a minute, and the last look may take a quarter of
it. Many young releases at once are so looked at every few minutes."""

LOOKS_AT = ("service", "tasks", "targets", "alarms", "metrics", "releases", "scaling", "dependencies")
"""Probes that cost nothing but calls, and metrics while a release is young. The incident reads the others."""

COMES_WITH_A_RELEASE = frozenset(
    {
        Cause.BAD_DEPLOYMENT,
        Cause.BAD_RELEASE,
        Cause.IMAGE_UNAVAILABLE,
        Cause.SECRET_MISSING,
        Cause.DEPLOYMENT_STALLED,
    }
)


class Baked(Model):
    """What one round did, for its log line."""

    good: tuple[str, ...] = ()
    suspect: tuple[str, ...] = ()
    """Releases of which a check failed, and which did not prove themselves since."""
    opened: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Services that AWS did not let us read; the next round tries again."""
    failed: tuple[str, ...] = ()
    """Services of which the ledger could not be read or written; they keep no other from being looked after."""
    late: tuple[str, ...] = ()
    """Services for which the round had no time left; the next one begins with the first of them."""


@dataclass(frozen=True, kw_only=True)
class Bake:
    ledger: Ledger
    executions: Executions
    readers: Readers
    clock: Clock
    probes: Mapping[str, Probe]
    playbooks: Sequence[Playbook]
    stopwatch: Callable[[], float] = time.monotonic
    """Seconds since whenever."""
    known_good: dict[ServiceRef, Release] = field(default_factory=dict)
    """Of earlier rounds. What is good stays so until people say otherwise, which may wait for `NOTE_EVERY`."""
    late: list[ServiceRef] = field(default_factory=list)
    """Services for which the round before had no time left: this one begins with the first of them."""

    def __call__(self) -> Baked:
        good: list[str] = []
        suspect: list[str] = []
        opened: list[str] = []
        unread: list[str] = []
        failed: list[str] = []
        ends = self.stopwatch() + ROUND_S
        playbooks = self._in_turn()
        for place, (playbook, read) in enumerate(self._together(playbooks)):
            if self.stopwatch() > ends:
                self.late.extend(each.ref for each in playbooks[place:])
                break
            try:
                service = read()
                if service is None or service.desired == 0 or service.primary is None:
                    continue
                opened += self._overspent(playbook, service, unread)
                release = self._noted(playbook, service)
                if not self._young(release, service.primary):
                    continue
                if self.ledger.lock_holder(playbook.ref) is not None:
                    continue
                if release is not None and service.steady:
                    release = self._checked(playbook, release)
                    suspect += [release.task_definition] if release.state is ReleaseState.SUSPECT else []
                if release is not None and _baked(release, playbook) and service.steady and self._quiet(playbook):
                    self.ledger.judge_release(
                        playbook.ref,
                        release.task_definition,
                        ReleaseState.GOOD,
                        reason=f"steady and quiet for {playbook.bake} s",
                    )
                    good.append(release.task_definition)
                else:
                    opened += self._hurts(playbook, service.primary)
            except ReadFailed as error:
                unread.append(f"{playbook.ref.key}: {error}")
            except LedgerError as error:
                failed.append(f"{playbook.ref.key}: {error}")
        return Baked(
            good=tuple(good),
            suspect=tuple(suspect),
            opened=tuple(opened),
            unread=tuple(unread),
            failed=tuple(failed),
            late=tuple(ref.key for ref in self.late),
        )

    def _in_turn(self) -> Sequence[Playbook]:
        """All of them, from the first one for which the round before had no time left."""
        first = [each.ref for each in self.playbooks].index(self.late[0]) if self.late else 0
        self.late.clear()
        return [*self.playbooks[first:], *self.playbooks[:first]]

    def _together(self, playbooks: Sequence[Playbook]) -> Iterator[tuple[Playbook, Callable[[], ServiceFacts | None]]]:
        """Each playbook with what reads its service: ten of a cluster are one request, made when the first of them has
        its turn, so that none is older than the looks at nine others."""
        for first in range(0, len(playbooks), AT_ONCE):
            some = playbooks[first : first + AT_ONCE]
            together = self.readers.service.services([playbook.ref for playbook in some])
            for playbook in some:
                yield playbook, partial(self._service, playbook, together)

    def _service(self, playbook: Playbook, together: Mapping[ServiceRef, ServiceFacts | None]) -> ServiceFacts | None:
        ref = playbook.ref
        return together[ref] if ref in together else self.readers.service.service(ref)

    def _overspent(self, playbook: Playbook, service: ServiceFacts, unread: list[str]) -> list[str]:
        """Open an incident where the service costs more than its playbook allows, once a day. What could not be read
        for it goes to `unread`, and keeps no release from being watched."""
        try:
            signal = overspent(playbook, service, readers=self.readers, now=self.clock.now())
        except ReadFailed as error:
            unread.append(f"{playbook.ref.key}: {error}")
            return []
        return [] if signal is None else self._opened(signal, playbook)

    def _opened(self, signal: Signal, playbook: Playbook) -> list[str]:
        opening = self.ledger.record_signal(signal, playbook.ref, may_open=True)
        if opening.incident_id is None or opening.duplicate:
            return []
        self.executions.start(opening.incident_id, opening.generation)
        return [opening.incident_id]

    def _noted(self, playbook: Playbook, service: ServiceFacts) -> Release | None:
        """What the ledger knows of the release that runs, after it was written down that it runs steadily."""
        now, current = self.clock.now(), service.task_definition
        good = self.known_good.get(playbook.ref)
        if (
            service.steady
            and good is not None
            and good.task_definition == current
            and now - good.last_seen < NOTE_EVERY
        ):
            return good
        known = self._noted_anew(playbook, service, now)
        if known is not None and known.state is ReleaseState.GOOD:
            self.known_good[playbook.ref] = known
        return known

    def _noted_anew(self, playbook: Playbook, service: ServiceFacts, now: datetime) -> Release | None:
        current = service.task_definition
        known = _of(current, self.ledger.releases(playbook.ref))
        if not service.steady:
            return known
        if known is None or now - known.last_seen >= NOTE_EVERY or known.state in UNPROVEN:
            self.ledger.note_release(playbook.ref, current, at=now, surroundings=service.surroundings)
            return _of(current, self.ledger.releases(playbook.ref))
        return known

    def _checked(self, playbook: Playbook, release: Release) -> Release:
        """The release after its checks ran once. What could not be read neither passes nor fails: it prolongs."""
        if not playbook.checks:
            return release
        ref, current, now = playbook.ref, release.task_definition, self.clock.now()
        checks = DependenciesFacts(dependencies=Watcher(self.readers)(ref, playbook.checks, now=now))
        if checks.troubled:
            failed = "; ".join(f"check {check.name} is {check.state}: {check.detail}" for check in checks.troubled)
            self.ledger.judge_release(ref, current, ReleaseState.SUSPECT, reason=failed)
        elif checks.all_ok:
            self.ledger.note_release(ref, current, at=now, passed=True)
        return _of(current, self.ledger.releases(ref)) or release

    def _quiet(self, playbook: Playbook) -> bool:
        alarms = self.readers.metrics.states(playbook.alarm_names) if playbook.alarm_names else ()
        return all(alarm.state is AlarmState.OK for alarm in alarms)

    @staticmethod
    def _young(release: Release | None, primary: DeploymentFacts) -> bool:
        """Whether what is being deployed has not proved itself yet."""
        return release is None or release.task_definition != primary.task_definition or release.state in UNPROVEN

    def _hurts(self, playbook: Playbook, primary: DeploymentFacts) -> list[str]:
        """Open an incident where a young release makes the service worse, for once per deployment."""
        judgement = self._judgement(playbook)
        if judgement.cause not in COMES_WITH_A_RELEASE or judgement.confidence < playbook.confidence:
            return []
        signal = Signal(
            kind=SignalKind.RELEASE,
            occurred_at=self.clock.now(),
            region=playbook.region,
            cluster=playbook.cluster,
            service=playbook.service,
            event_name="RELEASE_HURTS",
            deployment_id=primary.id,
            reason=f"{judgement.cause}: {'; '.join(judgement.evidence_for)}",
        )
        return self._opened(signal, playbook)

    def _judgement(self, playbook: Playbook) -> Judgement:
        known = surroundings_of(playbook, readers=self.readers, ledger=self.ledger, now=self.clock.now())
        around = replace(known, alarms=playbook.alarm_names)
        return rank(look([self.probes[name] for name in LOOKS_AT], around, deadline_s=LOOK_DEADLINE_S))[0]


def _of(task_definition: str, releases: Sequence[Release]) -> Release | None:
    return next((release for release in releases if release.task_definition == task_definition), None)


def _baked(release: Release, playbook: Playbook) -> bool:
    bake = timedelta(seconds=playbook.bake)
    enough = max(FEWEST_PASSED, bake // LOOK_EVERY) if playbook.checks else 0
    return release.state in UNPROVEN and release.last_seen - release.first_seen >= bake and release.passed >= enough
