# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd why`: each way in which a guest gets no address, made for real, and named.

Where the answer has a command to type, that is typed, and the guest gets its address.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import yaml

from tests.lab.daemon import ROOT, Dhcpd, wait_ready
from tests.lab.guest import Guest
from tests.lab.nobody import as_nobody
from tests.lab.northbound import PROGRAMS as NORTHBOUND
from tests.lab.northbound import Northbound, NorthboundDhcpd
from tests.lab.packets import DECLINE, DISCOVER, REQUEST, option, request
from tests.lab.process import Process, run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

MAC, MAC2 = "02:00:00:00:00:01", "02:00:00:00:00:02"
SERVER = "10.0.0.1"
OTHER = "br-other"
DROP = "table=0,priority=200,udp,tp_dst=67"


class Why(NamedTuple):
    """What the command printed, and its exit status."""

    status: int
    text: str

    @property
    def headline(self) -> str:
        return self.text.splitlines()[0]

    @property
    def mend(self) -> str:
        (_, second, *_) = self.text.splitlines()
        return second.removeprefix("mend: ") if second.startswith("mend: ") else ""

    def link(self, name: str) -> tuple[str, str]:
        """The verdict on this link, and what was found."""
        for line in self.text.splitlines():
            for verdict in ("ok", "warning", "not known", "broken"):
                words = line.removeprefix(name).strip().partition(verdict)
                if line.startswith(f"{name} ") and words[:2] == ("", verdict):
                    return verdict, words[2].strip()
        raise AssertionError(f"no link {name}:\n{self.text}")


def command(switch: PrivateOvs, *words: str) -> list[str]:
    return [sys.executable, "-m", "ovs_dhcpd", "why", "--ovs-rundir", str(switch.run_dir), *words]


