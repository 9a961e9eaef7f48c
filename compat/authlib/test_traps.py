"""What Authlib's protocol client does that users would notice, and that we work around.

A test that fails here is good news: the trap is gone upstream. Its docstring says what can become
simpler, once the oldest Authlib that we support has the change too.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from authlib.oauth2 import OAuth2Error, rfc6749
from authlib.oauth2 import client as authlib_client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jws, jwt
from joserfc.errors import SecurityWarning, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey

from .support import TOKEN_URL, VERSION, Client, client, prepared

HEADERS = authlib_client.DEFAULT_HEADERS


class Answered:
    """An answer as an HTTP library has it."""

    def __init__(self, status: int, body: str) -> None:
        self.status_code = status
        self.json = lambda: json.loads(body)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ConnectionError(self.status_code)  # of whatever root the HTTP library has


# -- headers and Basic


def test_basic_writes_the_secret_into_headers_that_all_clients_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When this fails: `_protocol.token_request` need not pass headers of its own any more."""
    shared = dict(HEADERS)
    monkeypatch.setattr(authlib_client, "DEFAULT_HEADERS", shared)
    prepared(client("client_secret_basic"), headers=None)
    assert "Authorization" in shared
    _, headers, _ = prepared(client("client_secret_post", "another-secret"), headers=None)
    assert base64.b64decode(headers["Authorization"].split()[1]) == b"the-client:the-secret"


def test_basic_does_not_form_encode_id_and_secret() -> None:
    """When this fails: see whether `client_auth.ClientSecretBasic("form")` can be Authlib's own."""
    _, headers, _ = prepared(client("client_secret_basic", "p@ss:w/ord +%"))
    assert base64.b64decode(headers["Authorization"].split()[1]) == b"the-client:p@ss:w/ord +%"


def test_basic_fails_outside_latin_1() -> None:
    """When this fails: see whether `client_auth.ClientSecretBasic` can be Authlib's own."""
    with pytest.raises(UnicodeEncodeError):
        prepared(client("client_secret_basic", "€"))


# -- form fields


def test_a_list_as_keyword_is_no_repeated_field() -> None:
    """When this fails: `_protocol.token_request` may pass `params` as keywords, if the tests of the
    other two traps about keywords fail as well."""
    with pytest.raises(TypeError):
        prepared(client(), resource=["https://a.example", "https://b.example"])


def test_a_keyword_without_a_value_is_left_out() -> None:
    """When this fails: see the list as keyword."""
    _, _, body = prepared(client(), resource="")
    assert "resource" not in body


@pytest.mark.parametrize("name", ["state", "method", "auth", "authorization_response"])
def test_a_keyword_of_authlibs_own_name_does_not_get_into_the_form(name: str) -> None:
    """When this fails: see the list as keyword."""
    seen: dict[str, Any] = {}

    class Recorder(Client):
        def _fetch_token(self, url: str, **given: Any) -> Any:
            seen.update(given)

    recorder = Recorder(session=None, client_id="the-client", client_secret="the-secret")
    recorder.fetch_token(TOKEN_URL, grant_type="client_credentials", **{name: "a-value"})
    assert parse_qs(seen["body"]) == {"grant_type": ["client_credentials"]}


# -- the life of a token


def test_automatic_refresh_loses_the_audience() -> None:
    """authlib issue 783. When this fails: nothing to do; the life of the token stays ours."""
    expired = {"access_token": "a-token", "token_type": "Bearer", "expires_at": 1}
    bodies = []

    class Recorder(Client):
        def _fetch_token(self, url: str, **given: Any) -> Any:
            bodies.append(parse_qs(given["body"]))
            return expired

    recorder = Recorder(
        session=None,
        client_id="the-client",
        client_secret="the-secret",
        token=expired,
        token_endpoint=TOKEN_URL,
        grant_type="client_credentials",
        scope="read",
    )
    recorder.fetch_token(audience="https://api.example.com")
    assert "audience" in bodies.pop()
    recorder.ensure_active_token()
    assert bodies == [{"grant_type": ["client_credentials"], "scope": ["read"]}]


@pytest.mark.parametrize("expires_in", ["3599.5", "soon"])
def test_a_lifetime_that_is_no_integer_raises(expires_in: str) -> None:
    """When this fails: `_protocol._lifetime` can be compared with `OAuth2Token` once more."""
    with pytest.raises(ValueError, match="invalid literal"):
        rfc6749.OAuth2Token({"access_token": "a-token", "expires_in": expires_in})


def test_the_servers_expires_at_wins_over_expires_in() -> None:
    """When this fails: see the lifetime that is no integer."""
    token = rfc6749.OAuth2Token({"access_token": "a-token", "expires_in": 3600, "expires_at": 5})
    assert token.is_expired()


