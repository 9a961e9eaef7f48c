"""Whether settings are plausible: rules as data, for what people often get wrong.

That they are complete is known before: nothing makes credentials of incomplete ones. Each rule is
a warning, since only the server knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .._checks import is_loopback
from .._settings import ClientSettings
from ._subject import Finding, Subject, doubtful, fine

_PLACEHOLDER = re.compile(
    r"<.*>|\{.*\}|\$\{?\w+\}?|your[-_ ].*|x{3,}|\.{3,}|change-?me|todo|none|null|undefined",
    re.IGNORECASE,
)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ENTRA = re.compile(r"https://login\.(microsoftonline|partner\.microsoftonline|sovcloud)[^/]*/")
_SHORT = 2.0  # seconds: name, TCP, TLS and an answer take about one on a bad line


@dataclass(frozen=True)
class Rule:
    """Something that is rarely right."""

    applies: Callable[[ClientSettings], bool]
    detail: str
    advice: str


def _secret(settings: ClientSettings) -> str:
    secret = settings.client_secret
    return secret if isinstance(secret, str) else ""


def _is_entra(settings: ClientSettings) -> bool:
    return _ENTRA.match(settings.token_url) is not None


def _at(settings: ClientSettings, path: str) -> bool:
    return _is_entra(settings) and re.search(path, settings.token_url) is not None


def _odd_scope(settings: ClientSettings) -> bool:
    odd = any(not scope.endswith("/.default") for scope in settings.scopes)
    return _at(settings, r"/v2\.0/token") and (odd or len(settings.scopes) != 1)


RULES = (
    Rule(
        lambda settings: _PLACEHOLDER.fullmatch(settings.client_id) is not None,
        "client_id looks like a placeholder",
        "set client_id to the id that the server gave this client",
    ),
    Rule(
        lambda settings: _PLACEHOLDER.fullmatch(_secret(settings)) is not None,
        "client_secret looks like a placeholder",
        "set client_secret to the secret itself; is the variable it is from filled in?",
    ),
    Rule(
        lambda settings: _secret(settings) != _secret(settings).strip(),
        "client_secret has white space around it",
        "take the white space off, unless the secret has it",
    ),
    Rule(
        lambda settings: _is_entra(settings) and _GUID.fullmatch(_secret(settings)) is not None,
        "client_secret is a GUID, as the id of a secret is",
        'copy "Value" of the secret, not "Secret ID"; Entra shows it only when the secret is made',
    ),
    Rule(
        lambda settings: _is_entra(settings) and _GUID.fullmatch(settings.client_id) is None,
        "client_id is no GUID",
        'set client_id to "Application (client) ID" on the overview page of the app registration',
    ),
    Rule(
        lambda settings: _at(settings, r"/(common|organizations|consumers)/oauth2/"),
        "token_url names no tenant",
        "put the tenant's GUID or domain into token_url: nobody signs in here",
    ),
    Rule(
        _odd_scope,
        "scopes is not one resource followed by /.default",
        "set scopes to one such as 'api://my-api/.default': Entra takes no other here",
    ),
    Rule(
        lambda settings: _at(settings, r"[^/]+/oauth2/token") and bool(settings.scopes),
        "token_url is the v1.0 endpoint of Entra, which reads no scope",
        "use the one with /oauth2/v2.0/token, or params={'resource': …} in place of scopes",
    ),
    Rule(
        lambda settings: ".auth0.com/" in settings.token_url and not settings.audience,
        "audience is not set",
        "set audience to the Identifier of the API: Auth0 wants one, unless the tenant has a "
        "default",
    ),
    Rule(
        lambda settings: "/.well-known/" in settings.token_url,
        "token_url is the address of metadata",
        "give that address to discover(), or take token_endpoint out of the document",
    ),
    Rule(
        lambda settings: settings.token_url.rstrip("/").endswith("/authorize"),
        "token_url is the address where users sign in",
        "use the address of the token endpoint, which often ends in /token",
    ),
    Rule(
        lambda settings: settings._timeout < _SHORT,
        f"timeout is under {_SHORT:g} s",
        "set timeout to 10 or more: it holds for all attempts of a call together",
    ),
)
"""In the order in which they are told; each that applies."""


def settings(subject: Subject) -> Finding:
    """Complete, since the credentials could be made; whether they are plausible."""
    given = subject.settings
    found = {
        "token_url": given.token_url.partition("?")[0],
        "client_id": given.client_id,
        "scopes": given.scopes,
        "audience": given.audience,
        "client_auth": given._grant.client_auth.name,
    }
    asked = [*given.scopes, *([f"audience {given.audience}"] if given.audience else [])]
    what = f"{given.client_id} by {found['client_auth']} at {found['token_url']}"
    what += f", for {' '.join(asked)}" if asked else ""
    told = [rule for rule in RULES if rule.applies(given)]
    problems = [rule.detail for rule in told]
    advices = [rule.advice for rule in told]
    if subject.url.scheme == "http" and not is_loopback(subject.url.hostname or ""):
        problems.append("the secret goes over plain http")
        advices.append("use https wherever somebody else could listen")
    if problems:
        return doubtful(f"{what}; {'; '.join(problems)}", "; ".join(advices), **found)
    return fine(what, **found)
