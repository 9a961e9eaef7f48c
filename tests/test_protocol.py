"""The request and the judgement of the answer, as values: no network and no clock."""

from __future__ import annotations

import base64
import gc
import html
import json
import pickle
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from authlib.oauth2.client import DEFAULT_HEADERS

from pygen_auth import InvalidResponseError, OAuth2Error, RefusedError, Token
from pygen_auth._clock import Instant
from pygen_auth._grant import Grant, check_grant
from pygen_auth._hints import CODES, ERROR_CODES, REFUSED_CLIENT, STATUSES
from pygen_auth._protocol import expired_on_arrival, parse_token, token_request
from pygen_auth._ways import ways
from pygen_auth._wire import Request, Response
from pygen_auth.client_auth import Credential

NOW = Instant(wall=1_800_000_000.0, monotonic=5_000.0)
TOKEN_URL = "https://idp.example.com/oauth2/token"
CLIENT_ID = "the-client"
WEIRD = "p@ss:w/ord +%é€"
DEFAULT = 1234.0  # a default lifetime that no server names
POST, BASIC = "client_secret_post", "client_secret_basic"
INVALID = "Invalid token response from server: "


def grant(client_secret: str = "s3cret", **settings: Any) -> Grant:
    values: dict[str, Any] = {
        "token_url": TOKEN_URL,
        "client_id": CLIENT_ID,
        "scopes": None,
        "audience": None,
        "params": None,
        "client_auth": POST,
        "insecure_hosts": (),
        **settings,
    }
    return check_grant(client_secret=client_secret, **values)


def request_of(wanted: Grant, credential: Credential, timeout: float = 30.0) -> Request:
    return token_request(wanted, ways(wanted.client_auth)[0], credential, NOW.wall, timeout)


def request(client_secret: str = "s3cret", **settings: Any) -> Request:
    wanted = grant(client_secret, **settings)
    return request_of(wanted, wanted.credential())


def form(sent: Request) -> list[tuple[str, str]]:
    return parse_qsl(
        sent.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, encoding="utf-8"
    )


def response(
    body: object = b"", status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers=headers or {}, body=raw)


def parse(answer: Response, secrets: tuple[str, ...] = ()) -> Token:
    return parse_token(answer, NOW, DEFAULT, secrets)


def granted(**fields: object) -> Token:
    """The token of an answer that is in order but for `fields`."""
    return parse(response({"access_token": "tok", "token_type": "Bearer", **fields}))


def invalid(answer: Response, secrets: tuple[str, ...] = ()) -> InvalidResponseError:
    with pytest.raises(InvalidResponseError) as caught:
        parse(answer, secrets)
    return caught.value


def refused(answer: Response, secrets: tuple[str, ...] = ()) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        parse(answer, secrets)
    return caught.value


def failure(answer: Response, secrets: tuple[str, ...] = ()) -> OAuth2Error:
    with pytest.raises(OAuth2Error) as caught:
        parse(answer, secrets)
    return caught.value


# -- the request


def test_post_sends_the_secret_in_the_form() -> None:
    assert request(WEIRD).body == (
        b"grant_type=client_credentials&client_id=the-client"
        b"&client_secret=p%40ss%3Aw%2Ford+%2B%25%C3%A9%E2%82%AC"
    )


def test_post_sends_no_authorization_header() -> None:
    assert request(WEIRD).headers == {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
    }


def test_basic_sends_the_grant_alone_in_the_form() -> None:
    assert request(WEIRD, client_auth=BASIC).body == b"grant_type=client_credentials"


def test_basic_percent_encodes_id_and_secret_with_20_for_a_space_and_utf_8() -> None:
    sent = request(WEIRD, client_id="id:ä b", client_auth=BASIC)
    scheme, _, value = sent.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(value, validate=True) == (
        b"id%3A%C3%A4%20b:p%40ss%3Aw%2Ford%20%2B%25%C3%A9%E2%82%AC"
    )


def test_basic_leaves_unreserved_characters_as_they_are() -> None:
    sent = request("aZ09-._~", client_auth=BASIC)
    assert base64.b64decode(sent.headers["Authorization"][6:]) == b"the-client:aZ09-._~"


def test_basic_differs_from_post_by_the_authorization_header_alone() -> None:
    headers = dict(request(client_auth=BASIC).headers)
    del headers["Authorization"]
    assert headers == request().headers


def test_scopes_are_joined_by_spaces() -> None:
    assert b"&scope=read+api%3A%2F%2Fapp%2F.default&" in (
        request(scopes=["read", "api://app/.default"]).body
    )


@pytest.mark.parametrize(
    "scopes", [pytest.param(None, id="none"), pytest.param([], id="list"), pytest.param("", id="s")]
)
def test_no_scope_field_without_scopes(scopes: object) -> None:
    assert "scope" not in dict(form(request(scopes=scopes)))


@pytest.mark.parametrize(
    "audience", [pytest.param(None, id="none"), pytest.param("", id="empty counts as none")]
)
def test_no_audience_field_without_an_audience(audience: object) -> None:
    assert "audience" not in dict(form(request(audience=audience)))


@pytest.mark.parametrize("client_auth", [POST, BASIC])
def test_the_audience_is_sent(client_auth: str) -> None:
    sent = request(audience="https://api.example.com/é", client_auth=client_auth)
    assert ("audience", "https://api.example.com/é") in form(sent)


def test_a_list_in_params_is_sent_as_a_repeated_field_in_its_order() -> None:
    sent = request(params={"resource": ["https://b", "https://a", "https://b"]})
    assert [value for name, value in form(sent) if name == "resource"] == [
        "https://b",
        "https://a",
        "https://b",
    ]


@pytest.mark.parametrize("client_auth", [POST, BASIC])
@pytest.mark.parametrize(
    "name",
    [
        "method",
        "url",
        "headers",
        "auth",
        "state",
        "body",
        "redirect_uri",
        "code",
        "username",
        "password",
        "session",
        "self",
        "kwargs",
        "token",
        "refresh_token",
        "response_type",
        "uri",
        "timeout",
        "authorization_response",
        "code_verifier",
        "proxies",
        "withhold_token",
        "verify",
        "cert",
        "stream",
        "files",
        "data",
        "json",
    ],
)
@pytest.mark.parametrize(
    "value", [pytest.param("", id="empty"), pytest.param("PUT &=+%é", id="text")]
)
def test_params_named_like_an_argument_of_authlib_are_form_fields_and_nothing_else(
    name: str, value: str, client_auth: str
) -> None:
    sent = request(params={name: value}, client_auth=client_auth)
    plain = request(client_auth=client_auth)
    assert sorted(form(sent)) == sorted([*form(plain), (name, value)])
    assert (sent.url, sent.headers) == (plain.url, plain.headers)


