"""Links into the AWS console. AWS documents none of them: they are written as the console itself writes them, so that
the commands beside them always hold, and the links as long as the console stays as it is."""

from urllib.parse import quote

_HOSTS = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}
"""By the beginning of the Region's name (AWS General Reference, console endpoints of the other partitions)."""


def console(region: str) -> str:
    """Where the console of a Region begins."""
    host = next((name for start, name in _HOSTS.items() if region.startswith(start)), "console.aws.amazon.com")
    return f"https://{region}.{host}"


def object_page(region: str, url: str) -> str | None:
    """The page of an object that lies at `s3://BUCKET/KEY`; None of any other address."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not key:
        return None
    return f"{console(region)}/s3/object/{quote(bucket)}?region={region}&prefix={quote(key)}"
