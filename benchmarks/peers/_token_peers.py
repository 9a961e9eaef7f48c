"""Libraries that hand out a bare token, of which the caller makes the header."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import Any

from ._peer import Endpoint, Peer

SCOPES = ["api://example/.default"]


class Auth0(Peer):
    name = distribution = "auth0-python"
    gives = "token"
    margin = 10
    tls_only = True  # its URL begins with https://

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._provider = import_module("auth0.management.token_provider").TokenProvider(
            domain=endpoint.secure.removeprefix("https://"),
            client_id=endpoint.client_id,
            client_secret=endpoint.client_secret,
        )

    def caller(self) -> Callable[[], Any]:
        return self._provider.get_token  # type: ignore[no-any-return]

    @staticmethod
    def access_token(answer: str) -> str:
        return answer


class Authlib(Peer):
    """Its client refreshes before a request of its own; this is what it does there."""

    name = "Authlib's OAuth2Client"
    distribution = "authlib"
    gives = "token"
    margin = 60

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._client = import_module("authlib.integrations.httpx_client").OAuth2Client(
            endpoint.client_id,
            endpoint.client_secret,
            token_endpoint_auth_method="client_secret_post",
            token_endpoint=endpoint.token_url(tls=tls),
            grant_type="client_credentials",
        )

    def caller(self) -> Callable[[], Any]:
        client = self._client

        def call() -> Any:
            if client.token is None:  # the first one is the caller's business
                client.fetch_token()
            client.ensure_active_token()
            return client.token

        return call

    @staticmethod
    def access_token(answer: Any) -> str:
        return str(answer["access_token"])


class Botocore(Peer):
    """Its cache for bearer tokens; the request is ours, since it has no client credentials."""

    name = "botocore's token cache"
    distribution = "botocore"
    gives = "token"
    margin = 900

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        tokens = import_module("botocore.tokens")
        manager = import_module("urllib3").PoolManager()
        form = {
            "grant_type": "client_credentials",
            "client_id": endpoint.client_id,
            "client_secret": endpoint.client_secret,
        }

        def fetch() -> Any:
            response = manager.request(
                "POST", endpoint.token_url(tls=tls), fields=form, encode_multipart=False
            )
            if response.status != 200:
                raise RuntimeError(f"status {response.status}")
            answer = response.json()
            expiration = datetime.now(timezone.utc) + timedelta(seconds=answer["expires_in"])
            return tokens.FrozenAuthToken(answer["access_token"], expiration)

        self._token = tokens.DeferredRefreshableToken("client_credentials", fetch)

    def caller(self) -> Callable[[], Any]:
        return self._token.get_frozen_token  # type: ignore[no-any-return]

    @staticmethod
    def access_token(answer: Any) -> str:
        return str(answer.token)


class Databricks(Peer):
    name = distribution = "databricks-sdk"
    gives = "token"
    margin = 40
    _disable_async = True

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._source = import_module("databricks.sdk.oauth").ClientCredentials(
            client_id=endpoint.client_id,
            client_secret=endpoint.client_secret,
            token_url=endpoint.token_url(tls=tls),
            use_params=True,
            disable_async=self._disable_async,
        )

    def caller(self) -> Callable[[], Any]:
        return self._source.token  # type: ignore[no-any-return]

    @staticmethod
    def access_token(answer: Any) -> str:
        return str(answer.access_token)


class DatabricksInBackground(Databricks):
    name = "databricks-sdk, asynchronous"
    margin = 1200
    waits = False
    _disable_async = False


class MsalError(RuntimeError):
    """What msal returns instead of a token."""


class Msal(Peer):
    name = distribution = "msal"
    gives = "token"
    margin = 300
    tls_only = True  # an authority is https

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._application = import_module("msal").ConfidentialClientApplication(
            endpoint.client_id,
            client_credential=endpoint.client_secret,
            authority=f"{endpoint.secure}/tenant",
            validate_authority=False,
            instance_discovery=False,
        )

    def caller(self) -> Callable[[], Any]:
        acquire = self._application.acquire_token_for_client
        return lambda: acquire(SCOPES)

    @staticmethod
    def access_token(answer: Any) -> str:
        if "access_token" not in answer:  # it returns its errors
            raise MsalError(f"{answer.get('error')}: {answer.get('error_description')}")
        return str(answer["access_token"])


class AzureIdentity(Peer):
    """By what it has for other people's APIs; that takes a third of the time of `get_token()`."""

    name = distribution = "azure-identity"
    gives = "token"
    margin = 240  # less a random minute, of 300
    tls_only = True

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        identity = import_module("azure.identity")
        credential = identity.ClientSecretCredential(
            "tenant",
            endpoint.client_id,
            endpoint.client_secret,
            authority=endpoint.secure,
            disable_instance_discovery=True,
        )
        self._provider = identity.get_bearer_token_provider(credential, *SCOPES)

    def caller(self) -> Callable[[], Any]:
        return self._provider  # type: ignore[no-any-return]

    @staticmethod
    def access_token(answer: str) -> str:
        return answer
