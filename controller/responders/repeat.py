# SPDX-License-Identifier: Apache-2.0
"""An answer kept ready for the next time the same request comes.

A reply is a pure function of userdata and request, and of a request's transaction identifier
it only has a copy.  So a client that renews, or asks again, gets the bytes of its last answer with
the new identifier, and with the checksum that goes with it: a tenth of the work of making them.
The offsets are those of frames without VLAN tag, IP options or extension headers; other
requests are simply answered anew each time.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovs_dhcpd.controller.responders.verdict import Answer
from ovs_dhcpd.controller.wire.nxt import resume_head, resume_padding


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a frame the fields are in which the same request may differ, and its answer too.

    They are there in frames that begin with `marks`.  What a request has in `unread` besides is
    looked at by nobody.
    """

    marks: tuple[tuple[slice, bytes], ...]
    before_checksum: slice  # UDP's
    checksum: slice
    before_xid: slice
    xid: slice
    after_xid: slice
    after_unread: slice

    def key(self, request: bytes) -> bytes:
        """What an answer depends on: the frame without checksum, xid and what is not read."""
        return request[self.before_checksum] + request[self.before_xid] + request[self.after_unread]

    def fits(self, request: bytes) -> bool:
        """Whether the fields of ``request`` are where :meth:`key` takes them from."""
        for at, mark in self.marks:  # noqa: SIM110 - all() takes twice as long
            if request[at] != mark:
                return False
        return True


DHCPV4 = Layout(
    marks=((slice(12, 15), b"\x08\x00\x45"),),  # EtherType, version and header length
    before_checksum=slice(0, 40),
    checksum=slice(40, 42),
    before_xid=slice(42, 46),
    xid=slice(46, 50),
    after_xid=slice(50, None),
    after_unread=slice(52, None),  # secs
)
DHCPV6 = Layout(
    marks=((slice(12, 14), b"\x86\xdd"), (slice(20, 21), b"\x11")),  # EtherType, next header
    before_checksum=slice(0, 60),
    checksum=slice(60, 62),
    before_xid=slice(62, 63),  # the message type
    xid=slice(63, 66),
    after_xid=slice(66, None),
    after_unread=slice(66, None),
)


class Template:
    """The NXT_RESUME that carries an answer, but for the xid.

    It is laid out when it is first used: a guest that boots a second time asks all it has asked
    before, and of most of that not a third time soon.
    """

    __slots__ = (
        *("_after_xid", "_before_checksum", "_before_xid", "_layout", "_sum", "_trailer"),
        *("_version", "verdict"),
    )

    def __init__(self, version: int, layout: Layout, answer: Answer, trailer: bytes) -> None:
        self.verdict = answer
        self._version = version
        self._layout = layout
        self._trailer = trailer
        self._before_checksum = b""  # until it is laid out

    def _lay_out(self) -> None:
        frame, layout, trailer = self.verdict.frame, self._layout, self._trailer
        padding = resume_padding(frame)
        head = resume_head(self._version, frame, trailer)
        self._before_checksum = head + frame[layout.before_checksum]
        self._before_xid = frame[layout.before_xid]
        self._after_xid = frame[layout.after_xid] + padding + trailer
        # Take this frame's xid out of its UDP checksum.  That is a sum of 16-bit words (RFC 1071),
        # and modulo 0xffff a number that ends where a word ends is the sum of its words.
        written, xid = (int.from_bytes(frame[at], "big") for at in (layout.checksum, layout.xid))
        self._sum = (0xFFFF - written - xid) % 0xFFFF
        self._trailer = b""

    def resume(self, request: bytes) -> bytes:
        """The resume for ``request``, whose key is that of the request answered first."""
        if not self._before_checksum:
            self._lay_out()
        xid = request[self._layout.xid]
        checksum = 0xFFFF - (self._sum + int.from_bytes(xid, "big")) % 0xFFFF
        return b"".join(
            (
                self._before_checksum,
                checksum.to_bytes(2, "big"),
                self._before_xid,
                xid,
                self._after_xid,
            )
        )
