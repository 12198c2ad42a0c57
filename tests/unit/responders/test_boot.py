# SPDX-License-Identifier: Apache-2.0
"""Which file a client boots, by what it says of itself."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.responders.boot import Boot, BootFiles
from ovs_dhcpd.flows.userdata.extension import BootFile

IPXE = {175: b"\x13\1\1"}
BIOS, UEFI, HTTP = {93: b"\0\0"}, {93: b"\0\7"}, {93: b"\0\x10"}
URL = b"http://10.0.0.9/http.efi"
BY_ARCHITECTURE = (BootFile((0,), b"bios"), BootFile((7, 9), b"uefi"), BootFile((16,), URL))
ALL = BootFiles(b"name", b"alt", BY_ARCHITECTURE)


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        (BootFiles(b"", b"", ()), BIOS, Boot(b"", False)),
        (ALL, IPXE, Boot(b"name", False)),
        (ALL, {77: b"\4iPXE", **BIOS}, Boot(b"name", False)),
        (ALL, BIOS, Boot(b"bios", False)),
        (ALL, UEFI, Boot(b"uefi", False)),
        (ALL, {93: b"\0\x63\0\7"}, Boot(b"uefi", False)),  # its favourite has no file
        (ALL, {93: b"\0"}, Boot(b"alt", False)),  # half a number
        (ALL, {}, Boot(b"alt", False)),
        (ALL, HTTP, Boot(URL, True)),
        (BootFiles(b"", b"alt", BY_ARCHITECTURE), {**IPXE, **BIOS}, Boot(b"bios", False)),
        (BootFiles(b"", b"alt", ()), IPXE, Boot(b"alt", False)),
        (BootFiles(b"name", b"", ()), BIOS, Boot(b"name", False)),
        (BootFiles(URL, b"", ()), {60: b"HTTPClient:Arch:00016"}, Boot(URL, True)),
        (BootFiles(URL, b"", ()), BIOS, Boot(URL, False)),
        (BootFiles(b"name", b"", ()), {60: b"HTTPClient"}, Boot(b"name", False)),
    ],
)
def test_the_file_of_a_client(files: BootFiles, options: dict[int, bytes], expected: Boot) -> None:
    assert files.choose(options) == expected


VENDOR6 = b"\0\0\1\x57\0\x0aHTTPClient"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, Boot(b"alt", False)),
        ({15: b"\0\4iPXE", 61: b"\0\7"}, Boot(b"name", False)),
        ({61: b"\0\x63\0\7"}, Boot(b"uefi", False)),
        ({61: b"\0"}, Boot(b"alt", False)),
        ({61: b"\0\x10"}, Boot(URL, True)),
        ({61: b"\0\7", 16: VENDOR6}, Boot(b"uefi", False)),  # what it has is no URL
        ({93: b"\0\7", 60: b"HTTPClient"}, Boot(b"alt", False)),  # of DHCPv4
    ],
)
def test_the_file_of_a_client_of_dhcpv6(options: dict[int, bytes], expected: Boot) -> None:
    assert ALL.choose6(options) == expected


@pytest.mark.parametrize(
    ("vendor_class", "over_http"),
    [(VENDOR6 + b":Arch:00007", True), (b"HTTPClient", False), (b"", False)],
)
def test_a_client_of_dhcpv6_boots_by_http_that_says_so(
    vendor_class: bytes, over_http: bool
) -> None:
    files = BootFiles(URL, b"", ())
    assert files.choose6({16: vendor_class}) == Boot(URL, over_http)
