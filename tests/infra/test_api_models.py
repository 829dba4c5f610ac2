"""What is left of botocore's models is what a function needs, and says the same."""

import shutil
from pathlib import Path
from typing import Any, get_args

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session, get_session

from functions.adapters.clients import Service
from infra.api_models import trim, without_documentation

WHOLE = Path(botocore.__file__).parent / "data"
SERVICES = get_args(Service)
REGIONS = ("eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1")


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's own data, and one service beside those that are called."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    data.mkdir()
    for path in WHOLE.iterdir():
        if path.is_file():
            shutil.copyfile(path, data / path.name)
        elif path.name in (*SERVICES, "athena"):
            shutil.copytree(path, data / path.name)
    trim(data, services=SERVICES)
    return data


def session_of(data: Path) -> Session:
    session = get_session()
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session


@pytest.fixture(scope="module")
def whole() -> Session:
    return session_of(WHOLE)


@pytest.fixture(scope="module")
def slim(trimmed: Path) -> Session:
    return session_of(trimmed)


def client_of(session: Session, service: str, region: str) -> Any:
    return session.create_client(service, region_name=region, aws_access_key_id="none", aws_secret_access_key="none")


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_the_same_but_for_its_reference(service: str, whole: Session, slim: Session) -> None:
    """It calls the same operations with the same shapes, signs alike and asks at the same address, wherever it is."""
    for region in REGIONS:
        ours, theirs = (client_of(session, service, region) for session in (slim, whole))
        assert ours.meta.endpoint_url == theirs.meta.endpoint_url
        assert ours.meta.config.signature_version == theirs.meta.config.signature_version
        assert ours._request_signer._signing_name == theirs._request_signer._signing_name
        assert ours._request_signer._region_name == theirs._request_signer._region_name
    assert ours.meta.method_to_api_mapping == theirs.meta.method_to_api_mapping
    told = without_documentation(theirs.meta.service_model._service_description)
    assert ours.meta.service_model._service_description == told
    for operation in ours.meta.method_to_api_mapping:
        assert ours.can_paginate(operation) == theirs.can_paginate(operation)
    assert ours.waiter_names == theirs.waiter_names


def test_nothing_is_left_that_no_function_reads(trimmed: Path) -> None:
    """Neither other services, nor texts, nor examples, nor anything that has to be unpacked first."""
    assert {path.name for path in trimmed.iterdir() if path.is_dir()} == set(SERVICES)
    files = [path for path in trimmed.rglob("*") if path.is_file()]
    assert [path for path in files if path.suffix == ".gz" or path.name.startswith("examples")] == []
    assert all('"documentation":"' not in path.read_text() for path in files)


def test_a_member_of_that_name_is_no_documentation() -> None:
    """Shapes may have members of any name."""
    shape = {"members": {"documentation": {"shape": "Text", "documentation": "What it says."}}, "documentation": "It."}
    assert without_documentation(shape) == {"members": {"documentation": {"shape": "Text"}}}


def test_a_service_that_botocore_does_not_know_ends_the_build(tmp_path: Path) -> None:
    """Instead of a function that fails when it first calls it."""
    (tmp_path / "ecs").mkdir()
    with pytest.raises(LookupError, match="no model of sqs"):
        trim(tmp_path, services=("ecs", "sqs"))
