"""Ledgers to test against: in memory, on moto, on the emulator of the demo, and on the table that chaos breaks."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.adapters.ledger import DynamoLedger
from functions.adapters.memory_ledger import MemoryLedger
from functions.ports import Ledger
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.table import create_table
from tools.chaos.table import TableInMemory
from tools.demo.emulator import emulator
from tools.drill.world import wire
from tools.drill.world.setting import Setting
from tools.drill.world.world import World


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Where an emulator answers."""
    with emulator() as running:
        yield running.endpoint


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def archive() -> FakeArchive:
    return FakeArchive()


@pytest.fixture(params=["memory", "moto", "emulator", "chaos"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock, archive: FakeArchive) -> Iterator[Ledger]:
    match request.param:
        case "memory":
            yield MemoryLedger(clock=clock, archive=archive)
        case "moto":
            with mock_aws():
                yield dynamo_ledger(clock, archive)
        case "chaos":
            with chaos_ledger(clock, archive) as made:
                yield made
        case _:
            yield dynamo_ledger(clock, archive, endpoint=request.getfixturevalue("endpoint"))


def dynamo_ledger(clock: FakeClock, archive: FakeArchive | None, *, endpoint: str | None = None) -> DynamoLedger:
    """A ledger on a table of its own."""
    client = boto3.client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    table = f"ledger-{uuid.uuid4().hex[:12]}"
    create_table(client, table)
    return DynamoLedger(client, table=table, clock=clock, archive=archive, pause=lambda _: None)


@contextmanager
def chaos_ledger(clock: FakeClock, archive: FakeArchive | None) -> Iterator[DynamoLedger]:
    """A ledger on a table in memory, by the wire of the drill."""
    service = {"name": "orders", "tasks": 1, "traffic": {"base_rps": 1}}
    world = World(Setting.model_validate({"services": [service]}), seed=0)
    with wire.connected(world, TableInMemory().answering):
        yield DynamoLedger(_dynamodb(), table="ledger", clock=clock, archive=archive, pause=lambda _: None)


@cache
def _dynamodb() -> Any:
    return wire.WiredClients(region="eu-west-1").repeating("dynamodb")
