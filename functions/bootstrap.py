"""The composition root: builds the adapters and hands them to the steps. Nothing else knows both sides.

Everything is built once per execution environment, on first use: a function builds only what its step needs, and
imports no more than that. Each builder has its imports inside, because every function of the responder would wait for
them at its start. `composed` is the one way to build it out of other parts.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from functions.settings import DeskSettings, Settings

if TYPE_CHECKING:
    from functions.adapters.changer import AwsChanger
    from functions.adapters.clients import Clients
    from functions.adapters.cloudwatch import CloudWatchReader
    from functions.adapters.containment import AwsContainment
    from functions.adapters.reader import AwsServiceReader
    from functions.adapters.runs import S3Runs
    from functions.adapters.s3 import S3Archive
    from functions.adapters.sns import SnsNotifier
    from functions.adapters.stepfunctions import StepFunctionsExecutions
    from functions.domain.called import Service
    from functions.domain.digests import Period
    from functions.domain.signals import Signal
    from functions.playbooks.addressee import Addressee
    from functions.playbooks.compiled import Compiled
    from functions.playbooks.schema import Playbook
    from functions.ports import (
        Answers,
        Archive,
        BackupKeeper,
        Clock,
        DigestReaders,
        Executions,
        FunctionHold,
        HealthReaders,
        HttpReader,
        Inspector,
        Ledger,
        MuteKeeper,
        Readers,
        ServiceReader,
        WebhookCaller,
    )
    from functions.workflow.announce import Announce
    from functions.workflow.api.answer import AnswerPeople
    from functions.workflow.api.inquire import Inquire
    from functions.workflow.api.inspect import Inspect
    from functions.workflow.api.order import OrderByHand
    from functions.workflow.api.records import Records
    from functions.workflow.api.switch import SwitchEverything
    from functions.workflow.api.trials import MakeTrial, Try
    from functions.workflow.approval import AskPeople
    from functions.workflow.assess import Assess, Examiner
    from functions.workflow.bake import Bake
    from functions.workflow.checks import RunChecks
    from functions.workflow.close import Close
    from functions.workflow.digests.around import Sources
    from functions.workflow.digests.send import SendDigest
    from functions.workflow.intake import Intake
    from functions.workflow.listen import Listen
    from functions.workflow.orders import TryOrder
    from functions.workflow.page import PagePeople
    from functions.workflow.remediate import Remediate
    from functions.workflow.report import WriteReport
    from functions.workflow.restore import Lift, Restore
    from functions.workflow.scored import ScoreLook
    from functions.workflow.secrets import TellSecretChange
    from functions.workflow.sweep import Sweep
    from functions.workflow.threats import TellThreat
    from functions.workflow.update import KeepPromises
    from functions.workflow.validation import Validator
    from functions.workflow.verify import Verify
    from functions.workflow.watch import Watch

TAKE_OVER_MARGIN_S = 10
"""How much longer than a function's time-out the sweep waits before it takes an incident over."""

CODE = Path(__file__).resolve().parent.parent
"""The root of the asset, beside the `functions` package."""

T = TypeVar("T")

_built: dict[str, Any] = {}
"""What was built so far, by the name of its builder."""


def _once(build: Callable[[], T]) -> Callable[[], T]:
    @wraps(build)
    def built() -> T:
        if build.__name__ not in _built:
            _built[build.__name__] = build()
        found: T = _built[build.__name__]
        return found

    return built


@contextmanager
def composed(
    *,
    settings: Settings,
    clients: Clients,
    clock: Clock,
    ledger: Ledger | None = None,
    playbooks: tuple[Playbook, ...] | Compiled = (),
    http: HttpReader | None = None,
    webhooks: WebhookCaller | None = None,
    threads: Callable[[int], Executor] | None = None,
) -> Iterator[None]:
    """Build everything out of these parts until the block ends, for whoever runs the handlers outside of Lambda.

    Compiled playbooks are looked up as those that are shipped; others are at hand already, and all gone through.
    Without `http`, `webhooks` and `threads`, HTTP requests go out, and reads run side by side, as they do on Lambda.
    Without `ledger` there is none, for what needs none.
    """
    before = dict(_built)
    _built.clear()
    _built.update(_settings=settings, _clients=clients, _clock=clock)
    _built["_playbooks" if isinstance(playbooks, tuple) else "_compiled"] = playbooks
    if ledger is not None:
        _built["_ledger"] = ledger
    if http is not None:
        _built["_http"] = http
    if webhooks is not None:
        _built["_webhooks"] = webhooks
    if threads is not None:
        _built["_threads"] = threads
    try:
        yield
    finally:
        _built.clear()
        _built.update(before)


