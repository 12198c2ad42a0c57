# SPDX-License-Identifier: Apache-2.0
"""What columns of the Open_vSwitch database say, which anybody may write.

What cannot be read raises ValueError or is in a list of mistakes: a line says the column, what is
there, and what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address

from ovs_dhcpd.controller.ports.interface import ADDRESSES, OWNER, Memory
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.flows.bindings.pool import Address, PooledAddress
from ovs_dhcpd.flows.options.wording import show
from ovs_dhcpd.flows.pipeline.flow import LOCAL

PARKED = "dhcp-parked:"  # in external_ids of the bridge, before NETWORK/ADDRESS

NO_OFPORT = -1  # what ovs-vswitchd writes where an interface cannot be a port
LOCAL_OFPORT = 65534  # the bridge's own interface, as OpenFlow 1.0 has it
MAX_OFPORT = 0xFEFF  # the next is OFPP_MAX, from which on numbers are reserved

_ADDRESSES_OF_VLAN = re.compile(f"{ADDRESSES}-([1-9][0-9]{{0,3}})", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_ANSWERED = re.compile(r"answered ((?:[0-9a-f]{2}:){5}[0-9a-f]{2}) (.*)", re.DOTALL)
_DATAPATH_ID = re.compile(r"[0-9a-fA-F]{16}")


def read_datapath_id(text: str) -> int:
    """The datapath id of a bridge; raises ValueError."""
    if not _DATAPATH_ID.fullmatch(text):
        raise ValueError(f"datapath_id: {show(text)}, expected 16 hexadecimal digits")
    return int(text, 16)


def is_ofport(number: int) -> bool:
    """Whether a port can have this number in OpenFlow 1.3 and later."""
    return 0 < number <= MAX_OFPORT or number == LOCAL


def read_ofport(number: int) -> int | None:
    """The port's number in OpenFlow 1.3 and later, None if it has none; raises ValueError."""
    if number == LOCAL_OFPORT:
        return LOCAL
    if number == NO_OFPORT:
        return None
    if not 0 < number <= MAX_OFPORT:
        raise ValueError(f"ofport: {show(number)}, expected 1 to {MAX_OFPORT}")
    return number


def keys_of(tag: int) -> tuple[str, str]:
    """The keys of external_ids with what is remembered of a VLAN behind the interface; 0: of it."""
    suffix = f"-{tag}" if tag else ""
    return f"{ADDRESSES}{suffix}", f"{OWNER}{suffix}"


def vlans_remembered(external_ids: Mapping[str, str]) -> list[int]:
    """The VLANs for which there are addresses in an interface's external_ids."""
    found = (_ADDRESSES_OF_VLAN.fullmatch(key) for key in external_ids)
    return sorted(tag for tag in (int(each[1]) for each in found if each) if tag < 4095)


def read_memory(external_ids: Mapping[str, str], tag: int = 0) -> tuple[Memory, list[str]]:
    """What is remembered in an interface's external_ids, each address once, and the mistakes."""
    addresses: dict[Address, None] = {}
    mistakes = []
    key, owner = keys_of(tag)
    for word in external_ids.get(key, "").split():
        try:
            if "%" in word:  # a zone, which means nothing to anybody else
                raise ValueError
            addresses[ip_address(word)] = None
        except ValueError:
            mistakes.append(f"{key}: {show(word)} is no address, expected addresses only")
    return Memory(tuple(addresses), external_ids.get(owner)), mistakes


def read_parked(external_ids: Mapping[str, str]) -> tuple[dict[PooledAddress, Parked], list[str]]:
    """What is parked by a bridge's external_ids, and the mistakes."""
    found: dict[PooledAddress, Parked] = {}
    mistakes = []
    for key in sorted(key for key in external_ids if key.startswith(PARKED)):
        network, _, address = key.removeprefix(PARKED).rpartition("/")
        until, _, owner = external_ids[key].partition(" ")
        try:
            if "%" in address or not _SECONDS.fullmatch(until):
                raise ValueError
            answered = _ANSWERED.fullmatch(owner)
            mac = bytes.fromhex(answered[1].replace(":", "")) if answered else b""
            owner = answered[2] if answered else owner
            found[network, ip_address(address)] = Parked(int(until), owner, mac)
        except ValueError:
            what = f"{show(key)}: {show(external_ids[key])}"
            mistakes.append(f"{what}, expected {PARKED}NETWORK/ADDRESS: SECONDS OWNER")
    return found, mistakes


def parked_key(pooled: PooledAddress) -> str:
    """The key under which a bridge's external_ids have an address that is parked."""
    network, address = pooled
    return f"{PARKED}{network}/{address}"


def format_parked(parked: Parked) -> str:
    """The value under that key."""
    how = f"answered {parked.answered_by.hex(':')} " if parked.answered_by else ""
    return f"{parked.until_s} {how}{parked.owner}"
