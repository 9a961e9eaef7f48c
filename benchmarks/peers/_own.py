"""Our own credentials as candidates."""

from __future__ import annotations

from collections.abc import Callable

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials

from ._peer import AsyncPeer, Endpoint, Peer, bearer


class Own(Peer):
    name = "pygen-auth"
    distribution = "pygen-auth"
    gives = "header"
    margin = 300
    _background_refresh = False

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._credentials = OAuth2ClientCredentials(
            endpoint.token_url(tls=tls),
            endpoint.client_id,
            endpoint.client_secret,
            background_refresh=self._background_refresh,
        )

    def caller(self) -> Callable[[], dict[str, str]]:
        return self._credentials.get_headers

    @staticmethod
    def access_token(answer: dict[str, str]) -> str:
        return bearer(answer["Authorization"])


class OwnInBackground(Own):
    name = "pygen-auth, background_refresh"
    waits = False
    _background_refresh = True


class AsyncOwn(AsyncPeer):
    name = "pygen-auth"
    distribution = "pygen-auth"

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._credentials = AsyncOAuth2ClientCredentials(
            endpoint.token_url(tls=tls), endpoint.client_id, endpoint.client_secret
        )

    async def header(self) -> str:
        return (await self._credentials.get_headers())["Authorization"]
