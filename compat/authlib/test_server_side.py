"""What `pygen_auth.testing` works around and relies on in Authlib's server side."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
import warnings
from typing import Any

import pytest
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.oauth2 import rfc6749, rfc6750
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from joserfc.jwk import OctKey

from .support import VERSION

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.oauth2.rfc7523 import JWTBearerClientAssertion


def basic(pair: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


# -- traps: a test that fails is good news


@pytest.mark.parametrize("host", ["127.0.0.2:80", "localhost"])
def test_plain_http_was_refused_on_most_of_loopback_before_1_8(host: str) -> None:
    """When 1.7 is no longer supported: `testing.Request` may name the URL as it is."""
    url = f"http://{host}/token"
    if VERSION >= (1, 8):
        rfc6749.OAuth2Request("POST", url)
    else:
        with pytest.raises(rfc6749.InsecureTransportError):
            rfc6749.OAuth2Request("POST", url)


def test_basic_credentials_that_are_no_utf_8_raise() -> None:
    """When this fails: `testing.Issuer.authenticate_client` need not be ours."""
    with pytest.raises(ValueError, match="utf-8"):
        extract_basic_authorization(basic(b"\xff:the-secret"))


def test_a_lifetime_of_zero_is_left_out_of_the_answer() -> None:
    """When this fails: `testing.Issuer.generate_token` need not put it back."""
    generate = rfc6750.BearerTokenGenerator(lambda **_: "a-token", expires_generator=lambda *_: 0)
    assert "expires_in" not in generate("client_credentials", AnyScope())


def test_a_token_that_is_issued_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """When this fails: `testing.TokenResponse` need not hide itself in its repr."""
    issuer = OneClient()
    with caplog.at_level(logging.DEBUG, "authlib"):
        issuer.create_token_response(token_request())
    assert "a-token" in caplog.text


def test_importing_what_judges_assertions_warned_in_1_7() -> None:
    """When 1.7 is no longer supported: `testing.Issuer._judge_assertions` need not silence it."""
    code = "import warnings; warnings.simplefilter('ignore'); import authlib.oauth2.rfc7523"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ("AuthlibDeprecationWarning" in ran.stderr) is (VERSION < (1, 8))


@pytest.mark.parametrize("payload", ["[]", '{"sub": ["the-client"]}', "{}"])
def test_claims_that_are_not_as_they_should_be_raised_all_sorts_before_1_8(payload: str) -> None:
    """When 1.7 is no longer supported: `testing.ClientAssertion` need not catch them."""
    compact = ".".join(
        base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode()
        for part in ('{"alg": "HS256"}', payload, "signature")
    )
    request = token_request(
        client_assertion=compact,
        client_assertion_type=JWTBearerClientAssertion.CLIENT_ASSERTION_TYPE,
    )
    expected = rfc6749.InvalidClientError if VERSION >= (1, 8) else (LookupError, TypeError)
    with pytest.raises(expected):
        Judge()({"the-client": AnyScope()}.__getitem__, request)


# -- relied on: a test that fails is bad news


def test_basic_credentials_are_form_decoded() -> None:
    """Else the server for tests refuses secrets that need encoding (RFC 6749 §2.3.1)."""
    assert extract_basic_authorization(basic(b"a%20b:p%40ss%3Aw")) == ("a b", "p@ss:w")


def test_a_token_is_issued_to_a_client_that_the_subclass_knows() -> None:
    """Else `testing.Issuer` has to meet Authlib in another way."""
    status, body, headers = OneClient().create_token_response(token_request())
    assert (status, body["access_token"], body["expires_in"]) == (200, "a-token", 60)
    assert dict(headers)["Cache-Control"] == "no-store"


def test_a_wrong_secret_is_invalid_client() -> None:
    """Else the server for tests gives tokens to anybody."""
    _, body, _ = OneClient().create_token_response(token_request(client_secret="wrong"))
    assert body["error"] == "invalid_client"


class AnyScope:
    """A client, as Authlib asks for it."""

    client_id = "the-client"

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""

    def check_client_secret(self, secret: str) -> bool:
        return secret == "the-secret"

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_post"

    def check_grant_type(self, grant_type: str) -> bool:
        return True


class Judge(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib is untyped
    CLIENT_AUTH_METHOD = "client_secret_post"

    def resolve_client_public_key(self, client: object) -> OctKey:
        return OctKey.generate_key(256)


class Grant(rfc6749.ClientCredentialsGrant):  # type: ignore[misc]  # Authlib is untyped
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)


class OneClient(rfc6749.AuthorizationServer):  # type: ignore[misc]  # Authlib is untyped
    def __init__(self) -> None:
        super().__init__()
        self.register_grant(Grant)
        generate = rfc6750.BearerTokenGenerator(
            lambda **_: "a-token", expires_generator=lambda *_: 60
        )
        self.register_token_generator("default", generate)

    def query_client(self, client_id: str) -> AnyScope | None:
        return AnyScope() if client_id == "the-client" else None

    def save_token(self, token: Any, request: Any) -> None: ...

    def send_signal(self, name: str, *args: Any, **keywords: Any) -> None: ...

    def create_oauth2_request(self, request: Any) -> Any:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:
        return status, body, headers


class TokenRequest(rfc6749.OAuth2Request):  # type: ignore[misc]  # Authlib is untyped
    @property
    def form(self) -> Any:
        return self.payload.data


def token_request(**fields: str) -> TokenRequest:
    request = TokenRequest("POST", "https://auth.example.com/oauth2/token", headers={})
    form = {
        "grant_type": "client_credentials",
        "client_id": "the-client",
        "client_secret": "the-secret",
        **fields,
    }
    request.payload = BasicOAuth2Payload(form)
    return request
