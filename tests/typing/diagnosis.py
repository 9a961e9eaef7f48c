"""A diagnosis as a user reads it. Type-checked, not run."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

from pygen_auth import (
    AsyncCredentials,
    AsyncOAuth2ClientCredentials,
    Credentials,
    OAuth2ClientCredentials,
    TokenCredentials,
    diagnose,
)
from pygen_auth.diagnosis import Check, Diagnosis
from pygen_auth.providers import cognite

URL = "https://auth.example.com/oauth2/token"


def shortest() -> None:
    assert_type(diagnose(OAuth2ClientCredentials(URL, "id", "secret")), Diagnosis)
    diagnose(AsyncOAuth2ClientCredentials(URL, "id", "secret"))
    diagnose(TokenCredentials("t"))
    diagnose(URL)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def any_kind(credentials: Credentials | AsyncCredentials) -> None:
    heard: list[Check] = []
    diagnose(
        credentials,
        issuer="https://auth.example.com",
        call="https://api.example.com",
        redact=False,
        on_check=heard.append,
    )
    diagnose(credentials, issuer=cognite())


def report(diagnosis: Diagnosis) -> None:
    assert_type(diagnosis.ok, bool)
    assert_type(diagnosis.checks, tuple[Check, ...])
    assert_type(diagnosis.as_dict(), dict[str, Any])
    check = diagnosis.check("tls")
    assert_type(check.name, str)
    assert_type(check.detail, str)
    assert_type(check.advice, str | None)
    assert_type(check.seconds, float)
    if check.outcome == "never":  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]
        pass
