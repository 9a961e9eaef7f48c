"""Any answer of any server: a token, or an error of ours that shows no secret and costs little."""

from __future__ import annotations

import base64
import html
import json
import random
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygen_auth import InvalidResponseError, OAuth2Error, RefusedError, Token
from pygen_auth._body import LONGEST_BODY, answer_of
from pygen_auth._checks import LONGEST, check_url
from pygen_auth._clock import Instant
from pygen_auth._errors import SHOWN_CHARACTERS, refuses_client
from pygen_auth._metadata import Metadata, Wanted, read_metadata
from pygen_auth._protocol import is_bearer_text, parse_token
from pygen_auth._wire import Response

from . import examples

NOW = Instant(1_800_000_000.0, 5_000.0)
LONGEST_MESSAGE = 2 * SHOWN_CHARACTERS + 300  # what a server says, our words and the advice
MOST_MEMORY = 8_000_000  # bytes

# -- what servers send

NAMES = [
    *("access_token", "token_type", "expires_in", "scope", "error", "error_description"),
    *("error_codes", "errorCode", "errorSummary", "message", "code", "status", "detail", "errors"),
    *("fault", "faultstring", "Error", "trace_id", "correlation_id", "client_secret", "error_hint"),
    *("issuer", "token_endpoint", "token_endpoint_auth_methods_supported", "innererror", "title"),
    *("mtls_endpoint_aliases", "token_endpoint_auth_signing_alg_values_supported", "error_uri"),
]
VALUES: list[Any] = [
    *("Bearer", "bearer", "DPoP", "invalid_client", "temporarily_unavailable", "invalid_scope"),
    *("AADSTS7000215: Invalid client secret", "E0000047", "3600", "3599.5", " 60 ", "soon", "1e9"),
    *(3600, 0, -1, 1e308, -1e308, 10**400, True, None, "", "\ud800", "\x00", "\r\nX: y", [[]], {}),
    *("https://idp.example.com/token", "http://idp.example.com/", "https://[::1", "https://a@b/"),
]
texts = st.text(max_size=30) | st.text("\\\"'&%+=<>{}[]:;/ \t\r\n\u2028\ud800\xad", max_size=12)
values = st.recursive(
    st.sampled_from(VALUES) | texts | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=6)
    ),
    max_leaves=20,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=8)
statuses = st.sampled_from([200, 201, 204, 301, 400, 401, 403, 408, 409, 429, 500, 501, 503, 505])
header_names = st.sampled_from([
    *("content-type", "retry-after", "location", "www-authenticate", "x-rate-limit-reset"),
    *("x-ratelimit-reset", "x-ms-request-id", "x-okta-request-id", "content-encoding"),
])  # fmt: skip
HEADERS = [
    *("application/json", "text/html; charset=x", "120", "1e9", "9" * 400, "-5", "nan", "\xff\xfe"),
    *("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 99 Foo 0 0:0:0"),
    *("https://login.example.com/?a=b", "//[", "https://u:p@host/x", "Bearer error=\"invalid\""),
    *("gzip", "br"),
]  # fmt: skip
headers = st.dictionaries(
    header_names, st.sampled_from(HEADERS) | st.text(st.characters(max_codepoint=255)), max_size=4
)
encodings = st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])


def as_json(value: Any, escaped: bool, encoding: str) -> bytes:
    text = json.dumps(value, ensure_ascii=escaped)
    return text.encode(encoding, "surrogatepass")


def spoilt(body: bytes, at: int, by: bytes) -> bytes:
    """Cut, or with something in the middle of it."""
    at = at % (len(body) + 1)
    return body[:at] + (by + body[at:] if by else b"")


json_bodies = st.builds(as_json, objects | values, st.booleans(), encodings)
pieces = st.sampled_from([
    *(b"<html><title>", b"</title>", b"<Error><Code>", b"</Code>", b"<!DOCTYPE html>", b"&#x41;"),
    *(b"error=", b"&error_description=", b"%zz", b"{", b"[", b'{"error":"x"', b"\xef\xbb\xbf"),
])  # fmt: skip
bodies = st.one_of(
    json_bodies,
    json_bodies,
    st.builds(spoilt, json_bodies, st.integers(0, 400), st.binary(max_size=3)),
    st.lists(pieces | st.binary(max_size=20), max_size=6).map(b"".join),
    st.binary(max_size=200),
)
responses = st.builds(
    Response,
    status=statuses | st.integers(0, 999),
    headers=headers,
    body=bodies,
    defect=st.none() | st.none() | st.just("the body is longer than 1 MiB"),
)