def at_start(*builders: Callable[[], object], clients: Sequence[Service] = ()) -> None:
    """The end of every handler's imports: build this, and make the clients that its first event reads with. On Lambda
    alone, as elsewhere a handler is imported by whoever composes it otherwise.

    There the time before the first event is spent on a whole processor, and the event's own on the share that the
    function's memory buys, under a third of one. From here on garbage is looked for (`functions/handlers`).
    """
    if not Settings().on_lambda:
        return
    for build in builders:
        build()
    for service in clients:
        # To ask for anything of it makes it.
        _ = _clients().repeating(service).meta
    gc.freeze()
    gc.enable()


@_once
def _settings() -> Settings:
    return Settings()


@_once
def _clients() -> Clients:
    from functions.adapters.clients import Clients

    return Clients(region=_settings().region)


@_once
def _clock() -> Clock:
    from functions.adapters.clock import SystemClock

    return SystemClock()


@_once
def _archive() -> S3Archive:
    from functions.adapters.s3 import S3Archive

    return S3Archive(_clients().repeating("s3"), bucket=_settings().bucket or None)


@_once
def _ledger() -> Ledger:
    from functions.adapters.ledger import DynamoLedger
    from functions.observability import counting

    return DynamoLedger(
        _clients().repeating("dynamodb"),
        table=_settings().table,
        clock=_clock(),
        archive=_archive(),
        written=counting(_alarm_names),
    )


@_once
def _reader() -> AwsServiceReader:
    from functions.adapters.reader import AwsServiceReader

    return AwsServiceReader.of(_clients(), threads=_threads())


@_once
def _metrics() -> CloudWatchReader:
    from functions.adapters.cloudwatch import CloudWatchReader

    return CloudWatchReader(_clients().repeating("cloudwatch"), clock=_clock())


@_once
def _http() -> HttpReader:
    from functions.adapters.http import HttpGetter

    return HttpGetter()


@_once
def _threads() -> Callable[[int], Executor]:
    from functions.adapters.threads import Threads

    return Threads()


@_once
def _health_readers() -> HealthReaders:
    from functions.adapters.front import AwsFrontReader
    from functions.adapters.rds import RdsReader
    from functions.ports import HealthReaders

    clients = _clients()
    return HealthReaders(
        service=_reader(),
        metrics=_metrics(),
        front=AwsFrontReader.of(clients),
        databases=RdsReader(clients.repeating("rds"), insights=clients.once("pi"), clock=_clock()),
        http=_http(),
        threads=_threads(),
    )


@_once
def _readers() -> Readers:
    from functions.adapters.account import AwsAccountReader
    from functions.adapters.backups import AwsBackups
    from functions.adapters.breach import AwsBreachReader
    from functions.adapters.logs import InsightsReader
    from functions.adapters.network import AwsNetworkReader
    from functions.adapters.secrets import AwsSecretsReader
    from functions.adapters.tables import DynamoTableReader
    from functions.ports import Readers

    clients = _clients()
    return Readers(
        **vars(_health_readers()),
        logs=InsightsReader(clients.once("logs"), most_bytes=_settings().log_scan_mb * 1_000_000),
        secrets=AwsSecretsReader.of(clients),
        account=AwsAccountReader.of(clients, clock=_clock()),
        breach=AwsBreachReader.of(clients, clock=_clock(), region=_settings().region),
        network=AwsNetworkReader.of(clients),
        tables=DynamoTableReader.of(clients),
        backups=AwsBackups(client=clients.repeating),
    )


@_once
def _webhooks() -> WebhookCaller:
    from functions.adapters.webhooks import HttpsWebhooks

    return HttpsWebhooks(client=_clients().once)


@_once
def _changer() -> AwsChanger:
    from functions.adapters.changer import AwsChanger

    return AwsChanger.of(_clients(), webhooks=_webhooks(), clock=_clock())


