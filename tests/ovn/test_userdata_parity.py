# SPDX-License-Identifier: Apache-2.0
"""The same options given to OVN and to us make the same userdata, byte for byte.

Every option set is one logical port of a real OVN, so one synchronization compares
them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import pytest
from ovs_dhcpd.flows.bindings.network import Binding, Dhcpv4, Network, Port
from ovs_dhcpd.flows.configuration.northbound import OptionsRow, PortRow, bind, shared_dhcpv4
from ovs_dhcpd.flows.options.table import DHCPV4
from ovs_dhcpd.flows.options.values import encode_value
from ovs_dhcpd.flows.userdata.action_text import format_action, parse_action
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, decode_userdata, encode_userdata

from tests.lab.ovn import PrivateOvn
from tests.lab.requirements import require
from tests.property.strategies import Setting, option_sets, sample, settings_of

CIDR = "10.0.0.0/16"
SERVER_MAC = "0a:00:00:00:00:01"
# What OVN will not do without, besides server_mac.
REQUIRED = {
    setting.name: setting
    for setting in (Setting("server_id", "10.0.0.1", "10.0.0.1"), Setting("lease_time", "60", 60))
}
# OVN takes the netmask from cidr, and adds it a second time to one among the options.
NOT_SET = {"netmask"}
NAMED = [option for option in DHCPV4.by_name.values() if option.code and not option.beyond_ovn]
UNUSABLE = "(lease_time: 0 seconds|T[12]: T1 is|server_id: [0-9.]+ is not a unicast address)"
RANDOM_SETS = 120

LFLOW = re.compile(
    r"eth\.src == (?P<mac>[0-9a-f:]+) .*action=\((?P<action>.*put_dhcp_opts.*;) next;"
)
FLOW = re.compile(r"dl_src=(?P<mac>[0-9a-f:]+),.*userdata=(?P<userdata>00\.00\.00\.02[^,]*)")

REFERENCE = [
    Setting("dns_server", "172.25.250.254", "172.25.250.254"),
    Setting("mtu", "1442", 1442),
    Setting("router", "192.168.1.1", "192.168.1.1"),
    Setting(
        "classless_static_route",
        "{169.254.169.254/32,192.168.1.2, 0.0.0.0/0,192.168.1.1}",
        ["169.254.169.254/32,192.168.1.2", "0.0.0.0/0,192.168.1.1"],
    ),
]


@dataclass
class Case:
    """One option set and its logical port."""

    options: dict[str, Setting]
    address: IPv4Address
    mac: str

    def ours(self) -> PutDhcpOpts:
        """What our bindings make of it."""
        encoded = {
            name: encode_value(DHCPV4.lookup(name), setting.value)
            for name, setting in self.options.items()
        }
        encoded["netmask"] = IPv4Network(CIDR).netmask.packed
        port = Port("port", bytes.fromhex(self.mac.replace(":", "")), (self.address,), {})
        dhcpv4 = Dhcpv4(
            IPv4Network(CIDR),
            IPv4Address(encoded["server_id"]),
            bytes.fromhex(SERVER_MAC.replace(":", "")),
            encoded,
        )
        action = Network("network", dhcpv4, (port,), False).put_dhcp_opts(port)
        assert action is not None
        return action

    def texts(self) -> dict[str, str]:
        """The options of the DHCP_Options row."""
        texts = {name: setting.ovn_text for name, setting in self.options.items()}
        return {**texts, "server_mac": SERVER_MAC}

    def bound(self) -> Binding:
        """What we make of the rows of the Northbound database."""
        port = PortRow("port", "", True, (f"{self.mac} {self.address}",), "", {})
        return bind(port, shared_dhcpv4(OptionsRow("row", CIDR, self.texts())), None)


def cases() -> list[Case]:
    """The reference document's set, each option alone, and random sets."""
    chosen = [REFERENCE]
    chosen += [sample(settings_of(option).map(lambda one: [one]), 1)[0] for option in NAMED]
    chosen += sample(option_sets(NAMED), RANDOM_SETS)
    found = []
    for number, option_set in enumerate(chosen):
        given = {one.name: one for one in option_set if one.name not in NOT_SET}
        high, low = divmod(number + 256, 256)
        mac = f"02:00:00:00:{high:02x}:{low:02x}"
        found.append(Case({**REQUIRED, **given}, IPv4Address(f"10.0.{high}.{low}"), mac))
    return found


@dataclass
class Programmed:
    """What OVN made of the cases, by the MAC of their ports."""

    cases: list[Case]
    actions: dict[str, set[str]]
    userdata: dict[str, set[bytes]]


@pytest.fixture(scope="module")
def programmed() -> Programmed:
    """A real OVN that has been given every case."""
    require(*PrivateOvn.programs)
    with PrivateOvn(dummy=True) as ovn:
        made = cases()
        ovn.nbctl("ls-add", "network")
        for case in made:
            ovn.dhcp_port("network", f"port-{case.mac}", f"{case.mac} {case.address}", CIDR,
                          case.texts())  # fmt: skip
        ovn.add_dummy_ports(f"port-{case.mac}" for case in made)
        ovn.sync()
        actions: dict[str, set[str]] = {case.mac: set() for case in made}
        userdata: dict[str, set[bytes]] = {case.mac: set() for case in made}
        for line in ovn.sbctl("lflow-list").splitlines():
            if found := LFLOW.search(line):
                actions[found["mac"]].add(found["action"])
        for flow in ovn.flows():
            if found := FLOW.search(flow):
                userdata[found["mac"]].add(bytes.fromhex(found["userdata"].replace(".", "")))
        return Programmed(made, actions, userdata)


def test_bindings_make_the_userdata_that_ovn_makes(programmed: Programmed) -> None:
    ours = {case.mac: {encode_userdata(case.ours())} for case in programmed.cases}
    assert ours == programmed.userdata


def test_rows_of_the_northbound_database_make_the_userdata_that_ovn_makes(
    programmed: Programmed,
) -> None:
    ours = {}
    for case in programmed.cases:
        binding = case.bound()
        for line in binding.refused:  # OVN has values sent that no client can use
            assert re.match(f"dhcpv4_options: {UNUSABLE}", line)
        if not binding.refused:
            ((network, port),) = binding.served
            action = network.put_dhcp_opts(port)
            assert action is not None
            ours[case.mac] = {encode_userdata(action)}
    assert len(ours) > 100
    assert ours == {mac: programmed.userdata[mac] for mac in ours}


def test_action_text_of_northd_is_parsed_to_the_userdata_that_ovn_makes(
    programmed: Programmed,
) -> None:
    ours = {
        mac: {encode_userdata(parse_action(text)) for text in texts}
        for mac, texts in programmed.actions.items()
    }
    assert ours == programmed.userdata


def test_decode_explains_every_userdata_of_ovn(programmed: Programmed) -> None:
    for case in programmed.cases:
        (userdata,) = programmed.userdata[case.mac]
        decoded = decode_userdata(userdata)
        assert isinstance(decoded, PutDhcpOpts)
        assert {DHCPV4.by_code[code].name for code, _ in decoded.options} == {
            *case.options, "netmask",
        }  # fmt: skip
        assert encode_userdata(parse_action(format_action(decoded))) == userdata
