"""Which secret an event speaks of, however event and task definition name it."""

import pytest

from functions.domain.secrets import SecretChange, Store
from tests.fakes.signals import START

ARN = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:orders/db"
PARAMETER = "arn:aws:ssm:eu-west-1:000000000000:parameter"


def changed(store: Store, name: str) -> SecretChange:
    return SecretChange(
        store=store, name=name, at=START, event="PutSecretValue", account="000000000000", region="eu-west-1"
    )


@pytest.mark.parametrize(
    ("reference", "concerned"),
    [
        (f"{ARN}-AbCdEf", True),
        (f"{ARN}-AbCdEf:password::", True),
        (f"{ARN}-AbCdEf:password:AWSCURRENT:", True),
        (ARN, True),
        (f"{ARN}-GhIjKl", False),
        (f"{ARN}-next-AbCdEf", False),
        (f"{ARN}-AbCdEf".replace("eu-west-1", "eu-west-2"), False),
        (f"{ARN}-AbCdEf".replace("0" * 12, "1" * 12), False),
        (f"{PARAMETER}/orders/db-AbCdEf", False),
        ("orders/db-AbCdEf", False),
    ],
)
def test_a_secret_by_its_arn(reference: str, concerned: bool) -> None:
    """A task definition may name one key and one version of it, or leave out the six characters at the end."""
    assert changed(Store.SECRETS_MANAGER, "orders/db-AbCdEf").concerns(reference) is concerned


def test_a_secret_by_its_name() -> None:
    """Where the event has no more, the six characters may be any."""
    change = changed(Store.SECRETS_MANAGER, "orders/db")
    assert change.concerns(f"{ARN}-AbCdEf")
    assert not change.concerns(f"{ARN}-next-AbCdEf")


@pytest.mark.parametrize(
    ("name", "reference", "concerned"),
    [
        ("/orders/db", "/orders/db", True),
        ("/orders/db", f"{PARAMETER}/orders/db", True),
        ("flags", f"{PARAMETER}/flags", True),
        ("/orders/db", f"{PARAMETER}/orders/db-2", False),
        ("/orders/db", f"{PARAMETER}/orders/db".replace("0" * 12, "1" * 12), False),
        ("orders/db", f"{ARN}", False),
    ],
)
def test_a_parameter(name: str, reference: str, concerned: bool) -> None:
    """By its name, or by an ARN, in which a hierarchy loses its first slash."""
    assert changed(Store.PARAMETER_STORE, name).concerns(reference) is concerned
