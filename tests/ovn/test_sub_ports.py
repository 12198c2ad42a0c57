# SPDX-License-Identifier: Apache-2.0
"""The same sub-ports in the Northbound database of OVN and in ours: the same addresses offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Address

import pytest

from tests.lab.guest import Guest
from tests.lab.northbound import PROGRAMS, Northbound, NorthboundDhcpd
from tests.lab.ovn import PrivateOvn
from tests.lab.packets import DISCOVER, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs
from tests.lab.vlan_guest import VlanGuest

pytestmark = pytest.mark.needs(*PROGRAMS, *PrivateOvn.programs)

MAC, OWN_MAC = "02:00:00:00:00:01", "02:00:00:00:00:20"
# Tag, MAC, address; a switch for each.  The one without a tag is the parent.
PORTS = {
    "vm1": (None, MAC, "10.0.0.5"),
    "vm1-10": (10, MAC, "10.10.0.5"),
    "vm1-20": (20, OWN_MAC, "10.20.0.5"),
}
ASKED = [(None, MAC), (10, MAC), (20, OWN_MAC), (20, MAC), (30, MAC)]


def fill(nbctl: Callable[..., str]) -> None:
    """Write the rows, as somebody does who knows OVN."""
    for name, (tag, mac, address) in PORTS.items():
        prefix = address.rpartition(".")[0]
        row = nbctl("create", "DHCP_Options", f'cidr="{prefix}.0/24"').strip()
        nbctl("dhcp-options-set-options", row, f"server_id={prefix}.1",
              "server_mac=0a:00:00:00:00:01", "lease_time=3600", "--",
              "ls-add", f"net-{name}", "--",
              "lsp-add", f"net-{name}", name, *(("vm1", tag) if tag else ()), "--",
              "lsp-set-addresses", name, f"{mac} {address}", "--",
              "lsp-set-dhcpv4-options", name, row)  # fmt: skip


def offered(guests: dict[int | None, Guest]) -> dict[tuple[int | None, str], str | None]:
    """What a DISCOVER in each VLAN, from each MAC, is offered."""
    found: dict[tuple[int | None, str], str | None] = {}
    for tag, mac in ASKED:
        reply = guests[tag].ask(request(DISCOVER, mac), timeout_s=2)
        found[tag, mac] = reply.yiaddr if reply else None
    return found


def guests_of(switch: PrivateOvs) -> dict[int | None, Guest]:
    outer = switch.guest("vm1", MAC)
    return {None: outer, **{tag: VlanGuest(switch, outer, tag) for tag in (10, 20, 30)}}


def offers_all(ovn: PrivateOvn) -> bool:
    """Whether there is a flow of OVN that offers each address; how many there are differs."""
    flows = " ".join(ovn.flows())
    return all(IPv4Address(address).packed.hex(".") in flows for _, _, address in PORTS.values())


def answers_all(guests: dict[int | None, Guest]) -> bool:
    """Whether each of PORTS is answered."""
    return all(
        guests[tag].ask(request(DISCOVER, mac), timeout_s=2) for tag, mac, _ in PORTS.values()
    )


@pytest.fixture(scope="module")
def by_ovn() -> Iterator[dict[tuple[int | None, str], str | None]]:
    with PrivateOvn() as ovn:
        guests = guests_of(ovn)
        fill(ovn.nbctl)
        ovn.sync()
        wait_until(partial(offers_all, ovn), "OVN's flows", 60)
        wait_until(partial(answers_all, guests), "OVN's answers", 60)  # other flows come later
        yield offered(guests)


def test_ovn_and_we_offer_the_same(
    switch: PrivateOvs, by_ovn: dict[tuple[int | None, str], str | None]
) -> None:
    northbound = Northbound.on(switch)
    fill(northbound.nbctl)
    guests = guests_of(switch)
    with NorthboundDhcpd(switch, northbound.remotes, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guests[None])
        wait_until(lambda: len(dhcpd.appctl("bindings/show").splitlines()) == 3, "all three")
        ours = offered(guests)
        assert dhcpd.appctl("bindings/refused") == ""
    assert ours == by_ovn
    assert {asked: address for asked, address in ours.items() if address} == {
        (tag, mac): address for tag, mac, address in PORTS.values()
    }
