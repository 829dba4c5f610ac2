"""The responder: one stack that wires its parts."""

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import Environment, IStackSynthesizer, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions import settings
from functions.actions.mute_alarm import UNMUTES
from functions.actions.registry import ACTIONS
from functions.diagnostics.registry import PROBES
from functions.diagnostics.score import READS as SCORE_READS
from functions.domain.changes import ActionName
from functions.domain.permissions import Permission, Resource
from functions.playbooks.concerned import stands_on
from functions.playbooks.schema import ExistingAlarm, Playbook
from functions.workflow.bake import LOOKS_AT
from functions.workflow.checks import NEEDS as CHECK_NEEDS
from functions.workflow.digests.checklist import needs as digest_needs
from functions.workflow.digests.compose import FUNCTION_TIMEOUT_S as DIGEST_TIMEOUT_S
from functions.workflow.report import NEEDS as REPORT_NEEDS
from functions.workflow.sweep import NEEDS as SWEEP_NEEDS
from functions.workflow.table import Function
from functions.workflow.validation import NEEDS as VALIDATION_NEEDS
from infra.announcements import ChatRule, announce_grants
from infra.channels import Channels
from infra.context import Deployment
from infra.fleet_dashboard import FleetDashboard
from infra.function import TIMEOUT_S, ResponderFunction
from infra.health import Health
from infra.http_api import HttpApi
from infra.intake import Intake
from infra.machine import IncidentMachine, execution_arns, machine_arn
from infra.permissions import Grant, Reach, grants, service_arns
from infra.schedule import SWEEP_EVERY, Schedule
from infra.service_alarms import needs_log_group
from infra.shipment import Shipment
from infra.storage import APPEND, DIGESTS, END, EVIDENCE, HEARTBEAT, INCIDENTS, READ, RECORD, TAKE_IN, Storage
from infra.unattended import Unhealthy

_LOOKUP_NEEDS = (
    Permission(action="ecs:DescribeServices", resource=Resource.SERVICE),
    Permission(action="elasticloadbalancing:DescribeTargetGroups", resource=Resource.ANY),
)
_LOG_LOOKUP_NEEDS = (Permission(action="ecs:DescribeTaskDefinition", resource=Resource.ANY),)


