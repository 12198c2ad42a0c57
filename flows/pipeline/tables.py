# SPDX-License-Identifier: Apache-2.0
"""The OpenFlow tables of the pipeline: one row each.

What is done in a table has in OVN a stage for each service, of the same order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class Table:
    """An OpenFlow table.

    ``goes_on_to`` are the numbers of the tables to which its flows may hand a packet on.
    ``stages`` are the names that OVN has for what happens in it.
    """

    number: int
    goes_on_to: frozenset[int]
    stages: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """Where a logical flow is: a table, and the name that OVN has for the stage.

    Without a name it is no stage of OVN, and what it holds no logical flow there.
    """

    table: Table
    name: str


# A packet comes here first.  It goes on to RESPONSE: a request when the controller resumes it,
# a question for a server's MAC at once.  Of a port that is guarded it goes to GUARD before that.
OPTIONS = Table(
    number=0,
    goes_on_to=frozenset({201, 202}),
    stages=("ls_in_dhcp_options", "lr_in_nd_ra_options", "ls_in_arp_rsp", "ls_in_check_port_sec"),
)
# If it was answered it leaves by the port it came from, else it goes back to OPTIONS, past our
# flows.
RESPONSE = Table(
    number=201,
    goes_on_to=frozenset({OPTIONS.number}),
    stages=("ls_in_dhcp_response", "lr_in_nd_ra_response"),
)

# It is dropped here, or goes back to OPTIONS; Neighbor Discovery has GUARD_ND look at it too.
GUARD = Table(
    number=202,
    goes_on_to=frozenset({OPTIONS.number, 203}),
    stages=("ls_in_check_port_sec",),
)
GUARD_ND = Table(
    number=203,
    goes_on_to=frozenset({OPTIONS.number}),
    stages=("ls_in_check_port_sec",),
)

TABLES = (OPTIONS, RESPONSE, GUARD, GUARD_ND)

# ls_in_arp_rsp is OVN's stage for ARP and for neighbour solicitations.
DHCP_OPTIONS, ND_RA_OPTIONS, NEIGHBOUR, ENTER_PORT_SEC = map(
    partial(Stage, OPTIONS), OPTIONS.stages
)
DHCP_RESPONSE, ND_RA_RESPONSE = map(partial(Stage, RESPONSE), RESPONSE.stages)
RESPONSE_WITHOUT_NAME = Stage(RESPONSE, "")
CHECK_PORT_SEC = Stage(GUARD, *GUARD.stages)
CHECK_ND = Stage(GUARD_ND, *GUARD_ND.stages)
