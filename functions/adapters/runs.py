"""Trials under load, as documents in the archive: each is announced once, and closed with what it found."""

from typing import Any

from botocore.exceptions import ClientError
from pydantic import ValidationError

from functions.adapters.answers import code_of, reading
from functions.domain.trials import Run

CALLS = ("s3:PutObject", "s3:GetObject")
"""IAM actions, on the objects of the bucket below `PLACE`."""

PLACE = "runs/"

_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""A conditional write of an object that is there (S3 User Guide, "Conditional writes")."""
_NOT_THERE = frozenset({"NoSuchKey", "AccessDenied"})
"""Without the right to list the bucket, S3 says of an object that is not there that access is denied (S3 API reference,
GetObject)."""


class S3Runs:
    """The `Runs` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def announce(self, run: Run) -> bool:
        with reading(f"run {run.load.id}"):
            try:
                self._put(run, IfNoneMatch="*")
            except ClientError as error:
                if code_of(error) in _TAKEN:
                    return False
                raise
        return True

    def run(self, run_id: str) -> Run | None:
        with reading(f"run {run_id}"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=_key(run_id))
            except ClientError as error:
                if code_of(error) in _NOT_THERE:
                    return None
                raise
            body: bytes = answer["Body"].read()
        try:
            return Run.model_validate_json(body)
        except ValidationError:
            return None

    def close(self, run: Run) -> None:
        with reading(f"run {run.load.id}"):
            self._put(run)

    def _put(self, run: Run, **condition: str) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=_key(run.load.id),
            Body=run.model_dump_json().encode(),
            ContentType="application/json",
            **condition,
        )


def _key(run_id: str) -> str:
    return f"{PLACE}{run_id}.json"