@_once
def _containment() -> AwsContainment:
    from functions.adapters.clients import Clients
    from functions.adapters.containment import CLOUDFRONT_REGION, AwsContainment

    return AwsContainment.of(_clients(), cloudfront=lambda: Clients(region=CLOUDFRONT_REGION))


@_once
def _notifier() -> SnsNotifier:
    from functions.adapters.sns import SnsNotifier

    return SnsNotifier(_clients().repeating("sns"), topic=_settings().page_topic)


@_once
def _second_notifier() -> SnsNotifier:
    from functions.adapters.sns import SnsNotifier

    return SnsNotifier(_clients().repeating("sns"), topic=_settings().second_topic)


@_once
def _executions() -> StepFunctionsExecutions:
    from functions.adapters.stepfunctions import StepFunctionsExecutions

    return StepFunctionsExecutions(_clients().repeating("stepfunctions"), state_machine=_settings().state_machine)


@_once
def _compiled() -> Compiled:
    from functions.playbooks.compiled import Compiled

    return Compiled.of(CODE / _settings().playbooks_file)


@_once
def _playbooks() -> tuple[Playbook, ...]:
    """All of them, for what goes through all services."""
    return tuple(_compiled().values())


def _by_service() -> Mapping[str, Playbook]:
    """For what is about one service: of the file, its line alone is read."""
    if "_playbooks" in _built:
        return {playbook.ref.key: playbook for playbook in _playbooks()}
    return _compiled()


def _alarm_names() -> Container[str]:
    if "_playbooks" in _built:
        return {name for playbook in _playbooks() for name in playbook.alarm_names}
    return _compiled().alarm_names


def _addressees(signal: Signal) -> Sequence[Addressee]:
    if "_playbooks" in _built:
        return [playbook.addressee for playbook in _playbooks()]
    return _compiled().addressees(signal)


@_once
def _examiner() -> Examiner:
    from functions.actions.registry import ACTIONS
    from functions.diagnostics.registry import PROBES
    from functions.workflow.assess import Examiner

    return Examiner(
        ledger=_ledger(),
        readers=_readers(),
        clock=_clock(),
        probes=PROBES,
        actions=ACTIONS,
        fleet_actions_per_hour=_settings().fleet_actions_per_hour,
        contain_deployed=_settings().contain_deployed,
    )


@_once
def _validator() -> Validator:
    from functions.adapters.monitoring import CloudWatchMonitoring
    from functions.workflow.validation import Validator

    return Validator(
        reader=_reader(),
        metrics=_metrics(),
        monitoring=CloudWatchMonitoring(_clients().once("cloudwatch")),
        clock=_clock(),
        threads=_threads(),
    )


@_once
def intake() -> Intake:
    from functions.workflow.intake import Intake

    return Intake(ledger=_ledger(), executions=_executions(), addressees=_addressees, account=_settings().account)


@_once
def assess() -> Assess:
    from functions.workflow.assess import Assess

    return Assess(ledger=_ledger(), examiner=_examiner(), playbooks=_by_service(), validator=_validator())


@_once
def watch() -> Watch:
    from functions.workflow.watch import Watch

    return Watch(ledger=_ledger(), examiner=_examiner(), playbooks=_by_service(), validator=_validator())


@_once
def remediate() -> Remediate:
    from functions.actions.registry import ACTIONS
    from functions.workflow.remediate import Remediate

    return Remediate(
        ledger=_ledger(),
        readers=_health_readers(),
        changer=_changer(),
        clock=_clock(),
        actions=ACTIONS,
        playbooks=_by_service(),
        fleet_actions_per_hour=_settings().fleet_actions_per_hour,
    )


@_once
def contain() -> Remediate:
    from functions.workflow.table import StepName

    return replace(remediate(), changer=_containment(), step=StepName.CONTAIN)


@_once
def lift() -> Lift:
    from functions.workflow.restore import Lift

    return Lift(
        ledger=_ledger(), ip_sets=_containment(), changer=_containment(), clock=_clock(), playbooks=_by_service()
    )


@_once
def verify() -> Verify:
    from functions.workflow.verify import Verify

    return Verify(
        ledger=_ledger(),
        readers=_health_readers(),
        score_look=_score_look,
        clock=_clock(),
        playbooks=_by_service(),
        validator=_validator(),
    )


@_once
def _score_look() -> ScoreLook:
    from functions.diagnostics.registry import PROBES
    from functions.workflow.scored import ScoreLook

    return ScoreLook(ledger=_ledger(), readers=_readers(), probes=PROBES)


