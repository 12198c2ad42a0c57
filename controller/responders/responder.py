# SPDX-License-Identifier: Apache-2.0
"""What every server of one port is: from a frame to a verdict."""

from __future__ import annotations

from typing import Protocol

from ovs_dhcpd.controller.responders.verdict import Verdict


class Responder(Protocol):
    """A server of one port."""

    def of_neighbour(self, address: bytes, host_name: bytes = b"") -> Responder:
        """The responder of a port whose userdata has another address and host name, else the same.

        They are from :func:`split_address` and :func:`split_host_name`.  Whose userdata has neither
        serves all ports of its network alike.
        """
        return self

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on an Ethernet frame; never raises, whatever the bytes."""
