# SPDX-License-Identifier: Apache-2.0
"""Userdata: what a `controller(userdata=…,pause)` action carries to the controller and back.

Opcode 2, put_dhcp_opts, as OVN lays it out (ovn include/ovn/actions.h, lib/actions.c); big-endian:

    0   4  opcode, 2
    4   4  padding, zero
    8   4  OXM or NXM header of the field that receives the result
    12  4  the result's bit in that field
    16  4  offerip, the address for the client
    20  -  options: code (1), length (1), value; 67, 254 and 253 first

A value of more than 255 bytes stands in several options of its code, one after the other, each but
the last full; a reader joins all options of a code in their order (RFC 3396 §5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from flows.options import DHCPV4, OptionError
from flows.values import format_value


class UserdataError(ValueError):
    """Bytes that are not userdata, or a value that userdata cannot carry.  One line."""


class UnknownOpcode(UserdataError):
    """Userdata of another action than put_dhcp_opts."""

    def __init__(self, opcode: int) -> None:
        """For the opcode that was found."""
        super().__init__(f"opcode {opcode}, expected {PUT_DHCP_OPTS} (put_dhcp_opts)")
        self.opcode = opcode


PUT_DHCP_OPTS = 2

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


REG0_3 = ResultBit.reg(0, 3)


@dataclass(frozen=True, slots=True)
class PutDhcpOpts:
    """The put_dhcp_opts action: what a port may have, and where the result goes.

    `options` are codes and whole values; encoding puts some first, see `encode_userdata`.
    """

    offerip: IPv4Address
    options: tuple[tuple[int, bytes], ...]
    result: ResultBit = REG0_3

    def __post_init__(self) -> None:
        """Raise UserdataError for an option that userdata must not carry."""
        codes = set()
        for code, value in self.options:
            if code in DHCPV4.server_only:
                reason = DHCPV4.server_only[code]
                raise UserdataError(f"option {code} cannot be in userdata, {reason}")
            if code in codes:
                raise UserdataError(f"option {code} is there twice")
            codes.add(code)
            if code in DHCPV4.by_name_only:
                try:
                    format_value(DHCPV4.by_code[code], value)
                except OptionError as error:
                    raise UserdataError(f"option {code} does not hold its type: {error}") from None


_FIRST = (67, 254, 253)


def encode_userdata(action: PutDhcpOpts) -> bytes:
    """The action's userdata: bootfile_name, bootfile_name_alt and next_server first, then as given.

    Raises UserdataError if it is too long for an OpenFlow message.
    """
    given = dict(action.options)
    ordered = {code: given[code] for code in _FIRST if code in given} | given
    userdata = b"".join(
        (
            PUT_DHCP_OPTS.to_bytes(4, "big"),
            bytes(4),
            action.result.header.to_bytes(4, "big"),
            action.result.offset.to_bytes(4, "big"),
            action.offerip.packed,
            *(piece for code, value in ordered.items() for piece in _split(code, value)),
        )
    )
    if len(userdata) > MAX_USERDATA:
        raise UserdataError(f"the options take {len(userdata)} bytes, at most {MAX_USERDATA} fit")
    return userdata


def _split(code: int, value: bytes) -> Iterator[bytes]:
    for at in range(0, max(len(value), 1), 255):
        piece = value[at : at + 255]
        yield bytes((code, len(piece))) + piece


def decode_userdata(userdata: bytes) -> PutDhcpOpts:
    """The action in `userdata`.  Raises UserdataError, and nothing else whatever the bytes."""
    cursor = _Cursor(userdata)
    opcode = cursor.uint32("opcode")
    if opcode not in _DECODERS:
        raise UnknownOpcode(opcode)
    padding = cursor.uint32("padding")
    if padding:
        raise UserdataError(f"offset 4: 0x{padding:08x}, expected padding of 4 zero bytes")
    return _DECODERS[opcode](cursor)


def _decode_put_dhcp_opts(cursor: _Cursor) -> PutDhcpOpts:
    result = ResultBit(cursor.uint32("header of the result field"), cursor.uint32("result bit"))
    offerip = IPv4Address(cursor.take(4, "offerip"))
    options: dict[int, bytes] = {}
    while cursor.left:
        code, length = cursor.take(2, "option's code and length")
        options[code] = options.get(code, b"") + cursor.take(length, f"value of option {code}")
    return PutDhcpOpts(offerip, tuple(options.items()), result)


_DECODERS = {PUT_DHCP_OPTS: _decode_put_dhcp_opts}


class _Cursor:
    """Reads bytes from left to right and never past their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int, what: str) -> bytes:
        if self.left < size:
            raise UserdataError(
                f"offset {self._at}: {self.left} bytes left, expected the {size} of the {what}"
            )
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]

    def uint32(self, what: str) -> int:
        return int.from_bytes(self.take(4, what), "big")
