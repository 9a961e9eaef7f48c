"""Faults in single fields of an answer that is a JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .exchange import JSON, SENT, TOKEN, granted, reply
from .fault import TOKEN as GETS_TOKEN
from .fault import Fault, Outcome, invalid, refused

FIELDS = "The fields of a 200"
ERRORS = "An error in the body"
BESIDE = "Beside the token"

MISSING = object()
GOOD: Mapping[str, object] = {
    "access_token": TOKEN.decode(),
    "token_type": "Bearer",
    "expires_in": 3600,
}


def _object(**changes: Any) -> bytes:
    """The fields of a good answer with these changes, in JSON."""
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not MISSING}
    return json.dumps(fields).encode()


def _field(field: str, variant: str, value: object, outcome: Outcome, **ways: Any) -> Fault:
    return Fault(
        FIELDS, f"`{field}`", variant, outcome, reply(200, _object(**{field: value})), **ways
    )


NO_TOKEN = invalid("missing access_token field")
NO_TEXT = invalid("access_token is not a text of printable ASCII characters without spaces")
MEBIBYTE = 1 << 20

ACCESS_TOKENS = [
    _field("access_token", "missing", MISSING, NO_TOKEN),
    _field("access_token", "null", None, NO_TOKEN),
    *(
        _field("access_token", variant, value, NO_TEXT)
        for variant, value in {
            "number": 42,
            "true": True,
            "object": {"value": TOKEN.decode()},
            "list": [TOKEN.decode()],
            "empty": "",
            "with CR LF": f"{TOKEN.decode()}\r\nX-Evil: {SENT.decode()}",
            "with NUL": f"{TOKEN.decode()}\0",
            "with spaces": f"{TOKEN.decode()} {SENT.decode()}",
            "non-ASCII": f"{TOKEN.decode()}-é",
        }.items()
    ),
    _field(
        "access_token",
        "1 MiB long",
        TOKEN.decode() + "x" * MEBIBYTE,
        invalid("the body is longer than 1 MiB"),
        heavy=True,
    ),
    _field(
        "access_token",
        "1 MB long",
        TOKEN.decode() + "x" * 10**6,
        GETS_TOKEN,
        gives=lambda token: token + "x" * 10**6,
    ),
]

TOKEN_TYPES = [
    *(
        _field("token_type", variant, value, GETS_TOKEN)
        for variant, value in {
            "missing": MISSING,
            "null": None,
            "`bearer`": "bearer",
            "`BEARER`": "BEARER",
            "`BearerToken`": "BearerToken",
        }.items()
    ),
    *(
        _field("token_type", variant, value, invalid(f"token_type is {says}"))
        for variant, value, says in (
            ("`DPoP`", "DPoP", "'DPoP'"),
            ("`MAC`", "MAC", "'MAC'"),
            ("`N_A`", "N_A", "'N_A'"),
            ("empty", "", "''"),
            ("number", 7, "'7'"),
            ("object", {"type": "Bearer"}, '"{'),
        )
    ),
]

NO_NUMBER = invalid("expires_in is not a number")
TOO_LONG = invalid("expires_in is not a number of seconds under ten years")
DEAD = invalid("expires_in is not above zero", "retried")


def _lifetime(variant: str, outcome: Outcome, text: str) -> Fault:
    """`text` as it stands in the JSON; some of it no encoder writes."""
    return Fault(FIELDS, "`expires_in`", variant, outcome, reply(200, granted(text)))


LIFETIMES = [
    _field("expires_in", "missing", MISSING, GETS_TOKEN),
    *(
        _lifetime(variant, outcome, text)
        for outcome, variants in (
            (
                GETS_TOKEN,
                {
                    "null": "null",
                    "number in a string": '"3599"',
                    "fraction in a string": '"3600.0"',
                    "fraction": "3599.5",
                    "exponent": "3.6e3",
                    "string with spaces": '" 3600 "',
                },
            ),
            (DEAD, {"0": "0", "-1": "-1", "-1 in a string": '"-1"', "-0.0": "-0.0"}),
            (
                NO_NUMBER,
                {
                    "word": '"soon"',
                    "empty": '""',
                    "true": "true",
                    "list": "[3600]",
                    "object": '{"seconds": 3600}',
                    "NaN in a string": '"NaN"',
                    "exponent in a string": '"1e3"',
                    "`1_000` in a string": '"1_000"',
                    "digits of another script": '"\\u0969\\u0966"',
                    "date": '"2030-01-01T00:00:00Z"',
                    "integer of 400 digits": "9" * 400,
                },
            ),
            (
                TOO_LONG,
                {
                    "NaN": "NaN",
                    "infinite": "Infinity",
                    "1e400": "1e400",
                    "a hundred years": "3153600000",
                    "20 digits in a string": '"99999999999999999999"',
                },
            ),
        )
        for variant, text in variants.items()
    ),
    _lifetime("integer of 5,000 digits", invalid("the body is not a JSON object"), "9" * 5000),
]


def _error(kind: str, variant: str, status: int, outcome: Outcome, body: bytes) -> Fault:
    return Fault(ERRORS, kind, variant, outcome, reply(status, body))


def _says_no(status: int) -> Outcome:
    return refused(f"Token request failed with status {status}: ")


ODD_ERRORS: Mapping[str, object] = {
    "object": {"code": "no_such_client", "message": f"not with {SENT.decode()}"},
    "`true`": True,
    "list": ["no_such_client", SENT.decode()],
    "number": 7,
}

NO_ERRORS: Mapping[str, object] = {"null": None, "`false`": False, "empty": "", "empty list": []}

ERRORS_IN_BODIES = [
    _error("`error` with 200", "code", 200, _says_no(200), _object(error="invalid_client")),
    _error(
        "`error` with 200",
        "code that may pass",
        200,
        refused("status 200: temporarily_unavailable", "retried"),
        _object(error="temporarily_unavailable", access_token=MISSING),
    ),
    *(
        _error(f"`error` with {status}", variant, status, _says_no(status), _object(error=value))
        for status in (200, 400)
        for variant, value in ODD_ERRORS.items()
    ),
    *(
        _error("`error` beside a token", variant, 200, GETS_TOKEN, _object(error=value))
        for variant, value in NO_ERRORS.items()
    ),
]

EXTRAS = [
    Fault(
        BESIDE,
        "`refresh_token`",
        "ignored",
        GETS_TOKEN,
        reply(200, _object(refresh_token="r3fresh")),
    ),
    Fault(
        BESIDE,
        "`Set-Cookie`",
        "not kept",
        GETS_TOKEN,
        reply(200, granted(), {**JSON, "Set-Cookie": "theirs=1; Path=/"}),
    ),
]
