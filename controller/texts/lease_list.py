# SPDX-License-Identifier: Apache-2.0
"""The list of leases as people read it: a table, or CSV, of :mod:`controller.leases.fields`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from ovs_dhcpd.controller.leases.fields import FIELDS, NEVER
from ovs_dhcpd.controller.texts.table import DIM, GREEN, RED, YELLOW, table, width_of
from ovs_dhcpd.flows.options.wording import escape, printable

COLOURS = {
    "assigned": DIM,
    "offered": YELLOW,
    "bound": GREEN,
    "expired": RED,
    "declined": RED,
    "released": DIM,
    "refused": RED,
}

# What is left out first where a terminal is too narrow for a line.
LEAST_FIRST = ("VENDOR", "ASKED", "SINCE", "AGO", "LAST", "INTERFACE", "NAME", "NETWORK", "BRIDGE")

Lease = Mapping[str, Any]


def as_table(
    document: Mapping[str, Any], *, colour: bool = False, width: int | None = None
) -> Iterator[str]:
    """A line for each lease; columns in which all would be the same, or nothing, are left out.

    So are others where a line is to have no more than ``width`` columns of a terminal, and a last
    line names them.
    """
    leases = document["leases"]
    now = _time(document["time"])
    columns: dict[str, Callable[[Lease], str]] = {
        "PORT": lambda lease: escape(lease["port"]),
        "INTERFACE": lambda lease: escape(lease["interface"]),
        "BRIDGE": lambda lease: escape(lease["bridge"]),
        "VLAN": lambda lease: str(lease["vlan"] or ""),
        "NETWORK": lambda lease: escape(lease["network"]),
        "MAC": lambda lease: lease["mac"] or "",
        "ADDRESS": lambda lease: lease["address"] or " ".join(lease["prefixes"]),
        "STATE": lambda lease: lease["state"] or "",
        "SINCE": lambda lease: _ago(now, lease["since"]),
        "EXPIRES": lambda lease: _left(now, lease["expires"]),
        "LAST": _last,
        "AGO": lambda lease: _ago(now, lease["last_at"]),
        "ASKED": lambda lease: "" if lease["requests"] is None else str(lease["requests"]),
        "NAME": lambda lease: escape(lease["host_name"] or ""),
        "VENDOR": lambda lease: escape(lease["vendor_class"] or ""),
    }
    if all(lease["interface"] == lease["port"] for lease in leases):
        del columns["INTERFACE"]
    if len({lease["bridge"] for lease in leases}) < 2:
        del columns["BRIDGE"]
    cells = {header: [*map(column, leases)] for header, column in columns.items()}
    for header in ("VLAN", "NAME", "VENDOR"):
        if not any(cells[header]):
            del cells[header]
    left_out = _narrow(cells, width) if width and leases else []
    yield from table([*cells], [*zip(*cells.values(), strict=True)], COLOURS if colour else None)
    if left_out:
        yield f"(without {', '.join(left_out)}: the terminal has {width} columns)"


def _narrow(cells: dict[str, list[str]], width: int) -> list[str]:
    """Take away columns until the others fit: their headers."""
    widths = {header: max(map(width_of, (header, *column))) for header, column in cells.items()}
    left_out: list[str] = []
    for header in LEAST_FIRST:
        if sum(widths.values()) + 2 * (len(widths) - 1) <= width:
            break
        if widths.pop(header, None):
            del cells[header]
            left_out.append(header)
    return left_out


def as_csv(document: Mapping[str, Any]) -> Iterator[str]:
    """A header of FIELDS, and a line for each lease; lists have a space in between."""
    import csv
    import io

    line = io.StringIO()
    writer = csv.writer(line, lineterminator="")
    for row in (FIELDS, *([lease[field] for field in FIELDS] for lease in document["leases"])):
        writer.writerow(map(_cell, row))
        yield printable(line.getvalue())
        line.seek(0)
        line.truncate()


def _cell(value: object) -> object:
    return " ".join(value) if isinstance(value, list) else value  # None is empty


def _last(lease: Lease) -> str:
    """What was said last: the reply, or what was asked and why there was none."""
    message, answer = lease["last_message"], lease["last_answer"]
    if message is None or answer is None:
        return message or ""
    return answer if answer.startswith("DHCP") else f"{message}: {answer}"


@lru_cache(maxsize=4096)  # many leases are of the same second
def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z"))  # which Python 3.10 does not know


def _ago(now: datetime, then: str | None) -> str:
    return _duration((now - _time(then)).total_seconds()) if then else ""


def _left(now: datetime, until: str | None) -> str:
    if until is None or until == NEVER:
        return until or ""
    return _duration((_time(until) - now).total_seconds())


def _duration(seconds: float) -> str:
    """A time in its two greatest units at the most; one that is over is 0s."""
    seconds = max(0, round(seconds))
    for unit, size, smaller in (("d", 86400, "h"), ("h", 3600, "m"), ("m", 60, "s")):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            rest //= {"h": 3600, "m": 60, "s": 1}[smaller]
            return f"{whole}{unit}{rest}{smaller}" if rest and whole < 10 else f"{whole}{unit}"
    return f"{seconds}s"
