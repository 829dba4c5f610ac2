"""The service that an alarm is about."""

from typing import Self

from functions.domain.model import Model


class ServiceRef(Model):
    """One ECS service, by the names a person uses."""

    region: str
    cluster: str
    service: str

    @property
    def key(self) -> str:
        """`region/cluster/service`: the one text by which ledger, budgets and people name it."""
        return f"{self.region}/{self.cluster}/{self.service}"

    @classmethod
    def parse(cls, key: str) -> Self:
        """Read a key back.

        Raises:
            ValueError: if it is not three names with slashes between them.
        """
        parts = key.split("/")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"'{key}' is no service: write region/cluster/service")
        region, cluster, service = parts
        return cls(region=region, cluster=cluster, service=service)

    def __str__(self) -> str:
        return self.key
