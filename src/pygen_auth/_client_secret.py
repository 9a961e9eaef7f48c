"""Clients that show their secret as it is: what nearly every program needs of `client_auth`.

The other ways stand there. They bring keys, certificates and files, and a program that uses none of
them does not load them: that would take it 3 ms of each start.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ._errors import ConfigurationError

if TYPE_CHECKING:
    from ._assertion import SigningKey


class Method:
    """What all ways of proving a client have. A value: never changed, equal by what is in it."""

    name: ClassVar[str]
    """That of RFC 7591 §2 (`token_endpoint_auth_method`)."""
    takes_secret: ClassVar[bool] = False
    """Whether it needs `client_secret`."""
    at_hand: ClassVar[bool] = False
    """Whether nothing has to be read from a file, called or signed, but for the secret."""
    by_connection: ClassVar[bool] = False
    """Whether it is the connection that proves the client."""

    def credential(self, secret: str) -> str | SigningKey:
        """What proves the client, read now.

        Args:
            secret: the client's, checked; empty where this way takes none.

        Raises:
            ConfigurationError: it cannot be had.
        """
        return secret


@dataclass(frozen=True)
class ClientSecretPost(Method):
    """Id and secret in the form (RFC 6749 §2.3.1). The default, and what most servers take."""

    name = "client_secret_post"
    takes_secret = at_hand = True


@dataclass(frozen=True)
class ClientSecretBasic(Method):
    """Id and secret in the Authorization header (RFC 6749 §2.3.1).

    Args:
        encoding: what is done to the two first. "form" percent-encodes them, as the RFC wants and
            some servers expect; "raw" leaves their UTF-8 as it is, as other servers expect.
            "auto" begins with "form"; where the server refuses that and the two differ, it tries
            "raw" once, and remembers what the server took.

    Raises:
        ConfigurationError: another encoding.
    """

    name = "client_secret_basic"
    takes_secret = at_hand = True
    encoding: Literal["auto", "form", "raw"] = "auto"

    def __post_init__(self) -> None:
        if self.encoding not in ("auto", "form", "raw"):
            raise ConfigurationError("encoding must be 'auto', 'form' or 'raw'")


BY_NAME = {method.name: method for method in (ClientSecretPost(), ClientSecretBasic())}
"""One of each for all: services hold thousands of credentials."""


def called(setting: str, source: Callable[[], object]) -> object:
    """What a callable of the user's gives; it runs in a thread, so it must not be asynchronous."""
    given = source()
    if inspect.iscoroutine(given):
        given.close()  # else Python warns that nobody awaited it
        raise ConfigurationError(f"{setting} must be a plain callable; this one is asynchronous")
    return given
