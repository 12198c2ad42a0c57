# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd import` of whatever file: one line, or a configuration that `check` accepts."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_dhcpd.controller.commands import cli

from tests.property.others_files import GOLDEN, KINDS, WORDS
from tests.property.strategies import damaged


@st.composite
def with_words(draw: st.DrawFn, kind: str) -> bytes:
    """A file with some words put in somewhere."""
    text = draw(st.sampled_from(GOLDEN[kind]))
    at = draw(st.integers(0, len(text)))
    words = draw(st.lists(st.sampled_from(WORDS[kind]), max_size=4))
    return text[:at] + "".join(words).encode() + text[at:]


def files(kind: str) -> st.SearchStrategy[list[bytes]]:
    each = st.one_of(
        st.sampled_from(GOLDEN[kind]),
        with_words(kind),
        damaged(GOLDEN[kind], 1500),
        st.binary(max_size=200),
    )
    return st.lists(each, min_size=1, max_size=2 if kind == "kea" else 1)


# Names and arguments that a shell hands on as they are.
NAMES = st.sampled_from([b"theirs", b"\xff\xfe", b"two\nlines", b"\x1b[1m", "ü\u2028".encode()])
BRIDGES = st.sampled_from(["", "br9", "b r", "x" * 99, "\x1b[1m", "\udcff", "a:\n- b"])
ADDRESSES = st.lists(st.sampled_from(["192.168.1.1/24", "10.0.0.1/32", "fd00:1::1/64"]), max_size=2)


def run(*words: str) -> tuple[int, str, str]:
    """What the command returns, and prints as UTF-8 on both outputs."""
    outputs = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    outputs[1].reconfigure(errors="backslashreplace")  # as standard error has it
    with contextlib.redirect_stdout(outputs[0]), contextlib.redirect_stderr(outputs[1]):
        status = cli.main([*words])
    for output in outputs:
        output.flush()
    out, err = (output.buffer.getvalue().decode() for output in outputs)
    return status, out, err


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), st.data(), NAMES, BRIDGES, ADDRESSES)
def test_import(
    kind: str, data: st.DataObject, name: bytes, bridge: str, addresses: list[str]
) -> None:
    contents = data.draw(files(kind))
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for number, content in enumerate(contents):
            paths.append(f"{directory}/{number}{os.fsdecode(name)}")
            with open(paths[-1], "wb") as file:
                file.write(content)
        own = [word for each in addresses for word in ("--address", each)]
        status, out, err = run("import", kind, *paths, f"--bridge={bridge}", *own)
        assert all(line.isprintable() for line in (*out.split("\n"), *err.split("\n")))
        if not out:
            assert (status, err.count("\n")) == (1, 1)
            return
        assert status == (1 if err else 0)
        ours = f"{directory}/ours.yaml"
        with open(ours, "w", encoding="utf-8") as printed:
            printed.write(out)
        status, _, err = run("check", ours)
        assert status == 0, err