@_once
def listen() -> Listen:
    from functions.workflow.listen import Listen

    return Listen(ledger=_ledger(), executions=_executions)


@_once
def page_people() -> PagePeople:
    from functions.workflow.page import PagePeople

    return PagePeople(
        ledger=_ledger(), notifier=_notifier(), archive=_archive(), clock=_clock(), playbooks=_by_service()
    )


@_once
def keep_promises() -> KeepPromises:
    from functions.workflow.update import KeepPromises

    return KeepPromises(
        ledger=_ledger(), notifier=_notifier(), second=_second_notifier(), clock=_clock(), playbooks=_by_service()
    )


@_once
def ask_people() -> AskPeople:
    from functions.workflow.approval import AskPeople

    return AskPeople(ledger=_ledger(), notifier=_notifier(), clock=_clock(), playbooks=_by_service())


@_once
def close() -> Close:
    from functions.workflow.close import Close

    return Close(ledger=_ledger(), archive=_archive(), notifier=_notifier(), clock=_clock(), playbooks=_by_service())


@_once
def announce() -> Announce:
    from functions.adapters.eventbridge import EventBridgeAnnouncer
    from functions.workflow.announce import Announce

    return Announce(ledger=_ledger(), announcer=EventBridgeAnnouncer(_clients().once("events")))


@_once
def write_report() -> WriteReport:
    from functions.workflow.report import WriteReport

    return WriteReport(
        ledger=_ledger(), archive=_archive(), readers=_readers(), clock=_clock(), playbooks=_by_service()
    )


@_once
def restore() -> Restore:
    from functions.adapters.mutes import AlarmMutes
    from functions.workflow.restore import Restore

    return Restore(
        ledger=_ledger(),
        reader=_reader(),
        mutes=AlarmMutes(client=_clients().once, clock=_clock()),
        changer=_changer(),
        clock=_clock(),
        playbooks=_by_service(),
        contain_deployed=_settings().contain_deployed,
    )


@_once
def sweep() -> Sweep:
    from functions.workflow.sweep import Sweep

    return Sweep(
        ledger=_ledger(),
        executions=_executions(),
        metrics=_metrics(),
        clock=_clock(),
        playbooks=_playbooks(),
        take_over_after=timedelta(seconds=_settings().function_timeout_s + TAKE_OVER_MARGIN_S),
    )


@_once
def send_digest() -> SendDigest:
    from functions.workflow.digests.send import SendDigest

    return SendDigest(
        ledger=_ledger(),
        readers=_readers(),
        more=_digest_readers(_clients(), clock=_clock(), bucket=_settings().bucket),
        archive=_archive(),
        notifier=_notifier(),
        clock=_clock(),
        playbooks=_playbooks(),
        responder=_settings().table,
        region=_settings().region,
    )


def _digest_readers(clients: Clients, *, clock: Clock, bucket: str | None) -> DigestReaders:
    from functions.adapters.account import AwsAccountReader
    from functions.adapters.backups import AwsBackups
    from functions.adapters.billing import CostExplorer, FargateQuota
    from functions.adapters.mutes import AlarmMutes
    from functions.adapters.rds import RdsReader
    from functions.adapters.s3 import S3DrillRecords
    from functions.ports import DigestReaders

    return DigestReaders(
        bill=CostExplorer(clients.once("ce")),
        quotas=FargateQuota(clients.repeating("service-quotas")),
        queries=RdsReader(clients.repeating("rds"), insights=clients.once("pi"), clock=clock),
        detectors=AwsAccountReader.of(clients, clock=clock),
        mutes=AlarmMutes(client=clients.once, clock=clock),
        backups=AwsBackups(client=clients.once),
        drills=S3DrillRecords(clients.repeating("s3"), bucket=bucket),
    )


@_once
def bake() -> Bake:
    from functions.diagnostics.registry import PROBES
    from functions.workflow.bake import Bake

    return Bake(
        ledger=_ledger(),
        executions=_executions(),
        readers=_readers(),
        clock=_clock(),
        probes=PROBES,
        playbooks=_playbooks(),
    )


@_once
def tell_secret_change() -> TellSecretChange:
    from functions.workflow.secrets import TellSecretChange

    return TellSecretChange(ledger=_ledger(), executions=_executions(), reader=_reader(), playbooks=_playbooks())