def why(switch: PrivateOvs, *words: str) -> Why:
    done = subprocess.run(
        command(switch, *words), capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stderr == ""
    assert done.returncode in (0, 1)
    return Why(done.returncode, done.stdout)


PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
AS_IN_THE_PAGE = (
    (r"/\S*/ovs-dhcpd\.yaml", "/etc/lab.yaml"),
    (r"/tmp/ovslab-[^/]+/run", "/var/run/openvswitch"),
    (r"\bpid [0-9]+", "pid 4711"),
    (r"ovs-dhcpd\.[0-9]+\.ctl", "ovs-dhcpd.4711.ctl"),
    (r"behind port [0-9]+", "behind port 5"),
    (r"expected br-int or br-other$", "expected br-int"),  # if a test has had it made
    (r"(less than )?[0-9]+ s ago", "40 s ago"),
)


def in_the_page(said: Why) -> bool:
    """Whether the page for users has just this, but for the names of this host."""
    lines = [said.headline, *([f"mend: {said.mend}"] if said.mend else [])]
    text = "".join(f"{line}\n" for line in lines)
    for pattern, name in AS_IN_THE_PAGE:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text in PAGE


def explained(switch: PrivateOvs, port: str, expected: str) -> Why:
    """What is said of a port that is not served, once its headline has these words."""
    said: list[Why] = []

    def is_said() -> bool:
        said.append(why(switch, port))
        return expected in said[-1].headline

    try:
        wait_until(is_said, f"{expected!r} to be said")
    except Exception:
        print(said[-1].text)
        raise
    assert said[-1].status == 1
    is_offered = "nobody has asked since" in expected
    assert said[-1].headline.startswith(f"{port} is {'' if is_offered else 'not '}served")
    assert in_the_page(said[-1]), said[-1].text
    return said[-1]


def type_it(switch: PrivateOvs, text: str) -> None:
    """Do what the answer says."""
    words = shlex.split(text)
    if words[0] == "ovs-vsctl":
        switch.vsctl(*words[1:])
    else:
        run(words, env=switch.environment)


def lab(pool: str = "", bridge: str = "", **ports: str) -> str:
    """A file with the network lab, with a pool or these ports."""
    network: dict[str, Any] = {"dhcpv4": {"cidr": "10.0.0.0/24"}}
    if pool:
        network["pool"] = pool
    if bridge:
        network["bridge"] = bridge
    if ports:
        network["ports"] = {name: {"addresses": text} for name, text in ports.items()}
    return yaml.safe_dump({"networks": {"lab": network}}, sort_keys=False)


NAMED = lab(vm1=f"{MAC} 10.0.0.5")
POOL = lab("10.0.0.100-10.0.0.103")
ONE = lab("10.0.0.100")


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> list[Guest]:
    """Two; their ports are unplugged."""
    switch.add_bridge(OTHER)
    guests = [switch.guest(name, mac) for name, mac in (("vm1", MAC), ("vm2", MAC2))]
    for guest in guests:
        switch.unplug(guest.port)
    return guests


Plug = Callable[..., Guest]


@pytest.fixture
def plug(switch: PrivateOvs, guests: list[Guest]) -> Iterator[Plug]:
    """plug(number, key=value, …) plugs a guest in, with these external_ids; all go at the end."""

    def plug(number: int, bridge: str = "br-int", **external_ids: str) -> Guest:
        guest = guests[number - 1]
        ids = [f'external_ids:{key.replace("_", "-")}="{value}"'
               for key, value in external_ids.items()]  # fmt: skip
        settings = ["--", "set", "interface", guest.port, *ids] if ids else []
        switch.vsctl("add-port", bridge, guest.port, *settings)
        return guest

    yield plug
    for guest in guests:
        switch.vsctl("--if-exists", "del-port", guest.port)


@contextmanager
def serving(switch: PrivateOvs, text: str, *arguments: str) -> Iterator[Dhcpd]:
    with Dhcpd(switch, text, "--pidfile", "--cleanup", *arguments) as dhcpd:
        wait_ready(dhcpd)
        yield dhcpd


def gets_an_address(guest: Guest) -> bool:
    return guest.ask(request(DISCOVER, guest.mac), 1) is not None


def is_served(switch: PrivateOvs, guest: Guest, port: str) -> Why:
    """What is said of a port once its guest gets an address."""
    wait_until(lambda: gets_an_address(guest), "an address", 20)
    said = why(switch, port)
    assert said.status == 0, said.text
    assert said.headline.startswith(f"{port} is served 10.0.0.")
    return said


# All is well


@pytest.mark.parametrize("openflow", ["1.3", "1.5"])
def test_who_is_served_and_has_asked(switch: PrivateOvs, plug: Plug, openflow: str) -> None:
    guest = plug(1, iface_id="vm1", attached_mac=MAC)
    with serving(switch, NAMED, "--openflow", openflow) as dhcpd:
        said = is_served(switch, guest, "vm1")
        last = " (last " if openflow == "1.5" else ""
        assert f"is served 10.0.0.5 of lab; asked for DHCPv4 1 time{last}" in said.headline
        assert said.mend == ""
        assert said.link("daemon") == ("ok", dhcpd.appctl("status").splitlines()[0])
        assert said.link("connection")[1].endswith(f"OpenFlow {openflow}")
        where = f"{guest.port} (iface-id vm1), port {switch.ofport(guest.port)} of br-int"
        assert said.link("plugged in") == ("ok", where)
        assert said.link("network") == ("ok", f"lab, named in {dhcpd.configuration_file}")
        assert said.link("MAC") == ("ok", f"{MAC}, as attached-mac says")
        assert said.link("address") == ("ok", "10.0.0.5")
        assert said.link("flows") == ("ok", "3 are there")
        verdict, found = said.link("answered")
        assert verdict == "ok"
        assert re.fullmatch(rf"DHCPDISCOVER of {MAC}, .+ ago, answered DHCPOFFER: offered", found)
        for link in ("configuration", "bridge", "turn", "other flows", "meter", "forwarding"):
            assert said.link(link)[0] == "ok"


def test_a_name_a_mac_and_an_address_mean_the_same_port(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED):
        is_served(switch, guest, "vm1")
        for words in ("vm1", guest.port, MAC, MAC.upper(), "10.0.0.5"):
            said = why(switch, words)
            assert said.status == 0
            assert said.headline.startswith(f"{words} is served 10.0.0.5 of lab; ")
        assert "no port here is called so" in why(switch, "10.0.0.6").headline


def test_a_mac_means_the_port_behind_which_it_has_asked(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1)
    with serving(switch, POOL):
        is_served(switch, guest, guest.port)
        assert why(switch, MAC).headline.startswith(f"{MAC} is served 10.0.0.10")


def test_ovs_appctl_says_the_same_as_text_and_as_json(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED) as dhcpd:
        is_served(switch, guest, "vm1")

        def without_times(text: str) -> str:
            return "\n".join(line for line in text.splitlines() if " ago" not in line)

        shown = dhcpd.appctl("why", "vm1")
        assert without_times(shown) == without_times(why(switch, "vm1").text)
        found = json.loads(dhcpd.appctl("why", "-f", "json", "vm1"))
        assert (found["version"], found["served"], found["port"]) == (1, True, "vm1")
        assert found["bindings"] == [{"network": "lab", "mac": MAC, "addresses": ["10.0.0.5"]}]
        assert found["links"][0]["link"] == "daemon"
        printed = json.loads(why(switch, "-f", "json", "vm1").text)
        assert printed.keys() == found.keys()
        with pytest.raises(Exception, match="-f xml: expected -f json"):
            dhcpd.appctl("why", "-f", "xml", "vm1")


def test_after_a_restart_the_switch_still_knows_that_it_has_asked(
    switch: PrivateOvs, plug: Plug
) -> None:
    guest = plug(1, iface_id="vm1")
    with Dhcpd(switch, NAMED) as dhcpd:
        is_served(switch, guest, "vm1")
        dhcpd.stop()
        dhcpd.start()
        wait_ready(dhcpd)
        said = why(switch, "vm1")
        assert said.status == 0
        assert "asked for DHCPv4 " in said.headline
        assert said.link("answered")[0] == "not known"


def test_who_has_never_asked_is_found_by_what_the_bridge_has_learned(
    switch: PrivateOvs, plug: Plug
) -> None:
    guest = plug(1)

    def found(mac: str) -> bool:
        with guest.raw() as raw:
            raw.send(bytes.fromhex(f"ffffffffffff{mac.replace(':', '')}88b5").ljust(60, b"\0"))
        return why(switch, mac).headline.startswith(f"{guest.port} is")

    with serving(switch, POOL):
        wait_until(lambda: found(guest.mac), "the bridge to have learned the MAC")
        found_as = json.loads(why(switch, guest.mac, "-f", "json").text)
        assert (found_as["asked_for"], found_as["port"]) == (guest.mac, guest.port)
        trace = [*command(switch, guest.mac)]
        trace[3] = "trace"
        assert f"eth.src = {guest.mac}, " in run(trace)
        switch.vsctl("set", "interface", guest.port, "external_ids:dhcp-network=none")
        text = f"{guest.port} is not served: external_ids:dhcp-network=none keeps it out"
        text = f"{guest.mac} is not served: it is behind {guest.port}, and {text}"
        wait_until(lambda: why(switch, guest.mac).headline == text, text)
        said = why(switch, guest.mac)
        assert said.mend == (
            f"where {guest.port} leads to another host, ask there, else type: "
            f"ovs-vsctl remove interface {guest.port} external_ids dhcp-network"
        )
    assert why(switch, "02:00:00:00:77:77").status == 1


# The daemon


def test_no_daemon(switch: PrivateOvs) -> None:
    said = explained(switch, "vm1", "nobody to ask")
    assert said.mend.startswith("ovs-dhcpd run --config FILE")


def test_a_daemon_of_another_user(switch: PrivateOvs, plug: Plug) -> None:
    plug(1, iface_id="vm1")
    with serving(switch, NAMED) as dhcpd:
        switch.directory.chmod(0o755)
        words = command(switch, "vm1")
        done = subprocess.run(
            as_nobody(*words[3:]),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        socket = switch.run_dir / f"ovs-dhcpd.{dhcpd.process.pid}.ctl"
        assert done.stderr == ""
        said = Why(done.returncode, done.stdout)
        assert said.status == 1
        assert said.headline == f"vm1 is not served: {socket}: Permission denied"
        assert said.mend == "sudo ovs-dhcpd why vm1"
        assert in_the_page(said)


def test_a_second_daemon_names_the_one_to_be_asked(switch: PrivateOvs, plug: Plug) -> None:
    plug(1, iface_id="vm1")
    with serving(switch, NAMED) as active, Dhcpd(switch, NAMED, label="-2") as standby:
        wait_until(lambda: "flows of ours are there" in standby.log(), "the standby", 20)
        wait_until(
            lambda: f"standby for pid {active.process.pid}" in standby.appctl("why", "vm1"),
            "the standby to know of the port",
        )
        said = Why(1, standby.appctl("why", "vm1"))
        assert said.headline == f"vm1 is not served: standby for pid {active.process.pid}"
        assert in_the_page(said)
        answer = run(shlex.split(said.mend), env=switch.environment)
        assert "turn           ok         active" in answer
        # The command asks the one that has the turn.
        assert why(switch, "vm1").link("turn") == ("ok", "active")


def test_mistakes_in_the_file_that_keep_the_old_configuration(
    switch: PrivateOvs, plug: Plug
) -> None:
    served, guest = plug(1, iface_id="vm1"), plug(2, iface_id="vm2")
    with serving(switch, NAMED) as dhcpd:
        is_served(switch, served, "vm1")
        both = lab(vm1=f"{MAC} 10.0.0.5", vm2=f"{MAC2} 10.0.0.6")
        dhcpd.reconfigure(both + "oops: 1\n")
        mistake = f"{dhcpd.configuration_file}:10: oops: "
        said = explained(switch, "vm2", mistake)
        assert said.link("configuration")[1].endswith("what was read before is in force")
        still = is_served(switch, served, "vm1")
        assert still.link("configuration")[0] == "warning"
        dhcpd.reconfigure(both)
        is_served(switch, guest, "vm2")


# The bridge


def test_the_switch_cannot_make_the_bridge(switch: PrivateOvs) -> None:
    text = "bridge br-new: ovs-vswitchd cannot make it, or does not run"
    bridge = ("add-br", "br-new", "--", "set", "bridge", "br-new", "datapath_type=nonsense")
    port = ("add-port", "br-new", "tap9", "--", "set", "interface", "tap9", "type=internal")
    switch.vsctl("--no-wait", *bridge, "--", *port)  # a new ovs-vsctl says that it failed
    try:
        with Dhcpd(switch, lab("10.0.0.100", bridge="br-new")):
            said = explained(switch, "tap9", text)
            assert said.link("plugged in")[0] == "broken"
    finally:
        switch.vsctl("del-br", "br-new")


def test_no_bridge_of_the_files_exists(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1)
    with serving(switch, POOL) as dhcpd:
        is_served(switch, guest, guest.port)
        dhcpd.reconfigure(lab("10.0.0.100", bridge="br-new"))
        said = explained(switch, guest.port, "br-int is served nothing, and there is no br-new")
        assert said.mend == "write where its network is: bridge: br-int"
        dhcpd.reconfigure(POOL)
        is_served(switch, guest, guest.port)


def test_its_device_is_in_no_bridge(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1)
    with serving(switch, POOL):
        is_served(switch, guest, guest.port)
        switch.vsctl("del-port", guest.port)
        said = explained(switch, guest.port, "is a device of this host, and a port of no bridge")
        type_it(switch, said.mend)
        is_served(switch, guest, guest.port)


def test_two_interfaces_say_that_they_are_the_port(switch: PrivateOvs, plug: Plug) -> None:
    first, second = plug(1, iface_id="vm1"), plug(2)
    with serving(switch, NAMED) as dhcpd:
        is_served(switch, first, "vm1")
        switch.vsctl("set", "interface", second.port, "external_ids:iface-id=vm1")
        said = explained(switch, second.port, "is plugged in as")
        assert why(switch, first.port).status == 0
        type_it(switch, said.mend)
        wait_until(lambda: dhcpd.appctl("bindings/refused") == "", "vm1 to be one again")


def test_the_bridge_is_missing(switch: PrivateOvs) -> None:
    with Dhcpd(switch, lab(bridge="br-new", vm1=f"{MAC} 10.0.0.5")):
        said = explained(switch, "vm1", "bridge br-new: does not exist")
        write, mend = said.mend.split(" type: ")
        assert (write, mend) == ("write that, or for a new bridge", "ovs-vsctl add-br br-new")
        datapath = f"-- set bridge br-new datapath_type={switch.datapath_type}"  # of the lab
        type_it(switch, f"{mend} {datapath}")
        try:
            explained(switch, "vm1", "no interface has external_ids:iface-id=vm1")
        finally:
            switch.vsctl("del-br", "br-new")


def test_the_bridge_speaks_none_of_our_protocols(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    switch.vsctl("set", "bridge", "br-int", "protocols=OpenFlow10")
    try:
        with Dhcpd(switch, NAMED, "--cleanup"):
            said = explained(switch, "vm1", "bridge br-int: protocols=OpenFlow10, expected one of")
            type_it(switch, said.mend)
            is_served(switch, guest, "vm1")
    finally:
        switch.vsctl("clear", "bridge", "br-int", "protocols")


def test_the_switch_is_away(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED):
        is_served(switch, guest, "vm1")
        switch.processes["ovs-vswitchd"].stop()
        try:
            said = explained(switch, "vm1", "not connected: ")
            for link in ("flows", "other flows", "forwarding"):
                assert said.link(link)[0] == "not known"
        finally:
            switch.start_vswitchd()
        is_served(switch, guest, "vm1")


def test_it_is_on_a_bridge_that_no_source_is_about(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, OTHER)
    with serving(switch, POOL):
        said = explained(switch, guest.port, f"{OTHER} is served nothing, expected br-int")
        type_it(switch, said.mend)
        is_served(switch, guest, guest.port)


# The port, and what it is to have


def test_it_is_named_and_not_plugged_in(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1)
    with serving(switch, NAMED):
        said = explained(switch, "vm1", "no interface has external_ids:iface-id=vm1, or is called")
        assert said.link("network")[1].startswith("lab, named in ")
        type_it(switch, said.mend.replace("NAME", guest.port))
        is_served(switch, guest, "vm1")


def test_its_interface_has_no_device(switch: PrivateOvs) -> None:
    switch.vsctl("--no-wait", "add-port", "br-int", "tap99", "--", "set", "interface", "tap99",
                 "external_ids:iface-id=vm1")  # fmt: skip
    try:
        with serving(switch, NAMED):
            said = explained(switch, "vm1", "tap99 has no OpenFlow port")
            assert "could not open network device tap99" in run(
                shlex.split(said.mend), env=switch.environment
            )
    finally:
        switch.vsctl("--no-wait", "del-port", "tap99")


def test_it_is_on_another_bridge_than_its_network(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, OTHER, iface_id="vm1")
    with serving(switch, NAMED):
        said = explained(switch, "vm1", f"is plugged into {OTHER}, expected br-int")
        type_it(switch, said.mend)
        is_served(switch, guest, "vm1")


def test_it_is_in_no_network(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1)
    pools = yaml.safe_load(POOL)
    pools["networks"]["office"] = {"dhcpv4": {"cidr": "10.1.0.0/24"}, "pool": "10.1.0.100"}
    with serving(switch, yaml.safe_dump(pools)):
        said = explained(switch, guest.port, "is in no network, expected external_ids:dhcp-network")
        type_it(switch, said.mend)
        is_served(switch, guest, guest.port)


def test_it_is_kept_out(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, dhcp_network="none")
    with serving(switch, POOL):
        said = explained(switch, guest.port, "external_ids:dhcp-network=none keeps it out")
        type_it(switch, said.mend)
        is_served(switch, guest, guest.port)


@pytest.mark.needs(*NORTHBOUND)
def test_it_is_disabled_in_the_northbound_database(switch: PrivateOvs, plug: Plug) -> None:
    plug(1, iface_id="vm1")
    northbound = Northbound.on(switch)
    options = {"server_id": SERVER, "server_mac": "02:00:00:00:00:99", "lease_time": "3600"}
    row = northbound.dhcp_options("10.0.0.0/24", options)
    northbound.nbctl("ls-add", "ls1", "--", "lsp-add", "ls1", "vm1", "--",
                     "lsp-set-addresses", "vm1", f"{MAC} 10.0.0.5", "--",
                     "lsp-set-dhcpv4-options", "vm1", row, "--",
                     "lsp-set-enabled", "vm1", "disabled")  # fmt: skip
    with NorthboundDhcpd(switch, northbound.remotes, "--pidfile", "--cleanup"):
        explained(switch, "vm1", "enabled: false")


def test_the_pool_is_empty(switch: PrivateOvs, plug: Plug) -> None:
    first = plug(1)
    with serving(switch, ONE) as dhcpd:
        is_served(switch, first, first.port)
        second = plug(2)
        said = explained(switch, second.port, "no address is free in pool 10.0.0.100")
        assert said.mend == "ovs-appctl -t ovs-dhcpd pools/show"
        assert "1 of 1 addresses given out" in run(shlex.split(said.mend), env=switch.environment)
        dhcpd.reconfigure(POOL)
        is_served(switch, second, second.port)


def test_the_macs_of_the_file_and_of_the_guest_differ(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(2, iface_id="vm1", attached_mac=MAC2)
    with serving(switch, NAMED) as dhcpd:
        said = explained(switch, "vm1", f"{MAC} is served, and the guest has {MAC2}")
        where = f"write in {dhcpd.configuration_file}: addresses: "
        assert said.mend == f'{where}"{MAC2} 10.0.0.5"'
        addresses = said.mend.removeprefix(where).strip('"')
        dhcpd.reconfigure(lab(vm1=addresses))
        is_served(switch, guest, "vm1")


def test_the_client_declines_its_fixed_address(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED) as dhcpd:
        is_served(switch, guest, "vm1")
        with guest.raw() as raw:
            raw.send(request(DECLINE, MAC, option(50, "10.0.0.5"), option(54, SERVER)))
        said = explained(switch, "vm1", "10.0.0.5 is declined, as if somebody used it")
        assert said.link("address")[0] == "broken"
        dhcpd.reconfigure(lab(vm1=f"{MAC} 10.0.0.6"))
        is_served(switch, guest, "vm1")


def test_the_client_takes_the_offer_of_another_server(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED):
        is_served(switch, guest, "vm1")
        with guest.raw() as raw:
            raw.send(request(REQUEST, MAC, option(50, "10.0.0.5"), option(54, "10.0.0.254")))
        explained(switch, "vm1", "is not answered: meant for another server")
        is_served(switch, guest, "vm1")


# The switch


def test_it_has_never_asked(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED):
        said = explained(switch, "vm1", "nobody has asked since its flows came, ")
        verdict, found = said.link("MAC")
        assert (verdict, found.split(",")[0]) == ("not known", MAC)
        is_served(switch, guest, "vm1")


def test_it_asks_by_another_mac_than_the_files(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(2, iface_id="vm1")
    with serving(switch, NAMED) as dhcpd:
        assert not gets_an_address(guest)
        said = explained(switch, "vm1", f"{MAC} is served, and {MAC2} is behind the port")
        dhcpd.reconfigure(lab(vm1=said.mend.partition("addresses: ")[2].strip('"')))
        is_served(switch, guest, "vm1")


def test_it_asks_with_a_tag(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(2, iface_id="vm1")
    with serving(switch, NAMED.replace(MAC, MAC2)):
        with guest.raw() as raw:
            frame = request(DISCOVER, MAC2)
            raw.send(frame[:12] + bytes.fromhex("81000064") + frame[12:])
        explained(
            switch, "vm1", f"nobody has asked without a tag, and {MAC2} sends with that of VLAN 100"
        )
        is_served(switch, guest, "vm1")


def test_a_daemons_question_is_nobodys_mac(switch: PrivateOvs, plug: Plug) -> None:
    """It is asked as if by the port, and the bridge learns that."""
    guest = plug(1, iface_id="vm1")
    with serving(switch, POOL) as dhcpd:
        is_served(switch, guest, "vm1")
        assert "02:64:68:" in switch.appctl("fdb/show", "br-int")
        dhcpd.reconfigure(lab(vm1=f"{MAC} 10.0.0.5"))
        explained(switch, "vm1", "nobody has asked since its flows came, ")


def test_a_flow_of_somebody_else_is_on_top(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED):
        is_served(switch, guest, "vm1")
        switch.ofctl("add-flow", "br-int", f"{DROP},actions=drop")
        said = explained(switch, "vm1", "a flow of somebody else, table=0, priority=200,")
        assert said.link("other flows")[0] == "broken"
        type_it(switch, said.mend)
        wait_until(lambda: why(switch, "vm1").status == 0, "it to be over")
        is_served(switch, guest, "vm1")


def test_nothing_behind_ours_forwards(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED):
        is_served(switch, guest, "vm1")
        switch.ofctl("--strict", "del-flows", "br-int", "table=0,priority=0")

        def forwarding() -> tuple[str, str]:
            return why(switch, "vm1").link("forwarding")

        wait_until(lambda: forwarding()[0] == "warning", "the warning")
        found = forwarding()[1]
        assert found.startswith("no flow in table 0 but ours")
        assert why(switch, "vm1").status == 0  # leases it gets
        type_it(switch, found.partition("; type: ")[2])
        wait_until(lambda: forwarding()[0] == "ok", "it to be over")


def test_more_is_asked_than_the_meter_lets_pass(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    limited = yaml.safe_load(NAMED)
    limited["networks"]["lab"]["rate_limit"] = {"pps": 1, "burst": 1}
    with serving(switch, yaml.safe_dump(limited)):
        is_served(switch, guest, "vm1")
        with guest.raw() as raw:
            for _ in range(50):
                raw.send(request(DISCOVER, MAC))
        wait_until(lambda: why(switch, "vm1").link("meter")[0] == "warning", "the meter's drops")
        assert "1 a second, 1 at once" in why(switch, "vm1").link("meter")[1]


# What it costs


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        process.kill(signal.SIGCONT)


def test_a_switch_that_does_not_answer_is_not_waited_for(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED) as dhcpd:
        is_served(switch, guest, "vm1")
        with stopped(switch.processes["ovs-vswitchd"]):
            said = why(switch, "vm1")
            assert said.link("flows") == ("not known", "the switch has not said")
        assert "active" in dhcpd.appctl("status")


def test_who_asks_and_goes_away_costs_nothing(switch: PrivateOvs, plug: Plug) -> None:
    guest = plug(1, iface_id="vm1")
    with serving(switch, NAMED) as dhcpd:
        is_served(switch, guest, "vm1")
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{switch.run_dir}/ovs-dhcpd.{dhcpd.process.pid}.ctl")
                connection.sendall(b'{"method": "why", "params": ["vm1"], "id": 0}')
        is_served(switch, guest, "vm1")
        assert "Traceback" not in dhcpd.log()
