"""Secrets and parameters that task definitions name. Only when they were changed is known of them, never what they are.

Source: AWS Secrets Manager API reference, DescribeSecret; AWS Systems Manager API reference, DescribeParameters.
"""

from dataclasses import dataclass

from tools.drill.world.chance import Chance
from tools.drill.world.setting import Setting

DAY_S = 86_400.0
MISSING_SECRET = "db-next"
"""What a release asks for that names a secret nobody has made."""
OLDEST_DAYS, NEWEST_DAYS = 300.0, 20.0
"""How long before the run a secret was changed last. Assumption."""


@dataclass(kw_only=True)
class Secret:
    """One secret, or one parameter of Systems Manager."""

    arn: str
    name: str
    parameter: bool
    created_s: float
    changed_s: float


def value_from(setting: Setting, chance: Chance, service: str, name: str) -> str:
    """How a task definition names it: by its ARN, for which Secrets Manager adds six random characters to the name."""
    where = f"{setting.region}:{setting.account}"
    if name.startswith("/"):
        return f"arn:aws:ssm:{where}:parameter/{service}{name}"
    return f"arn:aws:secretsmanager:{where}:secret:{service}/{name}-{chance.token(f'{service}/secret/{name}', size=3)}"


def made(setting: Setting, chance: Chance, service: str, name: str) -> Secret:
    """One that was there long before the run."""
    arn, entity = value_from(setting, chance, service, name), f"{service}/secret/{name}"
    changed_s = -DAY_S * chance.between(NEWEST_DAYS, OLDEST_DAYS, f"{entity}/changed")
    return Secret(
        arn=arn,
        name=f"/{service}{name}" if name.startswith("/") else f"{service}/{name}",
        parameter=name.startswith("/"),
        created_s=changed_s - DAY_S * OLDEST_DAYS,
        changed_s=changed_s,
    )
