"""Libraries with a way for asyncio; the others are called from threads there."""

from __future__ import annotations

from importlib import import_module

from ._peer import AsyncPeer, Endpoint
from ._token_peers import SCOPES


class AsyncAuth0(AsyncPeer):
    name = distribution = "auth0-python"
    tls_only = True

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._provider = import_module("auth0.management.token_provider").AsyncTokenProvider(
            domain=endpoint.secure.removeprefix("https://"),
            client_id=endpoint.client_id,
            client_secret=endpoint.client_secret,
        )

    async def header(self) -> str:
        return f"Bearer {await self._provider.get_token()}"


class AsyncAuthlib(AsyncPeer):
    name = "Authlib's OAuth2Client"
    distribution = "authlib"

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._client = import_module("authlib.integrations.httpx_client").AsyncOAuth2Client(
            endpoint.client_id,
            endpoint.client_secret,
            token_endpoint_auth_method="client_secret_post",
            token_endpoint=endpoint.token_url(tls=tls),
            grant_type="client_credentials",
        )

    async def header(self) -> str:
        if self._client.token is None:
            await self._client.fetch_token()
        await self._client.ensure_active_token(self._client.token)
        return f"Bearer {self._client.token['access_token']}"

    async def close(self) -> None:
        await self._client.aclose()


class AsyncAzureIdentity(AsyncPeer):
    name = distribution = "azure-identity"
    tls_only = True

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        identity = import_module("azure.identity.aio")
        self._credential = identity.ClientSecretCredential(
            "tenant",
            endpoint.client_id,
            endpoint.client_secret,
            authority=endpoint.secure,
            disable_instance_discovery=True,
        )
        self._provider = identity.get_bearer_token_provider(self._credential, *SCOPES)

    async def header(self) -> str:
        return f"Bearer {await self._provider()}"

    async def close(self) -> None:
        await self._credential.close()
