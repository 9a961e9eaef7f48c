"""What is put into a shared store: under which key, how it is encrypted, and what is believed.

The only place that derives keys, and that reads what somebody else may have written. All of it is
pure: no file, no clock, no network. A value is a JWE (RFC 7516) in compact form, `dir` with
A256GCM, made by joserfc. Whoever has no secret of the client's can neither read nor forge it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._errors import ConfigurationError
from ._sealed_token import Miss, as_json, from_json
from ._undivided import first_use
from .client_auth import ClientAssertion, ClientAuth, Credential, TLSClientCertificate

if TYPE_CHECKING:
    from ._assertion import SigningKey
    from ._clock import Instant
    from ._grant import Grant
    from ._token import Token

LARGEST_VALUE = 2 * 1024 * 1024
"""Bytes. The answer of a token endpoint is read up to 1 MiB, and Base64 adds a third of it."""

_LARGEST_HEADER = 256
"""Characters of the first part of a JWE; ours has 76."""

_FORMAT = "pygen-auth-token-1"
"""The version of the format. What has another is not read."""
_HEADER = {"alg": "dir", "enc": "A256GCM", "typ": _FORMAT}

_FOR_FINGERPRINT = b"pygen-auth fingerprint of a credential 1"
_FOR_ENCRYPTION = b"pygen-auth encryption 1 "
"""The `info` of HKDF (RFC 5869 §3.2): what a derived key is for. The second goes on with the
store's key, so a value that is moved to another key cannot be read there."""


_WITHOUT_SECRET = (ClientAssertion, TLSClientCertificate)
"""Clients that have nothing of their own to encrypt with; an assertion changes all the time."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the token of one grant and one credential is in a store, and what opens it."""

    key: str
    """64 hexadecimal digits. Nothing of the grant or the credential can be read out of it."""
    secret: bytes = field(repr=False)
    """The key of A256GCM: 32 bytes."""


def place_of(grant: Grant, credential: Credential, encryption_key: bytes | None) -> Place:
    """The place in a store for this grant, proven by this credential.

    Another credential has another place: while secrets are rotated, the old one and the new one do
    not overwrite each other.

    Raises:
        ConfigurationError: the client has no secret of its own, and the store no encryption_key.
    """
    # Now, and not with the first value: that would be within the second that a store has, and where
    # 64 processes start on two cores, each waits some seconds for this.
    with first_use.alone():
        import joserfc.jwe  # noqa: F401

        return _place(grant, _material(grant, credential, encryption_key), encryption_key or b"")


def _place(grant: Grant, material: bytes, salt: bytes) -> Place:
    named = [
        _FORMAT,
        grant.token_url,
        grant.client_id,
        sorted(set(grant.scopes)),
        grant.audience,
        sorted(grant.params, key=lambda field: field[0]),  # repeated ones stay in their order
        grant.client_auth.name,
        _derived(material, salt, _FOR_FINGERPRINT).hex(),
    ]
    key = hashlib.sha256(_canonical(named)).hexdigest()
    return Place(key, _derived(material, salt, _FOR_ENCRYPTION + key.encode()))


def store_key(grant: Grant, credential: Credential, encryption_key: bytes | None) -> str:
    """The `key` of `place_of`."""
    return place_of(grant, credential, encryption_key).key


def seal(token: Token, place: Place, now: Instant) -> bytes:
    """The token as a store keeps it. How long it may be believed is reckoned from `now`."""
    from joserfc import jwe  # here: most programs share no token, and it takes 80 ms

    return jwe.encrypt_compact(
        dict(_HEADER), as_json(token, now), _oct_key(place), registry=_registry()
    ).encode()


def unseal(value: bytes, place: Place, now: Instant) -> Token | Miss:
    """The token of a value from a store, or why there is none; raises nothing.

    Its deadlines are by the reader's clocks, as `from_json` says. Only what `seal` makes is
    looked into: the header is compared before anything is decrypted, so no other algorithm and no
    compression comes into play.
    """
    if len(value) > LARGEST_VALUE:
        return Miss.LARGE
    if _header(value) != _HEADER:
        return Miss.FORMAT
    content = _decrypted(value, place)
    return Miss.FOREIGN if content is None else from_json(content, now)


def _header(value: bytes) -> Any:
    """The protected header as it stands there, not yet authenticated; None if there is none."""
    first, dot, _ = value[:_LARGEST_HEADER].partition(b".")
    try:
        return json.loads(base64.urlsafe_b64decode(first + b"==")) if dot else None
    except (ValueError, RecursionError):
        return None


def _decrypted(value: bytes, place: Place) -> bytes | None:
    from joserfc import jwe

    try:
        return jwe.decrypt_compact(value, _oct_key(place), registry=_registry()).plaintext
    except Exception:  # whatever joserfc and cryptography make of other people's bytes
        return None


def _oct_key(place: Place) -> Any:
    from joserfc.jwk import OctKey

    return OctKey.import_key(place.secret)


def _registry() -> Any:
    """The rules of joserfc, with a limit that fits a large token; its own is 64 KiB."""
    from joserfc import jwe

    registry = jwe.JWERegistry(algorithms=[_HEADER["alg"], _HEADER["enc"]])
    registry.max_ciphertext_length = LARGEST_VALUE
    return registry


# -- keys


def _material(grant: Grant, credential: Credential, encryption_key: bytes | None) -> bytes:
    """What the keys are derived from: the secret or the private key, else the encryption_key."""
    if not isinstance(grant.client_auth, _WITHOUT_SECRET):
        return credential.encode() if isinstance(credential, str) else _private_bytes(credential)
    check_encryption_key(grant.client_auth, encryption_key)
    assert encryption_key is not None
    return encryption_key


def check_encryption_key(client_auth: ClientAuth, encryption_key: bytes | None) -> None:
    """Refuse a store that could not encrypt what is put into it.

    Raises:
        ConfigurationError: the client has no secret of its own, and the store no encryption_key.
    """
    if isinstance(client_auth, _WITHOUT_SECRET) and encryption_key is None:
        raise ConfigurationError(
            f"store needs an encryption_key with client_auth={type(client_auth).__name__}: "
            "this client has no secret of its own to encrypt with; give the store one, as in "
            "FileTokenStore(encryption_key=...), the same for all who share it"
        )


def _private_bytes(key: SigningKey) -> bytes:
    """The numbers that make the private key, the same whichever tool wrote its file.

    The two primes of an RSA key may stand in either order, and its private exponent has several
    values; PKCS #8 repeats these as they come.
    """
    if key.kind == "oct":
        return key.material
    if key.kind == "RSA":
        numbers = key.private.private_numbers()
        parts = [*sorted((numbers.p, numbers.q)), numbers.public_numbers.e]
        return _canonical(["RSA", *(f"{part:x}" for part in parts)])
    if key.kind == "EC":
        scalar = key.private.private_numbers().private_value
        return _canonical(["EC", key.private.curve.name, f"{scalar:x}"])
    return _canonical(["OKP", key.private.private_bytes_raw().hex()])


def _derived(material: bytes, salt: bytes, info: bytes) -> bytes:
    """32 bytes by HKDF with SHA-256 (RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(material)


def _canonical(value: list[Any]) -> bytes:
    """JSON in one spelling, so that no two lists have the same bytes."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
