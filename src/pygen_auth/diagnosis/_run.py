"""The steps of a diagnosis in their order: what each depends on, how long it may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from .._checks import check_url
from .._clients import is_async_client_object
from .._errors import ConfigurationError
from .._interface import AsyncCredentials, Credentials
from .._settings import ClientSettings
from .._worker import within
from ..providers import Provider
from . import _call, _line, _server, _settings, _tls, _token
from ._redaction import Redaction
from ._report import STEPS, Check, Diagnosis
from ._subject import Finding, Subject, nothing_to_do, wrong


@dataclass(frozen=True)
class Step:
    """One thing to look at."""

    name: str
    run: Callable[[Subject], Finding]
    needs: str | None = None
    """The step that must not have failed."""
    on_the_way: bool = False
    """Whether it looks at the way to the server, which a client of the caller's may not take."""


_WITH_CLIENT = (
    Step("settings", _settings.settings),
    Step("name", _line.name, on_the_way=True),
    Step("connection", _line.connection, "name", on_the_way=True),
    Step("proxy", _line.proxy, "connection", on_the_way=True),
    Step("tls", _tls.tls, "proxy", on_the_way=True),
    Step("discovery", _server.discovery, "tls"),
    Step("clock", _server.clock, "tls"),
    Step("token request", _token.token_request, "tls"),
    Step("token", _token.token, "token request"),
    Step("as asked", _token.as_asked, "token request"),
    Step("lifetime", _token.lifetime, "token request"),
    Step("call", _call.call, "token request"),
)
_WITH_TOKEN = (
    Step("token request", _token.token_given),
    Step("token", _token.token, "token request"),
    Step("call", _call.call, "token request"),
)


def run(
    credentials: Credentials | AsyncCredentials,
    *,
    issuer: str | Provider | None,
    call: str | None,
    redact: bool,
    on_check: Callable[[Check], None] | None,
    only: Collection[str] = STEPS,
) -> Diagnosis:
    """See `pygen_auth.diagnose`. Of the steps, `only` those are looked at."""
    _check_kind(credentials)
    client = credentials if isinstance(credentials, ClientSettings) else None
    hosts = () if client is None else client._insecure_hosts
    provider = _provider(issuer)
    if provider is not None and provider.issuer is not None:
        check_url("issuer", provider.issuer, hosts)
    if call is not None:
        check_url("call", call, hosts, sends="the token")
    redaction = Redaction(ids=redact)
    if client is not None:
        redaction.cover([client.client_id])
        if isinstance(client.client_secret, str):
            redaction.hide(client.client_secret)
    subject = Subject(credentials, provider, call, redaction)
    known = _WITH_CLIENT if client else _WITH_TOKEN
    steps = [step for step in known if step.name in only and _wanted(step, subject)]
    return Diagnosis(_checks(steps, subject, on_check or (lambda check: None)))


def _check_kind(credentials: object) -> None:
    if not isinstance(credentials, (Credentials, AsyncCredentials)):
        raise ConfigurationError("credentials must be an object of a class of pygen_auth")
    if isinstance(credentials, ClientSettings) and is_async_client_object(
        credentials._connection.client
    ):
        raise ConfigurationError(
            "client is an object that belongs to an event loop, and a diagnosis runs in another "
            "one, which would break its connections; pass a callable that makes one, as in "
            "client=httpx.AsyncClient"
        )


def _provider(issuer: str | Provider | None) -> Provider | None:
    if issuer is None or isinstance(issuer, Provider):
        return issuer
    if not isinstance(issuer, str):
        raise ConfigurationError("issuer must be a URL or a Provider")
    return Provider(name="the server", token_url="", issuer=issuer)


def _wanted(step: Step, subject: Subject) -> bool:
    if step.name == "discovery":
        return subject.provider is not None and subject.provider.issuer is not None
    return step.name != "call" or subject.call_url is not None


def _checks(
    steps: list[Step], subject: Subject, tell: Callable[[Check], None]
) -> tuple[Check, ...]:
    checks: list[Check] = []
    missing: set[str] = set()
    """Steps that failed, and those that depend on them."""
    try:
        for step in steps:
            tell(Check(step.name, "running"))
            if step.needs in missing:
                missing.add(step.name)
                check = Check(step.name, "not run", f"needs {step.needs}")
            else:
                check = _checked(step, subject)
                if check.outcome == "failed":
                    missing.add(step.name)
            checks.append(check)
            tell(check)
    finally:
        subject.close()
    return tuple(checks)


def _checked(step: Step, subject: Subject) -> Check:
    began = time.monotonic()
    finding = _found(step, subject)
    seconds = round(time.monotonic() - began, 3)
    clean: Callable[[Any], Any] = subject.redaction.value
    return Check(
        step.name,
        finding.outcome,
        clean(finding.detail),
        clean(finding.advice),
        seconds,
        clean(finding.found),
    )


def _found(step: Step, subject: Subject) -> Finding:
    """What a step finds, in a thread that is left when its time is up."""
    if step.on_the_way and subject.connection.client is not None:
        return nothing_to_do("your client knows the way")
    try:
        return within(
            subject.timeout,
            lambda: step.run(subject),
            late=TimeoutError,
            leave=subject.close,
        )
    except TimeoutError:
        return wrong(
            f"nothing within {subject.timeout:.3g} s",
            _LATE.get(step.name, "ask the server's operator, or raise timeout"),
        )


_LATE = {
    "name": "the name server does not answer: check the network, VPN and DNS of this machine",
    "proxy": "the proxy does not answer: check HTTPS_PROXY, and ask its operator",
}
