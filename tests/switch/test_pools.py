# SPDX-License-Identifier: Apache-2.0
"""Addresses from a pool: chosen, remembered in the Open_vSwitch database, given to one port."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import yaml

from tests.lab.clients import Udhcpc
from tests.lab.daemon import Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

POOL = ("10.0.0.100", "10.0.0.103")  # a guest may have each of these
MACS = [f"02:00:00:00:00:{number:02x}" for number in range(1, 6)]

Plug = Callable[..., Guest]


def configuration(*others: str, pool: str = "-".join(POOL), **ports: str) -> str:
    """A file with the network lab, other networks like it, and named ports of lab."""
    networks = {
        name: {
            "dhcpv4": {"cidr": f"10.0.{number}.0/24", "router": f"10.0.{number}.1"},
            "pool": pool.replace("10.0.0", f"10.0.{number}"),
        }
        for number, name in enumerate(("lab", *others))
    }
    if ports:
        networks["lab"]["ports"] = {name: {"addresses": text} for name, text in ports.items()}
    return yaml.safe_dump({"networks": networks}, sort_keys=False)


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> list[Guest]:
    """Five, that nobody names, and that say nothing of themselves."""
    guests = [switch.guest(f"vm{number}", mac) for number, mac in enumerate(MACS, 1)]
    for guest in guests:
        switch.unplug(guest.port)
    return guests


@pytest.fixture
def plug(switch: PrivateOvs, guests: list[Guest]) -> Iterator[Plug]:
    """plug(number, key=value, …) plugs a guest in, with these external_ids; all go at the end."""

    def plug(number: int, **external_ids: str) -> Guest:
        guest = guests[number - 1]
        ids = [f'external_ids:{key.replace("_", "-")}="{value}"'
               for key, value in external_ids.items()]  # fmt: skip
        settings = ["--", "set", "interface", guest.port, *ids] if ids else []
        switch.vsctl("--may-exist", "add-port", switch.bridge, guest.port, *settings)
        return guest

    yield plug
    for guest in guests:
        switch.vsctl("--if-exists", "del-port", guest.port)


@contextmanager
def serving(switch: PrivateOvs, text: str) -> Iterator[Dhcpd]:
    with Dhcpd(switch, text, "--cleanup") as dhcpd:
        wait_ready(dhcpd)
        yield dhcpd
    assert our_flows(switch) == []


def remembered(switch: PrivateOvs, guest: Guest) -> str:
    """The addresses in the guest's row; empty if there are none."""
    return switch.vsctl(
        "--if-exists", "get", "interface", guest.port, "external_ids:dhcp-ip"
    ).strip('"\n')


def served(switch: PrivateOvs, *guests: Guest) -> list[str]:
    """What the guests are offered, once the bridge has flows for all of them."""

    def all_have_flows() -> bool:
        flows = "\n".join(our_flows(switch))
        return all(f"in_port={switch.ofport(guest.port)}," in flows for guest in guests)

    wait_until(all_have_flows, "flows for all guests")
    addresses = [guest.reply(request(DISCOVER, guest.mac)).yiaddr for guest in guests]
    assert addresses == [remembered(switch, guest) for guest in guests]
    return addresses


def refused(dhcpd: Dhcpd) -> list[str]:
    return dhcpd.appctl("bindings/refused").splitlines()


@pytest.mark.needs("udhcpc")
def test_a_port_that_is_named_nowhere_gets_an_address_of_the_only_network(
    switch: PrivateOvs, plug: Plug
) -> None:
    with serving(switch, configuration()) as dhcpd:
        guest = plug(1)
        with Udhcpc(switch, guest) as client:
            lease = client.lease()
        address = remembered(switch, guest)
        assert str(lease.address) == address
        assert POOL[0] <= address <= POOL[1]
        assert refused(dhcpd) == []
        shown = dhcpd.appctl("bindings/show").split()
        ofport = str(switch.ofport(guest.port))
        assert shown == [guest.port, "br-int", ofport, "any", "MAC", "lab:", address]