@_once
def run_checks() -> RunChecks:
    from functions.adapters.check_metrics import CloudWatchCheckMetrics
    from functions.adapters.checker import HttpChecker
    from functions.adapters.secret_values import AwsSecretValues
    from functions.workflow.checks import RunChecks

    return RunChecks(
        caller=HttpChecker(),
        secrets=AwsSecretValues(_clients().repeating("secretsmanager")),
        metrics=CloudWatchCheckMetrics(_clients().repeating("cloudwatch")),
        clock=_clock(),
        playbooks=_playbooks(),
        threads=_threads(),
    )


@_once
def tell_threat() -> TellThreat:
    from functions.workflow.threats import TellThreat

    return TellThreat(ledger=_ledger(), executions=_executions(), reader=_reader(), playbooks=_playbooks())


@_once
def forward() -> Callable[[Mapping[str, Any]], None]:
    """What hands an event to the intake queue."""
    from functions.adapters.sqs import SqsQueue

    return SqsQueue(_clients().once("sqs"), url=_settings().intake_queue).send


@_once
def _own_reading() -> Inspector:
    from functions.adapters.functions import ANSWERS_WITHIN_S, ReadingFunction

    client = _clients().waiting("lambda", seconds=ANSWERS_WITHIN_S)
    return ReadingFunction(client, function=_settings().read_function)


@_once
def records() -> Records:
    from functions.workflow.api.records import Records

    return Records(ledger=_ledger(), clock=_clock(), playbooks=_playbooks())


@_once
def inquire() -> Inquire:
    from functions.workflow.api.inquire import Inquire

    return Inquire(inspector=_own_reading(), records=records(), playbooks=_playbooks())


@_once
def try_order() -> TryOrder:
    from functions.workflow.orders import TryOrder

    return TryOrder(ledger=_ledger(), examiner=_examiner(), clock=_clock(), playbooks=_by_service())


@_once
def order_by_hand() -> OrderByHand:
    from functions.workflow.api.order import OrderByHand
    from functions.workflow.orders import GiveOrder

    give = GiveOrder(ledger=_ledger(), executions=_executions(), now=_clock().now, playbooks=_by_service())
    return OrderByHand(inspector=_own_reading(), give=give, ledger=_ledger(), playbooks=_playbooks())


@_once
def switch_everything() -> SwitchEverything:
    from functions.workflow.api.switch import SwitchEverything

    return SwitchEverything(ledger=_ledger(), now=_clock().now)


@_once
def answer_people() -> AnswerPeople:
    from functions.adapters.stepfunctions import StepFunctionsAnswers
    from functions.workflow.answers import TakeAnswer
    from functions.workflow.api.answer import AnswerPeople

    answers = StepFunctionsAnswers(_clients().once("stepfunctions"))
    return AnswerPeople(take=TakeAnswer(ledger=_ledger(), answers=answers, now=_clock().now))


@_once
def trying() -> Try:
    from functions.adapters.functions import ANSWERS_WITHIN_S, TryingFunction
    from functions.workflow.api.trials import Try

    client = _clients().waiting("lambda", seconds=ANSWERS_WITHIN_S)
    return Try(
        trier=TryingFunction(client, function=_settings().trial_function),
        inspector=_own_reading(),
        runs=_runs(),
        ledger=_ledger(),
        clock=_clock(),
        playbooks=_playbooks(),
    )


@_once
def _runs() -> S3Runs:
    from functions.adapters.runs import S3Runs

    return S3Runs(_clients().repeating("s3"), bucket=_settings().bucket)


@_once
def inspect() -> Inspect:
    from functions.diagnostics.registry import PROBES
    from functions.workflow.api.inspect import Inspect

    return Inspect(ledger=_ledger(), readers=_readers(), clock=_clock(), probes=PROBES, playbooks=_by_service())


@_once
def make_trial() -> MakeTrial:
    from functions.adapters.checker import HttpChecker
    from functions.adapters.loader import HttpLoader
    from functions.workflow.api.trials import MakeTrial

    return MakeTrial(
        caller=HttpChecker(),
        http=_http(),
        loader=HttpLoader(_http(), threads=_threads()),
        runs=_runs(),
        clock=_clock(),
        playbooks=_playbooks(),
        threads=_threads(),
    )


