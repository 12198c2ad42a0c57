# SPDX-License-Identifier: Apache-2.0
"""The OpenFlow tables of the pipeline: one row each.

=======  ==============================  =====================================
table    a packet comes here             and goes on to
=======  ==============================  =====================================
OPTIONS  first                           RESPONSE: a request when the controller
                                         resumes it, a question for a server's
                                         MAC at once
RESPONSE from OPTIONS                    its own port if it was answered, else
                                         OPTIONS again, past our flows
=======  ==============================  =====================================
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """An OpenFlow table: its number, and the name OVN has for such a stage."""

    number: int
    stage: str


OPTIONS = Table(0, "ls_in_dhcp_options")
RESPONSE = Table(201, "ls_in_dhcp_response")
ND_RA_OPTIONS = Table(0, "lr_in_nd_ra_options")
ND_RA_RESPONSE = Table(201, "lr_in_nd_ra_response")
NEIGHBOUR = Table(0, "ls_in_arp_rsp")  # OVN's stage for ARP and for neighbour solicitations
