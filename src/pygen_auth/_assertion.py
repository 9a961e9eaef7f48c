"""Assertions: the only place that reads private keys, and that signs with them or with a secret.

A JWT that proves who the client is (RFC 7523 §2.2 and §3): made anew for each token request, so
that no server sees a `jti` twice. Keys are read with cryptography and signed with joserfc, both
of which Authlib brings.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

KeySource = str | bytes | os.PathLike[str] | Mapping[str, Any]
"""PEM as text or bytes, a JWK as mapping or JSON text, or the path of a file with either."""

LIFETIME = 300
"""Seconds. Entra ID wants 5 to 10 minutes, Okta at most an hour; clocks differ by a few."""
SMALLEST_RSA_KEY = 2048
"""Bits (RFC 7518 §3.3)."""

SECRET_ALGORITHMS = {"HS256": 32, "HS384": 48, "HS512": 64}
"""With the bytes that a secret must have at least: as many as the hash (RFC 7518 §3.2)."""
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
KEY_ALGORITHMS = (*RSA_ALGORITHMS, *EC_ALGORITHMS.values(), "EdDSA")


@dataclass(frozen=True)
class SigningKey:
    """A key as it is now, and what the header of an assertion says about it."""

    material: bytes = field(repr=False)
    """The private key as unencrypted PEM (PKCS #8), or a secret's bytes."""
    kind: str
    """The `kty` of RFC 7517 §4.1."""
    alg: str
    header: tuple[tuple[str, str], ...] = ()
    private: Any = field(default=None, repr=False, compare=False)
    """The private key as cryptography has it. To read RSA keys of 4096 bits from PEM takes 0.3 s,
    in which no other thread runs: the check of the primes holds the GIL."""


def signed_assertion(key: SigningKey, client_id: str, audience: str, wall: float) -> str:
    """A JWT by which `client_id` proves itself to `audience`; `wall` in seconds since the epoch."""
    import uuid  # here, as joserfc: most clients sign nothing

    from joserfc import jws, jwt

    class AnyAlgorithm(jws.JWSRegistry):
        """Without joserfc's warning of EdDSA, the one name that servers know; alg is checked."""

        def get_alg(self, name: str) -> Any:
            return self.algorithms[name]

    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": int(wall),
        "exp": int(wall) + LIFETIME,
    }
    return jwt.encode(
        {**dict(key.header), "alg": key.alg}, claims, _loaded(key), registry=AnyAlgorithm()
    )


def secret_as_key(secret: str, alg: str) -> SigningKey:
    """The client's secret as the key of `client_secret_jwt`."""
    material = secret.encode()
    if len(material) < SECRET_ALGORITHMS[alg]:
        raise ConfigurationError(
            f"client_secret is too short to sign with {alg}: it has {len(material)} bytes, and "
            f"{SECRET_ALGORITHMS[alg]} are needed (RFC 7518 §3.2)"
        )
    if "-----BEGIN" in secret or secret.startswith(("ssh-", "ecdsa-")):
        raise ConfigurationError(_OTHER_KEY)  # before joserfc says so, which takes 80 ms to import
    return SigningKey(material, "oct", alg)


def _loaded(key: SigningKey) -> Any:
    """The key as joserfc has it. It refuses a secret that is somebody's public key."""
    from joserfc import jwk

    if key.kind != "oct":
        kinds: dict[str, Any] = {"RSA": jwk.RSAKey, "EC": jwk.ECKey, "OKP": jwk.OKPKey}
        return kinds[key.kind](key.private, key.private)
    try:
        return jwk.OctKey.import_key({"kty": "oct", "k": _base64url(key.material)})
    except ValueError:
        problem = _OTHER_KEY
    raise ConfigurationError(problem)


_OTHER_KEY = "client_secret is a key of another kind; pass it as client_auth=PrivateKeyJWT(key)"


def read_key(
    source: KeySource,
    alg: str | None,
    kid: str | None,
    certificate: str | bytes | os.PathLike[str] | None,
    password: str | bytes | None,
) -> SigningKey:
    """The private key of `source`, ready to sign.

    Raises:
        ConfigurationError: it cannot be read, does not fit `alg` or the certificate, or is weak.
    """
    private, named = _private_key(source, password)
    kind, fitting = _kind_and_algorithms(private)
    alg = alg or named.get("alg", fitting[0])
    if alg not in fitting:
        raise ConfigurationError(f"alg {alg} does not fit this key; it can sign {_any_of(fitting)}")
    check_text("kid", kid)
    key_id = kid or named.get("kid")
    header = {"kid": key_id} if key_id else {}
    if certificate is not None:
        header.update(_thumbprints(certificate, private))
    return SigningKey(_pem(private), kind, alg, tuple(header.items()), private)


def _private_key(source: KeySource, password: str | bytes | None) -> tuple[Any, Mapping[str, str]]:
    """The key as cryptography has it, and the `kid` and `alg` that a JWK gives it."""
    if isinstance(source, Mapping):
        return _jwk(source, password)
    data = content("key", source)
    if data.lstrip().startswith(b"{"):
        fields = None
        with contextlib.suppress(ValueError, RecursionError):  # the key stands in such an error
            fields = json.loads(data)
        if fields is None:
            raise ConfigurationError("key is no JWK: its JSON cannot be read")
        return _jwk(fields, password)
    return _pem_key(data, password), {}


