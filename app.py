"""The CDK app: `cdk synth`, `cdk deploy --all`. Context keys are the fields of `infra.context.Deployment`."""

import os
import sys

import aws_cdk as cdk

from functions.domain.errors import PlaybookError
from infra.application import build
from infra.context import ContextError, Deployment
from infra.packaging import PackagingFailed

_INVALID = "ValidationFailedWithErrors: "
"""How CDK begins what the validations of constructs have to say."""


def main() -> None:
    app = cdk.App()
    deployment = Deployment.from_context(
        app.node.try_get_context,
        default_region=os.environ.get("CDK_DEFAULT_REGION"),
        default_account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
    )
    build(app, deployment)
    try:
        app.synth()
    except RuntimeError as refused:  # by jsii, whatever the mistake
        said = str(refused)
        if not said.startswith(_INVALID):
            raise
        raise ContextError(said.removeprefix(_INVALID)) from None


if __name__ == "__main__":
    try:
        main()
    except (ContextError, PlaybookError, PackagingFailed) as mistake:
        sys.exit(str(mistake))
