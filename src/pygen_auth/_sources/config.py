"""Settings from a mapping, or from JSON or YAML text, in the shape of the Cognite SDK."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from .._checks import check_seconds, check_switch
from .._errors import ConfigurationError
from ..client_auth import check_client_auth
from .settings import ClientCredentialsSettings, Settings, TokenSettings

_KINDS = ("client_credentials", "token", "client_certificate", "device_code", "interactive")
"""The Cognite SDK's kinds of credentials, of which the first two are supported."""

_LEEWAY = "token_expiry_leeway_seconds"
"""The Cognite SDK's name of `refresh_margin`."""

_CERTIFICATE = "use OAuth2ClientCredentials(..., client_auth=PrivateKeyJWT(key, certificate=...))"

_MOST = 20
"""Keys that a message names: more than there are, too few to flood a log."""

_NAME = re.compile(r"[A-Za-z][\w-]{0,39}", re.ASCII)


def from_config(config: Mapping[str, Any] | str) -> Settings:
    """The settings in a mapping, or in JSON or YAML text, in the shape of the Cognite SDK.

    That is `{"client_credentials": {...}}`, or the inner mapping alone, or `{"token": ...}`. What
    is None or blank is not set. Numbers may be text, as where a variable was filled in.

    Raises:
        ConfigurationError: the text cannot be read, keys are unknown or missing (all of them are
            named), or a value has the wrong type.
    """
    loaded = _parsed(config) if isinstance(config, str) else config
    if not isinstance(loaded, Mapping):
        raise ConfigurationError(
            "config must be a mapping, or JSON or YAML text with one; a path is not opened, so "
            "pass the text in the file, as in Path(path).read_text()"
        )
    if not _CHECKS.keys().isdisjoint(loaded):
        return _client_credentials(loaded)
    kinds = list(loaded)
    if kinds == ["client_credentials"] and isinstance(loaded["client_credentials"], Mapping):
        return _client_credentials(loaded["client_credentials"])
    if kinds == ["token"]:
        return _token(loaded["token"])
    raise ConfigurationError(
        f"config holds {_listed(kinds)}; supported is one of client_credentials (a mapping), "
        "token, or the keys of client credentials such as token_url",
        hint=_CERTIFICATE if kinds == ["client_certificate"] else None,
    )


def _parsed(text: str) -> object:
    """What JSON or YAML text stands for. No exception that quotes the text is raised or chained."""
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        pass
    try:
        import yaml
    except ImportError:
        raise ConfigurationError(
            "config is text, but no JSON; for YAML, pip install 'pygen-auth[yaml]'"
        ) from None
    try:
        return yaml.safe_load(text)
    except Exception as error:  # also ValueError and others, of dates and numbers out of range
        mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    raise ConfigurationError(
        f"config is text, but neither JSON nor YAML can be read from it{where}"
    )


def _token(value: object) -> TokenSettings:
    if isinstance(value, Mapping) and list(value) == ["token"]:  # the SDK takes this, too
        value = value["token"]
    if callable(value) or (isinstance(value, str) and value.strip()):
        return TokenSettings(value)
    raise ConfigurationError("token must be text; in YAML, put it in quotes")


def _client_credentials(given: Mapping[Any, Any]) -> ClientCredentialsSettings:
    values = {key: value for key, value in given.items() if not _is_blank(value)}
    unknown = [key for key in given if key not in _CHECKS]
    missing = _missing(values)
    if unknown or missing:
        problems = [f"unknown keys: {_listed(unknown)}"] if unknown else []
        problems += [f"missing keys: {', '.join(missing)}"] if missing else []
        hint = "further form fields of the token request go into params" if unknown else None
        raise ConfigurationError(f"client_credentials: {'; '.join(problems)}", hint=hint)
    keywords = {key: _CHECKS[key](key, value) for key, value in values.items()}
    if _LEEWAY in keywords:
        if "refresh_margin" in keywords:
            raise ConfigurationError(f"refresh_margin and {_LEEWAY} are the same; give one of them")
        keywords["refresh_margin"] = keywords.pop(_LEEWAY)
    return ClientCredentialsSettings(keywords)


def _missing(values: Mapping[Any, Any]) -> list[str]:
    needed = ["token_url", "client_id"]
    if "client_auth" not in values or check_client_auth(values["client_auth"]).takes_secret:
        needed.append("client_secret")
    return [key for key in needed if key not in values]


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _listed(keys: list[Any]) -> str:
    """The keys, each with the known one that it resembles."""
    more = ["…"] if len(keys) > _MOST else []
    return ", ".join([*map(_named, keys[:_MOST]), *more]) or "nothing"


def _named(key: object) -> str:
    if not isinstance(key, str) or not _NAME.fullmatch(key):
        return "a key that is no name"  # as `{secret:abc}` is in YAML
    if key in _KINDS:
        return key
    similar = difflib.get_close_matches(key, [*_CHECKS, *_KINDS], n=1)
    return f"{key} (is {similar[0]} meant?)" if similar else key


# -- the keys of client credentials, each with the check of its type


def _text(key: str, value: object) -> object:
    if not isinstance(value, str):
        raise ConfigurationError(f"{key} must be text; in YAML, put it in quotes")
    return value


def _secret(key: str, value: object) -> object:
    return value if callable(value) else _text(key, value)


def _text_or_list(key: str, value: object) -> object:
    return value if isinstance(value, str) else _list(key, value)


def _list(key: str, value: object) -> object:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise ConfigurationError(f"{key} must be a list of text")
    for one in value:
        _text(f"each of {key}", one)
    return value


def _seconds(key: str, value: object) -> float:
    number = value
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            number = float(value)
    return check_seconds(key, number, zero=True)  # type: ignore[arg-type]  # it is checked there


def _fields(key: str, value: object) -> object:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{key} must be a mapping of form fields")
    for name, one in value.items():
        _text(f"each name in {key}", name)
        _text_or_list(f"each value in {key}", one)
    return value


def _ca_file(key: str, value: object) -> object:
    if value is not True and not isinstance(value, (str, os.PathLike)):
        raise ConfigurationError(f"{key} must be the path of a CA file")
    return value


def _client_auth(_: str, value: object) -> object:
    return check_client_auth(value)


_CHECKS: dict[str, Callable[[str, object], object]] = {
    "token_url": _text,
    "client_id": _text,
    "client_secret": _secret,
    "scopes": _text_or_list,
    "audience": _text,
    "refresh_margin": _seconds,
    _LEEWAY: _seconds,
    "client_auth": _client_auth,
    "params": _fields,
    "verify": _ca_file,
    "insecure_hosts": _list,
    "timeout": _seconds,
    "default_lifetime": _seconds,
    "background_refresh": check_switch,
}
