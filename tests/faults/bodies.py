"""Faults in the body of an answer that says 200: what it is made of, and how large it is."""

from __future__ import annotations

import zlib
from typing import Any

from .exchange import JSON, SENT, TOKEN, Exchange, Play, granted, head, reply
from .fault import TOKEN as GETS_TOKEN
from .fault import Fault, Outcome, invalid, unreachable

BODY = "The body of a 200"
GIGABYTE = 1 << 30
NO_OBJECT, TOO_LONG = "the body is not a JSON object", "the body is longer than 1 MiB"


def _body(
    kind: str,
    variant: str,
    outcome: Outcome,
    body: bytes | Play,
    headers: dict[str, str] = JSON,
    **ways: Any,
) -> Fault:
    answer = reply(200, body, headers) if isinstance(body, bytes) else body
    return Fault(BODY, kind, variant, outcome, answer, **ways)


def _no_object(variant: str, body: bytes, headers: dict[str, str] = JSON, **ways: Any) -> Fault:
    return _body("no JSON object", variant, invalid(NO_OBJECT), body, headers, **ways)


def _re_encoded(encoding: str) -> Play:
    return reply(200, granted(), encoded=lambda body: body.decode().encode(encoding))


def _chunks_without_end(exchange: Exchange) -> None:
    exchange.send(head(200, {**JSON, "Transfer-Encoding": "chunked"}))
    chunk = b"10000\r\n%b\r\n" % bytes(65_536)
    for _ in range(GIGABYTE // 65_536):
        exchange.send(chunk)


def _gigabyte(exchange: Exchange) -> None:
    exchange.send(head(200, {**JSON, "Content-Length": str(GIGABYTE)}))
    for _ in range(GIGABYTE // 65_536):
        exchange.send(bytes(65_536))


def _bomb(window: int) -> bytes:
    """A gigabyte of zeros in less than a mebibyte: the same block a thousand times."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, window)
    first, again = (
        compressor.compress(bytes(1 << 20)) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in "ab"
    )
    return first + again * 999


def _explodes(encoding: str, window: int) -> Play:
    return reply(200, _bomb(window), {**JSON, "Content-Encoding": encoding})


DEEP = 100_000  # levels
PAGE = b"<html><body>%b %b</body></html>" % (TOKEN, SENT)
TWICE = b'{"access_token": "first", "access_token": "%b", "expires_in": 3600}' % TOKEN
MANY = b'{"access_token": "%b", "x": [%b{}]}' % (TOKEN, b"{}, " * 20_000)

BODIES = [
    _body("empty", "nothing", invalid("the body is empty"), b""),
    _body("empty", "spaces", invalid("the body is empty"), b" \r\n"),
    _no_object("HTML", PAGE, {"Content-Type": "text/html"}),
    _no_object("truncated", granted()[:-20]),
    _no_object("null", b"null"),
    _no_object("number", b"42"),
    _no_object("string", b'"%b"' % TOKEN),
    _no_object("list", b"[%b]" % granted()),
    _no_object("two objects", granted() * 2),
    _no_object("bytes that are no text", b"\xff\xfe\xfd" * 9),
    _no_object(f"{DEEP:,} levels of lists", b"[" * DEEP + b"]" * DEEP, heavy=True),
    _no_object(f"{DEEP:,} levels of objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP, heavy=True),
    _no_object("20,000 values", MANY, heavy=True),
    _no_object("Content-Length too short", granted(), {**JSON, "Content-Length": "30"}),
    _body("still JSON", "duplicate keys: the last counts", GETS_TOKEN, TWICE),
    _body("still JSON", "BOM", GETS_TOKEN, _re_encoded("utf-8-sig")),
    _body("still JSON", "UTF-16", GETS_TOKEN, _re_encoded("utf-16")),
    _body("still JSON", "UTF-32", GETS_TOKEN, _re_encoded("utf-32")),
    _body("still JSON", "wrong content type", GETS_TOKEN, granted(), {"Content-Type": "text/html"}),
    _body("still JSON", "missing content type", GETS_TOKEN, granted(), {}),
    _body("too large", "1 GB chunked", invalid(TOO_LONG), _chunks_without_end, heavy=True),
    _body("too large", "1 GB at once", invalid(TOO_LONG), _gigabyte, heavy=True),
    _body("too large", "gzip bomb", invalid(TOO_LONG), _explodes("gzip", 31), heavy=True),
    _body("too large", "deflate bomb", invalid(TOO_LONG), _explodes("deflate", 15), heavy=True),
    _body(
        "too large", "raw deflate bomb", invalid(TOO_LONG), _explodes("deflate", -15), heavy=True
    ),
    _body(
        "encoding",
        "unknown",
        invalid("the body is in an encoding that was not asked for (br)"),
        granted(),
        {**JSON, "Content-Encoding": "br"},
    ),
    _body(
        "encoding",
        "no gzip",
        invalid("the body is no valid gzip"),
        granted(),
        {**JSON, "Content-Encoding": "gzip"},
    ),
    _body(
        "chunked",
        "without a length",
        unreachable(),
        lambda exchange: exchange.send(
            head(200, {**JSON, "Transfer-Encoding": "chunked"}) + b"x\r\n"
        ),
    ),
]
