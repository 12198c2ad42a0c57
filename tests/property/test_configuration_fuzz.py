# SPDX-License-Identifier: Apache-2.0
"""Whatever is in a configuration file: it is a configuration, or its mistakes are named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.oracle_configuration import GOLDEN, check
from tests.property.strategies import WORDS, damaged, with_another_value


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    check(GOLDEN[name])


@pytest.mark.parametrize("name", GOLDEN)
def test_cut_at_every_byte(name: str) -> None:
    for size in range(len(GOLDEN[name])):
        check(GOLDEN[name][:size])


@given(st.binary(max_size=200))
def test_any_bytes(text: bytes) -> None:
    check(text)


@given(st.text(max_size=100))
def test_any_text(text: str) -> None:
    check(text.encode(errors="surrogatepass"))


@settings(max_examples=400)
@given(st.lists(WORDS, max_size=30).map("".join))
def test_any_words(text: str) -> None:
    check(text.encode())


@settings(max_examples=400)
@given(damaged(GOLDEN.values(), 1500))
def test_files_with_some_bytes_changed(text: bytes) -> None:
    check(text)


@settings(max_examples=400)
@given(with_another_value(GOLDEN.values()))
def test_files_with_a_value_changed(text: bytes) -> None:
    check(text)
