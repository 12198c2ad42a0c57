# SPDX-License-Identifier: Apache-2.0
"""The OpenFlow tables of the pipeline: one row each.

=======  ==============================  =====================================
table    a packet comes here             and goes on to
=======  ==============================  =====================================
OPTIONS  first                           RESPONSE, when the controller resumes
RESPONSE when it was resumed             its own port if it was answered, else
                                         OPTIONS again, past our flows
=======  ==============================  =====================================
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """An OpenFlow table: its number, and the name OVN has for the same stage."""

    number: int
    stage: str


OPTIONS = Table(0, "ls_in_dhcp_options")
RESPONSE = Table(201, "ls_in_dhcp_response")
ARP_RESPONDER = Table(0, "ls_in_arp_rsp")
