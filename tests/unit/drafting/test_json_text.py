# SPDX-License-Identifier: Apache-2.0
"""JSON as Kea reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ovs_dhcpd.controller.drafting.draft import DraftError
from ovs_dhcpd.controller.drafting.json_text import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        ('{"a": 1, // b\n# c\n/* d\n */ "e": 2}', {"a": 1, "e": 2}),
        ('{"a": [1, 2,], "b": {"c": 3,},}', {"a": [1, 2], "b": {"c": 3}}),
        ('{"a": "// # /* , ] \\" <?x?>"}', {"a": '// # /* , ] " <?x?>'}),
        ('{"a": 1, # the last,\n}', {"a": 1}),
        ("[1,/* , */,2]", [1, 2]),
        ("[.5, -.25, 2., 1.e2]", [0.5, -0.25, 2.0, 100.0]),
    ],
)
def test_a_document(text: str, expected: Any) -> None:
    assert parse(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "expected", "name"),
    [
        ('{"a": 1,\n<?include "x.json"?>\n}', {"a": 1}, (2, 'include "x.json"')),
        ('{<?include "x.json"?>, "a": 1}', {"a": 1}, (1, 'include "x.json"')),
        ('{"a": <?include "x.json"?>, "b": 1}', {"a": None, "b": 1}, (1, 'include "x.json"')),
    ],
)
def test_an_include_is_named_and_left_out(text: str, expected: Any, name: tuple[int, str]) -> None:
    assert parse(text) == (expected, [name])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: is not JSON"),
        ("{\n/*\n*/ a: 1}", "3: is not JSON"),
        ('{"a": 1 "b": 2}', "1: is not JSON"),
        ("[" * 100_000, "1: is not JSON: it is nested too deeply"),
        ("1" * 5000, "1: is not JSON: a number of 5000 digits"),
        ("NaN", "1: is not JSON: NaN is no number"),
        ('{"a', "1: is not JSON"),
        ("/*", "1: is not JSON"),
        ("<?", "1: is not JSON"),
        ('"\\', "1: is not JSON"),
        ("[.]", "1: is not JSON"),
    ],
)
def test_what_is_no_json(text: str, said: str) -> None:
    with pytest.raises(DraftError, match=said):
        parse(text)


@pytest.mark.parametrize("piece", ["/*", '"\\"', '\\"', ", ", "#", "//", "<?", "[", '"', "<", "/"])
def test_what_is_made_up_to_take_long_is_refused_as_well(piece: str) -> None:
    """Where the time were to grow with the square of the size, it would take hours."""
    with pytest.raises(DraftError):
        parse(piece * 100_000)


def test_a_plain_document_stays_as_it_is() -> None:
    document = {"a": [{"b": "c,]"}, {}, []], "d": "\\", "é": "\u2028"}
    assert parse(json.dumps(document))[0] == document
    assert parse(json.dumps(document, indent=1, ensure_ascii=False))[0] == document
