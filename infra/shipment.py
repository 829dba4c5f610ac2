"""What all functions share: code, dependencies, and where they run."""

from collections.abc import Sequence

from aws_cdk import Annotations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from functions.playbooks.compiled import compile_playbooks
from functions.playbooks.schema import Playbook
from infra.byte_code import compiler
from infra.context import RETENTIONS, Architecture, Deployment
from infra.packaging import code, dependency_layer


class Shipment(Construct):
    """The asset, the dependency layer where one is needed, and the settings of the deployment.

    Raises:
        PackagingFailed: if the dependencies cannot be brought together.
    """

    def __init__(self, scope: Construct, id: str, *, deployment: Deployment, playbooks: Sequence[Playbook]) -> None:
        super().__init__(scope, id)
        self.name = deployment.name
        self.log_retention: logs.RetentionDays = RETENTIONS[deployment.log_retention]
        # Whoever runs the functions locally brings the Python and the dependencies along.
        version = None if deployment.architecture is Architecture.LOCAL else deployment.python_version
        self.code = lambda_.Code.from_asset(
            str(code(compiled_playbooks=compile_playbooks(playbooks), python_version=version))
        )
        if version is not None and compiler(version) is None:
            Annotations.of(self).add_warning_v2(
                "responder:sources",
                f"there is no python{version} on the path: the functions are shipped as sources, and compile what they "
                "import at every start, which makes each twice as long. Install it, and nothing else changes.",
            )
        self.runtime = lambda_.Runtime(f"python{deployment.python_version}", lambda_.RuntimeFamily.PYTHON)
        self.architecture = (
            lambda_.Architecture.X86_64
            if deployment.architecture is Architecture.X86_64
            else lambda_.Architecture.ARM_64
        )
        self.layers: list[lambda_.ILayerVersion] = []
        if version is not None:
            directory = dependency_layer(architecture=deployment.architecture, python_version=version)
            self.layers.append(
                lambda_.LayerVersion(
                    self,
                    "Dependencies",
                    description="functions/requirements.txt",
                    code=lambda_.Code.from_asset(str(directory)),
                    compatible_runtimes=[self.runtime],
                    compatible_architectures=[self.architecture],
                )
            )
