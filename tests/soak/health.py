# SPDX-License-Identifier: Apache-2.0
"""What a process takes of its machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

MAX_MORE_MB, MAX_MORE_THREADS, MAX_MORE_DESCRIPTORS = 12.0, 2, 3


class Health(NamedTuple):
    """Resident memory, threads and open descriptors."""

    memory_mb: float
    threads: int
    descriptors: int

    @classmethod
    def of(cls, pid: int) -> Health:
        status = Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        return cls(
            int(fields["VmRSS"].split()[0]) / 1024,
            int(fields["Threads"]),
            len(list(Path(f"/proc/{pid}/fd").iterdir())),
        )

    def grown(self, before: Health) -> list[str]:
        """What is more than it may be more than `before`."""
        limits = MAX_MORE_MB, MAX_MORE_THREADS, MAX_MORE_DESCRIPTORS
        return [
            f"{what}: {now:.4g}, {then:.4g} before, {limit:g} more allowed"
            for what, now, then, limit in zip(
                ("memory in MB", "threads", "descriptors"), self, before, limits, strict=True
            )
            if now > then + limit
        ]

    def __str__(self) -> str:
        return f"{self.memory_mb:.1f} MB, {self.threads} threads, {self.descriptors} descriptors"
