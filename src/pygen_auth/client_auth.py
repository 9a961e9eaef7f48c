"""How a client proves who it is, as values for `client_auth=`.

    OAuth2ClientCredentials(token_url, client_id, client_auth=PrivateKeyJWT("key.pem"))

Each `name` is that of RFC 7591 §2 (`token_endpoint_auth_method`). The values are frozen, and no
`repr` shows a secret; a pickle holds what was given, so a key given as text is in it.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ._assertion import (
    KEY_ALGORITHMS,
    SECRET_ALGORITHMS,
    KeySource,
    SigningKey,
    algorithm,
    check_text,
    content,
    read_key,
    secret_as_key,
)
from ._client_secret import BY_NAME as _AS_IT_IS
from ._client_secret import ClientSecretBasic, ClientSecretPost, Method, called
from ._errors import ConfigurationError

__all__ = [
    "ClientAssertion",
    "ClientSecretBasic",
    "ClientSecretJWT",
    "ClientSecretPost",
    "PrivateKeyJWT",
    "TLSClientCertificate",
]


@dataclass(frozen=True)
class ClientSecretJWT(Method):
    """A JWT signed with the secret, which itself is not sent (RFC 7523 §2.2).

    Args:
        alg: HS256, HS384 or HS512. The secret must have 32, 48 or 64 bytes at least.
        audience: the `aud` of the JWT; the token endpoint unless given.

    Raises:
        ConfigurationError: another algorithm.
    """

    name: ClassVar[str] = "client_secret_jwt"
    takes_secret: ClassVar[bool] = True
    alg: str = "HS256"
    audience: str | None = None

    def __post_init__(self) -> None:
        algorithm(self.alg, SECRET_ALGORITHMS)
        check_text("audience", self.audience)

    def credential(self, secret: str) -> SigningKey:
        """The secret as a key, long enough for its hash."""
        return secret_as_key(secret, self.alg)


@dataclass(frozen=True)
class PrivateKeyJWT(Method):
    """A JWT signed with the client's private key (RFC 7523 §2.2). It lives for 5 minutes.

    Args:
        key: PEM as text or bytes, a JWK as mapping or JSON text, or the path of a file with
            either. A file is read at each token request, so a new key needs no restart.
        alg: RS256 to RS512, PS256 to PS512, ES256 to ES512, or EdDSA; unless given, that of the
            JWK, else RS256 for an RSA key and the one that fits for the others.
        kid: the key's id at the server, in the JWT's header; that of the JWK unless given.
        certificate: PEM or the path of a file: its thumbprints go into the header as `x5t` and
            `x5t#S256`, as Entra ID wants it. May be the same file as `key`.
        password: of an encrypted PEM.
        audience: the `aud` of the JWT; the token endpoint unless given. Some servers want their
            issuer.

    Raises:
        ConfigurationError: the key cannot be read, is too weak, or does not fit.
    """

    name: ClassVar[str] = "private_key_jwt"
    key: KeySource = field(repr=False, hash=False)
    alg: str | None = None
    kid: str | None = None
    certificate: str | bytes | os.PathLike[str] | None = field(default=None, repr=False)
    password: str | bytes | None = field(default=None, repr=False)
    audience: str | None = None

    def __post_init__(self) -> None:
        if self.alg is not None:
            algorithm(self.alg, KEY_ALGORITHMS)
        check_text("audience", self.audience)
        if isinstance(self.key, Mapping):
            object.__setattr__(self, "key", dict(self.key))
        self.signing_key()

    def signing_key(self) -> SigningKey:
        """The key as it is now; what has not changed since it was last read is not checked again.

        Raises:
            ConfigurationError: as when the value is made.
        """
        source = self.key if isinstance(self.key, Mapping) else content("key", self.key)
        certificate = None
        if self.certificate is not None:
            certificate = content("certificate", self.certificate)
        known = vars(self).get("_known")
        if known is None or known[0] != (source, certificate):
            key = read_key(source, self.alg, self.kid, certificate, self.password)
            known = (source, certificate), key
            object.__setattr__(self, "_known", known)
        return known[1]

    def credential(self, secret: str) -> SigningKey:
        """`signing_key()`."""
        return self.signing_key()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_known"}


@dataclass(frozen=True)
class ClientAssertion(Method):
    """A JWT that somebody else issued for this client: federated identity (RFC 7523 §2.2).

    Args:
        source: the path of a file with it, or a callable without arguments that gives it. Either
            is read at each token request: such JWTs are replaced every hour or so. AKS workload
            identity names its file in AZURE_FEDERATED_TOKEN_FILE.

    Raises:
        ConfigurationError: neither path nor callable.
    """

    name: ClassVar[str] = "private_key_jwt"
    source: str | os.PathLike[str] | Callable[[], str]

    def __post_init__(self) -> None:
        is_path = isinstance(self.source, (str, os.PathLike)) and os.fspath(self.source).strip()
        if not callable(self.source) and not is_path:
            raise ConfigurationError("source must be the path of a file, or a callable")
        if isinstance(self.source, str) and self.source.startswith("eyJ"):
            raise ConfigurationError(
                "source must be the path of a file, or a callable; a JWT itself would expire"
            )

    def assertion(self) -> str:
        """The JWT, read now.

        Raises:
            ConfigurationError: it cannot be read, or is none.
        """
        source = self.source
        if callable(source):
            jwt = called("source", source)
        else:
            jwt = content("source", source).decode("ascii", "replace")
        if not isinstance(jwt, str) or not jwt.isascii() or len(jwt.split()) != 1:
            raise ConfigurationError("the source of the client assertion gives no JWT")
        return jwt.strip()

    def credential(self, secret: str) -> str:
        """`assertion()`."""
        return self.assertion()


@dataclass(frozen=True)
class TLSClientCertificate(Method):
    """The certificate of the TLS connection (RFC 8705 §2); the form has the client id alone.

    Serves `tls_client_auth` and `self_signed_tls_client_auth`, which differ at the server only.

    Args:
        cert: path of a PEM file with the certificate and its chain. None where the certificate is
            on the connection already, by `client=` or by an `ssl.SSLContext` as `verify=`.
        key: path of the PEM file with its private key; None where that is in `cert`, too.
        password: of an encrypted key.

    Raises:
        ConfigurationError: the files cannot be read, or do not belong together.
    """

    name: ClassVar[str] = "tls_client_auth"
    at_hand: ClassVar[bool] = True
    by_connection: ClassVar[bool] = True
    cert: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.cert is None and self.key is not None:
            raise ConfigurationError("key needs the cert that it belongs to")
        if self.cert is not None:
            self.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have connections of `context` show the certificate, as its files are now.

        Raises:
            ConfigurationError: as when the value is made.
        """
        if self.cert is None:
            return
        try:
            # With no password at all, OpenSSL would ask for one at the terminal.
            context.load_cert_chain(self.cert, self.key, self.password or "")
            return
        except (OSError, ValueError, TypeError) as error:
            kind = type(error).__name__  # not chained: the password stands in some; nor is cert
        raise ConfigurationError(  # shown, which may be the key itself
            f"cert cannot be used ({kind}): the path of a PEM file with certificate and "
            "unencrypted key is wanted, or key= and password= as well"
        )


