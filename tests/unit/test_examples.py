# SPDX-License-Identifier: Apache-2.0
"""What examples/ has: each says whether it was run, the docs lead to it, and quote it as it is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_file())
TEXTS = {path: path.read_text(encoding="utf-8") for path in EXAMPLES}
SHELL = [path for path, text in TEXTS.items() if text.startswith("#!/bin/sh\n")]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.md")}
NAMES = [path.name for path in EXAMPLES]


def first_lines(path: Path) -> str:
    """What an example says of itself, in one line."""
    lines = TEXTS[path].splitlines()[:25]
    return " ".join(line.lstrip("# ") for line in lines)


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_it_says_whether_it_was_run(path: Path) -> None:
    said = re.search(r"\b(Run on Debian|Not run)\b.*?\.(?= |$)", first_lines(path))
    assert said
    tests = re.findall(r"tests/[\w/.]*\w", said[0])
    assert tests or said[1] == "Not run"
    assert [test for test in tests if not (ROOT / test).exists()] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_a_page_leads_to_it(path: Path) -> None:
    assert [name for name, page in PAGES.items() if f"](../examples/{path.name})" in page]


def test_every_page_leads_to_examples_that_are_there() -> None:
    pages = {**PAGES, **{name: (ROOT / name).read_text() for name in ("README.md", "CHANGELOG.md")}}
    for name, page in pages.items():
        for target in re.findall(r"\]\((?:\.\./)?(examples[^)#]*)", page):
            assert (ROOT / target).exists(), f"{name}: {target}"


def test_what_is_quoted_is_as_it_stands_in_the_example() -> None:
    page = PAGES["virtual-machines.md"]
    blocks = re.findall(r"\]\(\.\./examples/([\w.-]+)\)[^`]*```\w+\n(.*?)```", page, re.DOTALL)
    assert blocks
    for name, block in blocks:
        assert without_indent(block) in without_indent(TEXTS[ROOT / "examples" / name]), name


def without_indent(text: str) -> str:
    """A text whose lines all begin at the margin."""
    return "\n".join(line.strip() for line in text.splitlines())


@pytest.mark.needs_programs("shellcheck")
@pytest.mark.parametrize("path", SHELL, ids=[path.name for path in SHELL])
def test_shellcheck_finds_nothing(path: Path) -> None:
    done = subprocess.run(["shellcheck", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
