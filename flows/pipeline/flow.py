# SPDX-License-Identifier: Apache-2.0
"""One OpenFlow flow: table, priority, match, actions, cookie, and its text.

The text is what ``ovs-ofctl --no-stats dump-flows`` prints (without its leading
blank), so ``ovs-ofctl add-flows`` takes it and a dump can be compared with it; but
OpenFlow 1.0, which ``ovs-ofctl`` speaks by itself, shows no meters.
The bytes of the same flow are made in :mod:`controller.wire.flow_messages`.

``str()`` of a field's test or of an action is what OpenFlow has for it, ``ovn`` what
a logical flow has (ovn-sb(5), table Logical_Flow): a term is written once for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Union

COOKIE_PREFIX = 0x6468  # "dh": the top 16 bits of every cookie of ours
COOKIE_SHIFT = 48

LOCAL = 0xFFFFFFFE  # the bridge's own port in OpenFlow; the database has 65534, that of 1.0


def is_our_cookie(cookie: int) -> bool:
    """Whether a flow with this cookie is ours."""
    return cookie >> COOKIE_SHIFT == COOKIE_PREFIX


def show_port(ofport: int) -> str:
    """A port number as ``ovs-ofctl`` shows it."""
    return "LOCAL" if ofport == LOCAL else str(ofport)


def _hex(value: int) -> str:
    return f"{value:#x}" if value else "0"


def _mac(value: int) -> str:
    return value.to_bytes(6, "big").hex(":")


@lru_cache(maxsize=1024)  # the servers' addresses are in the flows of each port
def _ipv4(value: int) -> str:
    return str(IPv4Address(value))


@lru_cache(maxsize=1024)
def _ipv6(value: int) -> str:
    return str(IPv6Address(value))


@dataclass(frozen=True, eq=False)
class Field:
    """A field of a packet, by its names in OVN and in Open vSwitch (ovs-fields(7)).

    ``ovn`` is its name in a logical flow, empty if it has none there.
    ``match`` is its name in a match, ``nxm`` in ``load`` and ``move`` actions,
    ``mod`` in the OpenFlow 1.0 action that sets it, where there is one.
    ``header`` is the 4-byte OXM or NXM header without mask, whose low byte is
    the field's size in bytes.
    """

    ovn: str
    match: str
    nxm: str
    header: int
    show: Callable[[int], str]
    mod: str = ""

    @property
    def size(self) -> int:
        """Size of the value, in bytes."""
        return self.header & 0xFF


IN_PORT = Field("inport", "in_port", "NXM_OF_IN_PORT", 0x80000004, show_port)
METADATA = Field("metadata", "metadata", "OXM_OF_METADATA", 0x80000408, _hex)
REG0 = Field("reg0", "reg0", "NXM_NX_REG0", 0x00010004, _hex)
ETH_DST = Field("eth.dst", "dl_dst", "NXM_OF_ETH_DST", 0x80000606, _mac, "mod_dl_dst")
ETH_SRC = Field("eth.src", "dl_src", "NXM_OF_ETH_SRC", 0x80000806, _mac, "mod_dl_src")
ETH_TYPE = Field("eth.type", "dl_type", "NXM_OF_ETH_TYPE", 0x80000A02, _hex)
VLAN_VID = Field("vlan.vid", "dl_vlan", "OXM_OF_VLAN_VID", 0x80000C02, lambda v: str(v & 0xFFF))
IP_PROTO = Field("ip.proto", "nw_proto", "NXM_OF_IP_PROTO", 0x80001401, str)
IP_TTL = Field("ip.ttl", "nw_ttl", "NXM_NX_IP_TTL", 0x00013A01, str)  # in IPv6 the hop limit
IP_SRC = Field("ip4.src", "nw_src", "NXM_OF_IP_SRC", 0x80001604, _ipv4, "mod_nw_src")
IP_DST = Field("ip4.dst", "nw_dst", "NXM_OF_IP_DST", 0x80001804, _ipv4, "mod_nw_dst")
IPV6_SRC = Field("ip6.src", "ipv6_src", "NXM_NX_IPV6_SRC", 0x80003410, _ipv6)
IPV6_DST = Field("ip6.dst", "ipv6_dst", "NXM_NX_IPV6_DST", 0x80003610, _ipv6)
UDP_SRC = Field("udp.src", "tp_src", "NXM_OF_UDP_SRC", 0x80001E02, str, "mod_tp_src")
UDP_DST = Field("udp.dst", "tp_dst", "NXM_OF_UDP_DST", 0x80002002, str, "mod_tp_dst")
ICMPV6_TYPE = Field("icmp6.type", "icmp_type", "NXM_NX_ICMPV6_TYPE", 0x80003A01, str)
ICMPV6_CODE = Field("icmp6.code", "icmp_code", "NXM_NX_ICMPV6_CODE", 0x80003C01, str)
ND_TARGET = Field("nd.target", "nd_target", "NXM_NX_ND_TARGET", 0x80003E10, _ipv6)
ND_SLL = Field("nd.sll", "nd_sll", "NXM_NX_ND_SLL", 0x80004006, _mac)
ND_TLL = Field("nd.tll", "nd_tll", "NXM_NX_ND_TLL", 0x80004206, _mac)
ARP_OP = Field("arp.op", "arp_op", "NXM_OF_ARP_OP", 0x80002A02, str)
ARP_SPA = Field("arp.spa", "arp_spa", "NXM_OF_ARP_SPA", 0x80002C04, _ipv4)
ARP_TPA = Field("arp.tpa", "arp_tpa", "NXM_OF_ARP_TPA", 0x80002E04, _ipv4)
ARP_SHA = Field("arp.sha", "arp_sha", "NXM_NX_ARP_SHA", 0x80003006, _mac)
ARP_THA = Field("arp.tha", "arp_tha", "NXM_NX_ARP_THA", 0x80003206, _mac)


@dataclass(frozen=True)
class Protocol:
    """A protocol by its name in a match, and the fields that this stands for.

    ``ovn`` are its names in a logical flow.
    """

    name: str
    fields: tuple[tuple[Field, int], ...]
    ovn: tuple[str, ...]


ARP = Protocol("arp", ((ETH_TYPE, 0x0806),), ("arp",))
IP = Protocol("ip", ((ETH_TYPE, 0x0800),), ("ip4",))
IPV6 = Protocol("ipv6", ((ETH_TYPE, 0x86DD),), ("ip6",))
UDP = Protocol("udp", ((ETH_TYPE, 0x0800), (IP_PROTO, 17)), ("ip4", "udp"))
UDP6 = Protocol("udp6", ((ETH_TYPE, 0x86DD), (IP_PROTO, 17)), ("ip6", "udp"))
ICMP6 = Protocol("icmp6", ((ETH_TYPE, 0x86DD), (IP_PROTO, 58)), ("icmp6",))


@dataclass(frozen=True)
class Is:
    """One term of a match: ``field`` equals ``value`` in the bits of ``mask`` (None: in all)."""

    field: Field
    value: int
    mask: int | None = None

    def __str__(self) -> str:
        text = f"{self.field.match}={self.field.show(self.value)}"
        if self.mask is None:
            return text
        if self._is_prefix:
            return f"{text}/{self._prefix_length}"
        return f"{text}/{_mac(self.mask) if self.field.show is _mac else f'{self.mask:#x}'}"

    @property
    def ovn(self) -> str:
        """The term in a logical flow's words; a mask has one bit there, or is an address's."""
        text = f"{self.field.ovn} == {self.field.show(self.value)}"
        if self.mask is None:
            return text
        if self._is_prefix:
            return f"{text}/{self._prefix_length}"
        bit = f"{self.field.ovn}[{self.mask.bit_length() - 1}]"
        return bit if self.value else f"!{bit}"

    @property
    def _is_prefix(self) -> bool:
        return self.field.show in (_ipv4, _ipv6)

    @property
    def _prefix_length(self) -> int:
        return (self.mask or 0).bit_count()


class _Untagged(Is):
    """No 802.1Q header, or one of VLAN 0, which says a priority and nothing of a VLAN."""

    def __str__(self) -> str:
        return f"vlan_tci=0x0000/{self.mask:#06x}"


UNTAGGED = _Untagged(VLAN_VID, 0, 0x0FFF)


class _Tagged(Is):
    """An 802.1Q header, of whatever VLAN."""

    def __str__(self) -> str:
        return f"vlan_tci={self.value:#06x}/{self.mask:#06x}"


TAGGED = _Tagged(VLAN_VID, 0x1000, 0x1000)


def tagged(tag: int) -> Is:
    """An 802.1Q header of the VLAN ``tag``: in the field a bit says that there is one."""
    return Is(VLAN_VID, 0x1000 | tag)


@dataclass(frozen=True)
class Load:
    """Set ``n_bits`` bits (0: the whole field) of ``field`` at bit ``offset`` to ``value``."""

    field: Field
    value: int
    offset: int = 0
    n_bits: int = 0

    def __str__(self) -> str:
        if self.field.mod and not self.n_bits:
            return f"{self.field.mod}:{self.field.show(self.value)}"
        if self.n_bits:
            return self._load(self.value, f"[{self.offset}]")
        if self.field.size <= 8:
            return self._load(self.value, "[]")
        # OpenFlow 1.0 loads 64 bits at most.
        return ",".join(
            self._load(self.value >> start & (1 << 64) - 1, f"[{start}..{start + 63}]")
            for start in range(0, 8 * self.field.size, 64)
        )

    @property
    def ovn(self) -> str:
        """The action in a logical flow's words."""
        where = f"[{self.offset}]" if self.n_bits else ""
        return f"{self.field.ovn}{where} = {self.field.show(self.value)};"

    def _load(self, value: int, where: str) -> str:
        return f"load:{_hex(value)}->{self.field.nxm}{where}"


