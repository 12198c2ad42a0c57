# SPDX-License-Identifier: Apache-2.0
"""The same rows of logical ports to OVN and to us: what is offered, by the table in docs/ovn.md.

Two hosts with the same names and interfaces read one Northbound database.  Open vSwitch itself
says what becomes of a request there (ofproto/trace).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, decode_userdata

from tests.lab.daemon import wait_ready
from tests.lab.northbound import NorthboundDhcpd
from tests.lab.ovn import PrivateOvn, version
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

TABLE = Path(__file__).resolve().parents[2] / "docs" / "ovn.md"
NAMES = ("external-ids:system-id=hv1", "external-ids:hostname=host1")
OPTIONS = {"server_id": "10.0.0.1", "server_mac": "0a:00:00:00:00:01", "lease_time": "60"}
RELAYS = (24, 9)  # the first OVN that does

A, B, NOTHING = "A", "B", "nothing"
EITHER = "A or B"


@dataclass(frozen=True)
class Case:
    """A port's row in words, its columns, and what is offered to a guest that has its MAC.

    `M` and `N` in addresses stand for MACs, of which the guest has the last one that is there,
    `A` and `B` for addresses inside cidr.
    """

    words: str
    ovn: str
    ours: str
    refused: str = ""  # begins what bindings/refused says, behind the port's name
    addresses: tuple[str, ...] = ("M A",)
    columns: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    interface: tuple[str, ...] = ()
    switch: str = "lan"
    dhcp: Mapping[str, str] = field(default_factory=lambda: OPTIONS)
    why: str = ""

    @property
    def line(self) -> str:
        """The case in the table."""
        return f"| {self.words} | {self.ovn} | {self.ours} | {self.why} |"


def chassis(requested: str, strategy: str = "") -> dict[str, str]:
    given = {"requested-chassis": requested, "activation-strategy": strategy}
    return {key: value for key, value in given.items() if value}


VERSION = {"iface-id-ver": "7"}
ELSEWHERE = "options: requested-chassis: "
CASES = [
    Case("`M A B`", A, A, addresses=("M A B",)),
    Case("`M 192.0.2.1 A`", A, A, addresses=("M 192.0.2.1 A",), why="the first inside `cidr`"),
    Case("`M A/24`", A, A, addresses=("M A/24",)),
    Case("`M A,B`", A, A, "addresses: ", addresses=("M A,B",), why="read up to the comma"),
    Case("`M A`, `M B`", EITHER, A, "addresses: ", addresses=("M A", "M B"),
         why="OVN has two flows that match the same, and installs one; we follow the first pair"),
    Case("`M A`, `N B`, asked by N", B, B, addresses=("M A", "N B")),
    Case("`M A`, `unknown`", A, A, addresses=("M A", "unknown")),
    Case("`unknown`", NOTHING, NOTHING, "addresses: ", addresses=("unknown",)),
    Case("`M 192.0.2.1`", NOTHING, NOTHING, "addresses: ", addresses=("M 192.0.2.1",)),
    Case("`enabled=false`", NOTHING, NOTHING, columns=("enabled=false",)),
    Case("`type=localport`", A, A, columns=("type=localport",)),
    Case("`type=router`", NOTHING, NOTHING, columns=("type=router",)),
    Case("`type=external`", NOTHING, NOTHING, "type: ", columns=("type=external",),
         why="with a group, and `--external`: [below](#external-ports)"),
    Case("`iface-id-ver=7`, the interface's too", A, A, options=VERSION,
         interface=("external_ids:iface-id-ver=7",)),
    Case("`iface-id-ver=7`, the interface's is 8", NOTHING, NOTHING, "options: iface-id-ver: ",
         options=VERSION, interface=("external_ids:iface-id-ver=8",)),
    Case("`iface-id-ver=7`, the interface has none", NOTHING, NOTHING, "options: iface-id-ver: ",
         options=VERSION),
    Case("`requested-chassis=hv1`, this host's `system-id`", A, A, options=chassis("hv1")),
    Case("`requested-chassis=host1`, its `hostname`", A, A, options=chassis("host1")),
    Case("`requested-chassis=hv2`", NOTHING, NOTHING, ELSEWHERE, options=chassis("hv2")),
    Case("`requested-chassis=hv2,hv1`", A, A, options=chassis("hv2,hv1"),
         why="additional hosts too"),
    Case("the same, `activation-strategy=rarp`", NOTHING, NOTHING, "options: activation-strategy: ",
         options=chassis("hv2,hv1", "rarp"),
         why="OVN waits for the guest's RARP; we until `requested-chassis` begins with this host"),
    Case("`requested-chassis=hv1,hv2`, `activation-strategy=rarp`", A, A,
         options=chassis("hv1,hv2", "rarp")),
    Case("its switch has `dhcp_relay_port`", NOTHING, NOTHING, "dhcp_relay_port of its switch: ",
         switch="relayed", why="OVN before 24.09 offers A"),
    Case("its `DHCP_Options` have `mtu=wide`", NOTHING, A, "dhcpv4_options: mtu: ",
         dhcp={**OPTIONS, "mtu": "wide"}, why="that option alone is left out"),
]  # fmt: skip


def name(number: int) -> str:
    return f"row{number}"


def spelled(number: int) -> dict[str, str]:
    """What the letters stand for."""
    return {
        "M": f"02:00:00:00:00:{number:02x}",
        "N": f"02:00:00:00:01:{number:02x}",
        A: f"10.0.{number}.5",
        B: f"10.0.{number}.6",
    }


def spell(number: int, text: str) -> str:
    return re.sub(r"\b[MNAB]\b", lambda found: spelled(number)[found[0]], text)


def fill(ovn: PrivateOvn) -> None:
    """Write all rows."""
    ovn.sbctl("chassis-add", "hv2", "geneve", "127.0.0.2")
    ovn.nbctl("ls-add", "lan", "--", "ls-add", "relayed", "--", "set", "Logical_Switch", "relayed",
              "other_config:dhcp_relay_port=to-router")  # fmt: skip
    for number, case in enumerate(CASES):
        port = name(number)
        row = ovn.nbctl("create", "DHCP_Options", "cidr=10.0.0.0/16").strip()
        options = [f'options:{key}="{value}"' for key, value in case.options.items()]
        ovn.nbctl(
            "dhcp-options-set-options", row, *(f"{k}={v}" for k, v in case.dhcp.items()), "--",
            "lsp-add", case.switch, port, "--",
            "lsp-set-dhcpv4-options", port, row, "--",
            "set", "Logical_Switch_Port", port, *case.columns, *options,
            "addresses=" + ",".join(f'"{spell(number, text)}"' for text in case.addresses),
        )  # fmt: skip


def plug(switch: PrivateOvs) -> None:
    """Plug all ports in, on a host that is called the same everywhere."""
    switch.vsctl("set", "open", ".", *NAMES)
    switch.add_dummy_ports(name(number) for number in range(len(CASES)))
    for number, case in enumerate(CASES):
        if case.interface:
            switch.vsctl("set", "interface", f"d{number}", *case.interface)


def offered(switch: PrivateOvs, number: int, case: Case) -> str:
    """What a DISCOVER of the guest is paused to be offered."""
    letters = spelled(number)
    asks = letters["N" if "N B" in case.addresses else "M"]
    packet = ",".join([
        f"in_port={switch.ofport(f'd{number}')}",
        f"dl_src={asks},dl_dst=ff:ff:ff:ff:ff:ff,udp,nw_src=0.0.0.0,nw_dst=255.255.255.255",
        "udp_src=68,udp_dst=67",
    ])  # fmt: skip
    trace = switch.appctl("ofproto/trace", switch.bridge, packet)
    found = re.search(r"userdata=(00\.00\.00\.02[0-9a-f.]*)", trace)
    if not found:
        return NOTHING
    action = decode_userdata(bytes.fromhex(found[1].replace(".", "")))
    assert isinstance(action, PutDhcpOpts)
    return {IPv4Address(letters[letter]): letter for letter in (A, B)}[action.offerip]


@pytest.fixture(scope="module")
def ovn() -> Iterator[PrivateOvn]:
    require(*PrivateOvn.programs)
    with PrivateOvn(dummy=True) as ovn:
        fill(ovn)
        plug(ovn)
        ovn.sync()
        yield ovn


@pytest.fixture(scope="module")
def ours(ovn: PrivateOvn) -> Iterator[NorthboundDhcpd]:
    with PrivateOvs(dummy=True) as switch:
        plug(switch)
        with NorthboundDhcpd(switch, f"unix:{ovn.run_dir}/ovnnb_db.sock") as dhcpd:
            wait_ready(dhcpd)
            yield dhcpd


def test_ovn_offers_what_the_table_says(ovn: PrivateOvn) -> None:
    found = {case.words: offered(ovn, number, case) for number, case in enumerate(CASES)}
    said = {case.words: case.ovn.split(" or ") for case in CASES}
    if version() < RELAYS:
        said |= {case.words: [A] for case in CASES if case.switch == "relayed"}
    assert {words: each for words, each in found.items() if each not in said[words]} == {}


def test_we_offer_what_the_table_says(ours: NorthboundDhcpd) -> None:
    found = {case.words: offered(ours.switch, number, case) for number, case in enumerate(CASES)}
    assert found == {case.words: case.ours for case in CASES}


def test_what_is_left_out_is_refused_with_its_reason(ours: NorthboundDhcpd) -> None:
    lines = ours.appctl("bindings/refused").splitlines()
    for number, case in enumerate(CASES):
        begin = f"port {name(number)}: "
        found = [line.removeprefix(begin) for line in lines if line.startswith(begin)]
        assert len(found) == bool(case.refused), (case.words, found)
        assert all(line.startswith(case.refused) for line in found), (case.words, found)


def test_the_table_has_each_row() -> None:
    table = TABLE.read_text(encoding="utf-8")
    assert [case.line for case in CASES if case.line not in table] == []
