# SPDX-License-Identifier: Apache-2.0
"""Leases as JSON: what ``leases/show -f json`` answers, and who looks at it builds on.

:mod:`controller.leases.fields` has what is in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from ovs_dhcpd.controller.leases.fields import NEVER, VERSION
from ovs_dhcpd.controller.leases.lease import ASSIGNED
from ovs_dhcpd.controller.leases.leases import Row
from ovs_dhcpd.flows.options.wording import hint, show

Lease = dict[str, Any]
Plugged = Callable[[str], tuple[str, int | None]]  # the interface that is a port, and its VLAN


class NoSuchLease(ValueError):
    """What was asked for is nobody's; its text says what was expected."""


def document(
    rows: Iterable[Row], plugged: Plugged, now_s: float, since_1970_s: float, words: Sequence[str]
) -> Mapping[str, object]:
    """The document with those of ``rows`` that one of ``words`` names, or with all.

    ``now_s`` is the time of the rows, which is ``since_1970_s``.  Raises :exc:`NoSuchLease` where a
    word names nobody.
    """
    clock = Clock(since_1970_s - now_s)
    leases = [to_lease(row, plugged, clock) for row in rows]
    if words:
        leases = select(leases, words)
    return {"version": VERSION, "time": clock.text(now_s), "leases": leases}


def select(leases: Sequence[Lease], words: Iterable[str]) -> list[Lease]:
    """Those of which a word is the port, interface, MAC, address, prefix, network or bridge."""
    wanted = {normal(word): word for word in words}
    missing = dict(wanted)
    found = []
    for lease in leases:
        names = wanted.keys() & set(_names(lease))
        if names:
            found.append(lease)
            for name in names:
                missing.pop(name, None)
    for word in missing.values():
        known = {lease["port"] for lease in leases}
        what = "expected a port, MAC, address or network that is served"
        raise NoSuchLease(f"{show(word)}: nobody's, {what}{hint(word, known)}")
    return found


def _names(lease: Lease) -> Iterator[str]:
    yield from (lease["port"], lease["interface"], lease["network"], lease["bridge"])
    yield from lease["addresses"]
    yield from lease["prefixes"]
    for key in ("address", "mac"):
        if lease[key]:
            yield lease[key]


def normal(word: str) -> str:
    """A MAC and an address as they are written here; anything else as it is."""
    if len(word) == 17 and (mac := word.lower().replace("-", ":")).count(":") == 5:
        return mac
    try:
        return str(ip_address(word))
    except ValueError:
        return word


class Clock:
    """Text for times; there are few different ones among thousands of leases.

    ``offset_s`` is what there is to add to one of ours for the seconds since 1970.
    """

    def __init__(self, offset_s: float) -> None:
        self._offset_s = offset_s
        self._known: dict[int, str] = {}

    def text(self, time_s: float | None) -> str | None:
        """A time of ours in ISO 8601, UTC, or NEVER; None for None, and for the year 10,000."""
        if time_s is None:
            return None
        if time_s == math.inf:
            return NEVER
        second = math.floor(time_s + self._offset_s)
        if second not in self._known:
            try:
                moment = datetime.fromtimestamp(second, timezone.utc)
            except (ValueError, OverflowError, OSError):
                return None
            self._known[second] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._known[second]


def to_lease(row: Row, plugged: Plugged, clock: Clock) -> Lease:
    """A lease with all of FIELDS."""
    lease = row.lease
    interface, vlan = plugged(row.binding.parent.name if row.binding.parent else row.port)
    is_given = lease.address and row.state not in (None, ASSIGNED)
    addresses = [*row.addresses]
    address = next(iter(addresses), None)
    if is_given:
        address = str((IPv4Address if row.family == 4 else IPv6Address)(lease.address))
    expires_s = lease.expires_s if row.state is not None else None
    return {
        "port": row.port,
        "interface": interface,
        "bridge": row.bridge,
        "ofport": row.ofport,
        "vlan": row.binding.tag or vlan,
        "network": row.network.name,
        "family": row.family,
        "mac": row.mac.hex(":") if row.mac else None,
        "address": address,
        "addresses": addresses,
        "prefixes": [*row.prefixes],
        "state": row.state,
        "since": clock.text(lease.since_s) if lease.requests and row.state else None,
        "expires": clock.text(expires_s),
        "last_message": lease.asked or None,
        "last_answer": lease.answer or None,
        "last_at": clock.text(row.last_s),
        "requests": row.requests,
        "requests_since": clock.text(row.requests_since_s),
        "host_name": _text(lease.host_name),
        "vendor_class": _text(lease.vendor_class),
    }


def _text(said: bytes) -> str | None:
    """What a guest said of itself, whatever bytes that is; a NUL at its end is none of it."""
    return said.rstrip(b"\0").decode("utf-8", "backslashreplace") or None
