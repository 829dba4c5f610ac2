"""What AWS refuses."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """A call that AWS answers with an error: its code, as botocore shows it, the message, and what some errors say
    beside them."""

    def __init__(self, code: str, message: str, *, status: int = 400, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.more: Mapping[str, Any] = {} if more is None else more
