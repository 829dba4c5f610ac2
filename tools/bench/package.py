"""What is shipped to Lambda: how large it is, and whether something is in it that belongs to the desk."""

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from functions.playbooks.compiled import compile_playbooks
from infra.context import Deployment
from infra.packaging import code, dependency_layer
from tools.bench.entries import Against, Entry, Goal, Told

MB = 1_000_000

LAMBDAS_OWN = re.compile(r"(boto3|botocore|s3transfer)(-[0-9.]+\.dist-info)?")
"""What Lambda's runtime has, too, in another version: botocore's models of all services are most of it."""

_OF_THE_DESK = re.compile(
    r"(^|/)(tests?|testing|conftest\.py|test_[^/]+\.py|aws_cdk|constructs|jsii|mypy_boto3_[a-z]+|infra|tools)(/|$)"
    r"|\.pyi$|-stubs(/|-)"
)
"""Tests, stubs for type checkers, and the CDK."""


def measure(told: Told) -> Sequence[Entry]:
    """The asset and the layer as they are deployed, made anew where something changed."""
    told("the code and its dependencies")
    shipped = Path(code(compiled_playbooks=compile_playbooks(()), python_version=Deployment.python_version))
    layer = dependency_layer(architecture=Deployment.architecture, python_version=Deployment.python_version)
    told("zipped")
    ours = [(path, path.relative_to(shipped)) for path in files(shipped)]
    libraries = [(path, path.relative_to(layer)) for path in files(layer)]
    without = [pair for pair in libraries if not LAMBDAS_OWN.fullmatch(pair[1].parts[1])]
    everything = [*ours, *libraries]
    strange = [str(inside) for _, inside in everything if of_the_desk(inside)]
    return [
        Entry(
            "package: without boto3",
            "MB",
            ours=zipped([*ours, *without]) / MB,
            goal=Goal(5, Against.NOTHING),
            how="code and dependencies, zipped",
        ),
        Entry("package: everything", "MB", ours=zipped(everything) / MB, how="with botocore, zipped"),
        Entry(
            "package: tests, stubs and CDK",
            "files",
            ours=len(strange),
            goal=Goal(0, Against.NOTHING),
            how=", ".join(strange[:3]) or "none of them",
        ),
    ]


def of_the_desk(inside: Path) -> bool:
    """Whether this file of the asset or the layer is of no use to a function."""
    return _OF_THE_DESK.search(inside.as_posix()) is not None


def files(directory: Path) -> Iterator[Path]:
    """Every file in it, in order."""
    return (path for path in sorted(directory.rglob("*")) if path.is_file())


def zipped(pairs: Sequence[tuple[Path, Path]]) -> int:
    """Bytes of the files in one archive, by path and path inside."""
    into = BytesIO()
    with ZipFile(into, "w", ZIP_DEFLATED) as archive:
        for path, inside in pairs:
            archive.write(path, inside)
    return len(into.getvalue())
