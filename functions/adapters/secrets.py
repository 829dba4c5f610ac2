"""Reads what is known about secrets and parameters, but never what is in them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.answers import code_of, moment, reading
from functions.adapters.clients import Clients
from functions.domain.circumstances import SecretFacts, SecretsFacts
from functions.domain.errors import ReadFailed
from functions.domain.secrets import is_secret, parameter_name, secret_arn

CALLS = ("secretsmanager:DescribeSecret", "ssm:DescribeParameters")
"""IAM actions. None of them shows a value."""

PARAMETERS = 50
"""As many as one call takes and answers (SSM API reference, DescribeParameters)."""


class AwsSecretsReader:
    """The `SecretsReader` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, *, secrets: Any, parameters: Any) -> None:
        self._secrets = secrets
        self._parameters = parameters

    @classmethod
    def of(cls, clients: Clients) -> "AwsSecretsReader":
        return cls(secrets=clients.repeating("secretsmanager"), parameters=clients.repeating("ssm"))

    def secrets(self, references: Sequence[str]) -> SecretsFacts:
        """A secret that could not be read leaves the others known.

        Raises:
            ReadFailed: if none could be read.
        """
        secrets = [reference for reference in references if is_secret(reference)]
        named = {reference: parameter_name(reference) for reference in references if reference not in secrets}
        found = {reference: self._secret(reference) for reference in secrets} | self._found_parameters(named)
        if references and all(facts.exists is None for facts in found.values()):
            raise ReadFailed("none of the secrets of the task definition could be read")
        return SecretsFacts(secrets=tuple(found[reference] for reference in references))

    def _secret(self, reference: str) -> SecretFacts:
        arn = secret_arn(reference)
        try:
            with reading(f"secret {arn}"):
                try:
                    answer = self._secrets.describe_secret(SecretId=arn)
                except ClientError as error:
                    if code_of(error) == "ResourceNotFoundException":
                        return SecretFacts(name=arn, exists=False)
                    raise
        except ReadFailed:
            return SecretFacts(name=arn, exists=None)
        # A secret that waits for its deletion can be described, but its value cannot be had (API reference).
        return SecretFacts(
            name=arn,
            exists=answer.get("DeletedDate") is None,
            changed_at=moment(answer, "DeletedDate", "LastChangedDate", "CreatedDate"),
        )

    def _found_parameters(self, named: dict[str, str]) -> dict[str, SecretFacts]:
        try:
            changed = self._parameters_changed(sorted(set(named.values())))
        except ReadFailed:
            return {reference: SecretFacts(name=name, exists=None) for reference, name in named.items()}
        return {
            reference: SecretFacts(name=name, exists=name in changed, changed_at=changed.get(name))
            for reference, name in named.items()
        }

    def _parameters_changed(self, names: Sequence[str]) -> dict[str, datetime | None]:
        """When each of the parameters that exist was changed."""
        changed: dict[str, datetime | None] = {}
        for start in range(0, len(names), PARAMETERS):
            with reading("the parameters"):
                pages = self._parameters.get_paginator("describe_parameters").paginate(
                    ParameterFilters=[
                        {"Key": "Name", "Option": "Equals", "Values": list(names[start : start + PARAMETERS])}
                    ],
                    PaginationConfig={"PageSize": PARAMETERS},
                )
                for page in pages:
                    changed |= {p["Name"]: moment(p, "LastModifiedDate") for p in page.get("Parameters", ())}
        return changed
