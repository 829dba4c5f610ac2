"""The app: from context and playbooks to stacks."""

from collections.abc import Callable

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from functions.domain.costs import OWN_TAG
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import Playbook
from infra.contain_stack import ContainStack, contain_name
from infra.context import Deployment, Synthesizer
from infra.responder_stack import ResponderStack
from infra.service_alarms import new_alarms
from infra.service_stack import ServiceAlarmsStack, UnattendedPages, stack_name

_SYNTHESIZERS: dict[Synthesizer, Callable[[], cdk.IReusableStackSynthesizer]] = {
    Synthesizer.DEFAULT: cdk.DefaultStackSynthesizer,
    Synthesizer.CLI: cdk.CliCredentialsStackSynthesizer,
}


def build(app: cdk.App, deployment: Deployment) -> tuple[ResponderStack, tuple[ServiceAlarmsStack, ...]]:
    """Add the responder's stack, one for each playbook of the deployment's Region that has alarms or a dashboard, and
    the contain stack where it is wanted.

    Raises:
        PlaybookError: if a playbook does not hold; one line per mistake.
        PackagingFailed: if the dependencies cannot be brought together.
    """
    playbooks = _of_region(load_playbooks([deployment.playbooks]), deployment.region)
    env = cdk.Environment(account=deployment.account, region=deployment.region)
    synthesizer = _SYNTHESIZERS[deployment.synthesizer]
    responder = ResponderStack(
        app, deployment.name, deployment=deployment, playbooks=playbooks, env=env, synthesizer=synthesizer()
    )
    if deployment.contain:
        contain = ContainStack(
            app,
            contain_name(deployment.name),
            deployment=deployment,
            playbooks=playbooks,
            env=env,
            synthesizer=synthesizer(),
        )
        contain.add_stack_dependency(responder)
    services = []
    for playbook in playbooks:
        pages_straight = deployment.unattended and bool(playbook.alarms)
        if not new_alarms(playbook) and not playbook.dashboard and not pages_straight:
            continue
        stack = ServiceAlarmsStack(
            app,
            stack_name(deployment.name, playbook),
            playbook=playbook,
            alarm_topic=responder.alarm_topic,
            lookup=responder.lookup,
            default_period_s=deployment.alarm_period,
            unattended=(
                UnattendedPages(responder=deployment.name, pages=responder.page_topic) if pages_straight else None
            ),
            env=env,
            synthesizer=synthesizer(),
        )
        stack.add_stack_dependency(responder)
        services.append(stack)
    # By which the bill tells what the responder itself costs.
    cdk.Tags.of(app).add(OWN_TAG, deployment.name)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return responder, tuple(services)


def _of_region(playbooks: tuple[Playbook, ...], region: str) -> list[Playbook]:
    return [playbook for playbook in playbooks if playbook.region == region]