def test_all_of_it_together_goes_with_the_request() -> None:
    sent = request(scopes="a b", audience="aud", params={"resource": ["1", "2"], "x": "é"})
    assert sorted(form(sent)) == [
        ("audience", "aud"),
        ("client_id", "the-client"),
        ("client_secret", "s3cret"),
        ("grant_type", "client_credentials"),
        ("resource", "1"),
        ("resource", "2"),
        ("scope", "a b"),
        ("x", "é"),
    ]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(TOKEN_URL, id="plain"),
        pytest.param("https://idp.example.com/t?api-version=1&p=B2C_1", id="query"),
        pytest.param("https://idp.example.com/t?code=1&state=2#"[:-1], id="query like a callback"),
        pytest.param("https://idp.example.com", id="no path"),
        pytest.param("http://localhost:8080/t", id="loopback over http"),
    ],
)
@pytest.mark.parametrize("client_auth", [POST, BASIC])
def test_the_url_is_the_one_given(url: str, client_auth: str) -> None:
    assert request(token_url=url, client_auth=client_auth).url == url


def test_the_timeout_goes_with_the_request() -> None:
    assert request_of(grant(), "s3cret", 7.5).timeout == 7.5


def test_the_secret_is_the_one_given_and_not_the_grants() -> None:
    assert ("client_secret", "other") in form(request_of(grant("s3cret"), "other"))


@pytest.mark.parametrize("client_auth", [POST, BASIC])
def test_two_requests_of_one_grant_are_equal(client_auth: str) -> None:
    wanted = grant(WEIRD, scopes="a b", params={"r": ["1", "2"]}, client_auth=client_auth)
    first, second = request_of(wanted, WEIRD), request_of(wanted, WEIRD)
    assert first == second
    assert first.headers is not second.headers


@pytest.mark.parametrize("client_auth", [POST, BASIC])
def test_nothing_of_one_client_is_in_the_request_of_the_next(client_auth: str) -> None:
    before = dict(DEFAULT_HEADERS)
    a = request("secret-of-a", client_id="client-a", client_auth=BASIC)
    b = request("secret-of-b", client_id="client-b", client_auth=client_auth)
    sent_by_b = f"{b.url} {dict(b.headers)} {b.body!r} {b.secrets}"
    for of_a in ("secret-of-a", "client-a", a.headers["Authorization"][6:]):
        assert of_a not in sent_by_b
        assert of_a not in str(DEFAULT_HEADERS)
    assert before == DEFAULT_HEADERS


def test_a_post_request_after_a_basic_one_has_no_authorization() -> None:
    request("secret-of-a", client_auth=BASIC)
    assert "Authorization" not in request(client_auth=POST).headers


@pytest.mark.parametrize("client_auth", [POST, BASIC])
def test_the_repr_of_a_request_shows_no_secret(client_auth: str) -> None:
    sent = request("very-s3cret", client_auth=client_auth)
    assert "very-s3cret" not in repr(sent)
    assert sent.headers.get("Authorization", "Basic none") not in repr(sent)


# -- expires_in

TEN_YEARS = 10 * 365 * 86_400


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        pytest.param(3600, 3600.0, id="int"),
        pytest.param(1, 1.0, id="one second"),
        pytest.param(3599.5, 3599.5, id="float"),
        pytest.param(0.25, 0.25, id="quarter of a second"),
        pytest.param("3599", 3599.0, id="text of an int, as from Entra v1"),
        pytest.param("3600.0", 3600.0, id="text of a float"),
        pytest.param(TEN_YEARS, float(TEN_YEARS), id="ten years"),
        pytest.param(str(TEN_YEARS), float(TEN_YEARS), id="text of ten years"),
    ],
)
def test_expires_in_is_the_lifetime_in_seconds(expires_in: object, lifetime: float) -> None:
    token = granted(expires_in=expires_in)
    assert (token.lifetime, token.lifetime_assumed) == (lifetime, False)
    assert token.expires == NOW.after(lifetime)


@pytest.mark.parametrize(
    "fields", [pytest.param({}, id="absent"), pytest.param({"expires_in": None}, id="null")]
)
def test_without_expires_in_the_default_lifetime_counts(fields: dict[str, None]) -> None:
    token = granted(**fields)
    assert (token.lifetime, token.lifetime_assumed) == (DEFAULT, True)
    assert token.expires == NOW.after(DEFAULT)


@pytest.mark.parametrize(
    "expires_in",
    [
        pytest.param("0", id="0"),
        pytest.param("-0.0", id="-0.0"),
        pytest.param("-5", id="-5"),
        pytest.param("-0.001", id="a millisecond ago"),
        pytest.param('"0"', id="text of 0"),
        pytest.param('"-5"', id="text of -5"),
        pytest.param("-1e300", id="very negative"),
        pytest.param("1e-400", id="underflow to zero"),
    ],
)
def test_a_token_that_is_dead_already_is_invalid_and_may_be_asked_for_again(
    expires_in: str,
) -> None:
    error = invalid(response(b'{"access_token":"tok","expires_in":%s}' % expires_in.encode()))
    assert "expires_in" in str(error)
    assert error.retryable


@pytest.mark.parametrize(
    "expires_in",
    [
        pytest.param("NaN", id="NaN"),
        pytest.param("Infinity", id="Infinity"),
        pytest.param("-Infinity", id="minus Infinity"),
        pytest.param("1e400", id="overflow to infinity"),
        pytest.param('"nan"', id="text nan"),
        pytest.param('"inf"', id="text inf"),
        pytest.param('"-inf"', id="text -inf"),
        pytest.param('"Infinity"', id="text Infinity"),
        pytest.param("1" + "0" * 400, id="10**400"),
        pytest.param("-1" + "0" * 400, id="-10**400"),
        pytest.param('"1' + "0" * 400 + '"', id="text of 10**400"),
        pytest.param("1" + "0" * 5000, id="10**5000, too long for int()"),
        pytest.param(str(TEN_YEARS + 1), id="over ten years"),
        pytest.param("1893456000000", id="milliseconds since the epoch"),
        pytest.param('"315360001"', id="text of over ten years"),
        pytest.param("true", id="true"),
        pytest.param("false", id="false"),
        pytest.param('"soon"', id="soon"),
        pytest.param('""', id="empty text"),
        pytest.param('" "', id="blank text"),
        pytest.param('"true"', id="text true"),
        pytest.param('"0x10"', id="hexadecimal"),
        pytest.param('"PT1H"', id="ISO 8601 duration"),
        pytest.param('"3600s"', id="with a unit"),
        pytest.param('"3,600"', id="with a comma"),
        pytest.param('"\\ud800"', id="lone surrogate"),
        pytest.param("[]", id="list"),
        pytest.param("[3600]", id="list with a number"),
        pytest.param("{}", id="object"),
    ],
)
def test_an_expires_in_that_is_no_number_of_seconds_is_invalid_for_good(expires_in: str) -> None:
    error = invalid(response(b'{"access_token":"tok","expires_in":%s}' % expires_in.encode()))
    assert str(error).startswith(INVALID)
    assert not error.retryable


