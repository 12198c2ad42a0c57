# SPDX-License-Identifier: Apache-2.0
"""Files with a network that has a pool, and what is remembered of it."""

from __future__ import annotations

from ipaddress import ip_address

from ovs_dhcpd.controller.ports.interface import Memory

MACS = [f"02:00:00:00:00:{number:02x}" for number in range(1, 6)]


def lab(pool: str = "10.0.0.100-10.0.0.103", *, beside: str = "", **ports: str) -> str:
    """A file with one network that has a pool, settings beside that, and named ports."""
    named = "".join(f"\n      {name}: {{addresses: '{text}'}}" for name, text in ports.items())
    return (
        "networks:\n  lab:\n    dhcpv4: {cidr: 10.0.0.0/24, router: 10.0.0.1}\n"
        f"    pool: '{pool}'\n    {beside}\n" + (f"    ports:{named}\n" if ports else "")
    )


def remembers(*addresses: str, owner: str | None = None) -> Memory:
    return Memory(tuple(map(ip_address, addresses)), owner)


def reserved(**addresses: str) -> str:
    """The setting: _4 is the address of MACS[4]."""
    kept = (f"'{MACS[int(key[1:])]}': '{address}'" for key, address in addresses.items())
    return f"reserve: {{{', '.join(kept)}}}"
