"""Ledgers to test against: in memory, on moto, and on the emulator of the demo."""

import uuid
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from functions.adapters.ledger import DynamoLedger
from functions.adapters.memory_ledger import MemoryLedger
from functions.ports import Ledger
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.table import create_table
from tools.demo.emulator import emulator


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


@pytest.fixture(params=["memory", "moto", "emulator"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock, archive: FakeArchive) -> Iterator[Ledger]:
    match request.param:
        case "memory":
            yield MemoryLedger(clock=clock, archive=archive)
        case "moto":
            with mock_aws():
                yield dynamo_ledger(clock, archive)
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
