# SPDX-License-Identifier: Apache-2.0
"""What the flows of all services have in common: how they are told apart, and the way of a packet.

OPTIONS keeps the network's key in ``metadata`` and pauses the packet; when it comes back,
RESPONSE knows by the key whose answer it is and by a bit of ``reg0`` that it is one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flows.bindings import Network, Port
from flows.flow import ETH_SRC, IN_PORT, METADATA, REG0, Action, Is, Load, Pause, Resubmit
from flows.tables import RESPONSE, Table
from flows.userdata import REG0_3, REG0_5, ResultBit, encode_userdata
from flows.userdata import Action as Userdata

PRIORITY = 100

SEEN_BIT = 4  # reg0[4]: this packet has been through OPTIONS once
NOT_SEEN = Is(REG0, 0, 1 << SEEN_BIT)


def _is_set(result: ResultBit) -> Is:
    assert result.register, "a bit of a register"
    _, bit = result.register
    return Is(REG0, 1 << bit, 1 << bit)


DHCP_ANSWERED, RA_ANSWERED = _is_set(REG0_3), _is_set(REG0_5)  # the bits that OVN's own flows use


@dataclass(frozen=True)
class LogicalFlow:
    """A logical flow; its text is a line of ``ovn-sbctl lflow-list``."""

    table: Table
    match: str
    action: str
    priority: int = PRIORITY

    def __str__(self) -> str:
        return (
            f"  table={self.table.number:<2}({self.table.stage:<19}), priority={self.priority}, "
            f"match=({self.match}), action=({self.action})"
        )


SEND_BACK = "outport = inport; flags.loopback = 1; output;"  # a logical flow's OutputInPort


def network_key(network: Network) -> int:
    """The number that stands for ``network`` in ``metadata``: the same after every restart."""
    return int.from_bytes(hashlib.blake2b(network.name.encode(), digest_size=4).digest(), "big")


def is_of(network: Network) -> Is:
    """The packet was paused, or sent on, by a flow of one of the network's ports."""
    return Is(METADATA, network_key(network))


def comes_from(port: Port) -> str:
    """The same as :func:`is_from`, in a logical flow."""
    inport = f'inport == "{port.name}"'
    return f"{inport} && eth.src == {port.mac.hex(':')}" if port.mac else inport


def is_from(port: Port, ofport: int) -> tuple[Is, ...]:
    """The packet comes from ``port``, with its MAC if it has one, and for the first time."""
    source = (Is(ETH_SRC, number(port.mac)),) if port.mac else ()
    return (NOT_SEEN, Is(IN_PORT, ofport), *source)


def pause(network: Network, userdata: Userdata) -> tuple[Action, ...]:
    """The actions that ask the controller, and go on in RESPONSE with what it says."""
    return (
        Load(METADATA, network_key(network)),
        Pause(encode_userdata(userdata)),
        Resubmit(RESPONSE.number),
    )


def number(mac: bytes) -> int:
    """A MAC as a field's value."""
    return int.from_bytes(mac, "big")
