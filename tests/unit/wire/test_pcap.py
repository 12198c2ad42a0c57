# SPDX-License-Identifier: Apache-2.0
"""Files of captured packets."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.wire.pcap import pcap_header, pcap_packet

from tests.lab.pcap import decode_pcap

FILE = (
    "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001"
    "00000001 00000002 00000003 00000003 aabbcc"
    "00000002 00000000 00000000 00000000"
)


def test_a_file_is_laid_out_as_its_manual_page_says() -> None:
    made = pcap_header() + pcap_packet(b"\xaa\xbb\xcc", 1_000_002) + pcap_packet(b"", 2_000_000)
    assert made == bytes.fromhex(FILE)
    assert decode_pcap(made) == [(1_000_002, b"\xaa\xbb\xcc"), (2_000_000, b"")]


@pytest.mark.parametrize("size", [0, 23, 25, 40, 42])
def test_one_that_is_cut_off_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="pcap: "):
        decode_pcap(bytes.fromhex(FILE)[:size])
