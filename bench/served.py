# SPDX-License-Identifier: Apache-2.0
"""What is served: guests and their networks, told to the daemon and to OVN, and plugged in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

import yaml

from tests.lab.guest import Guest
from tests.lab.ovn import PrivateOvn
from tests.lab.switch import PrivateOvs

LEASE_TIME_S = 43200
MTU = 1442
LOAD = "br-load"
CHASSIS = "hv1"  # as PrivateOvn calls it
AT_ONCE = 500  # ports that one command makes

T = TypeVar("T")


@dataclass(frozen=True)
class Served:
    """Guests in networks that have these protocols; with `hostnames` each has options of its own.

    `rate_limit` is that of the configuration file: nothing for the default.
    """

    guests: int = 1
    networks: int = 1
    hostnames: bool = False
    protocols: tuple[str, ...] = ("dhcpv4",)
    rate_limit: object = None

    def mac(self, guest: int) -> str:
        """As bench/storm.c has it."""
        return f"0a:00:00:00:{guest >> 8:02x}:{guest & 255:02x}"

    def iface_id(self, guest: int) -> str:
        """The name of the guest's port."""
        return f"port-{guest}"

    def addresses(self, guest: int) -> str:
        """The guest's MAC and addresses, as the configuration and OVN take them."""
        network = guest % self.networks
        words = [self.mac(guest)]
        if "dhcpv4" in self.protocols:
            words.append(str(IPv4Address("10.0.1.0") + (network << 16) + guest))
        if "dhcpv6" in self.protocols:
            words.append(str(IPv6Address(f"fd00:{network:x}::1:0") + guest))
        return " ".join(words)

    def of(self, network: int) -> range:
        """The guests of a network."""
        return range(network, self.guests, self.networks)

    def pauses(self) -> int:
        """How many flows of the daemon pause requests."""
        return self.guests * sum(
            {"dhcpv4": 3, "dhcpv6": 2, "ra": 1}[each] for each in self.protocols
        )

    def ovn_pauses(self) -> int:
        """How many flows of OVN do so at least; a router advertisement is the network's."""
        of_dhcp = sum(each in self.protocols for each in ("dhcpv4", "dhcpv6"))
        return self.guests * of_dhcp + self.networks * ("ra" in self.protocols)

    # -- to the daemon

    def configuration(self, mtu: int = MTU) -> str:
        """The configuration file."""
        networks = {f"net{number}": self._network(number, mtu) for number in range(self.networks)}
        return yaml.safe_dump({"networks": networks})

    def _network(self, number: int, mtu: int) -> dict[str, object]:
        network: dict[str, object] = {
            "ports": {
                self.iface_id(guest): {
                    "addresses": self.addresses(guest),
                    **({"options": {"hostname": _hostname(guest)}} if self.hostnames else {}),
                }
                for guest in self.of(number)
            }
        }
        if self.rate_limit:
            network["rate_limit"] = self.rate_limit
        if "dhcpv4" in self.protocols:
            network["dhcpv4"] = {**_dhcpv4(number, mtu), "cidr": f"10.{number}.0.0/16"}
        if "dhcpv6" in self.protocols:
            network["dhcpv6"] = {**_dhcpv6(number), "cidr": f"fd00:{number:x}::/64"}
        if "ra" in self.protocols:
            network["ra"] = {
                "addr_mode": "dhcpv6_stateful",
                "slla": _server_mac(number),
                "prefix": [f"fd00:{number:x}::/64"],
                "mtu": mtu,
                "interval": "none",
            }
        return network

    # -- to OVN

    def tell(self, ovn: PrivateOvn) -> None:
        """Make switches, ports and options in the Northbound database; of `ra` a router port."""
        for number in range(self.networks):
            ovn.nbctl("ls-add", f"net{number}")
            if "ra" in self.protocols:
                ra = {"address_mode": "dhcpv6_stateful", "mtu": str(MTU)}
                ovn.nbctl("lr-add", f"router{number}")
                ovn.router_port(f"router{number}", f"to-net{number}", _server_mac(number),
                                [f"fd00:{number:x}::1/64"], ra)  # fmt: skip
                ovn.connect(f"net{number}", f"to-net{number}")
            for some in _pieces(self.of(number)):
                words: list[str] = []
                for guest in some:
                    port = self.iface_id(guest)
                    words += ["--", "lsp-add", f"net{number}", port,
                              "--", "lsp-set-addresses", port, self.addresses(guest)]  # fmt: skip
                    for protocol in ("dhcpv4", "dhcpv6"):
                        if protocol in self.protocols:
                            row = f"@{protocol}-{guest if self.hostnames else some[0]}"
                            if self.hostnames or guest == some[0]:
                                words += ["--", f"--id={row}", "create", "DHCP_Options",
                                          *self._options(protocol, number, guest)]  # fmt: skip
                            words += ["--", "set", "Logical_Switch_Port", port,
                                      f"{protocol}_options={row}"]  # fmt: skip
                ovn.nbctl(*words[1:])

    def _options(self, protocol: str, number: int, guest: int) -> list[str]:
        """The columns of a row of DHCP_Options."""
        if protocol == "dhcpv4":
            cidr, values = f"10.{number}.0.0/16", _dhcpv4(number, MTU)
            if self.hostnames:
                values["hostname"] = _hostname(guest)
        else:
            cidr, values = f"fd00:{number:x}::/64", _dhcpv6(number)
        return [
            f"cidr={_quoted(cidr)}",
            *(f"options:{name}={_quoted(_ovn_text(name, each))}" for name, each in values.items()),
        ]

    def claim(self, ovn: PrivateOvn) -> None:
        """Say of all ports what ovn-controller, which is away, would say of one after the other.

        With 500 of them in one network that takes it 4 seconds of CPU time, and four times as long
        with twice as many; after this it takes half a second.
        """
        for some in _pieces(range(self.guests)):
            bound: list[str] = []
            up: list[str] = []
            installed: list[str] = []
            for guest in some:
                port = self.iface_id(guest)
                bound += ["--", "lsp-bind", port, CHASSIS]
                up += ["--", "set", "Port_Binding", port, "up=true"]
                installed += ["--", "set", "Interface", self.port(guest),
                              "external_ids:ovn-installed=true"]  # fmt: skip
            ovn.sbctl(*bound[1:])
            ovn.sbctl(*up[1:])
            ovn.vsctl(*installed[1:])

    # -- plugged in

    def plug_in_one(self, switch: PrivateOvs) -> Guest:
        """Guest 0, by a cable of its own."""
        return switch.guest("vm0", self.mac(0), self.iface_id(0))

    def port(self, guest: int) -> str:
        """The guest's port, of those that :meth:`plug_in_all` makes."""
        return f"p{guest}"

    def plug_in_all(self, switch: PrivateOvs) -> Guest:
        """Every guest as a patch port, so that idle ones cost the switch nothing.

        Returns where all of them are heard: the other ends are on a second bridge, which hands what
        comes from one cable to the port of its MAC, and what comes from any port to the cable.
        Multicast IPv6 is left out there, as OVN sends a router solicitation to every port.
        """
        switch.add_bridge(LOAD)
        switch.ofctl("del-flows", LOAD)  # NORMAL there and on the other one would be a loop
        here = [PatchPort(switch.bridge, self.port(n), f"q{n}", self.iface_id(n))
                for n in range(self.guests)]  # fmt: skip
        there = [PatchPort(LOAD, each.peer, each.name, ofport=n + 1) for n, each in enumerate(here)]
        patch_ports(switch, [*here, *there])
        cable = switch.guest("all", "0a:ff:00:00:00:01", bridge=LOAD)
        back = switch.ofport(cable.port)
        flows = [f"priority=2,in_port={back},dl_src={self.mac(guest)} actions=output:{guest + 1}\n"
                 for guest in range(self.guests)]  # fmt: skip
        flows.append("priority=1,dl_dst=33:33:00:00:00:00/ff:ff:00:00:00:00 actions=drop\n")
        flows += [f"priority=0,in_port={guest + 1} actions=output:{back}\n"
                  for guest in range(self.guests)]  # fmt: skip
        switch.ofctl("add-flows", LOAD, "-", stdin="".join(flows))
        return cable


