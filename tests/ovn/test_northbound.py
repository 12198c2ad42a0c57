# SPDX-License-Identifier: Apache-2.0
"""What ovn-nbctl writes is on the bridge, as with OVN, and without ovn-northd."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, decode_userdata

from tests.lab import reference
from tests.lab.clients import Udhcpc
from tests.lab.daemon import ROOT, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.northbound import PROGRAMS, Northbound, NorthboundDhcpd
from tests.lab.process import run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs(*PROGRAMS, "openssl")

OPTIONS = reference.OVN_OPTIONS
PORT = reference.PORT
HOSTNAME, MTU = 12, 26
TCP, SSL = "tcp:6641", "ssl:6642"  # in the switch's own namespace


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return reference.guest(switch)


@pytest.fixture(scope="module")
def tls(keys: dict[str, str]) -> list[str]:
    """The same for either side."""
    return [f"{option}={file}" for option, file in keys.items()]


@pytest.fixture(scope="module")
def listening(tls: list[str]) -> list[str]:
    """What the database's server is told besides its Unix socket."""
    return [*(f"--remote=p{remote}:127.0.0.1" for remote in (TCP, SSL)), *tls]


@pytest.fixture(scope="module")
def northbound(switch: PrivateOvs, listening: list[str]) -> Northbound:
    return Northbound.on(switch, *listening)


@pytest.fixture
def row(northbound: Northbound) -> str:
    """The DHCP_Options of the one port."""
    northbound.nbctl("--if-exists", "ls-del", "finance-network1", "--",
                     "--all", "destroy", "DHCP_Options")  # fmt: skip
    row = northbound.dhcp_options(str(reference.CIDR), OPTIONS)
    northbound.nbctl(
        "ls-add", "finance-network1", "--",
        "lsp-add", "finance-network1", PORT, "--",
        "lsp-set-addresses", PORT, f"{reference.MAC} {reference.ADDRESS}", "--",
        "lsp-set-dhcpv4-options", PORT, row,
    )  # fmt: skip
    return row


@pytest.fixture
def dhcpd(
    switch: PrivateOvs, guest: Guest, northbound: Northbound, row: str
) -> Iterator[NorthboundDhcpd]:
    with NorthboundDhcpd(switch, northbound.remotes, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        wait_ready(dhcpd)
        yield dhcpd


def served(switch: PrivateOvs) -> PutDhcpOpts | None:
    """What the port's flows say; None if it has none."""
    found = {
        flow.partition("userdata=")[2].partition(",")[0]
        for flow in our_flows(switch)
        if "userdata=" in flow
    }
    if not found:
        return None
    (userdata,) = found
    action = decode_userdata(bytes.fromhex(userdata.replace(".", "")))
    assert isinstance(action, PutDhcpOpts)
    return action


def wait_for(switch: PrivateOvs, option: int, value: bytes | None) -> None:
    """Wait until the option has this value in the port's flows."""

    def has_come() -> bool:
        action = served(switch)
        return action is not None and dict(action.options).get(option) == value

    wait_until(has_come, f"option {option} to be {value!r}")


def wait_for_address(switch: PrivateOvs, address: IPv4Address) -> None:
    """Wait until the port is offered this address."""

    def has_come() -> bool:
        action = served(switch)
        return action is not None and action.offerip == address

    wait_until(has_come, f"the address {address}")


def test_the_userdata_is_the_reference_documents(
    switch: PrivateOvs, dhcpd: NorthboundDhcpd
) -> None:
    paused = [flow for flow in our_flows(switch) if "userdata=" in flow]
    assert len(paused) == 3
    assert all(f"controller(userdata={reference.USERDATA},pause)" in flow for flow in paused)
    assert dhcpd.appctl("bindings/refused") == ""


def test_the_logical_flows_that_run_are_shown(dhcpd: NorthboundDhcpd) -> None:
    target = dhcpd.switch.run_dir / f"{dhcpd.name}.{dhcpd.process.pid}.ctl"
    words = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "ovs_dhcpd", "lflows", "--running"]
    lflows = run([*words, target], env=dhcpd.switch.environment).splitlines()
    assert lflows == dhcpd.appctl("lflows/show").splitlines()
    assert lflows[0].startswith('Datapath: "dhcpv4 ')
    paused = [line for line in lflows if f"offerip = {reference.ADDRESS}" in line]
    assert len(paused) == 2
    assert all(f'inport == "{PORT}" && eth.src == {reference.MAC}' in line for line in paused)


