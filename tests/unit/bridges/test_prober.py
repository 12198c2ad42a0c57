# SPDX-License-Identifier: Apache-2.0
"""When it is asked, as scripts with the time as an argument."""

from __future__ import annotations

from ipaddress import ip_address

from ovs_dhcpd.controller.bridges.prober import INTERVAL_S, QUESTIONS, Prober
from ovs_dhcpd.flows.bindings.probe import Probe

MAC = bytes.fromhex("026468000001")
A, B = (Probe("lab", ip_address(f"10.0.0.{n}"), 0, 0, MAC, None) for n in (1, 2))
END_S = QUESTIONS * INTERVAL_S


def times(prober: Prober, until_s: float, begin_s: float = 0.0) -> list[tuple[float, str]]:
    """All that happens of itself until then: questions and ends."""
    found = []
    now_s: float | None = begin_s
    while now_s is not None and now_s <= until_s:
        at = round(now_s, 3)
        found += [(at, f"{ofport} asks {probe.address}") for ofport, probe in prober.due(now_s)]
        found += [(at, f"nobody has {probe.address}") for _, probe in prober.ended(now_s)]
        now_s = prober.next_s()
    return found


def test_it_is_asked_three_times_and_known_after_a_few_hundred_milliseconds() -> None:
    prober = Prober()
    prober.want("vm1", 5, (A,))
    assert prober.next_s() is None  # not before it is listened
    assert times(prober, 10) == [
        (0.0, "5 asks 10.0.0.1"),
        (0.1, "5 asks 10.0.0.1"),
        (0.2, "5 asks 10.0.0.1"),
        (0.3, "nobody has 10.0.0.1"),
    ]
    assert prober.addresses("vm1") == [A.address]


def test_it_is_listened_to_until_the_port_is_served() -> None:
    prober = Prober()
    prober.want("vm1", 5, (A,))
    times(prober, END_S)
    prober.want("vm1", 5, (A,))
    assert (prober.addresses("vm1"), prober.next_s(), len(prober)) == ([A.address], None, 1)
    assert times(prober, 10, END_S) == []
    prober.want("vm1", 5, ())
    assert (prober.addresses("vm1"), len(prober)) == ([], 0)


def test_what_is_wanted_again_goes_on() -> None:
    prober = Prober()
    prober.want("vm1", 5, (A,))
    assert len([*prober.due(0)]) == 1
    prober.want("vm1", 5, (A, B))
    assert [(ofport, probe) for ofport, probe in prober.due(0.05)] == [(5, B)]


def test_what_somebody_has_is_not_asked_any_more() -> None:
    prober = Prober()
    prober.want("vm1", 5, (A,))
    [*prober.due(0)]
    prober.want("vm1", 5, (B,))
    assert prober.addresses("vm1") == [B.address]
    prober.want("vm1", 5, ())
    assert len(prober) == 0


def test_on_another_port_it_begins_anew() -> None:
    prober = Prober()
    prober.want("vm1", 5, (A,))
    times(prober, END_S)
    prober.want("vm1", 6, (A,))
    assert times(prober, END_S)[0] == (0.0, "6 asks 10.0.0.1")


def test_with_another_connection_it_begins_anew() -> None:
    prober = Prober()
    prober.want("vm1", 5, (A,))
    [*prober.due(0)], [*prober.due(0.1)]
    prober.disconnected()
    assert prober.next_s() is None
    assert prober.ended(10) == []
    assert len(times(prober, 11, 10)) == QUESTIONS + 1


def test_several_ports_are_apart() -> None:
    prober = Prober()
    prober.want("vm1", 5, (A,))
    [*prober.due(0)]
    prober.want("vm2", 6, (B,))
    assert [*prober.due(0.05)] == [(6, B)]
    assert len(prober) == 2
    assert prober.next_s() == INTERVAL_S
