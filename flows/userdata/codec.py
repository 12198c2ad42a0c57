# SPDX-License-Identifier: Apache-2.0
"""Userdata: what a `controller(userdata=…,pause)` action carries to the controller and back.

As OVN lays it out (ovn include/ovn/actions.h, lib/actions.c); big-endian:

    0   4  opcode: 2 put_dhcp_opts, 5 put_dhcpv6_opts, 6 dns_lookup, 8 put_nd_ra_opts,
           28 dhcp_relay_req_chk, 29 dhcp_relay_resp_chk; not OVN's: 0x64680001
    4   4  padding, zero
    8   4  OXM or NXM header of the field that receives the result
    12  4  the result's bit in that field

Then for opcode 2:

    16  4  offerip, the address for the client
    20  -  options: code (1), length (1), value; 67, 254 and 253 first

A value of more than 255 bytes stands in several options of its code, one after the other, each but
the last full; a reader joins all options of a code in their order (RFC 3396 §5).

For opcode 5:

    16  -  options: code (2), length (2), value

For opcode 6 nothing more.  For opcode 8:

    16  -  the router advertisement, from its ICMPv6 header on, with checksum 0

For opcodes 28 and 29, which ovn-northd 24.09 and later uses:

    16  4  the relay agent's address
    20  4  the DHCP server's

For opcode 0x64680001, put_nd_na, where OVN has an action without a pause and so without a result:

    16  32 the neighbour advertisement, likewise, with the solicited flag clear

What OVN has no code for is in the last option, 255 or 65535 (:mod:`flows.userdata.extension`).
ovn-controller copies 255, DHCPv4's end of options, into its replies, so clients see a right reply
without the extension.  It knows no 65535 and, as for any code that it does not know, makes no reply
at all.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, OptionError, OptionTable
from ovs_dhcpd.flows.options.values import decode_value
from ovs_dhcpd.flows.userdata.cursor import Cursor, UserdataError
from ovs_dhcpd.flows.userdata.extension import (
    NO_EXTENSION_V4,
    NO_EXTENSION_V6,
    Dhcpv4Extension,
    Dhcpv6Extension,
    decode_extension,
    encode_extension,
)


class UnknownOpcode(UserdataError):
    """Userdata of another action than those of this module."""

    def __init__(self, opcode: int) -> None:
        """For the opcode that was found."""
        known = ", ".join(f"{code} ({name})" for code, name in ACTION_NAMES.items())
        super().__init__(f"opcode {opcode}, expected one of {known}")
        self.opcode = opcode


PUT_DHCP_OPTS = 2
PUT_DHCPV6_OPTS = 5
DNS_LOOKUP = 6
PUT_ND_RA_OPTS = 8
DHCP_RELAY_REQ_CHK = 28
DHCP_RELAY_RESP_CHK = 29
PUT_ND_NA = 0x64680001  # far from OVN's, which count from 0
PROBE_HEARD = 0x64680002  # of a copy of a packet that is not paused, so it has no result
ACTION_NAMES = {
    PUT_DHCP_OPTS: "put_dhcp_opts",
    PUT_DHCPV6_OPTS: "put_dhcpv6_opts",
    DNS_LOOKUP: "dns_lookup",
    PUT_ND_RA_OPTS: "put_nd_ra_opts",
    DHCP_RELAY_REQ_CHK: "dhcp_relay_req_chk",
    DHCP_RELAY_RESP_CHK: "dhcp_relay_resp_chk",
    PUT_ND_NA: "put_nd_na",
}

# A flow-mod is at most 65535 bytes; this leaves room for its match and for its other actions.
MAX_USERDATA = 65000


class _Registers(NamedTuple):
    """A number of `fields` made of one, two or four 32-bit registers each.

    Field n has the header `header + 0x200 * n` and is made of the registers from `words * n`,
    which is its topmost word, to `words * n + words - 1`.
    """

    header: int
    words: int
    fields: int


# The numbers are those of Open vSwitch's include/openvswitch/meta-flow.h.
REGISTERS = {
    "xxreg": _Registers(header=0x0001DE10, words=4, fields=4),
    "xreg": _Registers(header=0x80010008, words=2, fields=8),
    "reg": _Registers(header=0x00010004, words=1, fields=16),
}


@dataclass(frozen=True, slots=True)
class ResultBit:
    """The bit that tells the pipeline if there is an answer: bit `offset` of a field.

    `header` is the field's 4-byte OXM or NXM header; 0x0001de10 is xxreg0.
    """

    header: int
    offset: int

    def __post_init__(self) -> None:
        """Raise UserdataError unless the bit is inside the field."""
        if self.header >> 16 == 0xFFFF or self.header & 0x100 or not self.header & 0xFF:
            raise UserdataError(
                f"result field 0x{self.header:08x}, expected a field's 4-byte header, without mask"
            )
        bits = 8 * (self.header & 0xFF)  # the header ends in the field's size in bytes
        if self.offset >= bits:
            raise UserdataError(
                f"bit {self.offset} of result field 0x{self.header:08x}, expected 0 to {bits - 1}"
            )

    @classmethod
    def reg(cls, number: int, bit: int) -> ResultBit:
        """Bit `bit` of register `number`, in the field in which OVN would address it.

        OVN takes the widest field that its registers, reg0 to reg9, fill.
        """
        if not (0 <= number < 16 and 0 <= bit < 32):
            raise UserdataError(f"reg{number}[{bit}], expected reg0 to reg15 and bit 0 to 31")
        family = REGISTERS["xxreg" if number < 8 else "xreg" if number < 10 else "reg"]
        field, word = divmod(number, family.words)
        return cls(family.header + 0x200 * field, 32 * (family.words - 1 - word) + bit)

    @property
    def register(self) -> tuple[int, int] | None:
        """Register number and bit in it; None if the field is no register."""
        for family in REGISTERS.values():
            field, rest = divmod(self.header - family.header, 0x200)
            if not rest and 0 <= field < family.fields:
                word, bit = divmod(self.offset, 32)
                return family.words * field + family.words - 1 - word, bit
        return None


# Where OVN has the results: of DHCP and DHCPv6, and of router solicitations.
REG0_3 = ResultBit.reg(0, 3)
REG0_5 = ResultBit.reg(0, 5)


@dataclass(frozen=True, slots=True)
class PutDhcpOpts:
    """The put_dhcp_opts action: what a port may have, and where the result goes.

    `options` are codes and whole values; encoding puts some first, see `encode_userdata`.
    """

    offerip: IPv4Address
    options: tuple[tuple[int, bytes], ...]
    result: ResultBit = REG0_3
    extension: Dhcpv4Extension = NO_EXTENSION_V4

    def __post_init__(self) -> None:
        """Raise UserdataError for an option that userdata must not carry."""
        _check_options(DHCPV4, self.options)


@dataclass(frozen=True, slots=True)
class PutDhcpv6Opts:
    """The put_dhcpv6_opts action: what a port may have, and where the result goes.

    `options` are codes and values as OVN has them in userdata: of server_id the MAC, of ia_addr
    the addresses (none: no addresses are given out), of domain_search plain text, of fqdn the name
    without flags; all others as on the wire.
    """

    options: tuple[tuple[int, bytes], ...]
    result: ResultBit = REG0_3
    extension: Dhcpv6Extension = NO_EXTENSION_V6

    def __post_init__(self) -> None:
        """Raise UserdataError for an option that userdata must not carry."""
        _check_options(DHCPV6, self.options)


@dataclass(frozen=True, slots=True)
class PutNdRaOpts:
    """The put_nd_ra_opts action: the finished router advertisement, and where the result goes.

    `message` is the ICMPv6 message (RFC 4861 §4.2); its checksum, which takes the addresses of
    the packet, is 0.
    """

    message: bytes
    result: ResultBit = REG0_5

    def __post_init__(self) -> None:
        """Raise UserdataError unless the message is a router advertisement, option by option."""
        cursor = Cursor(self.message)
        header = cursor.take(16, "header of the router advertisement")
        if header[:4] != b"\x86\0\0\0":
            raise UserdataError(
                f"the message begins with 0x{header[:4].hex()}, expected 0x86000000: type 134, "
                "code 0, checksum 0"
            )
        while cursor.left:
            code, length = cursor.take(2, "option's type and length")
            if not length:
                raise UserdataError(f"option {code} has length 0, expected 1 or more")
            cursor.take(8 * length - 2, f"value of option {code}")


@dataclass(frozen=True, slots=True)
class PutNdNa:
    """The put_nd_na action: the neighbour advertisement, and where the result goes.

    `message` is the ICMPv6 message (RFC 4861 §4.4), its checksum 0, its one option the target
    link-layer address.  Its flags are those for who asks from ::, who has no use for "solicited".
    """

    message: bytes
    result: ResultBit = REG0_5

    def __post_init__(self) -> None:
        """Raise UserdataError unless the message is as said."""
        if len(self.message) != 32:
            raise UserdataError(f"the message has {len(self.message)} bytes, expected 32")
        header, option = self.message[:4].hex(), self.message[24:26].hex()
        if header != "88000000":
            raise UserdataError(
                f"the message begins with 0x{header}, expected 0x88000000: type 136, code 0, "
                "checksum 0"
            )
        if self.message[4] & 0x40:
            raise UserdataError("the message has the solicited flag, expected it without")
        if option != "0201":
            raise UserdataError(f"the option begins with 0x{option}, expected 0x0201: its MAC")

    @classmethod
    def of(cls, target: IPv6Address, mac: bytes, *, is_router: bool) -> PutNdNa:
        """The advertisement that `target` is at `mac`, whatever was known of it."""
        flags = bytes((0xA0 if is_router else 0x20, 0, 0, 0))  # router, override
        return cls(b"\x88\0\0\0" + flags + target.packed + b"\2\1" + mac)


@dataclass(frozen=True, slots=True)
class DnsLookup:
    """The dns_lookup action: a name that OVN knows is answered, which only ovn-controller can."""

    result: ResultBit


@dataclass(frozen=True, slots=True)
class DhcpRelayReqChk:
    """The dhcp_relay_req_chk action: a client's message becomes one of the relay agent."""

    relay: IPv4Address
    server: IPv4Address
    result: ResultBit


