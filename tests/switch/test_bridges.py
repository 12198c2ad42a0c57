# SPDX-License-Identifier: Apache-2.0
"""One daemon for several bridges, from several files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.lab.daemon import Dhcpd, our_flows
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

OTHER = "br-other"
MACS = {"red": "02:00:00:00:00:01", "blue": "02:00:00:00:00:02"}
CONTROLLER = "tcp:127.0.0.1:6653"


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> dict[str, Guest]:
    """One on each bridge."""
    switch.add_bridge(OTHER)
    return {
        "red": switch.guest("red", MACS["red"]),
        "blue": switch.guest("blue", MACS["blue"], bridge=OTHER),
    }


def network(name: str, cidr: str, **settings: str) -> str:
    """A file with one network and one port of the same name, whose address ends with 5."""
    port = {"addresses": f"{MACS[name]} {cidr.replace('.0/24', '.5')}"}
    settings_of = {"dhcpv4": {"cidr": cidr}, "ports": {name: port}, **settings}
    return yaml.safe_dump({"networks": {name: settings_of}})


@pytest.fixture
def dhcpd(switch: PrivateOvs, guests: dict[str, Guest], tmp_path: Path) -> Iterator[Dhcpd]:
    # The same subnet on both: bridges have nothing to do with each other.
    blue = tmp_path / "blue.yaml"
    blue.write_text(network("blue", "10.0.0.0/24", bridge=OTHER))
    with Dhcpd(switch, network("red", "10.0.0.0/24"), "--config", str(blue), "--cleanup") as dhcpd:
        wait_until(lambda: all_ready(dhcpd), "both bridges to be ready")
        yield dhcpd
    assert our_flows(switch) == our_flows(switch, OTHER) == []


def all_ready(dhcpd: Dhcpd) -> bool:
    return all(f"{bridge}: ready, 5 flows" in dhcpd.log() for bridge in ("br-int", OTHER))


def offered(guest: Guest) -> str | None:
    reply = guest.ask(request(DISCOVER, guest.mac))
    return reply.yiaddr if reply else None


def test_each_bridge_has_its_own_networks(
    switch: PrivateOvs, guests: dict[str, Guest], dhcpd: Dhcpd
) -> None:
    assert {name: offered(guest) for name, guest in guests.items()} == {
        "red": "10.0.0.5", "blue": "10.0.0.5"}  # fmt: skip
    (red,), (blue,) = (
        {flow.partition("metadata=")[2].partition(" ")[0] for flow in flows if "metadata=" in flow}
        for flows in (our_flows(switch), our_flows(switch, OTHER))
    )
    assert red != blue


def test_a_port_on_another_bridge_than_its_networks_is_refused_by_name(
    switch: PrivateOvs, guests: dict[str, Guest], dhcpd: Dhcpd
) -> None:
    port = guests["red"].port
    switch.unplug(port)
    switch.plug(port, "red", bridge=OTHER)
    expected = f"port red: is plugged into {OTHER}, expected br-int"
    wait_until(lambda: dhcpd.appctl("bindings/refused").strip() == expected, "the refusal")
    assert len(our_flows(switch)) == 1
    switch.unplug(port)
    switch.plug(port, "red")
    wait_until(lambda: len(our_flows(switch)) == 5, "the flows")
    assert dhcpd.appctl("bindings/refused") == ""
    assert offered(guests["red"]) == "10.0.0.5"


def test_bridges_come_and_go_with_the_configuration(
    switch: PrivateOvs, guests: dict[str, Guest], dhcpd: Dhcpd
) -> None:
    dhcpd.reconfigure(network("red", "10.0.0.0/24", bridge="br-third"))
    wait_until(lambda: our_flows(switch) == [], "the flows to go")
    assert offered(guests["red"]) is None
    assert offered(guests["blue"]) == "10.0.0.5"

    switch.add_bridge("br-third")
    wait_until(lambda: len(our_flows(switch, "br-third")) == 1, "the third bridge", 20)
    switch.vsctl("del-br", "br-third")

    dhcpd.reconfigure(network("red", "10.0.7.0/24"))
    wait_until(lambda: len(our_flows(switch)) == 5, "the flows to come again")
    assert offered(guests["red"]) == "10.0.7.5"


def test_a_bridge_that_is_named_no_longer_is_left_alone(
    switch: PrivateOvs, guests: dict[str, Guest], dhcpd: Dhcpd
) -> None:
    """Others may use it now, and Open vSwitch sends a paused packet to every connection."""
    dhcpd.reconfigure(yaml.safe_dump({"networks": {}}))
    wait_until(lambda: "br-int: connection ended" in dhcpd.log(), "the connection to end")
    assert our_flows(switch) == []
    assert offered(guests["blue"]) == "10.0.0.5"
    dhcpd.reconfigure(network("red", "10.0.7.0/24"))
    wait_until(lambda: len(our_flows(switch)) == 5, "the flows to come again")
    assert offered(guests["red"]) == "10.0.7.5"


def test_a_bridge_that_is_named_no_longer_is_left_alone_by_who_stands_by_there(
    switch: PrivateOvs, guests: dict[str, Guest], dhcpd: Dhcpd
) -> None:
    def stands_by(times: int) -> bool:
        said = f"br-int: standby for pid {dhcpd.process.pid}\n"
        return standby.log().count(said) == times and "br-int: connected" in standby.log()

    with Dhcpd(switch, network("red", "10.0.0.0/24"), *dhcpd.arguments, label="2") as standby:
        wait_until(lambda: stands_by(1), "it to stand by")
        wait_until(lambda: "ports served: 2" in standby.appctl("status"), "both ports to be known")
        standby.reconfigure(yaml.safe_dump({"networks": {}}))
        wait_until(lambda: "br-int: connection ended" in standby.log(), "the connection to end")
        standby.reconfigure(network("red", "10.0.0.0/24"))
        wait_until(lambda: stands_by(2), "it to stand by again")
        assert standby.stop() == 0
    assert offered(guests["red"]) == "10.0.0.5"


def test_one_port_plugged_in_twice_is_refused_by_name(
    switch: PrivateOvs, guests: dict[str, Guest], dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    switch.vsctl("add-port", switch.bridge, "twin", "--", "set", "interface", "twin",
                 "type=internal", "external_ids:iface-id=red")  # fmt: skip
    port = guests["red"].port
    line = f"port red: is plugged in as {port} and as twin, expected one of them; {port} is served"
    wait_until(lambda: dhcpd.appctl("bindings/refused") == line, "the refusal")
    switch.vsctl("del-port", "twin", "--", "--may-exist", "add-br", "br-foreign", "--",
                 "set", "bridge", "br-foreign", f"datapath_type={switch.datapath_type}", "--",
                 "add-port", "br-foreign", "a-twin", "--", "set", "interface", "a-twin",
                 "type=internal", "external_ids:iface-id=red")  # fmt: skip
    wait_until(lambda: dhcpd.appctl("bindings/refused") == "", "nothing")
    assert our_flows(switch) == before
    switch.vsctl("del-br", "br-foreign")


def test_a_network_in_two_files_leaves_the_configuration_as_it_is(
    switch: PrivateOvs, guests: dict[str, Guest], dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    dhcpd.reconfigure(network("blue", "10.0.0.0/24"))
    wait_until(lambda: "expected each network once" in dhcpd.log(), "the mistake")
    one, two = dhcpd.configuration_file, dhcpd.arguments[1]
    assert dhcpd.appctl("bindings/refused").splitlines() == [
        f"{two}:2: blue: is at {one}:2 too, expected each network once",
        f"{two}:7: blue: is at {one}:6 too, expected each port once",
    ]
    assert our_flows(switch) == before


def test_both_bridges_may_connect_to_one_address(
    switch: PrivateOvs, guests: dict[str, Guest], tmp_path: Path
) -> None:
    blue = tmp_path / "blue.yaml"
    blue.write_text(network("blue", "10.0.1.0/24", bridge=OTHER))
    arguments = ("--config", str(blue), "--listen", CONTROLLER, "--cleanup")
    bridges = ("br-int", OTHER)
    with Dhcpd(switch, network("red", "10.0.0.0/24"), *arguments) as dhcpd:
        for bridge in bridges:
            switch.vsctl("set", "bridge", bridge, "protocols=OpenFlow15", "--",
                         "set-controller", bridge, CONTROLLER)  # fmt: skip
        wait_until(lambda: all_ready(dhcpd), "both bridges to be ready", 20)
        for bridge in bridges:
            switch.ofctl("add-flow", bridge, "priority=0,actions=normal")
        assert offered(guests["red"]) == "10.0.0.5"
        assert offered(guests["blue"]) == "10.0.1.5"
    for bridge in bridges:
        switch.vsctl("del-controller", bridge)
    assert our_flows(switch) == our_flows(switch, OTHER) == []
