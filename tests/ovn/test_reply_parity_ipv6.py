# SPDX-License-Identifier: Apache-2.0
"""The same DHCPv6 messages and router solicitations put to OVN and to the daemon.

The answers are the same, but for the listed differences: a field of the answer, or "answer" where
one of the two is silent, each with the place that says who is right.  Where a later OVN does
otherwise, its differences are listed by the change that it has.  Both have the same
settings, but for Rapid Commit, of which OVN has none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any

import pytest

from tests.lab import nd, packets6, reference, reference6
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.ovn import Change, PrivateOvn, Version, has, version
from tests.lab.packets6 import (
    CONFIRM,
    DECLINE,
    IA_NA,
    IA_PD,
    IA_TA,
    INFORMATION_REQUEST,
    REBIND,
    RELEASE,
    RENEW,
    REQUEST,
    SOLICIT,
    duid_ll,
    ia_na,
    ia_pd,
    ia_ta,
    option,
    oro,
)
from tests.lab.process import PATIENCE
from tests.lab.switch import PrivateOvs

MAC, SERVER_MAC, ROUTER_MAC = reference.MAC, reference.SERVER_MAC, "0a:00:00:00:00:01"
OURS, OFF_LINK = str(reference6.ADDRESS), "fd77::5"
CLIENT_ID, SERVER_ID = option(1, duid_ll(MAC)), option(2, duid_ll(SERVER_MAC))
OTHER_SERVER = option(2, duid_ll("02:00:00:00:00:99"))
RAPID_COMMIT = option(14)
ASKED = oro(23, 24)
# The text that both are given.
SEARCH, DNSSL = "example.org,example.com", "example.org, example.com"

HOP_LIMIT = {"hop_limit": "no RFC: OVN returns the client's own"}
# What any two replies with settings differ in, and any two where we answer with a status alone.
ANY = {**HOP_LIMIT, "option 24": "RFC 8415 §10: labels, and each name on its own"}
STATUS = {
    **HOP_LIMIT,
    "option 23": "RFC 8415 §21.7: not asked for",
    "option 24": "RFC 8415 §21.7: not asked for",
}
DISCARD = "RFC 8415 §{}: MUST discard".format
BLANK = {"option 31": "RFC 1035 §2.3.1: no label begins with a blank"}

Differences = Mapping[str, str]
RELEASE_IS_ANSWERED: Change = ((23, 9, 0),)  # OVN 96088d496
UNSPECIFIED_IS_NO_DESTINATION: Change = (  # OVN 430c0fd32, for router advertisements
    (22, 3, 5), (23, 3, 3), (23, 6, 3), (23, 9, 1), (24, 3, 0),
)  # fmt: skip


def at_version(differences: Differences, later: Mapping[Change, Differences]) -> Differences:
    """What holds for the OVN that is installed: `later`'s, once it has the change."""
    installed = version()
    for change, changed in later.items():
        if has(installed, change):
            return changed
    return differences


@dataclass(frozen=True)
class Case:
    """A message and what the answers to it differ in."""

    name: str
    message: int
    options: tuple[bytes, ...]
    differences: Differences = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    later: Mapping[Change, Differences] = field(default_factory=dict)

    def request(self) -> bytes:
        """The message as a frame."""
        body = bytes((self.message,)) + b"\xab\xcd\xef" + b"".join(self.options)
        return packets6.frame_of(body, MAC, **{"ip_src": reference6.LLA, **self.fields})


