"""What every source gives: the arguments of one kind of credentials or of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal


@dataclass(frozen=True)
class TokenSettings:
    """The argument of `TokenCredentials`."""

    kind: ClassVar[Literal["token"]] = "token"
    token: str | Callable[[], str] = field(repr=False)


@dataclass(frozen=True)
class ClientCredentialsSettings:
    """The keyword arguments of `OAuth2ClientCredentials`; those not set are not in it."""

    kind: ClassVar[Literal["client_credentials"]] = "client_credentials"
    keywords: Mapping[str, Any] = field(repr=False)


Settings = TokenSettings | ClientCredentialsSettings
