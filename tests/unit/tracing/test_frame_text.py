# SPDX-License-Identifier: Apache-2.0
"""Frames of known bytes, field by field."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from ovs_dhcpd.controller.tracing.frame_text import show_frame
from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6
from ovs_dhcpd.controller.wire.frames import encode_udp, with_tag
from ovs_dhcpd.flows.options.table import ROUTER_ADVERTISEMENT
from ovs_dhcpd.flows.options.values import encode_value
from ovs_dhcpd.flows.userdata.router_advertisement import encode_message

from tests.lab import nd, packets6
from tests.lab.packets6 import option

MAC = "fa:16:3e:00:00:01"
SERVER = "fa:16:3e:9f:1a:b5"
LLA, SERVER_LLA = "fe80::f816:3eff:fe00:1", "fe80::f816:3eff:fe9f:1ab5"
LINK = bytes.fromhex("fa163e000001fa163e9f1ab50800")


def dhcpv4_reply(options: str, *, file: bytes = b"", sname: bytes = b"", flags: int = 0) -> bytes:
    message = dhcpv4.encode_reply(
        xid=b"\0\0\x12\x34",
        flags=flags.to_bytes(2, "big"),
        ciaddr=bytes(4),
        yiaddr=bytes((10, 0, 0, 5)),
        siaddr=bytes((10, 0, 0, 2)),
        giaddr=bytes(4),
        chaddr=bytes.fromhex(MAC.replace(":", "")).ljust(16, b"\0"),
        sname=sname.ljust(64, b"\0"),
        file=file.ljust(128, b"\0"),
        options=bytes.fromhex(options),
    )
    return encode_udp(LINK, bytes((10, 0, 0, 1)), bytes((10, 0, 0, 5)), 67, 68, message)


DHCPV4_HEAD = """
eth.src = fa:16:3e:9f:1a:b5, eth.dst = fa:16:3e:00:00:01
ip4.src = 10.0.0.1, ip4.dst = 10.0.0.5, ip.ttl = 64
udp.src = 67, udp.dst = 68
xid = 0x00001234, yiaddr = 10.0.0.5, siaddr = 10.0.0.2, chaddr = fa:16:3e:00:00:01
"""

DHCPV6_HEAD = """
eth.src = fa:16:3e:9f:1a:b5, eth.dst = fa:16:3e:00:00:01
ip6.src = fe80::f816:3eff:fe9f:1ab5, ip6.dst = fe80::f816:3eff:fe00:1, ip.ttl = 1
udp.src = 547, udp.dst = 546
xid = 0xaabbcc
"""


def dhcpv6_reply(*options: bytes) -> bytes:
    return packets6.frame_of(
        b"\7\xaa\xbb\xcc" + b"".join(options),
        SERVER,
        ip_src=SERVER_LLA,
        ip_dst=LLA,
        eth_dst=MAC,
        sport=547,
        dport=546,
    )


def to_guest(message: bytes) -> bytes:
    return nd.icmp6(message, eth_src=SERVER, eth_dst=MAC, ip_src=SERVER_LLA, ip_dst=LLA)


def advertisement(**options: object) -> bytes:
    rows = ROUTER_ADVERTISEMENT.by_name
    encoded = [(rows[name].code, encode_value(rows[name], v)) for name, v in options.items()]
    return to_guest(encode_message(encoded))


ND_HEAD = """
eth.src = fa:16:3e:9f:1a:b5, eth.dst = fa:16:3e:00:00:01
ip6.src = fe80::f816:3eff:fe9f:1ab5, ip6.dst = fe80::f816:3eff:fe00:1, ip.ttl = 255
"""

NA = bytes.fromhex("88000000e0000000") + IPv6Address(SERVER_LLA).packed


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (
            dhcpv4_reply("35010236040a0000013304ffffffff0304 0a000001c802 0102ff"),
            DHCPV4_HEAD
            + "message_type = DHCPOFFER\nserver_id = 10.0.0.1\nlease_time = 4294967295\n"
            "router = 10.0.0.1\noption_200 = 0x0102",
        ),
        (  # pads between, and fields
            dhcpv4_reply("000035010500ff0304", file=b"a.pxe", sname=b"\xff\x1b[0m"),
            DHCPV4_HEAD + 'file = "a.pxe"\nsname = "\ufffd\\u001b[0m"\nmessage_type = DHCPACK',
        ),
        (  # two options of one code, and overload
            dhcpv4_reply(
                "3401030c01 610c01 62ff", file=b"\x0f\x01c\xff", sname=b"\x1a\2\5\xdc\xff"
            ),
            DHCPV4_HEAD + 'option_52 = 0x03\nhostname = "ab"\ndomain_name = "c"\nmtu = 1500',
        ),
        (
            with_tag(dhcpv4_reply("350106ff", flags=0x8000), 100),
            DHCPV4_HEAD.replace(":01\n", ":01, vlan.vid = 100\n", 1).replace(
                "34, ", "34, broadcast = true, "
            )
            + "message_type = DHCPNAK",
        ),
        (
            dhcpv6_reply(
                option(1, packets6.duid_ll(MAC)),
                packets6.ia_na(1, "fd00::5", lifetimes=(100, 0xFFFFFFFF)),
                packets6.ia_pd(2, "fd00:2::/56"),
                packets6.ia_ta(3),
                option(13, b"\0\2none"),
                option(23, IPv6Address("fd00::53").packed),
                option(99, b"\1"),
            ),
            DHCPV6_HEAD + "client_id = fa:16:3e:00:00:01\n"
            "ia_na = iaid 0x00000001, T1 0, T2 0\n"
            "    ia_addr = fd00::5, preferred_lifetime 100, valid_lifetime infinity\n"
            "ia_pd = iaid 0x00000002, T1 0, T2 0\n"
            "    ia_prefix = fd00:2::/56, preferred_lifetime 0, valid_lifetime 0\n"
            "ia_ta = iaid 0x00000003\n"
            'status = NoAddrsAvail, "none"\n'
            "dns_server = fd00::53\n"
            "option_99 = 0x01",
        ),
        (
            dhcpv6_reply(dhcpv6.encode_option(3, b"\1"), dhcpv6.encode_option(13, b"\0\x63")),
            DHCPV6_HEAD + "option_3 = 0x01\nstatus = 99",
        ),
        (
            advertisement(addr_mode="dhcpv6_stateful", prefix="fd00::/64", mtu=1442),
            ND_HEAD + 'icmp6.type = 134\naddr_mode = "dhcpv6_stateful"\nprefix = fd00::/64\n'
            "mtu = 1442",
        ),
        (
            to_guest(bytes.fromhex("8600000040000000" + 8 * "00") + b"\x63\1" + bytes(6)),
            ND_HEAD
            + "icmp6.type = 134\nmessage = 0x860054264000000000000000000000006301000000000000",
        ),
        (
            to_guest(NA + nd.mac_option(2, SERVER)),
            ND_HEAD + "icmp6.type = 136\nnd.target = fe80::f816:3eff:fe9f:1ab5\n"
            "flags = router, solicited, override\nnd.tll = fa:16:3e:9f:1a:b5",
        ),
    ],
)
def test_a_frame_is_shown_field_by_field(frame: bytes, text: str) -> None:
    assert "\n".join(show_frame(frame)) == text.strip("\n")