@pytest.mark.parametrize(
    "expires_in",
    [
        pytest.param("1_000", id="underscore, Python's own"),
        pytest.param("٣٦٠٠", id="Arabic digits"),
        pytest.param("３６００", id="full-width digits"),
    ],
)
def test_a_text_that_only_python_takes_for_a_number_is_invalid(expires_in: str) -> None:
    invalid(response({"access_token": "tok", "expires_in": expires_in}))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"expires_at": 1}, id="expires_at long ago"),
        pytest.param({"expires_on": "1"}, id="expires_on long ago"),
        pytest.param({"ext_expires_in": 99, "not_before": "2"}, id="Entra's further fields"),
        pytest.param({"expires_at": NOW.wall + 9, "expires_on": NOW.wall + 9}, id="soon"),
    ],
)
def test_other_fields_about_expiry_are_ignored(fields: dict[str, object]) -> None:
    assert granted(expires_in=3600, **fields).expires == NOW.after(3600.0)
    assert granted(**fields).lifetime == DEFAULT


def test_the_exp_inside_a_jwt_is_ignored() -> None:
    payload = base64.urlsafe_b64encode(b'{"exp":1}').decode().rstrip("=")
    token = parse(response({"access_token": f"eyJhbGciOiJub25lIn0.{payload}.x", "expires_in": 60}))
    assert token.lifetime == 60.0


# -- the token


@pytest.mark.parametrize(
    "access_token",
    [
        pytest.param("a", id="one character"),
        pytest.param("eyJhbGciOiJub25lIn0.e30.c2ln", id="JWT"),
        pytest.param("".join(chr(c) for c in range(0x21, 0x7F)), id="all printable ASCII"),
        pytest.param("x" * 1_000_000, id="a megabyte"),
    ],
)
def test_an_access_token_of_printable_ascii_is_taken_as_it_is(access_token: str) -> None:
    assert parse(response({"access_token": access_token})).access_token == access_token


@pytest.mark.parametrize(
    "access_token",
    [
        pytest.param("tok\r\nX-Evil: 1", id="CRLF"),
        pytest.param("tok\n", id="line feed at the end"),
        pytest.param("tok\r", id="carriage return"),
        pytest.param("tok\x00en", id="NUL"),
        pytest.param("tok en", id="space"),
        pytest.param(" token", id="space ahead"),
        pytest.param("tok\ten", id="tab"),
        pytest.param("tok\x7f", id="DEL"),
        pytest.param("tokén", id="non-ASCII"),
        pytest.param("tok\u2028en", id="line separator"),
        pytest.param("tok\ud800", id="lone surrogate"),
        pytest.param("", id="empty"),
        pytest.param(123456, id="number"),
        pytest.param(True, id="true"),
        pytest.param(["tok"], id="list"),
        pytest.param({"value": "tok"}, id="object"),
    ],
)
def test_an_access_token_that_no_header_may_hold_is_invalid_and_not_shown(
    access_token: object,
) -> None:
    error = invalid(response({"access_token": access_token}))
    assert str(error).startswith(f"{INVALID}access_token is not")
    assert "tok" not in str(error).replace("access_token", "").replace("token response", "")
    assert not error.retryable


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="empty object"),
        pytest.param({"token_type": "Bearer", "expires_in": 1}, id="absent"),
        pytest.param({"access_token": None}, id="null"),
        pytest.param({"accessToken": "tok"}, id="by another name"),
    ],
)
def test_a_missing_access_token_is_said_in_pygens_words(body: object) -> None:
    assert str(invalid(response(body))) == f"{INVALID}missing access_token field"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"token_type": "Bearer"}, id="Bearer"),
        pytest.param({"token_type": "bearer"}, id="lower case"),
        pytest.param({"token_type": "BEARER"}, id="upper case"),
        pytest.param({"token_type": "BearerToken"}, id="Apigee's BearerToken"),
        pytest.param({"token_type": None}, id="null"),
        pytest.param({}, id="absent"),
    ],
)
def test_a_bearer_token_is_taken(fields: dict[str, object]) -> None:
    assert parse(response({"access_token": "tok", **fields})).access_token == "tok"


@pytest.mark.parametrize(
    "token_type",
    [
        pytest.param("DPoP", id="DPoP"),
        pytest.param("MAC", id="MAC"),
        pytest.param("pop", id="proof of possession"),
        pytest.param("N_A", id="N_A of RFC 8693"),
        pytest.param("", id="empty"),
        pytest.param("Bearer DPoP", id="two"),
        pytest.param("Bearer\n", id="line feed behind"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param({"type": "Bearer"}, id="object"),
        pytest.param(["Bearer"], id="list"),
        pytest.param(True, id="true"),
        pytest.param(0, id="0"),
    ],
)
def test_a_token_of_another_type_is_invalid(token_type: object) -> None:
    error = invalid(response({"access_token": "tok", "token_type": token_type}))
    assert "token_type" in str(error)
    assert "Bearer" in str(error)
    assert not error.retryable


@pytest.mark.parametrize("depth", [10, 300, 600, 900, 950, 1000])
def test_a_deeply_nested_token_type_is_an_error_of_ours(depth: int) -> None:
    nested = b'{"access_token":"tok","token_type":' + b"[" * depth + b"]" * depth + b"}"
    invalid(response(nested))


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        pytest.param({"scope": "a b"}, "a b", id="text"),
        pytest.param({}, None, id="absent"),
        pytest.param({"scope": None}, None, id="null"),
        pytest.param({"scope": ["a"]}, None, id="list"),
    ],
)
def test_the_scope_is_what_the_server_says_it_granted(
    fields: dict[str, object], scope: str | None
) -> None:
    assert granted(**fields).scope == scope


@pytest.mark.parametrize("status", [200, 201, 206, 299])
def test_any_2xx_may_bring_a_token(status: int) -> None:
    assert parse(response({"access_token": "tok"}, status)).access_token == "tok"


def test_a_token_that_had_expired_on_arrival_may_be_asked_for_again() -> None:
    error = expired_on_arrival(granted(expires_in=2.5))
    assert str(error) == f"{INVALID}the token lives 2.5 s and had expired when it arrived"
    assert error.retryable


