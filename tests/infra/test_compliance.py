"""The templates as others judge them: cdk-nag and cfn-lint."""

import pytest
from cfnlint.api import lint_all

from tests.infra.synthesis import Synthesis

DEPENDS_ON_TWICE = "W3005"
"""CDK writes a dependency on a role's policy and with it one on the role, which a GetAtt implies already."""


@pytest.fixture(params=["synthesis", "containing"])
def deployed(request: pytest.FixtureRequest) -> Synthesis:
    """A deployment as it is by default, and one with all that is added on request."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Synthesis)
    return found


def test_cdk_nag_has_no_findings(deployed: Synthesis) -> None:
    """The AwsSolutions pack finds nothing that was not taken over with a reason."""
    assert deployed.findings() == []


def test_cfn_lint_has_no_findings(deployed: Synthesis) -> None:
    """Every template is valid for CloudFormation."""
    found = [
        f"{match.rule.id} {match.message}"
        for template in deployed.templates
        for match in lint_all(template.path.read_text())
        if match.rule.severity != "informational" and match.rule.id != DEPENDS_ON_TWICE
    ]
    assert found == []
