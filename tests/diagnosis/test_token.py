"""Tokens that are refused, that are not what was asked for, or do not live as long as was said."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx
import pytest

from pygen_auth import TokenCredentials
from pygen_auth.diagnosis import parts_of
from pygen_auth.diagnosis._jwt import moment, words
from pygen_auth.testing import Answer, AuthorizationServer

from ..support import Twin
from .conftest import tells_time
from .support import CLIENT, SECRET, SIGNATURE, claims, issues, jwt, step


def made(server: AuthorizationServer, twin: Twin, **settings: Any) -> Any:
    return twin.make(server.token_url, CLIENT, SECRET, verify=server.ca_file, **settings)


# -- the request


@pytest.mark.parametrize(
    ("answer", "detail", "advice"),
    [
        (
            Answer(401, {}, {"error": "invalid_client"}),
            "status 401: invalid_client",
            "check client_id and client_secret",
        ),
        (
            Answer(400, {}, {"error": "odd_thing"}),
            "status 400: odd_thing",
            "ask the server's operator, with the id of the request",
        ),
        (
            Answer(200, {}, {"token": "x"}),
            "missing access_token",
            "check token_url: what answers there gives no tokens",
        ),
        (Answer(reset="before"), "no answer from", "check scheme and port of token_url"),
    ],
)
def test_advice_for_a_refusal(
    server: AuthorizationServer, twin: Twin, answer: Answer, detail: str, advice: str
) -> None:
    server.override = answer
    check = step("token request", made(server, twin, timeout=3))
    assert check.outcome == "failed"
    assert detail in check.detail
    assert advice in str(check.advice)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert", "(--tls-certificate)"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "(--ca-file)"),
        ("Server disconnected without sending a response.", "check scheme and port"),
    ],
)
def test_advice_for_what_tls_says(
    server: AuthorizationServer, twin: Twin, said: str, advice: str
) -> None:
    def fails(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(said)

    def client() -> Any:
        kind = httpx.AsyncClient if twin.asynchronous else httpx.Client
        return kind(transport=httpx.MockTransport(fails))

    credentials = twin.make(server.token_url, CLIENT, SECRET, client=client, timeout=2.0)
    assert advice in str(step("token request", credentials).advice)


def test_secret_that_cannot_be_read(server: AuthorizationServer, twin: Twin) -> None:
    def broken() -> str:
        raise LookupError("no secret")

    credentials = twin.make(server.token_url, CLIENT, broken, verify=server.ca_file)
    check = step("token request", credentials)
    assert check.found["error"] == "ConfigurationError"
    assert "client_secret could not be read" in check.detail


# -- reading


def test_claims_are_shown_with_times_that_one_can_read(
    server: AuthorizationServer, credentials: Any
) -> None:
    issues(server, jwt(**claims(aud=["a", "b"], exp=4102444800, roles=["Items.Read"], name="Eve")))
    check = step("token", credentials)
    assert check.detail == (
        "JWT: iss https://idp.example.com, aud a b, roles Items.Read, exp 2100-01-01 00:00:00 UTC"
    )
    assert check.found["header"] == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("opaque", id="no parts"),
        pytest.param("a.b.c", id="no base64"),
        pytest.param("W10.W10.c", id="lists"),
        pytest.param(f"{jwt(a='x' * 70_000)}", id="too long"),
        pytest.param(f"{base64.b64encode(b'[' * 9000).decode()}.e30.c", id="too deep"),
        pytest.param("e30.e.c", id="claims that are none"),
    ],
)
def test_what_is_no_jwt(token: str) -> None:
    assert parts_of(token) is None


def test_token_that_nobody_can_read(server: AuthorizationServer, credentials: Any) -> None:
    assert step("token", credentials).outcome == "not run"


def test_expired_token_from_elsewhere() -> None:
    check = step("token", TokenCredentials(jwt(**claims(exp=int(time.time()) - 7200))))
    assert check.outcome == "failed"
    assert check.detail.startswith("expired 2 h ago")
    assert check.advice == "get another token"


def test_token_that_comes_expired(server: AuthorizationServer, credentials: Any) -> None:
    issues(server, jwt(**claims(exp=int(time.time()) - 7200)))
    assert str(step("token", credentials).advice).startswith("ask the server's operator")


def test_token_that_comes_expired_where_the_clocks_differ(
    server: AuthorizationServer, credentials: Any
) -> None:
    tells_time(server, -7200)
    issues(server, jwt(**claims(exp=int(time.time()) - 7200)))
    assert step("token", credentials).advice == "set the clock of this machine right"


def test_token_that_is_not_valid_yet(server: AuthorizationServer, credentials: Any) -> None:
    issues(server, jwt(**claims(nbf=int(time.time()) + 900)))
    check = step("token", credentials)
    assert check.outcome == "failed"
    assert check.detail.startswith("valid in 15 min")


def test_the_signature_is_never_read() -> None:
    assert SIGNATURE not in json.dumps(parts_of(jwt(**claims())))


def test_words_of_claims() -> None:
    fields = {"scp": "a b", "roles": ["c", 7], "scope": 8}
    assert words(fields, "scp", "roles", "scope", "none") == ["a", "b", "c"]


@pytest.mark.parametrize("value", [True, "1", -1, 1e12, None])
def test_what_is_no_moment(value: object) -> None:
    assert moment({"exp": value}, "exp") is None


# -- as asked


@pytest.mark.parametrize(
    ("asked", "aud"),
    [
        ({"audience": "https://api.example.com"}, "https://api.example.com"),
        ({"audience": "https://api.example.com"}, ["other", "https://api.example.com/"]),
        ({"scopes": ["api://my-api/.default"]}, "api://my-api"),
        ({"scopes": ["api://my-api/.default"]}, "11111111-2222-3333-4444-555555555555"),
        ({"params": {"resource": "api://my-api", "x": "y"}}, "my-api"),
        ({}, "anything"),
    ],
)
def test_token_for_what_was_asked_for(
    server: AuthorizationServer, twin: Twin, asked: dict[str, Any], aud: Any
) -> None:
    issues(server, jwt(**claims(aud=aud)))
    check = step("as asked", made(server, twin, **asked), redact=False)
    assert check.outcome == "ok"
    assert check.detail == f"for {' '.join(aud) if isinstance(aud, list) else aud}"


@pytest.mark.parametrize(
    "asked",
    [
        {"audience": "https://api.example.com"},
        {"scopes": ["https://api.example.com/.default"]},
        {"params": {"resource": "https://api.example.com"}},
    ],
)
def test_token_for_another_api(
    server: AuthorizationServer, twin: Twin, asked: dict[str, Any]
) -> None:
    issues(server, jwt(**claims(aud="https://other.example.com")))
    check = step("as asked", made(server, twin, **asked))
    assert check.outcome == "failed"
    assert check.detail == (
        "the token is for https://other.example.com, asked for https://api.example.com"
    )
    assert "the API refuses a token that is for another one" in str(check.advice)


@pytest.mark.parametrize(
    ("token", "scope"),
    [(jwt(**claims(scp=["a"])), None), (jwt(**claims(roles=["a"])), None), ("opaque", "a")],
)
def test_scope_that_was_not_granted(
    server: AuthorizationServer, twin: Twin, token: str, scope: str | None
) -> None:
    issues(server, token, scope=scope)
    check = step("as asked", made(server, twin, scopes="a b"))
    assert (check.outcome, check.detail) == ("warning", "granted a, not b")
    assert "have those scopes allowed" in str(check.advice)


def test_of_many_scopes_as_much_is_shown_as_one_reads(
    server: AuthorizationServer, twin: Twin
) -> None:
    many = [f"scope-{number}" for number in range(200)]
    issues(server, jwt(**claims(roles=many, aud=many)))
    assert len(step("as asked", made(server, twin, scopes="a")).detail) < 250
    assert len(step("as asked", made(server, twin, scopes="scope-1")).detail) < 450
    assert len(step("as asked", made(server, twin, audience="a")).detail) < 250


def test_scopes_that_were_granted(server: AuthorizationServer, twin: Twin) -> None:
    issues(server, jwt(**claims(scope="a b")), scope="a b")
    check = step("as asked", made(server, twin, scopes="a b"))
    assert (check.outcome, check.detail) == ("ok", "with a b")


def test_token_of_which_nobody_says_what_it_is_for(server: AuthorizationServer, twin: Twin) -> None:
    issues(server, "opaque")
    assert step("as asked", made(server, twin, scopes="a")).outcome == "not run"


# -- lifetime


def test_lifetime_that_leaves_the_margin(server: AuthorizationServer, credentials: Any) -> None:
    issues(server, "opaque")
    check = step("lifetime", credentials)
    assert (check.outcome, check.detail) == ("ok", "60 min, a new one 5 min ahead of its end")


def test_lifetime_under_the_margin(server: AuthorizationServer, credentials: Any) -> None:
    issues(server, "opaque", expires_in=200)
    check = step("lifetime", credentials)
    assert check.outcome == "warning"
    assert check.detail.startswith("3 min, a new one 100 s ahead of its end")
    assert check.advice == "set refresh_margin to 50 or so; until then half of a life counts"


def test_lifetime_that_the_server_does_not_name(
    server: AuthorizationServer, credentials: Any
) -> None:
    issues(server, "opaque", expires_in=None)
    check = step("lifetime", credentials)
    assert check.outcome == "warning"
    assert "set default_lifetime to what the server's documentation says" in str(check.advice)


def test_token_that_ends_before_what_is_assumed(
    server: AuthorizationServer, credentials: Any
) -> None:
    issues(server, jwt(**claims(exp=int(time.time()) + 900)), expires_in=None)
    check = step("lifetime", credentials)
    assert check.outcome == "failed"
    assert "but the token itself ends 45 min before" in check.detail
    advice, _, seconds = str(check.advice).rpartition(" ")
    assert advice == "set default_lifetime to"
    assert 800 < int(seconds) <= 900


def test_token_that_ends_before_the_server_says(
    server: AuthorizationServer, credentials: Any
) -> None:
    issues(server, jwt(**claims(exp=int(time.time()) + 900)))
    check = step("lifetime", credentials)
    assert check.outcome == "failed"
    assert "expires_in must not be longer" in str(check.advice)