def test_it_is_the_same_after_every_restart(switch: PrivateOvs, plug: Plug) -> None:
    text = configuration()
    guests = [plug(1), plug(2, iface_id="vm2"), plug(3, attached_mac=MACS[2])]
    with Dhcpd(switch, text) as dhcpd:
        wait_ready(dhcpd)
        addresses = served(switch, *guests)
        flows = our_flows(switch)
    with Dhcpd(switch, text) as dhcpd:
        wait_ready(dhcpd)
        assert "flows added" not in dhcpd.log()
        assert our_flows(switch) == flows

        switch.restart_vswitchd()
        wait_until(lambda: len(our_flows(switch)) == len(flows), "the flows to come again")
        assert served(switch, *guests) == addresses

        switch.restart_ovsdb()
        dhcpd.reconfigure(text.replace("router", "dns_server"))
        wait_until(lambda: "read again" in dhcpd.log(), "the new options")
        assert served(switch, *guests) == addresses
    with serving(switch, text):
        assert served(switch, *guests) == addresses


def test_each_address_is_given_once_and_none_that_is_somebodys(
    switch: PrivateOvs, plug: Plug
) -> None:
    text = configuration(pool="10.0.0.0-10.0.0.6", vm5=f"{MACS[4]} 10.0.0.3")
    text = text.replace("    pool:", "    probe: false\n    pool:")  # whose flows would go again
    with serving(switch, text) as dhcpd:
        # 0 is the network's, 1 the server's and the router's, 3 that of vm5, which is not here.
        guests = [plug(number) for number in (1, 2, 3, 4)]
        assert sorted(served(switch, *guests)) == [f"10.0.0.{number}" for number in (2, 4, 5, 6)]
        assert refused(dhcpd) == []
        assert set(re.findall("([0-9]+) deleted", dhcpd.log())) == {"0"}


def test_who_needs_its_address_no_longer_gives_it_back(switch: PrivateOvs, plug: Plug) -> None:
    with serving(switch, configuration(pool="10.0.0.100")) as dhcpd:
        first, second = plug(1, iface_id="vm1"), plug(2, iface_id="vm2")
        assert served(switch, first) == ["10.0.0.100"]
        plug(1, dhcp_network="none")
        assert served(switch, second) == ["10.0.0.100"]
        assert remembered(switch, first) == ""

        plug(1, dhcp_network="lab")
        wait_until(lambda: len(refused(dhcpd)) == 1, "nothing to be free")
        dhcpd.reconfigure(configuration(pool="10.0.0.100", vm2=f"{MACS[1]} 10.0.0.7"))
        assert served(switch, first) == ["10.0.0.100"]
        assert remembered(switch, second) == ""


def test_an_old_row_of_its_own_keeps_nobody_from_its_address(
    switch: PrivateOvs, plug: Plug
) -> None:
    """After a power failure libvirt's old interfaces are still there, without a device."""
    with serving(switch, configuration(pool="10.0.0.0/24")):
        (address,) = served(switch, plug(1, attached_mac=MACS[0]))
        switch.unplug("tap1")
        switch.vsctl("--no-wait", "add-port", switch.bridge, "absent", "--",
                     "set", "interface", "absent", f'external_ids:dhcp-owner="{MACS[0]}"',
                     f"external_ids:dhcp-ip={address}")  # fmt: skip
        try:
            assert served(switch, plug(1, attached_mac=MACS[0])) == [address]
        finally:
            switch.vsctl("del-port", "absent")


def test_what_is_remembered_for_an_absent_interface_is_given_out_last(
    switch: PrivateOvs, plug: Plug
) -> None:
    switch.vsctl("--no-wait", "add-port", switch.bridge, "absent", "--",
                 "set", "interface", "absent", "external_ids:dhcp-ip=10.0.0.100")  # fmt: skip
    try:
        with serving(switch, configuration(pool="10.0.0.100-10.0.0.103")):
            guests = [plug(number) for number in (1, 2, 3)]
            assert "10.0.0.100" not in served(switch, *guests)
            assert served(switch, plug(4)) == ["10.0.0.100"]
    finally:
        switch.vsctl("del-port", "absent")


