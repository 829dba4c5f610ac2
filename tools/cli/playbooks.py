"""The playbook that a command at the desk is about."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from functions.domain.services import ServiceRef
    from functions.playbooks.schema import Playbook


def playbook_of(directory: Path, ref: "ServiceRef") -> "Playbook":
    """The playbook of a service, out of a directory or file."""
    from functions.playbooks.loading import load_playbooks

    found = next((playbook for playbook in load_playbooks([directory]) if playbook.ref == ref), None)
    if found is None:
        raise click.ClickException(f"no playbook in {directory} is for {ref}; write --playbooks, or another service")
    return found