CASES = [
    Case("solicit", SOLICIT, (CLIENT_ID, ASKED, ia_na(1)), ANY),
    Case("solicit, asking for little", SOLICIT, (CLIENT_ID, oro(23), ia_na(1)),
         {**HOP_LIMIT, "option 24": "RFC 8415 §21.7: not asked for"}),
    Case("solicit without option request", SOLICIT, (CLIENT_ID, ia_na(1)), ANY),
    Case("solicit, Rapid Commit", SOLICIT, (CLIENT_ID, ASKED, RAPID_COMMIT, ia_na(1)),
         {**ANY, "message": "RFC 8415 §18.3.1: a Reply", "option 14": "RFC 8415 §18.3.1: MUST"}),
    Case("solicit, IAID 0", SOLICIT, (CLIENT_ID, ASKED, ia_na(0)),
         {"answer": "RFC 8415 §12: an IAID like any other"}),
    Case("solicit, two IA_NA", SOLICIT, (CLIENT_ID, ASKED, ia_na(1), ia_na(2)),
         {**ANY, "IA_NA 1": "RFC 8415 §18.3.9: the first gets the address",
          "IA_NA 2": "RFC 8415 §18.3.9: NoAddrsAvail"}),
    Case("solicit, IA_TA", SOLICIT, (CLIENT_ID, ASKED, ia_ta(1)),
         {"answer": "RFC 8415 §18.3.9: NoAddrsAvail"}),
    Case("solicit, IA_PD", SOLICIT, (CLIENT_ID, ASKED, ia_pd(1)),
         {"answer": "RFC 8415 §18.3.9: NoPrefixAvail"}),
    Case("solicit, IA_NA and IA_PD", SOLICIT, (CLIENT_ID, ASKED, ia_na(1), ia_pd(1)),
         {**ANY, "IA_PD 1": "RFC 8415 §18.3.9: NoPrefixAvail"}),
    Case("solicit without client DUID", SOLICIT, (ASKED, ia_na(1))),
    Case("solicit with server DUID", SOLICIT, (CLIENT_ID, SERVER_ID, ASKED, ia_na(1)),
         {"answer": DISCARD("16.2")}),
    Case("request", REQUEST, (CLIENT_ID, SERVER_ID, ASKED, ia_na(1, OURS)), ANY),
    Case("request, off link", REQUEST, (CLIENT_ID, SERVER_ID, ASKED, ia_na(1, OFF_LINK)),
         {**ANY, "IA_NA 1": "RFC 8415 §18.3.2: NotOnLink"}),
    Case("request to another server", REQUEST, (CLIENT_ID, OTHER_SERVER, ASKED, ia_na(1, OURS)),
         {"answer": DISCARD("16.4")}),
    Case("request without server DUID", REQUEST, (CLIENT_ID, ASKED, ia_na(1, OURS)),
         {"answer": DISCARD("16.4")}),
    Case("request by unicast", REQUEST, (CLIENT_ID, SERVER_ID, ASKED, ia_na(1, OURS)),
         {"answer": "RFC 8415 §18.4: UseMulticast"},
         {"eth_dst": SERVER_MAC, "ip_dst": reference6.SERVER_LLA}),
    Case("renew", RENEW, (CLIENT_ID, SERVER_ID, ASKED, ia_na(1, OURS)),
         {"answer": "RFC 8415 §18.3.4: new lifetimes"}),
    Case("renew an old address", RENEW, (CLIENT_ID, SERVER_ID, ASKED, ia_na(1, OFF_LINK)),
         {"answer": "RFC 8415 §18.3.4: lifetimes of 0"}),
    Case("rebind", REBIND, (CLIENT_ID, ASKED, ia_na(1, OURS)),
         {"answer": "RFC 8415 §18.3.5: new lifetimes"}),
    Case("rebind an old address", REBIND, (CLIENT_ID, ASKED, ia_na(1, OFF_LINK)),
         {"answer": "RFC 8415 §18.3.5: lifetimes of 0"}),
    Case("confirm, on link", CONFIRM, (CLIENT_ID, ia_na(1, OURS)),
         {**STATUS, "option 13": "RFC 8415 §18.3.3: Success",
          "IA_NA 1": "RFC 8415 §18.3.3: nothing is assigned"}),
    Case("confirm, off link", CONFIRM, (CLIENT_ID, ia_na(1, OFF_LINK)),
         {**STATUS, "option 13": "RFC 8415 §18.3.3: NotOnLink",
          "IA_NA 1": "RFC 8415 §18.3.3: nothing is assigned"}),
    Case("confirm without address", CONFIRM, (CLIENT_ID, ia_na(1)),
         {"answer": "RFC 8415 §18.3.3: MUST NOT reply"}),
    Case("decline", DECLINE, (CLIENT_ID, SERVER_ID, ia_na(1, OURS)),
         {**STATUS, "option 13": "RFC 8415 §18.3.8: Success",
          "IA_NA 1": "RFC 8415 §18.3.8: not what was just declined"}),
    Case("release", RELEASE, (CLIENT_ID, SERVER_ID, ia_na(1, OURS)),
         {"answer": "RFC 8415 §18.3.7: Success"}, later={RELEASE_IS_ANSWERED: HOP_LIMIT}),
    Case("release of an unknown IA", RELEASE, (CLIENT_ID, SERVER_ID, ia_na(1, OFF_LINK)),
         {"answer": "RFC 8415 §18.3.7: Success, and NoBinding for that IA"},
         later={RELEASE_IS_ANSWERED:
                {**HOP_LIMIT, "IA_NA 1": "RFC 8415 §18.3.7: NoBinding for that IA"}}),
    Case("information-request", INFORMATION_REQUEST, (CLIENT_ID, ASKED), ANY),
    Case("information-request without client DUID", INFORMATION_REQUEST, (ASKED,),
         {"answer": "RFC 8415 §18.3.6: a Reply without one"}),
    Case("information-request, IA_NA", INFORMATION_REQUEST, (CLIENT_ID, ASKED, ia_na(1)),
         {"answer": DISCARD("16.12")}),
]  # fmt: skip

TO_ALL_NODES = {"eth_dst": "RFC 2464 §7: all nodes"}
# By the source of a solicitation; not the kernel's, which solicits when it likes.
SOLICITATIONS: Mapping[str, tuple[Differences, Mapping[Change, Differences]]] = {
    "fe80::77": (BLANK, {}),
    "::": (
        {**BLANK, **TO_ALL_NODES, "ip_dst": "RFC 4861 §6.2.6: all nodes"},
        {UNSPECIFIED_IS_NO_DESTINATION: {**BLANK, **TO_ALL_NODES}},
    ),
}


