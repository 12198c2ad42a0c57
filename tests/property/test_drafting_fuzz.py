# SPDX-License-Identifier: Apache-2.0
"""Whatever another's file or a switch says: a configuration that is accepted, or one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_interface
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_dhcpd.controller.drafting.dnsmasq import read_dnsmasq
from ovs_dhcpd.controller.drafting.draft import LINES, Draft, DraftError
from ovs_dhcpd.controller.drafting.json_text import parse
from ovs_dhcpd.controller.drafting.kea import read_kea
from ovs_dhcpd.controller.drafting.libvirt import read_libvirt
from ovs_dhcpd.controller.drafting.seen import read_bridges, read_links
from ovs_dhcpd.controller.drafting.switch import draft_switch
from ovs_dhcpd.controller.drafting.yaml_text import END, Settings, lines
from ovs_dhcpd.controller.sources.yaml_file import _Builder
from ovs_dhcpd.flows.configuration.section import Mistakes

from tests.documents.stages import KEAS
from tests.property.others_files import GOLDEN, KINDS, WORDS
from tests.property.strategies import damaged
from tests.unit.drafting.reading import accepted_text

OWN = [ip_interface("192.168.1.1/24"), ip_interface("fd00:1::1/64")]

READ: dict[str, Callable[[bytes], Draft]] = {
    "dnsmasq": lambda data: read_dnsmasq(data.decode(errors="replace"), "f\n", OWN),
    "kea": lambda data: read_kea([("f\n", data.decode(errors="replace"))], OWN),
    "libvirt": lambda data: read_libvirt(data, "f\n"),
}


def check(kind: str, data: bytes) -> None:
    try:
        draft = READ[kind](data)
        text = draft.text(["t"])
    except DraftError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said.replace("f\n", "")
    if said:
        return
    accepted_text(text)
    left = [*draft.unsaid.lines()]
    assert len(left) <= LINES + 1
    assert all(line.isprintable() for line in (*left, *text.splitlines()))


@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_every_byte(kind: str) -> None:
    for golden in GOLDEN[kind]:
        check(kind, golden)
        for size in range(len(golden)):
            check(kind, golden[:size])


@settings(max_examples=100)
@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_any_bytes(kind: str, data: bytes) -> None:
    check(kind, data)


@settings(max_examples=100)
@given(st.sampled_from(KINDS), st.data())
def test_any_words(kind: str, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(WORDS[kind]), max_size=40))
    check(kind, "".join(words).encode())


@settings(max_examples=100)
@given(st.sampled_from(KINDS), st.data())
def test_files_with_some_bytes_changed(kind: str, data: st.DataObject) -> None:
    check(kind, data.draw(damaged(GOLDEN[kind], 1500)))


@settings(max_examples=100)
@given(st.sampled_from(KINDS), st.data())
def test_files_with_words_put_in(kind: str, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(GOLDEN[kind])).decode()
    at = data.draw(st.integers(0, len(text)))
    words = data.draw(st.lists(st.sampled_from(WORDS[kind]), max_size=6))
    check(kind, (text[:at] + "".join(words) + text[at:]).encode())


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 70000), st.text(max_size=8),
              st.sampled_from(["10.0.0.0/24", "10.0.0.5", "fd00::/64", "02:00:00:00:00:01"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3),
                            st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


def change(value: Any, path: list[int], new: Any) -> Any:
    """The document with something else at one place."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return new
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    key = keys[path[0] % len(keys)]
    copy = value.copy()
    copy[key] = change(value[key], path[1:], new)
    return copy


@settings(max_examples=100)
@given(st.sampled_from(sorted(KEAS)), st.lists(st.integers(0, 5), max_size=6), JSON)
def test_kea_with_something_else_somewhere(name: str, path: list[int], new: Any) -> None:
    document, _ = parse(KEAS[name])
    check("kea", json.dumps(change(document, path, new)).encode())


MAP = st.dictionaries(
    st.sampled_from(["iface-id", "attached-mac", "dhcp-network", "ovn-remote", "driver_name"]),
    st.one_of(st.text(max_size=8), st.sampled_from(["none", "tun", "02:00:00:00:00:01"])),
    max_size=3,
).map(lambda found: ["map", [[key, value] for key, value in found.items()]])
NAME = st.one_of(st.text(max_size=8), st.sampled_from(["br0", "yes", "1e3", "a\nb: c", "#", "{}"]))
TAG = st.one_of(st.just(["set", []]), st.integers(0, 4095))


@settings(max_examples=100)
@given(NAME, NAME, MAP, MAP, TAG, st.text(max_size=6), st.sampled_from(["internal", "", "tap"]))
def test_whatever_stands_in_rows(
    bridge: str, name: str, ids: Any, status: Any, tag: Any, mac: str, kind: str
) -> None:
    tables: dict[str, Any] = {
        "Open_vSwitch": [{"external_ids": ids}],
        "Bridge": [{"name": bridge, "ports": ["uuid", "p"]}],
        "Port": [{"_uuid": ["uuid", "p"], "interfaces": ["uuid", "i"], "tag": tag}],
        "Interface": [{"_uuid": ["uuid", "i"], "name": name, "type": kind, "mac_in_use": mac,
                       "ofport": 1, "status": status, "external_ids": ids}],
    }  # fmt: skip
    address = {"local": "10.0.0.1", "prefixlen": 24}
    links = read_links([{"ifname": name, "address": mac, "addr_info": [address]}])
    text = draft_switch(read_bridges(tables), links, {(bridge, 1): [mac]}).text(["t"])
    accepted_text(text)
    assert all(line.isprintable() for line in text.splitlines())


# A file of ours is UTF-8, which has no halves of characters.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.one_of(TEXT, st.booleans(), st.integers(0, 1 << 40), st.lists(TEXT, max_size=30))


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4), st.lists(TEXT, max_size=2))
def test_yaml_reads_back(values: dict[str, object], notes: list[str]) -> None:
    top, inside = Settings(), Settings()
    inside.update(values)
    top["inside"], top["empty"] = inside, Settings()
    for note in notes:
        inside.note(next(iter(values)), note)
        top.note(END, note)
    text = "\n".join(lines(top))
    assert _Builder("a.yaml", Mistakes()).build(text.encode()) == {"inside": values, "empty": {}}
