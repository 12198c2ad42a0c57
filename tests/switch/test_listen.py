# SPDX-License-Identifier: Apache-2.0
"""The switch connects to the daemon, as ``ovs-vsctl set-controller`` makes it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.lab import reference
from tests.lab.daemon import Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, OFFER, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

PORT = 6653  # in the switch's own namespace


@pytest.fixture(autouse=True)
def _no_controller(switch: PrivateOvs) -> Iterator[None]:
    yield
    switch.vsctl("del-controller", switch.bridge)


def set_controller(switch: PrivateOvs, protocol: str, dhcpd: Dhcpd) -> None:
    # A switch that is refused tries again after 1, 2, 4 and 8 s.
    wait_until(lambda: "listening on" in dhcpd.log(), "the daemon to listen", 30)
    switch.vsctl("set", "bridge", switch.bridge, "protocols=OpenFlow13,OpenFlow15",
                 "fail-mode=secure")  # fmt: skip
    switch.vsctl("set-controller", switch.bridge, f"{protocol}:127.0.0.1:{PORT}")


def serves(guest: Guest) -> None:
    offer = guest.ask(request(DISCOVER, reference.MAC), timeout_s=5)
    assert offer is not None
    assert (offer.message, offer.yiaddr) == (OFFER, str(reference.ADDRESS))


def test_over_tcp(switch: PrivateOvs, guest: Guest, openflow: str) -> None:
    listen = ("--listen", f"tcp:127.0.0.1:{PORT}", "--openflow", openflow)
    with Dhcpd(switch, reference.configuration(), *listen, "--cleanup") as dhcpd:
        set_controller(switch, "tcp", dhcpd)
        wait_ready(dhcpd)
        serves(guest)
    assert our_flows(switch) == []


@pytest.mark.needs("openssl")
def test_over_tls(switch: PrivateOvs, guest: Guest, openflow: str, keys: dict[str, str]) -> None:
    switch.vsctl("set-ssl", keys["--private-key"], keys["--certificate"], keys["--ca-cert"])
    tls = [word for pair in keys.items() for word in pair]
    listen = ("--listen", f"ssl:127.0.0.1:{PORT}", "--openflow", openflow)
    with Dhcpd(switch, reference.configuration(), *listen, *tls, "--cleanup") as dhcpd:
        set_controller(switch, "ssl", dhcpd)
        wait_ready(dhcpd)
        serves(guest)
    assert our_flows(switch) == []


def test_a_switch_that_is_not_ours_is_sent_away(switch: PrivateOvs, guest: Guest) -> None:
    listen = ("--listen", f"tcp:127.0.0.1:{PORT}")
    with Dhcpd(switch, reference.configuration(), *listen) as dhcpd:
        # Earlier attempts would fail, and the switch wait longer and longer between them.
        wait_until(lambda: "listening" in dhcpd.log(), "the socket")
        switch.vsctl("add-br", "br-other", "--", "set", "bridge", "br-other",
                     f"datapath_type={switch.datapath_type}", "protocols=OpenFlow15")  # fmt: skip
        switch.vsctl("set-controller", "br-other", f"tcp:127.0.0.1:{PORT}")
        wait_until(lambda: "expected " in dhcpd.log(), "the refusal")
        switch.vsctl("del-br", "br-other")
        where = f"tcp:127.0.0.1:{PORT}"
        said = dhcpd.appctl("why", reference.PORT).splitlines()
        assert said[0].endswith(
            f"is not served: not connected: its switch has not connected to {where}"
        )
        assert said[1] == f"mend: ovs-vsctl set-controller br-int {where}"
    assert "ready, " not in dhcpd.log()


def test_a_peer_that_talks_nonsense_costs_only_its_connection(
    switch: PrivateOvs, guest: Guest
) -> None:
    listen = ("--listen", f"tcp:127.0.0.1:{PORT}", "--openflow", "1.5")
    with Dhcpd(switch, reference.configuration(), *listen, "--cleanup") as dhcpd:
        wait_until(lambda: "listening" in dhcpd.log(), "the socket")
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"\6\0\0\4\0\0\0\0", b"\6\0\0\x08\0\0\0\1" * 3):
            with switch.namespace.entered():
                peer = socket.create_connection(("127.0.0.1", PORT), timeout=5)
            with peer:
                peer.sendall(nonsense)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(5)
                while peer.recv(4096):
                    pass
        set_controller(switch, "tcp", dhcpd)
        wait_ready(dhcpd)
        serves(guest)


@pytest.mark.parametrize(
    ("listen", "message"),
    [
        (("tcp:192.0.2.1:6653",),
         "ovs-dhcpd: --listen tcp:192.0.2.1:6653: Cannot assign requested address"),
        (("ssl:127.0.0.1:6653", "--private-key", "/no/key", "--certificate", "/no/cert",
          "--ca-cert", "/no/ca"), "/no/key: No such file or directory"),
    ],
    ids=["address", "file"],
)  # fmt: skip
def test_what_cannot_be_listened_on_ends_the_daemon_with_one_line(
    switch: PrivateOvs, guest: Guest, listen: tuple[str, ...], message: str
) -> None:
    dhcpd = Dhcpd(switch, reference.configuration(), "--listen", *listen)
    dhcpd.start()
    assert dhcpd.process.wait() == 1
    assert dhcpd.log().splitlines()[-1].startswith("ovs-dhcpd: ")
    assert message in dhcpd.log().splitlines()[-1]
    assert "Traceback" not in dhcpd.log()
