# SPDX-License-Identifier: Apache-2.0
"""The same requests put to OVN and to the daemon: the same answers, but for the listed differences.

A difference is a field of the reply, or "reply" where one of the two is silent; each
comes with the place that says who is right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab import packets, reference
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.ovn import PrivateOvn
from tests.lab.packets import DECLINE, DISCOVER, INFORM, RELEASE, REQUEST, Reply, option
from tests.lab.process import PATIENCE
from tests.lab.switch import PrivateOvs

MAC = reference.MAC
OURS, WRONG = str(reference.ADDRESS), "192.168.1.77"
SERVER, OTHER_SERVER = str(reference.SERVER_ID), "192.168.1.250"
CLIENT_ID = option(61, bytes([1]) + bytes.fromhex(MAC.replace(":", "")))
BOOT: dict[str, Any] = {"bootfile_name": "http://boot/script", "bootfile_name_alt": "undionly.kpxe",
        "next_server": "192.168.1.3", "tftp_server": "192.168.1.4"}  # fmt: skip

# What any offer and any acknowledgement differ in.
ANY = {
    "option 253": "a private code, which DHCP's siaddr stands for: RFC 2131 Table 1",
    "option 121": "not asked for: RFC 2131 §4.3.1",
    "option 66": "RFC 2132 §9.4: text",
    "bootp_length": "at least 300 bytes, RFC 1542 §2.1, and what is said above",
}
NAK = {
    "option 54": "RFC 2131 Table 3: MUST",
    "option 56": "RFC 2131 Table 3: SHOULD",
    "eth_dst": "RFC 2131 §4.3.2: broadcast",
    "ip_dst": "RFC 2131 §4.3.2: broadcast",
    "bootp_length": "RFC 1542 §2.1: at least 300 bytes",
}
NEXT_SERVER = {"siaddr": "RFC 2131 Table 3: the next server, whoever asks"}


@dataclass(frozen=True)
class Case:
    """A request and what the answers to it differ in."""

    name: str
    message: int
    options: tuple[bytes, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    differences: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> bytes:
        """The request as a frame."""
        return packets.request(self.message, MAC, *self.options, **self.fields)


ASKED = option(55, bytes([1, 3, 6, 26, 54, 58, 59, 66, 67]))
UNICAST = {"eth_dst": reference.SERVER_MAC, "ip_dst": SERVER}

CASES = [
    Case("discover", DISCOVER, (ASKED,), {}, ANY),
    Case("discover, asking for little", DISCOVER, (option(55, bytes([1, 3, 121])),), {}, {
        "option 253": ANY["option 253"],
        "bootp_length": ANY["bootp_length"],
        "option 3": "RFC 3442: left out where 121 is asked for and sent",
        "option 6": "RFC 2131 §4.3.1: not asked for",
        "option 26": "RFC 2131 §4.3.1: not asked for",
        "option 66": "RFC 2131 §4.3.1: not asked for; the field is for those who do not",
        "option 67": "RFC 2131 §4.3.1: not asked for; the field is for those who do not",
        "sname": "RFC 2131 Table 3",
        "file": "RFC 2131 Table 3",
    }),
    Case("discover, broadcast flag", DISCOVER, (ASKED,), {"broadcast": True},
         {**ANY, "eth_dst": "RFC 2131 §4.1: broadcast"}),
    Case("discover with client-id", DISCOVER, (ASKED, CLIENT_ID), {},
         {**ANY, "option 61": "RFC 6842 §3: MUST be echoed"}),
    Case("discover, header fields set", DISCOVER, (ASKED,),
         {"hops": 3, "secs": 9, "sname": b"foo", "file": b"bar"},
         {**ANY, "hops": "RFC 2131 Table 3: 0", "secs": "RFC 2131 Table 3: 0",
          "sname": "RFC 2131 Table 3: the server's or none",
          "file": "RFC 2131 Table 3: the server's or none"}),
    Case("discover by iPXE", DISCOVER, (ASKED, option(175, b"")), {}, {**ANY, **NEXT_SERVER}),
    Case("discover by iPXE's user class", DISCOVER, (ASKED, option(77, b"iPXE")), {},
         {**ANY, "option 67": "RFC 3004 §4: a user class, to choose by"}),
    Case("discover, relayed", DISCOVER, (ASKED,), {"giaddr": "192.168.1.4"},
         {**ANY, "ip_dst": "RFC 2131 §4.1: to the relay", "dport": "RFC 2131 §4.1: to the relay"}),
    Case("discover, chaddr of another", DISCOVER, (ASKED,), {"chaddr": "02:de:ad:00:00:01"},
         {"reply": "no RFC: what is not the port's own is a forgery"}),
    Case("selecting", REQUEST, (ASKED, option(50, OURS), option(54, SERVER)), {}, ANY),
    Case("selecting, wrong address", REQUEST, (option(50, WRONG), option(54, SERVER)), {}, NAK),
    Case("selecting another server", REQUEST, (option(50, OURS), option(54, OTHER_SERVER)), {},
         {"reply": "RFC 2131 §3.1 step 4: the offer is declined"}),
    Case("selecting another server's address", REQUEST,
         (option(50, WRONG), option(54, OTHER_SERVER)), {},
         {"reply": "RFC 2131 §3.1 step 4: the offer is declined"}),
    Case("init-reboot", REQUEST, (ASKED, option(50, OURS)), {}, ANY),
    Case("init-reboot, wrong address", REQUEST, (option(50, WRONG),), {}, NAK),
    Case("request without an address", REQUEST, (ASKED,), {},
         {"reply": "RFC 2131 Table 4: one of option 50 and ciaddr MUST be there"}),
    Case("renewing", REQUEST, (ASKED,), {"ciaddr": OURS, "ip_src": OURS, **UNICAST}, ANY),
    Case("rebinding", REQUEST, (ASKED,), {"ciaddr": OURS, "ip_src": OURS}, ANY),
    Case("renewing an old address", REQUEST, (), {"ciaddr": WRONG, "ip_src": WRONG, **UNICAST},
         {"reply": "RFC 2131 §4.3.2: a NAK"}),
    Case("rebinding an old address", REQUEST, (), {"ciaddr": WRONG, "ip_src": WRONG},
         {"reply": "RFC 2131 §4.3.2: a NAK"}),
    Case("inform", INFORM, (ASKED,), {"ciaddr": OURS, "ip_src": OURS},
         {**ANY, **NEXT_SERVER, "option 1": "RFC 2131 §4.3.5: as asked"}),
    Case("decline", DECLINE, (option(50, OURS), option(54, SERVER))),
    Case("release", RELEASE, (option(54, SERVER),), {"ciaddr": OURS, "ip_src": OURS, **UNICAST}),
]  # fmt: skip


@pytest.fixture(scope="module")
def guest_of_ovn(ovn: PrivateOvn) -> Guest:
    guest = reference.guest(ovn)
    options = {
        "server_id": SERVER, "server_mac": reference.SERVER_MAC,
        "lease_time": str(reference.LEASE_TIME_S), "T1": "20000", "T2": "40000",
        "router": str(reference.SERVER_ID), "dns_server": str(reference.DNS_SERVER),
        "mtu": str(reference.MTU),
        "classless_static_route": "{169.254.169.254/32,192.168.1.2, 0.0.0.0/0,192.168.1.1}",
        "bootfile_name": f'"{BOOT["bootfile_name"]}"',
        "bootfile_name_alt": f'"{BOOT["bootfile_name_alt"]}"',
        "next_server": BOOT["next_server"],
        "tftp_server": BOOT["tftp_server"],
    }  # fmt: skip
    ovn.nbctl("ls-add", "finance-network1")
    ovn.dhcp_port("finance-network1", reference.PORT, f"{MAC} {OURS}", str(reference.CIDR), options)
    ovn.sync()
    return guest


@pytest.fixture(scope="module")
def guest_of_ours(switch: PrivateOvs) -> Iterator[Guest]:
    guest = reference.guest(switch)
    configuration = reference.configuration(rate_limit="none", T1=20000, T2=40000, **BOOT)
    with Dhcpd(switch, configuration) as dhcpd:
        dhcpd.wait_for_flows(guest)
        yield guest


def fields(reply: Reply | None) -> dict[str, object]:
    """A reply as a flat table, each option a row of its own; without one, no rows."""
    if reply is None:
        return {"reply": None}
    table = dataclasses.asdict(reply)
    codes = {code for code, _ in table.pop("options")}
    return {"reply": "yes", **table, **{f"option {code}": reply.option(code) for code in codes}}


def differing(one: Reply | None, other: Reply | None) -> set[str]:
    """The names of the fields in which two replies differ."""
    if one is None or other is None:
        return set() if one is other else {"reply"}
    first, second = fields(one), fields(other)
    return {name for name in {*first, *second} if first.get(name) != second.get(name)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_are_the_same(case: Case, guest_of_ovn: Guest, guest_of_ours: Guest) -> None:
    theirs = guest_of_ovn.ask(case.request(), timeout_s=0.5 * PATIENCE)
    ours = guest_of_ours.ask(case.request(), timeout_s=0.5 * PATIENCE)
    assert differing(theirs, ours) == set(case.differences), f"OVN: {theirs}\nours: {ours}"