class ResponderStack(Stack):
    """Everything but the alarms of the services, which have stacks of their own.

    Who may do what follows from `PROBES` and `ACTIONS`: assess and verify read, remediate and restore change.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        deployment: Deployment,
        playbooks: Sequence[Playbook],
        env: Environment,
        synthesizer: IStackSynthesizer,
    ) -> None:
        super().__init__(
            scope,
            id,
            env=env,
            synthesizer=synthesizer,
            description="An automatic first responder for Amazon ECS services",
        )
        self._name = deployment.name
        self._reach = Reach(
            [playbook.ref for playbook in playbooks],
            watched=[(p.ref, each) for p in playbooks for each in (*p.dependencies, *p.checks)],
            task_roles=deployment.task_roles,
            mutable_alarms=[name for p in playbooks for name in p.mutable_alarms],
            backups=[p.backups for p in playbooks],
            dashboards=[name for p in playbooks if (name := p.dashboard_name) is not None],
            webhook_tokens=[hook.token for p in playbooks for hook in p.webhooks if hook.token is not None],
            check_secrets=[
                check.header.secret for p in playbooks for check in p.synthetic_checks if check.header is not None
            ],
        )
        self._scored = any(playbook.recovered.score is not None for playbook in playbooks)
        self._storage = Storage(
            self,
            "Storage",
            table_name=deployment.name,
            destroyable=deployment.destroyable,
            object_lock_days=deployment.object_lock_days,
        )
        self._channels = Channels(
            self,
            "Channels",
            name=deployment.name,
            subscribers=[*deployment.subscribers, *_subscribers(playbooks)],
            second_contacts=_second_contacts(playbooks),
            chat=deployment.chat,
            destroyable=deployment.destroyable,
        )
        if self._channels.chat is not None:
            ChatRule(self, "Chat", topic=self._channels.chat)
        intake = Intake(
            self,
            "Inbox",
            name=deployment.name,
            alarm_topic=self._channels.alarms,
            existing_alarms=_existing_alarms(playbooks),
            services=self._reach.services,
            aws_services=sorted({name for playbook in playbooks for name in stands_on(playbook)}),
        )
        self._shipment = Shipment(self, "Shipment", deployment=deployment, playbooks=playbooks)
        steps = self._step_functions(deployment)
        workflow = IncidentMachine(
            self,
            "Workflow",
            name=deployment.name,
            functions=steps,
            channels=self._channels,
            log_retention=self._shipment.log_retention,
            contain=deployment.contain,
        )
        reader, sweep, bake = self._starters(deployment)
        forwarder = self._function(
            "forward",
            [Grant(["sqs:SendMessage"], [intake.queue.queue_arn, intake.undelivered.queue_arn])],
            {settings.INTAKE_QUEUE_URL: intake.queue.queue_url},
        )
        looks_for_logs = any(needs_log_group(p) and p.overrides.log_group is None for p in playbooks)
        lookup = self._function(
            "lookup", self._granted((*_LOOKUP_NEEDS, *(_LOG_LOOKUP_NEEDS if looks_for_logs else ())))
        )
        # Woken every minute: only where a playbook has something to check.
        check = (
            self._function("check", self._granted(CHECK_NEEDS)).function
            if any(playbook.synthetic_checks for playbook in playbooks)
            else None
        )
        api = self._http_api(deployment)
        digest = self._digest(deployment) if deployment.digest_periods else None
        intake.connect(reader=reader.function, forwarder=forwarder.function)
        Schedule(
            self,
            "Schedule",
            sweep=sweep.function,
            bake=bake.function,
            check=check,
            digest=digest,
            digests=deployment.digest_periods,
            service_arns=service_arns(self, self._reach),
            heartbeat=intake.queue,
            name=deployment.name,
        )
        on_the_way = {
            "intake": reader.function,
            **{each.value: steps[each].function for each in (Function.ASSESS, Function.NOTIFY, Function.CLOSE)},
        }
        health = Health(
            self,
            "Health",
            name=deployment.name,
            pages=self._channels.pages,
            intake=intake.queue,
            queues={"intake-dead-letters": intake.dead_letters, "undelivered": intake.undelivered},
            unwatched={
                "intake": reader.function,
                "sweep": sweep.function,
                "bake": bake.function,
                # The state machine spares its step: nobody else would hear of it.
                "report": steps[Function.REPORT].function,
                **({} if check is None else {"check": check}),
                **({} if api is None else {"api": api.api}),
                **({} if digest is None else {"digest": digest}),
            },
            # That Lambda does not run a step is told by its execution, which fails for it.
            on_the_way={"intake": reader.function},
            machine=workflow.machine,
            ledger=self._storage.table,
            sweep=sweep.function,
            sweep_every=SWEEP_EVERY,
            check=check,
            api=api is not None,
        )
        if deployment.fleet_dashboard:
            FleetDashboard(
                self,
                "FleetDashboard",
                name=deployment.name,
                region=deployment.region,
                alarms=health.alarms,
                fleet_actions_per_hour=deployment.fleet_actions_per_hour,
                intake=intake.queue,
                queues={"intake": intake.dead_letters, "undelivered": intake.undelivered},
                functions={
                    "intake": reader.function,
                    "sweep": sweep.function,
                    "bake": bake.function,
                    **{name.value: each.function for name, each in steps.items()},
                },
                on_the_way=on_the_way,
                machine=workflow.machine,
                ledger=self._storage.table,
            )
        if deployment.unattended:
            Unhealthy(self, "Unhealthy", name=deployment.name, any_of=health.unhealthy)
        self.alarm_topic: sns.ITopic = self._channels.alarms
        self.page_topic: sns.ITopic = self._channels.pages
        self.lookup: lambda_.IFunction = lookup.function
        # Exported even when no service stack imports them: CloudFormation refuses to take an export back while a stack
        # that was left behind by a deleted playbook still uses it.
        self.export_value(self.alarm_topic.topic_arn)
        self.export_value(self.lookup.function_arn)
        self.export_value(self.page_topic.topic_arn)

    def _step_functions(self, deployment: Deployment) -> dict[Function, ResponderFunction]:
        """The functions that carry the workflow's steps."""
        page, announce = self._channels.page_grants(), announce_grants(self)
        page_topic = {settings.PAGE_TOPIC_ARN: self._channels.pages.topic_arn}
        fleet_limit = {settings.FLEET_ACTIONS_PER_HOUR: str(deployment.fleet_actions_per_hour)}
        log_limit = _log_limit(deployment)
        contain = {settings.CONTAIN: str(deployment.contain).lower()}
        change = [*_needs_of("service", "scaling", "front", "dependencies"), *_needs_of_actions(*REMEDIATES)]
        give_back = [*_needs_of("service", "scaling"), *_needs_of_actions(*LEASED), *UNMUTES]
        # The health score is read only where a playbook asks for one.
        verified = SCORE_READS if self._scored else ("service", "tasks", "targets", "alarms")
        storage = self._storage
        appends, fetches, evidence = (
            storage.ledger_grants(*APPEND),
            storage.fetch_grants(),
            storage.keep_grants(EVIDENCE),
        )
        tells = [*fetches, *storage.keep_grants(EVIDENCE, INCIDENTS), *announce]
        rights: Mapping[Function, tuple[Sequence[Grant], Mapping[str, str]]] = {
            Function.ASSESS: (
                [*appends, *evidence, *self._granted([*_needs_of(*PROBES), *VALIDATION_NEEDS])],
                {**fleet_limit, **log_limit, **contain},
            ),
            Function.REMEDIATE: (
                [*storage.ledger_grants(*APPEND, RECORD, END), *evidence, *self._granted(change), *announce],
                {**fleet_limit, **log_limit},
            ),
            Function.VERIFY: (
                [*appends, *evidence, *self._granted([*_needs_of(*verified), *VALIDATION_NEEDS]), WAKE],
                {**log_limit, settings.STATE_MACHINE_ARN: machine_arn(self, self._name)},
            ),
            Function.NOTIFY: (
                [*appends, *tells, *self._channels.notice_grants()],
                {**page_topic, settings.SECOND_TOPIC_ARN: self._channels.second.topic_arn},
            ),
            Function.CLOSE: (
                [*storage.ledger_grants(*APPEND, END), *tells, *storage.keep_grants(HEARTBEAT), *page],
                page_topic,
            ),
            Function.REPORT: (
                [
                    *storage.ledger_grants(*READ),
                    *fetches,
                    *storage.keep_grants(INCIDENTS),
                    *self._granted(REPORT_NEEDS),
                ],
                log_limit,
            ),
            Function.RESTORE: (
                [*storage.ledger_grants(*APPEND, END), *evidence, *self._granted(give_back)],
                contain,
            ),
        }
        return {
            function: self._function(function.value, granted, {**self._ledger_places(), **environment})
            for function, (granted, environment) in rights.items()
        }

    def _starters(self, deployment: Deployment) -> tuple[ResponderFunction, ResponderFunction, ResponderFunction]:
        """Intake, sweep and bake: those that start executions."""
        machine = machine_arn(self, self._name)
        start = Grant(["states:StartExecution"], [machine])
        ask = Grant(["states:DescribeExecution"], [execution_arns(self, self._name)])
        places = {**self._ledger_places(), settings.STATE_MACHINE_ARN: machine}
        storage = self._storage
        return (
            self._function("intake", [*storage.ledger_grants(*TAKE_IN), start, WAKE], places),
            self._function(
                "sweep",
                [*storage.ledger_grants(*APPEND, RECORD, lists=True), start, ask, *self._granted(SWEEP_NEEDS)],
                {**places, settings.FUNCTION_TIMEOUT: str(TIMEOUT_S)},
            ),
            self._function(
                "bake",
                [*storage.ledger_grants(*APPEND, RECORD), start, *self._granted(_needs_of(*LOOKS_AT))],
                {**places, **_log_limit(deployment)},
            ),
        )

    def _http_api(self, deployment: Deployment) -> HttpApi | None:
        if not deployment.api:
            return None
        return HttpApi(
            self,
            "HttpApi",
            shipment=self._shipment,
            storage=self._storage,
            reads=self._granted(_needs_of(*PROBES)),
            deciding={
                settings.FLEET_ACTIONS_PER_HOUR: str(deployment.fleet_actions_per_hour),
                settings.CONTAIN: str(deployment.contain).lower(),
                **_log_limit(deployment),
            },
        )

    def _digest(self, deployment: Deployment) -> lambda_.IFunction:
        """It reads what its checklist says, remembers what was sent, and tells people. It changes nothing."""
        return ResponderFunction(
            self,
            "Digest",
            shipment=self._shipment,
            module="digest",
            grants=[
                *self._storage.ledger_grants(*READ, "dynamodb:PutItem", END, lists=True),
                *self._storage.fetch_grants(),
                *self._storage.keep_grants(DIGESTS),
                *self._channels.page_grants(),
                *self._granted(digest_needs()),
            ],
            environment={
                **self._ledger_places(),
                settings.PAGE_TOPIC_ARN: self._channels.pages.topic_arn,
                **_log_limit(deployment),
            },
            timeout_s=DIGEST_TIMEOUT_S,
        ).function

    def _ledger_places(self) -> dict[str, str]:
        return {
            settings.TABLE_NAME: self._storage.table.table_name,
            settings.BUCKET_NAME: self._storage.archive.bucket_name,
        }

    def _granted(self, permissions: Iterable[Permission]) -> list[Grant]:
        return grants(self, permissions, self._reach)

    def _function(
        self, module: str, rights: Sequence[Grant], environment: Mapping[str, str] | None = None
    ) -> ResponderFunction:
        return ResponderFunction(
            self, module.title(), shipment=self._shipment, module=module, grants=rights, environment=environment
        )


