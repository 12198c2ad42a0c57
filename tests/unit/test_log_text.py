# SPDX-License-Identifier: Apache-2.0
"""What is in the log, whoever wrote the text in its lines."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from ovs_dhcpd.controller import log_text

EVIL = "vm\x1b[2J\n2026-11-24T00:00:00Z | 1 | daemon | INFO | forged\0\u202e\ud800"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What python-ovs's logger of files writes."""
    stream = io.StringIO()
    logger = logging.getLogger("file")
    handler = logging.StreamHandler(stream)
    before = logger.filters[:], logger.level
    log_text.make_printable()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    logger.filters[:] = before[0]
    logger.setLevel(before[1])


def test_a_message_is_one_printable_line(log: io.StringIO) -> None:
    logging.getLogger("file").warning(f"port {EVIL}: büro 100% %s")
    (line,) = log.getvalue().splitlines()
    assert line.isprintable()
    assert line.startswith(r"port vm\x1b[2J\n2026-11-24T00:00:00Z | 1")
    assert line.endswith(r"forged\x00\u202e\ud800: büro 100% %s")


def test_a_message_is_not_endless(log: io.StringIO) -> None:
    logging.getLogger("file").warning("x" * 1_000_000)
    assert len(log.getvalue()) <= log_text.MAX_LINE + len("…\n")


def test_a_traceback_keeps_its_lines_and_forges_none(log: io.StringIO) -> None:
    try:
        raise ValueError(EVIL)
    except ValueError:
        logging.getLogger("file").error("giving up", exc_info=True)
    message, *lines = log.getvalue().splitlines()
    assert message == "giving up"
    assert lines[0] == "  Traceback (most recent call last):"
    assert "ValueError: vm\\x1b[2J" in log.getvalue()
    assert all(line.startswith("  ") and line.isprintable() for line in lines)


def test_a_traceback_is_not_endless(log: io.StringIO) -> None:
    try:
        raise ValueError("x\n" * 100_000)
    except ValueError:
        logging.getLogger("file").error("giving up", exc_info=True)
    assert len(log.getvalue().splitlines()) == 1 + log_text.MAX_TRACEBACK
