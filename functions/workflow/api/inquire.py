"""What has to be asked of AWS: each question is one look by whoever may read it, and a pure answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.diagnostics.ranking import rank
from functions.diagnostics.score import READS
from functions.domain.causes import Judgement
from functions.domain.errors import NotServing, ReadFailed
from functions.domain.evidence import short
from functions.domain.findings import Findings
from functions.domain.model import Model
from functions.domain.severity import Grade, Severity
from functions.domain.signals import AlarmState
from functions.playbooks.named import the_one
from functions.playbooks.schema import Playbook
from functions.ports import Inspector
from functions.workflow.api import views
from functions.workflow.api.records import OrchestrationAnswer, Records, ReleaseLine
from functions.workflow.severity import graded


class Snapshots(Model):
    """Releases that can be gone back to, the newest first."""

    service: str
    current: str | None
    """What runs; null where it could not be read."""
    latest: str | None
    """Where a rollback to `latest` goes: the last known good release."""
    latest_reason: str
    """Why there, or why there is none."""
    snapshots: tuple[ReleaseLine, ...]


class Dashboard(Model):
    """All about one service on one page: each part is null where it could not be read, and `unknown` says why."""

    service: str
    dashboard: str | None
    """The name of its dashboard in CloudWatch, where the playbook asks for one."""
    metrics: views.MetricsAnswer | None
    alerts: views.AlertsAnswer | None
    utilisation: views.Utilisation
    orchestration: OrchestrationAnswer
    unknown: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Inquire:
    """Every method takes a service as `cluster/service`, and raises NotNamed, WhichService and ReadFailed."""

    inspector: Inspector
    records: Records
    playbooks: Sequence[Playbook]

    def _look(self, service: str | None, *probes: str) -> tuple[Playbook, Findings]:
        """Through these probes, or all of them."""
        playbook = the_one(self.playbooks, service)
        return playbook, self.inspector.inspect(playbook.ref, probes)

    def serving(self, service: str | None) -> views.PlainHealth:
        """Raises NotServing where no task runs or no target is healthy."""
        health = views.plain_health(*self._look(service, "service", "targets"))
        if health.status is views.State.UNKNOWN:
            raise ReadFailed(health.reason)
        if health.status is views.State.UNHEALTHY:
            raise NotServing(f"{health.service} serves nobody: {health.reason}")
        return health

    def score(self, service: str | None) -> views.ScoreAnswer:
        return views.score(*self._look(service, *READS))

    def whole(self, service: str | None) -> views.WholeHealth:
        playbook, findings = self._look(service, *READS)
        incident = self.records.ledger.lock_holder(playbook.ref)
        return views.whole_health(playbook, findings, *_judged(playbook, findings), incident)

    def database(self, service: str | None) -> views.DatabaseHealth:
        return views.database_health(*self._look(service, "dependencies"))

    def connections(self, service: str | None) -> views.ConnectionsAnswer:
        return views.connections(*self._look(service, "dependencies"))

    def diagnosis(self, service: str | None) -> views.Diagnosis:
        playbook, findings = self._look(service)
        return views.diagnosis(playbook, findings, *_judged(playbook, findings))

    def issues(self, service: str | None, wanted: frozenset[Severity]) -> views.IssuesAnswer:
        playbook, findings = self._look(service)
        return views.issues(playbook, findings, *_judged(playbook, findings), wanted=wanted)

    def metrics(self, service: str) -> views.MetricsAnswer:
        return views.metrics(*self._look(service, "metrics"))

    def alerts(self, service: str | None) -> views.AlertsAnswer:
        return views.alerts(*self._look(service, "alarms"))

    def utilisation(self, service: str) -> views.Utilisation:
        return views.utilisation(*self._look(service, "metrics", "scaling", "definition"))

    def validation(self, service: str) -> views.ValidationAnswer:
        return views.validation(*self._look(service, *views.VALIDATES))

    def dashboard(self, service: str) -> Dashboard:
        playbook, findings = self._look(service, "metrics", "alarms", "scaling", "definition")
        return Dashboard(
            service=playbook.ref.key,
            dashboard=playbook.dashboard_name,
            metrics=views.metrics(playbook, findings) if findings.metrics.known else None,
            alerts=views.alerts(playbook, findings) if findings.alarms.known else None,
            utilisation=views.utilisation(playbook, findings),
            orchestration=self.records.orchestration(service),
            unknown=views.unknown_in(findings, ["service", "metrics", "alarms", "scaling", "definition"]),
        )

    def snapshots(self, service: str) -> Snapshots:
        """What is on record, and where a rollback would go. Where AWS cannot be read, what is on record alone."""
        playbook, findings = self._look(service, "releases")
        facts = findings.releases.value
        good = None if facts is None else facts.last_known_good
        return Snapshots(
            service=playbook.ref.key,
            current=None if facts is None else short(facts.current),
            latest=None if good is None else short(good),
            latest_reason=(
                f"could not be read: {findings.releases.error}" if facts is None else facts.last_known_good_reason
            ),
            snapshots=self.records.releases(service),
        )


def _judged(playbook: Playbook, findings: Findings) -> tuple[Sequence[Judgement], Grade]:
    judgements = rank(findings)
    alarms = findings.alarms.value
    alarming = [] if alarms is None else [a.name for a in alarms.alarms if a.state is AlarmState.ALARM]
    return judgements, graded(playbook, alarming, findings, judgements)
