# SPDX-License-Identifier: Apache-2.0
"""Which file a client boots: by its architecture, by whether it is iPXE, and by how it loads it.

iPXE that was itself loaded from the network asks again, and must not get the name it came by, or
it loads itself for ever.  So where there is a choice, `bootfile_name` is for iPXE (as in OVN) and
the others are for whatever loads iPXE.  The first of these that is configured counts:

    iPXE        bootfile_name, that of its architecture, bootfile_name_alt
    all others  that of its architecture, bootfile_name_alt, bootfile_name

A client of UEFI's HTTP boot takes no notice of a reply that is not marked as meant for it.  One of
PXE boots from any reply with a boot file; one marked PXEClient would have it look for PXE boot
servers as option 43 says, so that is for who configures both by number.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from typing import NamedTuple

from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6
from ovs_dhcpd.flows.userdata.extension import BootFile

HTTP_CLIENT = b"HTTPClient"

# DHCPv6's vendor class (RFC 8415 §21.16) is an enterprise number (4), then texts, each behind its
# length (2).  EDK II looks for HTTPClient there whatever the number is, and sends 343 itself.
_VENDOR_CLASS_TEXT = 6
HTTP_CLIENT6 = struct.pack("!IH", 343, len(HTTP_CLIENT)) + HTTP_CLIENT

_HOST_NAME = re.compile(rb"[A-Za-z0-9.-]+")

# What boots by HTTP, of IANA's "Processor Architecture Types" (RFC 5970).
_HTTP_ARCHITECTURES = frozenset((15, 16, 17, 18, 19, 20, 23, 24, 26, 28, 30, 38, 40))


class Boot(NamedTuple):
    """The file a client boots, b"" for none.

    `over_http`: the file is a URL, and the client one that must be told that it is
    (UEFI specification, "HTTP Boot": vendor class HTTPClient in the reply).
    """

    file: bytes
    over_http: bool


NO_BOOT = Boot(b"", False)


class BootFiles:
    """The boot files of one port."""

    def __init__(self, name: bytes, name_alt: bytes, boot_files: Iterable[BootFile]) -> None:
        self._name = name
        self._name_alt = name_alt
        self._by_architecture: dict[int, bytes] = {}
        for boot_file in boot_files:
            for architecture in boot_file.architectures:
                self._by_architecture.setdefault(architecture, boot_file.name)
        self._is_empty = not any((name, name_alt, *self._by_architecture.values()))

    def choose(self, options: Mapping[int, bytes]) -> Boot:
        """What the client with these options of DHCPv4 boots."""
        if self._is_empty:
            return NO_BOOT
        return self._choose(
            _is_ipxe(options),
            _architectures(options.get(dhcpv4.ARCHITECTURE, b"")),
            options.get(dhcpv4.VENDOR_CLASS, b"").startswith(HTTP_CLIENT),
        )

    def choose6(self, options: Mapping[int, bytes]) -> Boot:
        """What the client with these options of DHCPv6 boots."""
        if self._is_empty:
            return NO_BOOT
        vendor_class = options.get(dhcpv6.VENDOR_CLASS, b"")
        return self._choose(
            b"iPXE" in options.get(dhcpv6.USER_CLASS, b""),
            _architectures(options.get(dhcpv6.ARCHITECTURE, b"")),
            vendor_class[_VENDOR_CLASS_TEXT:].startswith(HTTP_CLIENT),
        )

    def _choose(self, is_ipxe: bool, architectures: list[int], is_http_client: bool) -> Boot:
        known = self._by_architecture
        by_architecture = next((known[a] for a in architectures if a in known), b"")
        if is_ipxe:
            file = self._name or by_architecture or self._name_alt
        else:
            file = by_architecture or self._name_alt or self._name
        over_http = _is_url(file) and (
            is_http_client or not _HTTP_ARCHITECTURES.isdisjoint(architectures)
        )
        return Boot(file, over_http)


def tftp_server_text(value: bytes) -> bytes:
    """The value of option 66 as the text that clients read (RFC 2132 §9.4).

    OVN has an address in its four bytes; four that read as a host's name are one.
    """
    is_address = len(value) == 4 and not _HOST_NAME.fullmatch(value)
    return str(IPv4Address(value)).encode() if is_address else value


def tftp_server_address(text: bytes) -> bytes:
    """The address in such a text, in four bytes; all are zero if there is none."""
    try:
        return IPv4Address(text.decode()).packed
    except ValueError:
        return bytes(4)


def _is_url(file: bytes) -> bool:
    return b"://" in file


def _is_ipxe(options: Mapping[int, bytes]) -> bool:
    """iPXE sends its own option 175 or user class "iPXE", with or without RFC 3004's lengths."""
    return dhcpv4.ETHERBOOT in options or b"iPXE" in options.get(dhcpv4.USER_CLASS, b"")


def _architectures(value: bytes) -> list[int]:
    """The architectures in the option, the client's favourite first, without half a number."""
    return list(struct.unpack_from(f"!{len(value) // 2}H", value))
