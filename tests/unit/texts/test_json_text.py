# SPDX-License-Identifier: Apache-2.0
"""The text is the object's, and long lists of objects have a line for each."""

from __future__ import annotations

import json

from ovs_dhcpd.controller.texts.json_text import to_json


def test_it_is_the_object() -> None:
    found = {"version": 1, "leases": [{"a": "é\udcff"}, {"b": None}], "none": [], "texts": ["a"]}
    text = to_json(found)
    assert json.loads(text) == found
    assert text.isascii()
    assert text.splitlines() == [
        '{"version": 1, "leases": [',
        '{"a": "\\u00e9\\udcff"},',
        '{"b": null}], "none": [], "texts": ["a"]}',
    ]