def test_who_finds_no_free_address_is_named_and_gets_the_next_one(
    switch: PrivateOvs, plug: Plug
) -> None:
    with serving(switch, configuration(pool="10.0.0.100-10.0.0.101")) as dhcpd:
        first, second = plug(1), plug(2)
        addresses = served(switch, first, second)
        late = plug(3)
        expected = [f"port {late.port}: no address is free in pool 10.0.0.100-10.0.0.101"]
        wait_until(lambda: refused(dhcpd) == expected, "the refusal")
        assert late.ask(request(DISCOVER, late.mac), 0.3) is None

        switch.unplug(second.port)
        assert served(switch, first, late) == addresses
        assert refused(dhcpd) == []


def test_who_comes_back_gets_the_same_address(switch: PrivateOvs, plug: Plug) -> None:
    """Its row went with it, and so did what was remembered there: the choice is the same."""
    ids = {
        "attached_mac": MACS[0]
    }  # as of a guest of libvirt, whose iface-id is not always the same
    with serving(switch, configuration(pool="10.0.0.0/24")):
        guest = plug(1, iface_id="one", **ids)
        before = served(switch, guest)
        switch.unplug(guest.port)
        wait_until(lambda: len(our_flows(switch)) == 1, "its flows to go")
        served(switch, plug(2))
        plug(1, iface_id="other", **ids)
        assert served(switch, guest) == before


def test_a_row_that_is_used_again_by_another_guest_is_not_its(
    switch: PrivateOvs, plug: Plug
) -> None:
    with serving(switch, configuration(pool="10.0.0.0/24")):
        guest = plug(1, iface_id="one", attached_mac=MACS[0])
        (before,) = served(switch, guest)
        plug(1, iface_id="two", attached_mac=MACS[1])  # as after a reboot, ovs-vsctl --may-exist

        def has_another() -> bool:
            return remembered(switch, guest) not in ("", before)

        wait_until(has_another, "another address")


def test_what_the_row_says_may_be_chosen_by_hand_inside_the_subnet(
    switch: PrivateOvs, plug: Plug
) -> None:
    with serving(switch, configuration()) as dhcpd:
        guest = plug(1, dhcp_ip="10.0.0.7")
        assert served(switch, guest) == ["10.0.0.7"]
        switch.vsctl("set", "interface", guest.port, "external_ids:dhcp-ip=192.168.1.7")
        other = plug(2, dhcp_ip="10.0.0.1")
        expected = [
            f"port {guest.port}: dhcp-ip: 192.168.1.7 is not in cidr 10.0.0.0/24, "
            "expected addresses in it",
            f"port {other.port}: dhcp-ip: 10.0.0.1 is that of server_id too, expected another",
        ]
        wait_until(lambda: refused(dhcpd) == expected, "the refusals")
        assert (remembered(switch, guest), remembered(switch, other)) == ("192.168.1.7", "10.0.0.1")
        switch.vsctl("remove", "interface", guest.port, "external_ids", "dhcp-ip")
        wait_until(lambda: remembered(switch, guest).startswith("10.0.0.10"), "one of the pool")
        served(switch, guest)


def test_with_several_networks_the_port_says_which(switch: PrivateOvs, plug: Plug) -> None:
    with serving(switch, configuration("office", "guests")) as dhcpd:
        guest = plug(1)
        port = guest.port
        expected = [
            f"port {port}: is in no network, expected external_ids:dhcp-network=lab|office|guests"
        ]
        wait_until(lambda: refused(dhcpd) == expected, "the refusal")

        plug(1, dhcp_network="office")
        assert served(switch, guest)[0].startswith("10.0.1.10")
        assert refused(dhcpd) == []
        plug(1, dhcp_network="guests")
        wait_until(lambda: remembered(switch, guest).startswith("10.0.2.10"), "another network")
        served(switch, guest)

        plug(1, dhcp_network="offices")
        expected = [
            f"port {port}: dhcp-network: offices, expected lab or office or guests "
            "(did you mean office?)"
        ]
        wait_until(lambda: refused(dhcpd) == expected, "the refusal")

        plug(1, dhcp_network="none")
        wait_until(lambda: refused(dhcpd) == [], "nothing")
        assert len(our_flows(switch)) == 1


