"""Keeps documents in a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from functions.adapters.answers import code_of, reading, required_moment

if TYPE_CHECKING:
    from functions.ports import DrillRecord

CALLS = ("s3:PutObject", "s3:GetObject")
"""IAM actions, on the objects of the bucket."""


class S3Archive:
    """The `Archive` of the deployed responder. IAM actions: `CALLS`.

    Without a bucket it only fetches: at the desk the ledger's own URLs say where its documents lie.
    """

    def __init__(self, client: Any, *, bucket: str | None) -> None:
        self._client = client
        self._bucket = bucket

    def url(self, key: str) -> str:
        """Raises ValueError when there is no bucket."""
        if self._bucket is None:
            raise ValueError("this archive only fetches")
        return f"s3://{self._bucket}/{key}"

    def keep(self, key: str, body: str, *, content_type: str) -> str:
        """Raises ValueError when there is no bucket to keep it in."""
        url = self.url(key)
        with reading(url):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body.encode(), ContentType=content_type)
        return url

    def fetch(self, url: str) -> str:
        """Raises ValueError for a URL that is not of this bucket."""
        place = urlsplit(url)
        if place.scheme != "s3" or (self._bucket is not None and place.netloc != self._bucket):
            raise ValueError(f"{url} is not in bucket {self._bucket}")
        with reading(url):
            answer = self._client.get_object(Bucket=place.netloc, Key=place.path.removeprefix("/"))
            body: bytes = answer["Body"].read()
        return body.decode()


LAST_DRILL = "drills/last.json"
"""Where a pipeline puts what `responder drill --json` wrote."""

_NOT_THERE = ("NoSuchKey", "AccessDenied")
"""Without the right to list the bucket, S3 answers AccessDenied for what is not there (API reference, GetObject)."""


class S3DrillRecords:
    """The `DrillRecords` of the deployed responder. IAM actions: `CALLS`. Without a bucket there are none."""

    def __init__(self, client: Any, *, bucket: str | None) -> None:
        self._client = client
        self._bucket = bucket

    def last(self) -> DrillRecord | None:
        from functions.ports import DrillRecord

        if self._bucket is None:
            return None
        with reading(f"s3://{self._bucket}/{LAST_DRILL}"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=LAST_DRILL)
            except ClientError as error:
                if code_of(error) in _NOT_THERE:
                    return None
                raise
            body: bytes = answer["Body"].read()
        kept_at = required_moment(answer, "LastModified", of=f"s3://{self._bucket}/{LAST_DRILL}")
        return DrillRecord(kept_at=kept_at, body=body.decode(errors="replace"))
