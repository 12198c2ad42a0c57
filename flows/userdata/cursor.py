# SPDX-License-Identifier: Apache-2.0
"""Reads bytes from left to right and never past their end."""

from __future__ import annotations

import struct


class UserdataError(ValueError):
    """Bytes that are not userdata, or a value that userdata cannot carry.  One line."""


class Cursor:
    """Some bytes and how far they have been read."""

    def __init__(self, data: bytes) -> None:
        """Start before the first byte."""
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self._data) - self._at

    def take(self, size: int, what: str) -> bytes:
        """The next `size` bytes, which are the `what`.  Raises UserdataError."""
        if self.left < size:
            raise UserdataError(
                f"offset {self._at}: {self.left} bytes left, expected the {size} of the {what}"
            )
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]

    def uint(self, size: int, what: str) -> int:
        """The next `size` bytes as a number."""
        return int.from_bytes(self.take(size, what), "big")

    def options(self, header: struct.Struct) -> list[tuple[int, bytes]]:
        """All that is left: options, each a `header` of code and length and then the value."""
        data, at, end = self._data, self._at, len(self._data)
        found = []
        while at + header.size <= end:
            code, size = header.unpack_from(data, at)
            start = at + header.size
            if start + size > end:
                break
            at = start + size
            found.append((code, data[start:at]))
        self._at = at
        if at < end:
            code, size = header.unpack(self.take(header.size, "option's code and length"))
            self.take(size, f"value of option {code}")
        return found
