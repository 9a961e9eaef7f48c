"""Keys and certificates for tests, each made once; and a judge of what is signed with them."""

from __future__ import annotations

import datetime
import functools
import json
import warnings
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import import_key

PASSWORD = "p4ss-Wörd"
HMAC_SECRET = "Zq8!very+long/secret-of-64-bytes-0123456789-abcdefghijkl:äöü%20" * 2

ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "EdDSA": "Ed25519",
}
"""With a kind of key that fits."""

CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}

PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)


def private_key(kind: str, number: int = 0) -> PrivateKey:
    """The key of this kind; another one for another `number`."""
    return _made(kind, number)


@functools.cache
def _made(kind: str, number: int) -> PrivateKey:
    if kind.startswith("RSA"):
        return rsa.generate_private_key(65537, int(kind[3:] or 2048))
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(CURVES[kind])


def pem(
    key: PrivateKey,
    password: str | None = None,
    form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8,
) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(password.encode())
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, form, encryption)


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def jwk(key: PrivateKey, *, private: bool = True, **fields: object) -> dict[str, Any]:
    kinds = {rsa.RSAPrivateKey: "RSA", ec.EllipticCurvePrivateKey: "EC"}
    kind = next((name for type_, name in kinds.items() if isinstance(key, type_)), "OKP")
    loaded: Any = import_key(pem(key), kind)  # type: ignore[call-overload]
    return {**loaded.as_dict(private=private), **fields}


def certificate(kind: str, number: int = 0) -> bytes:
    """A self-signed one for that key, as PEM."""
    key: Any = private_key(kind, number)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{kind}-{number}")])
    began = datetime.datetime(2026, 1, 1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1 + number)
        .not_valid_before(began)
        .not_valid_after(began + datetime.timedelta(days=36_500))
    )
    made = builder.sign(key, None if kind.startswith("Ed") else hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


class _AnyAlgorithm(jws.JWSRegistry):
    """joserfc takes a few algorithms by itself; the caller compares the name."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def verified(jwt: str, key: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT whose signature is that of this joserfc key; raises otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of EdDSA
        signed = jws.deserialize_compact(jwt, key, registry=_AnyAlgorithm())
    return signed.headers(), json.loads(signed.payload)


def verified_by(jwt: str, key: PrivateKey) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same, by the public half of a key."""
    return verified(jwt, import_key(jwk(key, private=False)))