# -- what is made of it


def judged(response: Response, secrets: tuple[str, ...] = ()) -> Token | OAuth2Error:
    try:
        return parse_token(response, NOW, 3600.0, secrets)
    except (RefusedError, InvalidResponseError) as error:
        return error


def all_that_shows(error: OAuth2Error) -> list[str]:
    chained = [str(link) for link in (error.__cause__, error.__context__) if link is not None]
    return [str(error), repr(error), *(str(value) for value in vars(error).values()), *chained]


@examples(1)
@given(response=responses)
def test_any_answer_is_a_token_or_an_error_of_ours(response: Response) -> None:
    outcome = judged(response)
    if isinstance(outcome, Token):
        assert 200 <= response.status < 300
        assert is_bearer_text(outcome.access_token)
        assert 0 < outcome.lifetime <= LONGEST
        assert outcome.expires == NOW.after(outcome.lifetime)
        return
    assert type(outcome.retryable) is bool
    assert outcome.retry_after is None or 0 < outcome.retry_after < 1e300
    assert len(str(outcome)) <= LONGEST_MESSAGE
    assert str(outcome).isprintable()
    assert refuses_client(outcome) in (True, False)
    if isinstance(outcome, RefusedError):
        for text in (outcome.error, outcome.description, outcome.code, outcome.trace_id):
            assert text is None or (len(text) <= SHOWN_CHARACTERS and text.isprintable())


@examples(1)
@given(
    response=responses,
    verify_issuer=st.booleans(),
    issuer=st.sampled_from(["https://idp.example.com", "https://idp.example.com/a/"]),
)
def test_any_answer_is_metadata_that_can_be_used_or_an_error_of_ours(
    response: Response, verify_issuer: bool, issuer: str
) -> None:
    wanted = Wanted((issuer,), issuer, ("https://{guid}.example.com",), verify_issuer, ())
    outcome: Metadata | OAuth2Error
    try:
        outcome = metadata = read_metadata(response, wanted, NOW)
    except (RefusedError, InvalidResponseError) as error:
        outcome = error
    if isinstance(outcome, OAuth2Error):
        assert len(str(outcome)) <= LONGEST_MESSAGE
        assert str(outcome).isprintable()
        return
    assert check_url("token_endpoint", metadata.token_endpoint) == metadata.token_endpoint
    assert metadata.token_endpoint.startswith("https://")
    assert metadata.auth_methods
    assert not verify_issuer or metadata.issuer.rstrip("/") == issuer.rstrip("/")


# -- secrets

ENCODED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "percent-encoded": lambda s: quote(s, safe=""),
    "percent-encoded in part": lambda s: quote(s, safe="/+!:"),
    "as a form": quote_plus,
    "in JSON": lambda s: json.dumps(s)[1:-1],
    "in JSON, not ASCII": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "in HTML": html.escape,
    "in HTML by numbers": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "in Base64": lambda s: base64.b64encode(s.encode()).decode(),
    "in Base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "as Basic credentials": lambda s: base64.b64encode(f"id:{s}".encode()).decode(),
    "as encoded Basic credentials": lambda s: base64.b64encode(
        f"id:{quote(s, safe='')}".encode()
    ).decode(),
}
ALPHABETS = [
    "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789~._-",
    "abcXYZ019~._-!\"#$%&'()*+,/:;<=>?@[\\]^`{|}",
    "abcdäöüßéñøÅ漢字Жд1234567890+/=",
]


