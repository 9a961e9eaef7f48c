"""The plugin for pytest: fixtures for tests of programs that use pygen_auth.

pytest imports this module in every run in whose environment pygen-auth is installed. So it stands
beside the package, and imports nothing of it until a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials
    from pygen_auth.testing import AuthorizationServer, FakeClock


@pytest.fixture
def authorization_server() -> Iterator[AuthorizationServer]:
    """A real OAuth 2.0 authorization server on loopback, with a protected resource.

    A `pygen_auth.testing.AuthorizationServer`, running until the end of the test.
    """
    from pygen_auth.testing import AuthorizationServer

    with AuthorizationServer() as server:
        yield server


@pytest.fixture
def oauth2_credentials(authorization_server: AuthorizationServer) -> OAuth2ClientCredentials:
    """`OAuth2ClientCredentials` of a client that is registered at `authorization_server`.

    For a program that makes its own credentials, their `token_url`, `client_id` and
    `client_secret` are the settings.
    """
    from pygen_auth import OAuth2ClientCredentials

    return OAuth2ClientCredentials(**_registered(authorization_server))


@pytest.fixture
def async_oauth2_credentials(
    authorization_server: AuthorizationServer,
) -> AsyncOAuth2ClientCredentials:
    """The twin of `oauth2_credentials` for asynchronous programs; a fixture like any other."""
    from pygen_auth import AsyncOAuth2ClientCredentials

    return AsyncOAuth2ClientCredentials(**_registered(authorization_server))


@pytest.fixture
def oauth2_clock() -> Iterator[FakeClock]:
    """A clock that stands still until `advance(seconds)`, so that tokens age without a wait.

    A `pygen_auth.testing.FakeClock`; credentials, stores and servers go by it during the test.
    """
    from pygen_auth.testing import FakeClock

    with FakeClock() as clock:
        yield clock


def _registered(server: AuthorizationServer) -> dict[str, Any]:
    """The settings of a client that the server knows."""
    client = {"client_id": "test-client", "client_secret": "test-secret"}
    server.add_client(**client)
    return {**client, "token_url": server.token_url, "verify": server.ca_file or True}
