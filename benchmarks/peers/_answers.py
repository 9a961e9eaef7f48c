"""Answers that hold no token that a program may use, by what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pygen_auth.testing import Answer


def _token(**fields: Any) -> Answer:
    """As it should be, but for these fields."""
    good = {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600}
    return Answer(body={**good, **fields})


def _page(status: int, text: str) -> Answer:
    return Answer(status, {"Content-Type": "text/html"}, f"<html><title>{text}</title></html>")


FAULTY: dict[str, Answer] = {
    "401 without a body": Answer(401),
    "401 with a page": _page(401, "Unauthorized"),
    "403 of a gateway": Answer(403, body={"message": "Forbidden"}),
    "403 with a list": Answer(403, body=json.dumps(["Forbidden"])),
    "200 with an error": Answer(body={"error": "invalid_client"}),
    "200 with a page": _page(200, "Sign in to the guest network"),
    "200 without a body": Answer(),
    "200 in no encoding": Answer(body=b'{"access_token": "\xff\xfe"}'),
    "a list": Answer(body=json.dumps(["a-token"])),
    "a text": Answer(body=json.dumps("a-token")),
    "no access_token": Answer(body={"token_type": "Bearer", "expires_in": 3600}),
    "access_token null": _token(access_token=None),
    "access_token empty": _token(access_token=""),
    "access_token a number": _token(access_token=17),
    "access_token with a line break": _token(access_token="a-token\r\nX-Other: 1"),
    "token_type DPoP": _token(token_type="DPoP"),
    "expires_in a word": _token(expires_in="soon"),
    "expires_in negative": _token(expires_in=-60),
}
"""Single requests and answers, so each candidate is done with them in no time."""

DRIPPING = "byte by byte"
HUGE = "50 MB"
ELSEWHERE = "/elsewhere"
"""Where on another host the redirect leads to."""
REDIRECT = "redirect"
_MEGABYTES = 50


def _huge() -> Iterator[bytes]:
    yield b'{"token_type": "Bearer", "expires_in": 3600, "access_token": "'
    yield from [b"a" * 1_000_000] * _MEGABYTES
    yield b'"}'


def named(name: str, host: str) -> Answer:
    """The answer of that name, of the server that was asked as `host`."""
    if name == DRIPPING:
        return Answer(body=json.dumps({"access_token": "a" * 1000}), drip="body", drip_seconds=1)
    if name == HUGE:
        return Answer(headers={"Content-Type": "application/json"}, body=_huge())
    if name == REDIRECT:
        other = host.replace("127.0.0.1", "localhost")
        return Answer(307, {"Location": f"//{other}{ELSEWHERE}"})
    return FAULTY[name]
