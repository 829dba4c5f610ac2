"""Reads what is in a secret: only for the headers of synthetic checks, and only those that playbooks name."""

import json
from typing import Any

from functions.adapters.answers import reading
from functions.domain.errors import ReadFailed

CALLS = ("secretsmanager:GetSecretValue",)
"""Where a key of KMS that is not AWS's own encrypts the secret, its policy has to allow kms:Decrypt, too."""


class AwsSecretValues:
    """The `SecretValues` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any) -> None:
        self._secrets = client

    def value(self, secret: str, *, key: str | None) -> str:
        with reading(f"secret {secret}"):
            text = self._secrets.get_secret_value(SecretId=secret).get("SecretString")
        if text is None:
            raise ReadFailed(f"secret {secret} is binary; store it as text")
        found = text if key is None else _under(key, text)
        if not isinstance(found, str) or not found.strip():
            raise ReadFailed(f"secret {secret} has no text{'' if key is None else f' under the key {key}'}")
        # Blanks around a header's value mean nothing (RFC 9110, 5.5), and a line break at a secret's end is common.
        found = found.strip()
        if not (found.isascii() and found.isprintable()):
            raise ReadFailed(f"secret {secret} cannot be sent in a header; it may have printable ASCII only")
        return found


def _under(key: str, text: str) -> object:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        # The error would have the text in it.
        document = None
    return document.get(key) if isinstance(document, dict) else None
