"""Settings that are rarely right, one by one."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from pygen_auth import OAuth2ClientCredentials
from pygen_auth.diagnosis import Check, _settings
from pygen_auth.diagnosis._redaction import Redaction
from pygen_auth.diagnosis._subject import Finding, Subject, lasting

from .support import CLIENT, SECRET

ENTRA = "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"
ENTRA_V1 = "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token"
URL = "https://idp.example.com/token"
SCOPES = ["api://my-api/.default"]


def found(
    url: str = URL, client_id: str = CLIENT, secret: Any = SECRET, **settings: Any
) -> Finding:
    credentials = OAuth2ClientCredentials(url, client_id, secret, **settings)
    return _settings.settings(Subject(credentials, None, None, Redaction(ids=True)))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="any server"),
        pytest.param({"secret": lambda: "<secret>"}, id="a secret that is called for"),
        pytest.param({"url": ENTRA, "scopes": SCOPES}, id="Entra"),
        pytest.param({"url": ENTRA_V1, "params": {"resource": "api://my-api"}}, id="Entra v1"),
        pytest.param(
            {"url": "https://t.auth0.com/oauth/token", "audience": "https://api"}, id="Auth0"
        ),
        pytest.param({"url": "http://127.0.0.1/token"}, id="this machine"),
        pytest.param({"client_id": "my-client-id"}, id="a plain id"),
    ],
)
def test_nothing_to_say(settings: dict[str, Any]) -> None:
    assert (found(**settings).outcome, found(**settings).advice) == ("ok", None)


@pytest.mark.parametrize(
    ("settings", "detail", "advice"),
    [
        ({"client_id": "<client-id>"}, "client_id looks like a placeholder", "set client_id to"),
        ({"client_id": "your-client-id"}, "client_id looks like", "set client_id to"),
        ({"secret": "${SECRET}"}, "client_secret looks like", "is the variable it is from filled"),
        ({"secret": "changeme"}, "client_secret looks like", "is the variable it is from filled"),
        ({"secret": f" {SECRET}"}, "white space around it", "take the white space off"),
        (
            {"url": ENTRA, "scopes": SCOPES, "secret": CLIENT},
            "client_secret is a GUID",
            'not "Secret ID"',
        ),
        (
            {"url": ENTRA, "scopes": SCOPES, "client_id": "app"},
            "is no GUID",
            "Application (client)",
        ),
        (
            {"url": ENTRA.replace("contoso.onmicrosoft.com", "common"), "scopes": SCOPES},
            "token_url names no tenant",
            "nobody signs in here",
        ),
        ({"url": ENTRA, "scopes": ["User.Read"]}, "not one resource", "api://my-api/.default"),
        ({"url": ENTRA}, "not one resource", "api://my-api/.default"),
        ({"url": ENTRA_V1, "scopes": SCOPES}, "reads no scope", "params={'resource': …}"),
        (
            {"url": "https://t.auth0.com/oauth/token"},
            "audience is not set",
            "Identifier of the API",
        ),
        (
            {"url": "https://idp.example.com/.well-known/openid-configuration"},
            "the address of metadata",
            "discover()",
        ),
        (
            {"url": "https://idp.example.com/oauth2/authorize"},
            "where users sign in",
            "address of the token endpoint",
        ),
        ({"timeout": 1}, "timeout is under 2 s", "set timeout to 10 or more"),
        (
            {"url": "http://keycloak/token", "insecure_hosts": ["keycloak"]},
            "plain http",
            "use https",
        ),
    ],
)
def test_rarely_right(settings: dict[str, Any], detail: str, advice: str) -> None:
    finding = found(**settings)
    assert finding.outcome == "warning"
    assert detail in finding.detail
    assert advice in str(finding.advice)


def test_each_rule_has_a_case() -> None:
    """The rules and the table above grow together."""
    cases = test_rarely_right.pytestmark[0].args[1]
    for rule in _settings.RULES:
        assert any(case[1] in rule.detail for case in cases), rule.detail


def test_all_that_is_odd_is_told_at_once() -> None:
    finding = found(client_id="todo", secret="todo")
    assert finding.detail.endswith(
        "; client_id looks like a placeholder; client_secret looks like a placeholder"
    )


def test_says_what_is_asked_of_whom() -> None:
    finding = found(f"{URL}?key=1", scopes="a b", audience="https://api")
    assert finding.detail == (
        f"{CLIENT} by client_secret_post at {URL}, for a b audience https://api"
    )
    assert finding.found["scopes"] == ["a", "b"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.25 s"),
        (119, "119 s"),
        (300, "5 min"),
        (7200, "2 h"),
        (86_400 * 90, "90 days"),
        (-300, "-5 min"),
    ],
)
def test_spans_of_time(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


def test_check_is_a_value() -> None:
    assert Check("name", "ok") == Check("name", "ok")
    with pytest.raises(AttributeError), mock.patch.object(Check("name", "ok"), "name", "tls"):
        pass
