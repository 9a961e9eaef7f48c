"""Clients that prove themselves by a signed assertion (RFC 7523), judged by Authlib.

Imported for the first such client, since few tests have one and it loads all of cryptography.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection
from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from ._request import SIGNING_ALGORITHMS
from ._time import SERVER_TIME

SHORTEST_SECRET = 32  # bytes: RFC 7518, 3.2 wants no fewer than HS256 makes


class _Algorithms(JWSRegistry):
    """All the algorithms, and no warning: joserfc takes a few by itself, and warns of EdDSA."""

    def get_alg(self, name: str) -> Any:
        if name not in SIGNING_ALGORITHMS:
            raise InvalidClientError(description="The algorithm is not supported.")
        return self.algorithms[name]


class ClientAssertion(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib is untyped
    """The judge of assertions of one of the two methods."""

    def __init__(
        self,
        method: str,
        audiences: Callable[[], Collection[object]],
        seen: dict[tuple[str, str], object],
    ) -> None:
        super().__init__()
        self.CLIENT_AUTH_METHOD = method
        self.get_audiences = audiences
        self._seen = seen  # each `jti` with its client

    def __call__(self, query_client: Callable[[str], Any], request: Any) -> Any:
        if request.presented() != self.CLIENT_AUTH_METHOD:
            return None
        try:
            return super().__call__(query_client, request)
        except InvalidClientError as error:
            error.status_code = 401
            raise
        # How Authlib, older ones above all, fails on assertions it cannot read.
        except (JoseError, LookupError, RecursionError, TypeError) as error:
            description = "The assertion cannot be read, or its signature is not the client's."
            raise InvalidClientError(description, status_code=401) from error

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        mine = object()  # of several threads with the same assertion, one finds its own
        return self._seen.setdefault((claims["sub"], jti), mine) is mine

    def resolve_client_public_key(self, client: Any) -> Key:
        key: Key = self.authenticate_client(client).keys[self.CLIENT_AUTH_METHOD]
        return key

    def process_assertion_claims(self, assertion: str, resolve_key: Key) -> dict[str, Any]:
        token = jwt.decode(assertion, resolve_key, registry=_Algorithms())
        self.verify_claims(_as_of_now(token.claims))
        return token.claims


def _as_of_now(claims: dict[str, Any]) -> dict[str, Any]:
    """The claims with their times moved from the server's time, which may be a test's, to the real
    one, by which Authlib judges.
    """
    ahead = round(SERVER_TIME.wall() - time.time())
    is_time = {"exp", "iat", "nbf"}.__contains__
    return {
        name: value - ahead if is_time(name) and isinstance(value, (int, float)) else value
        for name, value in claims.items()
    }


def read_keys(
    methods: Collection[str], client_secret: str, public_key: str | bytes | None
) -> dict[str, Key]:
    """What a client's assertions are verified with, by method.

    Raises:
        ValueError: the secret is too short, or the key is missing or cannot be read.
    """
    keys: dict[str, Key] = {}
    if "client_secret_jwt" in methods:
        if len(client_secret.encode()) < SHORTEST_SECRET:
            hint = f"client_secret_jwt needs a client_secret of {SHORTEST_SECRET} bytes or more"
            raise ValueError(hint)
        keys["client_secret_jwt"] = OctKey.import_key(client_secret)
    if "private_key_jwt" in methods:
        keys["private_key_jwt"] = _read_public_key(public_key or "")
    return keys


def _read_public_key(pem: str | bytes) -> Key:
    for kind in (RSAKey, ECKey, OKPKey):
        with contextlib.suppress(JoseError, ValueError):
            return kind.import_key(pem)
    raise ValueError("private_key_jwt needs a public_key: PEM of an RSA, EC or Ed25519 key")
