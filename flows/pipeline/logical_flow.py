# SPDX-License-Identifier: Apache-2.0
"""A logical flow, and what those of all services have in common.

A flow of the table OPTIONS (:mod:`flows.pipeline.tables`) keeps the network's key in ``metadata``
and pauses the packet; when it comes back, RESPONSE knows by the key whose answer it is and by a bit
of ``reg0`` that it is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.pipeline.flow import (
    ETH_SRC,
    METADATA,
    REG0,
    Flow,
    Is,
    Load,
    Meter,
    Pause,
    Resubmit,
)
from ovs_dhcpd.flows.pipeline.meter import meter_id
from ovs_dhcpd.flows.pipeline.tables import RESPONSE, Stage
from ovs_dhcpd.flows.pipeline.terms import (
    ActionTerm,
    DoInOpenFlow,
    From,
    MatchInOpenFlow,
    MatchTerm,
    Put,
    action_text,
    match_text,
    openflow_actions,
    openflow_matches,
)
from ovs_dhcpd.flows.userdata.codec import REG0_3, REG0_5, LogicalAction, ResultBit

PRIORITY = 100

SEEN_BIT = 4  # reg0[4]: this packet has been through OPTIONS once
# In OVN a packet comes to a stage once.
FIRST_TIME = MatchInOpenFlow(Is(REG0, 0, 1 << SEEN_BIT))
SEEN = Load(REG0, 1, offset=SEEN_BIT, n_bits=1)


def _is_set(result: ResultBit) -> Is:
    assert result.register, "a bit of a register"
    _, bit = result.register
    return Is(REG0, 1 << bit, 1 << bit)


DHCP_ANSWERED, RA_ANSWERED = _is_set(REG0_3), _is_set(REG0_5)  # the bits that OVN's own flows use


@dataclass(frozen=True)
class LogicalFlow:
    """A logical flow: ``then`` is what is done with a packet of which all of ``when`` is true.

    Its text is a line of ``ovn-sbctl lflow-list``.  ``when`` stands in the order in which
    ovs-ofctl prints a match (see :class:`flows.pipeline.flow.Flow`).
    """

    stage: Stage
    when: tuple[MatchTerm, ...]
    then: tuple[ActionTerm, ...]
    priority: int = PRIORITY

    @property
    def match(self) -> str:
        """The text of ``when``, as in the column of this name of OVN's Logical_Flow table."""
        return match_text(self.when)

    @property
    def action(self) -> str:
        """The text of ``then``, as ``ovn-sbctl lflow-list`` prints it."""
        return action_text(self.then)

    def __str__(self) -> str:
        return (
            f"  table={self.stage.table.number:<2}({self.stage.name:<19}), "
            f"priority={self.priority}, match=({self.match}), action=({self.action})"
        )

    def flows(self, ofport: int = 0, *, metered: bool = False) -> Iterator[Flow]:
        """The OpenFlow flows of this logical flow; ``ofport`` is its port's number, if any.

        If they are ``metered``, what they pause has to pass the port's meter.
        """
        protocol, matches = openflow_matches(self.when, ofport)
        actions = openflow_actions(self.then)
        if metered and any(isinstance(action, Pause) for action in actions):
            actions = (Meter(meter_id(ofport)), *actions)
        for match in matches:
            yield Flow(self.stage.table.number, self.priority, protocol, tuple(match), actions)


@lru_cache(maxsize=1024)
def key_of(name: str) -> int:
    """The number that stands for the network ``name`` in ``metadata``."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")


def network_key(network: Network) -> int:
    """The number that stands for ``network`` in ``metadata``: the same after every restart."""
    return key_of(network.name)


def is_of(network: Network) -> Is:
    """The packet was paused, or sent on, by a flow of one of the network's ports."""
    return Is(METADATA, network_key(network))


def comes_from(port: Port) -> tuple[MatchTerm, ...]:
    """The packet comes from ``port``, with its MAC if it has one, and for the first time."""
    source = (Is(ETH_SRC, number(port.mac)),) if port.mac else ()
    return (FIRST_TIME, From(port.name, port.tag), *source)


def remember(network: Network) -> Load:
    """Make :func:`is_of` true of the packet."""
    return Load(METADATA, network_key(network))


def ask(network: Network, opts: LogicalAction) -> tuple[ActionTerm, ...]:
    """Ask the controller, and go on in RESPONSE with what it says."""
    return (DoInOpenFlow((remember(network),)), Put(opts), Resubmit(RESPONSE.number))


def number(mac: bytes) -> int:
    """A MAC as a field's value."""
    return int.from_bytes(mac, "big")
