"""No secret comes out of any repr, log, error, chain or pickle, whatever a server echoes."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import logging
import pickle
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest

from pygen_auth import OAuth2Error
from pygen_auth.testing import Answer, AuthorizationServer

from .support import Twin, all_that_shows

SECRET = 'k9"Zq8/very+secret <b>&värde'
TOKEN = "eyTok-0123456789.abcdef"
BASIC = base64.b64encode(f"id:{SECRET}".encode()).decode()
ENCODED_BASIC = base64.b64encode(f"id:{quote(SECRET, safe='')}".encode()).decode()
FORMS = {
    "plain": SECRET,
    "percent-encoded": quote(SECRET, safe=""),
    "percent-encoded in lower case": quote(SECRET, safe="").lower(),
    "as a form": quote_plus(SECRET),
    "in JSON": json.dumps(SECRET)[1:-1],
    "in HTML": html.escape(SECRET),
    "in Base64": base64.b64encode(SECRET.encode()).decode(),
    "as Basic credentials": BASIC,
    "as encoded Basic credentials": ENCODED_BASIC,
    "the whole form": f"client_id=id&client_secret={quote_plus(SECRET)}",
}
FORBIDDEN = [SECRET, *FORMS.values(), TOKEN, "very+secret", "very%2Bsecret", "0123456789.abcdef"]

ECHOES = {
    "text": lambda echo: Answer(400, {}, f"what is {echo}?"),
    "UTF-16 text": lambda echo: Answer(400, {}, f"what is {echo}?".encode("utf-16")),
    "HTML": lambda echo: Answer(500, {}, f"<p>{echo}</p>"),
    "title": lambda echo: Answer(500, {}, f"<html><title>{echo}</title>"),
    "form": lambda echo: Answer(400, {}, f"error=x&error_description={echo}"),
    "challenge": lambda echo: Answer(401, {"WWW-Authenticate": f'Bearer error="{echo}"'}),
    "code": lambda echo: Answer(401, {}, {"error": echo}),
    "description": lambda echo: Answer(
        401, {}, {"error": "invalid_client", "error_description": f"bad {echo}"}
    ),
    "object": lambda echo: Answer(400, {}, {"error": {"code": "x", "message": echo}}),
    "trace id": lambda echo: Answer(400, {}, {"error": "x", "trace_id": echo}),
    "with the token": lambda echo: Answer(
        403, {}, {"access_token": TOKEN, "message": f"{echo} and {TOKEN}"}
    ),
    "token in text": lambda echo: Answer(403, {}, f"access_token={TOKEN}&x={echo}"),
    "token with an error": lambda echo: Answer(
        200, {}, {"access_token": TOKEN, "error": "x", "error_description": f"{TOKEN} {echo}"}
    ),
    "token type": lambda echo: Answer(200, {}, {"access_token": TOKEN, "token_type": echo}),
    "token as type": lambda echo: Answer(200, {}, {"access_token": TOKEN, "token_type": TOKEN}),
    "lifetime": lambda echo: Answer(200, {}, {"access_token": TOKEN, "expires_in": echo}),
    "token with a line break": lambda echo: Answer(200, {}, {"access_token": f"{TOKEN}\r\n{echo}"}),
    "broken JSON": lambda echo: Answer(200, {}, f'{{"access_token": "{TOKEN}", "x": "{echo}"'),
    "no token, HTML": lambda echo: Answer(200, {}, f"<p>{echo} {TOKEN}</p>"),
    "redirect": lambda echo: Answer(302, {"Location": f"https://x.example/?a={quote(echo)}"}),
    "content encoding": lambda echo: Answer(200, {"Content-Encoding": quote(echo)}, "x"),
    "content type": lambda echo: Answer(200, {"Content-Type": f"a/{quote(echo)}"}, "x"),
}


@pytest.fixture(scope="module")
def running_server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        running.add_client("id", SECRET)
        yield running


@pytest.fixture
def server(running_server: AuthorizationServer) -> AuthorizationServer:
    running_server.override = None
    return running_server


@contextlib.contextmanager
def everything_logged() -> Iterator[list[str]]:
    """The messages of every logger at DEBUG, ours and those of the libraries below."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith("httpcore"):  # it logs the server's own headers
                lines.append(f"{record.getMessage()} {record.args}")

    root, collector = logging.getLogger(), Collector()
    level = root.level
    root.addHandler(collector)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(collector)
        root.setLevel(level)


def assert_nothing_shows(texts: list[str]) -> None:
    for text in texts:
        for secret in FORBIDDEN:
            assert secret.lower() not in text.lower()


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("echo", ECHOES)
def test_echoed_secret_is_not_shown(
    server: AuthorizationServer, echo: str, form: str, method: str
) -> None:
    twin = Twin("sync")
    server.override = ECHOES[echo](FORMS[form])
    credentials = twin.make(server.token_url, "id", SECRET, client_auth=method)
    credentials._clock = _impatient(credentials._clock)
    with everything_logged() as lines, pytest.raises(OAuth2Error) as caught:
        twin.token(credentials)
    with pytest.raises(OAuth2Error) as later:
        twin.token(credentials)
    assert_nothing_shows(all_that_shows(caught.value) + all_that_shows(later.value) + lines)
    assert_nothing_shows([repr(credentials), repr(credentials._lease), repr(credentials._grant)])


def _impatient(clock: Any) -> Any:
    from dataclasses import replace

    return replace(clock, sleep=lambda seconds: None)


def test_twin_shows_nothing_either(server: AuthorizationServer, twin: Twin) -> None:
    server.override = ECHOES["with the token"](SECRET)
    credentials = twin.make(server.token_url, "id", SECRET)
    with everything_logged() as lines, pytest.raises(OAuth2Error) as caught:
        twin.token(credentials)
    assert_nothing_shows(all_that_shows(caught.value) + lines)


def test_unreachable_server_shows_nothing(twin: Twin) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot send {request.content!r} {SECRET}", request=request)

    def client() -> Any:
        kind: Any = httpx.AsyncClient if twin.asynchronous else httpx.Client
        return kind(transport=httpx.MockTransport(broken))

    credentials = twin.make(client_secret=SECRET, client=client)
    credentials._clock = _impatient(credentials._clock)
    with everything_logged() as lines, pytest.raises(OAuth2Error) as caught:
        twin.call(credentials, "get_headers")
    shown = [str(caught.value), repr(caught.value), repr(vars(caught.value.__cause__))]
    assert_nothing_shows([*shown, pickle.dumps(caught.value).decode("latin-1"), *lines])


def test_granted_token_is_in_no_log_and_no_repr(server: AuthorizationServer, twin: Twin) -> None:
    credentials = twin.make(server.token_url, "id", SECRET)
    with everything_logged() as lines:
        token = twin.call(credentials, "token")
    assert lines
    texts = [*lines, repr(token), repr(credentials), repr(credentials._lease)]
    texts += [repr(credentials._grant), repr(server.token_requests)]
    for text in texts:
        assert token.access_token not in text
    assert_nothing_shows(texts)


def test_pickled_credentials_hold_no_token(server: AuthorizationServer, twin: Twin) -> None:
    credentials = twin.make(server.token_url, "id", SECRET)
    token = twin.call(credentials, "token")
    assert token.access_token.encode() not in pickle.dumps(credentials)
