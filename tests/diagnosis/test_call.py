"""What an API answers to the token, explained from its challenge and the claims."""

from __future__ import annotations

from typing import Any

import pytest

from pygen_auth import ConfigurationError, TokenCredentials
from pygen_auth.testing import Answer, AuthorizationServer

from ..support import Twin
from .support import SECRET, claims, issues, jwt, step


def answered(
    server: AuthorizationServer,
    credentials: Any,
    status: int,
    challenge: str | None = None,
    body: Any = b"",
    **more: Any,
) -> Any:
    """The check of a call that the API answers so; the token is a JWT with these claims."""
    if more:
        issues(server, jwt(**claims(**more)))
    headers = {} if challenge is None else {"WWW-Authenticate": challenge}
    server.documents["/api"] = Answer(status, headers, body)
    return step("call", credentials, call=f"{server.url}/api")


def test_the_api_takes_the_token(server: AuthorizationServer, credentials: Any) -> None:
    check = step("call", credentials, call=server.resource_url)
    assert (check.outcome, check.detail) == ("ok", "status 200: the API takes the token")


def test_redirect_is_not_followed(server: AuthorizationServer, credentials: Any) -> None:
    server.documents["/api"] = Answer(302, {"Location": "https://login.example.com/?next=1"})
    check = step("call", credentials, call=f"{server.url}/api")
    assert check.outcome == "warning"
    assert check.detail == "status 302, which points to https://login.example.com/"


@pytest.mark.parametrize(
    ("challenge", "body", "more", "advice"),
    [
        pytest.param(
            'Bearer error="invalid_token", error_description="The token expired at 12:00"',
            b"",
            {},
            "set the clocks of this machine",
            id="expired",
        ),
        pytest.param(
            "Bearer",
            {"message": "IDX10214: Audience validation failed."},
            {"aud": "api://mine"},
            "set audience or scopes to what the API is called; this token is for api://mine",
            id="audience",
        ),
        pytest.param(
            'Bearer error="invalid_token", error_description="signature is wrong"',
            b"",
            {},
            "the API trusts another issuer: this token is by another server",
            id="signature",
        ),
        pytest.param(
            'Bearer error="invalid_token", error_description="Invalid issuer"',
            b"",
            {"aud": "api://mine"},
            "this token is by https://idp.example.com; check token_url",
            id="issuer",
        ),
        pytest.param(
            'Bearer authorization_uri="https://x", resource_id="api://other"',
            b"",
            {"aud": "api://mine"},
            "ask for a token for api://other: this one is for api://mine",
            id="another resource",
        ),
        pytest.param(
            "Bearer resource_id=api://other",
            b"",
            {},
            "ask for a token for api://other: this one is for another API",
            id="another resource, and no JWT",
        ),
        pytest.param(
            'Basic realm="admin"', b"", {}, "the API wants basic, no Bearer token", id="Basic"
        ),
        pytest.param(
            'Basic realm="a, b", Bearer realm="c"',
            b"",
            {"aud": "api://mine"},
            "check that the API takes tokens for api://mine",
            id="Basic or Bearer",
        ),
        pytest.param(
            'Basic realm="Bearer, c"', b"", {}, "the API wants basic", id="Bearer as a word"
        ),
        pytest.param('="" ,,Bearer error=', b"", {}, "ask the API's operator", id="no challenge"),
        pytest.param('DPoP algs="ES256"', b"", {}, "the API wants DPoP", id="DPoP"),
        pytest.param(
            'DPoP algs="ES256", Bearer', b"", {}, "ask the API's operator", id="DPoP or Bearer"
        ),
        pytest.param(
            'Bearer error="invalid_token", error_description="The audience is invalid"',
            b"",
            {},
            "this token does not say what it is for",
            id="audience, and no JWT",
        ),
        pytest.param(
            None,
            b"",
            {"aud": "api://mine"},
            "check that the API takes tokens for api://mine by https://idp.example.com",
            id="no reason",
        ),
        pytest.param(
            "Bearer",
            b"",
            {"aud": "api://mine", "iss": None},
            "by an issuer that is not named",
            id="no reason and no issuer",
        ),
        pytest.param(
            'Bearer resource="api://mine"',
            b"",
            {"aud": "api://mine"},
            "check that the API takes tokens for api://mine",
            id="the right resource",
        ),
        pytest.param("Bearer", b"", {}, "ask the API's operator", id="no reason, and no JWT"),
        pytest.param(
            'Bearer error="invalid_token", error_description="The access token provided is '
            'expired, revoked, malformed, or invalid for other reasons"',
            b"",
            {"aud": "api://mine"},
            "check that the API takes tokens for api://mine",
            id="the reasons that RFC 6750 lists",
        ),
        pytest.param(
            None,
            {"message": "Access denied due to missing subscription key."},
            {"aud": "api://mine"},
            "the API wants a key beside the token",
            id="subscription key",
        ),
    ],
)
def test_advice_for_401(
    server: AuthorizationServer,
    credentials: Any,
    challenge: str | None,
    body: Any,
    more: dict[str, Any],
    advice: str,
) -> None:
    check = answered(server, credentials, 401, challenge, body, **more)
    assert check.outcome == "failed"
    assert check.detail.startswith("status 401: ")
    assert advice in check.advice


