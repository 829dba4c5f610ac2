"""The composition root: builds the adapters and hands them to the steps. Nothing else knows both sides.

Everything is built once per execution environment, on first use: a function builds only what its step needs.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from functions.actions.registry import ACTIONS
from functions.adapters.changer import AwsChanger
from functions.adapters.clients import Clients
from functions.adapters.clock import SystemClock
from functions.adapters.cloudwatch import CloudWatchReader
from functions.adapters.ledger import DynamoLedger
from functions.adapters.reader import AwsServiceReader
from functions.adapters.s3 import S3Archive
from functions.adapters.sns import SnsNotifier
from functions.adapters.sqs import SqsQueue
from functions.adapters.stepfunctions import StepFunctionsExecutions
from functions.diagnostics.registry import PROBES
from functions.playbooks.compiled import load_compiled
from functions.playbooks.schema import Playbook
from functions.ports import Ledger, ServiceReader
from functions.settings import Settings
from functions.workflow.assess import Assess, Examiner
from functions.workflow.close import Close
from functions.workflow.intake import Intake
from functions.workflow.page import PagePeople
from functions.workflow.remediate import Remediate
from functions.workflow.restore import Restore
from functions.workflow.sweep import Sweep
from functions.workflow.verify import Verify
from functions.workflow.watch import Watch

TAKE_OVER_MARGIN_S = 10
"""How much longer than a function's time-out the sweep waits before it takes an incident over."""

CODE = Path(__file__).resolve().parent.parent
"""The root of the asset, beside the `functions` package."""


@cache
def _settings() -> Settings:
    return Settings()


@cache
def _clients() -> Clients:
    return Clients(region=_settings().region)


@cache
def _clock() -> SystemClock:
    return SystemClock()


@cache
def _archive() -> S3Archive:
    return S3Archive(_clients().repeating("s3"), bucket=_settings().bucket)


@cache
def _ledger() -> DynamoLedger:
    return DynamoLedger(_clients().repeating("dynamodb"), table=_settings().table, clock=_clock(), archive=_archive())


@cache
def _reader() -> AwsServiceReader:
    return AwsServiceReader.of(_clients())


@cache
def _metrics() -> CloudWatchReader:
    return CloudWatchReader(_clients().repeating("cloudwatch"), clock=_clock())


@cache
def _changer() -> AwsChanger:
    return AwsChanger.of(_clients())


@cache
def _notifier() -> SnsNotifier:
    return SnsNotifier(_clients().repeating("sns"), topic=_settings().page_topic)


@cache
def _executions() -> StepFunctionsExecutions:
    return StepFunctionsExecutions(_clients().repeating("stepfunctions"), state_machine=_settings().state_machine)


@cache
def _playbooks() -> tuple[Playbook, ...]:
    return load_compiled((CODE / _settings().playbooks_file).read_text(encoding="utf-8"))


def _by_service() -> Mapping[str, Playbook]:
    return {playbook.ref.key: playbook for playbook in _playbooks()}


@cache
def _examiner() -> Examiner:
    return Examiner(
        ledger=_ledger(),
        reader=_reader(),
        metrics=_metrics(),
        clock=_clock(),
        probes=PROBES,
        actions=ACTIONS,
        fleet_actions_per_hour=_settings().fleet_actions_per_hour,
    )


@cache
def intake() -> Intake:
    return Intake(ledger=_ledger(), executions=_executions(), playbooks=_playbooks())


@cache
def assess() -> Assess:
    return Assess(ledger=_ledger(), examiner=_examiner(), playbooks=_by_service())


@cache
def watch() -> Watch:
    return Watch(ledger=_ledger(), examiner=_examiner(), playbooks=_by_service())


@cache
def remediate() -> Remediate:
    return Remediate(
        ledger=_ledger(),
        reader=_reader(),
        changer=_changer(),
        clock=_clock(),
        playbooks=_by_service(),
        fleet_actions_per_hour=_settings().fleet_actions_per_hour,
    )


@cache
def verify() -> Verify:
    return Verify(ledger=_ledger(), reader=_reader(), metrics=_metrics(), clock=_clock(), playbooks=_by_service())


@cache
def page_people() -> PagePeople:
    return PagePeople(ledger=_ledger(), notifier=_notifier(), archive=_archive(), playbooks=_by_service())


@cache
def close() -> Close:
    return Close(ledger=_ledger(), archive=_archive(), notifier=_notifier(), clock=_clock())


@cache
def restore() -> Restore:
    return Restore(ledger=_ledger(), reader=_reader(), restorer=_changer(), clock=_clock())


@cache
def sweep() -> Sweep:
    return Sweep(
        ledger=_ledger(),
        executions=_executions(),
        reader=_reader(),
        metrics=_metrics(),
        clock=_clock(),
        playbooks=_playbooks(),
        take_over_after=timedelta(seconds=_settings().function_timeout_s + TAKE_OVER_MARGIN_S),
    )


@cache
def forward() -> Callable[[Mapping[str, Any]], None]:
    """What hands an event to the intake queue."""
    return SqsQueue(_clients().once("sqs"), url=_settings().intake_queue).send


@cache
def service_reader() -> ServiceReader:
    """For the look-up of a service at deployment."""
    return _reader()


def region() -> str:
    """Where this function runs."""
    return _settings().region


def desk_ledger(table: str, region: str) -> Ledger:
    """The ledger for a command at the desk."""
    clients = Clients(region=region)
    archive = S3Archive(clients.repeating("s3"), bucket=None)
    return DynamoLedger(clients.repeating("dynamodb"), table=table, clock=SystemClock(), archive=archive)
