# SPDX-License-Identifier: Apache-2.0
"""MACs as text."""

from __future__ import annotations

import re

from ovs_dhcpd.flows.options.wording import show

MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


def parse_mac(value: object) -> bytes:
    """The six bytes of a unicast MAC, written xx:xx:xx:xx:xx:xx; raises ValueError for all else."""
    if not isinstance(value, str) or not MAC.fullmatch(value):
        raise ValueError(f"{show(value)} is no MAC, expected xx:xx:xx:xx:xx:xx")
    mac = bytes.fromhex(value.replace(":", ""))
    if mac[0] & 1 or not any(mac):
        raise ValueError(f"{value} is nobody's MAC, expected a unicast one")
    return mac
