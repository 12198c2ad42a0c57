# SPDX-License-Identifier: Apache-2.0
"""Which VLANs a port of a bridge carries, and how: what Open vSwitch's ``NORMAL`` makes of its row.

ovs-vswitchd.conf.db(5), table Port, columns ``vlan_mode``, ``tag`` and ``trunks``.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

ALL_VLANS = frozenset(range(1, 4095))
_VLAN_NAME = re.compile(r"(.+)\.([1-9][0-9]{0,3})", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Vlans:
    """The VLANs of the packets that a port sends and gets.

    `untagged` is that of those without a tag: 0, none; None: such packets are not carried.
    `tagged` are those of the others.  `mode` is what Open vSwitch calls the port, and `is_said`
    whether its row does: without a word a port is a trunk, and few are meant to be.
    """

    untagged: int | None = 0
    tagged: frozenset[int] = ALL_VLANS
    mode: str = "trunk"
    is_said: bool = False


@lru_cache(maxsize=256)
def vlans_of(mode: str, tag: int | None, trunks: Set[int]) -> Vlans:
    """The VLANs of the port whose row says this; `mode` is empty if it does not say it.

    What leaves a native-tagged port has a tag, whatever its VLAN, so who sends without is not
    answered there.  A dot1q-tunnel has its customers' tags inside its own: it is left alone.
    """
    is_said = bool(mode or trunks)
    mode = mode or ("trunk" if tag is None else "access")
    native = tag or 0
    if mode == "access":
        return Vlans(native, frozenset(), mode, is_said)
    carried = frozenset(trunks) or ALL_VLANS | {0}
    if mode == "native-tagged":
        return Vlans(None, (carried | {native}) - {0}, mode, is_said)
    if mode == "native-untagged":
        return Vlans(native, carried - {0, native}, mode, is_said)
    if mode == "trunk":
        return Vlans(0 if 0 in carried else None, carried - {0}, mode, is_said)
    return Vlans(None, frozenset(), mode, is_said)


def vlan_name(port: str, tag: int) -> str:
    """What a VLAN behind ``port`` is called that nobody names, as Linux calls its interfaces."""
    return f"{port}.{tag}"


def split_vlan_name(name: str) -> tuple[str, int] | None:
    """The port and the VLAN of such a name; None if it is none."""
    found = _VLAN_NAME.fullmatch(name)
    return (found[1], int(found[2])) if found and int(found[2]) in ALL_VLANS else None
