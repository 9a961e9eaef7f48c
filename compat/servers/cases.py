"""What is asked of every server that can be asked it: mostly things that should be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pygen_auth import ConfigurationError, RefusedError
from pygen_auth.client_auth import (
    ClientSecretBasic,
    ClientSecretJWT,
    PrivateKeyJWT,
    TLSClientCertificate,
)
from tests import keys
from tests.support import AnyCredentials, Twin

from .clients import PLAIN, SAMPLES, Sample
from .fleet import Server

ANOTHER_SECRET = PLAIN[::-1]
API = "https://api.example.com"
ANOTHER_API = "https://another.example.com"

ENCODINGS = ("post", "auto", "form", "raw")
"""How a secret is sent: in the form, or by Basic in one of its encodings."""


@dataclass(frozen=True)
class Case:
    """A request that a client with these settings makes."""

    client: str
    settings: Callable[[Server], dict[str, Any]]
    advice: str = ""
    """Stands in the hint where it is refused."""


def asks(client: str, advice: str = "", **settings: Any) -> Case:
    """One whose settings are the same at every server."""
    return Case(client, lambda _: settings, advice)


POST, BASIC = "client_secret_post", "client_secret_basic"
KEY, HMAC = "private_key_jwt-ES256", "client_secret_jwt-HS256"
CERTIFICATE, SELF_SIGNED = "tls_client_auth", "self_signed_tls_client_auth"

_REFUSED = "check client_id and client_secret, or try client_auth="
_EC, _EC_2, _RSA = (
    keys.pem(keys.private_key(*kind)) for kind in (("P-256",), ("P-256", 1), ("RSA",))
)

CASES = {
    "wrong secret by post": asks(POST, f"{_REFUSED}'{BASIC}'", client_secret=ANOTHER_SECRET),
    "wrong secret by Basic": asks(BASIC, f"{_REFUSED}'{POST}'", client_secret=ANOTHER_SECRET),
    "unknown client by post": asks(POST, f"{_REFUSED}'{BASIC}'", client_id="nobody"),
    "unknown client by Basic": asks(BASIC, f"{_REFUSED}'{POST}'", client_id="nobody"),
    "registered for post, asks by Basic": asks(POST, client_auth=BASIC),
    "registered for Basic, asks by post": asks(BASIC, client_auth=POST),
    "registered for a secret, signs with it": asks(
        POST, "check client_id and client_secret", client_auth=ClientSecretJWT()
    ),
    "registered for a secret, signs with a key": asks(
        POST,
        "check client_id, the assertion's key",
        client_auth=PrivateKeyJWT(_EC),
        client_secret=None,
    ),
    "registered for another grant": asks("of-another-grant", "check client_id"),
    "unknown scope": asks(POST, "check scopes", scopes="nonsense"),
    "known and unknown scope": asks(POST, "check scopes", scopes="read nonsense"),
    "one resource": asks(POST, params={"resource": API}),
    "two resources": asks(POST, "resource in params", params={"resource": [API, ANOTHER_API]}),
    "unknown resource": asks(POST, "resource in params", params={"resource": ANOTHER_API}),
    "nothing at that address": Case(
        POST, lambda server: {"token_url": f"{server.process.url}/nothing"}, "check token_url"
    ),
    "signed with another secret": asks(HMAC, "client_secret", client_secret=ANOTHER_SECRET),
    "signed with another HMAC": asks(
        HMAC, "the alg of client_auth", client_auth=ClientSecretJWT("HS512")
    ),
    "registered for a key, sends a secret": asks(
        KEY, "check client_id", client_auth=POST, client_secret=PLAIN
    ),
    "signed with another key": asks(KEY, "key", client_auth=PrivateKeyJWT(_EC_2)),
    "signed with another algorithm": asks(
        "private_key_jwt-RS256", "alg", client_auth=PrivateKeyJWT(_RSA, "PS256")
    ),
    "signed, without kid": asks(KEY, client_auth=PrivateKeyJWT(_EC)),
    "signed, with an unknown kid": asks(KEY, "kid", client_auth=PrivateKeyJWT(_EC, kid="another")),
    "signed for the issuer": Case(
        KEY, lambda server: {"client_auth": PrivateKeyJWT(_EC, audience=server.issuer)}
    ),
    "signed for another server": asks(
        KEY, "audience", client_auth=PrivateKeyJWT(_EC, audience=ANOTHER_API)
    ),
    "no certificate": Case(
        CERTIFICATE,
        lambda server: {"client_auth": CERTIFICATE, "verify": server.context()},
        "the certificate of client_auth",
    ),
    "certificate of another client": Case(
        CERTIFICATE,
        lambda server: {"client_auth": TLSClientCertificate(server.material.issued_to_another)},
        "the certificate of client_auth",
    ),
    "another self-signed certificate": Case(
        SELF_SIGNED,
        lambda server: {"client_auth": TLSClientCertificate(server.material.self_signed_2)},
        "the certificate of client_auth",
    ),
    "registered for DPoP only": asks("dpop-only", "set up for this client"),
}
"""By name, which `server.json` uses. A server that has nothing of the kind leaves it out."""


def outcome(twin: Twin, credentials: AnyCredentials) -> str:
    """`token`, or status and code of the refusal."""
    try:
        twin.token(credentials)
    except RefusedError as error:
        return f"{error.status} {error.error or 'without a code'}"
    return "token"


def secrets_refused(server: Server, twin: Twin, encoding: str) -> dict[str, str]:
    """What comes of the samples that bring no token, sent like this."""
    row = {sample.name: _of_sample(server, twin, encoding, sample) for sample in SAMPLES}
    return {name: came for name, came in row.items() if came != "token"}


def _of_sample(server: Server, twin: Twin, encoding: str, sample: Sample) -> str:
    client = server.clients[sample.id_for(POST if encoding == "post" else BASIC)]
    way: Any = POST if encoding == "post" else ClientSecretBasic(encoding)  # type: ignore[arg-type]
    try:
        credentials = server.credentials(twin, client, client_auth=way)
    except ConfigurationError:
        return "not sent"
    return outcome(twin, credentials)
