"""Secrets that are more than letters and digits: what each server takes of which encoding."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
import pytest

from pygen_auth import RefusedError
from pygen_auth.client_auth import ClientSecretBasic
from tests.support import AnyCredentials, Twin

from ..cases import ANOTHER_SECRET, BASIC, POST, secrets_refused
from ..clients import SAMPLES, Client
from ..facts import Facts
from ..fleet import Server
from .each import ALL, each, each_with, named

OTHERS = [facts for facts in ALL if facts.secrets]
"""The one without looks at no secret."""
SAMPLE = {sample.name: sample for sample in SAMPLES}


def encodings(facts: Facts) -> Iterable[str]:
    return facts.secrets


@each_with("encoding", encodings)
def test_secrets_are_taken_and_refused_as_the_data_say(
    server: Server, encoding: str, twin: Twin
) -> None:
    assert secrets_refused(server, twin, encoding) == server.facts.secrets[encoding]


class Counted:
    """Credentials that count their token requests."""

    def __init__(self, server: Server, twin: Twin, client: str, **settings: object) -> None:
        self.requests: list[httpx.Request] = []
        self.credentials: AnyCredentials = server.credentials(
            twin, client, client=self._client, verify=True, **settings
        )
        self._verify = server.context()

    def _client(self) -> httpx.Client:
        hooks = {"request": [self.requests.append]}
        return httpx.Client(trust_env=False, verify=self._verify, event_hooks=hooks)


@each(named("node_oauth2_server", "oauth2orize", "jmondi"))
def test_encoding_that_brought_a_token_comes_first_from_then_on(server: Server, twin: Twin) -> None:
    counted = Counted(server, twin, SAMPLE["+"].id_for(BASIC), client_auth=BASIC)
    first = twin.call(counted.credentials, "token")
    assert len(counted.requests) == 2
    twin.call(counted.credentials, "invalidate", first)
    twin.token(counted.credentials)
    assert len(counted.requests) == 3


@pytest.mark.parametrize("method", [POST, BASIC])
@each(OTHERS)
def test_wrong_secret_costs_one_request(server: Server, method: str, twin: Twin) -> None:
    counted = Counted(server, twin, method, client_secret=ANOTHER_SECRET)
    for _ in range(3):
        with pytest.raises(RefusedError):
            twin.token(counted.credentials)
    assert len(counted.requests) == 1


@each(named("oauth2orize", "jmondi"))
def test_error_tells_of_servers_that_split_at_each_colon(server: Server, twin: Twin) -> None:
    client: Client = server.clients[SAMPLE[":"].id_for(BASIC)]
    credentials = server.credentials(twin, client, client_auth=ClientSecretBasic())
    with pytest.raises(RefusedError) as caught:
        twin.token(credentials)
    assert caught.value.hint is not None
    assert "with a colon in it by Basic" in caught.value.hint
