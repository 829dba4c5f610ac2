"""Keeps documents in a bucket."""

from typing import Any
from urllib.parse import urlsplit

from functions.adapters.answers import reading

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
