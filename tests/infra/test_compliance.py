"""The templates as others judge them: cdk-nag and cfn-lint."""

from cfnlint.api import lint_all

from tests.infra.synthesis import Synthesis

DEPENDS_ON_TWICE = "W3005"
"""CDK writes a dependency on a role's policy and with it one on the role, which a GetAtt implies already."""


def test_cdk_nag_has_no_findings(synthesis: Synthesis) -> None:
    """The AwsSolutions pack finds nothing that was not taken over with a reason."""
    assert synthesis.findings() == []


def test_cfn_lint_has_no_findings(synthesis: Synthesis) -> None:
    """Every template is valid for CloudFormation."""
    found = [
        f"{match.rule.id} {match.message}"
        for template in synthesis.templates
        for match in lint_all(template.path.read_text())
        if match.rule.severity != "informational" and match.rule.id != DEPENDS_ON_TWICE
    ]
    assert found == []
