# SPDX-License-Identifier: Apache-2.0
"""Requests a second, latency and CPU, in turns: A B C, A B C, …"""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench.contenders import Contender, load

LOADS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("1", (1,)),
    ("16", (16,)),
    ("64", (64,)),
    ("256", (256,)),
    ("64, every request different", (64, "vary")),
)
FIGURES = ("rate", "p50_us", "p99_us", "cpu_us")

Measured = dict[str, dict[str, dict[str, list[float]]]]  # load -> contender -> figure -> runs


def measure(program: Path, contenders: list[Contender], rounds: int, seconds: float) -> Measured:
    """All loads on all contenders, ``rounds`` times in turn."""
    measured: Measured = {}
    for name, words in LOADS:
        runs = measured[name] = {
            contender.name: {figure: [] for figure in FIGURES} for contender in contenders
        }
        for _ in range(rounds):
            for contender in contenders:
                figures = load(program, contender, seconds, *words)
                for figure in FIGURES:
                    runs[contender.name][figure].append(figures[figure])
    return measured


def table(measured: Measured, contenders: list[Contender]) -> list[str]:
    """Medians, and for the others the median over the rounds of our figure divided by theirs."""
    lines = [
        "| outstanding | | replies/s | p50 µs | p99 µs | CPU µs/reply |",
        "|---|---|--:|--:|--:|--:|",
    ]
    ours, *others = contenders
    for name, runs in measured.items():
        for contender in contenders:
            cells = [median(runs[contender.name][figure]) for figure in FIGURES]
            lines.append(
                f"| {name} | {contender.name} | {cells[0]:,.0f} | {cells[1]:.0f} | {cells[2]:.0f} "
                f"| {cells[3]:.1f} |"
            )
        for other in others:
            ratios = [
                median(
                    mine / theirs
                    for mine, theirs in zip(
                        runs[ours.name][figure], runs[other.name][figure], strict=True
                    )
                )
                for figure in FIGURES
            ]
            cells_text = " | ".join(f"**{ratio:.2f}**" for ratio in ratios)
            lines.append(f"| {name} | *{ours.name} / {other.name}* | {cells_text} |")
    lines += ["", "| | memory MB |", "|---|--:|"]
    lines += [f"| {contender.name} | {contender.memory_mb():.0f} |" for contender in contenders]
    return lines
