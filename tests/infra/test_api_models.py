"""What is left of botocore's models is what a function needs, and says the same."""

import re
import shutil
from pathlib import Path
from typing import Any, get_args

import botocore
import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, Shape
from botocore.session import Session, get_session

from functions.domain.called import CALLED, Service
from infra.api_models import trim, without_documentation
from infra.packaging import PROJECT

WHOLE = Path(botocore.__file__).parent / "data"
REGIONS = ("eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1")


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's own data, and one service beside those that are called."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    data.mkdir()
    for path in WHOLE.iterdir():
        if path.is_file():
            shutil.copyfile(path, data / path.name)
        elif path.name in (*CALLED, "athena"):
            shutil.copytree(path, data / path.name)
    trim(data, called=CALLED)
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


def told(operation: OperationModel) -> Any:
    """All that an operation says but its texts: how it is sent, and every shape that it takes, gives or fails with."""
    seen: dict[str, Any] = {}
    left: list[Shape] = [*filter(None, (operation.input_shape, operation.output_shape)), *operation.error_shapes]
    while left:
        shape = left.pop()
        if shape.name not in seen:
            seen[shape.name] = without_documentation(shape._shape_model)
            left += [*getattr(shape, "members", {}).values()]
            left += [getattr(shape, part) for part in ("member", "key", "value") if hasattr(shape, part)]
    return without_documentation(operation._operation_model), seen


@pytest.mark.parametrize("service", CALLED)
def test_a_client_is_the_same_for_what_it_calls(service: str, whole: Session, slim: Session) -> None:
    """It calls with the same shapes, knows the same errors, signs alike and asks at the same address wherever it is."""
    for region in REGIONS:
        ours, theirs = (client_of(session, service, region) for session in (slim, whole))
        assert ours.meta.endpoint_url == theirs.meta.endpoint_url
        assert ours.meta.config.signature_version == theirs.meta.config.signature_version
        assert ours._request_signer._signing_name == theirs._request_signer._signing_name
        assert ours._request_signer._region_name == theirs._request_signer._region_name
    for operation in CALLED[service]:
        assert hasattr(ours, xform_name(operation))
        mine, whole_ones = (client.meta.service_model.operation_model(operation) for client in (ours, theirs))
        assert told(mine) == told(whole_ones)
        assert ours.can_paginate(xform_name(operation)) == theirs.can_paginate(xform_name(operation))
    assert ours.exceptions.ClientError is theirs.exceptions.ClientError


def test_every_operation_that_is_named_in_an_adapter_is_there(whole: Session) -> None:
    """As a method, or as its name: whatever the adapters could call of a service that they have clients for."""
    named = {
        word
        for path in sorted((PROJECT / "functions" / "adapters").rglob("*.py"))
        for found in re.findall(r"\.(\w+)|\"(\w+)\"", path.read_text(encoding="utf-8"))
        for word in found
    }
    assert set(get_args(Service)) == set(CALLED)
    for service, called in CALLED.items():
        operations = whole.get_service_model(service).operation_names
        assert sorted(called) == sorted(each for each in operations if xform_name(each) in named), service


def test_nothing_is_left_that_no_function_reads(trimmed: Path) -> None:
    """Neither other services, nor texts, nor examples, nor anything that has to be unpacked first."""
    assert {path.name for path in trimmed.iterdir() if path.is_dir()} == set(CALLED)
    files = [path for path in trimmed.rglob("*") if path.is_file()]
    assert [path for path in files if path.suffix == ".gz" or path.name.startswith("examples")] == []
    assert all('"documentation":"' not in path.read_text() for path in files)
    assert sum(path.stat().st_size for path in files) < 2_000_000


def test_a_member_of_that_name_is_no_documentation() -> None:
    """Shapes may have members of any name."""
    shape = {"members": {"documentation": {"shape": "Text", "documentation": "What it says."}}, "documentation": "It."}
    assert without_documentation(shape) == {"members": {"documentation": {"shape": "Text"}}}


@pytest.mark.parametrize(
    ("called", "missing"),
    [({"ecs": ("DescribeServices",), "soap": ("Wash",)}, "soap Wash"), ({"ecs": ("DoThings",)}, "ecs DoThings")],
)
def test_what_botocore_does_not_know_ends_the_build(called: dict[str, Any], missing: str, tmp_path: Path) -> None:
    """Instead of a function that fails when it first calls it."""
    shutil.copytree(WHOLE / "ecs", tmp_path / "ecs")
    with pytest.raises(LookupError, match=f"no model of {missing}"):
        trim(tmp_path, called=called)
