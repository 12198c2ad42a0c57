# SPDX-License-Identifier: Apache-2.0
"""The hosts of a Mininet topology get their addresses from the daemon."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.process import environment, wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's Mininet is installed for
TOPOLOGY = Path(__file__).with_name("topology.py")
LEASE_SCRIPT = ROOT / "containers" / "client-hook.sh"

# The ports are named as Mininet names the interfaces: there is no iface-id.
CONFIGURATION = """
bridge: s1
networks:
  mininet:
    dhcpv4: {cidr: 10.0.0.0/24, router: 10.0.0.1}
    ports:
      s1-eth1: {addresses: "02:00:00:00:00:01 10.0.0.11"}
      s1-eth2: {addresses: "02:00:00:00:00:02 10.0.0.12"}
"""


@pytest.fixture
def topology(switch: PrivateOvs) -> Iterator[subprocess.Popen[str]]:
    """The topology, up and waiting for a line on its standard input."""
    require("mn", "mnexec", "udhcpc", "ping", SYSTEM_PYTHON)
    log = switch.log_dir / "mininet.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [str(word) for word in switch.namespace.command(SYSTEM_PYTHON, TOPOLOGY, LEASE_SCRIPT)],
            env=environment(switch.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as topology,
    ):
        assert topology.stdout
        assert topology.stdout.readline() == "ready\n", log.read_text()
        yield topology


def test_hosts_get_their_addresses_and_reach_each_other(
    switch: PrivateOvs, topology: subprocess.Popen[str]
) -> None:
    with Dhcpd(switch, CONFIGURATION) as dhcpd:
        wait_until(lambda: "ready, " in dhcpd.log(), "the flows on s1", timeout_s=20)
        results = json.loads(topology.communicate("go\n", timeout=400)[0])
    assert results["h1"]["addresses"] == ["10.0.0.11/24"], results["h1"]["client"]
    assert results["h2"]["addresses"] == ["10.0.0.12/24"], results["h2"]["client"]
    assert " 0% packet loss" in results["ping"]
    assert dhcpd.messages() == [
        f"DHCP{message} 02:00:00:00:00:0{number} 10.0.0.1{number}"
        for number in (1, 2)
        for message in ("OFFER", "ACK")
    ]
