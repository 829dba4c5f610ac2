"""Synthetic checks: once a minute, ask every service what its playbook asks from outside, and publish what was found.

Nothing is decided here. The alarm that stands on the metric opens an incident, as every other alarm does.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass

from functions.diagnostics.synthetic import finding
from functions.domain.errors import ReadFailed
from functions.domain.model import Model
from functions.domain.permissions import Permission, Resource
from functions.domain.redaction import REDACTED
from functions.domain.services import ServiceRef
from functions.domain.synthetic import Checked, SyntheticCheck
from functions.playbooks.schema import Playbook
from functions.ports import CheckCaller, CheckMetrics, Clock, SecretValues

NEEDS = (
    Permission(action="secretsmanager:GetSecretValue", resource=Resource.CHECK_SECRET),
    Permission(action="cloudwatch:PutMetricData", resource=Resource.CHECK_METRICS),
)

DEADLINE_S = 30.0
"""For all checks together, which are made side by side: enough to read a secret at the second attempt and to wait for
the longest time-out of a check, and short enough to publish before the function's own time-out."""

OPENS_SECRET = "see that it exists, and that the function's role may read it and decrypt with its key (docs/iam.md)"


class Round(Model):
    """What one round of all checks found, for its log lines. Checks are named `cluster/service check`."""

    fine: int = 0
    failed: Mapping[str, str] = {}
    """Why, by check."""
    not_made: Mapping[str, str] = {}
    """Checks that could not be carried out for reasons of our own, which says nothing of the service: why, and what to
    do. Nothing was published for them."""


@dataclass(frozen=True, kw_only=True)
class RunChecks:
    caller: CheckCaller
    secrets: SecretValues
    metrics: CheckMetrics
    clock: Clock
    playbooks: Sequence[Playbook]
    threads: Callable[[int], Executor]
    deadline_s: float = DEADLINE_S

    def __call__(self) -> Round:
        """Make every check, each in a thread of its own, so that a slow one delays no other.

        Raises:
            ReadFailed: if what was found could not be published.
        """
        at = self.clock.now()
        checks = [(playbook.ref, check) for playbook in self.playbooks for check in playbook.synthetic_checks]
        checked, not_made = self._made(checks)
        if checked:
            self.metrics.publish(checked, at=at)
        return Round(
            fine=sum(1 for each in checked if not each.finding),
            failed={_name(each.ref, each.check): each.finding for each in checked if each.finding},
            not_made=not_made,
        )

    def _made(self, checks: Sequence[tuple[ServiceRef, SyntheticCheck]]) -> tuple[list[Checked], dict[str, str]]:
        checked: list[Checked] = []
        not_made: dict[str, str] = {}
        pool = self.threads(max(1, len(checks)))
        try:
            running: dict[Future[Checked], str] = {
                pool.submit(self._check, ref, check): _name(ref, check.check) for ref, check in checks
            }
            wait(running, timeout=self.deadline_s)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for future, name in running.items():
            if not future.done() or future.cancelled():
                not_made[name] = f"no end within {self.deadline_s:g} s; make fewer checks, or shorten their timeout"
                continue
            try:
                checked.append(future.result())
            except ReadFailed as error:
                not_made[name] = str(error)
        return checked, not_made

    def _check(self, ref: ServiceRef, check: SyntheticCheck) -> Checked:
        if check.header is None:
            return Checked(ref=ref, check=check.check, finding=finding(check, self.caller.ask(check, headers={})))
        try:
            secret = self.secrets.value(check.header.secret, key=check.header.key)
        except ReadFailed as error:
            raise ReadFailed(f"{error}; {OPENS_SECRET}") from error
        answer = self.caller.ask(check, headers={check.header.name: check.header.prefix + secret})
        # Whoever answers knows the header, and could say it again.
        return Checked(ref=ref, check=check.check, finding=finding(check, answer).replace(secret, REDACTED))


def _name(ref: ServiceRef, check: str) -> str:
    return f"{ref.cluster}/{ref.service} {check}"
