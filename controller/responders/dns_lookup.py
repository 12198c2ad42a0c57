# SPDX-License-Identifier: Apache-2.0
"""A DNS message that OVN pauses on its way, whoever it is for.

Where a logical switch has dns_records every packet to or from UDP port 53 is paused, for
ovn-controller to answer if it knows the name.  We know none, so each goes on to where it was going.
"""

from __future__ import annotations

from ovs_dhcpd.controller.responders.responder import Responder
from ovs_dhcpd.controller.responders.verdict import Reason, Silence, Verdict

MESSAGE = "DNS_LOOKUP"

_GOES_ON = Silence(Reason.DNS, message=MESSAGE)


class DnsLookupResponder(Responder):
    """Answers nothing."""

    def respond(self, frame: bytes) -> Verdict:
        """Silence: the packet is resumed with result 0."""
        return _GOES_ON
