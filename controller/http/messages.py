# SPDX-License-Identifier: Apache-2.0
"""HTTP as far as it is needed here: one GET, one answer, and the connection ends (RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import parse_qs

MAX_HEAD = 8192  # bytes of a request
HEAD_END = b"\r\n\r\n"
TEXT = "text/plain; charset=utf-8"
PHRASES = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

# What a page of ours may do in a browser: read its own files and what it asks us, nothing else.
# No other site may show it in a frame, or read anything of it.
POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_REQUEST_LINE = re.compile(r"([!-~]+) (/[!-~]*) HTTP/1\.[01]")
# White space around the value is taken off later: a pattern for it would, of many spaces, try each
# way to share them out, and no other thread runs meanwhile.
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~]*)")
_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]*))(?::[0-9]*)?")


class Request(NamedTuple):
    """A GET of `path`; `query` is what stands behind a question mark; headers in lower case."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]


class Response(NamedTuple):
    """What is answered to it."""

    status: int
    content_type: str
    body: bytes


class Refusal(Exception):
    """A request that is not answered: `status`, and why, in a line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status

    @property
    def response(self) -> Response:
        """The answer that says so."""
        return Response(self.status, TEXT, f"{self}\n".encode("utf-8", "backslashreplace"))


def decode_request(head: bytes, address: IPv4Address | IPv6Address) -> Request:
    """The request whose head this is, with HEAD_END, to a server that listens on ``address``.

    Raises :exc:`Refusal`.  Where the address is of the loopback, so must be the host that is asked
    for: else a page of somebody else's, in a browser on this machine, could have its own name lead
    here and read what we answer (DNS rebinding).
    """
    first, *lines = head.removesuffix(HEAD_END).decode("latin-1").split("\r\n")
    found = _REQUEST_LINE.fullmatch(first)
    if not found:
        raise Refusal(400, "expected GET /PATH HTTP/1.1")
    headers = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if not header or ((name := header[1].lower()) in headers and name == "host"):
            raise Refusal(400, "expected headers, each in a line, and one Host")
        headers[name] = header[2].strip(" \t")
    if found[1] != "GET":
        raise Refusal(405, "expected GET")
    if address.is_loopback and not _is_local(headers.get("host", "")):
        raise Refusal(403, f"expected Host localhost or {address}")
    path, _, query = found[2].partition("?")
    return Request(path, parse_qs(query, keep_blank_values=True), headers)


def _is_local(host: str) -> bool:
    found = _HOST.fullmatch(host)
    if not found:
        return False
    try:
        return ip_address(found[1] or found[2]).is_loopback
    except ValueError:
        return found[2] is not None and found[2].lower() == "localhost"


def encode_response(response: Response) -> bytes:
    """The bytes of the answer."""
    lines = [
        f"HTTP/1.1 {response.status} {PHRASES[response.status]}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        "Cache-Control: no-store",
        *(f"{name}: {value}" for name, value in POLICY.items()),
        "Connection: close",
    ]
    if response.status == 405:
        lines.append("Allow: GET")
    return "\r\n".join(lines).encode("ascii") + HEAD_END + response.body
