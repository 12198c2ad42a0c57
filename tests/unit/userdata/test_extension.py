# SPDX-License-Identifier: Apache-2.0
"""What OVN has no option for, in the last option of the userdata."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from ovs_dhcpd.flows.userdata.codec import (
    PutDhcpOpts,
    PutDhcpv6Opts,
    decode_userdata,
    encode_userdata,
)
from ovs_dhcpd.flows.userdata.cursor import UserdataError
from ovs_dhcpd.flows.userdata.extension import BootFile, Dhcpv4Extension, Dhcpv6Extension

OFFERIP = IPv4Address("10.0.0.5")


HEADER = bytes.fromhex("00000002 00000000 0001de10 00000063 0a000005")


HEADER6 = bytes.fromhex("00000005 00000000 0001de10 00000063")


EXTENSION = Dhcpv4Extension(
    rapid_commit=True,
    addresses=(IPv4Address("10.0.0.6"),),
    boot_files=(BootFile((0,), b"a"), BootFile((7, 9), b"b")),
)


ENCODED = "01000101 0200040a000006 030004 01000061 030006 020007000962"


EXTENSION6 = Dhcpv6Extension(
    preferred_lifetime_s=60,
    valid_lifetime_s=120,
    t1_s=0,
    t2_s=30,
    rapid_commit=True,
    prefix_length=56,
    addresses=(IPv6Address("fd00::6"),),
    delegated_prefixes=(IPv6Network("fd00:5::/48"),),
)


ENCODED6 = (
    "010004 0000003c 020004 00000078 030004 00000000 040004 0000001e 050001 01 060001 38"
    "070010 fd000000000000000000000000000006 080011 30 fd000005000000000000000000000000"
)


def test_the_extension_is_the_last_option() -> None:
    action = PutDhcpOpts(OFFERIP, ((26, b"\5\0"),), extension=EXTENSION)
    encoded = bytes.fromhex(ENCODED)
    userdata = HEADER + bytes.fromhex("1a020500") + bytes((255, len(encoded))) + encoded
    assert encode_userdata(action) == userdata
    assert decode_userdata(userdata) == action
    action6 = PutDhcpv6Opts(((32, b""),), extension=EXTENSION6)
    encoded = bytes.fromhex(ENCODED6)
    userdata = HEADER6 + bytes.fromhex("00200000 ffff") + len(encoded).to_bytes(2, "big") + encoded
    assert encode_userdata(action6) == userdata
    assert decode_userdata(userdata) == action6


def test_a_long_extension_is_split_and_joined() -> None:
    addresses = tuple(IPv4Address(i) for i in range(100))
    action = PutDhcpOpts(OFFERIP, (), extension=Dhcpv4Extension(addresses=addresses))
    userdata = encode_userdata(action)
    assert (userdata[20:25], userdata[277:279]) == (b"\xff\xff\2\1\x90", b"\xff\x94")
    assert decode_userdata(userdata) == action


def test_what_is_the_default_is_not_carried() -> None:
    assert encode_userdata(PutDhcpOpts(OFFERIP, (), extension=Dhcpv4Extension(False, ()))) == HEADER
    assert encode_userdata(PutDhcpv6Opts((), extension=Dhcpv6Extension())) == HEADER6
    assert decode_userdata(HEADER6 + bytes.fromhex("ffff0004 06000140")) == PutDhcpv6Opts(())


@pytest.mark.parametrize(
    ("extension", "error"),
    [
        ("04000100", "extension 4 is unknown, expected 1 to 3"),
        ("00000100", "extension 0 is unknown, expected 1 to 3"),
        ("0100", "offset 1: 1 bytes left, expected the 2 of the extension's length"),
        ("010002 01", "offset 3: 1 bytes left, expected the 2 of the value of extension 1"),
        ("01000101 01000101", "extension 1 (rapid_commit) is there twice"),
        ("01000102", "extension 1: rapid_commit: 0x02 is neither, expected true or false, 1 or 0"),
        ("020003 0a0000", "extension 2: addresses: 3 bytes, expected IPv4 addresses"),
        (
            "030003 010000",
            "extension 3: boot_file: 3 bytes, expected 1 to 255 architectures (0 to 65535), "
            "then a name or URL",
        ),
    ],
)
def test_bad_extension(extension: str, error: str) -> None:
    part = bytes.fromhex(extension)
    with pytest.raises(UserdataError) as raised:
        decode_userdata(HEADER + bytes((255, len(part))) + part)
    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("extension", "error"),
    [
        ("0a000100", "extension 10 is unknown, expected 1 to 9"),
        (
            "010004 00000002 020004 00000001",
            "preferred_lifetime is 2, valid_lifetime 1, "
            "expected preferred_lifetime <= valid_lifetime",
        ),
        ("030004 00000002 040004 00000001", "t1 is 2, t2 1, expected t1 <= t2"),
        ("06000181", "prefix_length is 129, expected 0 to 128"),
        (
            "080011 81" + "00" * 16,
            f"extension 8: delegated_prefixes: 0x81{'00' * 16} is no prefix, "
            "expected IPv6 prefixes, as in fd00::/56",
        ),
    ],
)
def test_bad_extension_of_dhcpv6(extension: str, error: str) -> None:
    part = bytes.fromhex(extension)
    with pytest.raises(UserdataError) as raised:
        decode_userdata(HEADER6 + b"\xff\xff" + len(part).to_bytes(2, "big") + part)
    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("userdata", "error"),
    [
        (HEADER + bytes.fromhex("ff0401000101 1a020500"), "option 26 is behind option 255"),
        (HEADER6 + bytes.fromhex("ffff000401000101 00200000"), "option 32 is behind option 65535"),
    ],
)
def test_an_option_behind_the_extension_is_refused(userdata: bytes, error: str) -> None:
    with pytest.raises(UserdataError, match=f"^{error}, expected that to be the last$"):
        decode_userdata(userdata)
