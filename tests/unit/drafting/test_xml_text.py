# SPDX-License-Identifier: Apache-2.0
"""XML of others: a tree, and nothing that it could do to us."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.drafting.draft import DraftError
from ovs_dhcpd.controller.drafting.xml_text import MAX_DEPTH, parse

LAUGHS = "".join(
    f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10)
)  # a gigabyte, if it were read


def test_a_document() -> None:
    top = parse(b"<a x=' 1 ' xmlns:n='u'>\n<b> t </b><b/><n:c/></a>")
    assert (top.name, top.get("x"), top.get("y")) == ("a", "1", "")
    assert [each.line for each in top.all("b")] == [2, 2]
    assert [each.text for each in top.all("b")] == ["t", ""]
    assert top.first("b") is top.all("b")[0]
    assert top.first("u c")
    assert not top.first("c")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'<!DOCTYPE a [<!ENTITY l0 "x">{LAUGHS}]><a>&l9;</a>', "1: has a document type"),
        ('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "a document type"),
        ('\n<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>', "2: has a document type"),
        ("<a>&e;</a>", "is not XML: undefined entity"),
        ("<a", "is not XML: unclosed token"),
        ("", "is not XML: no element found"),
        ("<a/><b/>", "is not XML: junk after document element"),
        ("<x>" * (MAX_DEPTH + 1) + "</x>" * (MAX_DEPTH + 1), "nested too deeply"),
        ("<?xml version='1.0' encoding='no-such'?><a/>", "is not XML: "),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(DraftError, match=said):
        parse(text.encode())


def test_as_deep_as_it_may_be() -> None:
    parse(b"<x>" * MAX_DEPTH + b"</x>" * MAX_DEPTH)
