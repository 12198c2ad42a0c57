# SPDX-License-Identifier: Apache-2.0
"""What is known when somebody asks why a port is served, or is not, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovs_dhcpd.controller.leases.leases import Row
from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.controller.wire.meters import MeterCount
from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.pipeline.flow import Flow


@dataclass(frozen=True, kw_only=True)
class BridgeFacts:
    """The bridge on which the port is served, or would be.

    `is_ours`: a source is about it; `ours` are all that sources are about.  `unreachable` is what
    the Open_vSwitch database says against it, `turn` whose turn it is there, `holder` the pid of
    another process that has it.  `connection` says since when there is one; empty: there is none,
    for the reason `trouble`; without `switch_runs` that is that nobody runs there.  It has to
    connect to us at `listens_on`, unless that is empty.  `state` is how far the switch is
    from what is wanted.  `problems` are of all its flows; `lacks_forwarding` is that there is
    nothing behind ours.  `ours_exist`: one of `ours` does.
    """

    name: str
    is_ours: bool = True
    ours: tuple[str, ...] = ()
    unreachable: str = ""
    turn: str = "active"
    is_active: bool = True
    holder: int | None = None
    connection: str = ""
    trouble: str = ""
    switch_runs: bool = True
    listens_on: str = ""
    state: str = ""
    in_step: bool = True
    problems: tuple[str, ...] = ()
    lacks_forwarding: str = ""
    foreign_known: bool = True
    ours_exist: bool = True


@dataclass(frozen=True, kw_only=True)
class FlowFacts:
    """The flows of the port.

    `counts` is what the switch has counted of those that it has, by their cookies; None: it has
    not said.  `shadows` are flows of somebody else that take its requests first: each has a line
    that says so, and the flow.  `limit` is what
    its meter lets pass, empty without one, and `meter` what that has counted.
    """

    wanted: tuple[Flow, ...] = ()
    counts: Mapping[int, FlowCounts] | None = None
    shadows: tuple[tuple[str, str], ...] = ()
    limit: str = ""
    meter: MeterCount | None = None


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """A source: what users call it, whether it has been read, and why it is not in force."""

    name: str
    ready: bool = True
    mistakes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that is known of the port that somebody has `asked_for`, by a name, MAC or address.

    `found`: that names a port; `others` are those that it names too.  `program` is who we are, and
    `rundir` where the control sockets are.  `interface` is where it is plugged in; without one
    `lifeless` is an interface that has its name and no OpenFlow port; `add_to` is the bridge to
    which a device of this host that is called so could be added.  `is_left_out`: what was asked for
    is another interface that says that it is this port.  `named` is what the first of the sources
    that name it, `named_by`, says.  `served` is what the binder serves it; `refused` and `unserved`
    say why it is not.  `probes` are addresses of which it is being asked whether somebody has them.
    `leases` is what its clients have asked last and were answered, so far as that is known at
    `now_s`.  `pools` are the networks that it could belong to.
    """

    asked_for: str
    port: str
    found: bool = True
    others: tuple[str, ...] = ()
    program: str = ""
    rundir: str = ""
    database: str = ""
    database_ready: bool = True
    sources: tuple[SourceFacts, ...] = ()
    interface: Interface | None = None
    lifeless: str = ""
    add_to: str = ""
    is_left_out: bool = False
    parent: str = ""
    named_by: tuple[str, ...] = ()
    named: tuple[tuple[Network, Port], ...] = ()
    served: tuple[tuple[Network, Port], ...] = ()
    refused: tuple[str, ...] = ()
    unserved: str = ""
    probes: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    leases: tuple[Row, ...] = ()
    now_s: float = 0.0
    bridge: BridgeFacts | None = None
    flows: FlowFacts = field(default_factory=FlowFacts)

    @property
    def is_served(self) -> bool:
        """Whether who asks is offered anything: of a pool that is empty, nothing."""
        return any(
            network.put_dhcp_opts(port) or network.put_dhcpv6_opts(port) or network.ra
            for network, port in self.served
        )
