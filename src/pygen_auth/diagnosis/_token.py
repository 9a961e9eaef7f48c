"""The token: had, read, and held against what was asked for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone

from .._errors import (
    ConfigurationError,
    InvalidResponseError,
    OAuth2Error,
    RefusedError,
    UnreachableError,
    shown,
)
from .._token import Token
from ._jwt import IDS, moment, parts_of, words
from ._subject import (
    Finding,
    Subject,
    advice_for_tls,
    doubtful,
    fine,
    lasting,
    nothing_to_do,
    wrong,
)

_DEFAULT = "/.default"
"""What Entra ID wants behind a resource as the one scope."""
_SAME = 60.0
"""Seconds by which the end of a token may differ between what names it twice."""

_ADVICE: dict[type[OAuth2Error], str] = {
    ConfigurationError: "set the setting right that is named there",
    UnreachableError: "raise timeout if the server is slow; else ask its operator, with the id",
    RefusedError: "ask the server's operator, with the id of the request",
    InvalidResponseError: "check token_url: what answers there gives no tokens as RFC 6749 has it",
}
"""Where the error itself has no hint."""
_ADVICE_FOR_CODE = "look into the code that gives the token"
_ADVICE_FOR_END = "check scheme and port of token_url; else ask the server's operator, with the id"


def token_request(subject: Subject) -> Finding:
    """A token is had: fetched, or the one that is held."""
    started = time.time()
    try:
        token: Token = subject.done(subject.credentials.token)
    except OAuth2Error as error:
        return _refused(subject, error)
    subject.token = token
    _hold(subject, token.access_token)
    held = token.expires_at - token.lifetime < started - 1
    left = token.expires_at - time.time()
    what = f"token {token.fingerprint}{', which was held' if held else ''}, {lasting(left)} left"
    return fine(what, fingerprint=token.fingerprint, lifetime=token.lifetime, scope=token.scope)


def token_given(subject: Subject) -> Finding:
    """A token from elsewhere is had."""
    try:
        headers: object = subject.done(subject.credentials.get_headers)
    except OAuth2Error as error:
        found = {"error": type(error).__name__}
        return wrong(str(error.args[0]), error.hint or _ADVICE_FOR_CODE, **found)
    except Exception as error:  # of credentials that somebody else wrote
        return wrong(f"the credentials raised {type(error).__name__}", _ADVICE_FOR_CODE)
    header = headers.get("Authorization") if isinstance(headers, Mapping) else None
    if not isinstance(header, str):
        return wrong("the credentials give no Authorization header", _ADVICE_FOR_CODE)
    _hold(subject, header.partition(" ")[2])
    return fine("given by the credentials")


def _hold(subject: Subject, access_token: str) -> None:
    subject.access_token = access_token
    subject.redaction.hide(access_token)


def _refused(subject: Subject, error: OAuth2Error) -> Finding:
    found = {"error": type(error).__name__, "retryable": error.retryable}
    for name in ("status", "code", "request_id", "trace_id", "correlation_id"):
        value = getattr(error, name, None)
        if value is not None:
            found[name] = value
            subject.redaction.keep([str(value)])
    ids = [f"{name} {found[name]}" for name in ("request_id", "trace_id") if name in found]
    what = f"{error.args[0]} [{', '.join(ids)}]" if ids else str(error.args[0])
    return wrong(what, error.hint or _advice(error), **found)


def _advice(error: OAuth2Error) -> str:
    said = str(error.args[0])
    if isinstance(error, UnreachableError) and "within" not in said:
        return advice_for_tls(said) or _ADVICE_FOR_END
    return _ADVICE.get(type(error), _ADVICE[RefusedError])


# -- what is in it


def token(subject: Subject) -> Finding:
    """The header and the claims, where it is a JWT."""
    read = parts_of(subject.access_token)
    if read is None:
        return nothing_to_do("not a JWT: only the server and the API know what is in it")
    header, claims = read
    subject.claims = claims
    subject.redaction.cover([value for name in IDS for value in words(claims, name)])
    told = {name: _shown(value) for name, value in claims.items() if name not in ("iat", "nbf")}
    what = "JWT: " + ", ".join(f"{name} {value}" for name, value in told.items())
    found = {"header": header, "claims": claims}
    end, begin = moment(claims, "exp"), moment(claims, "nbf")
    if end is not None and end <= time.time():
        advice = _clocks(subject) if subject.client else "get another token"
        return wrong(f"expired {lasting(time.time() - end)} ago; {what}", advice, **found)
    if begin is not None and begin > time.time() + _SAME:
        ahead = lasting(begin - time.time())
        return wrong(f"valid in {ahead}; {what}", _clocks(subject), **found)
    return fine(what, **found)


def _clocks(subject: Subject) -> str:
    """What to do about a token that cannot be used now, by the times in it."""
    if subject.clock_is_right:
        return "ask the server's operator: its tokens go by another clock than its answers"
    return "set the clock of this machine right"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(shown(str(one)) for one in value[:20])
    if isinstance(value, (int, float)) and value > 1e9 and value < 1e11:
        return f"{datetime.fromtimestamp(value, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    return shown(str(value))


def as_asked(subject: Subject) -> Finding:
    """The token is for the audience and the scopes that were asked for."""
    given = subject.settings
    resources = [one.removesuffix(_DEFAULT) for one in given.scopes if one.endswith(_DEFAULT)]
    resources += [value for name, value in given._grant.params if name == "resource"]
    asked = [given.audience] if given.audience else resources
    audiences = words(subject.claims, "aud")
    if asked and audiences and not _is_for(asked, audiences):
        return wrong(
            f"the token is for {shown(' '.join(audiences))}, asked for {' '.join(asked)}",
            "check audience, scopes and resource: the API refuses a token that is for another one",
        )
    scopes = [one for one in given.scopes if not one.endswith(_DEFAULT)]
    granted = words(subject.claims, "scp", "scope", "roles")
    granted += ((subject.token and subject.token.scope) or "").split()
    missing = [one for one in scopes if one not in granted]
    if granted and missing:
        return doubtful(
            f"granted {shown(' '.join(granted))}, not {' '.join(missing)}",
            "have those scopes allowed for this client at the server, or leave them out",
            missing=missing,
        )
    if not audiences and not granted:
        return nothing_to_do("neither the token nor the server says what it is for")
    parts = [f"for {shown(' '.join(audiences))}"] if audiences else []
    parts += [f"with {shown(' '.join(dict.fromkeys(granted)))}"] if granted else []
    return fine(", ".join(parts))


def _is_for(asked: list[str], audiences: list[str]) -> bool:
    """Whether one was asked for; an id in place of a URI, as Entra gives it, says nothing."""
    bare = {one.rstrip("/").removeprefix("api://") for one in asked}
    return any(one.rstrip("/").removeprefix("api://") in bare for one in audiences) or any(
        one.count("-") == 4 and ":" not in one for one in audiences
    )


# -- how long


def lifetime(subject: Subject) -> Finding:
    """The lifetime against the refresh margin, and against the end that the token names."""
    given, held = subject.settings, subject.token
    assert held is not None
    margin, life = given.refresh_margin, held.lifetime  # type: ignore[attr-defined]
    what = f"{lasting(life)}, a new one {lasting(min(margin, life / 2))} ahead of its end"
    end = moment(subject.claims, "exp")
    if end is not None and end < held.expires_at - _SAME:
        early = lasting(held.expires_at - end)
        if held.lifetime_assumed:
            advice = f"set default_lifetime to {max(1.0, life - held.expires_at + end):.0f}"
        else:
            advice = "ask the server's operator: expires_in must not be longer than the token's exp"
        return wrong(f"{what}, but the token itself ends {early} before", advice)
    if held.lifetime_assumed:
        return doubtful(
            f"{what}; the server names no lifetime, so this is default_lifetime",
            "set default_lifetime to what the server's documentation says",
        )
    if life <= margin:
        return doubtful(
            f"{what}; a token lives no longer than refresh_margin of {lasting(margin)}",
            f"set refresh_margin to {life / 4:.0f} or so; until then half of a life counts",
        )
    return fine(what)
