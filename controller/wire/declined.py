# SPDX-License-Identifier: Apache-2.0
"""That a client has declined its address, as an event: it comes to the daemon by a packet."""

from __future__ import annotations

from typing import NamedTuple


class Declined(NamedTuple):
    """A client behind port `ofport`, with `mac`, says that somebody else uses `address`.

    The `tag` is that of its packets, 0 if they have none.  The address has 4 or 16 bytes, or is
    empty where the client fails to say which.
    """

    ofport: int
    tag: int
    mac: bytes
    address: bytes