# -- bodies


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<!doctype html><p>welcome</p>", id="HTML"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'[{"access_token":"tok"}]', id="list with a token"),
        pytest.param(b"null", id="null"),
        pytest.param(b"42", id="number"),
        pytest.param(b'"tok"', id="text"),
        pytest.param(b"true", id="true"),
        pytest.param(b"", id="empty"),
        pytest.param(b" \r\n\t", id="blank"),
        pytest.param(b'{"access_token":"tok"', id="truncated"),
        pytest.param(b'{"access_token":"tok"}{', id="more behind it"),
        pytest.param(b"access_token=tok&token_type=Bearer", id="form"),
        pytest.param(b"[" * 100_000, id="100,000 levels, open"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="100,000 levels, list"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="100,000 levels, object"),
        pytest.param(b'{"access_token":"tok\xff"}', id="invalid UTF-8"),
        pytest.param('{"access_token":"tok","x":"é"}'.encode("latin-1"), id="Latin-1"),
        pytest.param(b"\x00\x01\x02", id="binary"),
        pytest.param(b"\xff\xfe{", id="truncated UTF-16"),
    ],
)
def test_a_body_that_is_no_json_object_is_invalid_and_not_shown(body: bytes) -> None:
    error = invalid(response(body))
    assert str(error).startswith(INVALID)
    assert "tok" not in str(error).replace("token response", "")
    assert not error.retryable


def test_a_body_that_is_no_json_object_is_named_by_type_and_size() -> None:
    error = invalid(response(b"<p>hello</p>", headers={"content-type": "text/html"}))
    assert str(error) == f"{INVALID}the body is not a JSON object (text/html, 12 bytes)"


def test_an_empty_body_is_named() -> None:
    assert str(invalid(response(b" "))) == f"{INVALID}the body is empty"


def test_a_body_with_a_defect_is_not_read() -> None:
    answer = Response(200, {}, b'{"access_token":"tok"}', defect="the body is longer than 1 MiB")
    assert str(invalid(answer)) == f"{INVALID}the body is longer than 1 MiB"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_json_in_each_encoding_of_unicode_is_read(encoding: str) -> None:
    body = '{"access_token": "tok", "note": "é€"}'.encode(encoding)
    assert parse(response(body)).access_token == "tok"


def test_of_duplicate_keys_the_last_counts() -> None:
    body = b'{"access_token":"a","access_token":"b","expires_in":1,"expires_in":2}'
    token = parse(response(body))
    assert (token.access_token, token.lifetime) == ("b", 2.0)


# -- the refusal: what was said


def test_a_refusal_is_said_in_pygens_words() -> None:
    error = refused(
        response({"error": "invalid_request", "error_description": "No such thing."}, 401)
    )
    assert str(error) == "Token request failed with status 401: invalid_request: No such thing."
    assert (error.status, error.error, error.description, error.code, error.trace_id) == (
        401,
        "invalid_request",
        "No such thing.",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "(no body)", id="empty"),
        pytest.param(b" \n ", "(no body)", id="blank"),
        pytest.param(b"Bad\r\n\tGateway\x00!", "Bad Gateway !", id="text, in one line"),
        pytest.param(b"<h1>502</h1>", "<h1>502</h1>", id="HTML"),
        pytest.param(b"[1, 2]", "[1, 2]", id="list"),
        pytest.param(b"null", "null", id="null"),
        pytest.param(b"{}", "{}", id="empty object"),
        pytest.param("é€".encode(), "é€", id="UTF-8"),
        pytest.param("down".encode("utf-16"), "down", id="UTF-16"),
        pytest.param(b'\xef\xbb\xbf{"error":"x"}', "x", id="BOM"),
        pytest.param(b'{"error":"only_code"}', "only_code", id="code alone"),
        pytest.param(b'{"error_description":"Only text"}', "Only text", id="description alone"),
        pytest.param(b'{"error":1,"error_description":2.5}', "1: 2.5", id="numbers"),
        pytest.param(b'{"error":true}', '{"error":true}', id="error as true"),
        pytest.param(b'{"error":[1]}', '{"error":[1]}', id="error as a list"),
        pytest.param(b'{"error":{}}', '{"error":{}}', id="error as an empty object"),
    ],
)
def test_the_message_says_what_the_server_said(body: bytes, said: str) -> None:
    assert str(refused(response(body, 400))) == f"Token request failed with status 400: {said}"


