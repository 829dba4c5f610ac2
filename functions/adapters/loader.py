"""Makes the requests of a trial under load."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait

from functions.domain.errors import ReadFailed
from functions.domain.trials import MOST_EACH_PER_S, REQUEST_TIMEOUT_S, Load, Sample
from functions.ports import HttpReader

_PAUSE_S = 1 / MOST_EACH_PER_S


class HttpLoader:
    """The `LoadMaker` of the deployed responder. Calls no AWS, follows no redirects, and opens each connection anew."""

    def __init__(self, http: HttpReader, *, threads: Callable[[int], Executor]) -> None:
        self._http = http
        self._threads = threads

    def make(self, load: Load) -> Sequence[Sample]:
        ends = time.monotonic() + load.seconds
        made: list[Sample] = []
        pool = self._threads(load.concurrent)
        try:
            working = [pool.submit(self._one_after_the_other, load.url, ends, made) for _ in range(load.concurrent)]
            wait(working, timeout=load.seconds + REQUEST_TIMEOUT_S)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return tuple(made)

    def _one_after_the_other(self, url: str, ends: float, made: list[Sample]) -> None:
        while (began := time.monotonic()) < ends:
            made.append(self._request(url))
            time.sleep(max(0.0, began + _PAUSE_S - time.monotonic()))

    def _request(self, url: str) -> Sample:
        began = time.monotonic()
        try:
            answer = self._http.answer(url, timeout_s=REQUEST_TIMEOUT_S)
        except ReadFailed as error:
            return Sample(status=None, seconds=time.monotonic() - began, error=str(error))
        return Sample(status=answer.status, seconds=answer.seconds, error=answer.error)
