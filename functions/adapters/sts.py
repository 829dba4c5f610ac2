"""Says who we are."""

from typing import Any

from functions.adapters.answers import reading


def caller(client: Any) -> str:
    """ARN of whoever the credentials belong to. GetCallerIdentity needs no permission (STS API reference).

    Raises:
        ReadFailed: if there are no credentials, or none that hold.
    """
    with reading("the identity behind your credentials"):
        return str(client.get_caller_identity()["Arn"])