@pytest.fixture(scope="module")
def guest_of_ovn(ovn: PrivateOvn) -> Guest:
    guest = reference.guest(ovn)
    network, addresses = "finance-network1", f"{MAC} {OURS}"
    options = {
        "server_id": SERVER_MAC,
        "dns_server": str(reference6.DNS_SERVER),
        "domain_search": f'"{SEARCH}"',
    }
    ra = {
        "address_mode": "dhcpv6_stateful", "mtu": str(reference.MTU), "router_preference": "HIGH",
        "rdnss": str(reference6.DNS_SERVER), "dnssl": DNSSL,
    }  # fmt: skip
    ovn.nbctl("ls-add", network, "--", "lr-add", "router")
    ovn.dhcp_port(network, reference.PORT, addresses, str(reference6.CIDR), options, family=6)
    ovn.router_port("router", "gateway", ROUTER_MAC, ["fd00:1::1/64"], ra)
    ovn.connect(network, "gateway")
    ovn.sync()
    return guest


@pytest.fixture(scope="module")
def guest_of_ours(switch: PrivateOvs) -> Iterator[Guest]:
    guest = reference.guest(switch)
    ra: dict[str, object] = {
        "slla": ROUTER_MAC, "router_preference": "HIGH",
        "rdnss": str(reference6.DNS_SERVER), "dnssl": DNSSL,
    }  # fmt: skip
    configuration = reference6.configuration(
        ra=ra, domain_search=SEARCH, rapid_commit=True, rate_limit="none"
    )
    with Dhcpd(switch, configuration) as dhcpd:
        dhcpd.wait_for_flows(guest)
        yield guest


Fields = dict[str, Any]
_IA = {IA_NA: "IA_NA", IA_TA: "IA_TA", IA_PD: "IA_PD"}


def of_dhcpv6(frame: bytes) -> Fields:
    """A reply as a flat table; each option and each IA a row of its own."""
    reply = packets6.parse_reply(frame)
    table = dataclasses.asdict(reply)
    del table["options"]
    for ia in reply.ias:
        table.setdefault(f"{_IA[ia.code]} {ia.iaid}", []).append(ia)
    for code, value in reply.options:
        if code not in _IA:
            table.setdefault(f"option {code}", []).append(value)
    return table


def of_advertisement(frame: bytes) -> Fields:
    """A router advertisement likewise; `header` is its fixed part without the checksum."""
    source, destination, message = frame[22:38], frame[38:54], frame[54:]
    assert nd.checksum(source, destination, message) == 0
    table: Fields = {
        "eth_dst": frame[:6].hex(":"), "eth_src": frame[6:12].hex(":"),
        "ip_src": str(IPv6Address(source)), "ip_dst": str(IPv6Address(destination)),
        "hop_limit": frame[21], "header": message[:2] + message[4:16],
    }  # fmt: skip
    options = message[16:]
    while options:
        size = 8 * options[1]
        table.setdefault(f"option {options[0]}", []).append(options[:size])
        options = options[size:]
    return table


def differing(
    request: bytes,
    fits: Callable[[bytes], bool],
    fields: Callable[[bytes], Fields],
    one: Guest,
    other: Guest,
) -> Fields:
    """The fields in which the answers of two guests' servers differ, with both values."""

    def ask(guest: Guest) -> Fields:
        with guest.raw() as raw:
            raw.send(request)
            answer = raw.receive(0.5 * PATIENCE, fits)
        return {"answer": "yes", **fields(answer)} if answer else {"answer": None}

    first, second = ask(one), ask(other)
    if first["answer"] != second["answer"]:
        return {"answer": (first, second)}
    return {
        name: (first.get(name), second.get(name))
        for name in {*first, *second}
        if first.get(name) != second.get(name)
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_replies_are_the_same(case: Case, guest_of_ovn: Guest, guest_of_ours: Guest) -> None:
    def fits(frame: bytes) -> bool:
        return frame[12:14] == b"\x86\xdd" and frame[20] == 17

    found = differing(case.request(), fits, of_dhcpv6, guest_of_ovn, guest_of_ours)
    expected = at_version(case.differences, case.later)
    assert set(found) == set(expected), str(found)


@pytest.mark.parametrize("source", SOLICITATIONS)
def test_advertisements_are_the_same(
    source: str, guest_of_ovn: Guest, guest_of_ours: Guest
) -> None:
    def fits(frame: bytes) -> bool:
        return nd.is_nd(frame, nd.RA) and frame[38:54] != IPv6Address(reference6.LLA).packed

    request = nd.router_solicitation(MAC, source)
    found = differing(request, fits, of_advertisement, guest_of_ovn, guest_of_ours)
    assert set(found) == set(at_version(*SOLICITATIONS[source])), str(found)


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        ((22, 3, 4), False), ((22, 3, 8), True), ((22, 12, 9), False), ((23, 3, 1), False),
        ((23, 3, 3), True), ((23, 9, 0), False), ((23, 9, 1), True), ((25, 3, 0), True),
    ],
)  # fmt: skip
def test_a_change_is_in_the_branches_that_it_was_put_into(
    installed: Version, expected: bool
) -> None:
    assert has(installed, UNSPECIFIED_IS_NO_DESTINATION) is expected
