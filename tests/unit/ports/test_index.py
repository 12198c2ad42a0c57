# SPDX-License-Identifier: Apache-2.0
"""A dict of sets in which no set is empty."""

from __future__ import annotations

from ovs_dhcpd.controller.ports.index import Index


def test_no_key_is_left_without_members() -> None:
    index: Index[str, int] = Index()
    index.add("a", 1)
    index.add("a", 1)
    index.add("a", 2)
    assert (index["a"], "a" in index) == ({1, 2}, True)
    index.discard("a", 1)
    index.discard("a", 3)
    index.discard("b", 1)
    assert [*index] == ["a"]
    index.discard("a", 2)
    assert ([*index], index["a"], "a" in index) == ([], frozenset(), False)


def test_a_key_may_be_taken_out() -> None:
    index: Index[str, int] = Index()
    index.add("a", 1)
    assert index.pop("a") == {1}
    assert index.pop("a") == frozenset()
