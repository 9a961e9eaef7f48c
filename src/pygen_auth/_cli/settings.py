"""Credentials of the options: the only place that decides which source of settings counts."""

from __future__ import annotations

import inspect
import os
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pygen_auth import ConfigurationError, Credentials, OAuth2ClientCredentials, TokenCredentials
from pygen_auth import providers as presets
from pygen_auth.client_auth import ClientAssertion, PrivateKeyJWT, TLSClientCertificate
from pygen_auth.providers import Provider

from .config import settings_in
from .parser import PROVIDER_ARGUMENTS
from .secret import VARIABLES, given_secret, text_in, wanted_secret

_BESIDE_A_TOKEN = (
    *("command", "call", "json", "redact", "bare", "headers", "export", "decode"),
    *("config", "token_file"),
)
"""Options that have an effect on a token from elsewhere."""
_SOURCES = ("config", "provider", "token_url", "token_file")
_WITHOUT_PROVIDER = "without a provider"
_SECRETLESS = ("tls_client_auth", "self_signed_tls_client_auth")
_OF_PYGEN = {"tenant_id": "tenant", "cdf_cluster": "cluster"}
"""Names in the `[cognite]` table of Pygen, which means Entra ID as the identity provider."""
_NO_SETTINGS = ("project", "client_name")
"""What else such a table holds, for the Cognite SDK."""

