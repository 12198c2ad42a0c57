# SPDX-License-Identifier: Apache-2.0
"""Files of other servers, by their kinds, and words that may stand in them."""

from __future__ import annotations

from tests.documents.stages import KEAS, LIBVIRT_NETWORK

DNSMASQ = b"""interface=br0
domain=example.org
enable-ra
dhcp-range=set:red,192.168.1.100,192.168.1.199,255.255.255.0,12h
dhcp-range=fd00:1::100,fd00:1::1ff,64,1d
dhcp-host=02:00:00:00:00:01,web,192.168.1.10,[::5],45m,set:blue
dhcp-host=02:00:00:00:00:02,192.168.1.11
dhcp-option=tag:blue,option:ntp-server,0.0.0.0
dhcp-option=121,10.0.0.0/8,192.168.1.2
dhcp-option=option6:dns-server,[::]
dhcp-match=set:efi,option:client-arch,7
dhcp-boot=tag:efi,efi.0,host,192.168.1.3
dhcp-boot=pxelinux.0
"""
GOLDEN = {
    "dnsmasq": [DNSMASQ],
    "kea": [text.encode() for text in KEAS.values()],
    "libvirt": [LIBVIRT_NETWORK.encode()],
}
# fmt: off
WORDS = {
    "dnsmasq": ["\n", ",", "=", "#", '"', "\\", ":", "!", "dhcp-range", "dhcp-host", "dhcp-option",
                "dhcp-boot", "dhcp-match", "domain", "interface", "enable-ra", "ra-param", "static",
                "tag", "set", "option", "option6", "router", "constructor", "ra-only", "slaac",
                "192.168.1.5", "192.168.1.200", "0.0.0.0", "fd00:1::5", "[::5]", "[fd00:1::9]",
                "255.255.255.0", "64", "12h", "infinite", "6", "121", "02:00:00:00:00:01", "x",
                "192.168.1.0/24", "listen-address", "dhcp-ignore", "known", "\x1b[1m", "\u2028"],
    "kea": ["{", "}", "[", "]", ",", ":", '"', "//", "#", "/*", "*/", "<?", "?>", "\n", "1", "-1",
            "1e9", "null", "true", '"Dhcp4"', '"Dhcp6"', '"subnet4"', '"subnet6"', '"subnet"',
            '"10.0.0.0/24"', '"fd00::/64"', '"pools"', '"pool"', '"10.0.0.1-10.0.0.9"', '"\\ud800"',
            '"reservations"', '"hw-address"', '"02:00:00:00:00:01"', '"ip-address"', '"10.0.0.5"'],
    "libvirt": ["<", ">", "/", "=", "'", "&", ";", "<!DOCTYPE", "<!ENTITY", "<![CDATA[", "<?xml",
                "network", "name", "ip", "dhcp", "range", "host", "vlan", "tag", "portgroup",
                " address='10.0.0.1'", " prefix='24'", " start='10.0.0.2'", " end='10.0.0.9'",
                " mac='02:00:00:00:00:01'", " ip='10.0.0.3'", " family='ipv6'", " id='42'", "\x1b"],
}
# fmt: on
KINDS = sorted(GOLDEN)
