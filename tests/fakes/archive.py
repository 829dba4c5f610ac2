"""An archive in memory."""

from functions.domain.errors import ReadFailed


class FakeArchive:
    """An `Archive` whose documents a test can see and tamper with."""

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}

    def url(self, key: str) -> str:
        return f"s3://archive/{key}"

    def keep(self, key: str, body: str, *, content_type: str) -> str:
        url = self.url(key)
        self.documents[url] = body
        return url

    def fetch(self, url: str) -> str:
        try:
            return self.documents[url]
        except KeyError:
            raise ReadFailed(f"{url} is not in the archive") from None
