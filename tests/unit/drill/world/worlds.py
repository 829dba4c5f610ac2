"""Small worlds for the model tests: one service of four tasks at half its capacity, and whatever a test adds."""

from functools import cache
from typing import Any

import boto3

from tools.drill.world import wire
from tools.drill.world.service import Service
from tools.drill.world.setting import Setting
from tools.drill.world.world import World

SHIPPED_S = 600.0
"""When a fault of a test begins."""

ERROR_RATE = {"name": "error-rate", "symptom": "error-rate", "threshold": 5}
HEALTHY_HOSTS = {"name": "healthy-hosts", "symptom": "healthy-hosts", "threshold": 1}
DATABASE = {"name": "db", "alarm": "db-down"}


def service(**changes: Any) -> dict[str, Any]:
    return {
        "name": "orders",
        "tasks": 4,
        "traffic": {"base_rps": 100, "noise_percent": 0},
        "alarms": [ERROR_RATE, HEALTHY_HOSTS],
    } | changes


def world(*faults: dict[str, Any], seed: int = 1, dependencies: Any = (), **changes: Any) -> World:
    """A world with one service; each fault begins at `SHIPPED_S` if it says nothing else."""
    setting = {
        "services": [service(**changes)],
        "dependencies": dependencies,
        "faults": [{"at_s": SHIPPED_S} | fault for fault in faults],
    }
    return World(Setting.model_validate(setting), seed=seed)


def orders(of: World) -> Service:
    return of.services["orders"]


def bad_release(how: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "bad-release", "how": how} | changes


def failed(of: World, *, since_s: float = 0.0) -> float:
    """Failed requests of users from a time on."""
    return sum(of.tally.failed[int(since_s // 10) :])


@cache
def client(service: str) -> Any:
    """A client of any service of AWS on the wire; a call is made once."""
    session = boto3.Session(region_name="eu-central-1", aws_access_key_id="drill", aws_secret_access_key="drill")
    made = session.client(service)
    wire.attach(made)
    return made
