"""What the server says without being asked for a token: its metadata, and its time."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from .._errors import ConfigurationError, OAuth2Error
from .._metadata import Metadata
from .._wire import Request, Response, identified
from ..client_auth import TLSClientCertificate
from ._subject import Finding, Subject, doubtful, fine, lasting, nothing_to_do, wrong

_NOTICED = 5.0
"""Seconds by which a clock may be off and nobody cares: `Date` counts whole ones, and is late."""
_MATTERS = 60.0
"""Seconds: assertions live for minutes, and servers allow for one or so."""
_SIGNED = ("client_secret_jwt", "private_key_jwt")


def discovery(subject: Subject) -> Finding:
    """The server's metadata (RFC 8414), and whether they agree with the settings."""
    given, provider = subject.settings, subject.provider
    assert provider is not None
    try:
        metadata = subject.done(
            lambda: subject.credentials._carry_out(given._steps_to(provider, True))  # type: ignore[attr-defined]
        )
    except OAuth2Error as error:
        return wrong(str(error.args[0]), error.hint or "check the issuer")
    return _compared(subject, metadata)


def _compared(subject: Subject, metadata: Metadata) -> Finding:
    given = subject.settings
    found = {
        "issuer": metadata.issuer,
        "token_endpoint": metadata.token_endpoint,
        "auth_methods": list(metadata.auth_methods),
    }
    method = given._grant.client_auth.name
    endpoints = {metadata.token_endpoint}
    if isinstance(given._grant.client_auth, TLSClientCertificate):
        endpoints.add(metadata.mtls_token_endpoint or metadata.token_endpoint)
    what = f"issuer {metadata.issuer}"
    if given.token_url.partition("?")[0] not in endpoints:
        return doubtful(
            f"{what}, whose token endpoint is {metadata.token_endpoint}",
            "check token_url: the server names another one",
            **found,
        )
    if method not in metadata.auth_methods and f"self_signed_{method}" not in metadata.auth_methods:
        taken = ", ".join(metadata.auth_methods)
        return doubtful(
            f"{what}; clients may prove themselves by {taken}, not by {method}",
            "set client_auth to one of those, as this client is registered",
            **found,
        )
    return fine(f"{what}; token endpoint and {method} as in the settings", **found)


# -- the clock


def clock(subject: Subject) -> Finding:
    """How far this machine's clock is from the server's `Date` (RFC 9110 §6.6.1)."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    url = subject.settings.token_url
    # Without a client's credentials; most servers say that they want a POST, and what time it is.
    request = identified(Request(url, headers, b"", subject.share, method="GET"))
    before = time.time()
    try:
        response: Response = subject.done(subject.credentials._send, request)
    except ConfigurationError as error:
        advice = error.hint or "set up client or verify so that they can be used"
        return wrong(str(error.args[0]), advice, error=type(error).__name__)
    except OAuth2Error as error:  # a server need not answer a GET there
        said = str(error.args[0]).removeprefix("Metadata request failed: ")
        return nothing_to_do(f"the server does not say what time it is: {said}")
    return _judged(subject, _ahead(response, (before + time.time()) / 2))


def _ahead(response: Response, now: float) -> float | None:
    """Seconds by which this machine is ahead of the server; None where that does not say."""
    try:
        date = parsedate_to_datetime(response.headers["date"]).timestamp()
        age = float(response.headers.get("age", "0"))  # a cache gives the Date that it got
    except (KeyError, ValueError, OverflowError):
        return None
    return now - (date + age + 0.5)  # half a second, since Date is cut off


def _judged(subject: Subject, ahead: float | None) -> Finding:
    if ahead is None:
        return nothing_to_do("the server does not say what time it is")
    if abs(ahead) <= _NOTICED:
        subject.clock_is_right = True
        return fine("as the server's", seconds_ahead=ahead)
    what = (
        f"this machine is {lasting(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the server"
    )
    advice = "set the clock of this machine right, as by NTP"
    if abs(ahead) > _MATTERS and subject.settings._grant.client_auth.name in _SIGNED:
        return wrong(
            what, f"{advice}: the server refuses what the client signs", seconds_ahead=ahead
        )
    return doubtful(
        what, f"{advice}; what is signed, and other machines, go by it", seconds_ahead=ahead
    )
