# SPDX-License-Identifier: Apache-2.0
"""Userdata: what a `controller(userdata=…,pause)` action carries to the controller and back.

As OVN lays it out (ovn include/ovn/actions.h, lib/actions.c); big-endian:

    0   4  opcode: 2 put_dhcp_opts, 5 put_dhcpv6_opts, 8 put_nd_ra_opts
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

For opcode 8:

    16  -  the router advertisement, from its ICMPv6 header on, with checksum 0

What OVN has no code for is in the last option, 255 or 65535 (`extension`).  ovn-controller copies
255, DHCPv4's end of options, into its replies, so clients see a right reply without the extension.
It knows no 65535 and, as for any code that it does not know, makes no reply at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from flows.cursor import Cursor, UserdataError
from flows.extension import (
    Dhcpv4Extension,
    Dhcpv6Extension,
    decode_extension,
    encode_extension,
)
from flows.options import DHCPV4, DHCPV6, OptionError, OptionTable
from flows.values import format_value


class UnknownOpcode(UserdataError):
    """Userdata of another action than those of this module."""

    def __init__(self, opcode: int) -> None:
        """For the opcode that was found."""
        known = ", ".join(f"{code} ({name})" for code, name in ACTION_NAMES.items())
        super().__init__(f"opcode {opcode}, expected one of {known}")
        self.opcode = opcode


PUT_DHCP_OPTS = 2
PUT_DHCPV6_OPTS = 5
PUT_ND_RA_OPTS = 8
ACTION_NAMES = {
    PUT_DHCP_OPTS: "put_dhcp_opts",
    PUT_DHCPV6_OPTS: "put_dhcpv6_opts",
    PUT_ND_RA_OPTS: "put_nd_ra_opts",
}

# A flow-mod is at most 65535 bytes; this leaves room for its match and for its other actions.
MAX_USERDATA = 65000


@dataclass(frozen=True, slots=True)
class _Registers:
    """Fields made of one, two or four 32-bit registers each.

    Field n has the header `header + 0x200 * n` and is made of the registers from `words * n`,
    which is its topmost word, to `words * n + words - 1`.
    """

    header: int
    words: int
    count: int


# The numbers are those of Open vSwitch's include/openvswitch/meta-flow.h.
REGISTERS = {
    "xxreg": _Registers(header=0x0001DE10, words=4, count=4),
    "xreg": _Registers(header=0x80010008, words=2, count=8),
    "reg": _Registers(header=0x00010004, words=1, count=16),
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
            if not rest and 0 <= field < family.count:
                word, bit = divmod(self.offset, 32)
                return family.words * field + family.words - 1 - word, bit
        return None


# Where OVN has the results: of DHCP and DHCPv6, and of router solicitations.
REG0_3 = ResultBit.reg(0, 3)
REG0_5 = ResultBit.reg(0, 5)

_NO_EXTENSION_V4 = Dhcpv4Extension()
_NO_EXTENSION_V6 = Dhcpv6Extension()


@dataclass(frozen=True, slots=True)
class PutDhcpOpts:
    """The put_dhcp_opts action: what a port may have, and where the result goes.

    `options` are codes and whole values; encoding puts some first, see `encode_userdata`.
    """

    offerip: IPv4Address
    options: tuple[tuple[int, bytes], ...]
    result: ResultBit = REG0_3
    extension: Dhcpv4Extension = _NO_EXTENSION_V4

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
    extension: Dhcpv6Extension = _NO_EXTENSION_V6

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


Action = PutDhcpOpts | PutDhcpv6Opts | PutNdRaOpts


def _check_options(table: OptionTable, options: tuple[tuple[int, bytes], ...]) -> None:
    codes = set()
    for code, value in options:
        if code in table.server_only:
            reason = table.server_only[code]
            raise UserdataError(f"option {code} cannot be in userdata, {reason}")
        if code in codes:
            raise UserdataError(f"option {code} is there twice")
        codes.add(code)
        if code in table.by_name_only:
            try:
                format_value(table.by_code[code], value)
            except OptionError as error:
                raise UserdataError(f"option {code} does not hold its type: {error}") from None


_FIRST = (67, 254, 253)
_EXTENSION_V4 = 255
_EXTENSION_V6 = 65535


def encode_userdata(action: Action) -> bytes:
    """The action's userdata; of opcode 2 bootfile_name, bootfile_name_alt and next_server first.

    Raises UserdataError if it is too long for an OpenFlow message.
    """
    if isinstance(action, PutDhcpOpts):
        opcode, content = PUT_DHCP_OPTS, _encode_put_dhcp_opts(action)
    elif isinstance(action, PutDhcpv6Opts):
        opcode, content = PUT_DHCPV6_OPTS, _encode_put_dhcpv6_opts(action)
    else:
        opcode, content = PUT_ND_RA_OPTS, action.message
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


def decode_userdata(userdata: bytes) -> Action:
    """The action in `userdata`.  Raises UserdataError, and nothing else whatever the bytes."""
    cursor = Cursor(userdata)
    opcode = cursor.uint(4, "opcode")
    if opcode not in _DECODERS:
        raise UnknownOpcode(opcode)
    padding = cursor.uint(4, "padding")
    if padding:
        raise UserdataError(f"offset 4: 0x{padding:08x}, expected padding of 4 zero bytes")
    header = cursor.uint(4, "header of the result field")
    return _DECODERS[opcode](ResultBit(header, cursor.uint(4, "result bit")), cursor)


def _decode_put_dhcp_opts(result: ResultBit, cursor: Cursor) -> PutDhcpOpts:
    offerip = IPv4Address(cursor.take(4, "offerip"))
    options: dict[int, bytes] = {}
    extension = b""
    while cursor.left:
        code, length = cursor.take(2, "option's code and length")
        value = cursor.take(length, f"value of option {code}")
        if code == _EXTENSION_V4:
            extension += value
        elif extension:
            raise UserdataError(f"option {code} is behind option 255, expected that to be the last")
        else:
            options[code] = options.get(code, b"") + value
    return PutDhcpOpts(
        offerip, tuple(options.items()), result, decode_extension(Dhcpv4Extension, extension)
    )


def _decode_put_dhcpv6_opts(result: ResultBit, cursor: Cursor) -> PutDhcpv6Opts:
    options: list[tuple[int, bytes]] = []
    extension = None
    while cursor.left:
        code = cursor.uint(2, "option's code")
        size = cursor.uint(2, "option's length")
        value = cursor.take(size, f"value of option {code}")
        if extension is not None:
            raise UserdataError(
                f"option {code} is behind option 65535, expected that to be the last"
            )
        if code == _EXTENSION_V6:
            extension = value
        else:
            options.append((code, value))
    return PutDhcpv6Opts(
        tuple(options), result, decode_extension(Dhcpv6Extension, extension or b"")
    )


def _decode_put_nd_ra_opts(result: ResultBit, cursor: Cursor) -> PutNdRaOpts:
    return PutNdRaOpts(cursor.take(cursor.left, "router advertisement"), result)


_DECODERS: dict[int, Callable[[ResultBit, Cursor], Action]] = {
    PUT_DHCP_OPTS: _decode_put_dhcp_opts,
    PUT_DHCPV6_OPTS: _decode_put_dhcpv6_opts,
    PUT_ND_RA_OPTS: _decode_put_nd_ra_opts,
}
