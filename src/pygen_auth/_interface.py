"""Credentials: what gives a program its Authorization header. The interface alone.

Also the only place that knows what a fork does to locks.
"""

from __future__ import annotations

import os
from abc import ABC, ABCMeta, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from ._sources import Settings

Self = TypeVar("Self", bound="FromSettings")
Config = Mapping[str, Any] | str


class HoldsLocks(Protocol):
    """Something whose locks a fork may have caught in the hands of a thread that is gone."""

    def _renew_locks(self) -> None: ...


holders_of_locks: WeakSet[HoldsLocks] = WeakSet()


def _renew_locks_in_child() -> None:
    for holder in holders_of_locks:
        holder._renew_locks()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_renew_locks_in_child)


class FromSettings:
    """Credentials that can be made of settings from the environment or from a configuration."""

    _kinds: ClassVar[dict[str, type[Any]]]
    """By the kind of settings. Each class enters itself, since it stands in a layer above."""

    def __init_subclass__(cls, made_of: str | None = None, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if made_of is not None:
            cls._kinds[made_of] = cls

    @classmethod
    def from_env(cls: type[Self], environ: Mapping[str, str] | None = None) -> Self:
        """Credentials of the settings in the environment, by the names that CDF users have.

        `PROVIDER`, `LOGIN_FLOW`, `CDF_CLUSTER`, `CDF_PROJECT`, `IDP_CLIENT_ID`,
        `IDP_CLIENT_SECRET`, `IDP_TENANT_ID`, `IDP_TOKEN_URL`, `IDP_SCOPES`, `IDP_AUDIENCE` and
        `CDF_TOKEN`, as the Cognite Toolkit has them, and the extractors' `COGNITE_*`. No request
        is sent.

        Args:
            environ: a mapping of names and values; `os.environ` unless given.

        Raises:
            ConfigurationError: a variable is missing or cannot be right; all that is missing is
                named at once.
        """
        from ._sources import from_environment  # here: few programs need it, at 5 ms

        return cls._of(from_environment(os.environ if environ is None else environ))

    @classmethod
    def _of(cls: type[Self], settings: Settings) -> Self:
        return cls._kinds[settings.kind]._of(settings)  # type: ignore[no-any-return]  # a Self


class Credentials(FromSettings, ABC):
    """Gives the header that authorizes a request (RFC 6750 §2.1).

    Safe to call from any number of threads. The dicts handed out belong to the caller.
    """

    _kinds: ClassVar = {}

    @classmethod
    def load(cls: type[Self], config: Config) -> Self:
        """Credentials of a configuration, in the shape that the Cognite SDK has.

        Args:
            config: `{"client_credentials": {...}}` with the keywords of `OAuth2ClientCredentials`,
                or that inner mapping alone, or `{"token": ...}`; also as JSON text, or as YAML
                text with the extra `yaml`.

        Raises:
            ConfigurationError: a key is unknown or missing, or a value cannot be right.
        """
        from ._sources import from_config

        return cls._of(from_config(config))

    @abstractmethod
    def get_headers(self) -> dict[str, str]:
        """`{"Authorization": "Bearer …"}`, a new dict each time.

        Raises:
            OAuth2Error: there is no usable token and none can be had.
        """

    @abstractmethod
    def refresh_if_needed(self) -> None:
        """Fetch a token if there is none, or the held one is due.

        Raises:
            OAuth2Error: there is no usable token and none can be had.
        """

    def _at_hand(self) -> dict[str, str] | None:
        """The headers, where they can be had at once; None where that may take a while."""
        return None

    def authorization_header(self) -> tuple[str, str]:
        """`("Authorization", "Bearer …")`, as the Cognite SDK and Pygen ask for it.

        Raises:
            OAuth2Error: there is no usable token and none can be had.
        """
        return "Authorization", self.get_headers()["Authorization"]


class _AsyncCredentialsType(ABCMeta):
    """Has `load` on `AsyncCredentials` alone.

    Whatever has both `authorization_header` and `load` is a `CredentialProvider` to the Cognite
    SDK, which would call it without awaiting it. So neither asynchronous credentials nor their
    classes have a `load`.
    """

    @property
    def load(cls) -> Callable[[Config], AsyncCredentials]:
        """Asynchronous credentials of a configuration; see `Credentials.load`."""
        if cls is not AsyncCredentials:
            raise AttributeError(f"{cls.__name__} has no load; use AsyncCredentials.load")
        from ._sources import from_config

        return lambda config: AsyncCredentials._of(from_config(config))


class AsyncCredentials(FromSettings, ABC, metaclass=_AsyncCredentialsType):
    """The twin of `Credentials` for asynchronous programs: the same methods, awaited.

    `AsyncCredentials.load(config)` is not awaited, and the kinds that it gives have no `load`.
    """

    _kinds: ClassVar = {}

    @abstractmethod
    async def get_headers(self) -> dict[str, str]:
        """See `Credentials.get_headers`."""

    @abstractmethod
    async def refresh_if_needed(self) -> None:
        """See `Credentials.refresh_if_needed`."""

    async def authorization_header(self) -> tuple[str, str]:
        """See `Credentials.authorization_header`."""
        headers = await self.get_headers()
        return "Authorization", headers["Authorization"]
