# SPDX-License-Identifier: Apache-2.0
"""A switch that does not read costs its own connection, and nobody else anything.

The bridge br-stuck is a real one, with its ports in the database; but on its socket sits a peer
that stops reading in the middle of the bundle of 4,500 flows that it is sent.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
import yaml

from tests.lab.daemon import Dhcpd, our_flows
from tests.lab.guest import Guest
from tests.lab.openflow_peer import OpenFlowPeer
from tests.lab.packets import DISCOVER, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

STUCK = "br-stuck"
FLOWS = 4500
PORTS = FLOWS // 3  # each has three
PORTS_AT_ONCE = 250  # the slowest machine adds these in a few seconds, and 2,000 in a minute
MAC = "02:00:00:00:00:01"
AT_ONCE_S = 3.0  # 0.1 on a machine of its own; a daemon that waits for the peer takes 10 and more


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    """The one guest of br-int, beside which br-stuck has its many ports."""
    switch.add_bridge(STUCK)
    for first in range(0, PORTS, PORTS_AT_ONCE):
        words: list[str] = []
        for number in range(first, first + PORTS_AT_ONCE):
            words += ["--", "add-port", STUCK, f"p{number}", "--", "set", "interface", f"p{number}",
                      "type=patch", f"options:peer=q{number}",
                      f"external_ids:iface-id=port-{number}"]  # fmt: skip
        switch.vsctl(*words[1:])
    return switch.guest("red", MAC)


def configuration() -> str:
    """One port on br-int, and many on the other bridge."""
    many = {
        f"port-{number}": {"addresses": f"0a:00:00:00:{high:02x}:{low:02x} 10.1.{high}.{low}"}
        for number in range(PORTS)
        for high, low in [divmod(number + 256, 256)]
    }
    networks = {
        "red": {
            "dhcpv4": {"cidr": "10.0.0.0/24"},
            "ports": {"red": {"addresses": f"{MAC} 10.0.0.5"}},
        },
        "many": {"bridge": STUCK, "dhcpv4": {"cidr": "10.1.0.0/16"}, "ports": many},
    }
    return yaml.safe_dump({"networks": networks})


@pytest.fixture
def peer(switch: PrivateOvs, guest: Guest) -> Iterator[OpenFlowPeer]:
    """The peer, in the place of ovs-vswitchd's own socket."""
    path = switch.run_dir / f"{STUCK}.mgmt"
    path.unlink()
    with OpenFlowPeer(path, stuck=1) as peer:
        yield peer


def took_s(what: str, start_s: float) -> float:
    """Seconds since ``start_s``, which are printed."""
    seconds = time.monotonic() - start_s
    print(f"{what}: {seconds * 1000:.0f} ms")
    return seconds


def wait_until_stuck(peer: OpenFlowPeer) -> None:
    wait_until(lambda: peer.stuck_s, "the peer to stop reading", 60)


def test_others_are_served_and_the_switch_is_tried_again(
    switch: PrivateOvs, guest: Guest, peer: OpenFlowPeer
) -> None:
    with Dhcpd(switch, configuration()) as dhcpd:
        wait_until_stuck(peer)
        start_s = time.monotonic()
        assert "red" in dhcpd.appctl("bindings/show")
        assert took_s("ovs-appctl", start_s) < AT_ONCE_S
        wait_until(lambda: "br-int: ready, 5 flows" in dhcpd.log(), "the other bridge")
        start_s = time.monotonic()
        offer = guest.ask(request(DISCOVER, MAC))
        assert offer
        assert offer.yiaddr == "10.0.0.5"
        assert took_s("an offer", start_s) < AT_ONCE_S
        switch.unplug(guest.port)
        wait_until(lambda: len(our_flows(switch)) == 1, "the flows to go", 3)
        start_s = time.monotonic()
        switch.plug(guest.port, "red")
        dhcpd.wait_for_flows(guest)
        assert took_s("a port's flows", start_s) < 3 * AT_ONCE_S
        assert peer.closed == 0, "all this was to be while the peer did not read"

        wait_until(lambda: peer.closed, "the connection to be closed", 60)
        assert peer.stuck_s
        assert 9.5 < took_s("closed", peer.stuck_s) < 60
        wait_until(lambda: f"{STUCK}: ready, {FLOWS + 2} flows" in dhcpd.log(), "another try", 30)
        ended = f"{STUCK}: connection ended: "
        lines = [line for line in dhcpd.log().splitlines() if ended in line]
        assert len(lines) == 1
        # The second, if the socket has still taken something after 2 s.
        reasons = ("the switch has read nothing for 10 s", "no answer to a bundle within 12 s")
        assert lines[0].endswith(reasons)
        assert (peer.connections, peer.added, peer.committed) == (2, FLOWS + 2, 1)
        assert "Traceback" not in dhcpd.log()


def test_the_daemon_ends_when_told_to(switch: PrivateOvs, guest: Guest, peer: OpenFlowPeer) -> None:
    with Dhcpd(switch, configuration()) as dhcpd:
        wait_until_stuck(peer)
        time.sleep(0.5)
        start_s = time.monotonic()
        assert dhcpd.stop(signal.SIGTERM) == 0
        assert took_s("SIGTERM", start_s) < AT_ONCE_S
