"""What takes long to read is read beside the pages, and no page waits twice for it."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from time import monotonic, sleep

import pytest

from functions.domain.errors import ReadFailed
from tests.fakes.clock import FakeClock
from tools.console.kept import Kept

KEEP = timedelta(seconds=30)
PATIENT_S = 10.0


def until(true: Callable[[], bool]) -> None:
    """Wait for another thread."""
    ends = monotonic() + PATIENT_S
    while not true():
        assert monotonic() < ends
        sleep(0.001)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kept(clock: FakeClock) -> Kept[int]:
    return Kept(now=clock.now, keep=KEEP)


def test_it_is_read_once_until_it_is_old(kept: Kept[int], clock: FakeClock) -> None:
    """Then the old value is shown while the next one is read."""
    read: list[int] = []

    def count() -> int:
        read.append(len(read))
        return len(read)

    assert [kept.get("a", count, wait_s=PATIENT_S) for _ in range(3)] == [1, 1, 1]
    clock.advance(seconds=31)
    assert kept.get("a", count, wait_s=PATIENT_S) in (1, 2)
    until(lambda: kept.get("a", count, wait_s=PATIENT_S) == 2)
    assert len(read) == 2


def test_nobody_waits_longer_than_they_want(kept: Kept[int]) -> None:
    """And several who ask at once let it be read once."""
    done, begun = Event(), []

    def slow() -> int:
        begun.append(1)
        done.wait(PATIENT_S)
        return 7

    assert kept.get("a", slow, wait_s=0) is None
    assert kept.get("a", slow, wait_s=0) is None
    done.set()
    assert kept.get("a", slow, wait_s=PATIENT_S) == 7
    assert len(begun) == 1


def test_what_failed_is_said_and_tried_again(kept: Kept[int], clock: FakeClock) -> None:
    """Once something is known, a failure leaves it on the page."""

    def fails() -> int:
        raise ReadFailed("no answer")

    with pytest.raises(ReadFailed):
        kept.get("a", fails, wait_s=PATIENT_S)
    assert kept.get("a", lambda: 1, wait_s=PATIENT_S) == 1
    for _ in range(3):
        clock.advance(seconds=31)
        assert kept.get("a", fails, wait_s=PATIENT_S) == 1
        sleep(0.01)
    clock.advance(seconds=31)
    until(lambda: kept.get("a", lambda: 2, wait_s=PATIENT_S) == 2)
