# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 messages that say they are longer than they are: what each is answered, or why not."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.responders.verdict import Reason, Silence

from tests.lab.overreads6 import OVERREADS
from tests.lab.packets6 import frame_of
from tests.unit.requests6 import LLA, MAC, answer, serve

RESPONDER = serve(fqdn="vm1", bootfile_name="menu.ipxe", bootfile_name_alt="ipxe.efi")
ANSWERED = [name for name, overread in OVERREADS.items() if not overread.silence]
SILENT = [name for name, overread in OVERREADS.items() if overread.silence]


def frame(name: str) -> bytes:
    return frame_of(OVERREADS[name].message, MAC, ip_src=LLA)


@pytest.mark.parametrize("name", SILENT)
def test_not_answered(name: str) -> None:
    reason = Reason[OVERREADS[name].silence]
    assert RESPONDER.respond(frame(name)) == Silence(reason, bytes.fromhex(MAC.replace(":", "")))


@pytest.mark.parametrize("name", ANSWERED)
def test_nothing_is_read_behind_the_packet(name: str) -> None:
    """What an Ethernet card adds behind the packet changes nothing, and is never sent back."""
    plain = RESPONDER.respond(frame(name))
    for trailer in (b"iPXE\0\xff\xff", bytes(40)):
        assert RESPONDER.respond(frame(name) + trailer) == plain


@pytest.mark.parametrize(
    ("name", "boot_file"),
    [
        ("empty user class at the end", b"ipxe.efi"),
        ("user class that begins as iPXE's", b"ipxe.efi"),
        ("user class without a zero at its end", b"menu.ipxe"),
    ],
)
def test_the_boot_file_is_that_of_the_user_class(name: str, boot_file: bytes) -> None:
    assert answer(RESPONDER, frame(name)).option(59) == boot_file


def test_an_empty_fqdn_sets_no_flag() -> None:
    assert answer(RESPONDER, frame("empty FQDN at the end")).option(39) == b"\4\3vm1\0"


def test_an_empty_status_is_not_read() -> None:
    (ia,) = answer(RESPONDER, frame("IA_NA with an empty status")).ias
    assert [lease for lease, *_ in ia.leases] == ["fd00::5"]


@pytest.mark.parametrize("more", [1, 1000])
def test_a_udp_length_beyond_the_packet(more: int) -> None:
    longer = bytearray(frame("user class without a zero at its end"))
    length = int.from_bytes(longer[58:60], "big") + more
    longer[58:60] = length.to_bytes(2, "big")
    assert RESPONDER.respond(bytes(longer)) == Silence(Reason.TRUNCATED)
