"""What one worker costs a real Redis: commands for a refresh, bytes of a key and a connection."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pygen_auth import OAuth2ClientCredentials
from pygen_auth._clock import SYSTEM_CLOCK
from pygen_auth._sealing import Place, seal
from pygen_auth._token import Token
from pygen_auth.stores import RedisTokenStore
from pygen_auth.testing import AuthorizationServer
from tests.sharing.redis_server import PROGRAM, RedisServer, stopped_after

CONNECTIONS = 1000
SECONDS_TO_IDLE = 8.0
"""Redis gives the buffers of an idle connection back within some seconds."""
TOKEN_LENGTH = 1500
"""Characters of a signed token (JWT) with the usual claims."""
NOT_OURS = ("config", "hello", "info")
"""Commands of the measurement itself, and of a connection that is new."""


def measured() -> Mapping[str, Any] | None:
    """The figures; None where there is no redis-server."""
    if PROGRAM is None:
        return None
    with (
        tempfile.TemporaryDirectory() as directory,
        stopped_after(RedisServer(Path(directory))) as server,
    ):
        return {
            "version": _info(server, "server")["redis_version"],
            "commands": _commands(server),
            "bytes_of_key": _bytes_of_key(server),
            "bytes_of_connection": _bytes_of_connections(server),
        }


def _commands(server: RedisServer) -> dict[str, dict[str, int]]:
    """By what a worker does: fetch the token and put it there, or take it."""
    commands = {}
    with AuthorizationServer() as provider, contextlib.closing(server.client()) as client:
        provider.add_client("benchmark", "secret")
        for deed in ("first of all", "fetch", "take"):  # the first one loads redis-py's script
            if deed == "fetch":
                client.flushdb()
            worker = OAuth2ClientCredentials(
                provider.token_url, "benchmark", "secret", store=RedisTokenStore(server.client())
            )
            client.config_resetstat()
            worker.token()
            commands[deed] = {
                name.removeprefix("cmdstat_"): int(figures["calls"])
                for name, figures in sorted(_info(server, "commandstats").items())
                if not name.removeprefix("cmdstat_").startswith(NOT_OURS)
            }
    return {deed: commands[deed] for deed in ("fetch", "take")}


def _bytes_of_key(server: RedisServer) -> int:
    now, place = SYSTEM_CLOCK.now(), Place("0" * 64, bytes(32))
    value = seal(Token.bearer("t" * TOKEN_LENGTH, now.after(3600), 3600.0), place, now)
    with contextlib.closing(server.client()) as client:
        RedisTokenStore(client).save(place.key, value, 3600)
        return int(client.memory_usage(f"pygen-auth:{place.key}") or 0)


def _bytes_of_connections(server: RedisServer) -> dict[str, int]:
    """Of each, just when it was used, and some seconds later."""
    before = _info(server, "memory")["used_memory"]

    def of_each() -> int:
        used = _info(server, "memory")["used_memory"] - before
        return int(round(used / CONNECTIONS, -2))

    with contextlib.ExitStack() as open_ones:
        for _ in range(CONNECTIONS):
            open_ones.enter_context(contextlib.closing(server.client())).ping()
        in_use = of_each()
        time.sleep(SECONDS_TO_IDLE)
        return {"in_use": in_use, "idle": of_each()}


def _info(server: RedisServer, section: str) -> dict[str, Any]:
    with contextlib.closing(server.client()) as client:
        return dict(client.info(section))
