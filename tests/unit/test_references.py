# SPDX-License-Identifier: Apache-2.0
"""What documents and comments name is there: files, tests, headings, commands, options."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli

from tests.package.building import files_of_the_repository

ROOT = Path(__file__).parents[2]
FILES = files_of_the_repository()
FOLDERS = {str(folder) for file in FILES for folder in Path(file).parents}
NAMES = {Path(file).name for file in FILES}
DOCUMENTS = sorted(file for file in FILES if file.endswith(".md"))
DATA = (".json", ".svg", ".vectors", ".golden")
THIS = "tests/unit/test_references.py"  # it names what is not there
SOURCES = sorted({file for file in FILES if not file.endswith(DATA)} - {*DOCUMENTS, THIS})
TEXTS = {file: (ROOT / file).read_text("utf-8", "replace") for file in (*DOCUMENTS, *SOURCES)}
SOURCE = "\n".join(TEXTS[file] for file in SOURCES)

PATH = re.compile(r"(?<![\w/.*-])(?:controller|flows|tests|bench|docs|containers)/[\w./*-]*[\w/*]")
OVNS = re.compile(r"controller/[\w-]+\.[ch]|tests/[\w-]+\.at")  # OVN has such folders too
ONE_OF_MANY = {"bench/NAME.c", "docs/benchmark-SUITE.json"}
OTHERS_OPTIONS = {
    *("--json", "--quick", "--restart"),  # of bench, and of ovn-appctl
    *("--controller", "--ipbase", "--nat", "--switch"),  # of Mininet's mn
}
OTHERS_COMMANDS = {"vlog/list"}  # python-ovs's own


def is_there(path: str) -> bool:
    """Whether it is a file or folder of the repository, or a pattern of some; or OVN's."""
    plain = path.rstrip("/")
    if "*" in plain:
        return any(ROOT.glob(plain))
    return plain in FILES | FOLDERS | ONE_OF_MANY or OVNS.fullmatch(plain) is not None


def is_defined(name: str) -> bool:
    """Whether the dotted name is a module or package of ours, or what stands in one."""
    module, inside = name.replace(".", "/"), ""
    while module:
        for file in (f"{module}.py", f"{module}/__init__.py"):
            if file in FILES:
                return re.search(rf"\b{inside}\b", TEXTS[file]) is not None
        module, _, inside = module.rpartition("/")
    return False


def anchors(document: str) -> set[str]:
    """What a link to each heading of the document has behind its #."""
    headings = re.findall(r"^#+ (.+)$", TEXTS[document], re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def quoted(document: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`\n]+)`", TEXTS[document])


def typed(document: str) -> Iterator[str]:
    """The lines of indented and of fenced text."""
    yield from re.findall(r"^ {4}(.+)$", TEXTS[document], re.MULTILINE)
    for block in re.findall(r"^```\w*\n(.*?)^```", TEXTS[document], re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def complaint(words: list[str]) -> str:
    """What the command line says that these are wrong usage for; empty: nothing."""
    said = io.StringIO()
    with (
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.suppress(SystemExit),
    ):
        cli._parse_arguments(words)
    return said.getvalue()


def options() -> set[str]:
    """Those of our commands, as their help has them."""
    shown = io.StringIO()
    for command in (
        "run",
        "check",
        "init",
        "import",
        "flows",
        "lflows",
        "trace",
        "encode",
        "decode",
    ):
        with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
            cli._parse_arguments([command, "--help"])
    return set(re.findall(r"--[a-z-]+", shown.getvalue()))


def test_a_file_that_a_comment_names_is_there() -> None:
    missing = {
        file: path for file in SOURCES for path in PATH.findall(TEXTS[file]) if not is_there(path)
    }
    assert missing == {}


def test_a_module_that_a_docstring_names_is_there() -> None:
    """By its name without "ovs_dhcpd.", or its class or function by the same."""
    role = re.compile(r":(?:mod|class|func|meth|exc|data):`~?((?:controller|flows|tests)\.[\w.]+)`")
    missing = {name for name in role.findall(SOURCE) if not is_defined(name)}
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", TEXTS[document]):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = document
        if file:
            path = (ROOT / document).parent.joinpath(file).resolve()
            target = str(path.relative_to(ROOT))
        assert is_there(target), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_file_that_a_document_names_is_there(document: str) -> None:
    """By its path, from the top or from controller/, or by its name alone."""
    words = " ".join(quoted(document)).split()
    paths = [word for word in words if re.fullmatch(r"[\w./*-]+\.(py|md|toml|ini|in)", word)]
    paths += PATH.findall(" ".join([*words, *typed(document)]))
    missing = {
        path
        for path in paths
        if not (is_there(path) or is_there(f"controller/{path}") or path in NAMES)
    }
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_test_that_a_document_names_is_there(document: str) -> None:
    named = {word for word in quoted(document) if re.fullmatch(r"test_\w+", word)}
    assert named - set(re.findall(r"def (test_\w+)", SOURCE)) == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_verb_of_make_is_there(document: str) -> None:
    said = "\n".join([*quoted(document), *typed(document)])
    named = set(re.findall(r"^make ([a-z-]+)", said, re.MULTILINE))
    assert named - set(re.findall(r"^([a-z-]+):", TEXTS["Makefile"], re.MULTILINE)) == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_variable_of_the_environment_is_read_somewhere(document: str) -> None:
    name = r"\bOVS_DHCPD_[A-Z_]+"
    assert set(re.findall(name, TEXTS[document])) - set(re.findall(name, SOURCE)) == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_command_of_ovs_appctl_is_there(document: str) -> None:
    said = "\n".join([*quoted(document), *typed(document)])
    named = set(re.findall(r"ovs-appctl -t (?:ovs-dhcpd|\S+\.ctl) ([a-z/-]+)", said))
    named |= set(re.findall(r"(?<![\w./])(?:bindings|meters|pools|stats|vlog)/[a-z]+", said))
    commands = set(re.findall(r'add_(?:command|query|slow_query)\(\s*"(\S+)"', SOURCE))
    assert named - commands - OTHERS_COMMANDS == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_option_is_there(document: str) -> None:
    named = {found[0] for word in quoted(document) if (found := re.match("--[a-z-]+", word))}
    assert named - options() - OTHERS_OPTIONS == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_command_line_of_ours_is_understood(document: str) -> None:
    for line in typed(document):
        before = r"(?:\$ |mend: |sudo |ExecStart=|.* \| )*(?:\S*/)?"
        if found := re.match(rf"{before}ovs-dhcpd ([a-z]+\b.*)", line.strip()):
            words = shlex.split(re.split(r"\s+#|[|>;]", found[1])[0])
            assert complaint(words) == "", line


def test_every_folder_of_tests_is_explained() -> None:
    rows = re.findall(r"^\| `(tests/\w+)` \|", TEXTS["CONTRIBUTING.md"], re.MULTILINE)
    folders = {"/".join(file.split("/")[:2]) for file in FILES if "/test_" in file}
    assert {folder for folder in folders if folder.startswith("tests/")} - {*rows} == set()
    assert {*rows} - FOLDERS == set()


def test_these_tests_can_fail() -> None:
    assert not is_there("tests/unit/test_nothing.py")
    assert "what-a-fault-costs" in anchors("docs/architecture.md")
    assert "unknown: --no-such" in complaint(["run", "--no-such"])
    assert "--serve-only" in options()