def secret_of(seed: int, alphabet: str, length: int) -> str:
    """By chance, so that no other text is like a part of it."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


secrets = st.builds(
    secret_of, st.integers(0, 2**32), st.sampled_from(ALPHABETS), st.sampled_from([12, 20, 40, 64])
)
around = st.sampled_from(
    ["", "20", "/", "a/b/", "é", " ", "'", '"', ": ", "=", "(", "<b>", ", ", "\n", "secret=", "é "]
)
fillers = st.sampled_from(
    ["", "what is ", "x" * 150 + " ", "y " * 500, "&amp;", "&#", "%", "%2", "\\", "\\u"]
)


def strewn(value: Any, echo: str, where: list[int]) -> Any:
    """With the echo in some of the texts."""
    if isinstance(value, str):
        return value + echo if where and where.pop() else value
    if isinstance(value, list):
        return [strewn(one, echo, where) for one in value]
    if isinstance(value, dict):
        return {name: strewn(one, echo, where) for name, one in value.items()}
    return value


@examples(1)
@given(data=st.data(), secret=secrets, form=st.sampled_from(sorted(ENCODED)))
def test_secret_that_comes_back_is_not_shown(data: st.DataObject, secret: str, form: str) -> None:
    draw = data.draw
    echo = draw(fillers) + draw(around) + ENCODED[form](secret) + draw(around)
    fields = draw(objects)
    fields[draw(st.sampled_from(NAMES))] = echo
    fields = strewn(fields, echo, draw(st.lists(st.integers(0, 1), max_size=8)))
    kind = draw(st.sampled_from(["JSON", "JSON", "text", "HTML", "form"]))
    bodies_by_kind = {
        "JSON": as_json(fields, draw(st.booleans()), draw(encodings)),
        "text": echo.encode(draw(encodings)),
        "HTML": f"<html><title>{echo}</title><p>{echo}</p>".encode(),
        "form": f"error={echo}&error_description={quote_plus(echo)}".encode(),
    }
    sent = {"location": f"https://x.example/{quote(echo)}?{echo}", "x-ms-request-id": echo}
    response = Response(draw(statuses), draw(st.just({}) | st.just(sent)), bodies_by_kind[kind])
    outcome = judged(response, (secret, f"id:{secret}", f"id:{quote(secret, safe='')}"))
    if isinstance(outcome, Token):
        return  # the server chose to make it a token, or a scope
    for text in all_that_shows(outcome):
        assert secret.casefold() not in text.casefold()
        for encode in ENCODED.values():
            assert encode(secret) not in text
        start = secret[: len(secret) * 2 // 3]
        assert start.casefold() not in text.casefold()


# -- memory


@examples(0.1, most=100)
@given(
    data=st.data(),
    status=st.sampled_from([200, 400]),
    encoding=st.sampled_from(["", "utf-16-le", "utf-32-le"]),
)
def test_any_mebibyte_takes_eight_megabytes_at_most(
    data: st.DataObject, status: int, encoding: str
) -> None:
    units = st.sampled_from([
        *(b"[", b"[],", b"{},", b'{"a":', b'"",', b"0,", b'"\\u0041', b"\\", b"<a>x</a>", b"&lt;"),
        *(b"a=b&", b"eyJ", b"access_token=", b"%41", b" ", b"\x00", "漢".encode(), b"1", b'"'),
    ])  # fmt: skip
    start = data.draw(st.sampled_from([b"", b'{"error": ', b'{"error": "', b"[", b"<html>", b"a="]))
    unit = data.draw(units | st.lists(units, min_size=1, max_size=3).map(b"".join))
    end = data.draw(st.sampled_from([b"", b'"}', b"]", b"]}", b'""]}']))
    body = start + unit * (LONGEST_BODY // len(unit) - 10) + end
    if encoding:
        body = body[: LONGEST_BODY // 4].decode("latin-1").encode(encoding)
    response = Response(status, {}, body[:LONGEST_BODY])
    tracemalloc.start()
    try:
        outcome = judged(response, ("Zq8!very+secret/värde",))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(outcome, OAuth2Error)
    assert peak <= MOST_MEMORY


# -- bodies that come compressed


class _Answer:
    """What `answer_of` reads of an httpx response."""

    def __init__(self, encoding: str) -> None:
        self.status_code = 200
        self.headers = {"Content-Encoding": encoding}


@examples(1)
@given(body=st.binary(max_size=300), encoding=st.sampled_from(["gzip", "deflate", "x-gzip", "br"]))
def test_any_compressed_body_is_a_response(body: bytes, encoding: str) -> None:
    response = answer_of(_Answer(encoding), body)
    assert len(response.body) <= LONGEST_BODY
    with pytest.raises(OAuth2Error):
        parse_token(response, NOW, 3600.0)
