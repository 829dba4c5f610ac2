"""Threads that stay. A look reads a dozen things side by side, and starting their threads took longer than some reads.

Each use has its own limit and its own end, as if it had threads of its own; only the threads are shared.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures import wait as until_done
from functools import partial
from threading import Lock
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST = 256
"""Of all uses together, far more than reads that wait for other reads: each of those holds a thread meanwhile."""


class Threads:
    """Makes executors for so many calls side by side. A thread is started when none is idle, and is not ended."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MOST)

    def __call__(self, side_by_side: int) -> Executor:
        return _Share(self._pool, side_by_side)


class _Share(Executor):
    """One use of them. What is left behind when it ends, because it hangs, keeps its thread and nobody else's."""

    def __init__(self, pool: ThreadPoolExecutor, side_by_side: int) -> None:
        self._pool = pool
        self._idle = side_by_side
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._begun: list[Future[Any]] = []
        self._ended = False
        self._lock = Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            if self._ended:
                raise RuntimeError("nothing more can be done by these threads: they were given back")
            self._begun.append(future)
            self._waiting.append((future, partial(fn, *args, **kwargs)))
            if self._idle == 0:
                return future
            self._idle -= 1
        self._pool.submit(self._work)
        return future

    def _work(self) -> None:
        """Whatever waits, one after the other, until nothing does."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._idle += 1
                    return
                future, call = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
                future.set_exception(error)
            else:
                future.set_result(result)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of any executor; its threads go back to where they came from."""
        with self._lock:
            self._ended = True
            begun = list(self._begun)
        if cancel_futures:
            for future in begun:
                future.cancel()
        if wait:
            until_done(begun)
