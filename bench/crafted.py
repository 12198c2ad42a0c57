# SPDX-License-Identifier: Apache-2.0
"""What requests cost that somebody made up so that they take long, beside plain ones.

As :mod:`bench.in_process` measures, with flows that are known and requests that are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ovs_dhcpd.flows.bindings.network import default_server_mac

from bench import results
from bench.in_process import Ask, discover, message6, packet_ins, solicit, timed, told, userdata
from bench.results import Effort, Row
from tests.lab.packets import option
from tests.lab.packets6 import IA_NA, RENEW, ia_na, ia_pd, oro
from tests.lab.packets6 import option as option6

# What stands behind the options of a plain request, in a packet of up to 1,500 bytes.
_NONE = b""
_FOREIGN = [f"fd00:0::ffff:{number:x}" for number in range(48)]
CRAFTED4 = {
    "565 empty options, none of them known": option(200, _NONE) * 565,
    "565 empty options, of each code": b"".join(option(1 + n % 254, _NONE) for n in range(565)),
    "565 empty options, all Rapid Commit": option(80, _NONE) * 565,
    "290 options of one byte, padding between": (b"\0" + option(200, b"x")) * 290,
    "1,170 bytes of padding": bytes(1170),
    "its list of wishes in 390 pieces": b"".join(option(55, 1 + n % 254) for n in range(390)),
}
CRAFTED6 = {
    "340 empty options, none of them known": option6(1000) * 340,
    "340 empty options, all Rapid Commit": option6(14) * 340,
    "85 IA_NA": b"".join(map(ia_na, range(1000, 1085))),
    "85 IA_NA with one IAID": ia_na(1000) * 85,
    "20 IA_NA": b"".join(map(ia_na, range(1000, 1020))),
    "20 IA_PD": b"".join(map(ia_pd, range(1000, 1020))),
    "30 IA_NA with an address each": b"".join(map(ia_na, range(1000, 1030), _FOREIGN)),
    "IA_NA with 48 addresses": ia_na(1000, *_FOREIGN),
    "IA_NA with 335 empty options": option6(IA_NA, bytes(12) + option6(1000) * 335),
}


def renew(port: int, xid: int, crafted: bytes = b"") -> bytes:
    """A renewal, in the first network of :func:`configuration`."""
    server = option6(2, b"\0\3\0\1" + default_server_mac("net0-0"))
    return message6(RENEW, port, xid, server, ia_na(port), crafted)


def wishful(port: int, xid: int, crafted: bytes) -> bytes:
    """Asks for all that is in ``crafted``, in an order that no other guest has."""
    return discover(port, xid, option(55, port % 250) + crafted)


def wishful6(port: int, xid: int, crafted: bytes) -> bytes:
    """The same by DHCPv6."""
    return solicit(port, xid, option6(6, (1000 + port).to_bytes(2, "big") + crafted))


WISHES4 = {
    "asks for each option, four times": option(55, bytes(range(1, 255))) * 4,
    "asks for what there is, 1,000 times": option(55, bytes((3, 6, 15, 26, 51)) * 50) * 4,
}
WISHES6 = {
    "asks for 650 options": oro(*range(650))[4:],
    "asks for what there is, 650 times": oro(23, 24)[4:] * 325,
}


def measure(effort: Effort) -> Iterator[Row]:  # it takes seconds
    """Of each kind of request, a plain one and the others."""
    ports = userdata(0)

    def us(kind: str, ask: Ask, crafted: Ask) -> float:
        known, messages = packet_ins(kind, ask, ports), packet_ins(kind, crafted, ports, 3, 7)
        return timed(lambda: (told(known), messages))

    renewed = {what: options for what, options in CRAFTED6.items() if "IA_NA" in what}
    for name, kind, plain, family in (
        ("DHCPDISCOVER", "put_dhcp_opts", discover, ((discover, CRAFTED4), (wishful, WISHES4))),
        ("SOLICIT", "put_dhcpv6_opts", solicit, ((solicit, CRAFTED6), (wishful6, WISHES6))),
        ("RENEW", "put_dhcpv6_opts", renew, ((renew, renewed),)),
    ):
        plain_us = us(kind, plain, plain)
        costs = {"nothing": plain_us}
        for ask, requests in family:
            for what, options in requests.items():
                costs[what] = us(kind, plain, partial(ask, crafted=options))
        for what, cost_us in costs.items():
            yield Row(
                {"request": name, "with": what},
                {"µs": [cost_us], "times a plain one": [cost_us / plain_us]},
            )


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each request."""
    return results.table(rows)
