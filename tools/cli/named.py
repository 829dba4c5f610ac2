"""What people name at the desk: a Region, a service, a playbook."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from functions.domain.services import ServiceRef
    from functions.playbooks.schema import Playbook


def region_of(region: str | None) -> str:
    """The Region that is given; without one nothing can be asked."""
    if not region:
        raise click.ClickException("no Region is given; set AWS_REGION or write --region, for example us-east-1")
    return region


def service_of(text: str, region: str | None) -> "ServiceRef":
    """A service, written as cluster/service or region/cluster/service."""
    from functions.domain.services import ServiceRef, is_ecs_name

    parts = text.split("/")
    if len(parts) == 2:
        parts.insert(0, region_of(region))
    if len(parts) != 3 or not all(map(is_ecs_name, parts)):
        raise click.ClickException(f"'{text}' is no service; write cluster/service or region/cluster/service")
    return ServiceRef(region=parts[0], cluster=parts[1], service=parts[2])


def playbook_of(directory: Path, ref: "ServiceRef") -> "Playbook":
    """The playbook of a service, out of a directory or file."""
    from functions.playbooks.loading import load_playbooks

    found = next((playbook for playbook in load_playbooks([directory]) if playbook.ref == ref), None)
    if found is None:
        raise click.ClickException(f"no playbook in {directory} is for {ref}; write --playbooks, or another service")
    return found
