# SPDX-License-Identifier: Apache-2.0
"""Which bridge a switch that connects to us is: its datapath id says so."""

from __future__ import annotations

from collections.abc import Mapping


class Stranger(ValueError):
    """A switch that is none of the bridges that are served; the text says which were expected."""


def whose(datapath_id: int, bridges: Mapping[str, int | None], *, complete: bool) -> str | None:
    """The name of the bridge with this datapath id.

    ``bridges`` are those that are served, each with its datapath id, or None where the database
    has none (yet).  None: this may still turn out, which it never does once all of them have
    theirs and the list is ``complete``.  Raises :exc:`Stranger`.
    """
    for name, known in bridges.items():
        if known == datapath_id:
            return name
    if not complete or None in bridges.values():
        return None
    expected = ", ".join(f"{known:016x} of {name}" for name, known in bridges.items())
    raise Stranger(f"datapath {datapath_id:016x}, expected {expected or 'none'}")