REMEDIATES = tuple(name for name in ActionName if not name.contains)
"""The actions of remediate. Those of the contain stack are not among them, whatever is deployed."""

WAKE = Grant(["states:SendTaskSuccess"], ["*"])
"""Wake an execution that listens."""

LEASED = (ActionName.SCALE_OUT, ActionName.RAISE_CEILING, ActionName.TUNE_TRACKING, ActionName.SET_COUNT)
"""The actions whose changes are leases and whose rights giving back takes, too. An alarm is unmuted with less."""


def _log_limit(deployment: Deployment) -> dict[str, str]:
    return {settings.LOG_SCAN_MB: str(deployment.log_scan_mb)}


def _needs_of(*probes: str) -> list[Permission]:
    return [permission for probe in probes for permission in PROBES[probe].permissions]


def _needs_of_actions(*names: ActionName) -> list[Permission]:
    return [permission for name in names if name in ACTIONS for permission in ACTIONS[name].permissions]


def _existing_alarms(playbooks: Iterable[Playbook]) -> list[str]:
    return [alarm.existing for playbook in playbooks for alarm in playbook.alarms if isinstance(alarm, ExistingAlarm)]


def _second_contacts(playbooks: Iterable[Playbook]) -> dict[str, list[str]]:
    """Each second contact, with the services that name it."""
    contacts: dict[str, list[str]] = {}
    for playbook in playbooks:
        for contact in playbook.escalation.contacts:
            contacts.setdefault(contact, []).append(playbook.ref.key)
    return contacts


def _subscribers(playbooks: Iterable[Playbook]) -> list[str]:
    return [who for playbook in playbooks for who in (*playbook.notify.email, *playbook.notify.https)]