@dataclass(frozen=True, slots=True)
class DhcpRelayRespChk:
    """The dhcp_relay_resp_chk action: what the server sent the relay agent goes to the client."""

    relay: IPv4Address
    server: IPv4Address
    result: ResultBit


LogicalAction = (
    PutDhcpOpts
    | PutDhcpv6Opts
    | DnsLookup
    | PutNdRaOpts
    | DhcpRelayReqChk
    | DhcpRelayRespChk
    | PutNdNa
)


def _check_options(table: OptionTable, options: tuple[tuple[int, bytes], ...]) -> None:
    codes = set()
    for code, value in options:
        if code in table.server_only:
            reason = table.server_only[code]
            raise UserdataError(f"option {code} cannot be in userdata, {reason}")
        if code in codes:
            raise UserdataError(f"option {code} is there twice")
        codes.add(code)
        if code in table.by_name_only and (misfit := _misfit(table, code, value)):
            raise UserdataError(f"option {code} does not hold its type: {misfit}")


@lru_cache(maxsize=1024)
def _misfit(table: OptionTable, code: int, value: bytes) -> str:
    """Why `value` is not of the option's type; empty if it is."""
    try:
        decode_value(table.by_code[code], value)
    except OptionError as error:
        return str(error)
    return ""


_FIRST = (67, 254, 253)
_EXTENSION_V4 = 255
_EXTENSION_V6 = 65535


