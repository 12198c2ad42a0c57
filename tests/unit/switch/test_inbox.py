# SPDX-License-Identifier: Apache-2.0
"""What waits for the daemon's thread, and who waits for room."""

from __future__ import annotations

import select
import threading

from ovs_dhcpd.controller.switch.inbox import MAX_SIZE, Inbox
from ovs_dhcpd.controller.wire.events import Committed, Event, FlowCount

from tests.lab.process import wait_until


def test_it_comes_in_its_order_and_wakes() -> None:
    inbox: Inbox[str] = Inbox()
    assert not select.select([inbox.fd], [], [], 0)[0]
    inbox.post("a", Committed(1))
    inbox.post("b", Committed(2), 100)
    assert select.select([inbox.fd], [], [], 0)[0]
    assert list(inbox.take()) == [("a", Committed(1)), ("b", Committed(2))]
    assert not select.select([inbox.fd], [], [], 0)[0]


def test_what_is_posted_meanwhile_is_for_the_next_time() -> None:
    inbox: Inbox[str] = Inbox()
    inbox.post("a", Committed(0))
    taken: list[Event] = []
    for _, event in inbox.take():
        taken.append(event)
        inbox.post("a", Committed(len(taken)))  # who never stops is not all that there is to hear
        if len(taken) > 9:
            break
    assert taken == [Committed(0)]
    assert select.select([inbox.fd], [], [], 0)[0]
    assert list(inbox.take()) == [("a", Committed(1))]


def test_what_is_too_many_of_a_kind_is_left_out_until_some_are_taken() -> None:
    inbox: Inbox[str] = Inbox()
    for xid in range(5):
        inbox.post("a", Committed(xid), at_most=2)
    inbox.post("a", FlowCount(0, 0), at_most=2)
    inbox.post("b", Committed(5), at_most=2)
    taken = [("a", Committed(0)), ("a", Committed(1)), ("a", FlowCount(0, 0)), ("b", Committed(5))]
    assert list(inbox.take()) == taken
    inbox.post("a", Committed(6), at_most=2)
    assert list(inbox.take()) == [("a", Committed(6))]


def test_who_says_too_much_waits_and_others_do_not() -> None:
    inbox: Inbox[str] = Inbox()
    inbox.post("a", Committed(0), MAX_SIZE)
    inbox.wait_for_room("b")
    waiting = threading.Thread(target=inbox.wait_for_room, args=("a",), daemon=True)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    assert len(list(inbox.take())) == 1
    wait_until(lambda: not waiting.is_alive(), "there to be room")