def test_the_vlan_of_a_port_may_say_which(switch: PrivateOvs, plug: Plug) -> None:
    text = configuration("office", "guests")
    for network, tag in (("office", 10), ("guests", 20)):
        text = text.replace(f"  {network}:\n", f"  {network}:\n    tag: {tag}\n")
    with serving(switch, text) as dhcpd:
        guests = [plug(number) for number in (1, 2, 3, 4)]
        for guest, tag in zip(guests[:3], (10, 20, 30), strict=False):
            switch.vsctl("set", "port", guest.port, f"tag={tag}")
        expected = [
            f"port {guests[2].port}: is in no network (tag 30), "
            "expected external_ids:dhcp-network=lab|office|guests"
        ]
        wait_until(lambda: refused(dhcpd) == expected, "the refusal")
        wait_until(lambda: remembered(switch, guests[0]).startswith("10.0.1.10"), "office")
        wait_until(lambda: remembered(switch, guests[1]).startswith("10.0.2.10"), "guests")
        wait_until(lambda: remembered(switch, guests[3]).startswith("10.0.0.10"), "lab")
        served(switch, guests[0], guests[1], guests[3])


def test_uplinks_are_not_taken_for_guests(switch: PrivateOvs, plug: Plug) -> None:
    switch.vsctl(
        "add-port", switch.bridge, "patch", "--",
        "set", "interface", "patch", "type=patch", "options:peer=other", "--",
        "add-port", switch.bridge, "tunnel", "--",
        "set", "interface", "tunnel", "type=vxlan", "options:remote_ip=192.0.2.1",
    )  # fmt: skip
    try:
        with serving(switch, configuration()) as dhcpd:
            guest = plug(1)
            served(switch, guest)
            assert len(dhcpd.appctl("bindings/show").splitlines()) == 1
            assert refused(dhcpd) == []
            switch.vsctl("set", "interface", "tunnel", "external_ids:dhcp-network=lab")
            wait_until(lambda: dhcpd.appctl("bindings/show").count("\n") == 1, "the tunnel")
    finally:
        switch.vsctl("del-port", "patch", "--", "del-port", "tunnel")


def test_with_attached_mac_only_that_mac_is_served(switch: PrivateOvs, plug: Plug) -> None:
    with serving(switch, configuration()):
        guest = plug(1, attached_mac=MACS[0])
        served(switch, guest)
        assert guest.ask(request(DISCOVER, MACS[1]), 0.3) is None
    with serving(switch, configuration()):
        switch.vsctl("remove", "interface", guest.port, "external_ids", "attached-mac")
        served(switch, guest)
        wait_until(lambda: guest.ask(request(DISCOVER, MACS[1]), 0.3), "an answer for any MAC")


def test_one_mac_twice_in_a_network_is_refused_by_name(switch: PrivateOvs, plug: Plug) -> None:
    with serving(switch, configuration()) as dhcpd:
        served(switch, plug(1, iface_id="one", attached_mac=MACS[0]))
        plug(2, iface_id="two", attached_mac=MACS[0])
        line = f"port two: attached-mac: {MACS[0]} is that of one too, expected another"
        wait_until(lambda: refused(dhcpd) == [line], "the refusal")