def _jwk(fields: Mapping[str, Any], password: str | bytes | None) -> tuple[Any, Mapping[str, str]]:
    from joserfc import jwk

    if password is not None:
        raise ConfigurationError("password is given, and key is a JWK; leave it out")
    if "keys" in fields:
        raise ConfigurationError("key is a set of JWKs; pass one of its keys")
    if fields.get("kty") not in ("RSA", "EC", "OKP") or "d" not in fields:
        raise ConfigurationError(
            "key is a JWK without a private key; one with kty RSA, EC or OKP and a d is wanted"
        )
    private = None
    with contextlib.suppress(Exception):  # whatever joserfc and cryptography make of broken numbers
        private = jwk.import_key(dict(fields)).private_key
    if private is None:
        raise ConfigurationError("key is a JWK that cannot be read")
    named = {name: fields.get(name) for name in ("kid", "alg")}
    return private, {name: value for name, value in named.items() if isinstance(value, str)}


def _pem_key(data: bytes, password: str | bytes | None) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    secret = password.encode(errors="replace") if isinstance(password, str) else password
    if not isinstance(secret, (bytes, type(None))):
        raise ConfigurationError("password must be a text or bytes")
    if secret is not None and b"ENCRYPTED" not in data:
        raise ConfigurationError("password is given, and key is not encrypted; leave it out")
    try:
        return load_pem_private_key(data, secret)
    except TypeError:
        problem = "key is encrypted; give its password="
    except Exception:  # not chained: a parser's message could quote the key
        wrong = ", or the password is wrong" if secret is not None else ""
        problem = f"key holds no private key in PEM that can be read{wrong}"
    raise ConfigurationError(problem)


def _kind_and_algorithms(private: Any) -> tuple[str, tuple[str, ...]]:
    """The `kty` of a key, and the algorithms that it can sign with, the usual one first."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < SMALLEST_RSA_KEY:
            raise ConfigurationError(
                f"key has {private.key_size} bits; {SMALLEST_RSA_KEY} are needed (RFC 7518 §3.3)"
            )
        return "RSA", RSA_ALGORITHMS
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in EC_ALGORITHMS:
        return "EC", (EC_ALGORITHMS[private.curve.name],)
    if isinstance(private, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)):
        return "OKP", ("EdDSA",)
    raise ConfigurationError(
        "key is of a kind that cannot sign here; RSA, EC (P-256, P-384, P-521), Ed25519 or Ed448 "
        "is wanted"
    )


def _pem(private: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    pem: bytes = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem


def _thumbprints(source: str | bytes | os.PathLike[str], private: Any) -> dict[str, str]:
    """What names the certificate in a header (RFC 7515 §4.1.7 and §4.1.8): Entra ID wants it."""
    from cryptography.hazmat.primitives import hashes

    certificate = _certificate(content("certificate", source))
    if certificate.public_key() != private.public_key():
        raise ConfigurationError("certificate belongs to another key; give the one of this key")
    return {
        "x5t": _base64url(certificate.fingerprint(hashes.SHA1())),  # noqa: S303  # the RFC's name for it
        "x5t#S256": _base64url(certificate.fingerprint(hashes.SHA256())),
    }


def _certificate(data: bytes) -> Certificate:
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(data)  # the first one, where a key or a chain is with it
    except ValueError:
        raise ConfigurationError("certificate holds no certificate in PEM") from None


def content(setting: str, source: str | bytes | os.PathLike[str]) -> bytes:
    """What a setting holds: bytes and PEM or JSON text as they are, else the file it names."""
    if isinstance(source, str) and "-----BEGIN" in source:
        unfolded = source.replace("\\n", "\n")  # as environment variables often have them
        return unfolded.encode(errors="replace")
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return source.encode(errors="replace")
    if isinstance(source, bytes):
        return source
    if not isinstance(source, (str, os.PathLike)):
        raise ConfigurationError(f"{setting} must be PEM, bytes, or the path of a file")
    try:
        with open(source, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        # A text that is no path may be the key itself: it is not shown, nor is the cause.
        named = f" {os.fspath(source)!r}" if isinstance(source, os.PathLike) else ""
        kind = type(error).__name__
    raise ConfigurationError(f"{setting} cannot be read from its file{named} ({kind})")


def algorithm(alg: object, known: Mapping[str, Any] | tuple[str, ...]) -> None:
    """Refuse what is no `alg` of RFC 7518 §3.1 that fits."""
    if alg not in tuple(known):
        raise ConfigurationError(f"alg must be {_any_of(tuple(known))}")


def check_text(setting: str, value: object) -> None:
    """Refuse what is neither None nor a text that a JWT can hold."""
    if value is not None and not (isinstance(value, str) and value.isprintable()):
        raise ConfigurationError(f"{setting} must be a text of printable characters")


def _any_of(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
