# SPDX-License-Identifier: Apache-2.0
"""What ``--http`` serves: a page for people, what that reads, and ``/metrics``.

Nothing here changes anything.  What the page reads is what the commands print with ``-f json``,
made in the threads of those who ask as far as it can be, and no more of it than SHARE_PERCENT
allows, however many ask: a guest's answer needs the same interpreter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovs_dhcpd.controller.http.messages import TEXT, Refusal, Request, Response
from ovs_dhcpd.controller.http.server import Page, Questions, left_s, source
from ovs_dhcpd.controller.http.share import Busy, Share
from ovs_dhcpd.controller.onlookers.history_keeper import HistoryKeeper
from ovs_dhcpd.controller.onlookers.lease_keeper import LeaseKeeper
from ovs_dhcpd.controller.onlookers.watch_keeper import WatchKeeper
from ovs_dhcpd.controller.texts.json_text import to_json
from ovs_dhcpd.flows.options.wording import escape

if TYPE_CHECKING:
    from ovs_dhcpd.controller.control import Answer

SHARE_PERCENT = 20  # of the time
AT_ONCE = 100  # ports that the daemon's thread looks at, before it does something else
FOLDER = Path(__file__).with_name("page")
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Known:
    """Those who know what is asked for.

    `status` is called in the daemon's thread, and so is `why`, which is told a port and what to
    call with what makes the answer.  `metrics` answers who asks for them.
    """

    leases: LeaseKeeper
    watch: WatchKeeper
    history: HistoryKeeper
    status: Callable[[], Mapping[str, object]]
    why: Callable[[list[str], Answer], None]
    metrics: Page


class Pages:
    """Answers with what is ``known``; the daemon's thread is asked by ``questions``."""

    def __init__(self, known: Known, questions: Questions) -> None:
        self._known = known
        self._questions = questions
        self.share = Share(SHARE_PERCENT / 100)
        self._share_of_why = Share(SHARE_PERCENT / 100)  # which may wait for a switch

    def by_path(self) -> dict[str, Page]:
        """Each page by its path."""
        return {
            **{path: partial(_file, *_load(*file)) for path, file in FILES.items()},
            "/leases.json": partial(self._answer, self._leases, ["port"]),
            "/status.json": partial(self._answer, self._status, []),
            "/traffic.json": partial(self._answer, self._traffic, []),
            "/watch.json": partial(self._answer, self._watch, ["next", "last"]),
            "/why.json": partial(self._answer, self._why, ["port"]),
            "/metrics": self._metrics,
        }

    def _answer(
        self,
        find: Callable[[Mapping[str, list[str]]], Mapping[str, object]],
        names: Sequence[str],
        request: Request,
    ) -> Response:
        """With what ``find`` finds, which is told what the request says of ``names``."""
        for name in request.query.keys() - {*names}:
            raise Refusal(400, f"{escape(name)}: expected {' or '.join(names) or 'nothing'}")
        with _turn(self._share_of_why if find == self._why else self.share):
            return Response(200, JSON, to_json(find(request.query)).encode("ascii"))

    def _metrics(self, request: Request) -> Response:
        with _turn(self.share):
            return self._known.metrics(request)

    def _leases(self, query: Mapping[str, list[str]]) -> Mapping[str, object]:
        ports = query.get("port") or self._known.leases.ports
        found: dict[str, Any] = {}
        leases: list[object] = []
        for at in range(0, max(1, len(ports)), AT_ONCE):
            some = partial(self._known.leases.document, ports[at : at + AT_ONCE])
            found.update(self._questions.ask(some))
            leases += found["leases"]
        return {**found, "leases": leases}

    def _status(self, query: Mapping[str, list[str]]) -> Mapping[str, object]:
        return self._questions.ask(self._known.status)

    def _traffic(self, query: Mapping[str, list[str]]) -> Mapping[str, object]:
        return self._known.history.document()

    def _watch(self, query: Mapping[str, list[str]]) -> Mapping[str, object]:
        return self._known.watch.read(_number(query, "next"), _number(query, "last"))

    def _why(self, query: Mapping[str, list[str]]) -> Mapping[str, object]:
        ports = query.get("port", [])
        if len(ports) != 1 or not ports[0]:
            raise Refusal(400, "expected port=PORT, one")
        begin: Callable[[Any], None] = partial(self._known.why, ports)
        return self._questions.ask_slowly(begin)


@contextmanager
def _turn(share: Share) -> Iterator[None]:
    """What is done in it is done in its turn.  Raises :exc:`Refusal` if that does not come."""
    try:
        with share.turn(left_s(), source()):
            yield
    except Busy:
        raise Refusal(503, "busy") from None


def _number(query: Mapping[str, list[str]], name: str) -> int | None:
    texts = query.get(name, [])
    if len(texts) > 1 or any(not re.fullmatch("[0-9]{1,18}", each) for each in texts):
        raise Refusal(400, f"{name}: expected a number")
    return int(texts[0]) if texts else None


def _load(name: str, content_type: str) -> tuple[bytes, str]:
    return (FOLDER / name).read_bytes(), content_type


def _file(content: bytes, content_type: str, request: Request) -> Response:
    return Response(200, content_type, content)


def missing(what: str) -> Response:
    """The answer where something is not installed, which ``what`` says."""
    return Response(503, TEXT, f"{what}\n".encode())
