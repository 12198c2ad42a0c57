# SPDX-License-Identifier: Apache-2.0
"""What becomes of a packet in a bridge, up to where it is paused or leaves: values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from ovs_dhcpd.flows.pipeline.flow import is_our_cookie

_REGISTER = re.compile("metadata|reg[0-9]{1,2}")
_HEX = re.compile("0x[0-9a-f]{1,16}")


class Step(NamedTuple):
    """A flow that the packet met: its match and actions as ``ofproto/trace`` shows them."""

    table: int
    match: str
    priority: int
    cookie: int
    actions: tuple[str, ...]

    @property
    def is_ours(self) -> bool:
        """Whether the cookie has our prefix."""
        return is_our_cookie(self.cookie)


class Course(NamedTuple):
    """The flows met, and how it ended.

    ``fields`` are those of the packet at its end, by their names and as text in a match; registers
    that are zero may be left out.  ``userdata`` is that of the flow that paused the packet, None if
    none did.  ``leaves_by`` are the ports that it left by, as text; none: it went nowhere.
    """

    steps: tuple[Step, ...]
    fields: Mapping[str, str]
    userdata: bytes | None = None
    leaves_by: tuple[str, ...] = ()

    @property
    def registers(self) -> dict[str, int]:
        """What ``metadata`` and the registers hold, but for zeros."""
        return {
            name: int(text, 16)
            for name, text in self.fields.items()
            if _REGISTER.fullmatch(name) and _HEX.fullmatch(text)
        }


class Bridge(Protocol):
    """A bridge whose flows a packet can be sent through."""

    def enter(self, frame: bytes) -> Course:
        """The course of a packet that comes in from the port."""

    def resume(self, frame: bytes, registers: Mapping[str, int]) -> Course:
        """The course of one that was paused by a flow of ours, and is handed back as this."""
