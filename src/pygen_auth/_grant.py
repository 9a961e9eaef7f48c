"""The grant: what to ask for, from whom, as whom, checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._checks import check_text, check_url, encodable
from ._client_secret import BY_NAME, ClientSecretBasic, ClientSecretPost, called
from ._errors import ConfigurationError

if TYPE_CHECKING:
    from .client_auth import ClientAuth, Credential

ClientSecret = str | Callable[[], str]
Params = Mapping[str, "str | Iterable[str]"]


_RESERVED_PARAMS = {
    "grant_type": "it is always client_credentials",
    "client_id": "use the argument client_id",
    "client_secret": "use the argument client_secret",
    "scope": "use the argument scopes",
    "audience": "use the argument audience",
    "client_assertion": "use the argument client_auth",
    "client_assertion_type": "use the argument client_auth",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A client credentials grant (RFC 6749 §4.4.2), checked. Everything that names the token."""

    token_url: str
    client_id: str
    client_secret: ClientSecret | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ()
    audience: str | None = None
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    client_auth: ClientAuth = BY_NAME[ClientSecretPost.name]

    @property
    def credential_at_hand(self) -> bool:
        """Whether nothing has to be called, read from a file or signed."""
        return self.client_auth.at_hand and not callable(self.client_secret)

    def credential(self) -> Credential:
        """What proves the client, read now.

        Raises:
            ConfigurationError: a callable or a file that gives it failed, or gave none.
        """
        try:
            return self._read()
        except ConfigurationError as error:
            error.retryable = True  # the source may give something else next time
            raise
        except Exception as error:
            raise ConfigurationError(
                f"{self.credential_setting} could not be read: its callable raised "
                f"{type(error).__name__}",
                retryable=True,
            ) from error

    @property
    def credential_setting(self) -> str:
        """The setting that the credential comes from."""
        return "client_secret" if self.client_auth.takes_secret else "client_auth"

    def _read(self) -> Credential:
        if not self.client_auth.takes_secret:
            return self.client_auth.credential("")
        secret: object = self.client_secret
        if callable(secret):
            secret = called("client_secret", secret)
        return self.client_auth.credential(check_secret(secret))


def check_grant(
    token_url: str,
    client_id: str,
    client_secret: ClientSecret | None,
    scopes: Iterable[str] | str | None,
    audience: str | None,
    params: Params | None,
    client_auth: str | ClientAuth,
    insecure_hosts: Collection[str],
) -> Grant:
    """A grant of these settings, or a ConfigurationError that names the one that is wrong."""
    known_auth = _check_client_auth(client_auth)
    if known_auth.takes_secret:
        if not callable(client_secret):
            known_auth.credential(check_secret(client_secret))
    elif client_secret is not None:
        raise ConfigurationError(
            f"client_secret is not used with client_auth={type(known_auth).__name__}; leave it out"
        )
    grant = Grant(
        token_url=check_url("token_url", token_url, insecure_hosts),
        client_id=check_text("client_id", client_id),
        client_secret=client_secret,
        scopes=_check_scopes(scopes),
        audience=check_text("audience", audience) if audience else None,
        params=_check_params(params or {}),
        client_auth=known_auth,
    )
    if known_auth == ClientSecretBasic("raw") and ":" in grant.client_id:
        raise ConfigurationError(
            "client_id holds a colon, at which raw Basic credentials are split (RFC 7617 §2); "
            "use client_auth='client_secret_post'"
        )
    return grant


def _check_client_auth(client_auth: str | ClientAuth) -> ClientAuth:
    if isinstance(client_auth, str) and client_auth in BY_NAME:
        return BY_NAME[client_auth]
    from .client_auth import check_client_auth  # here: most programs need no other

    return check_client_auth(client_auth)


def check_secret(secret: object) -> str:
    """A usable client secret. Its value never stands in a message."""
    if secret is None:
        raise ConfigurationError(
            "client_secret is missing; pass it, or prove the client in another way by client_auth"
        )
    if not isinstance(secret, str):
        raise ConfigurationError(f"client_secret must be a str, not {type(secret).__name__}")
    if not secret.strip():
        raise ConfigurationError("client_secret is empty; is the variable or file it is from set?")
    if secret.endswith(("\n", "\r")):
        raise ConfigurationError("client_secret ends with a line break; strip() it")
    if secret.startswith("\ufeff"):
        raise ConfigurationError(
            "client_secret begins with a byte order mark; read its file with encoding='utf-8-sig'"
        )
    return encodable("client_secret", secret)


def credential_is_late(grant: Grant, timeout: float) -> ConfigurationError:
    """The error of a callable or a file that takes longer than `timeout` seconds."""
    return ConfigurationError(
        f"{grant.credential_setting} could not be read within {timeout:.3g} s", retryable=True
    )


def _check_scopes(scopes: Iterable[str] | str | None) -> tuple[str, ...]:
    if scopes is None:
        return ()
    if isinstance(scopes, str):
        return tuple(encodable("scopes", scopes).split())
    if not isinstance(scopes, Iterable) or isinstance(scopes, (bytes, Mapping)):
        raise ConfigurationError("scopes must be a list of str, or one space-separated str")
    names = tuple(scopes)
    for name in names:
        if not isinstance(name, str) or not name or name.split() != [name]:
            raise ConfigurationError(
                f"scopes holds {name!r}; each scope is a str without white space"
            )
    return tuple(encodable("scopes", name) for name in names)


def _check_params(params: Params) -> tuple[tuple[str, str], ...]:
    if not isinstance(params, Mapping):
        raise ConfigurationError("params must be a mapping of form fields")
    fields = []
    for name, value in params.items():
        if name in _RESERVED_PARAMS:
            raise ConfigurationError(f"params must not hold {name}: {_RESERVED_PARAMS[name]}")
        values = [value] if isinstance(value, str) else value
        if not isinstance(name, str) or not name or not isinstance(values, (list, tuple)):
            raise ConfigurationError(f"params[{name!r}] must be a str or a list of str")
        if not all(isinstance(single, str) for single in values):
            raise ConfigurationError(f"params[{name!r}] must be a str or a list of str")
        fields += [(encodable("params", name), encodable("params", one)) for one in values]
    return tuple(fields)
