# SPDX-License-Identifier: Apache-2.0
"""External ports: the same rows to OVN and to us, and guests beyond an uplink that ask in VLANs.

The uplink is in both a patch port from the bridge to another one, where the guests are plugged in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Address

import pytest

from tests.lab.clients import Udhcpc
from tests.lab.guest import Guest
from tests.lab.northbound import PROGRAMS, Northbound, NorthboundDhcpd
from tests.lab.ovn import PrivateOvn
from tests.lab.packets import DISCOVER, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs
from tests.lab.vlan_guest import VlanGuest

pytestmark = pytest.mark.needs(*PROGRAMS, *PrivateOvn.programs)

MAC, OTHER_MAC, STRANGER = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"
NOBODYS, ANOTHERS = "02:00:00:00:00:04", "02:00:00:00:00:05"  # of no group, of another host's
# MAC, address, the tag of the localnet port and the group of hosts; a switch for each.
PORTS = {
    "tagged": (MAC, "10.10.0.5", 10, "here"),
    "untagged": (OTHER_MAC, "10.0.0.5", None, "here"),
    "nobodys": (NOBODYS, "10.20.0.5", 20, None),
    "anothers": (ANOTHERS, "10.30.0.5", 30, "elsewhere"),
}
ASKED = [
    (10, MAC), (None, MAC), (20, MAC), (10, OTHER_MAC), (None, OTHER_MAC), (10, STRANGER),
    (20, NOBODYS), (30, ANOTHERS),
]  # fmt: skip
OFFERED = {(10, MAC): "10.10.0.5", (None, OTHER_MAC): "10.0.0.5"}
BRIDGE, UPLINK = "br-ex", "to-br-ex"
GROUPS = {"here": {"hv1": 20, "hv2": 10}, "elsewhere": {"hv1": 10, "hv2": 20}}

Offers = dict[tuple[int | None, str], str | None]


def fill(nbctl: Callable[..., str], hosts: dict[str, dict[str, int]]) -> None:
    """Write the rows, as somebody does who knows OVN."""
    groups: dict[str | None, str] = {}
    for group, chassis in hosts.items():
        nbctl("ha-chassis-group-add", group)
        for host, priority in chassis.items():
            nbctl("ha-chassis-group-add-chassis", group, host, priority)
        found = nbctl("--bare", "--columns=_uuid", "find", "HA_Chassis_Group", f"name={group}")
        groups[group] = found.strip()
    for name, (mac, address, tag, its_group) in PORTS.items():
        prefix = address.rpartition(".")[0]
        row = nbctl("create", "DHCP_Options", f'cidr="{prefix}.0/24"').strip()
        its = (f"ha_chassis_group={groups[its_group]}",) if its_group else ()
        nbctl("dhcp-options-set-options", row, f"server_id={prefix}.1",
              "server_mac=0a:00:00:00:00:01", "lease_time=3600", "--",
              "ls-add", f"net-{name}", "--",
              "lsp-add", f"net-{name}", f"ln-{name}", *(("", tag) if tag else ()), "--",
              "lsp-set-type", f"ln-{name}", "localnet", "--",
              "lsp-set-addresses", f"ln-{name}", "unknown", "--",
              "lsp-set-options", f"ln-{name}", "network_name=physical", "--",
              "lsp-add", f"net-{name}", name, "--",
              "lsp-set-type", name, "external", "--",
              "lsp-set-addresses", name, f"{mac} {address}", "--",
              "lsp-set-dhcpv4-options", name, row, "--",
              "set", "Logical_Switch_Port", name, "enabled=true", *its)  # fmt: skip


def guests_of(switch: PrivateOvs) -> dict[int | None, Guest]:
    """A guest of the other bridge, in no VLAN and in three."""
    switch.add_bridge(BRIDGE)
    outer = switch.guest("outside", MAC, bridge=BRIDGE)
    return {None: outer, **{tag: VlanGuest(switch, outer, tag) for tag in (10, 20, 30)}}


def offered(guests: dict[int | None, Guest]) -> Offers:
    """What a DISCOVER in each VLAN, from each MAC, is offered."""
    found: Offers = {}
    for tag, mac in ASKED:
        reply = guests[tag].ask(request(DISCOVER, mac), timeout_s=5 if (tag, mac) in OFFERED else 1)
        found[tag, mac] = reply.yiaddr if reply else None
    return found


def offers_all(ovn: PrivateOvn) -> bool:
    flows = " ".join(ovn.flows())
    return all(IPv4Address(each).packed.hex(".") in flows for each in OFFERED.values())


@pytest.fixture(scope="module")
def by_ovn() -> Iterator[Offers]:
    """OVN has one host, so that it need not find out by tunnels whether others live."""
    with PrivateOvn() as ovn:
        guests = guests_of(ovn)
        ovn.sbctl("chassis-add", "hv2", "geneve", "127.0.0.2")
        ovn.vsctl("set", "open", ".", f"external-ids:ovn-bridge-mappings=physical:{BRIDGE}")
        fill(ovn.nbctl, {"here": {"hv1": 20}, "elsewhere": {"hv2": 20}})
        ovn.sync()
        wait_until(partial(offers_all, ovn), "OVN's flows", 60)
        yield offered(guests)


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> dict[int | None, Guest]:
    guests = guests_of(switch)
    switch.vsctl("set", "open", ".", "external-ids:system-id=hv1")
    for here, bridge, there in ((UPLINK, switch.bridge, "back"), ("back", BRIDGE, UPLINK)):
        switch.vsctl("add-port", bridge, here, "--", "set", "interface", here, "type=patch",
                     f"options:peer={there}")  # fmt: skip
    return guests


@pytest.fixture(scope="module")
def northbound(switch: PrivateOvs) -> Northbound:
    northbound = Northbound.on(switch)
    fill(northbound.nbctl, GROUPS)
    return northbound


@pytest.fixture
def dhcpd(
    switch: PrivateOvs, northbound: Northbound, guests: dict[int | None, Guest]
) -> Iterator[NorthboundDhcpd]:
    with NorthboundDhcpd(switch, northbound.remotes, "--external", UPLINK, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows()
        wait_until(lambda: "tagged " in dhcpd.appctl("bindings/show"), "external ports", 20)
        yield dhcpd


def test_ovn_and_we_offer_the_same_but_where_there_is_no_group(
    dhcpd: NorthboundDhcpd, guests: dict[int | None, Guest], by_ovn: Offers
) -> None:
    assert {asked: address for asked, address in by_ovn.items() if address} == OFFERED
    assert offered(guests) == {**by_ovn, (20, NOBODYS): "10.20.0.5"}
    what = "hv2 comes first in it, expected this host, "
    (line,) = dhcpd.appctl("bindings/refused").splitlines()
    assert dhcpd.log().count("WARN") == 1
    assert line.startswith(f"port anothers: ha_chassis_group: {what}")


@pytest.mark.needs("udhcpc")
def test_a_real_client_beyond_the_uplink_gets_its_lease(
    switch: PrivateOvs, dhcpd: NorthboundDhcpd, guests: dict[int | None, Guest]
) -> None:
    with Udhcpc(switch, guests[10]) as client:
        client.lease()
        assert guests[10].addresses() == [IPv4Address("10.10.0.5")]
    assert dhcpd.messages() == [f"DHCP{kind} {MAC} 10.10.0.5" for kind in ("OFFER", "ACK")]
    assert dhcpd.log().count(f"{MAC} 10.10.0.5 (tagged of ") == 2


def test_who_comes_first_in_the_group_later_serves_then(
    northbound: Northbound, dhcpd: NorthboundDhcpd, guests: dict[int | None, Guest]
) -> None:
    assert guests[10].ask(request(DISCOVER, MAC), timeout_s=5)
    northbound.nbctl("ha-chassis-group-add-chassis", "here", "hv2", 30)
    wait_until(lambda: "tagged " not in dhcpd.appctl("bindings/show"), "the port to go", 20)
    assert guests[10].ask(request(DISCOVER, MAC)) is None
    northbound.nbctl("ha-chassis-group-add-chassis", "elsewhere", "hv1", 30)
    wait_until(lambda: "anothers " in dhcpd.appctl("bindings/show"), "the other's", 20)
    assert guests[30].ask(request(DISCOVER, ANOTHERS), timeout_s=5)