@pytest.mark.parametrize(
    ("body", "error_code", "description"),
    [
        pytest.param(
            {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit."},
            "E0000047",
            "API call exceeded rate limit.",
            id="Okta's API",
        ),
        pytest.param(
            {"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"},
            "invalid_client",
            "ClientId is Invalid",
            id="Apigee",
        ),
        pytest.param(
            {"error": {"code": 403, "message": "No.", "status": "PERMISSION_DENIED"}},
            "PERMISSION_DENIED",
            "No.",
            id="Google",
        ),
        pytest.param(
            {"error": {"code": "BadArgument", "message": "No."}},
            "BadArgument",
            "No.",
            id="object with a code",
        ),
        pytest.param({"error": {"type": "denied"}}, "denied", None, id="object with a type"),
        pytest.param(
            {"error": {"code": "x", "message": "inner"}, "error_description": "outer"},
            "x",
            "outer",
            id="description next to the object",
        ),
        pytest.param({"message": "Forbidden"}, None, "Forbidden", id="AWS gateway"),
        pytest.param({"error": "x", "error_description": ["y"]}, "x", None, id="list"),
        pytest.param({"error": "x", "error_description": ""}, "x", None, id="empty description"),
        pytest.param({"error": {"message": {"a": 1}}}, None, None, id="objects all the way"),
    ],
)
def test_code_and_description_are_found_where_servers_put_them(
    body: object, error_code: str | None, description: str | None
) -> None:
    error = refused(response(body, 400))
    assert (error.error, error.description) == (error_code, description)


@pytest.mark.parametrize(
    "error_field",
    [
        pytest.param("invalid_client", id="code"),
        pytest.param({"message": "no"}, id="object"),
        pytest.param(True, id="true"),
        pytest.param(["no"], id="list"),
        pytest.param(1, id="number"),
    ],
)
def test_200_with_an_error_is_a_refusal_even_with_a_token(error_field: object) -> None:
    error = refused(response({"error": error_field, "access_token": "tok-in-error"}))
    assert error.status == 200
    assert "tok-in-error" not in str(error)


@pytest.mark.parametrize(
    "error_field",
    [
        pytest.param(None, id="null"),
        pytest.param("", id="empty"),
        pytest.param(False, id="false"),
    ],
)
def test_200_with_a_void_error_brings_the_token(error_field: object) -> None:
    assert granted(error=error_field).access_token == "tok"


@pytest.mark.parametrize("body", [b"", b"x", b'{"access_token":"tok"}', b"[]"])
@pytest.mark.parametrize("status", [100, 199, 300, 304, 400, 401, 403, 500, 599, 999])
def test_any_other_status_is_a_refusal_whatever_the_body(status: int, body: bytes) -> None:
    assert refused(response(body, status)).status == status


def test_a_token_in_a_refusal_is_not_taken() -> None:
    error = refused(response({"access_token": "opaque-token", "token_type": "Bearer"}, 401))
    assert "opaque-token" not in everything_of(error)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        pytest.param("https://sso.example.com/login", "sso.example.com/login", id="path"),
        pytest.param("https://sso.example.com/l?next=q1", "sso.example.com/l", id="query"),
        pytest.param("https://sso.example.com/l#q1", "sso.example.com/l", id="fragment"),
        pytest.param("https://u:q1@sso.example.com/l", "sso.example.com/l", id="userinfo"),
        pytest.param("https://q1@sso.example.com/?q1#q1", "sso.example.com/", id="all of them"),
        pytest.param("/login?q1=q1", "/login", id="relative"),
        pytest.param("//sso.example.com/l?q1", "//sso.example.com/l", id="scheme-relative"),
        pytest.param("https://sso.example.com/users/@me?q1", "sso.example.com", id="@ in the path"),
        pytest.param("https://sso.example.com/l?to=a@q1", "sso.example.com/l", id="@ in the query"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_names_where_it_pointed(
    status: int, location: str, shown: str
) -> None:
    error = refused(response(b"moved", status, {"location": location}))
    assert str(error).startswith(f"Token request failed with status {status}: it points to ")
    assert shown in str(error)
    assert "q1" not in everything_of(error)
    assert not error.retryable


def test_a_redirect_to_what_is_no_url_says_so() -> None:
    assert "something that is no URL" in str(refused(response(b"", 302, {"location": "//["})))


def test_a_redirect_without_a_location_points_nowhere() -> None:
    assert "it points to nowhere" in str(refused(response(b"", 302)))


# -- the refusal: may it be asked again

OAUTH_CODES = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
]
TRANSIENT_CODES = ["temporarily_unavailable", "server_error", "internal_failure"]


@pytest.mark.parametrize(
    ("status", "transient"),
    [
        pytest.param(200, False, id="200"),
        pytest.param(302, False, id="302"),
        pytest.param(400, False, id="400"),
        pytest.param(401, False, id="401"),
        pytest.param(403, False, id="403"),
        pytest.param(404, False, id="404"),
        pytest.param(405, False, id="405"),
        pytest.param(408, True, id="408"),
        pytest.param(409, True, id="409"),
        pytest.param(418, False, id="418"),
        pytest.param(425, False, id="425"),
        pytest.param(429, True, id="429"),
        pytest.param(499, False, id="499"),
        pytest.param(500, True, id="500"),
        pytest.param(501, False, id="501"),
        pytest.param(502, True, id="502"),
        pytest.param(503, True, id="503"),
        pytest.param(504, True, id="504"),
        pytest.param(505, False, id="505"),
        pytest.param(520, True, id="520"),
        pytest.param(599, True, id="599"),
        pytest.param(600, False, id="600"),
    ],
)
def test_without_a_known_code_the_status_decides_whether_asking_again_can_help(
    status: int, transient: bool
) -> None:
    assert refused(response({"error": "something_else"}, status)).retryable is transient
    if status != 200:
        assert refused(response(b"<p>", status)).retryable is transient


@pytest.mark.parametrize("code", TRANSIENT_CODES)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 429, 500, 501, 503, 505])
def test_a_transient_code_can_be_asked_again_at_any_status(status: int, code: str) -> None:
    assert refused(response({"error": code}, status)).retryable


@pytest.mark.parametrize("code", OAUTH_CODES)
@pytest.mark.parametrize("status", [200, 400, 401, 409, 500, 502, 503, 504])
def test_a_code_of_rfc_6749_is_permanent_also_at_a_status_that_is_not(
    status: int, code: str
) -> None:
    assert not refused(response({"error": code}, status)).retryable


@pytest.mark.parametrize("code", [*OAUTH_CODES, "something_else"])
@pytest.mark.parametrize("status", [408, 429])
def test_408_and_429_can_be_asked_again_whatever_the_code(status: int, code: str) -> None:
    assert refused(response({"error": code}, status)).retryable


@pytest.mark.parametrize("code", TRANSIENT_CODES)
def test_a_transient_code_counts_also_as_the_description(code: str) -> None:
    body = {"error": "invalid_request", "error_description": f" {code.upper()} "}
    assert refused(response(body, 400)).retryable


# -- the refusal: when

DATE = "Fri, 15 Jan 2027 08:01:00 GMT"  # 60 s after NOW


def test_the_date_of_these_tests_is_a_minute_ahead() -> None:
    assert time.gmtime(NOW.wall + 60)[:6] == (2027, 1, 15, 8, 1, 0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param(" 7 ", 7.0, id="with spaces"),
        pytest.param("1.5", 1.5, id="fraction"),
        pytest.param("86400", 86_400.0, id="a day: the server's own figure"),
        pytest.param(DATE, 60.0, id="date"),
        pytest.param("Friday, 15-Jan-27 08:01:00 GMT", 60.0, id="date of RFC 850"),
        pytest.param("Fri, 15 Jan 2027 08:01:00 +0000", 60.0, id="date with a numeric zone"),
        pytest.param("0", None, id="zero"),
        pytest.param("-5", None, id="negative"),
        pytest.param("Fri, 15 Jan 2027 07:59:00 GMT", None, id="date gone by"),
        pytest.param("Fri, 15 Jan 1027 07:59:00 GMT", None, id="date long gone by"),
        pytest.param("Fri, 15 Jan 99999 07:59:00 GMT", None, id="year out of range"),
        pytest.param("9" * 400, None, id="absurd"),
        pytest.param("1e9", None, id="exponent"),
        pytest.param("1_0", None, id="underscore"),
        pytest.param("٧", None, id="Arabic digit"),
        pytest.param("nan", None, id="nan"),
        pytest.param("inf", None, id="inf"),
        pytest.param("soon", None, id="word"),
        pytest.param("", None, id="empty"),
        pytest.param("7, 9", None, id="two values"),
        pytest.param("2027-01-15T08:01:00Z", None, id="ISO 8601"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_the_seconds_to_wait(status: int, value: str, seconds: float | None) -> None:
    assert refused(response(b"", status, {"retry-after": value})).retry_after == seconds


def test_without_retry_after_nothing_is_known() -> None:
    assert refused(response(b"", 503)).retry_after is None


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "EST5EDT")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("new_york")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(DATE, id="IMF-fixdate"),
        pytest.param("Fri Jan 15 08:01:00 2027", id="asctime, which has no zone"),
        pytest.param("Fri, 15 Jan 2027 08:01:00 -0000", id="zone -0000"),
        pytest.param("Fri, 15 Jan 2027 08:01:00", id="no zone"),
    ],
)
def test_the_date_is_in_utc_wherever_the_program_runs(value: str) -> None:
    assert refused(response(b"", 503, {"retry-after": value})).retry_after == 60.0


RESET_HEADERS = ["x-rate-limit-reset", "x-ratelimit-reset"]


