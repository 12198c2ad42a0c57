# SPDX-License-Identifier: Apache-2.0
"""However many want to work, they leave the rest of the time to others."""

from __future__ import annotations

import threading

import pytest
from ovs_dhcpd.controller.http.share import LONGEST_S, MAX_KNOWN, Busy, Share

from tests.lab.process import wait_until

WAIT_S = 60.0  # more than anything here takes


class Time:
    """A clock that goes when somebody sleeps, or works."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, time_s: float) -> None:
        self.slept.append(round(time_s, 6))
        self.now_s += time_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def share(time: Time) -> Share:
    return Share(0.2, time.clock, time.sleep)


def work(share: Share, time: Time, work_s: float) -> None:
    with share.turn(WAIT_S):
        time.now_s += work_s


def test_the_first_does_not_wait(share: Share, time: Time) -> None:
    work(share, time, 0.1)
    assert time.slept == []


def test_the_next_waits_for_the_others_share(share: Share, time: Time) -> None:
    work(share, time, 0.1)
    time.now_s += 0.3  # of 0.4 that are the others'
    work(share, time, 0.02)
    work(share, time, 0.1)
    assert time.slept == [0.1, 0.08]


def test_who_gives_up_in_the_pause_of_another_has_not_worked(share: Share, time: Time) -> None:
    with share.turn(WAIT_S, "slow"):
        time.now_s += 1.0
    with pytest.raises(Busy), share.turn(1.0, "hasty"):
        pytest.fail("the pause is longer than that")
    assert [*share.known] == ["slow"]


@pytest.mark.parametrize("work_s", [0.01, 0.3, 1.0])
def test_who_works_again_and_again_takes_no_more_than_the_share(
    share: Share, time: Time, work_s: float
) -> None:
    began_s = time.now_s
    for _ in range(10):
        work(share, time, work_s)
    work(share, time, 0)
    assert 10 * work_s / (time.now_s - began_s) == pytest.approx(0.2)


def test_nobody_waits_for_ever(share: Share, time: Time) -> None:
    work(share, time, 60)
    work(share, time, 0)
    assert time.slept == [LONGEST_S]


def test_who_would_wait_for_too_long_does_not_wait(share: Share, time: Time) -> None:
    work(share, time, 0.1)
    with pytest.raises(Busy), share.turn(0.3):
        pytest.fail("it is the others' time")
    assert time.slept == []
    time.now_s += 0.3
    with share.turn(0.3):
        assert time.slept == [0.1]


def test_work_that_fails_took_time_too(share: Share, time: Time) -> None:
    def fail() -> None:
        with share.turn(WAIT_S):
            time.now_s += 0.1
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    work(share, time, 0)
    assert time.slept == [0.4]


def worked(sources: str) -> list[int]:
    """In which order they work, by when they came, which was while the first of them did."""
    share, done, order = Share(0.999), threading.Event(), list[int]()

    def work(number: int) -> None:
        with share.turn(WAIT_S, sources[number]):
            order.append(number)
            assert done.wait(WAIT_S)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(sources))]
    for number, thread in enumerate(threads):
        thread.start()
        wait_until(lambda: order and len(share.waiting) == number, "it to wait")  # noqa: B023
    done.set()
    for thread in threads:
        thread.join(WAIT_S)
    return order


@pytest.mark.parametrize(
    ("came", "order"),
    [
        ("aaaaaaaa", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("aaab", [0, 3, 1, 2]),
        ("aaabb", [0, 3, 1, 4, 2]),
        ("aabc", [0, 2, 3, 1]),
        ("abcab", [0, 1, 2, 3, 4]),
    ],
)
def test_who_has_worked_lately_lets_others_go_first(came: str, order: list[int]) -> None:
    assert worked(came) == order


def test_who_has_worked_is_not_kept_for_ever(share: Share, time: Time) -> None:
    for number in range(2 * MAX_KNOWN):
        with share.turn(WAIT_S, f"2001:db8::{number}"):
            pass
    assert len(share.known) == MAX_KNOWN


def test_one_works_at_a_time() -> None:
    share = Share(0.2)
    works, done = threading.Event(), threading.Event()

    def other() -> None:
        with share.turn(WAIT_S):
            works.set()
            assert done.wait(WAIT_S)

    thread = threading.Thread(target=other)
    thread.start()
    assert works.wait(WAIT_S)
    with pytest.raises(Busy), share.turn(0.01):
        pytest.fail("two at a time")
    done.set()
    thread.join(WAIT_S)
    with share.turn(WAIT_S):
        pass
