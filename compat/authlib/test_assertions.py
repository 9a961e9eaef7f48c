"""Authlib's own assertions (RFC 7523), and why `_assertion` makes ours.

A test that fails here is good news: see `test_traps`. When all but the last have failed,
`_protocol` may use Authlib's classes and `_assertion.signed_assertion` can go.
"""

from __future__ import annotations

import warnings
from typing import Any
from urllib.parse import parse_qs

import pytest
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey

from pygen_auth._protocol import ASSERTION_TYPE

from .support import TOKEN_URL, VERSION, client, prepared

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # 1.7's, of its own import
    from authlib.oauth2 import rfc7523

SECRET = "a secret of no fewer than 32 bytes"


def form(assertion: Any, secret: Any = SECRET) -> dict[str, str]:
    signing = client(assertion.name, secret)
    signing.register_client_auth_method(assertion)
    _, _, body = prepared(signing)
    return {name: value for name, (value,) in parse_qs(body).items()}


def claims(fields: dict[str, str]) -> dict[str, Any]:
    return jwt.decode(fields["client_assertion"], OctKey.import_key(SECRET)).claims


def test_the_jti_is_written_into_the_callers_claims_and_so_repeats() -> None:
    """When this fails: claims and header need not be made anew for each assertion."""
    given: dict[str, Any] = {}
    assertion = rfc7523.ClientSecretJWT(TOKEN_URL, claims=given)
    first, second = claims(form(assertion)), claims(form(assertion))
    assert given["jti"] == first["jti"] == second["jti"]


def test_the_alg_is_written_into_the_callers_header() -> None:
    """When this fails: see the `jti`."""
    given: dict[str, Any] = {}
    form(rfc7523.ClientSecretJWT(TOKEN_URL, headers=given))
    assert given == {"alg": "HS256"}


def test_the_client_id_is_not_in_the_form() -> None:
    """When this fails: `_protocol` need not sign by "none" to get it there, as Entra wants it."""
    assert "client_id" not in form(rfc7523.ClientSecretJWT(TOKEN_URL))


def test_it_lives_for_an_hour_and_nothing_can_be_said_about_it() -> None:
    """When `expires_in` can be said: `_assertion.LIFETIME` can be passed on."""
    signed = claims(form(rfc7523.ClientSecretJWT(TOKEN_URL)))
    assert signed["exp"] - signed["iat"] == 3600


def test_a_secret_too_short_for_its_hash_is_warned_of_and_signs() -> None:
    """When this fails with an error: `_assertion.secret_as_key` need not count bytes."""
    with pytest.warns(SecurityWarning):
        fields = form(rfc7523.ClientSecretJWT(TOKEN_URL), "short")
    assert fields["client_assertion"]


def test_a_key_of_the_callers_that_is_not_rsa_could_not_sign_before_1_8() -> None:
    """When 1.7 is no longer supported: drop this."""
    assertion = rfc7523.PrivateKeyJWT(TOKEN_URL, alg="ES256")
    key = ECKey.generate_key("P-256")
    if VERSION >= (1, 8):
        assert form(assertion, key)["client_assertion"]
    else:
        with pytest.raises(LookupError):
            form(assertion, key)


def test_the_type_of_an_assertion_is_spelt_alike() -> None:
    """Must not fail: it is a constant of RFC 7523 §2.2."""
    assert form(rfc7523.ClientSecretJWT(TOKEN_URL))["client_assertion_type"] == ASSERTION_TYPE
