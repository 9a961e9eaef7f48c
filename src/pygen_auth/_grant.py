"""The grant: what to ask for, from whom, as whom; and the only place that checks settings."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from ._assertion import secret_as_key
from ._errors import ConfigurationError
from .client_auth import (
    WITH_SECRET,
    ClientAssertion,
    ClientAuth,
    ClientSecretBasic,
    ClientSecretJWT,
    ClientSecretPost,
    Credential,
    PrivateKeyJWT,
    TLSClientCertificate,
    called,
    check_client_auth,
)

ClientSecret = str | Callable[[], str]
Params = Mapping[str, "str | Iterable[str]"]

LONGEST = 10 * 365 * 86_400.0
"""Seconds. A time-out or a lifetime above it has a wrong unit or is a wrong number."""

_BRACKETED = re.compile(r"\[[0-9a-fA-F:.]+\](:[0-9]*)?$")
_HOST_NAME = re.compile(r"[^\s/@:*?#\[\]]+")

_RESERVED_PARAMS = {
    "grant_type": "it is always client_credentials",
    "client_id": "use the argument client_id",
    "client_secret": "use the argument client_secret",
    "scope": "use the argument scopes",
    "audience": "use the argument audience",
    "client_assertion": "use the argument client_auth",
    "client_assertion_type": "use the argument client_auth",
}


@dataclass(frozen=True)
class Grant:
    """A client credentials grant (RFC 6749 §4.4.2), checked. Everything that names the token."""

    token_url: str
    client_id: str
    client_secret: ClientSecret | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ()
    audience: str | None = None
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    client_auth: ClientAuth = ClientSecretPost()  # noqa: RUF009  # frozen

    @property
    def credential_at_hand(self) -> bool:
        """Whether nothing has to be called, read from a file or signed."""
        if isinstance(self.client_auth, (ClientSecretPost, ClientSecretBasic)):
            return isinstance(self.client_secret, str)
        return isinstance(self.client_auth, TLSClientCertificate)

    def credential(self) -> Credential:
        """What proves the client, read now.

        Raises:
            ConfigurationError: a callable or a file that gives it failed, or gave none.
        """
        what = "client_secret" if isinstance(self.client_auth, WITH_SECRET) else "client_auth"
        try:
            return self._read()
        except ConfigurationError:
            raise
        except Exception as error:
            raise ConfigurationError(
                f"{what} could not be read: its callable raised {type(error).__name__}"
            ) from error

    def _read(self) -> Credential:
        if isinstance(self.client_auth, PrivateKeyJWT):
            return self.client_auth.signing_key()
        if isinstance(self.client_auth, ClientAssertion):
            return self.client_auth.assertion()
        if not isinstance(self.client_auth, WITH_SECRET):
            return ""
        secret: object = self.client_secret
        if callable(secret):
            secret = called("client_secret", secret)
        return _usable(self.client_auth, secret)


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
    known_auth = check_client_auth(client_auth)
    if isinstance(known_auth, WITH_SECRET):
        if not callable(client_secret):
            _usable(known_auth, client_secret)
    elif client_secret is not None:
        raise ConfigurationError(
            f"client_secret is not used with client_auth={type(known_auth).__name__}; leave it out"
        )
    grant = Grant(
        token_url=check_url("token_url", token_url, insecure_hosts),
        client_id=_check_text("client_id", client_id),
        client_secret=client_secret,
        scopes=_check_scopes(scopes),
        audience=_check_text("audience", audience) if audience else None,
        params=_check_params(params or {}),
        client_auth=known_auth,
    )
    if known_auth == ClientSecretBasic("raw") and ":" in grant.client_id:
        raise ConfigurationError(
            "client_id holds a colon, at which raw Basic credentials are split (RFC 7617 §2); "
            "use client_auth='client_secret_post'"
        )
    return grant


def _usable(client_auth: ClientAuth, secret: object) -> Credential:
    """The credential that a client secret is, by this method."""
    checked = check_secret(secret)
    if isinstance(client_auth, ClientSecretJWT):
        return secret_as_key(checked, client_auth.alg)
    return checked


def check_secret(secret: object) -> str:
    """A usable client secret. Its value never stands in a message."""
    if not isinstance(secret, str) or not secret.strip():
        raise ConfigurationError("client_secret is empty; is the variable or file it is from set?")
    if secret.endswith(("\n", "\r")):
        raise ConfigurationError("client_secret ends with a line break; strip() it")
    return _encodable("client_secret", secret)


def credential_is_late(timeout: float) -> ConfigurationError:
    """The error of a callable or a file that takes longer than `timeout` seconds."""
    return ConfigurationError(f"the client's credential could not be read within {timeout:.3g} s")


def check_seconds(setting: str, value: float, *, zero: bool = False, finite: bool = False) -> float:
    """A number of seconds above zero; with `zero` at least zero, with `finite` under ten years."""
    seconds = _float(value)
    if seconds is None or math.isnan(seconds) or seconds < 0 or (seconds == 0 and not zero):
        least = "of at least 0" if zero else "above 0"
        raise ConfigurationError(f"{setting} must be a number of seconds {least}")
    if finite and seconds > LONGEST:
        raise ConfigurationError(f"{setting} must be under ten years")
    return seconds


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:  # an int beyond all floats
        return math.inf if value > 0 else -math.inf


def check_hosts(hosts: Collection[str]) -> frozenset[str]:
    """Host names that may be spoken to over plain http, in lower case."""
    if isinstance(hosts, (str, bytes)) or not isinstance(hosts, Collection):
        raise ConfigurationError('insecure_hosts must be a list of host names, as in ("keycloak",)')
    for host in hosts:
        if not isinstance(host, str) or not (_is_address(host) or _HOST_NAME.fullmatch(host)):
            raise ConfigurationError(
                f"insecure_hosts takes bare host names without scheme or port, not {host!r}"
            )
    return frozenset(host.lower() for host in hosts)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def check_url(setting: str, url: str, insecure_hosts: Collection[str] = ()) -> str:
    """An https URL, or http to this machine or to a host in `insecure_hosts`.

    Whatever two URL parsers could read in two ways is refused before either reads it.
    """
    if not isinstance(url, str) or not url:
        raise ConfigurationError(f"{setting} is empty; an https:// URL is wanted")
    if "\\" in url or not all(c.isprintable() and not c.isspace() for c in url):
        raise ConfigurationError(f"{setting} holds white space or other characters no URL has")
    parts = _parts(url)
    if parts is None:
        raise ConfigurationError(f"{setting} is not a URL such as https://host/path")
    host = parts.hostname
    if "@" in parts.netloc:
        raise ConfigurationError(f"{setting} must not hold a user name or password")
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigurationError(f"{setting} must start with https:// and a host name")
    if "#" in url:
        raise ConfigurationError(f"{setting} must not have a fragment (RFC 6749 §3.2)")
    if parts.scheme == "http" and not is_loopback(host) and host not in insecure_hosts:
        raise ConfigurationError(
            f"{setting} sends the client secret over plain http to {host}; use https, or list "
            f"the host in insecure_hosts=({host!r},)"
        )
    return _encodable(setting, url)


def _parts(url: str) -> SplitResult | None:
    """None where it cannot be read; the exception would repeat a password in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    bracketed = "[" in parts.netloc and not _BRACKETED.search(parts.netloc)
    return None if bracketed or ".." in (host or "") else parts


