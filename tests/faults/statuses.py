"""Faults that the status of the answer tells: redirects, refusals, overload."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.utils import formatdate

from pygen_auth._errors import HIDDEN

from .exchange import JSON, SENT, Exchange, Play, reply
from .fault import Fault, Then, invalid, refused

REDIRECTS = "Redirects and empty answers"
STATUS = "Refusals"
LATER = "Wishes to be left alone"

CODES = {
    400: "invalid_scope",
    401: "invalid_client",
    403: "access_denied",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    413: "too_large",
    429: "rate_limited",
    500: "server_error",
    501: "not_implemented",
    502: "bad_gateway",
    503: "temporarily_unavailable",
    504: "gateway_timeout",
}
"""What each status says in JSON."""
TRANSIENT = {408, 409, 429, 500, 502, 503, 504}

TEXT, HTML = {"Content-Type": "text/plain"}, {"Content-Type": "text/html"}


def refusal(status: int, error: str) -> Play:
    body = {"error": error, "error_description": f"no, not with {SENT.decode()}"}
    return reply(status, json.dumps(body).encode())


def _bodies(status: int) -> dict[str, tuple[Play, str]]:
    """An answer of each kind, and what its error says."""
    page = b"<html><head><title>No way</title></head><body>%b</body></html>" % SENT
    return {
        "JSON": (refusal(status, CODES[status]), CODES[status]),
        "HTML": (reply(status, page, HTML), HIDDEN),
        "text": (reply(status, b"no way with " + SENT, TEXT), HIDDEN),
        "nothing": (reply(status, b"", {}), "(no body)"),
    }


def _elsewhere(status: int) -> Play:
    def play(exchange: Exchange) -> None:
        reply(status, b"", {"Location": exchange.elsewhere})(exchange)

    return play


def _then(status: int) -> Then:
    return "retried" if status in TRANSIENT else "final"


REDIRECTED = [
    Fault(REDIRECTS, "204", "", invalid("the body is empty"), reply(204, b"", {})),
    *(
        Fault(
            REDIRECTS,
            str(status),
            "to another host",
            refused(f"status {status}: it points to http"),
            _elsewhere(status),
        )
        for status in (301, 302, 303, 307, 308)
    ),
    Fault(REDIRECTS, "302 without Location", "", refused("points to nowhere"), reply(302, b"", {})),
]

REFUSALS = [
    Fault(STATUS, str(status), variant, refused(f"status {status}: {says}", _then(status)), answer)
    for status in CODES
    for variant, (answer, says) in _bodies(status).items()
]
REFUSALS += [
    Fault(
        STATUS,
        "400",
        "temporarily_unavailable",
        refused("status 400: temporarily_unavailable", "retried"),
        refusal(400, "temporarily_unavailable"),
    ),
    Fault(
        STATUS,
        "503",
        "invalid_client",
        refused("status 503: invalid_client"),
        refusal(503, "invalid_client"),
    ),
]


Value = Callable[[Exchange], str | None]


def _asking(status: int, name: str, value: Value) -> Play:
    def play(exchange: Exchange) -> None:
        told = value(exchange)
        headers = {**JSON, name: told} if told else JSON
        reply(status, b'{"error": "slow_down"}', headers)(exchange)

    return play


def _date(seconds: float) -> Value:
    return lambda exchange: formatdate(exchange.now() + seconds, usegmt=True)


AFTER, RESET = "Retry-After", "X-Rate-Limit-Reset"
WAITS: dict[str, tuple[Value, Then]] = {
    "seconds": (lambda _: "2", "retried"),
    "HTTP date": (_date(3), "retried"),
    "past date": (_date(-60), "retried"),
    "negative": (lambda _: "-5", "retried"),
    "no number": (lambda _: "soon", "retried"),
    "infinite": (lambda _: "inf", "retried"),
    "missing": (lambda _: None, "retried"),
    "longer than the call": (lambda _: "120", "at once"),
    "absurd": (lambda _: "999999999999999", "at once"),
    "absurd date": (lambda _: "Fri, 31 Dec 9999 23:59:59 GMT", "at once"),
}
RESETS: dict[str, tuple[Value, Then]] = {
    "in 3 s": (lambda exchange: f"{exchange.now() + 3:.0f}", "retried"),
    "past": (lambda exchange: f"{exchange.now() - 60:.0f}", "retried"),
    "in an hour": (lambda exchange: f"{exchange.now() + 3600:.0f}", "at once"),
}

LEFT_ALONE = [
    Fault(
        LATER,
        f"{status} and {name}",
        variant,
        refused(f"status {status}", then),
        _asking(status, name, value),
    )
    for status, name, rows in ((429, AFTER, WAITS), (503, AFTER, WAITS), (429, RESET, RESETS))
    for variant, (value, then) in rows.items()
]
