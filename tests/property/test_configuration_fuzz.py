# SPDX-License-Identifier: Apache-2.0
"""Whatever is in a configuration file: it is a configuration, or its mistakes are named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.oracle_configuration import GOLDEN, check
from tests.property.strategies import WORDS, damaged


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
@given(st.sampled_from(sorted(GOLDEN.values())), st.data())
def test_files_with_a_value_changed(text: bytes, data: st.DataObject) -> None:
    lines = text.decode().splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    name = lines[at].partition(":")[0]
    lines[at] = f"{name}: {data.draw(st.lists(WORDS, max_size=3).map(''.join))}"
    check("\n".join(lines).encode())
