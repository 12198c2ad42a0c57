# SPDX-License-Identifier: Apache-2.0
"""DHCPv6's names of clients, from which a MAC may be told."""

from __future__ import annotations


def mac_in(duid: str) -> str:
    """The MAC at the end of a DUID-LLT or DUID-LL of Ethernet (RFC 8415 §11); empty: none."""
    octets = duid.replace("-", ":").lower().split(":")
    kinds = {"00:01:00:01": 14, "00:03:00:01": 10}
    size = kinds.get(":".join(f"{each:0>2}" for each in octets[:4]))
    return ":".join(f"{each:0>2}" for each in octets[-6:]) if size == len(octets) else ""
