"""Secrets that tasks read at their start, and events that tell of one that was changed.

Sources: Secrets Manager User Guide, "Match AWS Secrets Manager events with Amazon EventBridge" and "AWS CloudTrail
entries for Secrets Manager"; Systems Manager User Guide, "Amazon EventBridge event examples for Systems Manager"; ECS
Developer Guide, "Pass sensitive data to an Amazon ECS container".
"""

import re
from enum import StrEnum

from functions.domain.model import Model, Moment

CURRENT = "AWSCURRENT"
"""Label of the version that a task reads, unless its definition names another one."""

CHANGING_CALLS = ("PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage")
"""Calls after which a fresh task may read another value; CloudTrail tells of each."""

ROTATED = "RotationSucceeded"
"""What Secrets Manager itself writes into CloudTrail when a rotation has ended well."""

PARAMETER_WRITES = ("Create", "Update")
"""Operations of `Parameter Store Change` after which a fresh task may read another value."""

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!:-]{1,2048}")
"""What Secrets Manager and Systems Manager take as a name (API references, CreateSecret and PutParameter), and ARNs."""

_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}")
"""What Secrets Manager adds to the name of a secret in its ARN."""

_SECRET_ARN_PARTS = 7
"""`arn:aws:secretsmanager:region:account:secret:name`; a task definition may add key, stage and version."""


class Store(StrEnum):
    """Where a secret lies."""

    SECRETS_MANAGER = "secretsmanager"
    PARAMETER_STORE = "ssm"


def is_secret_name(text: str) -> bool:
    """Whether a secret or a parameter may be called that."""
    return _NAME.fullmatch(text) is not None


def is_secret(reference: str) -> bool:
    """Whether `valueFrom` of a task definition names a secret of Secrets Manager; else it names a parameter."""
    return ":secretsmanager:" in reference


def secret_arn(reference: str) -> str:
    """The secret's ARN, without key, stage and version."""
    return ":".join(reference.split(":")[:_SECRET_ARN_PARTS])


def parameter_name(reference: str) -> str:
    """The name of an SSM parameter: a task definition may name it by its ARN, in which a hierarchy loses its first
    slash (ECS Developer Guide, "Pass Systems Manager parameters")."""
    if not reference.startswith("arn:"):
        return reference
    name = reference.partition(":parameter/")[2]
    return f"/{name}" if "/" in name else name


class SecretChange(Model):
    """One secret or parameter got another value."""

    store: Store
    name: str
    """As in its ARN, with the six characters at the end, or the plain name where the event has no more. It is not
    redacted, because it is compared; whoever shows it has to."""
    at: Moment
    event: str
    """What changed it, for example PutSecretValue."""
    account: str | None = None
    region: str | None = None

    def concerns(self, reference: str) -> bool:
        """Whether `valueFrom` of a task definition names this secret."""
        if is_secret(reference) != (self.store is Store.SECRETS_MANAGER) or self._elsewhere(reference):
            return False
        if self.store is Store.PARAMETER_STORE:
            return parameter_name(reference) == self.name
        named = secret_arn(reference).rpartition(":")[2]
        return named == self.name or _suffixed(named, self.name) or _suffixed(self.name, named)

    def _elsewhere(self, reference: str) -> bool:
        """Another Region's or another account's, by its ARN."""
        parts = reference.split(":")
        if parts[0] != "arn" or len(parts) < _SECRET_ARN_PARTS - 1:
            return False
        return self.region not in (None, parts[3]) or self.account not in (None, parts[4])


def _suffixed(longer: str, name: str) -> bool:
    return longer.startswith(name) and _SUFFIX.fullmatch(longer[len(name) :]) is not None