@pytest.mark.needs("udhcpc")
def test_a_client_gets_its_lease(switch: PrivateOvs, guest: Guest, dhcpd: NorthboundDhcpd) -> None:
    with Udhcpc(switch, guest) as client:
        lease = client.lease()
    assert (lease.address, lease.mtu) == (reference.ADDRESS, reference.MTU)


@pytest.mark.needs("rdisc6")
def test_the_router_of_the_switch_is_advertised(
    switch: PrivateOvs, guest: Guest, northbound: Northbound, dhcpd: NorthboundDhcpd
) -> None:
    """When a guest asks, and unasked: the kernel makes an address of it without asking again."""
    solicit = guest.namespace.command("rdisc6", "-1", "-w", "3000", "eth0")
    northbound.nbctl(
        "lr-add", "router", "--", "lrp-add", "router", "lrp0", "0a:00:00:00:00:01", "fd00:1::1/64",
        "--", "set", "Logical_Router_Port", "lrp0", "ipv6_ra_configs:address_mode=slaac",
        "ipv6_ra_configs:mtu=1400", "ipv6_ra_configs:send_periodic=true",
        "ipv6_ra_configs:max_interval=4", "--",
        "lsp-add", "finance-network1", "to-router", "--", "lsp-set-type", "to-router", "router",
        "--", "lsp-set-options", "to-router", "router-port=lrp0",
    )  # fmt: skip
    wait_until(lambda: "fd00:1::" in guest.namespace.run("ip", "-6", "addr"), "an address")
    shown = run(solicit)
    assert "fd00:1::/64" in shown
    assert "1400 bytes" in shown
    assert "from fe80::800:ff:fe00:1" in shown
    northbound.nbctl("lr-del", "router", "--", "lsp-del", "to-router")
    wait_until(lambda: "dl_type=0x86dd" not in str(our_flows(switch)), "the flows to go")


def test_options_that_are_set_anew_take_effect(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd, row: str
) -> None:
    northbound.set_options(row, {**OPTIONS, "mtu": "1400"})
    wait_for(switch, MTU, (1400).to_bytes(2, "big"))


def test_another_row_of_options_takes_effect(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd
) -> None:
    other = northbound.dhcp_options(str(reference.CIDR), {**OPTIONS, "mtu": "1300"})
    northbound.nbctl("lsp-set-dhcpv4-options", PORT, other)
    wait_for(switch, MTU, (1300).to_bytes(2, "big"))


def test_the_ports_hostname_wins(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd, row: str
) -> None:
    northbound.set_options(row, {**OPTIONS, "hostname": '"shared"'})
    wait_for(switch, HOSTNAME, b"shared")
    northbound.nbctl("lsp-set-options", PORT, 'hostname="vm1"')
    wait_for(switch, HOSTNAME, b"vm1")


def test_another_address_takes_effect(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd
) -> None:
    northbound.nbctl("lsp-set-addresses", PORT, f"{reference.MAC} 192.168.1.77")
    wait_for_address(switch, IPv4Address("192.168.1.77"))


def test_a_dynamic_address_is_the_one_that_northd_chose(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd
) -> None:
    northbound.nbctl(
        "lsp-set-addresses", PORT, "dynamic", "--",
        "set", "Logical_Switch_Port", PORT, f'dynamic_addresses="{reference.MAC} 192.168.1.88"',
    )  # fmt: skip
    wait_for_address(switch, IPv4Address("192.168.1.88"))


@pytest.mark.parametrize(
    ("words", "undo"),
    [
        (["lsp-set-enabled", PORT, "disabled"], ["lsp-set-enabled", PORT, "enabled"]),
        (["lsp-set-type", PORT, "router"], ["lsp-set-type", PORT, ""]),
    ],
)
def test_such_a_port_is_not_served(
    switch: PrivateOvs,
    guest: Guest,
    northbound: Northbound,
    dhcpd: NorthboundDhcpd,
    words: list[str],
    undo: list[str],
) -> None:
    northbound.nbctl(*words)
    wait_until(lambda: served(switch) is None, "the flows to go")
    assert len(our_flows(switch)) == 1
    northbound.nbctl(*undo)
    dhcpd.wait_for_flows(guest)


@pytest.mark.parametrize(
    "words",
    [["lsp-set-dhcpv4-options", PORT], ["lsp-del", PORT], ["ls-del", "finance-network1"]],
)
def test_a_port_that_loses_its_options_is_no_longer_served(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd, words: list[str]
) -> None:
    northbound.nbctl(*words)
    wait_until(lambda: served(switch) is None, "the flows to go")


def test_a_row_of_options_that_goes_takes_the_flows_with_it(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd, row: str
) -> None:
    northbound.nbctl("dhcp-options-del", row)
    wait_until(lambda: served(switch) is None, "the flows to go")


