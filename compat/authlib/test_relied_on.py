"""What `_protocol` and `_metadata` rely on in Authlib.

A test that fails here is bad news: upstream has changed. Its docstring says what has to change
here before that version can be allowed.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs

import pytest
from authlib.oauth2 import client as authlib_client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from .support import TOKEN_URL, Client, client, prepared

METHODS = "token_endpoint_auth_methods_supported"


def form(request: tuple[str, dict[str, str], str]) -> dict[str, list[str]]:
    return parse_qs(request[2], strict_parsing=True)


# -- the client


def test_the_hook_gets_the_request_unsigned_and_what_signs_it() -> None:
    """Else `_protocol._PreparedRequest` needs another hook."""
    seen: dict[str, Any] = {}

    class Recorder(Client):
        def _fetch_token(self, url: str, **given: Any) -> Any:
            seen.update(given, url=url)
            return "what the hook gives"

    recorder = Recorder(session=None, client_id="the-client", client_secret="the-secret")
    mine: dict[str, str] = {}
    given = recorder.fetch_token(TOKEN_URL, headers=mine, grant_type="client_credentials")
    assert given == "what the hook gives"
    assert seen.keys() == {"url", "body", "headers", "auth", "method"}
    assert (seen["url"], seen["method"], seen["headers"]) == (TOKEN_URL, "POST", mine)
    assert (seen["body"], mine) == ("grant_type=client_credentials", {})


def test_signing_gives_back_the_headers_that_it_got() -> None:
    """Else `_protocol.token_request` sends headers that are not its own."""
    mine = {"Accept-Encoding": "identity"}
    url, headers, _ = prepared(client(), headers=mine)
    assert (url, headers) == (TOKEN_URL, {"Accept-Encoding": "identity"})
    assert headers is mine


def test_headers_that_are_given_keep_the_shared_ones_clean() -> None:
    """Else one client's secret goes to another's server; no such version may be allowed."""
    before = dict(authlib_client.DEFAULT_HEADERS)
    prepared(client("client_secret_basic"), headers={})
    assert before == authlib_client.DEFAULT_HEADERS
    assert "Authorization" not in before


def test_what_is_none_or_empty_is_left_out() -> None:
    """Else `_protocol.token_request` must leave it out itself."""
    request = prepared(client(), scope=[], audience=None, client_assertion=None)
    assert form(request).keys() == {"grant_type", "client_id", "client_secret"}


def test_scopes_are_joined_with_spaces() -> None:
    """Else `_protocol.token_request` must join them (RFC 6749 §3.3)."""
    assert form(prepared(client(), scope=["read", "write"]))["scope"] == ["read write"]


def test_a_body_keeps_its_repeated_fields() -> None:
    """Else `_protocol.token_request` must add `params` to the body that was prepared."""
    request = prepared(client(), body="resource=a&resource=b%2Fc")
    assert form(request)["resource"] == ["a", "b/c"]


def test_the_body_is_ascii_whatever_the_secret() -> None:
    """Else `_protocol._PreparedRequest` must encode it in another way."""
    secret = "p@ss:w/ord +%é€"
    request = prepared(client(secret=secret), scope=["lire-é"])
    assert request[2].isascii()
    assert form(request)["client_secret"] == [secret]


def test_by_none_the_client_id_alone_gets_into_the_form() -> None:
    """Else `_protocol.token_request` must put it there for assertions."""
    assert form(prepared(client("none", ""), client_assertion="x.y.z")) == {
        "grant_type": ["client_credentials"],
        "client_assertion": ["x.y.z"],
        "client_id": ["the-client"],
    }


def test_a_registered_callable_wins_over_authlibs_own_basic() -> None:
    """Else Authlib's Basic is sent, see `test_traps`; `_protocol` must pass `auth=` instead."""
    mine = client("client_secret_basic")
    mine.register_client_auth_method(
        ("client_secret_basic", lambda _, method, uri, headers, body: (uri, headers, "mine"))
    )
    assert prepared(mine) == (TOKEN_URL, {}, "mine")


def test_a_registered_callable_sees_id_and_secret() -> None:
    """Else `_protocol._basic` needs them from elsewhere."""
    mine = client("client_secret_basic")
    mine.register_client_auth_method(
        (
            "client_secret_basic",
            lambda auth, method, uri, headers, body: (
                uri,
                {"Authorization": base64.b64encode(auth.client_secret.encode()).decode()},
                auth.client_id,
            ),
        )
    )
    _, headers, body = prepared(mine)
    assert (base64.b64decode(headers["Authorization"]), body) == (b"the-secret", "the-client")


# -- metadata


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://a.example", "https://a.example/.well-known/oauth-authorization-server"),
        (
            "https://a.example:8443/t",
            "https://a.example:8443/.well-known/oauth-authorization-server/t",
        ),
    ],
)
def test_the_well_known_part_is_inserted_before_the_path(issuer: str, url: str) -> None:
    """Else `_metadata.candidates` must do it (RFC 8414 §3.1)."""
    assert get_well_known_url(issuer, external=True) == url


@pytest.mark.parametrize(
    ("fields", "methods"),
    [({}, ["client_secret_basic"]), ({METHODS: ["private_key_jwt"]}, ["private_key_jwt"])],
)
def test_where_no_method_is_named_it_is_basic(fields: dict[str, Any], methods: list[str]) -> None:
    """Else `_metadata._auth_methods` must say so (RFC 8414 §2)."""
    assert getattr(AuthorizationServerMetadata(fields), METHODS) == methods


@pytest.mark.parametrize("url", [None, "", "ftp://a.example/token", "http://a.example/token"])
def test_the_single_validator_refuses_what_is_no_token_endpoint(url: str | None) -> None:
    """Else `_metadata._token_endpoint` must."""
    with pytest.raises(ValueError, match="token_endpoint"):
        AuthorizationServerMetadata(token_endpoint=url).validate_token_endpoint()


def test_the_single_validator_wants_no_other_member() -> None:
    """Else `_metadata._token_endpoint` must leave it out."""
    AuthorizationServerMetadata(token_endpoint=TOKEN_URL).validate_token_endpoint()


# -- cold start


def test_importing_it_loads_neither_an_http_library_nor_cryptography() -> None:
    """Else `import pygen_auth` gets slower, and `_protocol` must import Authlib when it is used."""
    code = "import authlib.oauth2, json, sys; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ran.stdout))
    assert loaded.isdisjoint({"httpx", "httpx2", "requests", "cryptography", "joserfc"})
    # When this fails alone: `_protocol.ASSERTION_TYPE` can be Authlib's own.
    assert "authlib.oauth2.rfc7523" not in loaded
