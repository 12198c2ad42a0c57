# SPDX-License-Identifier: Apache-2.0
"""Having a source read what has been written into its database."""

from __future__ import annotations

from collections.abc import Callable

from ovs_dhcpd.controller.sources.northbound import OvnNorthbound

from tests.lab.process import wait_until


def until(
    source: OvnNorthbound, condition: Callable[[], object], timeout_s: float = 30
) -> set[str]:
    """Have it read until this is so; the names that were touched meanwhile."""
    touched: set[str] = set()

    def turn() -> object:
        touched.update(source.run())
        return condition()

    wait_until(turn, "the database", timeout_s)
    return touched
