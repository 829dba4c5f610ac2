"""What the pages of services show: the list, and one service with what is held of it and what may be ordered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.changes import Lease
from functions.domain.errors import NotNamed
from functions.domain.evidence import TaskFacts, short
from functions.domain.incidents import Incident, Mode, Switch
from functions.domain.maintenance import window_at
from functions.domain.services import ServiceRef
from functions.playbooks.schema import Playbook
from functions.workflow.api.records import ReleaseLine, release_line
from functions.workflow.reporting.acted import lease_text
from tools.cli.service_status import ServiceStatus, status_of
from tools.cli.status_screen import stopped_of_themselves, unwell_first
from tools.console.incidents import Incidents
from tools.console.kept import Kept
from tools.console.room import Room

LOOKED_FOR = timedelta(seconds=30)
"""How long a look at a service is shown before it is looked again, as `responder status --watch` does."""
POLL_S, FIRST_POLL_S = 30, 3
"""Seconds between two looks at a page, and while a first look at a service is still under way."""
LOOK_WAIT_S = 25.0
"""How long the page of one service waits for its first look."""
RECENT = 8
"""Incidents of a service that its page lists."""
TASKS, TARGETS = 12, 12
"""Tasks that are listed, and targets that are not healthy; those that are not well come first."""
RELEASES = 12


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the ledger has of a service."""

    ref: ServiceRef
    name: str
    playbook: Playbook | None
    switch: Switch
    mode: Mode | None
    """The one in force; None where nobody set one and no playbook is at hand."""
    paused: bool
    maintenance: str | None
    """The window that is open."""
    incident: Incident | None
    releases: Sequence[ReleaseLine]
    """Newest first."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One service in the list."""

    held: Held
    seen: ServiceStatus | None
    """The newest look; None before the first one came back, or where there is no playbook."""
    runs: str
    """What runs, as `family:revision`; empty where nobody has seen it."""
    judged: str
    """What is known of that release; empty where nothing is."""


@dataclass(frozen=True, kw_only=True)
class Out:
    """Something temporary."""

    lease: Lease
    text: str
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class Page(Row):
    """One service."""

    leases: Sequence[Out]
    recent: Sequence[Incident]
    tasks: Sequence[TaskFacts]
    """Running ones, those that are not well first."""
    died: Sequence[TaskFacts]
    """Those that stopped by themselves within the hour, newest first."""


class Services:
    """Reads services for the pages."""

    def __init__(self, room: Room, incidents: Incidents) -> None:
        self._room, self._incidents = room, incidents
        self._looks: Kept[ServiceStatus] = Kept(now=room.now, keep=LOOKED_FOR)

    def rows(self) -> Sequence[Row]:
        """Every service that is known; nobody waits for a look."""
        rows = []
        for held in map(self._held, self._incidents.services()):
            seen = self._look(held, wait_s=0)
            runs, judged = _running(held, seen)
            rows.append(Row(held=held, seen=seen, runs=runs, judged=judged))
        return rows

    def page(self, ref: ServiceRef) -> Page:
        """Raises NotNamed for a service that neither playbooks nor the ledger know."""
        held = self._held(ref)
        recent = self._room.ledger.incidents_of(ref, limit=RECENT)
        if held.playbook is None and not recent and not held.releases:
            raise NotNamed(f"neither a playbook nor the ledger knows {ref}")
        now = self._room.now()
        seen = self._look(held, wait_s=LOOK_WAIT_S)
        tasks = None if seen is None else seen.tasks.value
        runs, judged = _running(held, seen)
        return Page(
            held=held,
            seen=seen,
            runs=runs,
            judged=judged,
            leases=[
                Out(lease=lease, text=lease_text(lease.terms), overdue=lease.due_at < now)
                for lease in self._room.ledger.service_leases(ref)
            ],
            recent=recent,
            tasks=() if tasks is None else sorted(tasks.running, key=unwell_first),
            died=() if tasks is None else stopped_of_themselves(tasks.stopped, now),
        )

    def _held(self, ref: ServiceRef) -> Held:
        ledger, now, playbook = self._room.ledger, self._room.now(), self._room.playbook(ref)
        switch, holder = ledger.switch(ref), ledger.lock_holder(ref)
        window = window_at(now, () if playbook is None else playbook.maintenance, switch.maintenance)
        return Held(
            ref=ref,
            name=ref.service if playbook is None else playbook.name,
            playbook=playbook,
            switch=switch,
            mode=switch.mode if switch.mode is not None or playbook is None else playbook.mode,
            paused=switch.paused(now),
            maintenance=None if window is None else f"{window.label}, {window.span}",
            incident=None if holder is None else ledger.incident(holder),
            releases=tuple(map(release_line, ledger.releases(ref))),
        )

    def _look(self, held: Held, *, wait_s: float) -> ServiceStatus | None:
        playbook, room = held.playbook, self._room
        if playbook is None:
            return None
        return self._looks.get(
            held.ref.key,
            lambda: status_of(playbook, readers=room.readers, open_ledger=lambda: room.ledger, now=room.now()),
            wait_s=wait_s,
        )


def _running(held: Held, seen: ServiceStatus | None) -> tuple[str, str]:
    """What runs and what is known of it: as ECS says, or as it was seen last where nobody asks ECS. A release that was
    seen last may have been rolled back: as long as the answer is on its way it is not shown."""
    facts = None if seen is None else seen.service_facts.value
    if facts is not None:
        release = next((each for each in held.releases if each.task_definition == facts.task_definition), None)
        return short(facts.task_definition), "" if release is None else str(release.state)
    if seen is None and held.playbook is not None:
        return "", ""
    newest = max(held.releases, key=lambda each: each.last_seen, default=None)
    return ("", "") if newest is None else (newest.snapshot_id, str(newest.state))


def age(since: datetime | None, now: datetime) -> str:
    """How long ago, to the minute that matters."""
    if since is None:
        return "?"
    seconds = max(0, int((now - since).total_seconds()))
    for length, unit in ((172_800, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // (86_400 if unit == 'd' else length)} {unit}"
    return f"{seconds} s"
