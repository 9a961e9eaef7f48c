"""The settings of client credentials: checked, readable, pickled; and the short ways to them."""

from __future__ import annotations

import os
import ssl
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ._checks import check_hosts, check_seconds, check_switch
from ._client_secret import ClientSecretPost
from ._clients import (
    DEFAULT_CONNECTION,
    Client,
    Connection,
    Verify,
    is_async_client_object,
    is_client_object,
)
from ._errors import ConfigurationError
from ._grant import ClientSecret, Params, check_grant

if TYPE_CHECKING:
    from ._sources import Settings
    from .client_auth import ClientAuth, TLSClientCertificate
    from .events import OnEvent
    from .providers import Provider
    from .stores import TokenStore

Self = TypeVar("Self", bound="ClientSettings")


class ClientSettings:
    """What the two shells take, checked. Nothing here changes but by assignment."""

    _takes_async_client: ClassVar[bool]
    _OF_THIS_RUN: ClassVar[frozenset[str]] = frozenset()
    """Attributes that belong to a running program, and that no pickle or copy carries."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: ClientSecret | None = None,
        scopes: Iterable[str] | str | None = None,
        audience: str | None = None,
        refresh_margin: float = 300,
        *,
        client_auth: str | ClientAuth = ClientSecretPost.name,
        params: Params | None = None,
        store: TokenStore | None = None,
        client: Client | None = None,
        verify: Verify = True,
        insecure_hosts: Collection[str] = (),
        timeout: float = 30.0,
        default_lifetime: float = 3600.0,
        background_refresh: bool = False,
        on_event: OnEvent | None = None,
    ) -> None:
        self._insecure_hosts = hosts = check_hosts(insecure_hosts)
        self._grant = check_grant(
            token_url, client_id, client_secret, scopes, audience, params, client_auth, hosts
        )
        self._margin = check_seconds("refresh_margin", refresh_margin, zero=True)
        self._store = _check_store(store, self._grant.client_auth)
        self._connection = self._check_connection(client, verify)
        self._timeout = check_seconds("timeout", timeout, finite=True)
        self._default_lifetime = check_seconds("default_lifetime", default_lifetime, finite=True)
        self._background_refresh = check_switch("background_refresh", background_refresh)
        self._on_event = _check_listener(on_event)
        self._begin()

    def _begin(self) -> None:
        """Start to work with the settings."""

    # -- short ways

    @classmethod
    def from_provider(
        cls: type[Self],
        provider: Provider,
        client_id: str,
        client_secret: ClientSecret | None = None,
        **keywords: Any,
    ) -> Self:
        """Credentials for a provider: one of `pygen_auth.providers`, or a `Provider` of yours.

        Args:
            provider: what the provider wants, as data.
            client_id: the client identifier.
            client_secret: the secret, or a callable that gives it.
            **keywords: those of the constructor. Each wins over what the provider says; `params`
                are added to the provider's, field by field.

        Raises:
            ConfigurationError: a setting cannot be right, or the provider takes no such client.
        """
        from ._keywords import of_provider  # here: presets cost 5 ms, and many need none

        preset = of_provider(provider, keywords)
        return cls(client_id=client_id, client_secret=client_secret, **preset)

    @classmethod
    def _of(cls: type[Self], settings: Settings) -> Self:
        if settings.kind != "client_credentials":
            raise ConfigurationError(
                f"these settings hold a token, not client credentials; {cls.__name__} needs a "
                "client id, and the abstract class takes either"
            )
        return cls(**settings.keywords)

    # -- settings, as Pygen has them

    @property
    def token_url(self) -> str:
        """The token endpoint (RFC 6749 §3.2)."""
        return self._grant.token_url

    @property
    def client_id(self) -> str:
        """The client identifier (RFC 6749 §2.2)."""
        return self._grant.client_id

    @property
    def client_secret(self) -> ClientSecret | None:
        """The client's secret, or the callable that gives it; None where there is none."""
        return self._grant.client_secret

    @property
    def scopes(self) -> list[str]:
        """The scopes that are asked for; empty where none are."""
        return list(self._grant.scopes)

    @property
    def audience(self) -> str | None:
        """The audience that is asked for, as Auth0 and others want it."""
        return self._grant.audience

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(token_url={self.token_url.partition('?')[0]!r}, "
            f"client_id={self.client_id!r}, scopes={self.scopes!r}, audience={self.audience!r})"
        )

    # -- pickle and copy: the settings (with the secret), never a token, a lock or a client

    def __getstate__(self) -> dict[str, Any]:
        if is_client_object(self._connection.client):
            raise ConfigurationError(
                "client is an object, which no pickle or copy can carry; pass a callable that "
                "makes one, as in client=httpx.Client"
            )
        if isinstance(self._connection.verify, ssl.SSLContext):
            raise ConfigurationError(
                "verify is an ssl.SSLContext, which no pickle or copy can carry; pass the path "
                "of a CA file"
            )
        return {name: value for name, value in vars(self).items() if name not in self._OF_THIS_RUN}

    def __setstate__(self, settings: dict[str, Any]) -> None:
        vars(self).update(settings)
        self._begin()

    def _check_connection(self, client: Client | None, verify: Verify) -> Connection:
        if not self._grant.client_auth.by_connection:
            if client is None and verify is True:
                return DEFAULT_CONNECTION
            return Connection(self._check_client(client), _check_verify(verify, client))
        from .client_auth import TLSClientCertificate  # here, as the presets

        certificate = self._grant.client_auth
        assert isinstance(certificate, TLSClientCertificate)
        _check_certificate(certificate, self.token_url, client, verify)
        return Connection(
            self._check_client(client),
            _check_verify(verify, client),
            certificate if certificate.cert is not None else None,
        )

    @classmethod
    def _check_client(cls, client: Client | None) -> Client | None:
        if client is None:
            return None
        if not is_client_object(client) and not callable(client):
            raise ConfigurationError("client must be an httpx client or a callable that gives one")
        if is_async_client_object(client) and not cls._takes_async_client:
            raise ConfigurationError(
                "client is an asynchronous one; these credentials are synchronous"
            )
        return client


