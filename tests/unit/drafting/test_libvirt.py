# SPDX-License-Identifier: Apache-2.0
"""libvirt's network XML in our words."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.drafting.draft import Draft, DraftError
from ovs_dhcpd.controller.drafting.libvirt import read_libvirt

from tests.unit.drafting.reading import left, network, options, reserved

MAC = "52:54:00:00:00:01"
IP = """<ip address='192.168.122.1' netmask='255.255.255.0'>
  <dhcp><range start='192.168.122.2' end='192.168.122.254'/>%s</dhcp></ip>"""
IP6 = "<ip family='ipv6' address='fd00:122::1' prefix='64'>%s</ip>"
HEAD = "<forward mode='nat'/><mac address='52:54:00:aa:bb:cc'/>"


def drafted(*parts: str) -> Draft:
    text = f"""<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
<name>default</name>{"".join(parts)}</network>"""
    return read_libvirt(text.encode(), "n.xml")


def test_the_default_network() -> None:
    draft = drafted(HEAD, "<domain name='lan.example'/><mtu size='1400'/>", IP % "")
    found = network(draft, "default")
    assert str(found.pool) == "192.168.122.2-192.168.122.254"
    assert options(found) == {
        "netmask": "255.255.255.0",
        "server_id": "192.168.122.1",
        "lease_time": "3600",
        "router": "192.168.122.1",
        "dns_server": "192.168.122.1",
        "domain_name": '"lan.example"',
        "mtu": "1400",
    }
    assert left(draft) == []


def test_an_isolated_network_has_no_router_and_one_without_dns_no_server() -> None:
    assert "router" not in options(network(drafted(IP % "")))
    assert "dns_server" not in options(network(drafted("<dns enable='no'/>", IP % "")))


def test_hosts_and_lease_times() -> None:
    hosts = f"""<host mac='{MAC}' name='web' ip='192.168.122.10'><lease expiry='2' unit='hours'/>
    </host><host mac='52:54:00:00:00:02' ip='192.168.122.11'/>"""
    draft = drafted(HEAD, IP % hosts)
    found = network(draft)
    assert reserved(found) == {MAC: ["192.168.122.10"], "52:54:00:00:00:02": ["192.168.122.11"]}
    (port,) = found.ports
    assert port.options == {"hostname": b"web", "lease_time": (7200).to_bytes(4, "big")}
    lease = "<dhcp><range start='192.168.122.2' end='192.168.122.9'><lease expiry='%s'/></range>"
    for expiry, expected in (("5", "300"), ("0", "4294967295"), ("1", "120"), ("x", "3600")):
        text = (IP % "").replace("<dhcp>", lease % expiry).replace("<range start='192.168.122.2' "
            "end='192.168.122.254'/>", "")  # fmt: skip
        assert options(network(drafted(HEAD, text)))["lease_time"] == expected


def test_ipv6() -> None:
    dhcp = """<dhcp><range start='fd00:122::100' end='fd00:122::1ff'/>
    <host id='0:3:0:1:52:54:0:0:0:1' ip='fd00:122::9'/></dhcp>"""
    draft = drafted(HEAD, IP % f"<host mac='{MAC}' ip='192.168.122.10'/>", IP6 % dhcp)
    found = network(draft)
    assert str(found.pool) == "192.168.122.2-192.168.122.254, fd00:122::100-fd00:122::1ff"
    assert reserved(found) == {MAC: ["192.168.122.10", "fd00:122::9"]}
    assert options(found, 6)["dns_server"] == "fd00:122::1"
    assert found.ra
    assert found.ra.slla.hex(":") == "52:54:00:aa:bb:cc"
    assert left(draft) == []


def test_all_may_stand_in_one_line() -> None:
    found = network(drafted(f"{HEAD}{IP % ''}{IP6 % ''}".replace("\n", "")))
    assert options(found)["router"] == "192.168.122.1"
    assert found.ra


def test_ipv6_without_dhcp_is_advertised() -> None:
    draft = drafted("<forward mode='nat'/>", IP % "", IP6 % "")
    found = network(draft)
    assert (found.dhcpv6, found.ra and found.ra.message[5]) == (None, 0)
    assert ["slla" in line for line in left(draft)] == [True]
    draft = drafted(HEAD, IP6 % "")
    assert network(draft).ports == ()
    assert any("serves the ports it names alone" in line for line in left(draft))


def test_without_ranges_only_hosts_are_served() -> None:
    ip = (IP % f"<host mac='{MAC}' ip='192.168.122.10'/>").replace(
        "<range start='192.168.122.2' end='192.168.122.254'/>", ""
    )
    found = network(drafted(HEAD, ip))
    assert found.pool
    assert found.pool.choose(4, "x", lambda _: True) is None
    assert reserved(found) == {MAC: ["192.168.122.10"]}


def test_boot_and_options_for_dnsmasq() -> None:
    draft = drafted(
        HEAD, IP % "<bootp file='pxelinux.0' server='192.168.122.9'/>",
        "<dnsmasq:options><dnsmasq:option value='dhcp-option=option:ntp-server,0.0.0.0'/>"
        "<dnsmasq:option value='dhcp-option=222,01:02'/>"
        "<dnsmasq:option value='dhcp-option=3'/></dnsmasq:options>",
    )  # fmt: skip
    told = options(network(draft))
    assert (told["bootfile_name"], told["next_server"]) == ('"pxelinux.0"', "192.168.122.9")
    assert (told["ntp_server"], told["option_222"]) == ("192.168.122.1", "0x0102")
    assert "router" not in told
    assert left(draft) == []


@pytest.mark.parametrize(
    ("inside", "tag"),
    [
        ("<vlan><tag id='42'/></vlan>", 42),
        ("<portgroup name='a'><vlan><tag id='42'/></vlan></portgroup>", 42),
        ("<portgroup name='b'><vlan><tag id='9'/></vlan></portgroup>"
         "<portgroup name='a' default='yes'><vlan><tag id='42'/></vlan></portgroup>", 42),
        ("<vlan trunk='yes'><tag id='42'/><tag id='43'/></vlan>", None),
    ],
)  # fmt: skip
def test_vlans(inside: str, tag: int | None) -> None:
    draft = drafted(HEAD, IP % "", inside)
    assert network(draft).tag == tag
    assert len(left(draft)) == (inside.count("<tag") > 1)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("<bandwidth/>", "bandwidth: cannot be said"),
        ("<route address='10.0.0.0' prefix='8' gateway='192.168.122.2'/>", "route: cannot"),
        ("<dns><forwarder addr='9.9.9.9'/></dns>", "dns forwarder: is of the DNS server"),
        ("<mtu size='x'/>", "mtu: "),
        ("<ip address='x'/>", "'x' with ''"),
        (IP.replace("122.1'", "123.1'") % "", "a second subnet"),
        ("<vlan><tag id='9999'/></vlan>", "expected a VLAN"),
        ("<dnsmasq:options><dnsmasq:option value='log-dhcp'/></dnsmasq:options>", "log-dhcp"),
        ("<dnsmasq:options><dnsmasq:option value='dhcp-option=tag:x,3'/></dnsmasq:options>",
         "tags"),
        ("<dnsmasq:options><dnsmasq:option value='dhcp-option=26,1'/></dnsmasq:options>", "mtu"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_named(part: str, said: str) -> None:
    draft = drafted(HEAD, IP % "", part)
    assert network(draft).pool
    (line,) = left(draft)
    assert said in line
    assert line.startswith("n.xml:")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("<host ip='10.0.0.1' mac='52:54:00:00:00:01'/>", "expected an address in"),
        ("<host mac='x' ip='192.168.122.9'/>", "host: "),
        ("<host name='web' ip='192.168.122.9'/>", "without a MAC nobody is known"),
        ("<host id='1:2:3' ip='192.168.122.9'/>", "has no MAC in it"),
        ("<range start='192.168.122.9' end='192.168.122.3'/>", "ends before it begins"),
        ("<range start='192.168.122.9' end='192.168.123.3'/>", "expected addresses in"),
        ("<range start='192.168.122.9' end='x'/>", "expected addresses in"),
        (f"<host mac='{MAC}' ip='192.168.122.9'><lease expiry='5'/></host>", "it needs its name"),
        ("<range start='192.168.122.3' end='192.168.122.9'><lease expiry='5'/></range>"
         "<range start='192.168.122.3' end='192.168.122.9'><lease expiry='6'/></range>",
         "300 seconds are followed"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_of_guests_is_named(host: str, said: str) -> None:
    (line,) = left(drafted(HEAD, IP % host))
    assert said in line


def test_tftp_is_not_served() -> None:
    draft = drafted(HEAD, (IP % "").replace("<dhcp>", "<tftp root='/srv'/><dhcp>"))
    assert left(draft) == ["n.xml:3: tftp: TFTP is not served"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<network><name>x</name></network>", "no <ip> with <dhcp>"),
        ("<network><ip address='10.0.0.1' prefix='24'/></network>", "no <ip> with <dhcp>"),
        ("<domain/>", "n.xml:1: is <domain>, expected <network>"),
        ("<network", "n.xml:1: is not XML"),
    ],
)
def test_what_is_no_network_with_addresses(text: str, said: str) -> None:
    with pytest.raises(DraftError, match=said):
        read_libvirt(text.encode(), "n.xml")