def test_an_address_outside_of_cidr_is_refused_by_name(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd
) -> None:
    northbound.nbctl("lsp-set-addresses", PORT, f"{reference.MAC} 10.9.9.9")
    wait_until(lambda: served(switch) is None, "the flows to go")
    line = f"port {PORT}: addresses: no address in cidr {reference.CIDR}, expected one to offer"
    assert dhcpd.appctl("bindings/refused") == line
    assert line in dhcpd.log()


def test_one_bad_option_is_left_out_and_the_rest_is_served(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd, row: str
) -> None:
    northbound.set_options(row, {**OPTIONS, "mtu": "99999", "colour": "red"})
    wait_for(switch, MTU, None)
    assert dhcpd.appctl("bindings/refused").splitlines() == [
        f"port {PORT}: dhcpv4_options: colour: unknown option, "
        "expected the name of a DHCPv4 option or option_NNN",
        f"port {PORT}: dhcpv4_options: mtu: 99999 does not fit, "
        "expected 68 to 65535 (RFC 2132 §5.1)",
    ]
    northbound.set_options(row, OPTIONS)
    wait_for(switch, MTU, reference.MTU.to_bytes(2, "big"))
    assert dhcpd.appctl("bindings/refused") == ""


def test_a_port_that_is_plugged_in_later_is_served(
    switch: PrivateOvs, northbound: Northbound, dhcpd: NorthboundDhcpd, row: str
) -> None:
    northbound.nbctl(
        "lsp-add", "finance-network1", "late", "--",
        "lsp-set-addresses", "late", "02:00:00:00:00:02 192.168.1.8", "--",
        "lsp-set-dhcpv4-options", "late", row,
    )  # fmt: skip
    late = switch.guest("late", "02:00:00:00:00:02")
    dhcpd.wait_for_flows(late)
    switch.unplug(late.port)
    wait_until(lambda: len(our_flows(switch)) == 5, "its flows to go")


@pytest.mark.parametrize("remote", [TCP, SSL])
def test_the_server_of_several_that_answers_is_read(
    switch: PrivateOvs, guest: Guest, row: str, tls: list[str], remote: str
) -> None:
    protocol, port = remote.split(":")
    remotes = f"{protocol}:127.0.0.1:1,{protocol}:127.0.0.1:{port}"
    with NorthboundDhcpd(switch, remotes, *tls, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest, userdata=reference.USERDATA)


def test_without_the_database_ports_that_come_and_go_are_still_followed(
    switch: PrivateOvs,
    guest: Guest,
    northbound: Northbound,
    dhcpd: NorthboundDhcpd,
    row: str,
    listening: list[str],
) -> None:
    switch.processes["nb-db"].stop()
    switch.restart_vswitchd()
    dhcpd.wait_for_flows(guest, userdata=reference.USERDATA)
    other = switch.guest("other", "02:00:00:00:00:03")
    switch.start_database("nb", switch.run_dir / "nb.sock", *listening)
    northbound.nbctl(
        "lsp-add", "finance-network1", "other", "--",
        "lsp-set-addresses", "other", "02:00:00:00:00:03 192.168.1.9", "--",
        "lsp-set-dhcpv4-options", "other", row,
    )  # fmt: skip
    dhcpd.wait_for_flows(guest, other)


FILE = """\
networks:
  local:
    dhcpv4: {cidr: 10.0.0.0/24}
    ports:
      local: {addresses: "02:00:00:00:00:0a 10.0.0.10"}
"""


@pytest.fixture(scope="module")
def local(switch: PrivateOvs) -> Guest:
    """A guest that only the file names."""
    return switch.guest("local", "02:00:00:00:00:0a")


