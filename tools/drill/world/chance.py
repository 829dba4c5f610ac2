"""Chance without a stream: each draw is a function of the seed, of what it is for and of how often that happened.

Two runs of the same seed see the same world, whatever a responder does in between: nobody else's draw moves mine.
"""

from hashlib import blake2b

from tools.drill.world.setting import Number


class Chance:
    """Every random number of one seed."""

    def __init__(self, seed: int) -> None:
        self._prefix = f"{seed}|"

    def share(self, entity: str, ordinal: int = 0) -> float:
        """Evenly from 0 to 1, 1 excluded."""
        return int(self.token(entity, ordinal, size=7), 16) / (1 << 56)

    def between(self, low: float, high: float, entity: str, ordinal: int = 0) -> float:
        return low + (high - low) * self.share(entity, ordinal)

    def number(self, written: Number, entity: str, ordinal: int = 0) -> float:
        """The number, or a draw from its range."""
        return self.between(*written, entity, ordinal) if isinstance(written, tuple) else float(written)

    def token(self, entity: str, ordinal: int = 0, *, size: int = 16) -> str:
        """An identifier of `size` bytes in hexadecimal."""
        return blake2b(f"{self._prefix}{entity}|{ordinal}".encode(), digest_size=size).hexdigest()