@pytest.mark.parametrize("header", RESET_HEADERS)
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("1800000042", 42.0, id="in 42 s"),
        pytest.param("1800000000", None, id="now"),
        pytest.param("1799999999", None, id="gone by"),
        pytest.param("0", None, id="zero"),
        pytest.param("soon", None, id="word"),
        pytest.param("", None, id="empty"),
        pytest.param("nan", None, id="nan"),
    ],
)
def test_the_end_of_a_rate_limit_counts_on_429(
    header: str, value: str, seconds: float | None
) -> None:
    assert refused(response(b"", 429, {header: value})).retry_after == seconds


@pytest.mark.parametrize("header", RESET_HEADERS)
@pytest.mark.parametrize("status", [400, 401, 403, 408, 500, 503])
def test_the_end_of_a_rate_limit_counts_on_429_only(status: int, header: str) -> None:
    assert refused(response(b"", status, {header: "1800000042"})).retry_after is None


@pytest.mark.parametrize("header", RESET_HEADERS)
def test_retry_after_counts_ahead_of_the_end_of_a_rate_limit(header: str) -> None:
    headers = {"retry-after": "7", header: "1800000042"}
    assert refused(response(b"", 429, headers)).retry_after == 7.0


@pytest.mark.parametrize("header", RESET_HEADERS)
def test_the_end_of_a_rate_limit_counts_where_retry_after_says_nothing(header: str) -> None:
    headers = {"retry-after": "soon", header: "1800000042"}
    assert refused(response(b"", 429, headers)).retry_after == 42.0


# -- the refusal: codes, trace ids, hints


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(
            {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret."},
            "AADSTS7000215",
            id="Entra",
        ),
        pytest.param({"errorCode": "E0000047", "errorSummary": "x"}, "E0000047", id="Okta"),
        pytest.param({"error": "invalid_client"}, None, id="none"),
        pytest.param({"error": "x", "error_description": "see AADSTS50034"}, None, id="not ahead"),
        pytest.param({"error": "x", "error_description": "AADSTS"}, None, id="no number"),
        pytest.param({"errorCode": 47}, None, id="number"),
        pytest.param({"errorCode": "two words"}, None, id="sentence"),
        pytest.param({"errorCode": "x" * 41}, None, id="too long"),
    ],
)
def test_the_providers_code_is_kept(body: object, code: str | None) -> None:
    assert refused(response(body, 400)).code == code


@pytest.mark.parametrize(
    ("fields", "trace_id"),
    [
        pytest.param({"trace_id": "t-1", "correlation_id": "c-1"}, "t-1", id="Entra"),
        pytest.param({"errorId": "oae1"}, "oae1", id="Okta"),
        pytest.param({"correlation_id": "c-1"}, None, id="correlation id alone"),
        pytest.param({"trace_id": 7}, None, id="number"),
        pytest.param({"trace_id": ["t"]}, None, id="list"),
        pytest.param({}, None, id="none"),
        pytest.param({"trace_id": "a\r\nb"}, None, id="no id"),
    ],
)
def test_the_trace_id_is_kept(fields: dict[str, object], trace_id: str | None) -> None:
    assert refused(response({"error": "x", **fields}, 400)).trace_id == trace_id


HINTS = {
    **CODES["Microsoft Entra ID"],
    **ERROR_CODES,
    **STATUSES,
    "invalid_client": REFUSED_CLIENT[POST],
}


@pytest.mark.parametrize(
    ("status", "body", "key"),
    [
        pytest.param(401, {"error": "invalid_client"}, "invalid_client", id="error code"),
        pytest.param(400, {"error": "unauthorized_client"}, "unauthorized_client", id="another"),
        pytest.param(400, {"error": "invalid_scope"}, "invalid_scope", id="scope"),
        pytest.param(400, {"error": "unsupported_grant_type"}, "unsupported_grant_type", id="type"),
        pytest.param(
            401,
            {"error": "invalid_client", "error_description": "AADSTS7000222: expired"},
            "AADSTS7000222",
            id="the provider's code ahead of the error code",
        ),
        pytest.param(
            401,
            {"error": "invalid_client", "error_description": "AADSTS1: unheard of"},
            "invalid_client",
            id="the error code where the provider's is unknown",
        ),
        pytest.param(404, {"error": "not_found"}, "404", id="status"),
        pytest.param(405, {}, "405", id="another status"),
    ],
)
def test_a_hint_is_given_for_what_people_meet(status: int, body: object, key: str) -> None:
    error = refused(response(body, status))
    assert error.hint == HINTS[key]
    assert str(error).endswith(f" ({HINTS[key]})")


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503])
def test_no_hint_where_the_cause_is_not_known(status: int) -> None:
    error = refused(response({"error": "something_else"}, status))
    assert error.hint is None
    assert str(error) == f"Token request failed with status {status}: something_else"


@pytest.mark.parametrize("key", HINTS)
def test_a_hint_is_one_short_sentence(key: str) -> None:
    assert len(HINTS[key]) <= 150
    assert HINTS[key].isprintable()
    assert not HINTS[key].endswith(".")


# -- what a message may hold

LONG = "word " * 10_000


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(response(LONG.encode(), 400), id="text"),
        pytest.param(response({"error": LONG}, 400), id="error"),
        pytest.param(response({"error_description": LONG}, 400), id="description"),
        pytest.param(response({"error": {"message": LONG}}, 400), id="message"),
        pytest.param(response({"error": "x", "trace_id": LONG}, 400), id="trace id"),
        pytest.param(response(b"", 302, {"location": LONG}), id="location"),
        pytest.param(response(b"x", 200, {"content-type": LONG}), id="content type"),
        pytest.param(response({"access_token": "t", "token_type": LONG}), id="token type"),
        pytest.param(response({"access_token": LONG}), id="access token"),
        pytest.param(response({"access_token": "t", "expires_in": LONG}), id="expires_in"),
    ],
)
def test_a_message_holds_at_most_200_characters_of_an_answer(answer: Response) -> None:
    error = failure(answer)
    assert len(str(error)) <= 320
    assert all(len(str(value)) <= 320 for value in vars(error).values())


CONTROLS = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0x9B, 0xAD, 0x200B, 0x202E, 0x2028, 0xFEFF]))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(response(f"a{CONTROLS}b".encode(), 400), id="text"),
        pytest.param(response({"error": f"a{CONTROLS}b"}, 400), id="error"),
        pytest.param(response({"error_description": f"a{CONTROLS}\ud800b"}, 400), id="description"),
        pytest.param(response({"error": "x", "trace_id": f"a{CONTROLS}b"}, 400), id="trace id"),
        pytest.param(response(b"", 302, {"location": f"/a{CONTROLS}b"}), id="location"),
        pytest.param(response(b"x", 200, {"content-type": f"a{CONTROLS}b"}), id="content type"),
        pytest.param(
            response({"access_token": "t", "token_type": f"a{CONTROLS}b"}), id="token type"
        ),
    ],
)
def test_a_message_holds_printable_characters_only(answer: Response) -> None:
    error = failure(answer)
    assert str(error).isprintable()
    assert all(value.isprintable() for value in vars(error).values() if isinstance(value, str))


