# SPDX-License-Identifier: Apache-2.0
"""The beginning of an OpenFlow connection, up to the datapath id: bytes in, bytes out.

Both say HELLO with the versions they speak; the greatest that both do is taken (OpenFlow 1.5,
6.3.1).  Then we ask for the features, of which we need the datapath id.
"""

from __future__ import annotations

from collections.abc import Collection

from ovs_dhcpd.controller.wire import messages
from ovs_dhcpd.controller.wire.messages import Hello
from ovs_dhcpd.controller.wire.openflow import KIND, VERSION, message, split

LIMIT = 128 * 1024  # bytes; Open vSwitch's handshake has 48


class Handshake:
    """The handshake of one connection; ``versions`` are the wire versions that we speak.

    `version` is the one agreed on, 0 before that. `features` is the FEATURES_REPLY, whole, empty
    before it has come; `datapath_id` is from it, and `rest` what came behind it. `error` is the
    last error that the switch has reported meanwhile.
    """

    def __init__(self, versions: Collection[int]) -> None:
        self._versions = frozenset(versions)
        self._size = 0
        self.version = 0
        self.features = b""
        self.datapath_id = 0
        self.rest = b""
        self.error = ""

    def begin(self) -> bytes:
        """What to send first."""
        return messages.encode_hello(self._versions)

    def receive(self, data: bytes) -> bytes:
        """What to send now that ``data`` has come.

        Raises :exc:`ValueError` where that is no handshake: the connection is to be closed.
        """
        self._size += len(data)
        if self._size > LIMIT:
            raise ValueError(f"more than {LIMIT >> 10} KB, expected a HELLO and a FEATURES_REPLY")
        self.rest += data
        whole, end = split(self.rest)
        answers = []
        at = 0
        for each in whole:
            at += len(each)
            answers.append(self._take(each))
            if self.features:
                end = at
                break
        self.rest = self.rest[end:]
        return b"".join(answers)

    def _take(self, received: bytes) -> bytes:
        kind = received[KIND]
        if kind == messages.OFPT_HELLO and not self.version:
            self.version = self._negotiate(messages.decode_hello(received))
            return message(self.version, messages.OFPT_FEATURES_REQUEST, b"")
        if kind == messages.OFPT_FEATURES_REPLY and self.version:
            if received[VERSION] != self.version:
                raise ValueError(
                    f"FEATURES_REPLY: wire version {received[VERSION]}, expected {self.version}"
                )
            self.datapath_id = messages.decode_datapath_id(received)
            self.features = received
        elif kind == messages.OFPT_ECHO_REQUEST:
            return messages.echo_reply(received)
        elif kind == messages.OFPT_ERROR:
            self.error = messages.decode_error(received)
        return b""

    def _negotiate(self, hello: Hello) -> int:
        if hello.listed:
            common = self._versions & hello.listed
        else:
            common = self._versions & {min(hello.version, max(self._versions))}
        if not common:
            speaks = _names(hello.listed or {hello.version})
            raise ValueError(f"the switch speaks {speaks}, expected {_names(self._versions)}")
        return max(common)


def _names(versions: Collection[int]) -> str:
    """As people write them: the wire version 6 is 1.5."""
    names = [f"1.{version - 1}" if version else "0" for version in sorted(versions)]
    return f"OpenFlow {', '.join(names)}"