def encode_userdata(action: LogicalAction) -> bytes:
    """The action's userdata; of opcode 2 bootfile_name, bootfile_name_alt and next_server first.

    Raises UserdataError if it is too long for an OpenFlow message.
    """
    if isinstance(action, PutDhcpOpts):
        opcode, content = PUT_DHCP_OPTS, _encode_put_dhcp_opts(action)
    elif isinstance(action, PutDhcpv6Opts):
        opcode, content = PUT_DHCPV6_OPTS, _encode_put_dhcpv6_opts(action)
    elif isinstance(action, PutNdRaOpts):
        opcode, content = PUT_ND_RA_OPTS, action.message
    elif isinstance(action, DnsLookup):
        opcode, content = DNS_LOOKUP, b""
    elif isinstance(action, DhcpRelayReqChk):
        opcode, content = DHCP_RELAY_REQ_CHK, action.relay.packed + action.server.packed
    elif isinstance(action, DhcpRelayRespChk):
        opcode, content = DHCP_RELAY_RESP_CHK, action.relay.packed + action.server.packed
    else:
        opcode, content = PUT_ND_NA, action.message
    userdata = b"".join(
        (
            opcode.to_bytes(4, "big"),
            bytes(4),
            action.result.header.to_bytes(4, "big"),
            action.result.offset.to_bytes(4, "big"),
            content,
        )
    )
    if len(userdata) > MAX_USERDATA:
        raise UserdataError(f"the options take {len(userdata)} bytes, at most {MAX_USERDATA} fit")
    return userdata


