"""What the pages of one console stand on: the desk of whoever runs it, opened once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from functions.domain.redaction import clean
from functions.domain.services import ServiceRef
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import Playbook
from functions.ports import Answers, Archive, Executions, Ledger, Readers
from functions.workflow.assess import Examiner

if TYPE_CHECKING:
    from tools.cli.main import Desk

DRILL_FILES = (Path("build/drill.json"), Path("docs/drill-figures.json"))
"""Where the results of a drill are looked for: what was run here, or what comes with the project."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """One operator at one responder's ledger."""

    region: str
    by: str
    """Who sits here, in their own words."""
    identity: str
    """The same person as IAM knows them: an ARN."""
    ledger: Ledger
    archive: Archive
    readers: Readers
    examiner: Examiner
    answers: Answers
    executions: Executions
    now: Callable[[], datetime]
    playbooks: Mapping[str, Playbook]
    """By service, those of this Region; none where there is no directory of them."""
    drill_file: Path | None = None

    def playbook(self, ref: ServiceRef) -> Playbook | None:
        return self.playbooks.get(ref.key)


def open_room(
    desk: "Desk", *, table: str, region: str, by: str, playbooks: Path, drill_file: Path | None = None
) -> Room:
    """Open everything before the first page, so that what is missing is said at once.

    Raises:
        ResponderError: AWS or the ledger cannot be reached with these credentials, or a playbook does not hold.
    """
    identity = desk.identity(region)
    ledger = desk.open_ledger(table, region)
    ledger.fleet_switch()  # a table that is not there is said here, and not on every page
    known = load_playbooks([playbooks]) if playbooks.is_dir() else ()
    return Room(
        region=region,
        by=clean(by, limit=100),
        identity=identity,
        ledger=ledger,
        archive=desk.open_archive(region),
        readers=desk.open_readers(region),
        examiner=desk.open_examiner(region, ledger),
        answers=desk.open_answers(region),
        executions=desk.open_executions(region, table, identity),
        now=desk.now,
        playbooks={each.ref.key: each for each in known if each.region == region},
        drill_file=drill_file or next((file for file in DRILL_FILES if file.is_file()), None),
    )
