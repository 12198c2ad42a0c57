# SPDX-License-Identifier: Apache-2.0
"""What is asked of an address before a port is given it, and what is heard of it then.

A server SHOULD ask whether somebody uses an address before it offers it first (RFC 2131 §3.1,
§4.4.1).  Who says that it has the address, or asks for it as a host does that is about to take it
(RFC 5227 §2.1.1, RFC 4862 §5.4.3), in the same VLAN, means one of these:

* Nothing, if it is the guest itself that is to have the address: it may have it still.  That is who
  is behind the port, and whoever has the guest's MAC, as it may be about to move here.
* That the address is ours, if another daemon asks that has the same pool.  Who has given it to a
  port says so, as if the guest itself did, and of two that ask at the same time the one with the
  lower MAC: the other one takes another address, unless it asks for the same guest.
* Else that somebody has it: it is parked (:mod:`controller.ports.parked`), and another is chosen.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.bindings.probe import Probe, is_probing_mac, probing_mac


@dataclass(frozen=True)
class Said:
    """Who has `mac` says that it has `address`, or `asks` for it as who is about to take it.

    The packet has come by port `ofport` with this `tag`, 0 if it has none.
    """

    ofport: int
    tag: int
    mac: bytes
    address: Address
    asks: bool = False


class Meaning(enum.Enum):
    """What it means for a port that somebody says something of the address it is to have."""

    NOTHING = enum.auto()
    OURS = enum.auto()
    TAKEN = enum.auto()


def meaning(
    probe: Probe, ofport: int, said: Said, at: Interface | None, *, is_given: bool
) -> Meaning:
    """What ``said`` means for the guest at ``ofport`` that is to have what ``probe`` asks for.

    ``at`` is the interface by which it has come, None if it is not known.  ``is_given``: nobody
    has said anything for long enough.
    """
    if said.address != probe.address or vlan_of(at, said.tag) != probe.vlan:
        return Meaning.NOTHING
    if said.ofport == ofport or said.mac in (probe.mac, probe.source):
        return Meaning.NOTHING
    if said.asks and is_probing_mac(said.mac) and (is_given or probe.source < said.mac):
        return Meaning.OURS
    return Meaning.TAKEN


def vlan_of(interface: Interface | None, tag: int) -> int | None:
    """The VLAN of a packet with ``tag`` (0: none) from an interface; 0: none; None: no VLAN's."""
    return tag or (interface.vlans.untagged if interface else 0)


class Probes:
    """Which addresses nobody has, as far as has been asked, by the ports that are to have them.

    ``salt`` tells the MACs from which is asked from those of other daemons.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._free: dict[str, set[Probe]] = {}

    def of(
        self,
        network: Network,
        port: Port,
        interface: Interface,
        address: Address,
        mac: bytes | None,
    ) -> Probe:
        """What is to be asked before ``port``, with the guest's ``mac``, is given ``address``."""
        source = probing_mac(network.bridge, self._salt)
        vlan = vlan_of(interface, interface.behind) or 0
        return Probe(network.name, address, vlan, port.tag or 0, source, mac)

    def note_free(self, port: str, probe: Probe) -> None:
        """Nobody has the address, or whoever has it is to be ignored."""
        self._free.setdefault(port, set()).add(probe)

    def are_free(self, port: str, probes: Iterable[Probe]) -> bool:
        """Whether nobody has any of these."""
        return self._free.get(port, set()).issuperset(probes)

    def found_free(self, port: str) -> tuple[Probe, ...]:
        """What nobody has that ``port`` is to be given."""
        return tuple(self._free.get(port, ()))

    def forget(self, port: str) -> None:
        """The port has what it is to have, or is not plugged in any more."""
        self._free.pop(port, None)
