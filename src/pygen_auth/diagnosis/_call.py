"""One call to the API, and why it refuses a token, out of its challenge and the claims."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .._clients import Connection
from .._clock import SYSTEM_CLOCK
from .._errors import OAuth2Error, RefusedError, shown
from .._http import Sender
from .._protocol import json_object
from .._refusal import origin, refusal
from .._wire import Request, Response, identified
from ._jwt import words
from ._subject import Finding, Subject, advice_for_tls, bare, doubtful, fine, wrong

_LONGEST = 4_096  # characters of a challenge that are looked at
_KEY_OF_THE_API = re.compile(r"\b(subscription|api)[ _-]?key\b")
_ANOTHER_ISSUER = re.compile(r"signature|issuer|signing key|\bkid\b")
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][\w-]*)(?=\s+[\w-]+\s*=|\s*,|\s*$)")
_MANY_REASONS = re.compile(r"\bor\b")  # RFC 6750 §3.1: "expired, revoked, malformed, or invalid …"
_FIELD = re.compile(r'(\w{1,40})\s*=\s*(?:"([^"]{0,1000})"|([^\s,"]{1,1000}))')


def call(subject: Subject) -> Finding:
    """GET with the token (RFC 6750 §2.1). No redirect is followed."""
    url = str(subject.call_url)
    headers = {"Authorization": f"Bearer {subject.access_token}", "Accept": "*/*"}
    hidden = (subject.access_token,)
    request = Request(url, headers, b"", subject.share, secrets=hidden, method="GET")
    send = Sender(Connection(verify=subject.connection.verify))
    try:
        response = send(identified(request))
    except OAuth2Error as error:
        said = str(error.args[0]).removeprefix("Metadata request failed: ")
        way = f"check the URL, and the way to {bare(urlsplit(url))} from here"
        slow = "; raise timeout if the API is slow" if "within" in said else ""
        return wrong(said, advice_for_tls(said) or f"{way}{slow}")
    return _judged(subject, response)


def _judged(subject: Subject, response: Response) -> Finding:
    status = response.status
    found = {"status": status}
    if 200 <= status < 300:
        return fine(f"status {status}: the API takes the token", **found)
    if 300 <= status < 400:
        to = origin(response, (subject.access_token,))
        advice = "call the URL that it points to; where users sign in there, the API wants no token"
        return doubtful(f"status {status}, which points to {to}", advice, **found)
    said = _said(subject, response)
    if status == 401:
        return wrong(f"status 401: {said}", _unauthorized(subject, response), **found)
    if status == 403:
        return wrong(f"status 403: {said}", _forbidden(subject, response), **found)
    if status >= 500:
        return wrong(f"status {status}: {said}", "the API fails: ask its operator", **found)
    advice = "the API does not complain about the token; try a URL that answers GET"
    if status == 429:
        advice = "the API is called too often: wait, and call it again"
    return doubtful(f"status {status}: {said}", advice, **found)


def _said(subject: Subject, response: Response) -> str:
    """What the API gives as the reason, in one line."""
    answered: RefusedError = refusal(
        response, json_object(response) or {}, SYSTEM_CLOCK.now(), (subject.access_token,)
    )
    fields = challenge(response)
    described = [fields.get("error"), fields.get("error_description")]
    told = [answered.error, answered.description, *described]
    parts = dict.fromkeys(shown(one, (subject.access_token,)) for one in told if one)
    return ": ".join(parts) or "no reason given"


def challenge(response: Response) -> dict[str, str]:
    """The fields of `WWW-Authenticate` (RFC 6750 §3), and the scheme: Bearer, if that will do."""
    text = response.headers.get("www-authenticate", "")[:_LONGEST]
    fields = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(text)}
    schemes = [one.lower() for one in _SCHEME.findall(re.sub(r'"[^"]*"', '""', text))]
    if not schemes:
        return fields
    return {**fields, "scheme": "bearer" if "bearer" in schemes else schemes[0]}


def _unauthorized(subject: Subject, response: Response) -> str:
    fields, claims = challenge(response), subject.claims
    said = _said(subject, response).lower()
    audiences = " ".join(shown(one) for one in words(claims, "aud"))
    scheme = fields.get("scheme", "bearer")
    if scheme not in ("bearer", "dpop"):
        return f"the API wants {shown(scheme)}, no Bearer token: check the URL"
    if scheme == "dpop":
        return "the API wants DPoP, which ties a token to a key: have Bearer tokens allowed"
    wanted = fields.get("resource_id") or fields.get("resource")
    if wanted and wanted not in audiences.split():
        return f"ask for a token for {shown(wanted)}: this one is for {audiences or 'another API'}"
    if _KEY_OF_THE_API.search(said):
        return "the API wants a key beside the token: call it with the header that its docs name"
    if ("expired" in said or "lifetime" in said) and not _MANY_REASONS.search(said):
        return "set the clocks of this machine, the server and the API right, or get a new token"
    if "audience" in said:
        this = f"is for {audiences}" if audiences else "does not say what it is for"
        return f"set audience or scopes to what the API is called; this token {this}"
    if _ANOTHER_ISSUER.search(said):
        issuer = shown(str(claims.get("iss", "another server")))
        return f"the API trusts another issuer: this token is by {issuer}; check token_url"
    if audiences:
        issuer = shown(str(claims.get("iss", "an issuer that is not named")))
        return f"check that the API takes tokens for {audiences} by {issuer}"
    again = "get a new token; else " if subject.client is None else ""
    return (
        f"{again}check audience and scopes, and that the API trusts this server; ask the API's "
        "operator"
    )


def _forbidden(subject: Subject, response: Response) -> str:
    fields, claims = challenge(response), subject.claims
    granted = " ".join(shown(one) for one in words(claims, "scp", "scope", "roles"))
    has = f"this token has {granted}" if granted else "this token names none"
    if fields.get("scope"):
        return f"ask for {shown(fields['scope'])} in scopes, and have it allowed; {has}"
    if fields.get("error") == "insufficient_scope":
        return f"have the API's operator say which scope it wants; {has}"
    return (
        "the API knows who calls, and does not allow it: have this client given a role, a group "
        f"or a scope there; of roles and scopes, {has}"
    )
