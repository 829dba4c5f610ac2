"""What is ordered at the terminal alone: the page of a service names the commands, whole but for what only a person
knows."""

from collections.abc import Sequence

from functions.domain.services import ServiceRef

WHY = "--reason '...'"


def commands(ref: ServiceRef) -> Sequence[tuple[str, str]]:
    """For each command what it does, in a few words."""
    key = ref.key
    return (
        ("set floor and ceiling of the autoscaler", f"responder limits {key} MIN MAX {WHY}"),
        ("drain one task and stop it", f"responder stop-task {key} TASK {WHY}"),
        ("let the responder look, and act as the playbook says", f"responder open {key} {WHY}"),
        ("never roll back to a release", f"responder release quarantine {key} REVISION {WHY}"),
        ("free a release again", f"responder release trust {key} REVISION {WHY}"),
        ("announce a maintenance window", f"responder maintenance {key} --from 02:00 --for 2h {WHY}"),
        ("mute an alarm that only tells people", f"responder mute ALARM --for 2h {WHY} --region {ref.region}"),
        ("back up what the playbook names", f"responder backup {key} {WHY}"),
        ("read what it logged", f"responder logs {key}"),
        ("isolate it: no task runs; people are asked first", f"responder isolate {key} {WHY}"),
        ("block an address; people are asked first", f"responder block {key} ADDRESS --for 24h {WHY}"),
        ("disable a user; people are asked first", f"responder disable-user {key} USER {WHY}"),
        ("stop everything, for every service", f"responder stop --all {WHY} --region {ref.region}"),
    )
