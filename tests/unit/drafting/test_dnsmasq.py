# SPDX-License-Identifier: Apache-2.0
"""dnsmasq.conf in our words, and what of it has none."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest
from ovs_dhcpd.controller.drafting.dnsmasq import FILES, NEEDLESS, SERVERS, read_dnsmasq
from ovs_dhcpd.controller.drafting.draft import Draft, DraftError

from tests.unit.drafting.reading import dhcpv4, dhcpv6, left, network, options, pool, reserved

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
RANGE = "dhcp-range=10.0.0.10,10.0.0.99,255.255.255.0,12h\n"
RANGE6 = "dhcp-range=fd00::100,fd00::1ff,64,12h\n"


def drafted(text: str, *own: str) -> Draft:
    return read_dnsmasq(text, "d.conf", [ip_interface(each) for each in own])


def test_a_range_is_a_pool_and_what_dnsmasq_tells_of_itself_is_told() -> None:
    draft = drafted(RANGE + "domain=example.org\n", "10.0.0.1/24")
    found = network(draft)
    assert str(found.pool) == "10.0.0.10-10.0.0.99"
    assert options(found) == {
        "netmask": "255.255.255.0",
        "server_id": "10.0.0.1",
        "lease_time": "43200",
        "router": "10.0.0.1",
        "dns_server": "10.0.0.1",
        "domain_name": '"example.org"',
    }
    assert left(draft) == []


def test_where_its_address_is_not_known_that_is_named() -> None:
    (line,) = left(drafted(RANGE))
    assert line.startswith("d.conf:1: router and dns_server: dnsmasq's own address is told")
    (line,) = left(drafted(RANGE + "port=0\ndhcp-option=3,10.0.0.2\n") and drafted(
        RANGE + "dhcp-option=6,10.0.0.2\n"))  # fmt: skip
    assert line.startswith("d.conf:1: router: dnsmasq's own address")


def test_listen_address_is_its_address() -> None:
    assert options(network(drafted(RANGE + "listen-address=10.0.0.3\n")))["router"] == "10.0.0.3"


def test_an_option_without_value_is_not_told() -> None:
    draft = drafted(RANGE + "dhcp-option=3\ndhcp-option=option:dns-server\n", "10.0.0.1/24")
    assert not {"router", "dns_server"} & options(network(draft)).keys()
    assert left(draft) == []


def test_without_dns_it_is_no_dns_server() -> None:
    assert "dns_server" not in options(network(drafted(RANGE + "port=0\n", "10.0.0.1/24")))


def test_a_netmask_that_nobody_says_is_assumed_and_named() -> None:
    draft = drafted("dhcp-range=10.0.0.10,10.0.0.99\nlisten-address=10.0.0.1")
    assert str(dhcpv4(network(draft)).cidr) == "10.0.0.0/24"
    assert "the netmask is that of the interface, 10.0.0.0/24 is assumed" in left(draft)[0]
    found = network(drafted("dhcp-range=10.0.0.10,10.0.0.99", "10.0.9.1/16"))
    assert str(dhcpv4(found).cidr) == "10.0.0.0/16"


def test_the_interface_is_the_bridge_unless_another_is_said() -> None:
    assert network(drafted(RANGE + "interface=br9")).bridge == "br9"
    assert network(drafted(RANGE + "interface=br9,br8")).bridge == "br-int"
    draft = read_dnsmasq(RANGE + "interface=br9", "d.conf", (), "br7")
    assert network(draft).bridge == "br7"


def test_options_by_number_and_by_name() -> None:
    draft = drafted(
        RANGE
        + "dhcp-option=option:ntp-server,0.0.0.0,10.0.0.4\ndhcp-option=223,0.0.0.0\n"
        + "dhcp-option=121,10.9.0.0/16,10.0.0.7\n"
        + "dhcp-option=222,01:02\n"
        + "dhcp-option=option:root-path,/srv\n",
        "10.0.0.1/24",
    )
    found = options(network(draft))
    assert found["ntp_server"] == "{10.0.0.1, 10.0.0.4}"
    assert found["classless_static_route"] == "{10.9.0.0/16, 10.0.0.7}"
    assert found["option_222"] == "0x0102"
    assert found["option_223"] == "0x0a000001"
    assert found["option_17"] == f"0x{b'/srv'.hex()}"
    assert left(draft) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("dhcp-option=26,9", "26: mtu: 9 is forbidden"),
        ("dhcp-option=54,1.2.3.4,5.6.7.8", "54"),
        ("dhcp-option=vendor:x,1,2", "options inside of options"),
        ("dhcp-option=tag:said,3,10.0.0.2\ndhcp-vendorclass=set:said,MSFT", "is for tag 'said'"),
        ("dhcp-option-force=208,01:02", "told to who asks"),
        ("dhcp-boot=tag:said,x\ndhcp-mac=set:said,02:*:*:*:*:*", "is for tag 'said'"),
        ("dhcp-boot=", "expected a file"),
        ("dhcp-range=x", "expected an address"),
        ("dhcp-range=10.1.0.0,proxy", "proxy DHCP"),
        ("dhcp-range=::1,::2,constructor:eth0", "which is not in the file"),
        ("dhcp-range=tag:x,10.0.0.200,10.0.0.210,255.255.255.0,12h", "tag 'x' is not looked at"),
        ("dhcp-range=10.0.0.200,10.0.0.210,255.255.255.0,1h", "43200 seconds are followed"),
        ("dhcp-range=10.0.0.200,10.0.1.210,255.255.255.0,12h", "is not in 10.0.0.0/24"),
        ("dhcp-host=fred,10.0.0.5", "without a MAC"),
        ("dhcp-host=id:x,10.0.0.5", "a client's id"),
        (f"dhcp-host={MAC},ignore", "dhcp-network=none"),
        (f"dhcp-host={MAC},10.9.9.9", "10.9.9.9 is in no subnet"),
        (f"dhcp-host={MAC},[fd00::1]", "fd00::1 is in no subnet"),
        (f"dhcp-host={MAC},{OTHER},10.0.0.5", "an address is one MAC's"),
        ("conf-dir=/etc/dnsmasq.d", "is another file"),
        ("dhcp-hostsfile=/etc/x", "is another file"),
        ("addn-hosts=/etc/x", "DNS is not served: keep dnsmasq for it"),
        ("enable-tftp", "TFTP is not served"),
        ("pxe-service=x86PC,a,b", "pxe-service: cannot be said"),
        ("domain=a.example,10.0.0.0/24", "is not the same for all"),
        ("domain=#", "is not the same for all"),
    ],
)
def test_what_cannot_be_said_is_named(line: str, said: str) -> None:
    draft = drafted(f"{RANGE}{line}\n", "10.0.0.1/24")
    assert network(draft).pool
    assert any(said in each for each in left(draft)), left(draft)
    assert all(each.startswith("d.conf:") for each in left(draft))


def test_what_changes_nothing_is_not_named() -> None:
    text = "".join(f"{name}=x\n" for name in sorted(NEEDLESS))
    assert left(drafted(RANGE + text, "10.0.0.1/24")) == []
    everything = [*NEEDLESS, *FILES, *SERVERS["DNS"], *SERVERS["TFTP"]]
    assert len(everything) == len({*everything})


def test_hosts() -> None:
    draft = drafted(
        RANGE
        + f"dhcp-host={MAC},10.0.0.5\n"
        + f"dhcp-host={OTHER},fred,10.0.0.6,45m\n"
        + "dhcp-host=02:00:00:00:00:03,bert,set:red\n"
        + "dhcp-host=02:00:00:00:00:04,02:00:00:00:00:05\n"
        + "dhcp-option=tag:red,option:ntp-server,10.0.0.9\n"
        + "dhcp-option=tag:!red,42,10.0.0.8\n",
        "10.0.0.1/24",
    )
    found = network(draft)
    assert reserved(found) == {
        MAC: ["10.0.0.5"],
        OTHER: ["10.0.0.6"],
        "02:00:00:00:00:03": [],
        "02:00:00:00:00:04": [],
        "02:00:00:00:00:05": [],
    }
    own = {port.name: {k: v.hex() for k, v in port.options.items()} for port in found.ports}
    assert own["fred"] == {"hostname": b"fred".hex(), "lease_time": "00000a8c"}
    assert own["bert"] == {"hostname": b"bert".hex(), "ntp_server": "0a000009"}
    assert options(found)["ntp_server"] == "10.0.0.8"
    assert left(draft) == []


def test_static_is_for_those_that_are_named() -> None:
    draft = drafted(
        f"dhcp-range=10.0.0.0,static,255.255.255.0\ndhcp-host={MAC},10.0.0.5\n", "10.0.0.1/24"
    )
    found = network(draft)
    assert found.pool
    assert found.pool.choose(4, "x", lambda _: True) is None
    assert reserved(found) == {MAC: ["10.0.0.5"]}
    assert options(found)["lease_time"] == "3600"


def test_only_who_is_known_is_served_if_dnsmasq_says_so() -> None:
    draft = drafted(f"{RANGE}dhcp-ignore=tag:!known\ndhcp-host={MAC},10.0.0.5\n", "10.0.0.1/24")
    found = network(draft)
    assert pool(found).choose(4, "x", lambda _: True) is None
    assert reserved(found) == {MAC: ["10.0.0.5"]}
    assert left(draft) == []
    assert "dhcp-ignore: cannot" in left(drafted(RANGE + "dhcp-ignore=tag:x", "10.0.0.1/24"))[0]


def test_a_tag_is_also_the_interface() -> None:
    text = "interface=br0\ndhcp-range=tag:br0,10.0.0.10,10.0.0.99,255.255.255.0\n"
    assert left(drafted(text, "10.0.0.1/24")) == []


def test_tags_of_a_range_are_its_networks() -> None:
    draft = drafted(
        "dhcp-range=set:red,10.0.0.10,10.0.0.99,255.255.255.0\n"
        "dhcp-range=set:blue,10.1.0.10,10.1.0.99,255.255.255.0\n"
        "dhcp-option=tag:red,3,10.0.0.2\ndhcp-option=tag:blue,3,10.1.0.2\ndhcp-option=3,10.0.0.9\n"
        f"dhcp-host={MAC},10.1.0.5\ndhcp-host={OTHER},fred\n",
        "10.0.0.1/24", "10.1.0.1/24",
    )  # fmt: skip
    assert options(network(draft, "red"))["router"] == "10.0.0.2"
    assert options(network(draft, "blue"))["router"] == "10.1.0.2"
    assert reserved(network(draft, "blue")) == {MAC: ["10.1.0.5"]}
    assert any(line.startswith("several networks: ") for line in left(draft))
    assert any("its network is not known" in line for line in left(draft))


def test_boot_files() -> None:
    draft = drafted(
        RANGE
        + "dhcp-match=set:efi,option:client-arch,7\ndhcp-match=set:efi,option:client-arch,9\n"
        + "dhcp-match=set:odd,option:client-arch,6\ndhcp-match=set:ipxe,175\n"
        + "dhcp-boot=pxelinux.0,boothost,10.0.0.3\ndhcp-boot=tag:efi,tag:!ipxe,efi.0,,10.0.0.3\n"
        + "dhcp-boot=tag:odd,odd.0,,10.0.0.4\ndhcp-boot=tag:ipxe,http://10.0.0.3/x,,10.0.0.3\n",
        "10.0.0.1/24",
    )
    found = network(draft)
    told = options(found)
    assert told["bootfile_name"] == '"http://10.0.0.3/x"'
    assert told["bootfile_name_alt"] == '"pxelinux.0"'
    assert (told["next_server"], told["tftp_server"]) == ("10.0.0.3", '"boothost"')
    assert found.dhcpv4
    files = {each.name: each.architectures for each in found.dhcpv4.extension.boot_files}
    assert files == {b"efi.0": (7, 9), b"odd.0": (6,)}
    assert left(draft) == ["d.conf:8: dhcp-boot: '10.0.0.4': one server can be said"]
    told = options(network(drafted(RANGE + "dhcp-boot=pxelinux.0\n", "10.0.0.1/24")))
    assert (told["bootfile_name"], told["next_server"]) == ('"pxelinux.0"', "10.0.0.1")
    assert "dhcp-boot" in " ".join(left(drafted(RANGE + "dhcp-boot=pxelinux.0\n")))


def test_ipv6_by_dhcp() -> None:
    draft = drafted(
        RANGE + RANGE6 + f"enable-ra\ndomain=a.example\nra-param=eth0,mtu:1400,60\n"
        f"dhcp-host={MAC},10.0.0.5,[::5]\ndhcp-option=option6:ntp-server,[fd00::7]\n",
        "10.0.0.1/24", "fd00::1/64",
    )  # fmt: skip
    found = network(draft)
    assert str(found.pool) == "10.0.0.10-10.0.0.99, fd00::100-fd00::1ff"
    told = options(found, 6)
    assert (told["dns_server"], told["domain_search"]) == ("fd00::1", '"a.example"')
    assert told["ntp_server"] == "fd00::7"
    assert found.dhcpv6
    assert found.dhcpv6.extension.valid_lifetime_s == 43200
    assert found.ra
    assert found.ra.interval
    assert found.ra.interval[1] == 60
    assert reserved(found) == {MAC: ["10.0.0.5", "fd00::5"]}
    (line,) = left(draft)
    assert "its MAC is not in the file: say slla" in line


@pytest.mark.parametrize(
    ("param", "interval", "is_router"),
    [("*,0,0", 600, False), ("eth0,60", 60, True), ("eth0,high,60,0", 60, False),
     ("eth0,9999,9000", 600, True)],
)  # fmt: skip
def test_parameters_of_advertisements(param: str, interval: int, is_router: bool) -> None:
    draft = drafted(f"{RANGE}{RANGE6}enable-ra\nra-param={param}\n", "10.0.0.1/24")
    found = network(draft).ra
    assert found
    assert found.interval
    assert found.interval[1] == interval
    said = " ".join(left(draft))
    assert ("say slla" in said) == is_router
    assert ("ra-param: 'high'" in said) == ("high" in param)


BESIDE = "addresses of the hosts' own beside those of DHCPv6 cannot be said"


@pytest.mark.parametrize(
    ("mode", "addr_mode", "is_stateless", "says"),
    [
        ("ra-only", "00", None, []),
        ("ra-names", "00", None, []),
        ("ra-stateless", "40", True, []),
        (
            "slaac",
            "80",
            False,
            [f"slaac: {BESIDE}"],
        ),
        ("ra-advrouter", "80", False, ["ra-advrouter cannot be said"]),
        ("off-link", None, False, ["off-link cannot be said"]),
        ("static", None, False, []),
    ],
)
def test_modes_of_ipv6(
    mode: str, addr_mode: str | None, is_stateless: bool | None, says: list[str]
) -> None:
    text = f"{RANGE}dhcp-range=fd00::100,{mode}\ndhcp-option=option6:23,[fd00::53]\n"
    draft = drafted(text, "10.0.0.1/24", "fd00::1/64")
    found = network(draft)
    assert (found.ra.message[5:6].hex() if found.ra else None) == addr_mode
    assert (found.dhcpv6.stateless if found.dhcpv6 else None) == is_stateless
    prefix = "d.conf:2: dhcp-range: "
    said = [line.removeprefix(prefix) for line in left(draft) if line.startswith(prefix)]
    assert said == says


def test_prefixes_that_an_interface_has() -> None:
    draft = drafted("dhcp-range=::100,::1ff,constructor:br0\n", "fd00:7::1/64")
    assert str(network(draft).pool) == "fd00:7::100-fd00:7::1ff"
    draft = drafted("dhcp-range=::,constructor:br0,ra-only\n", "fd00:7::1/64")
    assert network(draft).ports == ()
    assert any("serves the ports it names alone" in line for line in left(draft))


def test_a_network_of_each_family_by_its_tag() -> None:
    draft = drafted(
        "dhcp-range=set:a,10.0.0.10,10.0.0.99,255.255.255.0\n"
        "dhcp-range=set:b,10.1.0.10,10.1.0.99,255.255.255.0\n"
        "dhcp-range=set:b,fd00::100,fd00::1ff\ndhcp-range=fd09::100,fd09::1ff\n",
        "10.0.0.1/24", "10.1.0.1/24",
    )  # fmt: skip
    assert dhcpv6(network(draft, "b")).cidr.prefixlen == 64
    assert network(draft, "a").dhcpv6 is None
    assert network(draft, "fd09::/64").dhcpv4 is None


def test_no_ping_and_rapid_commit() -> None:
    found = network(drafted(RANGE + "no-ping\ndhcp-rapid-commit\n"))
    assert found.pool
    assert not found.pool.probe
    assert dhcpv4(found).extension.rapid_commit


def test_a_file_without_dhcp_is_an_error() -> None:
    with pytest.raises(DraftError, match="no dhcp-range"):
        drafted("server=1.2.3.4\n")
