# SPDX-License-Identifier: Apache-2.0
"""The configurations that the pages show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.documents import blocks


def configurations() -> Iterator[tuple[str, str]]:
    """Ours of all pages with their names; a part of a network stands in the one before it."""
    (first, *_) = re.findall(r"```yaml\n(.*?)```", _text("docs/configuration.md"), re.DOTALL)
    for name in blocks.pages():
        page = _text(name)
        before = first
        for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
            if not block.startswith(("bridge:", "networks:", "#", " ")):
                continue  # Prometheus's, or another program's
            text = block
            if block.startswith("    "):
                text = (
                    before.split("    ports:\n")[0] if "    ports:\n" in block else before
                ) + block
            elif block.startswith("  "):
                text = f"networks:\n{block}"
            else:
                before = block
            yield name, text


def _text(page: str) -> str:
    return (blocks.ROOT / page).read_text(encoding="utf-8")
