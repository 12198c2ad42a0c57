# SPDX-License-Identifier: Apache-2.0
"""What is kept of the last quarter of an hour, and that it is no more."""

from __future__ import annotations

from typing import Any

from ovs_dhcpd.controller.responders.exchange import Exchange, Read
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.watching.history import SPAN_S, SPANS, VERSION, History

OFFER = Answer(b"", "DHCPOFFER", b"", b"")
RELEASE = Silence(Reason.RELEASED, message="DHCPRELEASE")
BEGAN_S = 100_003.0  # in a span that begins at 100,000


def exchange(verdict: Verdict, sent_s: float) -> Exchange:
    return Exchange(b"", verdict, Read("br0", sent_s - 0.1, sent_s))


def document(history: History, now_s: float) -> dict[str, Any]:
    """It began in 1970, five seconds after 100,000 s before."""
    return history.document(now_s, now_s)


def test_before_anybody_counted_nothing_is_known() -> None:
    found = document(History(BEGAN_S), BEGAN_S + SPAN_S)
    assert found == {
        "version": VERSION,
        "time": "1970-01-02T03:46:48Z",
        "first": "1970-01-02T03:31:50Z",
        "span_s": SPAN_S,
        "answers": [None] * (SPANS - 2) + [0, 0],
        "silences": {},
    }


def test_answers_and_silences_are_counted_where_they_were() -> None:
    history = History(BEGAN_S)
    happened = ((OFFER, 0), (OFFER, 1), (RELEASE, 1), (OFFER, 11), (RELEASE, 6))
    history.note(exchange(verdict, BEGAN_S + sent_s) for verdict, sent_s in happened)
    found = document(history, BEGAN_S + 3 * SPAN_S)
    assert found["answers"] == [None] * (SPANS - 4) + [2, 0, 1, 0]
    assert found["silences"] == {"address released": [None] * (SPANS - 4) + [1, 1, 0, 0]}


def test_all_of_one_read_are_counted() -> None:
    history = History(BEGAN_S)
    first = exchange(OFFER, BEGAN_S)
    history.note([first, first._replace(verdict=RELEASE), first])
    found = document(history, BEGAN_S)
    assert (found["answers"][-1], found["silences"]["address released"][-1]) == (2, 1)


def test_what_was_before_is_known_from_there_on() -> None:
    history = History(BEGAN_S)
    history.note([exchange(OFFER, BEGAN_S - 2 * SPAN_S)])
    assert document(history, BEGAN_S)["answers"][-4:] == [None, 1, 0, 0]


def test_what_is_long_ago_is_forgotten() -> None:
    history = History(BEGAN_S)
    for round_ in range(2):
        for number in range(SPANS):
            history.note([exchange(OFFER, BEGAN_S + (round_ * SPANS + number) * SPAN_S)])
    history.note([exchange(OFFER, BEGAN_S)])  # it has waited for too long
    found = document(history, BEGAN_S + (2 * SPANS - 1) * SPAN_S)
    assert found["answers"] == [1] * SPANS
    later = document(history, BEGAN_S + (3 * SPANS - 2) * SPAN_S)
    assert later["answers"] == [1] + [0] * (SPANS - 1)
    assert sum(document(history, BEGAN_S + 9 * SPANS * SPAN_S)["answers"]) == 0


def test_reasons_are_in_one_order() -> None:
    history = History(BEGAN_S)
    history.note(exchange(Silence(reason), BEGAN_S) for reason in reversed(Reason))
    found = document(history, BEGAN_S)["silences"]
    assert [*found] == sorted(reason.value for reason in Reason)