@dataclass(frozen=True)
class PatchPort:
    """A patch port that is to be plugged in."""

    bridge: str
    name: str
    peer: str
    iface_id: str = ""
    ofport: int = 0  # 0: any

    def settings(self) -> list[str]:
        """The columns of its interface."""
        named = [f"external_ids:iface-id={self.iface_id}"] if self.iface_id else []
        numbered = [f"ofport_request={self.ofport}"] if self.ofport else []
        return ["type=patch", f"options:peer={self.peer}", *named, *numbered]


def patch_ports(switch: PrivateOvs, ports: Sequence[PatchPort]) -> None:
    """Plug in many; all are added first, as an add-port after a "set" reads the bridge anew."""
    for some in _pieces(ports):
        words: list[str] = []
        for port in some:
            words += ["--", "add-port", port.bridge, port.name]
        for port in some:
            words += ["--", "set", "Interface", port.name, *port.settings()]
        switch.vsctl(*words[1:])


def _pieces(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(values), AT_ONCE):
        yield values[first : first + AT_ONCE]


def _server_mac(network: int) -> str:
    return f"0a:fe:00:00:00:{network:02x}"


def _hostname(guest: int) -> str:
    return f"vm{guest:05}"


def _ovn_text(name: str, value: object) -> str:
    """As OVN takes it: a list in braces, a name in quotes."""
    if isinstance(value, list):
        return "{" + ",".join(value) + "}"
    return _quoted(str(value)) if name in ("hostname", "domain_search") else str(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _dhcpv4(network: int, mtu: int) -> dict[str, object]:
    router = f"10.{network}.0.1"
    return {
        "server_id": router,
        "server_mac": _server_mac(network),
        "lease_time": LEASE_TIME_S,
        "router": router,
        "dns_server": [f"10.{network}.0.53"],
        "mtu": mtu,
        "classless_static_route": [f"169.254.169.254/32,10.{network}.0.2", f"0.0.0.0/0,{router}"],
    }


def _dhcpv6(network: int) -> dict[str, object]:
    return {
        "server_id": _server_mac(network),
        "dns_server": [f"fd00:{network:x}::53"],
        "domain_search": "example.org",
    }