# -- secrets

ENTRA_LIKE = "Zq8Q~x!y*z(1)'-s.e_c"
QUOTED = "a\"b'c<d>&e\\f/g h"
SECRETS = [
    pytest.param(WEIRD, id="reserved and non-ASCII characters"),
    pytest.param(ENTRA_LIKE, id="marks"),
    pytest.param(QUOTED, id="quotes and brackets"),
    pytest.param("plain0123456789", id="letters and digits"),
]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, its causes and contexts, suppressed ones too: debuggers and reporters show all."""
    seen: list[BaseException] = []
    pending = [error]
    while pending:
        one = pending.pop()
        if one is not None and one not in seen:
            seen.append(one)
            pending += [one.__cause__, one.__context__]
            yield one


def texts_in(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for pair in value.items():
            yield from texts_in(pair)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from texts_in(item)
    else:
        yield str(value)
        yield repr(value)


def everything_of(error: OAuth2Error) -> str:
    """Each text that a log, a debugger, an error reporter or a pickle could show of it."""
    texts = [pickle.dumps(error, protocol).decode("utf-8", "replace") for protocol in (0, 2, 4)]
    for one in chain(error):
        texts += [str(one), repr(one), *texts_in(one.args), *texts_in(vars(one))]
        if isinstance(one, UnicodeError):
            texts += texts_in(getattr(one, "object", ""))
    return "\n".join(texts)


def assert_not_shown(error: OAuth2Error, *forms: str) -> None:
    text = everything_of(error).lower()
    for form in forms:
        assert form.lower() not in text
        assert ascii(form)[1:-1].lower() not in text


def secrets_of(secret: str) -> tuple[str, ...]:
    """What the request says that no message may show."""
    return request(secret).secrets


PLACES: dict[str, Callable[[str], Response]] = {
    "description": lambda s: response({"error": "x", "error_description": f"got '{s}', no"}, 401),
    "error": lambda s: response({"error": s}, 401),
    "error with 200": lambda s: response({"error": s}),
    "message of an error object": lambda s: response({"error": {"message": s, "code": s}}, 401),
    "error list": lambda s: response({"error": [s]}, 401),
    "provider's code": lambda s: response({"errorCode": s, "errorSummary": "x"}, 401),
    "trace id": lambda s: response({"error": "x", "trace_id": s}, 401),
    "an unknown field": lambda s: response({"received": {"form": s}}, 401),
    "text": lambda s: response(f"client_id=x&secret={s}&y".encode(), 500),
    "HTML": lambda s: response(f"<p>{s}</p>".encode(), 500),
    "JSON list": lambda s: response([s], 500),
    "UTF-16 text": lambda s: response(f"bad: {s}".encode("utf-16"), 500),
    "UTF-16 text without a mark": lambda s: response(f"bad: {s}".encode("utf-16-le"), 500),
    "text after 190 characters": lambda s: response(f"{'x' * 190}{s}".encode(), 500),
    "truncated JSON": lambda s: response(json.dumps({"error": s}).encode()[:-1], 500),
    "location": lambda s: response(b"", 302, {"location": f"https://sso.example.com/{s}/x"}),
    "location of a relative URL": lambda s: response(b"", 302, {"location": s}),
    "content type": lambda s: response(b"x", 200, {"content-type": f"text/{s}"}),
    "Retry-After": lambda s: response(b"x", 429, {"retry-after": s, "x-rate-limit-reset": s}),
    "token type": lambda s: response({"access_token": "t", "token_type": s}),
    "token type as an object": lambda s: response({"access_token": "t", "token_type": {"x": s}}),
    "lifetime": lambda s: response({"access_token": "t", "expires_in": s}),
    "access token": lambda s: response({"access_token": f"no token: {s}"}),
    "text with 200": lambda s: response(f"secret={s}".encode()),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_that_comes_back_is_shown_from_no_place_of_an_answer(
    secret: str, place: str
) -> None:
    assert_not_shown(failure(PLACES[place](secret), secrets_of(secret)), secret)


def numeric_references(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else f"&#{ord(c)};" for c in text)


def hexadecimal_references(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else f"&#x{ord(c):X};" for c in text)


def escaped_for_scripts(text: str) -> str:
    """JSON as .NET and Go write it."""
    escaped = json.dumps(text)[1:-1].replace('\\"', "\\u0022")
    return "".join(f"\\u{ord(c):04x}" if c in "<>&'+" else c for c in escaped)


def lower_case_percent(text: str) -> str:
    return re.sub("%..", lambda match: match.group().lower(), quote(text, safe=""))


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda s: s,
    "percent-encoded": lambda s: quote(s, safe=""),
    "percent-encoded in lower case": lambda s: lower_case_percent(s),
    "percent-encoded with slashes": lambda s: quote(s),
    "plus-encoded": quote_plus,
    "percent-encoded as by encodeURIComponent": lambda s: quote(s, safe="!'()*"),
    "form-encoded as by a browser": lambda s: quote_plus(s, safe="*").replace("~", "%7E"),
    "form-encoded as by .NET": lambda s: quote_plus(s, safe="!*()").replace("~", "%7e"),
    "JSON in ASCII": lambda s: json.dumps(s)[1:-1],
    "JSON in Unicode": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "JSON with escaped slashes": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "JSON escaped for scripts": escaped_for_scripts,
    "HTML": html.escape,
    "HTML without quotes": lambda s: html.escape(s, quote=False),
    "HTML as by Go": lambda s: html.escape(s).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    "HTML with numbers": numeric_references,
    "HTML with hexadecimal numbers": hexadecimal_references,
    "Base64": base64_of,
    "Base64 without padding": lambda s: base64_of(s).rstrip("="),
    "Base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "Base64 behind a slash": lambda s: f"a/b/{base64_of(s)}",
    "Base64 behind a letter of no Base64": lambda s: f"é{base64_of(s)}é",
    "Base64 of id and secret": lambda s: base64_of(f"{CLIENT_ID}:{s}"),
    "the Basic header": lambda s: request(s, client_auth=BASIC).headers["Authorization"],
    "the form": lambda s: request(s).body.decode(),
}


@pytest.mark.parametrize("place", ["description", "text"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_that_comes_back_encoded_is_not_shown(
    secret: str, encoding: str, place: str
) -> None:
    encoded = ENCODINGS[encoding](secret)
    alone = encoded.rpartition("client_secret=")[2].removeprefix("Basic ").strip("=é")
    error = failure(PLACES[place](encoded), secrets_of(secret))
    assert_not_shown(error, secret, alone)


@pytest.mark.parametrize(
    ("ahead", "secret", "encoding"),
    [
        pytest.param("%", "96漢ßЖÅ7é字1+Ж", "plus-encoded", id="percent sign"),
        pytest.param("\\", "u0041/ö+b:c-e", "JSON in ASCII", id="backslash"),
        pytest.param("\\", "u0041/ö+b:c d", "percent-encoded", id="backslash and percent"),
        pytest.param("&#", "1234/ö+b:c&d", "HTML", id="ampersand"),
    ],
)
def test_a_secret_is_not_shown_where_the_text_ahead_makes_an_escape_of_its_beginning(
    ahead: str, secret: str, encoding: str
) -> None:
    encoded = ENCODINGS[encoding](secret)
    error = refused(response(f"{ahead}{encoded}".encode(), 500), secrets_of(secret))
    assert_not_shown(error, secret, encoded, encoded[4:])


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_secret_that_comes_back_in_another_character_set_is_not_shown(encoding: str) -> None:
    secret = "p@ss:w/ord-é"
    body = f"bad secret: {secret}".encode(encoding)
    assert "p@ss:w/ord" not in everything_of(refused(response(body, 500), secrets_of(secret)))


def test_a_secret_in_utf_16_is_not_shown_with_gaps() -> None:
    body = "密 s3cret-value".encode("utf-16-le")  # no mark, and no NUL ahead: read as UTF-8
    text = everything_of(refused(response(body, 500), secrets_of("s3cret-value")))
    assert "s3cret-value" not in text.replace(" ", "")


def test_what_is_taken_out_leaves_the_rest_of_the_sentence() -> None:
    answer = response({"error": "x", "error_description": "the secret 's3cret' is wrong"}, 401)
    error = refused(answer, secrets_of("s3cret"))
    assert error.description == "the secret '***' is wrong"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("opaque-tok.123_~+/=", id="opaque"),
        pytest.param("tok\r\nwith-break", id="with a line break"),
        pytest.param('tok"quoted', id="with a quote"),
        pytest.param("tok with,comma", id="with space and comma"),
    ],
)
@pytest.mark.parametrize("name", ["access_token", "refresh_token", "id_token", "client_secret"])
def test_a_token_in_an_error_is_not_shown_where_another_field_repeats_it(
    name: str, token: str
) -> None:
    body = {"error": "x", "error_description": f"issued {token} already", name: token}
    assert_not_shown(refused(response(body, 400)), token, "quoted", "comma", "with-break", "tok.")


def test_a_token_with_a_lone_surrogate_in_an_error_is_an_error_of_ours() -> None:
    error = refused(response({"error": "x", "access_token": "opaque\ud800"}, 400))
    assert error.error == "x"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"access_token=opaque-1&token_type=Bearer", id="form"),
        pytest.param(b"ACCESS_TOKEN = opaque-1", id="upper case"),
        pytest.param(b"access_token: opaque-1", id="header-like"),
        pytest.param(b"{'access_token': 'opaque-1'}", id="Python's repr"),
        pytest.param(b'{"access_token":"opaque-1"', id="truncated JSON"),
        pytest.param(b'[{"access_token":"opaque-1"}]', id="JSON list"),
        pytest.param(b'{"error":[],"data":{"access_token":"opaque-1"}}', id="nested"),
        pytest.param(b'{"error":{"message":"access_token=opaque-1"}}', id="in the message"),
        pytest.param(b'{"error_description":"{\\"access_token\\":\\"opaque-1\\"}"}', id="twice"),
        pytest.param(b'"{\\"access_token\\":\\"opaque-1\\"}"', id="JSON in a JSON text"),
        pytest.param(b"<access_token>opaque-1</access_token>", id="XML"),
        pytest.param(b"{&quot;access_token&quot;:&quot;opaque-1&quot;}", id="JSON in HTML"),
        pytest.param(b"refresh_token=opaque-1", id="refresh token"),
        pytest.param(b"client_assertion=opaque-1", id="assertion"),
        pytest.param(b"client_secret=opaque-1", id="secret of somebody else"),
        pytest.param('{"access_token":"opaque-1"'.encode("utf-16"), id="UTF-16"),
    ],
)
def test_what_stands_in_a_field_for_credentials_is_not_shown(body: bytes) -> None:
    assert "opaque-1" not in everything_of(refused(response(body, 400)))


@pytest.mark.parametrize(
    "jwt",
    [
        pytest.param("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln-_A", id="signed"),
        pytest.param("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", id="unsigned"),
        pytest.param("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0", id="without its signature"),
        pytest.param("eyJhbGciOiJSU0EifQ.a2V5.aXY.Y2lwaGVy.dGFn", id="encrypted"),
        pytest.param("eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn", id="encrypted, no key in it"),
    ],
)
@pytest.mark.parametrize("place", PLACES)
def test_a_jwt_is_shown_from_no_place_of_an_answer(place: str, jwt: str) -> None:
    parts = [part for part in jwt.split(".") if len(part) > 4]
    assert_not_shown(failure(PLACES[place](jwt)), jwt, *parts)


def test_the_token_that_was_refused_for_its_type_is_not_shown() -> None:
    body = {"access_token": "opaque-1", "token_type": "DPoP opaque-1"}
    assert "opaque-1" not in everything_of(invalid(response(body)))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"eyJ" * 20_000, id="the beginning of a JWT over and over"),
        pytest.param(b"access_token" * 5_000, id="the name of a field over and over"),
        pytest.param(b"password" + b" " * 60_000, id="a field and spaces"),
        pytest.param(b'{"error":"x","access_token":"' + b"a" * 1_000_000 + b'"}', id="1 MB token"),
        pytest.param(b"s3cre" * 40_000, id="the beginning of the secret over and over"),
        pytest.param(b"\x01" * 200_000, id="200,000 control characters"),
    ],
)
def test_a_hostile_answer_is_judged_in_no_time(body: bytes) -> None:
    re.purge()
    start = time.process_time()
    refused(response(body, 400), secrets_of("s3cret"))
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"error":"x","access_token":"' + b"a" * 1_000_000 + b'"}', id="token"),
        pytest.param(b'{"error":"x","error_description":"' + b"a" * 1_000_000 + b'"}', id="text"),
        pytest.param(b'{"a":[' + b"{}," * 340_000 + b"0]}", id="objects"),
        pytest.param(b'{"a":[' + b"[]," * 340_000 + b"0]}", id="lists"),
    ],
)
def test_a_hostile_answer_takes_little_memory(body: bytes) -> None:
    re.purge()  # else a pattern compiled by another test would cost nothing here
    gc.collect()
    tracemalloc.start()
    try:
        refused(response(body, 400), secrets_of("s3cret"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
