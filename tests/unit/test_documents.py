# SPDX-License-Identifier: Apache-2.0
"""README and docs are true where they can be compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.controller.http.metrics import FAMILIES
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.controller.tracing.requests import KINDS
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, ROUTER_ADVERTISEMENT, Option
from ovs_dhcpd.flows.options.values import TYPES

from tests.documents import blocks
from tests.documents.configurations import configurations

ROOT = Path(__file__).parents[2]
FROM_THE_ADDRESSES = {"offerip", "ia_addr"}
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")


def rows_of(page: str, header: str) -> list[str]:
    """The rows of the table of the page whose first row is `header`."""
    return page.split(f"{header}\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]


def test_readme_is_read_at_once() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_option_tables_are_those_of_the_source() -> None:
    def type_of(option: Option) -> str:
        time = "time or infinity" if option.endless else "time" if option.is_time else ""
        return ", ".join(filter(None, (option.type, option.numbers, time)))

    for family, table in (("dhcpv4", DHCPV4), ("dhcpv6", DHCPV6)):
        options = [o for o in table.by_name.values() if o.name not in FROM_THE_ADDRESSES]
        expected = [f"| {o.name} | {o.code} | {type_of(o)} | {o.rfc} |" for o in options]
        assert rows_of(CONFIGURATION, f"| {family} | code | type | defined in |") == expected
    expected = [
        f"| {o.name} | {type_of(o)} | {o.rfc} |" for o in ROUTER_ADVERTISEMENT.by_name.values()
    ]
    assert rows_of(CONFIGURATION, "| ra | type | defined in |") == expected


def test_every_type_is_explained() -> None:
    names = [row.split("|")[1].strip() for row in rows_of(CONFIGURATION, "| type | value |")]
    assert sorted(", ".join(names).split(", ")) == sorted(TYPES)


def test_the_configuration_is_that_of_the_example() -> None:
    shown = re.search(r"```yaml\n(.*?)```", CONFIGURATION, re.DOTALL)
    example = ROOT / "tests" / "examples" / "finance-network1.yaml"
    assert shown
    assert shown[1] == example.read_text(encoding="utf-8").split("\n", 2)[2]


def test_what_is_added_for_ipv6_is_that_of_the_example() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", CONFIGURATION, re.DOTALL)
    (shown,) = (block for block in blocks if "dhcpv6:" in block)
    example = ROOT / "tests" / "examples" / "finance-network1-ipv6.yaml"
    assert shown in example.read_text(encoding="utf-8")


def test_every_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    commands = [re.findall("[a-z]+", row)[0] for row in rows_of(OPERATE, "| command | does |")]
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert sorted(commands) == sorted(re.findall(r"^    ([a-z]+)\b", capsys.readouterr()[0], re.M))


def test_the_metrics_are_those_of_the_source() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert rows_of(page, "| metric | kind | labels | is |") == [
        f"| `{each.name}` | {each.kind} | {', '.join(each.labels)} | {each.help} |"
        for each in FAMILIES
    ]


def test_every_kind_of_packet_is_named() -> None:
    section = OPERATE.split("## What would it be answered")[1].split("\n## ")[0]
    assert [kind for kind in KINDS if f"`{kind}`" not in section] == []


@pytest.mark.parametrize(("page", "text"), [*configurations()])
def test_every_configuration_is_valid(page: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    assert yaml_file.load(path).warnings == ()


@pytest.mark.parametrize("page", blocks.pages())
def test_every_block_is_fenced_and_says_what_it_is(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert blocks.indented(text) == [], "put a fence around it, ```sh or ```text"
    known = {*blocks.COMMANDS, *blocks.SHOWN}
    assert [str(block) for block in blocks.read(page) if block.language not in known] == []


@pytest.mark.parametrize("page", blocks.pages())
def test_every_command_is_run_or_says_why_not(page: str) -> None:
    """tests/documents types what has no mark; a script or test has what is marked as run by it."""
    for block in blocks.read(page):
        if block.mark == "run by":
            text = " ".join((ROOT / block.argument).read_text(encoding="utf-8").split())
            missing = [each for each in blocks.commands(block) if each not in text]
            assert missing == [], f"{block} is not run by {block.argument}"