@dataclass(frozen=True)
class Move:
    """Copy the whole of ``source`` to ``target``, a field of the same size."""

    source: Field
    target: Field

    def __str__(self) -> str:
        return f"move:{self.source.nxm}[]->{self.target.nxm}[]"

    @property
    def ovn(self) -> str:
        """The action in a logical flow's words."""
        return f"{self.target.ovn} = {self.source.ovn};"


@dataclass(frozen=True)
class Meter:
    """Drop the packet if it is more than the meter ``meter_id`` lets pass.

    It comes before all other actions: in OpenFlow 1.3 it is an instruction.
    """

    meter_id: int

    def __str__(self) -> str:
        return f"meter:{self.meter_id}"


@dataclass(frozen=True)
class Pause:
    """Freeze the packet and send it with ``userdata`` to the controller (NXAST_CONTROLLER2)."""

    userdata: bytes

    def __str__(self) -> str:
        return f"controller(userdata={self.userdata.hex('.')},pause)"


@dataclass(frozen=True)
class Tell:
    """Send a copy of the packet with ``userdata`` to the controller, which is not waited for."""

    userdata: bytes

    def __str__(self) -> str:
        return f"controller(userdata={self.userdata.hex('.')})"


@dataclass(frozen=True)
class Resubmit:
    """Go on with the lookup in ``table``."""

    table: int

    def __str__(self) -> str:
        return f"resubmit(,{self.table})"

    @property
    def ovn(self) -> str:
        """``next;``: in a logical flow the next stage follows by itself."""
        return "next;"


