# SPDX-License-Identifier: Apache-2.0
"""dhcp-option and dhcp-boot, and to whom they are told."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.drafting.dnsmasq_options import (
    Boot,
    Clients,
    Told,
    data_of,
    is_for,
    last,
    read_boot,
    read_option,
    setting_of,
)
from ovs_dhcpd.controller.drafting.dnsmasq_ranges import Unreadable
from ovs_dhcpd.flows.options.table import OptionError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3,1.2.3.4", Told(4, 3, ("1.2.3.4",), (), "f")),
        ("option:router", Told(4, 3, (), (), "f")),
        ("option:42,0.0.0.0", Told(4, 42, ("0.0.0.0",), (), "f")),
        ("tag:red,tag:!blue,option:ntp-server,1.2.3.4",
         Told(4, 42, ("1.2.3.4",), ("red", "!blue"), "f")),
        ("option6:dns-server,[::]", Told(6, 23, ("[::]",), (), "f")),
        ("option6:56,x", Told(6, 56, ("x",), (), "f")),
        ("net:red,6", Told(4, 6, (), ("red",), "f")),
    ],
)  # fmt: skip
def test_an_option(text: str, expected: Told) -> None:
    assert read_option(text.split(","), "f") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("option:no-such,1", "is not known"),
        ("vendor:PXEClient,1,0.0.0.0", "inside of options"),
        ("encap:175,190,x", "inside of options"),
        ("", "is not known"),
    ],
)
def test_what_is_no_option(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read_option(text.split(","), "f")


def test_a_boot_file() -> None:
    assert read_boot(["tag:x", "a", "b", "1.2.3.4"], "f") == Boot("a", "b", "1.2.3.4", ("x",), "f")
    assert read_boot(["a"], "f") == Boot("a", "", "", (), "f")
    with pytest.raises(Unreadable, match="expected a file"):
        read_boot(["tag:x"], "f")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ((), True),
        (("red",), True),
        (("blue",), False),
        (("!red",), False),
        (("!blue", "red"), True),
        (("said",), None),
        (("!said",), None),
        (("said", "blue"), False),
    ],
)
def test_to_whom_it_is_told(tags: tuple[str, ...], expected: bool | None) -> None:
    assert is_for(tags, {"red"}, {"said"}) is expected


def test_the_last_counts_and_one_with_tags_before_one_without() -> None:
    plain, again, tagged = (Told(4, 3, (), tags, where) for tags, where in
                            (((), "1"), ((), "2"), (("x",), "3")))  # fmt: skip
    assert last([plain, again]) is again
    assert last([tagged, plain, again]) is tagged
    assert last([]) is None


def test_what_clients_say() -> None:
    clients = Clients()
    for name, *words in (
        ("dhcp-match", "set:efi", "option:client-arch", "7"),
        ("dhcp-match", "set:efi", "93", "9"),
        ("dhcp-match", "set:ipxe", "175"),
        ("dhcp-userclass", "set:ipxe2", "iPXE"),
        ("dhcp-vendorclass", "set:win", "MSFT"),
        ("dhcp-match", "set:odd", "option:client-arch", "99999"),
    ):
        clients.read(name, words)
    assert clients.architectures == {"efi": {7, 9}}
    assert clients.ipxe == {"ipxe", "ipxe2"}
    assert clients.others == {"win", "odd"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("01:02:ff",), b"\x01\x02\xff"),
        (("1.2.3.4", "5.6.7.8"), bytes(range(1, 9))),
        (("7",), b"\x07"),
        (("300",), b"\x01\x2c"),
        (("70000",), b"\x00\x01\x11\x70"),
        (("7i",), b"\x00\x00\x00\x07"),
        (("-1b",), b"\xff"),
        (("text", "more"), b"text,more"),
    ],
)
def test_a_value_whose_type_nobody_knows_is_guessed(
    words: tuple[str, ...], expected: bytes
) -> None:
    assert data_of(4, 222, words) == expected


def test_others_have_a_type() -> None:
    assert data_of(4, 3, ("1.2.3.4",)) is None
    assert data_of(6, 222, ("[fd00::1]",)) == b"\xfd" + bytes(14) + b"\x01"


@pytest.mark.parametrize(
    ("version", "code", "words", "own", "expected"),
    [
        (4, 3, ("0.0.0.0", "1.2.3.4"), "10.0.0.1", ("router", ["10.0.0.1", "1.2.3.4"])),
        (4, 222, ("0.0.0.0",), "10.0.0.1", ("option_222", "0x0a000001")),
        (4, 222, ("1.2.3.4", "0.0.0.0"), "10.0.0.1", ("option_222", "0x010203040a000001")),
        (4, 222, ("x", "0.0.0.0"), "10.0.0.1", ("option_222", f"0x{b'x,0.0.0.0'.hex()}")),
        (4, 222, ("x", "0.0.0.0"), "", ("option_222", f"0x{b'x,0.0.0.0'.hex()}")),
        (6, 23, ("[::]",), "fd00::1", ("dns_server", "fd00::1")),
        (6, 222, ("[fe80::]", "[fd00::2]"), "::1", ("option_222", f"0x{1:032x}fd{2:030x}")),
    ],
)
def test_dnsmasqs_own_address(
    version: int, code: int, words: tuple[str, ...], own: str, expected: object
) -> None:
    assert setting_of(Told(version, code, words, (), "f"), own) == expected


@pytest.mark.parametrize("code", [3, 222])
def test_its_own_address_has_to_be_known(code: int) -> None:
    with pytest.raises(OptionError, match="own address is not known: say it with --address"):
        setting_of(Told(4, code, ("1.2.3.4", "0.0.0.0"), (), "f"), "")
