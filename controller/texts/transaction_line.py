# SPDX-License-Identifier: Apache-2.0
"""A packet and what became of it, as one line of ``ovs-dhcpd watch``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ovs_dhcpd.flows.options.wording import escape

Transaction = Mapping[str, Any]  # as controller/watching/document.py makes it


def show_line(transaction: Transaction) -> str:
    """A transaction as text: when, whose, what was asked and answered, and in which time."""
    when = datetime.fromisoformat(transaction["time"].removesuffix("Z") + "+00:00").astimezone()
    port, network = transaction["port"], transaction["network"]
    where = f"{escape(port)} ({escape(network)})" if port else f"port {transaction['ofport']}"
    vlan = f" VLAN {transaction['vlan']}" if transaction["vlan"] else ""
    xid = f" xid {transaction['xid']}" if transaction["xid"] else ""
    words = [transaction["answer"] or f"no answer: {escape(transaction['reason'])}"]
    if transaction["address"]:
        words.append(transaction["address"])
    return (
        f"{when:%H:%M:%S}.{when.microsecond // 1000:03} {escape(transaction['bridge'])} "
        f"{where}{vlan} {transaction['mac']}: {transaction['asked'] or 'another packet'}{xid}: "
        f"{' '.join(words)}, {transaction['took_us']} µs"
    )
