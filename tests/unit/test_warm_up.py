# SPDX-License-Identifier: Apache-2.0
"""What is answered before the first guest asks is what most guests are answered."""

from __future__ import annotations

import gc
from collections import Counter

from ovs_dhcpd.controller.warm_up import TIMES, prepare, warm_up


def test_each_kind_is_answered_so_many_times() -> None:
    answered = Counter(verdict.message for verdict in warm_up())
    kinds = ("DHCPOFFER", "DHCPACK", "DHCPv6 ADVERTISE", "DHCPv6 REPLY")
    assert answered == dict.fromkeys(kinds, TIMES)


def test_the_collector_looks_at_nothing_of_it_any_more() -> None:
    before = gc.get_freeze_count()
    try:
        prepare()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
