# SPDX-License-Identifier: Apache-2.0
"""Which flow of somebody else takes a guest's request before ours does: by its match.

Looked at is the first packet of a guest, a DISCOVER or SOLICIT, as it enters table 0.  A flow
that tests something which is not known of it is never accused, and neither is one that may hand
the packet to table 0 again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ovs_dhcpd.controller.wire.flow_entry import FlowEntry
from ovs_dhcpd.controller.wire.instructions import OFPAT_EXPERIMENTER, actions_of
from ovs_dhcpd.controller.wire.nxt import NXM_REG, OXM_PACKET_REG
from ovs_dhcpd.controller.wire.openflow import NICIRA
from ovs_dhcpd.controller.wire.oxm import (
    ABOUT,
    Term,
    decode_match,
)
from ovs_dhcpd.flows.bindings.well_known import (
    ALL_SERVERS,
    BROADCAST,
    DHCPV4_CLIENT_PORT,
    DHCPV4_SERVER_PORT,
    DHCPV6_CLIENT_PORT,
    DHCPV6_SERVER_PORT,
)
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.tables import OPTIONS

_IN_PORT: Final = f.IN_PORT.header & ABOUT
_ETH_SRC: Final = f.ETH_SRC.header & ABOUT
_VLAN_VID: Final = f.VLAN_VID.header & ABOUT
_ABOUT_PORT: Final = (_IN_PORT, _ETH_SRC, _VLAN_VID)

# What every packet is that a guest sends, before any flow has had it.
_FRESH: Final = {
    f.METADATA.header & ABOUT: 0,
    0x80004C00: 0,  # tunnel_id
    0x80005800: 0,  # packet_type
    0x00013400: 0,  # ip_frag
    0x00014800: 0,  # recirc_id
    0x0001D200: 0,  # ct_state
    **{NXM_REG | number << 9: 0 for number in range(16)},
    **{OXM_PACKET_REG | number << 9: 0 for number in range(8)},
}


def _packet(fields: dict[f.Field, int]) -> dict[int, int]:
    return _FRESH | {field.header & ABOUT: value for field, value in fields.items()}


# The request by the name that users have for what it asks for.
_REQUESTS: Final = {
    "DHCPv4": _packet(
        {
            f.ETH_DST: 0xFFFFFFFFFFFF,
            f.ETH_TYPE: 0x0800,
            f.IP_SRC: 0,
            f.IP_DST: int(BROADCAST),
            f.IP_PROTO: 17,
            f.UDP_SRC: DHCPV4_CLIENT_PORT,
            f.UDP_DST: DHCPV4_SERVER_PORT,
        }
    ),
    "DHCPv6": _packet(
        {
            f.ETH_DST: 0x333300010002,
            f.ETH_TYPE: 0x86DD,
            f.IPV6_DST: int(ALL_SERVERS),
            f.IP_PROTO: 17,
            f.UDP_SRC: DHCPV6_CLIENT_PORT,
            f.UDP_DST: DHCPV6_SERVER_PORT,
        }
    ),
}
_TO_ALL_SERVERS: Final = {
    (f.IP_DST, int(BROADCAST)): "DHCPv4",
    (f.IPV6_DST, int(ALL_SERVERS)): "DHCPv6",
}

# Actions of Nicira that may hand the packet to table 0, and those with which a flow is none by
# itself: resubmit, resubmit to a table (with ct or not), ct, conjunction, clone.
_RESUBMIT, _RESUBMIT_TABLE, _CONJUNCTION, _CT, _CLONE, _RESUBMIT_TABLE_CT = 1, 14, 34, 35, 42, 44


class Ask(NamedTuple):
    """A port's flow for the request `kind` of whoever is behind `ofport`; `mac`: of it alone.

    `vlan_vid` is that of its packets, 0 if they have no tag.
    """

    port: str
    kind: str
    priority: int
    ofport: int
    mac: int | None
    vlan_vid: int = 0


def asks_of(port: str, flows: Iterable[f.Flow]) -> Iterator[Ask]:
    """The requests that ``flows`` of ``port`` wait for."""
    for flow in flows:
        if flow.table != OPTIONS.number:
            continue
        values = {term.field: term.value for term in flow.match if term.mask is None}
        for (field, value), kind in _TO_ALL_SERVERS.items():
            if values.get(field) == value and f.UDP_DST in values and f.IN_PORT in values:
                ofport, mac = values[f.IN_PORT], values.get(f.ETH_SRC)
                vlan_vid = values.get(f.VLAN_VID, 0)
                yield Ask(port, kind, flow.priority, ofport, mac, vlan_vid)


class Shadow(NamedTuple):
    """A flow of somebody else that takes requests of these kinds, of ports that suit the terms."""

    flow: FlowEntry
    kinds: tuple[str, ...]
    terms: tuple[Term, ...]  # about the port

    def takes(self, ask: Ask) -> bool:
        """Whether the request that ``ask`` waits for never comes to it."""
        if self.flow.priority <= ask.priority or ask.kind not in self.kinds:
            return False
        values = dict(zip(_ABOUT_PORT, (ask.ofport, ask.mac, ask.vlan_vid), strict=True))
        for term in self.terms:
            value = values[term.about]
            if value is None or (value ^ term.value) & term.mask:
                return False
        return True


def shadow_of(flow: FlowEntry) -> Shadow | None:
    """``flow``, if it is one that may take requests before ours do."""
    try:
        terms = tuple(decode_match(flow.match))
    except ValueError:
        return None
    about_port = tuple(term for term in terms if term.about in _ABOUT_PORT)
    others = [term for term in terms if term.about not in _ABOUT_PORT]
    kinds = tuple(
        kind
        for kind, packet in _REQUESTS.items()
        if all(
            term.about in packet and not (packet[term.about] ^ term.value) & term.mask
            for term in others
        )
    )
    if not kinds or _may_come_again(flow.instructions):
        return None
    return Shadow(flow, kinds, about_port)


def _may_come_again(instructions: bytes) -> bool:
    """Whether the actions may hand a packet to table 0, or cannot be read."""
    try:
        return any(_may_hand_it_back(*action) for action in actions_of(instructions))
    except ValueError:
        return True


def _may_hand_it_back(action: int, body: bytes) -> bool:
    if action != OFPAT_EXPERIMENTER or int.from_bytes(body[:4], "big") != NICIRA:
        return False
    subtype = int.from_bytes(body[4:6], "big")
    if subtype in (_RESUBMIT_TABLE, _RESUBMIT_TABLE_CT):
        return body[8:9] in (b"\0", b"\xff")
    if subtype == _CT:
        return body[14:15] == b"\0"
    return subtype in (_RESUBMIT, _CONJUNCTION, _CLONE)