def test_a_file_beside_the_database_is_served_too(
    switch: PrivateOvs, guest: Guest, northbound: Northbound, row: str, tmp_path: Path, local: Guest
) -> None:
    file = tmp_path / "local.yaml"
    file.write_text(FILE)
    with NorthboundDhcpd(switch, northbound.remotes, "--config", str(file), "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest, local)
        assert dhcpd.appctl("bindings/refused") == ""

        northbound.nbctl("lsp-add", "finance-network1", "local", "--",
                         "lsp-set-addresses", "local", "02:00:00:00:00:0a 192.168.1.10", "--",
                         "lsp-set-dhcpv4-options", "local", row)  # fmt: skip
        line = (f"port local: is in OVN_Northbound and in {file}, expected it in one of them; "
                f"{file} is followed")  # fmt: skip
        wait_until(lambda: dhcpd.appctl("bindings/refused") == line, "the refusal")
        assert dhcpd.serves(local, "0a.00.00.0a")


def test_a_database_that_is_away_keeps_no_file_from_being_served(
    switch: PrivateOvs,
    guest: Guest,
    northbound: Northbound,
    row: str,
    listening: list[str],
    tmp_path: Path,
    local: Guest,
) -> None:
    with NorthboundDhcpd(switch, northbound.remotes) as dhcpd:
        dhcpd.wait_for_flows(guest)
    switch.processes["nb-db"].stop()
    file = tmp_path / "local.yaml"
    file.write_text(FILE)
    with NorthboundDhcpd(switch, northbound.remotes, "--config", str(file), "--cleanup") as dhcpd:
        wait_until(lambda: dhcpd.serves(local), "the file's port")
        assert dhcpd.serves(guest)  # by the flows of before
        assert "ready, " not in dhcpd.log()
        switch.start_database("nb", switch.run_dir / "nb.sock", *listening)
        wait_ready(dhcpd)
        assert dhcpd.serves(local)
        assert dhcpd.serves(guest)


POOLS = """\
networks:
  here:
    dhcpv4: {cidr: 10.0.1.0/24}
    pool: 10.0.1.0/24
  there:
    bridge: br-lab
    dhcpv4: {cidr: 10.0.2.0/24}
    pool: 10.0.2.0/24
"""


def test_only_pools_on_its_own_bridge_wait_for_the_database(
    switch: PrivateOvs,
    guest: Guest,
    northbound: Northbound,
    row: str,
    listening: list[str],
    tmp_path: Path,
    local: Guest,
) -> None:
    """There a port that is named nowhere may only not have been heard of yet."""
    file = tmp_path / "pools.yaml"
    file.write_text(POOLS)
    switch.processes["nb-db"].stop()
    switch.add_bridge("br-lab")
    lab = switch.guest("lab", "02:00:00:00:00:0b", bridge="br-lab")
    with NorthboundDhcpd(switch, northbound.remotes, "--config", str(file), "--cleanup") as dhcpd:
        wait_until(lambda: "br-lab: ready, 6 flows" in dhcpd.log(), "the guest on the other bridge")
        switch.vsctl("set", "interface", local.port, "external_ids:dhcp-network=here")
        assert len(dhcpd.appctl("bindings/show").splitlines()) == 1
        switch.start_database("nb", switch.run_dir / "nb.sock", *listening)
        wait_until(lambda: "local " in dhcpd.appctl("bindings/show"), "the one that says so")
        switch.vsctl("remove", "interface", local.port, "external_ids", "dhcp-network")
        dhcpd.wait_for_flows(guest)
        wait_until(lambda: "local " not in dhcpd.appctl("bindings/show"), "it to be the database's")
        assert dhcpd.appctl("bindings/refused") == ""
    switch.unplug(lab.port)


def test_an_address_twice_on_a_switch_is_refused_by_name(
    switch: PrivateOvs,
    guest: Guest,
    northbound: Northbound,
    dhcpd: NorthboundDhcpd,
    row: str,
    local: Guest,
) -> None:
    """ovn-nbctl would refuse it; other clients of the database need not."""

    def add_twin(network: str) -> None:
        addresses = f"02:00:00:00:00:0a {reference.ADDRESS}"
        northbound.nbctl("--may-exist", "ls-add", network, "--", "lsp-add", network, "twin", "--",
                         "set", "Logical_Switch_Port", "twin", f'addresses="{addresses}"', "--",
                         "lsp-set-dhcpv4-options", "twin", row)  # fmt: skip

    switch.vsctl("set", "interface", local.port, "external_ids:iface-id=twin")
    add_twin("finance-network1")
    line = f"port twin: addresses: {reference.ADDRESS} is that of {PORT} too, expected another"
    wait_until(lambda: dhcpd.appctl("bindings/refused") == line, "the refusal")
    dhcpd.wait_for_flows(guest)
    assert len(our_flows(switch)) == 5

    northbound.nbctl("lsp-set-addresses", PORT, f"{reference.MAC} 192.168.1.10")
    wait_until(lambda: dhcpd.serves(local), "it to be served when the other has another")
    assert dhcpd.appctl("bindings/refused") == ""

    northbound.nbctl("lsp-del", "twin")
    northbound.nbctl("lsp-set-addresses", PORT, f"{reference.MAC} {reference.ADDRESS}")
    add_twin("another")  # there nobody else has it
    wait_until(lambda: dhcpd.serves(local), "the same address on another switch")
    assert dhcpd.appctl("bindings/refused") == ""
    northbound.nbctl("ls-del", "another")
    switch.vsctl("set", "interface", local.port, "external_ids:iface-id=local")
