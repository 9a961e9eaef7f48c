"""Keywords of the constructor: what a provider's preset and what discovery make of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._checks import check_url
from ._errors import ConfigurationError
from ._metadata import Metadata, client_auth_for, token_endpoint_for
from .client_auth import PASSED_FOR, ClientAuth, ClientSecretPost
from .providers import Provider

Keywords = dict[str, Any]


def of_provider(provider: Provider, keywords: Mapping[str, Any]) -> Keywords:
    """What a provider wants, under what the caller wants. A None says nothing."""
    if not isinstance(provider, Provider):
        raise ConfigurationError("provider must be a Provider, as pygen_auth.providers gives them")
    params = keywords.get("params")
    if params is not None and not isinstance(params, Mapping):
        raise ConfigurationError("params must be a mapping of form fields")
    wanted: Keywords = {
        "token_url": provider.token_url,
        "scopes": provider.scopes or None,
        "audience": provider.audience,
        "client_auth": provider.client_auth,
        "default_lifetime": provider.default_lifetime,
        **{name: value for name, value in keywords.items() if value is not None},
        "params": {**provider.params, **(params or {})},
    }
    _check_method(provider, wanted["client_auth"])
    return {name: value for name, value in wanted.items() if value is not None}


def _check_method(provider: Provider, client_auth: str | ClientAuth | None) -> None:
    """Say at once that a provider takes no secret, rather than have the server say it."""
    method = (
        ClientSecretPost.name if client_auth is None else getattr(client_auth, "name", client_auth)
    )
    taken = provider.client_auth_methods
    if taken and method not in taken:
        advice = dict.fromkeys(PASSED_FOR.get(one, "client_auth=") for one in taken)
        raise ConfigurationError(
            f"{provider.name} takes {' or '.join(taken)} only; pass {' or '.join(advice)}"
        )


def to_discover(issuer: str | Provider, keywords: Mapping[str, Any]) -> tuple[Provider, Keywords]:
    """Whom to discover, and the keywords as far as they are known before."""
    if keywords.get("token_url") is not None:
        raise ConfigurationError("token_url is what discovery finds; leave it out")
    if isinstance(issuer, Provider):
        provider = issuer
    else:
        provider = Provider(name="the server", token_url="", issuer=issuer)
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
