"""Keywords of the constructor: what a provider's preset and what discovery make of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._errors import ConfigurationError
from ._grant import check_url
from ._metadata import Metadata, client_auth_for, token_endpoint_for
from .client_auth import PASSED_FOR, ClientAuth
from .providers import Provider

Keywords = dict[str, Any]


def of_provider(provider: Provider, keywords: Mapping[str, Any]) -> Keywords:
    """What a provider wants, under what the caller wants."""
    if not isinstance(provider, Provider):
        raise ConfigurationError("provider must be a Provider, as pygen_auth.providers gives them")
    wanted: Keywords = {
        "token_url": provider.token_url,
        "scopes": provider.scopes or None,
        "audience": provider.audience,
        "client_auth": provider.client_auth,
        "default_lifetime": provider.default_lifetime,
    }
    settings = {name: value for name, value in wanted.items() if value is not None}
    settings.update(keywords)
    settings["params"] = {**provider.params, **(keywords.get("params") or {})}
    _check_method(provider, settings.get("client_auth"))
    return settings


def _check_method(provider: Provider, client_auth: str | ClientAuth | None) -> None:
    """Say at once that a provider takes no secret, rather than have the server say it."""
    name = client_auth if isinstance(client_auth, str) else getattr(client_auth, "name", None)
    taken = provider.client_auth_methods
    if taken and name not in taken:
        advice = dict.fromkeys(PASSED_FOR.get(method, "client_auth=") for method in taken)
        raise ConfigurationError(
            f"{provider.name} takes {' or '.join(taken)} only; pass {' or '.join(advice)}"
        )


def to_discover(issuer: str | Provider, keywords: Mapping[str, Any]) -> tuple[Provider, Keywords]:
    """Whom to discover, and the keywords as far as they are known before."""
    if "token_url" in keywords:
        raise ConfigurationError("token_url is what discovery finds; leave it out")
    if isinstance(issuer, Provider):
        provider = issuer
    else:
        provider = Provider(name="the server", token_url="", issuer=issuer, client_auth=None)
    if provider.issuer is None:
        raise ConfigurationError(f"{provider.name} has no issuer to discover; use from_provider")
    check_url("issuer", provider.issuer, keywords.get("insecure_hosts", ()))
    settings = of_provider(provider, keywords)
    return provider, {**settings, "token_url": provider.issuer}


def found(metadata: Metadata, client_auth: str | ClientAuth | None, *, secret: bool) -> Keywords:
    """What discovery found: where to ask, and how to prove who asks.

    Args:
        metadata: of the server.
        client_auth: the caller's own wish, if he has one; it wins.
        secret: whether the client has one.
    """
    chosen = client_auth_for(metadata, client_auth, secret)
    return {"client_auth": chosen, "token_url": token_endpoint_for(metadata, chosen)}