def _encode_put_dhcp_opts(action: PutDhcpOpts) -> bytes:
    given = dict(action.options)
    ordered = {code: given[code] for code in _FIRST if code in given} | given
    if extension := encode_extension(action.extension):
        ordered[_EXTENSION_V4] = extension
    pieces = (piece for code, value in ordered.items() for piece in _split(code, value))
    return action.offerip.packed + b"".join(pieces)


def _split(code: int, value: bytes) -> Iterator[bytes]:
    for at in range(0, max(len(value), 1), 255):
        piece = value[at : at + 255]
        yield bytes((code, len(piece))) + piece


def _encode_put_dhcpv6_opts(action: PutDhcpv6Opts) -> bytes:
    options = action.options
    if extension := encode_extension(action.extension):
        options = (*options, (_EXTENSION_V6, extension))
    too_long = [code for code, value in options if len(value) > 0xFFFF]
    if too_long:
        raise UserdataError(f"option {too_long[0]} is longer than 65535 bytes")
    return b"".join(
        code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for code, value in options
    )


def decode_userdata(userdata: bytes) -> LogicalAction:
    """The action in `userdata`.  Raises UserdataError, and nothing else whatever the bytes."""
    cursor = Cursor(userdata)
    opcode = cursor.uint(4, "opcode")
    if opcode not in _DECODERS:
        raise UnknownOpcode(opcode)
    padding = cursor.uint(4, "padding")
    if padding:
        raise UserdataError(f"offset 4: 0x{padding:08x}, expected padding of 4 zero bytes")
    header = cursor.uint(4, "header of the result field")
    return _DECODERS[opcode](_result_bit(header, cursor.uint(4, "result bit")), cursor)


_result_bit = lru_cache(ResultBit)  # nearly all userdata has one of two
_OPTION_V4, _OPTION_V6 = struct.Struct("!BB"), struct.Struct("!HH")  # code, length


def _decode_put_dhcp_opts(result: ResultBit, cursor: Cursor) -> PutDhcpOpts:
    offerip = IPv4Address(cursor.take(4, "offerip"))
    options: dict[int, bytes] = {}
    extension = b""
    for code, value in cursor.options(_OPTION_V4):
        if code == _EXTENSION_V4:
            extension += value
        elif extension:
            raise UserdataError(f"option {code} is behind option 255, expected that to be the last")
        else:
            options[code] = options.get(code, b"") + value
    return PutDhcpOpts(
        offerip,
        tuple(options.items()),
        result,
        decode_extension(Dhcpv4Extension, extension) if extension else NO_EXTENSION_V4,
    )


def _decode_put_dhcpv6_opts(result: ResultBit, cursor: Cursor) -> PutDhcpv6Opts:
    options: list[tuple[int, bytes]] = []
    extension = None
    for code, value in cursor.options(_OPTION_V6):
        if extension is not None:
            raise UserdataError(
                f"option {code} is behind option 65535, expected that to be the last"
            )
        if code == _EXTENSION_V6:
            extension = value
        else:
            options.append((code, value))
    return PutDhcpv6Opts(
        tuple(options),
        result,
        decode_extension(Dhcpv6Extension, extension) if extension else NO_EXTENSION_V6,
    )