def is_loopback(host: str) -> bool:
    """Whether the host can only be this machine: localhost, 127.0.0.0/8, ::1."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and (address.version == 4 or address == ipaddress.ip_address("::1"))


def _check_text(setting: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{setting} is empty; a text is wanted")
    if value != value.strip() or not value.isprintable():
        raise ConfigurationError(f"{setting} has white space around it or a line break in it")
    return _encodable(setting, value)


def _check_scopes(scopes: Iterable[str] | str | None) -> tuple[str, ...]:
    if scopes is None:
        return ()
    if isinstance(scopes, str):
        return tuple(_encodable("scopes", scopes).split())
    if not isinstance(scopes, Iterable) or isinstance(scopes, (bytes, Mapping)):
        raise ConfigurationError("scopes must be a list of str, or one space-separated str")
    names = tuple(scopes)
    for name in names:
        if not isinstance(name, str) or not name or name.split() != [name]:
            raise ConfigurationError(
                f"scopes holds {name!r}; each scope is a str without white space"
            )
        _encodable("scopes", name)
    return names


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
        fields += [(_encodable("params", name), _encodable("params", one)) for one in values]
    return tuple(fields)


def _encodable(setting: str, text: str) -> str:
    """Refuse what UTF-8 cannot carry (lone surrogates, as from a badly decoded environment)."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ConfigurationError(f"{setting} holds characters that no Unicode text has")
    return text
