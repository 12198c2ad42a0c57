# SPDX-License-Identifier: Apache-2.0
"""What is answered before the first guest asks is what most guests are answered."""

from __future__ import annotations

import gc
from collections import Counter

import pytest
from ovs_dhcpd.controller.warm_up import TIMES, YOUNG, prepare, warm_up


def test_each_kind_is_answered_so_many_times() -> None:
    answered = Counter(verdict.message for verdict in warm_up())
    kinds = ("DHCPOFFER", "DHCPACK", "DHCPv6 ADVERTISE", "DHCPv6 REPLY")
    assert answered == dict.fromkeys(kinds, TIMES)


def test_the_collector_leaves_the_first_packets_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.get_threshold()
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(gc.isenabled()))
    gc.disable()
    try:
        prepare()
        assert (gc.isenabled(), gc.get_threshold()[0], frozen) == (True, YOUNG, [False])
    finally:
        gc.enable()
        gc.set_threshold(*before)
