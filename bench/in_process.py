# SPDX-License-Identifier: Apache-2.0
"""What answering costs inside the process: a packet-in in, a resume out, without a switch.

Each figure is the best of several rounds, in CPU time of the thread, the collector off as it is
while the daemon starts.  As multiples of a fixed loop the figures of different machines compare.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ovs_dhcpd.controller.responders.dispatch import Dispatcher
from ovs_dhcpd.controller.responders.verdict import Answer
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.pipeline.build import port_flows
from ovs_dhcpd.flows.pipeline.flow import Flow, Pause
from ovs_dhcpd.flows.userdata.codec import ACTION_NAMES

from bench import results
from bench.results import Effort, Row
from tests.lab.nd import router_solicitation
from tests.lab.packets import DISCOVER, option, request
from tests.lab.packets6 import SOLICIT, duid_ll, frame_of, ia_na, oro
from tests.lab.packets6 import option as option6
from tests.unit.packet_ins import packet_in

PORTS = 250
ROUNDS = 9
LOOP_TURNS = 100

ASKED = option(55, bytes((1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42)))


def mac(port: int) -> str:
    """The MAC of a port's guest."""
    return f"0a:00:00:00:{port >> 8:02x}:{port & 255:02x}"


def link_local(port: int) -> str:
    """Its link-local address."""
    return f"fe80::{port:x}"


def discover(port: int, xid: int, crafted: bytes = b"") -> bytes:
    """What a guest asks first, as udhcpc and dhclient do, with a host name of its own."""
    name = option(12, f"vm{port}".encode())
    return request(DISCOVER, mac(port), ASKED, name, crafted, xid=xid)


def solicit(port: int, xid: int, crafted: bytes = b"") -> bytes:
    """The same by DHCPv6."""
    return message6(SOLICIT, port, xid, ia_na(port), crafted)


def message6(kind: int, port: int, xid: int, *options: bytes) -> bytes:
    """A guest's DHCPv6 message, with these options among what they all have."""
    content = bytes((kind,)) + xid.to_bytes(3, "big") + option6(1, duid_ll(mac(port)))
    content += b"".join(options) + oro(23, 24, 39) + option6(8, b"\0\0")
    return frame_of(content, mac(port), ip_src=link_local(port))


def solicitation(port: int, xid: int) -> bytes:
    """The router solicitation of a guest; there is nothing in it to tell two of them apart."""
    return router_solicitation(mac(port), link_local(port))


def configuration(first: int, networks: int, *, hostnames: bool) -> str:
    """PORTS ports from number `first` on, in so many networks."""
    lines = ["networks:"]
    for network in range(networks):
        lines += [
            f"  net{first}-{network}:",
            f"    dhcpv4: {{cidr: 10.{network}.0.0/16, router: 10.{network}.0.1,",
            f"      dns_server: [10.0.0.2, 10.0.0.3], mtu: 1442, domain_name: net{first}.example,",
            "      lease_time: 43200}",
            f'    dhcpv6: {{cidr: "fd00:{network}::/64", dns_server: "fd00::2",',
            f"      domain_search: net{first}.example}}",
            f'    ra: {{addr_mode: dhcpv6_stateful, prefix: ["fd00:{network}::/64"]}}',
            "    ports:",
        ]
        for port in range(first + network, first + PORTS, networks):
            high, low = divmod(port - first + 256, 256)
            addresses = f"{mac(port)} 10.{network}.{high}.{low} fd00:{network}::{port + 1:x}"
            options = f", options: {{hostname: vm{port}}}" if hostnames else ""
            lines.append(f'      port-{port}: {{addresses: "{addresses}"{options}}}')
    return "\n".join(lines) + "\n"


def userdata(first: int, networks: int = 1, *, hostnames: bool = False) -> list[dict[str, bytes]]:
    """Of PORTS ports, the userdata that each of their requests comes back with."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(configuration(first, networks, hostnames=hostnames))
        file.flush()
        loaded = yaml_file.load(Path(file.name))
    found = []
    for network in loaded.networks:
        for port in network.ports:
            flows = port_flows(network, port, 1)
            found.append({name: data for name, data in map(_userdata, flows) if data})
    return found


def _userdata(flow: Flow) -> tuple[str, bytes]:
    """The name of the action that a flow pauses for, and its userdata, empty if it does not."""
    data = next((each.userdata for each in flow.actions if isinstance(each, Pause)), b"")
    return ACTION_NAMES.get(int.from_bytes(data[:4], "big"), ""), data


Ask = Callable[[int, int], bytes]


def packet_ins(
    kind: str, ask: Ask, of: list[dict[str, bytes]], xid: int = 1, others: int = 0
) -> list[bytes]:
    """One packet-in of each port, where guests ask that are plugged in so many ports further on."""
    key = bytes.fromhex("00000000abcdef01")
    messages = []
    for port, data in enumerate(of):
        message = packet_in(ask(port + others, xid), data[kind])
        messages.append(message.replace(key, bytes(4) + port.to_bytes(4, "big")))
    return messages


def timed(prepare: Callable[[], tuple[Dispatcher, list[bytes]]]) -> float:
    """Microseconds for one of the packet-ins that `prepare` has ready."""
    best = float("inf")
    for _ in range(ROUNDS):
        dispatcher, messages = prepare()
        gc.collect()
        gc.disable()
        start = time.thread_time()
        for message in messages:
            dispatcher.resume(message)
        best = min(best, (time.thread_time() - start) / len(messages))
        gc.enable()
    return best * 1e6


def told(*before: list[bytes]) -> Dispatcher:
    """A dispatcher that has had these packet-ins."""
    dispatcher = Dispatcher()
    for messages in before:
        for message in messages:
            resume = dispatcher.resume(message)
            assert resume
            assert isinstance(resume[1], Answer), resume[1]
    return dispatcher


KINDS: tuple[tuple[str, str, Ask], ...] = (
    ("DHCPDISCOVER", "put_dhcp_opts", discover),
    ("SOLICIT", "put_dhcpv6_opts", solicit),
    ("router solicitation", "put_nd_ra_opts", solicitation),
)


def measure(effort: Effort) -> Iterator[Row]:  # it takes seconds
    """Of each kind of request, what its first and its later packets take."""
    unit_us = loop_us()
    same, hosts = userdata(0), userdata(0, hostnames=True)
    networks, other_network = userdata(0, PORTS), userdata(PORTS)[:1]
    for name, kind, ask in KINDS:

        def after(
            known: list[list[bytes]], messages: list[bytes]
        ) -> Callable[[], tuple[Dispatcher, list[bytes]]]:
            return lambda: (told(*known), messages)

        of = partial(packet_ins, kind, ask)
        once, again, another = of(same), of(same, 2), of(same, 3, 7)
        for what, known, messages in (
            ("first of a flow, network known", [of(same[:1])], of(same[1:])),
            ("first of a flow, each with a host name", [of(hosts[:1])], of(hosts[1:])),
            ("first of a network", [of(other_network)], of(networks)),
            ("never seen, flow known", [once], another),
            ("seen a second time", [once], again),
            ("seen before", [once, once, once], again),
        ):
            us = timed(after(known, messages))
            yield Row(
                {"request": name, "in process": what},
                {"µs": [us], f"loops of {LOOP_TURNS} turns": [us / unit_us]},
            )


def loop_us() -> float:
    """Microseconds for the fixed loop."""
    best = float("inf")
    for _ in range(200):
        start = time.thread_time()
        total = 0
        for number in range(LOOP_TURNS):
            total += number
        best = min(best, time.thread_time() - start)
    return best * 1e6


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each kind of request and of packet."""
    return results.table(rows)