def test_a_guest_is_served_what_the_file_says_of_its_mac(switch: PrivateOvs, plug: Plug) -> None:
    """Under a name that is plugged in nowhere, or as a reservation."""
    with serving(switch, configuration()) as dhcpd:
        guest = plug(1, iface_id="web", attached_mac=MACS[0])
        served(switch, guest)
        dhcpd.reconfigure(configuration(db=f"{MACS[0]} 10.0.0.7"))
        wait_until(lambda: "lab: 10.0.0.7" in shown_for(dhcpd, "web"), "what the file says")
        assert str(guest.reply(request(DISCOVER, guest.mac)).yiaddr) == "10.0.0.7"
        assert refused(dhcpd) == []
        kept = {"reserve": {MACS[0]: "10.0.0.8"}, "exclude": "10.0.0.101-10.0.0.103"}
        networks = yaml.safe_load(configuration())["networks"]
        dhcpd.reconfigure(yaml.safe_dump({"networks": {"lab": {**networks["lab"], **kept}}}))
        wait_until(lambda: "lab: 10.0.0.8" in shown_for(dhcpd, "web"), "what is reserved")
        assert served(switch, guest, plug(2)) == ["10.0.0.8", "10.0.0.100"]


def test_who_has_the_mac_of_another_is_served_when_that_one_has_gone(
    switch: PrivateOvs, plug: Plug
) -> None:
    with serving(switch, configuration()) as dhcpd:
        first = plug(1, iface_id="one", attached_mac=MACS[0])
        served(switch, first)
        second = plug(2, iface_id="two", attached_mac=MACS[0])
        wait_until(lambda: len(refused(dhcpd)) == 1, "the refusal")
        switch.unplug(first.port)
        wait_until(lambda: shown_for(dhcpd, "two"), "the other to be served")
        assert refused(dhcpd) == []
        assert remembered(switch, second) != ""


@pytest.mark.parametrize("name", ["aa", "zz"])
def test_who_changes_its_name_while_plugged_in_stays_what_it_is(
    switch: PrivateOvs, plug: Plug, name: str
) -> None:
    ids = {"attached_mac": MACS[0]}
    with serving(switch, configuration(pool="10.0.0.0/24")) as dhcpd:
        guest = plug(1, iface_id="mm", **ids)
        before = served(switch, guest)
        plug(1, iface_id=name, **ids)
        wait_until(lambda: shown_for(dhcpd, name), "the new name")
        assert served(switch, guest) == before

        # As libvirt and Proxmox do it: away and back in one transaction, with yet another name.
        switch.vsctl("del-port", guest.port, "--", "add-port", switch.bridge, guest.port, "--",
                     "set", "interface", guest.port, "external_ids:iface-id=mm",
                     f'external_ids:attached-mac="{MACS[0]}"')  # fmt: skip
        wait_until(lambda: shown_for(dhcpd, "mm"), "the old name")
        assert served(switch, guest) == before
        assert refused(dhcpd) == []


def test_a_mac_that_the_file_gives_to_another_costs_nobody_what_it_has(
    switch: PrivateOvs, plug: Plug
) -> None:
    with serving(switch, configuration()) as dhcpd:
        web = plug(1, iface_id="web", attached_mac=MACS[0])
        before = served(switch, web)
        db = plug(2, iface_id="db")
        served(switch, db)
        dhcpd.reconfigure(configuration(db=f"{MACS[0]} dynamic"))
        expected = [f"port web: attached-mac: {MACS[0]} is that of db too, expected another"]
        wait_until(lambda: refused(dhcpd) == expected, "the refusal")
        assert served(switch, web) == before
        dhcpd.reconfigure(configuration())
        served(switch, web, db)


def test_who_was_served_before_a_restart_is_served_after_it(switch: PrivateOvs, plug: Plug) -> None:
    """Also where another one, first by name, wants the same MAC or address."""
    text = configuration(pool="10.0.0.100-10.0.0.101")
    with Dhcpd(switch, text) as dhcpd:
        wait_ready(dhcpd)
        z, y = plug(1, iface_id="zz", attached_mac=MACS[0]), plug(2, iface_id="yy")
        addresses = served(switch, z, y)
        plug(3, iface_id="aa", attached_mac=MACS[0])
        plug(4, iface_id="bb", dhcp_ip=remembered(switch, y))
        expected = [
            f"port aa: attached-mac: {MACS[0]} is that of zz too, expected another",
            f"port bb: dhcp-ip: {addresses[1]} is that of yy too, expected another",
        ]
        wait_until(lambda: refused(dhcpd) == expected, "the refusals")
    with serving(switch, text) as dhcpd:
        assert refused(dhcpd) == expected
        assert served(switch, z, y) == addresses


