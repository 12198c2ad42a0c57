# SPDX-License-Identifier: Apache-2.0
"""An answer kept ready for the next time the same request comes.

A reply is a pure function of userdata and request, and of a request's xid it only
has a copy.  So a client that renews, or asks again, gets the bytes of its last
answer with the new xid, and with the checksum that goes with it: a tenth of the work
of making them.  The offsets are those of IPv4 without options in an untagged frame;
other requests are simply answered anew each time.
"""

from __future__ import annotations

from controller.responders.verdict import Answer
from controller.wire.nxt import resume_head, resume_padding

_PLAIN_IPV4 = b"\x08\x00\x45"  # EtherType, version and header length
_PLAIN_IPV4_AT = slice(12, 15)
_BEFORE_CHECKSUM = slice(0, 40)
_CHECKSUM = slice(40, 42)
_BEFORE_XID = slice(42, 46)
_XID = slice(46, 50)
_AFTER_SECS = slice(52, None)
_AFTER_XID = slice(50, None)


def key(request: bytes) -> bytes:
    """What an answer depends on: the request's frame without UDP checksum, xid and secs."""
    return request[_BEFORE_CHECKSUM] + request[_BEFORE_XID] + request[_AFTER_SECS]


class Template:
    """The NXT_RESUME that carries an answer, but for the xid."""

    __slots__ = ("_after_xid", "_before_checksum", "_before_xid", "_sum", "verdict")

    def __init__(self, version: int, answer: Answer, trailer: bytes) -> None:
        frame = answer.frame
        self.verdict = answer
        padding = resume_padding(frame)
        head = resume_head(version, frame, trailer)
        self._before_checksum = head + frame[_BEFORE_CHECKSUM]
        self._before_xid = frame[_BEFORE_XID]
        self._after_xid = frame[_AFTER_XID] + padding + trailer
        # Take this frame's xid out of its UDP checksum; modulo 0xffff, both are sums (RFC 1071).
        written, xid = (int.from_bytes(frame[at], "big") for at in (_CHECKSUM, _XID))
        self._sum = (0xFFFF - written - xid) % 0xFFFF

    @staticmethod
    def fits(request: bytes) -> bool:
        """Whether the fields of ``request`` are where :func:`key` takes them from."""
        return request[_PLAIN_IPV4_AT] == _PLAIN_IPV4

    def resume(self, request: bytes) -> bytes:
        """The resume for ``request``, whose key is that of the request answered first."""
        xid = request[_XID]
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
