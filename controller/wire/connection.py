# SPDX-License-Identifier: Apache-2.0
"""That there is a connection to a switch, and that there is no longer one."""

from __future__ import annotations

from typing import NamedTuple


class Connected(NamedTuple):
    """The handshake is done.

    `version` is OpenFlow's on the wire (4 is 1.3, 6 is 1.5), `datapath_id` the 64 bits by which
    the switch names itself, as in the column ``datapath_id`` of its row in the database.
    """

    version: int
    datapath_id: int


class Disconnected(NamedTuple):
    """The connection has ended, whoever ended it; nothing more comes from it.

    `why` says what the reason was, where there is one to say.
    """

    why: str = ""
