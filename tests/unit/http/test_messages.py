# SPDX-License-Identifier: Apache-2.0
"""What is a request, and what is refused."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from ovs_dhcpd.controller.http.messages import (
    PHRASES,
    POLICY,
    TEXT,
    Refusal,
    Request,
    Response,
    decode_request,
    encode_response,
)

LOOPBACK, ELSEWHERE = ip_address("127.0.0.1"), ip_address("192.0.2.1")


def head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def test_a_request_is_its_path_and_headers() -> None:
    said = head("GET /metrics?x=%20/ HTTP/1.1", "HOST: localhost:9167", "Accept:  a, b ")
    assert decode_request(said, LOOPBACK) == Request(
        "/metrics", {"x": [" /"]}, {"host": "localhost:9167", "accept": "a, b"}
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("?", {}),
        ("?port=", {"port": [""]}),
        ("?port=a%26b&port=%C3%A9+x&next=1", {"port": ["a&b", "é x"], "next": ["1"]}),
        ("?port=%FF%zz&a?b=c", {"port": ["\ufffd%zz"], "a?b": ["c"]}),
    ],
)
def test_what_stands_behind_a_question_mark_is_a_query(
    query: str, found: dict[str, list[str]]
) -> None:
    said = head(f"GET /{query} HTTP/1.1", "Host: localhost")
    assert decode_request(said, LOOPBACK)[:2] == ("/", found)


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (400, []),
        (400, ["GET /"]),
        (400, ["GET / HTTP/2.0"]),
        (400, ["GET  / HTTP/1.1"]),
        (400, ["GET metrics HTTP/1.1"]),
        (400, ["GET http://localhost/ HTTP/1.1"]),
        (400, ["GET /\xff HTTP/1.1"]),
        (400, ["GET / HTTP/1.1", "Host localhost"]),
        (400, ["GET / HTTP/1.1", "Host : localhost"]),
        (400, ["GET / HTTP/1.1", "Host: localhost", " folded"]),
        (400, ["GET / HTTP/1.1", "Host: localhost", "host: evil.example"]),
        (400, ["GET / HTTP/1.1", "Host: localhost", "X: \x01"]),
        (405, ["POST / HTTP/1.1", "Host: localhost"]),
        (405, ["HEAD / HTTP/1.1", "Host: localhost"]),
        (403, ["GET / HTTP/1.1"]),
        (403, ["GET / HTTP/1.1", "Host: "]),
        (403, ["GET / HTTP/1.1", "Host: evil.example"]),
        (403, ["GET / HTTP/1.1", "Host: evil.example:9167"]),
        (403, ["GET / HTTP/1.1", "Host: localhost.evil.example"]),
        (403, ["GET / HTTP/1.1", "Host: 192.0.2.1"]),
        (403, ["GET / HTTP/1.1", "Host: [2001:db8::1]"]),
        (403, ["GET / HTTP/1.1", "Host: ::1"]),
        (403, ["GET / HTTP/1.1", "Host: localhost:evil.example"]),
    ],
)
def test_what_is_refused(status: int, lines: list[str]) -> None:
    with pytest.raises(Refusal) as refused:
        decode_request(head(*lines), LOOPBACK)
    assert refused.value.status == status
    assert refused.value.response.body.endswith(b"\n")


@pytest.mark.parametrize("value", [" " * 8000 + "\xff", "\t x" * 2000 + "\x01"])
def test_white_space_keeps_nobody_waiting(value: str) -> None:
    with pytest.raises(Refusal, match="expected headers"):
        decode_request(head("GET / HTTP/1.1", "Host: localhost", f"X:{value}"), LOOPBACK)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:9167", "[::1]", "[::1]:9167"]
)
def test_on_the_loopback_it_is_asked_for_as_such(host: str) -> None:
    assert decode_request(head("GET / HTTP/1.1", f"Host: {host}"), LOOPBACK).path == "/"


def test_elsewhere_it_may_have_any_name() -> None:
    assert decode_request(head("GET / HTTP/1.1", "Host: dhcp.example"), ELSEWHERE).path == "/"
    assert decode_request(head("GET / HTTP/1.0"), ELSEWHERE).path == "/"


def test_an_answer_says_its_length_and_ends_the_connection() -> None:
    assert encode_response(Response(200, TEXT, b"yes\r\n")) == (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 5\r\n"
        b"Cache-Control: no-store\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in POLICY.items()).encode()
        + b"Connection: close\r\n"
        b"\r\n"
        b"yes\r\n"
    )


def test_a_page_of_ours_reads_its_own_files_and_nobody_elses_shows_it() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY["Content-Security-Policy"].split("; "))
    assert rules == {
        **dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'"),
        **dict.fromkeys(("script-src", "style-src", "img-src", "connect-src"), "'self'"),
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert POLICY["X-Content-Type-Options"] == "nosniff"
    assert POLICY["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("status", PHRASES)
def test_every_status_can_be_said(status: int) -> None:
    said = encode_response(Refusal(status, "why \udcff").response)
    assert said.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b"\r\nAllow: GET\r\n" in said) == (status == 405)
    assert said.endswith(b"why \\udcff\n")
