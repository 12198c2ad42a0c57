# SPDX-License-Identifier: Apache-2.0
"""The page is whole, brings all that it needs, and has nothing that its policy forbids."""

from __future__ import annotations

import re
import socket
import threading
import time
from html.parser import HTMLParser
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ovs_dhcpd.controller.http import server as http_server
from ovs_dhcpd.controller.http.messages import Refusal, Request
from ovs_dhcpd.controller.http.pages import AT_ONCE, FILES, FOLDER, Known, Pages, missing
from ovs_dhcpd.controller.http.server import HttpServer, Page, Questions, Where, listen
from ovs_dhcpd.controller.leases.fields import FIELDS
from ovs_dhcpd.controller.leases.lease import STATES
from ovs_dhcpd.controller.why.chain import Verdict

WAIT_S = 60.0  # more than anything here takes
HTML, CSS, JS = ((FOLDER / name).read_text(encoding="utf-8") for name, _ in [*FILES.values()][:3])


class Tags(HTMLParser):
    """The tags of a page, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


TAGS = Tags(HTML).found
IDS = [attributes["id"] for _, attributes in TAGS if "id" in attributes]


def test_all_files_are_served() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {name for name, _ in FILES.values()}


def test_it_asks_for_nothing_but_what_is_served() -> None:
    named = {a.get("src") or a.get("href") for tag, a in TAGS if tag in ("link", "script", "img")}
    assert {f"/{name}" for name in named} <= FILES.keys()
    assert re.findall(r"url\(|@import|//[a-z]", CSS) == []
    addresses = re.findall(r"[a-z]+://[^\"'` ]*", JS + HTML)
    assert {*addresses} == {"http://www.w3.org/2000/svg"}  # a name of SVG's, not asked for


def test_nothing_in_it_is_forbidden_by_its_policy() -> None:
    for tag, attributes in TAGS:
        assert tag not in ("style", "iframe", "form", "base")
        assert not any(name == "style" or name.startswith("on") for name in attributes)
        assert tag != "script" or attributes.get("src")


@pytest.mark.parametrize(
    "word", ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function("]
)
def test_text_is_never_made_markup(word: str) -> None:
    assert word not in JS


def test_what_the_script_and_labels_name_is_there() -> None:
    assert len(IDS) == len({*IDS})
    used = {*re.findall(r'\bget\("([a-z-]+)"\)', JS)}
    for _, attributes in TAGS:
        for name in ("for", "aria-labelledby", "aria-describedby"):
            used |= {*(attributes.get(name) or "").split()}
    assert used - {*IDS} == set()


def test_states_and_verdicts_have_their_colours() -> None:
    (states,) = re.findall(r"const STATES = {(.*?)};", JS, re.DOTALL)
    assert [*re.findall(r"(\w+):", states)] == [*STATES]
    (verdicts,) = re.findall(r"const VERDICTS = {(.*?)};", JS)
    assert [*re.findall(r'"?([a-z]+(?: [a-z]+)?)"?:', verdicts)] == [each.value for each in Verdict]


def test_all_of_a_lease_is_in_the_dialog() -> None:
    (fields,) = re.findall(r"const FIELDS = \[(.*?)\];", JS, re.DOTALL)
    assert {*re.findall(r'"(\w+)"', fields)} == {*FIELDS} - {"port", "family"}


def test_what_is_missing_is_said_in_a_line() -> None:
    assert missing("/metrics: expected more")[::2] == (503, b"/metrics: expected more\n")


def pages(metrics: Page) -> dict[str, Page]:
    """What is served where nothing is known but these metrics."""
    nobody = cast(Any, None)
    known = Known(
        leases=nobody, watch=nobody, history=nobody, status=nobody, why=nobody, metrics=metrics
    )
    return Pages(known, Questions(lambda: None)).by_path()


def test_what_is_asked_for_besides_is_refused_in_a_printable_line() -> None:
    by_path = pages(lambda _: missing(""))
    with pytest.raises(Refusal) as refused:
        by_path["/traffic.json"](Request("/traffic.json", {"\x1b[2J": ["1"]}, {}))
    assert (refused.value.status, str(refused.value)) == (400, r"\x1b[2J: expected nothing")


def test_a_page_that_asks_again_and_again_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer of the daemon comes in time, and all of them do not."""
    monkeypatch.setattr(http_server, "LIMIT_S", 0.5)
    daemon = Questions(lambda: None)

    def be_slow() -> None:
        time.sleep(0.2)
        daemon.run()

    monkeypatch.setattr(daemon, "_wake", lambda: threading.Thread(target=be_slow).start())
    nobody = cast(Any, None)
    ports = [f"vm{number}" for number in range(4 * AT_ONCE)]
    leases: Any = SimpleNamespace(ports=ports, document=lambda _: {"leases": []})
    known = Known(
        leases=leases, watch=nobody, history=nobody, status=nobody, why=nobody, metrics=nobody
    )
    listener = listen(Where(ip_address("127.0.0.1"), 0))
    server = HttpServer(listener, Pages(known, daemon).by_path(), lambda _: None)
    server.start()
    with socket.create_connection(listener.getsockname(), timeout=WAIT_S) as connection:
        connection.sendall(b"GET /leases.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 503 ")
    server.stop()


def test_metrics_too_are_made_in_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LIMIT_S", 0.01)
    by_path = pages(lambda request: by_path["/metrics"](request))  # meanwhile another asks
    with pytest.raises(Refusal, match="busy"):
        by_path["/metrics"](Request("/metrics", {}, {}))


def test_turns_are_shared_out_among_addresses() -> None:
    nobody = cast(Any, None)
    history: Any = SimpleNamespace(document=dict)
    known = Known(
        leases=nobody, watch=nobody, history=history, status=nobody, why=nobody, metrics=nobody
    )
    all_pages = Pages(known, Questions(lambda: None))
    listener = listen(Where(ip_address("127.0.0.1"), 0))
    server = HttpServer(listener, all_pages.by_path(), lambda _: None)
    server.start()
    for source in ("127.0.0.1", "127.0.0.2"):
        with socket.create_connection(
            listener.getsockname(), timeout=WAIT_S, source_address=(source, 0)
        ) as connection:
            connection.sendall(b"GET /traffic.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    server.stop()
    assert [*all_pages.share.known] == ["127.0.0.1", "127.0.0.2"]
