# SPDX-License-Identifier: Apache-2.0
"""What a value is refused for, before its option's name is put before it."""

from __future__ import annotations

import pytest
from ovs_dhcpd.flows.options.lexer import Constant, Hex
from ovs_dhcpd.flows.options.value_type import Misfit, only, show, text_of, utf8


@pytest.mark.parametrize("constants", [[], [1, 2]])
def test_one_value_is_one(constants: list[Constant]) -> None:
    with pytest.raises(Misfit, match=f"^{len(constants)} values$"):
        only(constants)
    assert only([3]) == 3


def test_text_is_text() -> None:
    assert text_of("vm1") == "vm1"
    with pytest.raises(Misfit, match=r"^0x01 is not text \(it may want double quotes\)$"):
        text_of(Hex("01"))


def test_text_is_carried_in_utf8_and_without_nul() -> None:
    assert utf8("é") == b"\xc3\xa9"
    with pytest.raises(Misfit, match=r"^it contains NUL$"):
        utf8("a\0")
    with pytest.raises(Misfit, match=r"^it is not valid Unicode$"):
        utf8("\ud800")


def test_a_constant_is_shown_as_ovn_writes_it() -> None:
    assert show("a") == '"a"'
