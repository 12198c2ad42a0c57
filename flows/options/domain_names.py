# SPDX-License-Identifier: Apache-2.0
"""The types of value that are domain names, in text and in the labels of RFC 1035 §3.1.

In text the names of a list stand in one string with commas between them, as OVN has it; several
strings are taken as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ovs_dhcpd.flows.options.lexer import Constant
from ovs_dhcpd.flows.options.value_type import Misfit, Type, only, text_of, utf8
from ovs_dhcpd.flows.options.wording import show

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}", re.ASCII)
_POINTER = 0xC0  # the two top bits of a compression pointer
_MAX_POINTER = 0x3FFF


def split_name(name: str) -> tuple[str, ...]:
    """The labels of a domain name.  Raises Misfit."""
    labels = tuple(name.removesuffix(".").split("."))
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise Misfit(f"{show(label)} in {show(name)} is not a label")
    if sum(len(label) + 1 for label in labels) + 1 > 255:
        raise Misfit(f"{show(name)} is longer than 255 bytes")
    return labels


def encode_labels(name: str) -> bytes:
    """One name in labels, without compression.  Raises Misfit."""
    return b"".join(bytes((len(each),)) + each.encode() for each in split_name(name)) + b"\0"


def _names(constants: Sequence[Constant]) -> Iterator[str]:
    if not constants:
        raise Misfit("no name")
    for constant in constants:
        for name in text_of(constant).split(","):
            yield name.strip()


# -- lists with compression, RFC 3397 (DHCPv4)


def _encode_compressed(constants: Sequence[Constant]) -> bytes:
    """Each name points to what it shares with one before it (RFC 1035 §4.1.4)."""
    value = b""
    seen: dict[tuple[str, ...], int] = {}
    for name in _names(constants):
        labels = split_name(name)
        for i, label in enumerate(labels):
            suffix = labels[i:]
            if suffix in seen:
                value += (_POINTER << 8 | seen[suffix]).to_bytes(2, "big")
                break
            if len(value) <= _MAX_POINTER:
                seen[suffix] = len(value)
            value += bytes((len(label),)) + label.encode()
        else:
            value += b"\0"
    return value


def _decode_compressed(value: bytes) -> list[Constant]:
    names = []
    at = 0
    while at < len(value):
        try:
            labels, at = _decode_name(value, at)
        except IndexError:
            raise Misfit(f"the name at byte {at} is cut off") from None
        names.append(".".join(labels))
    if not names:
        raise Misfit("it is empty")
    return [",".join(names)]


def _decode_name(value: bytes, at: int) -> tuple[list[str], int]:
    """The labels of the name at `at`, and where the next name begins."""
    labels: list[str] = []
    size = 1
    next_name = 0
    while value[at]:
        length = value[at]
        if length >= _POINTER:
            target = (length << 8 | value[at + 1]) & _MAX_POINTER
            next_name = next_name or at + 2
            if target >= at:
                raise Misfit(f"the pointer at byte {at} does not point back")
            at = target
            continue
        label = value[at + 1 : at + 1 + length].decode("latin-1")
        size += length + 1
        if len(label) != length or not _LABEL.fullmatch(label) or size > 255:
            raise Misfit(f"no label at byte {at}")
        labels.append(label)
        at += 1 + length
    if not labels:
        raise Misfit(f"an empty name at byte {at}")
    return labels, next_name or at + 1


# -- lists and single names without compression (DHCPv6, RFC 8415 §10; RFC 8106)


def _encode_list(constants: Sequence[Constant]) -> bytes:
    return b"".join(map(encode_labels, _names(constants)))


def _decode_list(value: bytes) -> list[Constant]:
    names = _decode_compressed(value)
    if _encode_list(names) != value:
        raise Misfit("it is compressed")
    return names


def _encode_domain(constants: Sequence[Constant]) -> bytes:
    return encode_labels(text_of(only(constants)))


def _decode_domain(value: bytes) -> list[Constant]:
    names = _decode_list(value)
    if "," in str(names[0]):
        raise Misfit("it is more than one name")
    return names


# -- lists in plain text, as OVN has DHCPv6's domain_search in userdata


def _encode_text(constants: Sequence[Constant]) -> bytes:
    for name in _names(constants):
        split_name(name)
    return utf8(",".join(map(text_of, constants)))


def _decode_text(value: bytes) -> list[Constant]:
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        raise Misfit(f"0x{value.hex()} is not text") from None
    for name in _names([text]):
        split_name(name)
    return [text]


_EXPECTED = "labels of 1 to 63 letters, digits, - and _, up to 255 bytes in all"

COMPRESSED = Type(f"domain names: {_EXPECTED}", _encode_compressed, _decode_compressed, bare=())
LABELS = Type(f"domain names: {_EXPECTED}", _encode_list, _decode_list, bare=())
NAMES = Type(f"domain names: {_EXPECTED}", _encode_text, _decode_text, bare=())
DOMAIN = Type(f"a domain name: {_EXPECTED}", _encode_domain, _decode_domain, bare=())
