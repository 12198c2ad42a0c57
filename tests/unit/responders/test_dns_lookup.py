# SPDX-License-Identifier: Apache-2.0
"""DNS is nobody's to answer here."""

from __future__ import annotations

from ovs_dhcpd.controller.responders.dns_lookup import DnsLookupResponder
from ovs_dhcpd.controller.responders.verdict import Reason, Silence

from tests.unit.packet_ins import DISCOVER


def test_whatever_is_in_it_a_packet_is_not_answered() -> None:
    for frame in (b"", DISCOVER[:20], DISCOVER):
        assert DnsLookupResponder().respond(frame) == Silence(Reason.DNS, message="DNS_LOOKUP")