@pytest.mark.parametrize(
    ("challenge", "more", "advice"),
    [
        pytest.param(
            'Bearer error="insufficient_scope", scope="items.write"',
            {"scp": "items.read"},
            "ask for items.write in scopes, and have it allowed; this token has items.read",
            id="a scope",
        ),
        pytest.param(
            'Bearer error="insufficient_scope"',
            {},
            "say which scope it wants; this token names none",
            id="some scope",
        ),
        pytest.param(
            None, {"roles": ["Items.Read"]}, "given a role, a group or a scope", id="no reason"
        ),
    ],
)
def test_advice_for_403(
    server: AuthorizationServer,
    credentials: Any,
    challenge: str | None,
    more: dict[str, Any],
    advice: str,
) -> None:
    check = answered(server, credentials, 403, challenge, **more)
    assert check.outcome == "failed"
    assert advice in check.advice


def test_token_from_elsewhere_that_is_refused_may_be_an_old_one() -> None:
    with AuthorizationServer() as api:
        check = step("call", TokenCredentials("opaque"), call=api.resource_url)
    assert check.detail.startswith("status 401: invalid_token: ")
    assert str(check.advice).startswith("get a new token; else check audience")


def test_reason_is_shown_once(server: AuthorizationServer, credentials: Any) -> None:
    challenge = 'Bearer error="invalid_token", error_description="no"'
    body = {"error": "invalid_token", "error_description": "no"}
    assert answered(server, credentials, 401, challenge, body).detail == (
        "status 401: invalid_token: no"
    )


def test_api_that_fails(server: AuthorizationServer, credentials: Any) -> None:
    check = answered(server, credentials, 503)
    assert (check.outcome, check.advice) == ("failed", "the API fails: ask its operator")


def test_answer_that_says_nothing_about_the_token(
    server: AuthorizationServer, credentials: Any
) -> None:
    check = answered(server, credentials, 404)
    assert check.outcome == "warning"
    assert "try a URL that answers GET" in check.advice


def test_api_that_is_called_too_often(server: AuthorizationServer, credentials: Any) -> None:
    assert "called too often" in answered(server, credentials, 429).advice


def test_certificate_of_the_api_that_is_not_trusted(credentials: Any) -> None:
    with AuthorizationServer(tls=True) as api:
        check = step("call", credentials, call=api.resource_url)
    assert "a file with the CA of the server" in str(check.advice)


def test_api_that_is_slow(
    server: AuthorizationServer, settings: dict[str, Any], twin: Twin
) -> None:
    server.documents["/api"] = Answer(delay=30.0)
    check = step("call", twin.make(**settings, timeout=3), call=f"{server.url}/api")
    assert str(check.advice).endswith("raise timeout if the API is slow")


def test_plain_http_to_the_api_would_show_the_token(credentials: Any) -> None:
    with pytest.raises(ConfigurationError, match="call sends the token over plain http to api"):
        step("call", credentials, call="http://api.example.com/items")


def test_api_that_is_away(server: AuthorizationServer, credentials: Any) -> None:
    server.documents["/api"] = Answer(reset="before")
    check = step("call", credentials, call=f"{server.url}/api")
    assert check.outcome == "failed"
    assert check.detail.startswith("no answer from 127.0.0.1")
    assert f"the way to {server.url} from here" in str(check.advice)


def test_api_that_refuses_is_not_asked_again(server: AuthorizationServer, credentials: Any) -> None:
    before = len(server.requests)
    answered(server, credentials, 401)
    assert server.requests[before:].count(("GET", "/api")) == 1
    assert SECRET not in str(server.requests)
