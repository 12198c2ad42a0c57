# SPDX-License-Identifier: Apache-2.0
"""What a fault of the daemon's own costs: one port, one bridge, one edit, or else the process."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator

import pytest
import yaml

from tests.lab.daemon import ROOT, Dhcpd, our_flows
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import LabError, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

OTHER = "br-other"
MACS = {name: f"02:00:00:00:00:0{number}" for number, name in enumerate(("good", "bad"), 1)}
MORE = "internal error (the log has more)"

# The daemon as it is, but for faults of the port bad, of the bridge br-other, of files with the
# network faulty, of the command memory/show, and of the database once it has an interface that is
# called end.
FAULTY = """
import sys
from ovs_dhcpd.controller import keeper
from ovs_dhcpd.controller.answers import Answers
from ovs_dhcpd.controller.commands.cli import main
from ovs_dhcpd.controller.ovsdb.open_vswitch import OpenVSwitch
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.pipeline import build

def faulty(call, is_now):
    def wrapped(*args, **kwargs):
        result = call(*args, **kwargs)
        if is_now(*args, result=result):
            raise KeyError("a fault")
        return result
    return wrapped

keeper.Keeper.__init__ = (lambda init: lambda self, name, *args: (
    init(self, name, *args),
    setattr(self.bridge, "tick", faulty(self.bridge.tick, lambda *_, **__: name == "br-other")),
)[0])(keeper.Keeper.__init__)
Answers._memory = faulty(Answers._memory, lambda *_, **__: True)
build.port_flows = faulty(build.port_flows, lambda _, port, *__, result: port.name == "bad")
yaml_file.load = faulty(
    yaml_file.load, lambda *_, result: "faulty" in [each.name for each in result.networks]
)
OpenVSwitch.run = faulty(OpenVSwitch.run, lambda *_, result: "end" in result)
sys.exit(main())
"""


class FaultyDhcpd(Dhcpd):
    """`ovs-dhcpd run` with faults."""

    def start(self) -> None:
        """Start it."""
        self._process = self.switch.spawn(
            self.name, "env", f"PYTHONPATH={ROOT}", sys.executable, "-c", FAULTY, "run",
            "--ovs-rundir", self.switch.run_dir, *self.options(),
        )  # fmt: skip


def configuration(*more: str, address: str = "10.0.0.5") -> str:
    """A network on each bridge, the first with the ports good and bad, and further ones."""
    ports = {
        "good": {"addresses": f"{MACS['good']} {address}"},
        "bad": {"addresses": f"{MACS['bad']} 10.0.0.6"},
    }
    networks = {
        "lab": {"dhcpv4": {"cidr": "10.0.0.0/24"}, "ports": ports},
        "other": {"bridge": OTHER, "dhcpv4": {"cidr": "10.0.1.0/24"}, "ports": {}},
        **{name: {"dhcpv4": {"cidr": "10.0.2.0/24"}, "ports": {}} for name in more},
    }
    return yaml.safe_dump({"networks": networks})


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> dict[str, Guest]:
    switch.add_bridge(OTHER)
    return {name: switch.guest(name, mac) for name, mac in MACS.items()}


@pytest.fixture
def dhcpd(switch: PrivateOvs, guests: dict[str, Guest]) -> Iterator[Dhcpd]:
    with FaultyDhcpd(switch, configuration()) as dhcpd:
        dhcpd.wait_for_flows(guests["good"])
        yield dhcpd


def offered(guest: Guest) -> str | None:
    reply = guest.ask(request(DISCOVER, guest.mac))
    return reply.yiaddr if reply else None


def refused(dhcpd: Dhcpd) -> list[str]:
    return dhcpd.appctl("bindings/refused").splitlines()


def test_a_fault_costs_one_port_one_bridge_or_one_edit(
    switch: PrivateOvs, guests: dict[str, Guest], dhcpd: Dhcpd
) -> None:
    lines = [f"port bad: {MORE}", f"bridge {OTHER}: {MORE}; it is left as it is"]
    assert offered(guests["good"]) == "10.0.0.5"
    assert refused(dhcpd) == lines
    assert not dhcpd.serves(guests["bad"])
    assert our_flows(switch, OTHER) == []
    assert "internal error" in dhcpd.appctl("stats/show")
    for what in ("port bad", f"bridge {OTHER}"):
        assert re.search(rf"{what}: internal error\n *Traceback \(most recent", dhcpd.log())
    assert "KeyError: 'a fault'" in dhcpd.log()

    dhcpd.reconfigure(configuration("faulty", address="10.0.0.7"))
    line = f"{dhcpd.configuration_file}: {MORE}"
    wait_until(lambda: refused(dhcpd) == [line, *lines], f"{line} in bindings/refused")
    assert offered(guests["good"]) == "10.0.0.5"
    dhcpd.reconfigure(configuration(address="10.0.0.7"))
    wait_until(lambda: refused(dhcpd) == lines, "the line to be gone")
    wait_until(lambda: offered(guests["good"]) == "10.0.0.7", "the new address")
    assert dhcpd.process.status is None


def test_a_fault_in_a_command_costs_its_answer_and_is_counted(dhcpd: Dhcpd) -> None:
    before = json.loads(dhcpd.appctl("status", "-f", "json"))["counts"]["internal errors"]
    with pytest.raises(LabError, match="internal error: KeyError: 'a fault'"):
        dhcpd.appctl("memory/show")
    after = json.loads(dhcpd.appctl("status", "-f", "json"))["counts"]["internal errors"]
    assert after > before
    assert re.search(r"memory/show: internal error\n *Traceback \(most recent", dhcpd.log())


def test_a_fault_that_costs_all_ends_the_process(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    """So that whoever watches it can start another one."""
    switch.vsctl("--no-wait", "add-port", switch.bridge, "end")
    wait_until(lambda: dhcpd.process.status is not None, "the process to end")
    assert dhcpd.process.status == -signal.SIGABRT
    assert "giving up" in dhcpd.log()
    assert "KeyError: 'a fault'" in dhcpd.log()
