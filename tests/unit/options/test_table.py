# SPDX-License-Identifier: Apache-2.0
"""The option table."""

from __future__ import annotations

from dataclasses import fields

import pytest
from ovs_dhcpd.flows.options.table import (
    DHCPV4,
    DHCPV4_EXTENSION,
    DHCPV6,
    DHCPV6_EXTENSION,
    ROUTER_ADVERTISEMENT,
    Option,
    OptionError,
    OptionTable,
)
from ovs_dhcpd.flows.options.values import TYPES
from ovs_dhcpd.flows.userdata.extension import Dhcpv4Extension, Dhcpv6Extension

TABLES = (DHCPV4, DHCPV4_EXTENSION, DHCPV6, DHCPV6_EXTENSION, ROUTER_ADVERTISEMENT)


def test_names_and_codes_are_those_of_ovn() -> None:
    ovn = """offerip 0, netmask 1, router 3, dns_server 6, log_server 7, lpr_server 9, hostname 12,
        domain_name 15, swap_server 16, ip_forward_enable 19, policy_filter 21, default_ttl 23,
        mtu 26, broadcast_address 28, router_discovery 31, router_solicitation 32,
        arp_cache_timeout 35, ethernet_encap 36, tcp_ttl 37, tcp_keepalive_interval 38,
        nis_server 41, ntp_server 42, netbios_name_server 44, netbios_node_type 46, lease_time 51,
        server_id 54, T1 58, T2 59, tftp_server 66, bootfile_name 67, domain_search_list 119,
        classless_static_route 121, tftp_server_address 150, path_prefix 210,
        ms_classless_static_route 249, wpad 252, next_server 253, bootfile_name_alt 254"""
    assert codes_of_ovn(DHCPV4) == parsed(ovn)
    ovn = """server_id 2, ia_addr 5, dns_server 23, domain_search 24, fqdn 39, bootfile_name 59,
        bootfile_name_alt 254"""
    assert codes_of_ovn(DHCPV6) == parsed(ovn)
    ovn = """addr_mode 0, slla 1, prefix 3, mtu 5, route_info 24, rdnss 25, dnssl 31,
        router_preference 255"""
    assert codes_of_ovn(ROUTER_ADVERTISEMENT) == parsed(ovn)


def codes_of_ovn(table: OptionTable) -> dict[str, int]:
    options = table.by_name.values()
    return {option.name: option.code for option in options if not option.beyond_ovn}


def parsed(names_and_codes: str) -> dict[str, int]:
    words = (each.split() for each in names_and_codes.split(","))
    return {name: int(code) for name, code in words}


def test_each_code_has_one_row_of_a_known_type() -> None:
    used = {"raw"}
    for table in TABLES:
        assert len(table.by_code) == len(table.by_name)
        used |= {option.type for option in table.by_code.values()}
    assert used == set(TYPES)


def test_the_extension_has_a_field_for_each_row() -> None:
    for kind in (Dhcpv4Extension, Dhcpv6Extension):
        names = [field.name.removesuffix("_s") for field in fields(kind)]
        assert [name.replace("boot_files", "boot_file") for name in names] == [*kind.table.by_name]


def test_the_extension_shares_no_name_with_an_option() -> None:
    assert not DHCPV4.by_name.keys() & DHCPV4_EXTENSION.by_name.keys()
    assert not DHCPV6.by_name.keys() & DHCPV6_EXTENSION.by_name.keys()


def test_lookup_by_name_and_by_number() -> None:
    assert DHCPV4.lookup("mtu") == DHCPV4.by_code[26]
    assert DHCPV4.lookup("option_26") == Option("option_26", 26, "raw", "")
    assert DHCPV4.lookup("option_224") == Option("option_224", 224, "raw", "")


@pytest.mark.parametrize(
    "code", [0, 50, 51, 52, 53, 54, 55, 56, 57, 61, 80, 82, 253, 254, 255, 256, 9999]
)
def test_number_that_cannot_be_given(code: int) -> None:
    with pytest.raises(OptionError, match=rf"^option_{code}: .*\S$"):
        DHCPV4.lookup(f"option_{code}")


def test_number_of_a_dhcpv6_option() -> None:
    assert DHCPV6.lookup("option_65534").code == 65534
    for code in (0, 1, 2, 3, 4, 5, 6, 8, 13, 14, 24, 25, 39, 254, 65535, 65536, 99999):
        with pytest.raises(OptionError, match=rf"^option_{code}: .*\S$"):
            DHCPV6.lookup(f"option_{code}")


def test_an_advertisement_has_no_option_by_number() -> None:
    expected = "^option_1: unknown option, expected the name of a router advertisement option$"
    with pytest.raises(OptionError, match=expected):
        ROUTER_ADVERTISEMENT.lookup("option_1")


@pytest.mark.parametrize("name", ["", "MTU", "option_", "option_01", "option_-1", "option_1 "])
def test_unknown_name(name: str) -> None:
    with pytest.raises(OptionError, match=rf"^{name}: unknown option, expected the name of a DHCP"):
        DHCPV4.lookup(name)