def test_who_waits_for_an_address_is_not_said_to_have_one(switch: PrivateOvs, plug: Plug) -> None:
    with serving(switch, configuration(pool="10.0.0.100-10.0.0.101")) as dhcpd:
        one, two = plug(1), plug(2)
        (first, _) = served(switch, one, two)
        dhcpd.reconfigure(configuration(pool="10.0.0.100-10.0.0.101", other=f"{MACS[4]} {first}"))
        wait_until(lambda: len(refused(dhcpd)) == 1, "the refusal")
        wait_until(lambda: remembered(switch, one) == "", "the old address to be forgotten")


def test_who_is_in_a_wrong_network_keeps_nobody_from_its_address(
    switch: PrivateOvs, plug: Plug
) -> None:
    with serving(switch, configuration("office", pool="10.0.0.100")) as dhcpd:
        one, two = plug(1, dhcp_network="lab"), plug(2, dhcp_network="lab")
        wait_until(lambda: len(refused(dhcpd)) == 1, "the refusal")
        assert served(switch, one) == ["10.0.0.100"]
        plug(1, dhcp_network="nowhere")
        assert served(switch, two) == ["10.0.0.100"]


def test_an_attached_mac_that_is_none_is_refused(switch: PrivateOvs, plug: Plug) -> None:
    with serving(switch, configuration()) as dhcpd:
        guest = plug(1, attached_mac="junk")
        line = f"port {guest.port}: attached-mac: 'junk' is no MAC, expected xx:xx:xx:xx:xx:xx"
        wait_until(lambda: refused(dhcpd) == [line], "the refusal")
        assert len(our_flows(switch)) == 1


def test_a_network_without_a_pool_leaves_unnamed_ports_alone(
    switch: PrivateOvs, plug: Plug
) -> None:
    networks = yaml.safe_load(configuration())["networks"]
    networks["lab"]["tag"] = 10
    networks["plain"] = {"dhcpv4": {"cidr": "10.0.9.0/24"}, "ports": {}}
    with serving(switch, yaml.safe_dump({"networks": networks})) as dhcpd:
        guest = plug(1)
        switch.vsctl("set", "port", plug(2).port, "tag=10")
        wait_until(lambda: shown_for(dhcpd, "tap2"), "the one with the tag")
        assert refused(dhcpd) == []
        assert remembered(switch, guest) == ""


def test_vlans_may_have_the_same_subnet(switch: PrivateOvs, plug: Plug) -> None:
    lab = yaml.safe_load(configuration(pool="10.0.0.100"))["networks"]["lab"]
    networks = {"red": {**lab, "tag": 10}, "blue": {**lab, "tag": 20}}
    with serving(switch, yaml.safe_dump({"networks": networks})) as dhcpd:
        guests = [plug(1), plug(2)]
        for guest, tag in zip(guests, (10, 20), strict=True):
            switch.vsctl("set", "port", guest.port, f"tag={tag}")
        assert served(switch, *guests) == ["10.0.0.100", "10.0.0.100"]
        assert refused(dhcpd) == []


def test_the_bridges_own_port_may_ask_for_it(switch: PrivateOvs, plug: Plug) -> None:
    switch.vsctl("set", "interface", switch.bridge, "external_ids:dhcp-network=lab")
    try:
        with serving(switch, configuration()) as dhcpd:
            wait_until(lambda: shown_for(dhcpd, switch.bridge), "it to be served")
            served(switch, plug(1))
            assert sum("in_port=LOCAL" in flow for flow in our_flows(switch)) == 3
            assert "OFPET" not in dhcpd.log()
    finally:
        switch.vsctl("clear", "interface", switch.bridge, "external_ids")