# -- the answer


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, '{"message": "no"}'), (200, '{"status": "ok"}'), (200, '{"access_token": null}')],
)
def test_an_answer_without_a_token_passes_for_a_token(status: int, body: str) -> None:
    """When this fails: `_protocol.parse_token` may leave that case to Authlib."""
    assert client().parse_response_token(Answered(status, body)) == json.loads(body)


@pytest.mark.parametrize("body", ['["a"]', '"a"', "1"])
def test_an_answer_that_is_no_object_passed_for_a_token_before_1_9(body: str) -> None:
    """When this fails: upstream has changed it again; nothing to do, `json_object` judges."""
    answered = Answered(200, body)
    if VERSION >= (1, 9):
        with pytest.raises(ValueError, match="not a JSON object"):
            client().parse_response_token(answered)
    elif body == "1":
        with pytest.raises(TypeError):
            client().parse_response_token(answered)
    else:
        assert client().parse_response_token(answered) == json.loads(body)


def test_failures_have_no_root_in_common() -> None:
    """When this fails: the mapping in `_protocol.parse_token` may get simpler."""
    roots = []
    for status, body in [(400, '{"error": "invalid_client"}'), (503, ""), (200, "<html>")]:
        with pytest.raises(Exception) as caught:  # noqa: PT011  # which ones is what is tested
            client().parse_response_token(Answered(status, body))
        roots.append(caught.type)
    assert roots[0] is OAuth2Error
    assert issubclass(roots[1], ConnectionError)
    assert issubclass(roots[2], ValueError)
    common = set.intersection(*(set(root.__mro__) for root in roots))
    assert common == {Exception, BaseException, object}


# -- metadata


METADATA = {
    "issuer": "https://auth.example.com",
    "token_endpoint": TOKEN_URL,
    "grant_types_supported": ["client_credentials"],
}


@pytest.mark.parametrize("more", [{}, {"response_types_supported": []}])
def test_a_server_for_client_credentials_alone_is_not_valid(more: dict[str, Any]) -> None:
    """When this fails: `_metadata` may call `validate()` in place of the single validator."""
    with pytest.raises(ValueError, match="response_types_supported"):
        AuthorizationServerMetadata(METADATA | more).validate()


def test_the_issuer_is_compared_with_none() -> None:
    """When `validate_issuer` takes the issuer that is wanted: `_metadata._issuer` may use it."""
    AuthorizationServerMetadata(issuer="https://somebody-else.example").validate_issuer()
    with pytest.raises(TypeError):
        AuthorizationServerMetadata(METADATA).validate_issuer(METADATA["issuer"])


@pytest.mark.parametrize("url", [5, ["https://auth.example.com"], {"url": "https://a.example"}])
def test_a_token_endpoint_that_is_no_text_crashes_the_validator(url: object) -> None:
    """When this fails with ValueError: `_metadata._token_endpoint` need not look at the type."""
    with pytest.raises((AttributeError, TypeError)):
        AuthorizationServerMetadata(token_endpoint=url).validate_token_endpoint()


def test_a_variable_of_the_environment_switches_https_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """When this fails: `_metadata._token_endpoint` may leave the check of https to Authlib."""
    plain = AuthorizationServerMetadata(token_endpoint="http://auth.example.com/token")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    plain.validate_token_endpoint()
    monkeypatch.delenv("AUTHLIB_INSECURE_TRANSPORT")
    with pytest.raises(ValueError, match="https"):
        plain.validate_token_endpoint()


# -- what joserfc, which signs for Authlib and for us, takes


def test_eddsa_is_warned_of() -> None:
    """When this fails: `_assertion.signed_assertion` can do without its own registry, if the test
    of the other algorithms fails as well."""
    with pytest.warns(SecurityWarning, match="EdDSA"):
        jwt.encode({"alg": "EdDSA"}, {}, OKPKey.generate_key("Ed25519"), algorithms=["EdDSA"])


@pytest.mark.parametrize("alg", ["ES384", "PS256", "HS512"])
def test_an_algorithm_that_servers_ask_for_is_refused(alg: str) -> None:
    """When this fails: see EdDSA."""
    with pytest.raises(UnsupportedAlgorithmError):
        jws.JWSRegistry().get_alg(alg)


def test_an_algorithm_of_another_curve_is_refused_when_it_signs() -> None:
    """When this fails: nothing to do; `read_key` has checked it before."""
    with pytest.raises(UnsupportedAlgorithmError):
        jwt.encode({"alg": "ES512"}, {}, ECKey.generate_key("P-256"))
