# SPDX-License-Identifier: Apache-2.0
"""A stream of JSON objects is cut where python-ovs's own parser cuts it."""

from __future__ import annotations

import itertools
import json

import ovs.json
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.ovsdb.json_parser import Parser

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=5)


def parse_all(text: str, cuts: list[int]) -> list[object]:
    """The objects in ``text`` that comes in pieces, as ovs.jsonrpc feeds its parser."""
    found, parser = [], Parser()
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    for start, end in itertools.pairwise(edges):
        piece = text[start:end]
        while piece:
            piece = piece[parser.feed(piece) :]
            if parser.is_done():
                found.append(parser.finish())
                parser = Parser()
    assert not parser.is_done()
    return found


@given(
    st.lists(OBJECTS, max_size=4),
    st.lists(st.integers(0, 10**6), max_size=12),
    st.booleans(),
    st.sampled_from(["", " ", "\n"]),
)
def test_objects_come_out_as_they_went_in(
    objects: list[dict[str, object]], cuts: list[int], ascii_only: bool, between: str
) -> None:
    text = between.join(json.dumps(each, ensure_ascii=ascii_only) for each in objects)
    assert parse_all(text, cuts) == objects


@pytest.mark.parametrize(
    "text",
    ['{"a":"}"}', '{"a":"{"}', r'{"a":"\""}', r'{"a":"\\"}', r'{"\\\"}":{"{":"\\\\"}}', "{}"],
)
def test_braces_and_quotes_in_strings_do_not_count(text: str) -> None:
    for cut in range(len(text) + 1):
        assert parse_all(text + text, [cut, len(text) + cut]) == [json.loads(text)] * 2


def test_what_is_no_json_is_reported_as_python_ovs_does_with_a_text() -> None:
    parser = Parser()
    assert parser.feed('{"a":}{"b":1}') == 6
    assert parser.is_done()
    assert isinstance(parser.finish(), str)


def test_python_ovs_uses_it_where_it_has_no_parser_in_c() -> None:
    import ovs_dhcpd.controller.ovsdb.open_vswitch  # noqa: F401 - installs it

    assert ovs.json.PARSER == ovs.json.PARSER_C or ovs.json.Parser is Parser
