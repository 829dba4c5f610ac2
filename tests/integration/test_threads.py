"""Executors that share their threads keep to what each of them was made for."""

import threading
import time
from concurrent.futures import CancelledError, Future, wait
from threading import Barrier, Event, Lock, get_ident

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.adapters.threads import Threads

SOON_S = 5.0


@pytest.fixture
def threads() -> Threads:
    return Threads()


def test_what_is_done_and_what_fails_comes_back_to_whoever_asked(threads: Threads) -> None:
    """In the order in which it was asked for."""
    with threads(3) as pool:
        assert list(pool.map(lambda n: n * n, range(20))) == [n * n for n in range(20)]
        fails = pool.submit(lambda: 1 // 0)
        assert isinstance(fails.exception(SOON_S), ZeroDivisionError)
        assert pool.submit(lambda a, b: (a, b), 1, b=2).result(SOON_S) == (1, 2)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 25))
def test_no_use_does_more_side_by_side_than_it_may(limits: list[int], tasks: int) -> None:
    """However many uses there are at once; and each does as much as it may."""
    threads, lock = Threads(), Lock()
    now, most = [0] * len(limits), [0] * len(limits)

    def work(use: int) -> None:
        with lock:
            now[use] += 1
            most[use] = max(most[use], now[use])
        time.sleep(0.0005)
        with lock:
            now[use] -= 1

    pools = [threads(limit) for limit in limits]
    futures = [pool.submit(work, use) for _ in range(tasks) for use, pool in enumerate(pools)]
    for future in futures:
        future.result(SOON_S)
    assert all(reached <= limit for reached, limit in zip(most, limits, strict=True))
    for pool in pools:
        pool.shutdown()


def test_so_many_are_at_work_at_once(threads: Threads) -> None:
    """Five who wait for each other all arrive."""
    together = Barrier(5, timeout=SOON_S)
    with threads(5) as pool:
        wait([pool.submit(together.wait) for _ in range(5)])
    assert not together.broken


def test_what_is_done_inside_does_not_wait_for_what_is_outside(threads: Threads) -> None:
    """Reads that need reads of their own, several deep, in uses as narrow as can be."""

    def deep(left: int) -> int:
        if left == 0:
            return 0
        with threads(1) as inner:
            return 1 + inner.submit(deep, left - 1).result(SOON_S)

    with threads(4) as pool:
        assert list(pool.map(deep, [10] * 8)) == [10] * 8


def test_threads_are_used_again(threads: Threads) -> None:
    """A second use starts no thread as long as those of the first are idle."""
    seen: list[set[int]] = []
    for _ in range(5):
        together = Barrier(3, timeout=SOON_S)

        def who(meet: Barrier = together) -> int:
            meet.wait()
            return get_ident()

        with threads(3) as pool:
            seen.append({future.result(SOON_S) for future in [pool.submit(who) for _ in range(3)]})
        _settled()
    assert all(each == seen[0] for each in seen)


def _settled() -> None:
    """A thread that gave its answer is idle a moment later."""
    time.sleep(0.05)


def test_one_that_hangs_takes_its_thread_and_nobody_elses(threads: Threads) -> None:
    """Whoever gives up on it goes on, and so does the next."""
    free = Event()
    pool = threads(2)
    hangs = pool.submit(free.wait, SOON_S)
    done = pool.submit(lambda: "done")
    waits = [pool.submit(free.wait, SOON_S) for _ in range(3)]
    assert done.result(SOON_S) == "done"
    pool.shutdown(wait=False, cancel_futures=True)
    with threads(2) as other:
        assert list(other.map(str, range(4))) == ["0", "1", "2", "3"]
    assert not hangs.done()
    with pytest.raises(CancelledError):
        waits[-1].result(0)
    free.set()
    assert hangs.result(SOON_S)


def test_the_end_waits_for_what_was_begun_and_takes_nothing_more(threads: Threads) -> None:
    """As of any executor."""
    pool = threads(1)
    slow: list[Future[None]] = [pool.submit(time.sleep, 0.01) for _ in range(3)]
    pool.shutdown()
    assert all(future.done() for future in slow)
    with pytest.raises(RuntimeError, match="given back"):
        pool.submit(str)


def test_nobody_starts_more_threads_than_are_needed_at_once(threads: Threads) -> None:
    """A hundred reads, four at a time."""
    before = threading.active_count()
    with threads(4) as pool:
        list(pool.map(lambda _: time.sleep(0.001), range(100)))
    assert threading.active_count() - before <= 4