def test_a_named_port_may_leave_its_address_to_us(switch: PrivateOvs, plug: Plug) -> None:
    text = configuration(vm1=f"{MACS[0]} dynamic", vm2="dynamic")
    with serving(switch, text) as dhcpd:
        one, two = served(switch, plug(1, iface_id="vm1"), plug(2, iface_id="vm2"))
        assert one != two
        assert [line.split()[3] for line in dhcpd.appctl("bindings/show").splitlines()] == [
            MACS[0], "any"]  # fmt: skip


def test_a_port_that_gets_a_name_gets_what_is_written_there(switch: PrivateOvs, plug: Plug) -> None:
    with serving(switch, configuration()) as dhcpd:
        guest = plug(1, iface_id="vm1")
        served(switch, guest)
        other = plug(2)
        (taken,) = served(switch, other)
        dhcpd.reconfigure(configuration(vm1=f"{MACS[0]} {taken}"))
        wait_until(lambda: f"lab: {taken}" in shown_for(dhcpd, "vm1"), "the address of the file")
        assert served(switch, other) != [taken]


def shown_for(dhcpd: Dhcpd, name: str) -> str:
    lines = dhcpd.appctl("bindings/show").splitlines()
    return "".join(line for line in lines if line.split()[0] == name)


def test_a_pool_that_comes_with_a_change_of_the_file_is_used(
    switch: PrivateOvs, plug: Plug
) -> None:
    text = configuration()
    without = "networks: {lab: {dhcpv4: {cidr: 10.0.0.0/24}, ports: {}}}"
    with serving(switch, without) as dhcpd:
        guest = plug(1)
        dhcpd.reconfigure(text)
        served(switch, guest)
        dhcpd.reconfigure(without)
        wait_until(lambda: len(our_flows(switch)) == 1, "its flows to go")


def test_nothing_is_served_before_it_is_remembered(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1)
    with serving(switch, "networks: {lab: {dhcpv4: {cidr: 10.0.0.0/24}, ports: {}}}") as dhcpd:
        switch.processes["conf-db"].stop()
        dhcpd.reconfigure(configuration())
        wait_until(lambda: "read again" in dhcpd.log(), "the pool to be known")
        assert dhcpd.appctl("bindings/show") == ""
        switch.start_ovsdb()
        served(switch, guest)


def test_a_database_that_takes_nothing_is_asked_again(switch: PrivateOvs, plug: Plug) -> None:
    def database(command: str, *arguments: str) -> None:
        control = switch.run_dir / "conf-db.ctl"
        run(["ovs-appctl", "-t", control, f"ovsdb-server/{command}", *arguments])

    guest = plug(1)
    with serving(switch, "networks: {lab: {dhcpv4: {cidr: 10.0.0.0/24}, ports: {}}}") as dhcpd:
        # As a backup of another server it can be read only.
        database("set-active-ovsdb-server", f"unix:{switch.run_dir}/no.sock")
        database("connect-active-ovsdb-server")
        dhcpd.reconfigure(configuration())
        wait_until(lambda: "dhcp-ip was not written" in dhcpd.log(), "the refusal")
        assert dhcpd.appctl("bindings/show") == ""
        database("disconnect-active-ovsdb-server")
        served(switch, guest)


def test_both_families_have_pools(switch: PrivateOvs, plug: Plug) -> None:
    text = configuration().replace("pool: ", "dhcpv6: {cidr: 'fd00::/64'}\n    pool: ")
    text = text.replace(f"{POOL[0]}-{POOL[1]}", f"[{POOL[0]}-{POOL[1]}, 'fd00::/64']")
    with serving(switch, text):
        guest = plug(1)
        wait_until(lambda: remembered(switch, guest) != "", "the addresses")
        four, six = remembered(switch, guest).split()
        assert four.startswith("10.0.0.10")
        assert six.startswith("fd00::")
        wait_until(lambda: len(our_flows(switch)) == 12, "the flows of both")
