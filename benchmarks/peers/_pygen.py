"""Pygen's own class, written anew: the same cache, the same request, the same settings."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from benchmarks._locked_cache import LockedCache

from ._peer import Endpoint, Peer, bearer


class Pygen(Peer):
    name = "Pygen's class, rewritten"
    distribution = "httpx"
    gives = "header"
    margin = 300

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        client = httpx.Client(timeout=30.0)
        form = {
            "grant_type": "client_credentials",
            "client_id": endpoint.client_id,
            "client_secret": endpoint.client_secret,
        }

        def fetch() -> tuple[str, float]:
            response = client.post(endpoint.token_url(tls=tls), data=form)
            if response.status_code != 200:
                raise RuntimeError(f"Token request failed with status {response.status_code}")
            answer = response.json()
            return answer["access_token"], int(answer.get("expires_in", 3600))

        self._credentials = LockedCache(fetch)

    def caller(self) -> Callable[[], dict[str, str]]:
        return self._credentials.get_headers

    @staticmethod
    def access_token(answer: dict[str, str]) -> str:
        return bearer(answer["Authorization"])