def _decode_put_nd_ra_opts(result: ResultBit, cursor: Cursor) -> PutNdRaOpts:
    return PutNdRaOpts(cursor.take(cursor.left, "router advertisement"), result)


def _decode_put_nd_na(result: ResultBit, cursor: Cursor) -> PutNdNa:
    return PutNdNa(cursor.take(cursor.left, "neighbour advertisement"), result)


def _decode_dns_lookup(result: ResultBit, cursor: Cursor) -> DnsLookup:
    _end(cursor)
    return DnsLookup(result)


def _decode_relay_req_chk(result: ResultBit, cursor: Cursor) -> DhcpRelayReqChk:
    return DhcpRelayReqChk(*_decode_relay(cursor), result)


def _decode_relay_resp_chk(result: ResultBit, cursor: Cursor) -> DhcpRelayRespChk:
    return DhcpRelayRespChk(*_decode_relay(cursor), result)


def _decode_relay(cursor: Cursor) -> tuple[IPv4Address, IPv4Address]:
    relay, server = cursor.take(4, "relay agent's address"), cursor.take(4, "server's address")
    _end(cursor)
    return IPv4Address(relay), IPv4Address(server)


def _end(cursor: Cursor) -> None:
    if cursor.left:
        raise UserdataError(f"{cursor.left} bytes too many, expected the end")


_DECODERS: dict[int, Callable[[ResultBit, Cursor], LogicalAction]] = {
    PUT_DHCP_OPTS: _decode_put_dhcp_opts,
    PUT_DHCPV6_OPTS: _decode_put_dhcpv6_opts,
    DNS_LOOKUP: _decode_dns_lookup,
    PUT_ND_RA_OPTS: _decode_put_nd_ra_opts,
    DHCP_RELAY_REQ_CHK: _decode_relay_req_chk,
    DHCP_RELAY_RESP_CHK: _decode_relay_resp_chk,
    PUT_ND_NA: _decode_put_nd_na,
}


_PUT_DHCP_OPTS = PUT_DHCP_OPTS.to_bytes(4, "big")
_PUT_DHCPV6_OPTS = PUT_DHCPV6_OPTS.to_bytes(4, "big")
_HOST_NAME = DHCPV4.by_name["hostname"].code
_IA_ADDR = b"\0\5\0\x10"  # code and length of ia_addr with one address


def split_address(userdata: bytes) -> tuple[bytes, bytes]:
    """The address that is one port's alone, and what the ports of a network have in common.

    The address is offerip, or ia_addr where that is the first option and one address; else it is
    empty and all is in common.  Of two with the same second part either both have one or neither,
    and one is valid if the other is.
    """
    opcode = userdata[:4]
    if opcode == _PUT_DHCP_OPTS and len(userdata) >= 20:
        return userdata[16:20], userdata[:16] + bytes(4) + userdata[20:]
    if opcode == _PUT_DHCPV6_OPTS and userdata[16:20] == _IA_ADDR and len(userdata) >= 36:
        return userdata[20:36], userdata[:20] + bytes(16) + userdata[36:]
    return b"", userdata


def split_host_name(userdata: bytes) -> tuple[bytes, bytes]:
    """The host name that is one port's alone, and what it has in common with ports of other names.

    That is opcode 2's option 12, which has no value in what is in common.  The host name is empty,
    and all is in common, where there is no such option, or more than one.
    """
    if userdata[:4] != _PUT_DHCP_OPTS:
        return b"", userdata
    found = None
    at, end = 20, len(userdata)
    while at + 1 < end:
        value = slice(at + 2, at + 2 + userdata[at + 1])
        if userdata[at] == _HOST_NAME:
            if found:
                return b"", userdata
            found = value
        at = value.stop
    if not found or at != end:
        return b"", userdata
    common = userdata[: found.start - 1] + b"\0" + userdata[found.stop :]
    return userdata[found], common
