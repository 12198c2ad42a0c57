# SPDX-License-Identifier: Apache-2.0
"""The same DHCPv6 options and router advertisements given to OVN and to us make the same userdata.

What we are given is a configuration file; what OVN is given are logical ports with DHCPv6 options
and router ports with ipv6_ra_configs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.configuration.northbound import OptionsRow, PortRow, bind, shared_dhcpv6
from ovs_dhcpd.flows.configuration.router_port import RouterPortRow, shared_ra
from ovs_dhcpd.flows.options.table import DHCPV6, ROUTER_ADVERTISEMENT
from ovs_dhcpd.flows.userdata.action_text import format_action, parse_action
from ovs_dhcpd.flows.userdata.codec import PutNdRaOpts, decode_userdata, encode_userdata

from tests.lab.ovn import PrivateOvn
from tests.lab.requirements import require
from tests.property.strategies import Setting, option_sets, sample, settings_of

CIDR = "fd00:1::/64"
SERVER_ID = "0a:00:00:00:00:01"
# What OVN 23.03 knows of DHCPv6, besides server_id and ia_addr.
DHCPV6_OPTIONS = [DHCPV6.by_name[name] for name in ("dns_server", "domain_search")]
RA_OPTIONS = [
    ROUTER_ADVERTISEMENT.by_name[name]
    for name in ("addr_mode", "router_preference", "mtu", "dnssl", "route_info")
]
RANDOM_SETS = 30

LFLOW = re.compile(r"action=\((?P<action>.*put_(?:dhcpv6|nd_ra)_opts.*;) next;")
FLOW = re.compile(r"userdata=(?P<userdata>00\.00\.00\.0[58][^,]*)")


@dataclass
class Dhcpv6Case:
    """One option set and its logical port."""

    number: int
    options: dict[str, Setting]
    stateless: bool

    @property
    def addresses(self) -> str:
        return f"02:00:00:00:01:{self.number:02x} {IPv6Network(CIDR)[self.number]}"

    def ovn(self) -> dict[str, str]:
        texts = {name: setting.ovn_text for name, setting in self.options.items()}
        stateless = {"dhcpv6_stateless": "true"} if self.stateless else {}
        return {**texts, **stateless, "server_id": SERVER_ID}

    def ours(self) -> dict[str, Any]:
        values = {name: setting.value for name, setting in self.options.items()}
        stateless = {"dhcpv6_stateless": True} if self.stateless else {}
        return {
            "dhcpv6": {"cidr": CIDR, "server_id": SERVER_ID, **stateless, **values},
            "ports": {f"port{self.number}": {"addresses": self.addresses}},
        }


@dataclass
class RaCase:
    """What one router port advertises."""

    number: int
    options: dict[str, Setting]
    rdnss: IPv6Address | None
    prefixes: list[IPv6Network]

    @property
    def mac(self) -> str:
        return f"0a:00:00:00:02:{self.number:02x}"

    @property
    def networks(self) -> list[str]:
        return [f"{prefix[1]}/{prefix.prefixlen}" for prefix in self.prefixes]

    def ovn(self) -> dict[str, str]:
        texts = {name: setting.ovn_text.strip('"') for name, setting in self.options.items()}
        texts["address_mode"] = texts.pop("addr_mode")
        return texts | ({"rdnss": str(self.rdnss)} if self.rdnss else {})

    def ours(self) -> dict[str, Any]:
        values = {name: setting.value for name, setting in self.options.items()}
        values["slla"] = self.mac
        values["prefix"] = [str(prefix) for prefix in self.prefixes]
        return {"ra": values | ({"rdnss": str(self.rdnss)} if self.rdnss else {}), "ports": {}}


def dhcpv6_cases() -> list[Dhcpv6Case]:
    """No option, each alone, random sets; every third is stateless."""
    chosen: list[list[Setting]] = [[]]
    chosen += [
        sample(settings_of(option).map(lambda one: [one]), 1)[0] for option in DHCPV6_OPTIONS
    ]
    chosen += sample(option_sets(DHCPV6_OPTIONS), RANDOM_SETS)
    return [
        Dhcpv6Case(number, {setting.name: setting for setting in settings}, number % 3 == 0)
        for number, settings in enumerate(chosen, 1)
    ]


def ra_cases() -> list[RaCase]:
    """Random sets; northd takes an addr_mode always, and an mtu from 1280."""
    mode = settings_of(ROUTER_ADVERTISEMENT.by_name["addr_mode"])
    mtu = st.integers(1280, 65535).map(lambda number: Setting("mtu", str(number), number))
    sets = st.tuples(option_sets(RA_OPTIONS), mode, mtu, st.none() | st.ip_addresses(v=6))
    return [
        RaCase(
            number,
            {each.name: mtu_of if each.name == "mtu" else each for each in (*settings, mode_of)},
            rdnss,
            [IPv6Network(f"fd00:{number:x}:{i}::/64") for i in range(1, 2 + number % 3)],
        )
        for number, (settings, mode_of, mtu_of, rdnss) in enumerate(sample(sets, RANDOM_SETS), 1)
    ]


@dataclass
class Programmed:
    """Our userdata and what OVN made of the same cases."""

    ours: set[bytes]
    actions: set[str]
    userdata: set[bytes]


def ours(directory: Path, networks: dict[str, Any]) -> set[bytes]:
    """What our configuration file makes of it."""
    path = directory / "networks.yaml"
    path.write_text(yaml.safe_dump({"networks": networks}), encoding="utf-8")
    found = set()
    for network in yaml_file.load(path).networks:
        actions = [network.put_nd_ra_opts(), *map(network.put_dhcpv6_opts, network.ports)]
        found |= {encode_userdata(action) for action in actions if action}
    return found


@pytest.fixture(scope="module")
def programmed(tmp_path_factory: pytest.TempPathFactory) -> Programmed:
    """A real OVN that has been given every case."""
    require(*PrivateOvn.programs)
    dhcpv6, advertised = dhcpv6_cases(), ra_cases()
    with PrivateOvn(dummy=True) as ovn:
        ovn.nbctl("ls-add", "network", "--", "lr-add", "router")
        for case in dhcpv6:
            name = f"port{case.number}"
            ovn.dhcp_port("network", name, case.addresses, CIDR, case.ovn(), family=6)
        for ra in advertised:
            ovn.router_port("router", f"rp{ra.number}", ra.mac, ra.networks, ra.ovn())
            network = "network" if ra.number == 1 else f"network{ra.number}"
            ovn.nbctl("--may-exist", "ls-add", network)
            ovn.connect(network, f"rp{ra.number}")
        ovn.add_dummy_ports(f"port{case.number}" for case in dhcpv6)
        ovn.sync()
        directory = tmp_path_factory.mktemp("parity")
        return Programmed(
            ours(directory, {f"network{i}": case.ours() for i, case in enumerate(dhcpv6)})
            | ours(directory, {f"network{i}": ra.ours() for i, ra in enumerate(advertised)}),
            {found["action"] for found in LFLOW.finditer(ovn.sbctl("lflow-list"))},
            {
                bytes.fromhex(found["userdata"].replace(".", ""))
                for found in FLOW.finditer("\n".join(ovn.flows()))
            },
        )


def test_the_configuration_makes_the_userdata_that_ovn_makes(programmed: Programmed) -> None:
    assert programmed.ours == programmed.userdata
    assert {userdata[3] for userdata in programmed.userdata} == {5, 8}


def test_rows_of_the_northbound_database_make_the_userdata_that_ovn_makes(
    programmed: Programmed,
) -> None:
    made = set()
    for case in dhcpv6_cases():
        port = PortRow("port", "", True, (case.addresses,), "", {})
        binding = bind(port, None, shared_dhcpv6(OptionsRow("row", CIDR, case.ovn())))
        assert binding.refused == ()
        ((network, own),) = binding.served
        action = network.put_dhcpv6_opts(own)
        assert action
        made.add(encode_userdata(action))
    for ra in ra_cases():
        row = RouterPortRow("row", f"rp{ra.number}", ra.mac, tuple(ra.networks), ra.ovn())
        shared = shared_ra(row)
        assert shared.refused == ()
        assert shared.ra
        made.add(encode_userdata(PutNdRaOpts(shared.ra.message)))
    assert made == programmed.userdata


def test_action_text_of_northd_is_parsed_to_the_userdata_that_ovn_makes(
    programmed: Programmed,
) -> None:
    parsed = {encode_userdata(parse_action(text)) for text in programmed.actions}
    assert parsed == programmed.userdata


def test_decode_tells_every_userdata_of_ovn_by_its_options(programmed: Programmed) -> None:
    for userdata in programmed.userdata:
        text = format_action(decode_userdata(userdata))
        assert not re.search("option_[0-9]|message", text)
        assert encode_userdata(parse_action(text)) == userdata
