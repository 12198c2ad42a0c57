# SPDX-License-Identifier: Apache-2.0
"""A fault of ours, caught where it costs one thing only, for others to count and to log."""

from __future__ import annotations

from dataclasses import dataclass

INTERNAL_ERROR = "internal error (the log has more)"  # what a user is told of it


@dataclass(frozen=True)
class Fault:
    """`where`: what it costs, as "port vm1"; `error` has the traceback."""

    where: str
    error: Exception
