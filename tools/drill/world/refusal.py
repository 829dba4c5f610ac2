"""What AWS refuses."""


class Refused(Exception):
    """A call that AWS answers with an error: its code, as botocore shows it, and the message."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
