# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.record_demo`: run `make demo` and draw what it prints, as docs/demo.svg (root).

The picture has a frame for each step of the demonstration, one after the other.  Where pictures do
not move, the client's lease is shown.  `tests/documents/test_demo.py` holds it against a run.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "demo.svg"
COLUMNS, ROWS = 112, 21
CHARACTER, LINE, MARGIN = 7.25, 17, 14
FRAME_S = 4
STILL = "udhcpc in the guest"  # the step that is shown where nothing moves
LEFT_OUT = re.compile(r"# |.*\| reconnect \|")  # comments of the example, python-ovs's own lines
OF_THE_LEASE = re.compile(r"(address|dns|mtu|route) ")

STYLE = """
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #d1d7e0; white-space: pre }
.title { font-weight: 700; fill: #58a6ff }
.screen { fill: #151b23; stroke: #3d444d }
.frame { opacity: 0 } .still { opacity: 1 }
"""  # noqa: E501
MOVING = """
@media (prefers-reduced-motion: no-preference) {{
  .frame {{ animation: shown {whole}s step-end infinite }}
}}
@keyframes shown {{ 0% {{ opacity: 1 }} {share:.3f}% {{ opacity: 0 }} 100% {{ opacity: 0 }} }}
"""


def steps(printed: str) -> list[list[str]]:
    """What was printed, step by step; each begins with its title."""
    found: list[list[str]] = []
    for line in printed.splitlines():
        if line.startswith("== "):
            found.append([line.removeprefix("== ")])
        elif found and line and not LEFT_OUT.match(line):
            found[-1].append(line)
    return found


def rows(step: Sequence[str]) -> list[str]:
    """The lines of a step that fit onto the screen, long ones continued below."""
    lines = [
        part
        for line in step
        for part in textwrap.wrap(line, COLUMNS, subsequent_indent="      ", drop_whitespace=False)
    ]
    return lines if len(lines) <= ROWS else [*lines[: ROWS - 1], "…"]


def svg(printed: str) -> str:
    """The picture of a run."""
    frames = steps(printed)
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, (ROWS + 1) * LINE + 2 * MARGIN
    whole = FRAME_S * len(frames)
    moving = MOVING.format(whole=whole, share=100 / len(frames))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
        'aria-label="What make demo prints, step by step">',
        f"<style>{STYLE}{moving}</style>",
        f'<rect class="screen" x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1}" '
        'rx="6"/>',
        _text(0, "$ make demo"),
    ]
    for number, step in enumerate(frames):
        kind = "frame still" if step[0] == STILL else "frame"
        parts.append(f'<g class="{kind}" style="animation-delay:-{whole - number * FRAME_S}s">')
        parts += (_text(at, line, title=at == 1) for at, line in enumerate(rows(step), 1))
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def told(frames: Sequence[Sequence[str]]) -> list[str]:
    """What is the same in each run: the titles of its steps, and the client's lease."""
    return [
        line
        for title, *lines in frames
        for line in (title, *(each for each in lines if OF_THE_LEASE.match(each)))
    ]


def shown(picture: str) -> list[list[str]]:
    """The lines of each frame of a picture."""
    return [
        [unescape(line) for line in re.findall(r"<text[^>]*>(.*)</text>", frame)]
        for frame in re.findall(r"<g class=.*?</g>", picture, re.DOTALL)
    ]


def run() -> str:
    """What the demonstration prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def _text(row: int, line: str, *, title: bool = False) -> str:
    y = MARGIN + LINE * (row + 0.7)
    kind = ' class="title"' if title else ""
    return f'<text x="{MARGIN}" y="{y:.1f}"{kind} xml:space="preserve">{escape(line)}</text>'


def main() -> None:
    """Draw the picture anew."""
    PICTURE.write_text(svg(run()), encoding="utf-8")


if __name__ == "__main__":
    main()