@_once
def service_reader() -> ServiceReader:
    """For the look-up of a service at deployment."""
    return _reader()


def region() -> str:
    """Where this function runs."""
    return _settings().region


def desk_ledger(table: str, region: str) -> Ledger:
    """The ledger for a command at the desk."""
    from functions.adapters.clients import Clients
    from functions.adapters.clock import SystemClock
    from functions.adapters.ledger import DynamoLedger
    from functions.adapters.s3 import S3Archive

    clients = Clients(region=region)
    archive = S3Archive(clients.repeating("s3"), bucket=None)
    return DynamoLedger(clients.repeating("dynamodb"), table=table, clock=SystemClock(), archive=archive)


def desk_archive(region: str) -> Archive:
    """What lies beside the ledger, for a command at the desk: it fetches and keeps nothing."""
    from functions.adapters.clients import Clients
    from functions.adapters.s3 import S3Archive

    return S3Archive(Clients(region=region).repeating("s3"), bucket=None)


def desk_readers(region: str) -> Readers:
    """Everything a look may read, with the credentials of whoever sits at the desk."""
    from functions.adapters.clients import Clients
    from functions.adapters.clock import SystemClock

    with composed(settings=DeskSettings(region), clients=Clients(region=region), clock=SystemClock()):
        return _readers()


def desk_answers(region: str) -> Answers:
    """The way back into an execution that waits, for a command at the desk."""
    from functions.adapters.clients import Clients
    from functions.adapters.stepfunctions import StepFunctionsAnswers

    return StepFunctionsAnswers(Clients(region=region).once("stepfunctions"))


def desk_backups(region: str) -> BackupKeeper:
    """Backups, taken and listed with the credentials of whoever sits at the desk."""
    from functions.adapters.backups import AwsBackups
    from functions.adapters.clients import Clients

    return AwsBackups(client=Clients(region=region).once)


def desk_mutes(region: str) -> MuteKeeper:
    """Muted alarms, with the credentials of whoever sits at the desk."""
    from functions.adapters.clients import Clients
    from functions.adapters.clock import SystemClock
    from functions.adapters.mutes import AlarmMutes

    return AlarmMutes(client=Clients(region=region).once, clock=SystemClock())


def desk_hold(region: str) -> FunctionHold:
    """Holds the responder's functions, with the credentials of whoever sits at the desk."""
    from functions.adapters.clients import Clients
    from functions.adapters.holds import LambdaHold

    return LambdaHold(Clients(region=region).repeating("lambda"))


def desk_digest_sources(region: str, *, ledger: Ledger, period: Period, until: datetime) -> Sources:
    """Where a digest is read from, with the credentials of whoever sits at the desk. The archive is not among it."""
    from functions.adapters.clients import Clients
    from functions.adapters.clock import SystemClock
    from functions.workflow.digests.around import Sources

    settings, clients, clock = DeskSettings(region), Clients(region=region), SystemClock()
    with composed(settings=settings, clients=clients, clock=clock):
        readers, more = _readers(), _digest_readers(clients, clock=clock, bucket=None)
    return Sources(readers=readers, more=more, ledger=ledger, period=period, until=until)


def desk_executions(region: str, name: str, identity: str) -> Executions:
    """The workflow of the responder of that name, for a command at the desk; `identity` is the caller's ARN."""
    from functions.adapters.clients import Clients
    from functions.adapters.stepfunctions import StepFunctionsExecutions

    _, partition, _, _, account, _ = identity.split(":", 5)
    machine = f"arn:{partition}:states:{region}:{account}:stateMachine:{name}"
    return StepFunctionsExecutions(Clients(region=region).repeating("stepfunctions"), state_machine=machine)


def desk_identity(region: str) -> str:
    """ARN of whoever sits at the desk."""
    from functions.adapters.clients import Clients
    from functions.adapters.sts import caller

    return caller(Clients(region=region).repeating("sts"))


def desk_examiner(region: str, ledger: Ledger) -> Examiner:
    """What looks at a service as assess does, with the credentials of whoever sits at the desk; it writes nothing."""
    from functions.adapters.clients import Clients
    from functions.adapters.clock import SystemClock

    clients = Clients(region=region)
    with composed(settings=DeskSettings(region), clients=clients, clock=SystemClock(), ledger=ledger, playbooks=()):
        return _examiner()
