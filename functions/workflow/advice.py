"""What people can type about a cause: where to look first, and what they may order. Nothing of it is done by itself.

Orders come with `--dry-run`: whoever is woken sees first what would be done, and what refuses it.
"""

from collections.abc import Iterator, Mapping, Sequence

from functions.domain.causes import Cause
from functions.domain.findings import Findings
from functions.domain.services import ServiceRef
from functions.domain.shell import word
from functions.domain.watched import (
    WatchedAlarm,
    WatchedDatabase,
    WatchedFunction,
    WatchedService,
    WatchedTable,
    WatchedUrl,
)
from functions.playbooks.schema import Playbook

MOST_DEPENDENCIES = 3
"""Of dependencies in trouble so many are named: a phone shows twenty lines."""

_BACK = ("Go back", "rollback {service} --reason '...' --dry-run")
_FRESH = ("Restart", "redeploy {service} --reason '...' --dry-run")
_MORE = ("Scale", "scale {service} {more} --for 1h --reason '...' --dry-run")

_ORDERS: Mapping[Cause, Sequence[tuple[str, str]]] = {
    Cause.BAD_DEPLOYMENT: (_BACK,),
    Cause.BAD_RELEASE: (_BACK,),
    Cause.DEPLOYMENT_STALLED: (_BACK,),
    Cause.HEALTH_CHECK_MISCONFIGURED: (_BACK,),
    Cause.IMAGE_UNAVAILABLE: (_BACK,),
    Cause.PERMISSION_DENIED: (_BACK,),
    Cause.SCHEMA_MISMATCH: (_BACK,),
    Cause.SECRET_MISSING: (_BACK,),
    Cause.CRASH_LOOP: (_BACK,),
    Cause.OUT_OF_MEMORY: (_BACK,),
    Cause.UNKNOWN: (_BACK, _FRESH),
    Cause.AUTHENTICATION_FAILING: (_FRESH,),
    Cause.STUCK_TASKS: (_FRESH,),
    Cause.OVERLOAD: (_MORE,),
    Cause.SCALING_CEILING: (_MORE,),
}
"""What a person might order where the responder did not; of causes that are not here, an order would mend nothing."""


def advice(cause: Cause, service: ServiceRef, playbook: Playbook | None, looked: Findings | None) -> list[str]:
    """Lines of a label and a command: first what the service stands on and is in trouble, then an order, then a status.

    `looked` is what the newest look brought."""
    found = [*_dependencies(service, playbook, looked), *_orders(cause, service, looked)]
    found.append(
        ("Status", f"responder status {word(f'{service.cluster}/{service.service}')} --region {service.region}")
    )
    return [f"{label:<10} {command}" for label, command in found]


def _orders(cause: Cause, service: ServiceRef, looked: Findings | None) -> Iterator[tuple[str, str]]:
    """More tasks means half as many again as are wanted now; nothing where nobody knows how many these are."""
    facts = None if looked is None else looked.service.value
    more = None if facts is None or facts.desired == 0 else facts.desired + max(1, facts.desired // 2)
    for label, command in _ORDERS.get(cause, ()):
        if "{more}" not in command or more is not None:
            yield label, f"responder {command.format(service=word(service.key), more=more)}"


def _dependencies(service: ServiceRef, playbook: Playbook | None, looked: Findings | None) -> Iterator[tuple[str, str]]:
    facts = None if looked is None else looked.dependencies.value
    troubled = [] if facts is None else [each.name for each in facts.troubled]
    named = {} if playbook is None else {each.name: each for each in playbook.dependencies}
    commands = [_look(named[name], service) for name in troubled if name in named]
    yield from [command for command in commands if command is not None][:MOST_DEPENDENCIES]


def _look(watched: object, service: ServiceRef) -> tuple[str, str] | None:
    """How that kind of dependency is looked at; None where one command does not tell."""
    region = f"--region {service.region}"
    match watched:
        case WatchedDatabase(rds=name):
            return "Database", f"aws rds describe-db-instances --db-instance-identifier {word(name)} {region}"
        case WatchedTable(dynamodb=name):
            return "Table", f"aws dynamodb describe-table --table-name {word(name)} {region}"
        case WatchedAlarm(alarm=name):
            return "Alarm", f"aws cloudwatch describe-alarms --alarm-names {word(name)} {region}"
        case WatchedFunction(function=name):
            return "Function", f"aws lambda get-function --function-name {word(name)} {region}"
        case WatchedService():
            ref = watched.ref(service)
            return (
                "Service",
                f"aws ecs describe-services --cluster {word(ref.cluster)} --services {word(ref.service)} {region}",
            )
        case WatchedUrl(http=check):
            return "URL", f"curl -sS -i {word(check.url)}"
        case _:
            return None