ClientAuth = (
    ClientSecretPost
    | ClientSecretBasic
    | ClientSecretJWT
    | PrivateKeyJWT
    | ClientAssertion
    | TLSClientCertificate
)

Credential = str | SigningKey
"""What proves the client at one token request: its secret, a key, somebody's assertion, or the
empty text where the connection itself does."""

BY_NAME: dict[str, ClientAuth] = {
    **_AS_IT_IS,
    "client_secret_jwt": ClientSecretJWT(),
    "tls_client_auth": TLSClientCertificate(),
    "self_signed_tls_client_auth": TLSClientCertificate(),
}
"""Those that need nothing but their name."""


PASSED_FOR = {
    "client_secret_post": "client_secret",
    "client_secret_basic": "client_secret",
    "client_secret_jwt": "client_secret",
    "private_key_jwt": "client_auth=PrivateKeyJWT(key)",
    "tls_client_auth": "client_auth=TLSClientCertificate(cert, key)",
    "self_signed_tls_client_auth": "client_auth=TLSClientCertificate(cert, key)",
}
"""What the caller passes for a method of RFC 7591 §2."""


def check_client_auth(client_auth: object) -> ClientAuth:
    """The value that a name stands for, or the value itself."""
    if isinstance(client_auth, str) and client_auth in BY_NAME:
        return BY_NAME[client_auth]
    if isinstance(client_auth, ClientAuth):
        return client_auth
    raise ConfigurationError(
        f"client_auth must be one of {', '.join(BY_NAME)}, or a value of pygen_auth.client_auth "
        "such as PrivateKeyJWT(key)"
    )