Keywords = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Credentials, and the server that they should be of, where that is known."""

    credentials: Credentials
    issuer: str | Provider | None = None


Waiting = Callable[[str], AbstractContextManager[object]]
"""Shows what is waited for. Not around more than that: a secret may be asked for beside it."""


def credentials_of(options: Namespace, waiting: Waiting) -> Source:
    """The credentials that the options describe.

    Raises:
        ConfigurationError: settings are missing, or cannot be right.
        OAuth2Error: `--issuer` alone was given, and the server's metadata cannot be had.
    """
    given = [name for name in _SOURCES if getattr(options, name) is not None]
    if len(given) > 1:
        named = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigurationError(f"{named} exclude each other; give one")
    if options.token_file is not None:
        return _of_token(options, TokenCredentials(text_in("--token-file", options.token_file)))
    if options.config is not None:
        return _of_file(options)
    if options.provider is not None:
        return _of_provider(options, options.provider, {}, _asked(options))
    if options.token_url is not None or options.issuer is not None:
        return _of_server(options, waiting)
    return _of_environment(options)


def _of_token(options: Namespace, credentials: Credentials) -> Source:
    others = [name for name in vars(options) if name not in _BESIDE_A_TOKEN]
    _refuse(options, others, "on a token from elsewhere; for a CA there is SSL_CERT_FILE")
    return Source(credentials)


def _refuse(options: Namespace, names: Iterable[str], where: str) -> None:
    """What has no effect is not passed over: whoever gave it counts on it."""
    given = [_option(name) for name in names if getattr(options, name) is not None]
    if given:
        raise ConfigurationError(f"{', '.join(given)}: no effect {where}")


def _of_server(options: Namespace, waiting: Waiting) -> Source:
    _refuse(options, PROVIDER_ARGUMENTS, _WITHOUT_PROVIDER)
    keywords = _asked(options)
    who = _client_id(options, keywords), _secret(options, keywords)
    if options.token_url is None:
        with waiting("discovery"):
            found = OAuth2ClientCredentials.discover(options.issuer, *who, **keywords)
        return Source(found, options.issuer)
    return Source(OAuth2ClientCredentials(options.token_url, *who, **keywords), options.issuer)


def _of_environment(options: Namespace) -> Source:
    _refuse(options, PROVIDER_ARGUMENTS, _WITHOUT_PROVIDER)
    asked = _asked(options)
    try:
        found = Credentials.from_env(_environment(options, asked))
    except ConfigurationError as error:
        if "variables are not set" in error.args[0] and not error.hint:
            error.hint = "set them, or give --token-url, --provider or --config: see --help"
        raise
    if not isinstance(found, OAuth2ClientCredentials):
        return _of_token(options, found)
    secret = None if _proves_otherwise(asked) else found.client_secret
    keywords = {"scopes": found.scopes, "audience": found.audience, **asked}
    return Source(OAuth2ClientCredentials(found.token_url, found.client_id, secret, **keywords))


def _environment(options: Namespace, asked: Keywords) -> dict[str, str]:
    """The variables, some of them as the options have it."""
    environ = dict(os.environ)
    for name in ("client_id", "scopes", "audience"):
        if getattr(options, name):
            environ[f"IDP_{name.upper()}"] = getattr(options, name)
    named = environ.get("IDP_CLIENT_ID") or environ.get("COGNITE_CLIENT_ID")
    secret = given_secret(options)
    if _proves_otherwise(asked):
        secret = "none"  # where one is wanted all the same
    elif named and not secret and not any(map(environ.get, VARIABLES)):
        secret = wanted_secret(options)
    return {**environ, "IDP_CLIENT_SECRET": secret} if secret else environ


def _of_file(options: Namespace) -> Source:
    settings = settings_in(options.config)
    inner = settings.get("client_credentials")
    if isinstance(inner, Mapping):
        settings = dict(inner)
    if set(settings) == {"token"}:
        return _of_token(options, Credentials.load(settings))
    keywords = {**settings, **_asked(options)}
    if set(_OF_PYGEN) <= set(settings):
        keywords = _of_pygen(keywords)
    if "provider" in keywords:
        name = str(keywords.pop("provider"))
        arguments = {one: keywords.pop(one) for one in PROVIDER_ARGUMENTS if one in keywords}
        return _of_provider(options, name, arguments, keywords)
    _refuse(options, PROVIDER_ARGUMENTS, _WITHOUT_PROVIDER)
    if "token_url" in keywords:  # else the file is for something else, and that is told
        keywords["client_id"] = _client_id(options, keywords)
        keywords["client_secret"] = _secret(options, keywords)
    # Its own kind of credentials, so that unknown keys are named.
    loaded = OAuth2ClientCredentials.load({n: v for n, v in keywords.items() if v is not None})
    return Source(loaded, options.issuer)


def _of_pygen(keywords: Keywords) -> Keywords:
    """The same as the command line has them."""
    named = {_OF_PYGEN.get(name, name): value for name, value in keywords.items()}
    kept = {name: value for name, value in named.items() if name not in _NO_SETTINGS}
    return {**kept, "provider": "cognite_entra"}


def _of_provider(options: Namespace, name: str, known: Keywords, keywords: Keywords) -> Source:
    arguments = {**known, **_provider_arguments(options)}
    provider = preset(name, arguments, keywords)
    taken = inspect.signature(OAuth2ClientCredentials).parameters
    unknown = [_key(one) for one in keywords if one not in taken]
    if unknown:
        raise ConfigurationError(f"--config holds unknown keys: {', '.join(unknown)}")
    who = _client_id(options, keywords), _secret(options, keywords)
    credentials = OAuth2ClientCredentials.from_provider(provider, *who, **keywords)
    return Source(credentials, options.issuer or provider)


def _key(name: object) -> str:
    return name if isinstance(name, str) and name.isidentifier() else "one that is no name"


# -- providers


def functions() -> dict[str, Callable[..., Provider]]:
    """The presets, by the names that the command line knows them by."""
    names = (name for name in presets.__all__ if name.islower())
    return {name: getattr(presets, name) for name in names}


def preset(name: str, arguments: Keywords, keywords: Keywords) -> Provider:
    """What a provider wants. Scopes and audience go to it where it takes them.

    Raises:
        ConfigurationError: no such provider, or its arguments are wrong.
    """
    known = functions()
    if name not in known:
        raise ConfigurationError(f"--provider must be one of {', '.join(known)}")
    parameters = inspect.signature(known[name]).parameters
    for one in ("scopes", "audience"):
        if one in parameters and one in keywords:
            arguments = {**arguments, one: keywords.pop(one)}
    unknown = [_option(one) for one in arguments if one not in parameters]
    if unknown:
        raise ConfigurationError(f"provider {name} takes no {', '.join(unknown)}")
    needed = [one for one, how in parameters.items() if how.default is how.empty]
    missing = [_option(one) for one in needed if one not in arguments]
    if missing:
        raise ConfigurationError(f"provider {name} needs {', '.join(missing)}")
    return known[name](**arguments)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _provider_arguments(options: Namespace) -> Keywords:
    given = {name: getattr(options, name) for name in PROVIDER_ARGUMENTS}
    return {name: value for name, value in given.items() if value is not None}


# -- the keywords of credentials


def _client_id(options: Namespace, keywords: Keywords) -> str:
    known = keywords.pop("client_id", None)
    client_id = options.client_id or known or os.environ.get("IDP_CLIENT_ID")
    if not client_id:
        raise ConfigurationError("client_id is missing: give --client-id, or set IDP_CLIENT_ID")
    if not isinstance(client_id, str):
        raise ConfigurationError("client_id must be text; in YAML, put it in quotes")
    return client_id


def _secret(options: Namespace, keywords: Keywords) -> Any:
    """The secret, or None where the client proves itself in another way."""
    known = keywords.pop("client_secret", None)
    if _proves_otherwise(keywords):
        return None
    return given_secret(options) or known or wanted_secret(options)


def _proves_otherwise(keywords: Keywords) -> bool:
    way = keywords.get("client_auth")
    by_value = isinstance(way, (PrivateKeyJWT, ClientAssertion, TLSClientCertificate))
    return by_value or way in _SECRETLESS


def _asked(options: Namespace) -> Keywords:
    """The keywords that the options give."""
    given: Keywords = {
        "scopes": options.scopes.split() if options.scopes else None,
        "audience": options.audience,
        "client_auth": _client_auth(options),
        "params": _params(options.param or ()),
        **connection(options),
    }
    return {name: value for name, value in given.items() if value is not None}


def connection(options: Namespace) -> Keywords:
    """The keywords that tell how to reach the server."""
    _check_file("--ca-file", options.ca_file)
    given = {
        "verify": options.ca_file,
        "insecure_hosts": options.insecure_host,
        "timeout": options.timeout,
    }
    return {name: value for name, value in given.items() if value is not None}


def _check_file(option: str, path: str | None) -> None:
    if path is not None and (Path(path).is_dir() or not Path(path).exists()):
        raise ConfigurationError(f"{option} names no file: {path}")


def _client_auth(options: Namespace) -> Any:
    if options.key_file is None:
        _refuse(options, ("key_certificate",), "without --key-file")
        if options.tls_certificate is None:
            _refuse(options, ("key_password_file",), "without a key")
    password = None
    if options.key_password_file is not None:
        password = text_in("--key-password-file", options.key_password_file)
    if options.key_file is not None:
        certificate = options.key_certificate
        return PrivateKeyJWT(Path(options.key_file), certificate=certificate, password=password)
    if options.assertion_file is not None:
        _check_file("--assertion-file", options.assertion_file)
        return ClientAssertion(options.assertion_file)
    if options.tls_certificate is not None:
        return TLSClientCertificate(options.tls_certificate, password=password)
    return options.client_auth


def _params(pairs: Any) -> dict[str, list[str]] | None:
    params: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigurationError("--param must be NAME=VALUE")
        params.setdefault(name, []).append(value)
    return params or None
