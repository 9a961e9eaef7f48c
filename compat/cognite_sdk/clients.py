"""The ways to a client of Data Fusion that a program has, and what a test can do with each."""

from __future__ import annotations

import asyncio
import functools
import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from compat.pygen.generated import generated_package
from tests.support import in_threads

from .data_fusion import PROJECT, DataFusion

WHY = "needs the Cognite SDK and Pygen, which `make sdk` installs"


@functools.cache
def _sdk() -> Any:
    """`cognite.client`, set up for tests."""
    sdk = importlib.import_module("cognite.client")
    sdk.global_config.disable_pypi_version_check = True  # it would ask a registry
    if hasattr(sdk.global_config, "concurrency_settings"):  # before 8 there are none
        # More than call at once in any test: 8.0 has one semaphore for all event loops, which
        # works as long as nobody waits for it.
        sdk.global_config.concurrency_settings.general.read = 100
    return sdk


def release(credentials: Any) -> None:
    """Close the HTTP client that the oldest SDK's own class keeps open for good."""
    kept = getattr(credentials, "_OAuthClientCredentials__oauth", None)
    if kept is not None:
        kept.close()


def settings(credentials: object, data_fusion: DataFusion) -> dict[str, Any]:
    """What a `ClientConfig` is made of."""
    return {
        "client_name": "tests",
        "project": PROJECT,
        "credentials": credentials,
        "base_url": data_fusion.url,
    }


def config(credentials: object, data_fusion: DataFusion) -> Any:
    return _sdk().ClientConfig(**settings(credentials, data_fusion))


class Client(ABC):
    """A client that makes real calls. `call` is one; `calls` are so many at once."""

    @abstractmethod
    def call(self) -> int:
        """How many items the API sent."""

    def calls(self, size: int) -> list[Any]:
        """Results or errors, of threads that start together."""
        return in_threads([self.call] * size)


class SyncClient(Client):
    """`CogniteClient`."""

    def __init__(self, credentials: object, data_fusion: DataFusion) -> None:
        self.client = self._made(credentials, data_fusion)

    def _made(self, credentials: object, data_fusion: DataFusion) -> Any:
        return _sdk().CogniteClient(config(credentials, data_fusion))

    def call(self) -> int:
        return len(self.client.assets.list(limit=1))


class LoadedClient(SyncClient):
    """`CogniteClient` of a configuration that is a mapping."""

    def _made(self, credentials: object, data_fusion: DataFusion) -> Any:
        loaded = _sdk().ClientConfig.load(settings(credentials, data_fusion))
        assert loaded.credentials is credentials
        return _sdk().CogniteClient(loaded)


class GeneratedClient(SyncClient):
    """A client that Pygen generated."""

    def _made(self, credentials: object, data_fusion: DataFusion) -> Any:
        return generated_package().WindFarmClient(config(credentials, data_fusion))

    def call(self) -> int:
        return len(self.client.turbine.list(limit=1))


class AsyncClient(Client):
    """`AsyncCogniteClient`; each call in an event loop of its own, and those at once in one."""

    def __init__(self, credentials: object, data_fusion: DataFusion) -> None:
        self.client = _sdk().AsyncCogniteClient(config(credentials, data_fusion))

    def call(self) -> int:
        return asyncio.run(self._call())

    def calls(self, size: int) -> list[Any]:
        return asyncio.run(self._calls(size))

    async def _call(self) -> int:
        return len(await self.client.assets.list(limit=1))

    async def _calls(self, size: int) -> list[Any]:
        return await asyncio.gather(*(self._call() for _ in range(size)), return_exceptions=True)


WAYS: dict[str, Callable[[object, DataFusion], Client]] = {
    "sync": SyncClient,
    "loaded": LoadedClient,
    "generated": GeneratedClient,
    "async": AsyncClient,
}
