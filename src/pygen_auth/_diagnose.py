"""`diagnose`: the one function, light enough to be imported with the package.

What it does, and what it gives, stands in the package `diagnosis`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._interface import AsyncCredentials, Credentials
    from .diagnosis import Check, Diagnosis
    from .providers import Provider


def diagnose(
    credentials: Credentials | AsyncCredentials,
    *,
    issuer: str | Provider | None = None,
    call: str | None = None,
    redact: bool = True,
    on_check: Callable[[Check], None] | None = None,
) -> Diagnosis:
    """Find out, step by step, why credentials do not work, and what to do.

    The steps: settings, name, connection, proxy, TLS, discovery, clock, token request, the token,
    whether it is what was asked for, its lifetime, and one call to the API. A step that depends on
    a failed one is not run. None takes longer than the `timeout` of the credentials (30 s for
    those that have none). The credentials are used as any caller uses them: a token may be
    fetched, and stays held. No secret and no token is in what comes back.

    For credentials that are a token from elsewhere, only the token is read, and the API called.
    Asynchronous credentials are run in an event loop of their own, in another thread.

    Args:
        credentials: of any kind.
        issuer: the server's issuer URL, or the preset that the credentials were made of: then
            the server's own metadata are compared with the settings.
        call: URL of the API, https: gets one GET request with the token.
        redact: covers the ids of clients, tenants and users, but for their first four characters.
        on_check: called with each check when it begins, its outcome "running", and when it ends.

    Raises:
        ConfigurationError: `issuer` or `call` cannot be right, or the `client` of asynchronous
            credentials is an object, which serves no event loop but its own.
    """
    from .diagnosis._run import run  # here: few programs need it

    return run(credentials, issuer=issuer, call=call, redact=redact, on_check=on_check)
