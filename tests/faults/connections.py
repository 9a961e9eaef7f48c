"""Faults on the way to an answer: name, connection, TLS, proxy, and an answer that breaks off."""

from __future__ import annotations

from typing import Any

from .exchange import Exchange, Play, granted, grants, head, reply
from .fault import HANGS, TOKEN, Fault, Outcome, refused, unreachable

WAY = "On the way"
ANSWER = "The form of the answer"

LATE = unreachable(cause=None)
"""Our time-out, or httpx's for a single read: they end together."""
NO_TLS = "a plain connection has no handshake"


def _on_the_way(kind: str, variant: str, outcome: Outcome, **ways: Any) -> Fault:
    return Fault(WAY, kind, variant, outcome, **ways)


def _reset(before: bytes) -> Play:
    def play(exchange: Exchange) -> None:
        exchange.send(before)
        exchange.pause(0.05)  # let it arrive: a reset takes with it what waits to be read
        exchange.reset()

    return play


def _closed(before: bytes) -> Play:
    return lambda exchange: exchange.send(before)


def _hang(exchange: Exchange) -> None:
    exchange.pause()


def _speaks_http(exchange: Exchange) -> None:
    """What a web server answers to a TLS handshake on its plain port."""
    exchange.connection.recv(65_536)
    reply(400, b"The plain HTTP port was sent a TLS handshake")(exchange)


def _speaks_tls(exchange: Exchange) -> None:
    """The alert of a TLS server that was sent something else (RFC 8446 §6)."""
    exchange.connection.recv(65_536)
    exchange.send(b"\x15\x03\x01\x00\x02\x02\x46")


NAMES = [
    _on_the_way("name", "unknown", unreachable(), lookup="unknown"),
    _on_the_way("name", "looked up without end", LATE, lookup="stalled", timeout=HANGS),
]

CONNECTIONS = [
    _on_the_way("connection", "refused", unreachable(), listens=False),
    _on_the_way("connection", "reset before the headers", unreachable(), answer=_reset(b"")),
    _on_the_way(
        "connection",
        "reset in the headers",
        unreachable(),
        answer=_reset(b"HTTP/1.1 200 OK\r\nContent-Le"),
    ),
    _on_the_way(
        "connection",
        "reset in the body",
        unreachable(),
        answer=_reset(head(200, {"Content-Length": "100"}) + b'{"access_'),
    ),
    _on_the_way("connection", "closed before the headers", unreachable(), answer=_closed(b"")),
    _on_the_way(
        "connection",
        "closed in the headers",
        unreachable(),
        answer=_closed(b"HTTP/1.1 200 OK\r\nContent-Le"),
    ),
    _on_the_way("connection", "accepted and never answered", LATE, answer=_hang, timeout=HANGS),
    _on_the_way("connection", "accepted and never read", LATE, greeting=_hang, timeout=HANGS),
]


def _in_tls(variant: str, says: str, **ways: Any) -> Fault:
    return _on_the_way("TLS", variant, unreachable(says), only="TLS", why=NO_TLS, **ways)


TLS = [
    _in_tls("unknown CA", "CERTIFICATE_VERIFY_FAILED", certificate="unknown CA"),
    _in_tls("expired certificate", "certificate has expired", certificate="expired"),
    _in_tls(
        "certificate of another host", "certificate is not valid for", certificate="other host"
    ),
    _in_tls("protocol mismatch", "no answer from", certificate="old protocol"),
    _in_tls("plain HTTP on a TLS port", "SSL", greeting=_speaks_http),
    _on_the_way(
        "TLS",
        "TLS on a plain port",
        unreachable(),
        greeting=_speaks_tls,
        only="plain",
        why="it is what TLS is for",
    ),
]

PROXIES = [
    _on_the_way(
        "proxy",
        f"refuses with {status}",
        refused(f"status {status}"),
        over_tls=unreachable(str(status)),
        answer=reply(status, b"not for you", {"Content-Type": "text/plain"}),
        proxied=True,
    )
    for status in (403, 407)
]
PROXIES += [
    _on_the_way("proxy", "away", unreachable(), listens=False, proxied=True),
    _on_the_way("proxy", "never answers", LATE, answer=_hang, proxied=True, timeout=HANGS),
]


# -- the form of an answer


def _then_grants(*first: bytes) -> Play:
    def play(exchange: Exchange) -> None:
        for piece in first:
            exchange.send(piece)
        grants(exchange)

    return play


def _information_without_end(exchange: Exchange) -> None:
    while not exchange.stopping.is_set():
        exchange.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        exchange.pause(0.005)


def _headers_without_end(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        exchange.send(b"X-More: " + b"x" * 1000 + b"\r\n")


def _header_without_end(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nX-More: ")
    while True:
        exchange.send(b"x" * 1000)


def _dripping(lead: bytes, rest: bytes) -> Play:
    def play(exchange: Exchange) -> None:
        exchange.send(lead)
        exchange.drip(rest)

    return play


def _told_length(length: str) -> Play:
    return reply(200, granted(), {"Content-Type": "application/json", "Content-Length": length})


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"


def _formed(kind: str, variant: str, outcome: Outcome, answer: Play, **ways: Any) -> Fault:
    return Fault(ANSWER, kind, variant, outcome, answer, **ways)


FORMS = [
    _formed("1xx first", "100 Continue", TOKEN, _then_grants(CONTINUE)),
    _formed("1xx first", "102, 103 and 100", TOKEN, _then_grants(PROCESSING, HINTS, CONTINUE)),
    _formed(
        "1xx first",
        "without end",
        LATE,
        _information_without_end,
        timeout=HANGS,
    ),
    _formed(
        "1xx first",
        "101 Switching Protocols",
        unreachable(),
        _then_grants(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    ),
    _formed("headers", "without end", unreachable(), _headers_without_end, heavy=True),
    _formed("headers", "one without end", unreachable(), _header_without_end, heavy=True),
    _formed("headers", "one byte per second", LATE, _dripping(b"", head(200, {})), timeout=HANGS),
    _formed("headers", "no HTTP", unreachable(), _closed(b"220 mail.example ESMTP\r\n\r\n")),
    _formed(
        "body",
        "one byte per second",
        LATE,
        _dripping(head(200, {"Content-Length": "100"}), b" " * 100),
        timeout=HANGS,
    ),
    _formed("Content-Length", "too long", unreachable(), _told_length("500")),
    _formed("Content-Length", "no number", unreachable(), _told_length("many")),
    _formed("Content-Length", "below zero", unreachable(), _told_length("-1")),
]
