"""The service that an alarm is about."""

import re
from typing import Self

from functions.domain.model import Model

_ECS_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def is_ecs_name(text: object) -> bool:
    """Whether ECS itself would take this as the name of a cluster or a service.

    ECS API reference, CreateCluster and CreateService: up to 255 letters, digits, underscores and hyphens. Letters are
    ASCII: a name that only looks like one is none.
    """
    return isinstance(text, str) and _ECS_NAME.fullmatch(text) is not None


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
