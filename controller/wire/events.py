# SPDX-License-Identifier: Apache-2.0
"""What a switch says, as values: with :mod:`~controller.wire.connection`,
:mod:`~controller.wire.declined` and :mod:`~controller.wire.probe` all that the part which decides
ever hears of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from ovs_dhcpd.controller.wire import flow_messages, flow_stats, messages, meters, openflow
from ovs_dhcpd.controller.wire.connection import Connected, Disconnected
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry, decode_flow_dump
from ovs_dhcpd.controller.wire.flow_monitor import (
    FlowUpdate,
    decode_flow_monitor,
    is_flow_monitor_reply,
)
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.controller.wire.meters import MeterCount
from ovs_dhcpd.controller.wire.probe import Heard
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit


@dataclass(frozen=True)
class FlowDump:
    """A part of the answer to the flow dump request `xid`: some flows.

    `more`: other parts follow.
    """

    xid: int
    flows: tuple[FlowEntry, ...]
    more: bool


@dataclass(frozen=True)
class FlowsChanged:
    """What somebody else has changed; or, if `xid` is not 0, what is there to begin with.

    `more`: other parts of that follow.
    """

    xid: int
    updates: tuple[FlowUpdate, ...]
    more: bool


@dataclass(frozen=True)
class FlowCount:
    """The answer to the flow count request `xid`."""

    xid: int
    count: int


@dataclass(frozen=True)
class FlowStats:
    """A part of the answer to the flow statistics request `xid`: what our flows counted.

    Each by its cookie.  `more`: other parts follow.
    """

    xid: int
    counts: Mapping[int, FlowCounts]
    more: bool


@dataclass(frozen=True)
class MeterFeatures:
    """The answer to the meter features request `xid`: how many meters there can be."""

    xid: int
    max_meters: int


@dataclass(frozen=True)
class MeterDump:
    """A part of the answer to the meter config request `xid`: some of our meters, by number.

    One that is not such as we make is None.  `more`: other parts follow.
    """

    xid: int
    meters: Mapping[int, RateLimit | None]
    more: bool


@dataclass(frozen=True)
class MeterCounts:
    """A part of the answer to the meter stats request `xid`: what some of our meters counted."""

    xid: int
    counts: Mapping[int, MeterCount]
    more: bool


@dataclass(frozen=True)
class PortAdded:
    """The switch has a new port, the interface `name`, with the OpenFlow number `ofport`."""

    name: str
    ofport: int


@dataclass(frozen=True)
class Committed:
    """The switch has carried out the bundle whose messages have this transaction id."""

    xid: int


@dataclass(frozen=True)
class Refused:
    """The switch has refused a message with this transaction id; `error` is type and code."""

    xid: int
    error: str


Event = Union[  # noqa: UP007 - evaluated on 3.10
    Connected,
    Disconnected,
    FlowDump,
    FlowsChanged,
    FlowCount,
    FlowStats,
    MeterFeatures,
    MeterDump,
    MeterCounts,
    PortAdded,
    Declined,
    Heard,
    Committed,
    Refused,
]
Reply = Union[  # noqa: UP007 - evaluated on 3.10
    FlowDump, FlowsChanged, FlowCount, FlowStats, MeterFeatures, MeterDump, MeterCounts
]


def decode_event(message: bytes) -> Event | None:
    """The event of a whole OpenFlow message that is no packet-in; None for what is not needed.

    Raises :exc:`ValueError` where the message is malformed.
    """
    kind = message[openflow.KIND]
    if kind == openflow.OFPT_MULTIPART_REPLY:
        return decode_flow_reply(message)
    if kind == messages.OFPT_ERROR:
        return Refused(openflow.xid_of(message), messages.decode_error(message))
    if kind == messages.OFPT_PORT_STATUS:
        port = messages.decode_port_status(message)
        return PortAdded(port.name, port.ofport) if port.reason == messages.OFPPR_ADD else None
    if messages.is_bundle_control(message):
        step = messages.decode_bundle_control(message)
        committed = step == openflow.BUNDLE_COMMIT_REPLY
        return Committed(openflow.xid_of(message)) if committed else None
    return None


def decode_flow_reply(message: bytes) -> Reply | None:
    """The event of an OpenFlow message that tells of flows or meters, because we asked for it.

    None for any other message.  Raises :exc:`ValueError` where such an answer is malformed.
    """
    xid = openflow.xid_of(message)
    if is_flow_monitor_reply(message):  # which in 1.3 is an experimenter's
        updates, more = decode_flow_monitor(message)
        return FlowsChanged(xid, tuple(updates), more)
    match openflow.reply_kind(message):
        case openflow.OFPMP_FLOW if flow_stats.is_flow_stats_reply(message):
            return FlowStats(xid, *flow_stats.decode_flow_stats(message))
        case openflow.OFPMP_FLOW:
            flows, more = decode_flow_dump(message)
            return FlowDump(xid, tuple(flows), more)
        case openflow.OFPMP_AGGREGATE:
            return FlowCount(xid, flow_messages.decode_flow_count(message))
        case meters.OFPMP_METER_FEATURES:
            return MeterFeatures(xid, meters.decode_features(message))
        case meters.OFPMP_METER_CONFIG:
            return MeterDump(xid, *meters.decode_config(message))
        case meters.OFPMP_METER:
            return MeterCounts(xid, *meters.decode_stats(message))
    return None
