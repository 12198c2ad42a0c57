# SPDX-License-Identifier: Apache-2.0
"""What is seen of a running Open vSwitch and of its host, as values.

Rows are as OVSDB's ``select`` returns them (RFC 7047 §5.2.2), addresses as ``ip -json address``
does. What cannot be read in a row is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_interface
from typing import Any

from ovs_dhcpd.controller.drafting.draft import Interface
from ovs_dhcpd.controller.ports.interface import (
    ATTACHED_MAC,
    IFACE_ID,
    KEEP_OUT,
    NETWORK,
    UNTOLD,
    is_guests,
)
from ovs_dhcpd.controller.ports.vlans import Vlans, vlans_of

COLUMNS = {
    "Open_vSwitch": ["external_ids"],
    "Bridge": ["name", "ports"],
    "Port": ["_uuid", "name", "interfaces", "tag", "trunks", "vlan_mode"],
    "Interface": ["_uuid", "name", "type", "mac_in_use", "ofport", "status", "external_ids"],
}
OVN_BRIDGE = "br-int"  # which ovn-controller has, where nobody says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugged:
    """An interface of a bridge."""

    name: str
    kind: str = ""
    driver: str = ""
    mac: str = ""
    ofport: int | None = None
    vlans: Vlans = UNTOLD
    external_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it is called in a configuration: its iface-id, or without one its name."""
        return self.external_ids.get(IFACE_ID) or self.name

    @property
    def guests_mac(self) -> str:
        """The MAC of the guest, if the row has it; empty: nobody knows it.

        What is at the host's end of a tap or a veth is not the guest's; an internal port is both
        ends.
        """
        own = self.mac if self.kind == "internal" else ""
        return self.external_ids.get(ATTACHED_MAC, own)

    @property
    def is_guest(self) -> bool:
        """Whether it gets an address of a pool, if it is not the bridge's own."""
        is_kept_out = self.external_ids.get(NETWORK) == KEEP_OUT
        return is_guests(self.kind, self.driver, self.external_ids) and not is_kept_out


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge and what is plugged in."""

    name: str
    plugged: tuple[Plugged, ...] = ()
    is_ovns: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """An interface of the host with its addresses; `over` is the one below and the VLAN in it."""

    name: str
    mac: str = ""
    addresses: tuple[Interface, ...] = ()
    over: tuple[str, int] | None = None


def read_bridges(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Bridge]:
    """The bridges, by name, from the rows of each table."""
    interfaces = {_uuid(row): row for row in tables.get("Interface", ())}
    ports = {_uuid(row): row for row in tables.get("Port", ())}
    ovns = {
        ids.get("ovn-bridge", OVN_BRIDGE)
        for row in tables.get("Open_vSwitch", ())
        if "ovn-remote" in (ids := _map(row.get("external_ids")))
    }
    found = []
    for row in tables.get("Bridge", ()):
        name = str(row.get("name", ""))
        there = [ports[each] for each in _uuids(row.get("ports")) if each in ports]
        plugged = [
            _plugged(interfaces[each], vlans)
            for port in there
            for vlans in (_vlans(port),)
            for each in _uuids(port.get("interfaces"))
            if each in interfaces
        ]
        plugged.sort(key=lambda each: each.name)
        found.append(Bridge(name, tuple(plugged), name in ovns))
    return sorted(found, key=lambda each: each.name)


def read_links(document: Any) -> list[Link]:
    """The interfaces of the host."""
    found = []
    for row in document if isinstance(document, list) else ():
        if not isinstance(row, dict) or not isinstance(row.get("ifname"), str):
            continue
        info = row.get("linkinfo")
        info = info if isinstance(info, dict) else {}
        data = info.get("info_data")
        over = None
        if isinstance(data, dict) and info.get("info_kind") == "vlan":
            below, tag = row.get("link"), data.get("id")
            over = (below, tag) if isinstance(below, str) and isinstance(tag, int) else None
        mac = str(row.get("address", ""))
        found.append(Link(row["ifname"], mac, tuple(_addresses(row.get("addr_info"))), over))
    return found


def _addresses(rows: Any) -> Iterator[Interface]:
    """The addresses that stay: neither temporary ones nor what an interface has of another's."""
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or row.get("temporary") or row.get("deprecated"):
            continue
        try:
            yield ip_interface(f"{row.get('local')}/{row.get('prefixlen')}")
        except ValueError:
            continue


def _plugged(row: Mapping[str, Any], vlans: Vlans) -> Plugged:
    (ofport,) = _set(row.get("ofport"))[:1] or [None]
    (mac,) = _set(row.get("mac_in_use"))[:1] or [""]
    return Plugged(
        name=str(row.get("name", "")),
        kind=str(row.get("type", "")),
        driver=_map(row.get("status")).get("driver_name", ""),
        mac=str(mac),
        ofport=ofport if isinstance(ofport, int) and ofport > 0 else None,
        vlans=vlans,
        external_ids=_map(row.get("external_ids")),
    )


def _vlans(row: Mapping[str, Any]) -> Vlans:
    (mode,) = _set(row.get("vlan_mode"))[:1] or [""]
    (tag,) = _set(row.get("tag"))[:1] or [None]
    trunks = frozenset(each for each in _set(row.get("trunks")) if isinstance(each, int))
    return vlans_of(str(mode), tag if isinstance(tag, int) else None, trunks)


def _set(value: Any) -> list[Any]:
    """The values of a column that may have several, or none."""
    if isinstance(value, list):
        is_set = len(value) == 2 and value[0] == "set" and isinstance(value[1], list)
        return value[1] if is_set else [value]
    return [] if value is None else [value]


def _map(value: Any) -> dict[str, str]:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], list):
        pairs = [each for each in value[1] if isinstance(each, list) and len(each) == 2]
        return {str(key): str(each) for key, each in pairs}
    return {}


def _uuids(value: Any) -> list[str]:
    pairs = [each for each in _set(value) if isinstance(each, list) and len(each) == 2]
    return [uuid for _, uuid in pairs if isinstance(uuid, str)]


def _uuid(row: Mapping[str, Any]) -> str:
    return next(iter(_uuids(row.get("_uuid"))), "")
