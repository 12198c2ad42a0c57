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

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from controller.wire.dhcpv4 import ARCHITECTURE, ETHERBOOT, USER_CLASS, VENDOR_CLASS
from flows.extension import BootFile

HTTP_CLIENT = b"HTTPClient"

# What boots by HTTP, of IANA's "Processor Architecture Types" (RFC 5970).
_HTTP_ARCHITECTURES = frozenset((15, 16, 17, 18, 19, 20, 23, 24, 26, 28, 30, 38, 40))


class Boot(NamedTuple):
    """The file a client boots, b"" for none.

    `over_http`: the file is a URL, and the client one that must be told that it is
    (UEFI specification, "HTTP Boot": vendor class HTTPClient in the reply).
    """

    file: bytes
    over_http: bool


_NOTHING = Boot(b"", False)


class BootFiles:
    """The boot files of one port."""

    def __init__(self, name: bytes, name_alt: bytes, boot_files: Iterable[BootFile]) -> None:
        self._name = name
        self._name_alt = name_alt
        self._by_architecture: dict[int, bytes] = {}
        for boot_file in boot_files:
            for architecture in boot_file.architectures:
                self._by_architecture.setdefault(architecture, boot_file.name)
        self._files = {name, name_alt, *self._by_architecture.values()} - {b""}

    def possible(self) -> set[Boot]:
        """Everything that `choose` may return."""
        urls = {file for file in self._files if _is_url(file)}
        files = {Boot(file, False) for file in self._files}
        return {_NOTHING} | files | {Boot(url, True) for url in urls}

    def choose(self, options: Mapping[int, bytes]) -> Boot:
        """What the client with these options boots."""
        if not self._files:
            return _NOTHING
        architectures = _architectures(options)
        known = self._by_architecture
        by_architecture = next((known[a] for a in architectures if a in known), b"")
        if _is_ipxe(options):
            file = self._name or by_architecture or self._name_alt
        else:
            file = by_architecture or self._name_alt or self._name
        over_http = _is_url(file) and (
            options.get(VENDOR_CLASS, b"").startswith(HTTP_CLIENT)
            or not _HTTP_ARCHITECTURES.isdisjoint(architectures)
        )
        return Boot(file, over_http)


def _is_url(file: bytes) -> bool:
    return b"://" in file


def _is_ipxe(options: Mapping[int, bytes]) -> bool:
    """iPXE sends its own option 175 or user class "iPXE", with or without RFC 3004's lengths."""
    return ETHERBOOT in options or b"iPXE" in options.get(USER_CLASS, b"")


def _architectures(options: Mapping[int, bytes]) -> list[int]:
    """Those of option 93, the client's favourite first; half a number at the end is none."""
    value = options.get(ARCHITECTURE, b"")
    return list(struct.unpack_from(f"!{len(value) // 2}H", value))