def _check_listener(on_event: OnEvent | None) -> OnEvent | None:
    if on_event is None:
        return None
    from .events import check_listener  # here, as the presets

    return check_listener(on_event)


def _check_store(store: TokenStore | None, client_auth: ClientAuth) -> TokenStore | None:
    if store is None:
        return None
    from ._sealing import check_encryption_key
    from .stores import TokenStore  # here: most programs share no token

    if not isinstance(store, TokenStore):
        raise ConfigurationError("store must be a pygen_auth.stores.TokenStore")
    check_encryption_key(client_auth, store.encryption_key)
    return store


def _check_certificate(
    certificate: TLSClientCertificate, token_url: str, client: Client | None, verify: Verify
) -> None:
    """The certificate must get onto the connection in one way, not in two and not in none."""
    if not token_url.lower().startswith("https:"):
        raise ConfigurationError("token_url must be https: a client certificate is shown by TLS")
    brought = client is not None or isinstance(verify, ssl.SSLContext)
    if brought and certificate.cert is not None:
        raise ConfigurationError(
            "the certificate of client_auth has no effect on your client or ssl.SSLContext; load "
            "it there, and pass client_auth='tls_client_auth'"
        )
    if not brought and certificate.cert is None:
        raise ConfigurationError(
            "client_auth names no certificate; pass TLSClientCertificate(cert), or a client or an "
            "ssl.SSLContext that shows one"
        )


def _check_verify(verify: Verify, client: Client | None) -> Verify:
    if verify is True or isinstance(verify, ssl.SSLContext):
        known = True
    elif isinstance(verify, bool) or not isinstance(verify, (str, os.PathLike)):
        raise ConfigurationError(
            "verify must be True, an ssl.SSLContext or the path of a CA file; checking "
            "certificates cannot be switched off, since the secret would go to anybody"
        )
    else:
        known = os.path.isfile(verify)
    if not known:
        raise ConfigurationError(f"verify names no file: {os.fspath(verify)!r}")  # type: ignore[arg-type]
    if client is not None and verify is not True:
        raise ConfigurationError("verify has no effect on the given client; set it up there")
    return verify
