"""What takes seconds to read is read beside the pages, at most so often, and shown when it is there."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")

THREADS = 4
"""Reads side by side: each of them asks AWS from threads of its own."""


@dataclass
class _Entry(Generic[V]):
    begun_at: datetime
    reading: "Future[V]"
    newest: V | None = None


class Kept(Generic[V]):
    """Values by key. Nobody waits for one that is known, however old; whoever asks has it read anew where it is too
    old, and the next one sees that."""

    def __init__(self, *, now: Callable[[], datetime], keep: timedelta) -> None:
        self._now, self._keep = now, keep
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="console")
        self._entries: dict[str, _Entry[V]] = {}
        self._lock = Lock()

    def get(self, key: str, read: Callable[[], V], *, wait_s: float) -> V | None:
        """The newest value; None where nothing is known after so many seconds.

        Raises:
            Exception: what reading raised, where nothing is known yet; it is tried again when somebody asks again.
        """
        entry = self._entry(key, read)
        if entry.newest is None or entry.reading.done():
            try:
                entry.newest = entry.reading.result(timeout=wait_s)
            except TimeoutError:
                return entry.newest
            except Exception:
                if entry.newest is None:
                    self._forget(key, entry)
                    raise
        return entry.newest

    def _entry(self, key: str, read: Callable[[], V]) -> _Entry[V]:
        with self._lock:
            known, now = self._entries.get(key), self._now()
            if known is not None and (not known.reading.done() or now - known.begun_at < self._keep):
                return known
            newest = None if known is None else _result(known)
            made = _Entry(begun_at=now, reading=self._threads.submit(read), newest=newest)
            self._entries[key] = made
            return made

    def _forget(self, key: str, entry: _Entry[V]) -> None:
        with self._lock:
            if self._entries.get(key) is entry:
                del self._entries[key]


def _result(entry: _Entry[V]) -> V | None:
    done = entry.reading.done() and entry.reading.exception() is None
    return entry.reading.result() if done else entry.newest
