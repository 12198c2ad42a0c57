# SPDX-License-Identifier: Apache-2.0
"""What became of one packet-in: for who looks on, once it is on its way back.

Nothing of it is decoded here (:func:`controller.wire.nxt.decode_packet_in2` and
:mod:`controller.wire.asked` do it): on the packets' path it costs a reference.
"""

from __future__ import annotations

from typing import NamedTuple

from ovs_dhcpd.controller.responders.verdict import Verdict


class Read(NamedTuple):
    """What all packet-ins of one read have in common.

    They came from `bridge` at `read_s`, and at `sent_s` the switch had their resumes; both in
    seconds of :func:`time.monotonic`.
    """

    bridge: str
    read_s: float
    sent_s: float


class Exchange(NamedTuple):
    """The NXT_PACKET_IN2 `message`, whole, and the verdict on its packet.

    Of a request that is answered as one before, the verdict is the same object as then.  Its
    frame has that request's xid.
    """

    message: bytes
    verdict: Verdict
    read: Read
