# SPDX-License-Identifier: Apache-2.0
"""What ovs-vswitchd 3.1 said, and what is made of it."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.tracing.ofproto_trace import LiveBridge, decode_ports, decode_trace
from ovs_dhcpd.controller.tracing.requests import KINDS, Client, make_request

PAUSED = """\
Flow: udp,in_port=1,vlan_tci=0x0000,dl_src=fa:16:3e:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,tp_src=68

bridge("br-int")
----------------
 0. reg0=0/0x40,in_port=1,vlan_tci=0x0000/0x0fff, priority 65535, cookie 0x646899613c911a6a
    resubmit(,202)
202. priority 40, cookie 0x646887b35641cc81
    set_field:0x40/0x40->reg0
    resubmit(,0)
 0. udp,reg0=0/0x10,in_port=1,tp_src=68,tp_dst=67, priority 100
    meter:1684537345
    set_field:0x30691e09->metadata
    controller(userdata=00.00.00.02,pause)

Final flow: udp,reg0=0x40,metadata=0x30691e09,in_port=1,tp_src=68,tp_dst=67
Megaflow: recirc_id=0,eth,udp,in_port=1,dl_src=fa:16:3e:00:00:01,nw_frag=no
Datapath actions: meter(0),userspace(pid=0,controller(reason=1,dont_send=0,max_len=65535)),3
"""
ANSWERED = """\
Flow: udp,in_port=1,dl_src=fa:16:3e:00:00:01

bridge("br-int")
----------------
    set_field:0x48->reg0
    resubmit(,201)
201. udp,reg0=0x8/0x8,metadata=0x30691e09, priority 100, cookie 0x6468f0ce613df3c4
    move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]
     -> NXM_OF_ETH_DST[] is now fa:16:3e:00:00:01
    IN_PORT

Final flow: udp,reg0=0x48,metadata=0x30691e09,in_port=1,dl_src=16:47:76:88:c0:e0,nw_src=10.0.0.1
Megaflow: recirc_id=0,eth,udp
Datapath actions: set(eth(src=16:47:76:88:c0:e0,dst=fa:16:3e:00:00:01)),set(udp(src=67,dst=68)),2
"""
DROPPED = """\
Flow: udp,in_port=1,dl_src=fa:16:3e:00:00:01

bridge("br-int")
----------------
 0. No match.
    drop

Final flow: unchanged
Megaflow: recirc_id=0,eth,udp
Datapath actions: drop
"""
SOLICITATION = (
    "dl_type=0x86dd,nw_proto=58,icmpv6_type=133,dl_dst=33:33:00:00:00:02,dl_src=fa:16:3e:00:00:01,"
    "dl_vlan=100,nw_ttl=255,ipv6_src=fe80::f816:3eff:fe00:1,ipv6_dst=ff02::2,icmpv6_code=0"
)
DISCOVER = (
    "dl_type=0x800,nw_proto=17,dl_dst=ff:ff:ff:ff:ff:ff,dl_src=fa:16:3e:00:00:01,nw_ttl=64,"
    "nw_src=0.0.0.0,nw_dst=255.255.255.255,udp_src=68,udp_dst=67"
)
PORTS = """\
netdev@ovs-netdev: hit:0 missed:5
  br-int:
    br-int 65534/1: (tap)
    tap1 1/2: (system)
  br-x:
    patch0 1/none: (patch: peer=patch1)
    eth1 2/3: (system)
"""


def test_a_packet_that_is_paused() -> None:
    course = decode_trace(PAUSED, {})
    assert [(s.table, s.priority, s.cookie) for s in course.steps] == [
        (0, 65535, 0x646899613C911A6A),
        (202, 40, 0x646887B35641CC81),
        (0, 100, 0),
    ]
    assert [s.match for s in course.steps] == [
        "reg0=0/0x40,in_port=1,vlan_tci=0x0000/0x0fff",
        "",
        "udp,reg0=0/0x10,in_port=1,tp_src=68,tp_dst=67",
    ]
    assert course.steps[1].actions == ("set_field:0x40/0x40->reg0", "resubmit(,0)")
    assert course.userdata == b"\0\0\0\2"
    assert course.registers == {"reg0": 0x40, "metadata": 0x30691E09}
    assert course.leaves_by == ()


def test_a_packet_that_leaves() -> None:
    course = decode_trace(ANSWERED, {"2": "tap1"})
    assert [s.table for s in course.steps] == [201]
    assert course.steps[0].actions[1:] == (
        "-> NXM_OF_ETH_DST[] is now fa:16:3e:00:00:01",
        "IN_PORT",
    )
    assert course.fields["dl_src"] == "16:47:76:88:c0:e0"
    assert course.fields["nw_src"] == "10.0.0.1"
    assert course.leaves_by == ("tap1",)
    assert course.userdata is None


def test_a_packet_that_is_dropped() -> None:
    course = decode_trace(DROPPED, {})
    assert [(s.match, s.actions) for s in course.steps] == [("No match.", ("drop",))]
    assert course.fields["dl_src"] == "fa:16:3e:00:00:01"
    assert course.leaves_by == ()


@pytest.mark.parametrize(
    ("action", "userdata"),
    [
        ("controller(userdata=01.02,pause)", b"\1\2"),
        ("controller(reason=action,max_len=128,userdata=01,pause,meter_id=3)", b"\1"),
        ("controller(userdata=01.02)", None),
        ("CONTROLLER:65535", None),
    ],
)
def test_only_what_pauses_ends_at_the_controller(action: str, userdata: bytes | None) -> None:
    said = PAUSED.replace("controller(userdata=00.00.00.02,pause)", action)
    assert decode_trace(said, {}).userdata == userdata


@pytest.mark.parametrize("said", ["", "\n", "x: y", "    action\n", "Final flow: unchanged\n"])
def test_what_is_not_understood_is_left_out(said: str) -> None:
    assert decode_trace(said, {}).steps == ()


def test_ports_by_their_numbers() -> None:
    assert decode_ports(PORTS) == {"1": "br-int", "2": "tap1", "3": "eth1"}


def test_what_a_running_bridge_is_asked() -> None:
    asked: list[tuple[str, ...]] = []

    def ask(*words: str) -> str:
        asked.append(words)
        return PORTS if words[0] == "dpif/show" else ANSWERED

    bridge = LiveBridge(ask, "br-int", 1)
    client = Client(bytes.fromhex("fa163e000001"), 100)
    bridge.enter(make_request(KINDS["rs"], client))
    course = bridge.resume(
        make_request(KINDS["discover"], client._replace(tag=None)), {"reg0": 0x48, "metadata": 7}
    )
    assert asked == [
        ("dpif/show",),
        ("ofproto/trace", "br-int", f"in_port=1,{SOLICITATION}"),
        (
            *("ofproto/trace-packet-out", "br-int", f"in_port=1,{DISCOVER}"),
            "set_field:0x48->reg0,set_field:0x7->metadata,resubmit(,201)",
        ),
    ]
    assert course.leaves_by == ("tap1",)
