"""The clients that every server is told of, and how each of them proves itself to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from pygen_auth.client_auth import ClientSecretJWT, PrivateKeyJWT, TLSClientCertificate
from tests import keys

PLAIN = "letters-digits.and_other~characters-that-every-server-takes-0123456789"
"""Long enough for every HMAC (RFC 7518 §3.2)."""
HARD = "p@ss:w/ord +%é€"
FOR_HMAC = PLAIN + HARD[:-2]

LIFETIME, SHORT_LIFETIME = 600, 4
"""Seconds. The short one is long enough for a machine that stands still for a second."""

SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")


@dataclass(frozen=True)
class Sample:
    """An id and a secret that some servers do not take."""

    name: str
    secret: str
    client_id: str = ""

    def id_for(self, method: str) -> str:
        return f"{self.client_id or self.name.encode().hex()}-{method[-5:]}"


SAMPLES = (
    Sample("letters", PLAIN),
    Sample("+", "a+b"),
    Sample("space", "a b"),
    Sample(":", "a:b"),
    Sample("/ and =", "a/b=="),
    Sample("%", "100%"),
    Sample("%2B", "a%2Bb"),
    Sample("&~!$*'()", "a&~!$*'()b"),
    Sample("é", "aéb"),
    Sample("€", "a€b"),
    Sample(HARD, HARD),
    Sample(": in the id", PLAIN, "an:id"),
    Sample("space and + in the id", PLAIN, "an +id"),
)


@dataclass(frozen=True)
class Client:
    """A client, as its user knows it and as the server is told."""

    id: str
    client_auth: Any
    secret: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def registration(self) -> dict[str, Any]:
        defaults = {"grant": "client_credentials", "lifetime": LIFETIME}
        return {"id": self.id, "secret": self.secret, **defaults, **self.told}


def by_secret(method: str, name: str, secret: str = PLAIN, **told: Any) -> Client:
    return Client(name, method, secret, {"method": method, **told})


class Material:
    """Keys and certificates of one run, as files where the library reads files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        authority = trustme.CA()
        own = authority.issue_cert("127.0.0.1", "localhost")
        self.ca = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca)
        self.tls = {
            "key": own.private_key_pem.bytes().decode(),
            "cert": own.cert_chain_pems[0].bytes().decode(),
            "ca": authority.cert_pem.bytes().decode(),
        }
        self.issued = self._file(authority, "client.example.com")
        self.issued_to_another = self._file(authority, "another.example.com")
        self.self_signed = self._self_signed(1)
        self.self_signed_2 = self._self_signed(2)

    def _file(self, authority: trustme.CA, name: str) -> str:
        path = str(self._folder / f"{name}.pem")
        authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(path)
        return path

    def _self_signed(self, number: int) -> str:
        path = self._folder / f"self-signed-{number}.pem"
        path.write_bytes(
            keys.pem(keys.private_key("RSA", number)) + keys.certificate("RSA", number)
        )
        return str(path)


def all_clients(material: Material) -> dict[str, Client]:
    """By id."""
    everyone = [*_with_secret(), *_with_jwt(), *_with_certificate(material)]
    return {client.id: client for client in everyone}


def _with_secret() -> Iterator[Client]:
    for method in ("client_secret_post", "client_secret_basic"):
        yield by_secret(method, method)
        for sample in SAMPLES:
            yield by_secret(method, sample.id_for(method), sample.secret)
    post = "client_secret_post"
    yield by_secret(post, "short-lived", lifetime=SHORT_LIFETIME)
    yield by_secret(post, "of-another-grant", grant="authorization_code")
    yield by_secret(post, "dpop-only", dpop_only=True)
    yield by_secret("client_secret_basic", "resource-server")


def _with_jwt() -> Iterator[Client]:
    for alg in SECRET_ALGORITHMS:
        told: dict[str, Any] = {"method": "client_secret_jwt", "alg": alg}
        yield Client(f"client_secret_jwt-{alg}", ClientSecretJWT(alg), FOR_HMAC, told)
    for alg, kind in keys.ALGORITHMS.items():
        key = keys.private_key(kind)
        told = {"method": "private_key_jwt", "alg": alg}
        told["jwk"] = keys.jwk(key, private=False, kid=kind)
        way = PrivateKeyJWT(keys.pem(key), alg, kid=kind)
        yield Client(f"private_key_jwt-{alg}", way, told=told)


def _with_certificate(material: Material) -> Iterator[Client]:
    name = "tls_client_auth"
    told = {"method": name, "dns_name": "client.example.com"}
    yield Client(name, TLSClientCertificate(material.issued), told=told)
    name = "self_signed_tls_client_auth"
    told = {"method": name, "certificate": keys.certificate("RSA", 1).decode()}
    yield Client(name, TLSClientCertificate(material.self_signed), told=told)
