# SPDX-License-Identifier: Apache-2.0
"""What a part without a log has to say: whoever runs it writes it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Note:
    """One line for the log; `level` is the name of a method of python-ovs's Vlog."""

    level: Literal["info", "warn", "err"]
    text: str

    @classmethod
    def info(cls, text: str) -> Note:
        """Something has happened as it should."""
        return cls("info", text)

    @classmethod
    def warn(cls, text: str) -> Note:
        """Something is not as expected, and is taken care of."""
        return cls("warn", text)

    @classmethod
    def err(cls, text: str) -> Note:
        """Something has failed."""
        return cls("err", text)
