# SPDX-License-Identifier: Apache-2.0
"""Times as somebody writes them in a file: seconds, or numbers with units."""

from __future__ import annotations

import re

from ovs_dhcpd.flows.configuration.section import Reader
from ovs_dhcpd.flows.options.lexer import TextError, parse_constants
from ovs_dhcpd.flows.options.wording import show
from ovs_dhcpd.flows.userdata.extension import INFINITY_S

UNITS_S = {"d": 86400, "h": 3600, "m": 60, "s": 1}  # in the order in which they are written
INFINITY = "infinity"
# Each unit once, at least one of them.
PATTERN = "(?=.)" + "".join(f"([0-9]{{1,10}}{unit})?" for unit in UNITS_S)
EXPECTED = "seconds, or a time as 45s, 30m, 12h, 7d or 1h30m"


def seconds(reader: Reader, value: object, *, endless: bool = False) -> object:
    """What ``value``, which stands in ``reader``, is in seconds; what is no text is as it is.

    ``endless``: it may be ``infinity``.  Raises ValueError for text that is no time.  Of rows of
    databases nothing has units: what is written there is OVN's to read.
    """
    if not reader.takes_units or not isinstance(value, str):
        return value
    if endless and value == INFINITY:
        return INFINITY_S
    if found := re.fullmatch(PATTERN, value, re.ASCII):
        return sum(int(part[:-1]) * UNITS_S[part[-1]] for part in found.groups() if part)
    try:
        parse_constants(value)
    except TextError:
        forever = f", or {INFINITY}" if endless else ""
        raise ValueError(f"{show(value)}, expected {EXPECTED}{forever}") from None
    return value