@dataclass(frozen=True)
class OutputInPort:
    """Send the packet out of the port it came from."""

    def __str__(self) -> str:
        return "IN_PORT"

    @property
    def ovn(self) -> str:
        """The action in a logical flow's words, which have to say that a packet may go back."""
        return "outport = inport; flags.loopback = 1; output;"


Action = Union[  # noqa: UP007 - evaluated on 3.10
    Load, Meter, Move, Pause, Tell, Resubmit, OutputInPort
]


@dataclass(frozen=True)
class Flow:
    """A flow of ours.

    ``match`` stands in the order in which ovs-ofctl prints a match: registers,
    metadata, in_port, Ethernet, then the protocol's fields.
    """

    table: int
    priority: int
    protocol: Protocol | None
    match: tuple[Is, ...]
    actions: tuple[Action, ...]

    @cached_property
    def content(self) -> str:
        """The flow's text without its cookie."""
        table = f"table={self.table}, " if self.table else ""
        match = [self.protocol.name] if self.protocol else []
        match += map(str, self.match)
        terms = ",".join([f"priority={self.priority}", *match])
        return f"{table}{terms} actions={','.join(map(str, self.actions)) or 'drop'}"

    @cached_property
    def cookie(self) -> int:
        """Our prefix over 48 bits of a hash of the content.

        Two flows with the same cookie are the same flow: what is on the bridge
        is known by its cookies alone (see :mod:`flows.pipeline.reconcile`).
        """
        digest = hashlib.blake2b(self.content.encode(), digest_size=COOKIE_SHIFT // 8).digest()
        return COOKIE_PREFIX << COOKIE_SHIFT | int.from_bytes(digest, "big")

    def __str__(self) -> str:
        return f"cookie={self.cookie:#x}, {self.content}"
