"""The metadata of an authorization server (RFC 8414): the only place that reads such a document.

It also says where the document may be, and what follows from it for a client. What it makes of an
answer is an error with a text that fits behind "<URL>: ".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ._assertion import SECRET_ALGORITHMS
from ._checks import check_url
from ._clock import Instant
from ._errors import ConfigurationError, InvalidResponseError, RefusedError, shown
from ._protocol import json_object, what_is_no_json
from ._refusal import origin, refusal
from ._wire import Response
from .client_auth import (
    BY_NAME,
    PASSED_FOR,
    ClientAuth,
    ClientSecretBasic,
    ClientSecretJWT,
    ClientSecretPost,
    TLSClientCertificate,
)

_WELL_KNOWN = "/.well-known/"
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

_METHODS = "token_endpoint_auth_methods_supported"
_METHODS_MISNAMED = "token_endpoint_auth_methods"
_ALGORITHMS = "token_endpoint_auth_signing_alg_values_supported"

CHECK_ISSUER = "check the issuer, or give the whole .well-known URL"
_GIVE_TOKEN_URL = "the server names a wrong address of its own; give token_url without discovery"


@dataclass(frozen=True)
class Metadata:
    """What a client credentials client needs of a document (RFC 8414 §2), checked."""

    issuer: str
    """As the document names it; the one asked for where it names none and none is wanted."""
    token_endpoint: str
    """https, or http to this machine or to one of `insecure_hosts`."""
    mtls_token_endpoint: str | None
    """For clients with a certificate (RFC 8705 §5); None where there is none that can be used."""
    auth_methods: tuple[str, ...]
    """How clients may prove themselves at the token endpoint; never empty."""
    signing_algs: tuple[str, ...]
    """What their JWTs may be signed with; empty where the document does not say."""


@dataclass(frozen=True)
class Wanted:
    """Whose metadata is wanted, where it may be, and by which rules it counts."""

    urls: tuple[str, ...]
    """In the order to try."""
    issuer: str
    templates: tuple[str, ...]
    """Other issuers that count: `{guid}` stands for any GUID, the rest for itself."""
    verify_issuer: bool
    insecure_hosts: Collection[str]


def candidates(url: str) -> tuple[tuple[str, ...], str]:
    """Where the document of an issuer may be, and the issuer that it must name.

    RFC 8414 §3.1 inserts the well-known part before the path, OpenID Connect Discovery §4 appends
    it. A URL that has one already is taken as it is.

    Raises:
        ConfigurationError: an issuer has no query.
    """
    from authlib.oauth2.rfc8414 import get_well_known_url

    base, query, _ = url.partition("?")
    if _WELL_KNOWN in base:
        return (url,), re.sub(r"/\.well-known/[^/]*", "", base, count=1)
    if query:
        raise ConfigurationError("issuer must not have a query (RFC 8414 §2)")
    bare = _bare(url)
    inserted = get_well_known_url(bare, external=True)
    return (inserted, f"{bare}{_WELL_KNOWN}openid-configuration"), url


# -- the answer


def read_metadata(response: Response, wanted: Wanted, now: Instant) -> Metadata:
    """The metadata in an answer; `now` is when it was asked for, by both clocks.

    Raises:
        RefusedError: the server said no.
        InvalidResponseError: what came is no document that a client may use.
    """
    fields = json_object(response)
    says_no = fields is not None and fields.get("error") and not fields.get("token_endpoint")
    if not 200 <= response.status < 300 or says_no:
        raise _refused(response, fields or {}, now)
    if fields is None:
        raise InvalidResponseError(what_is_no_json(response, ()), hint=CHECK_ISSUER)
    token_endpoint = _token_endpoint(fields.get("token_endpoint"), wanted)
    return Metadata(
        issuer=_issuer(fields.get("issuer"), wanted),
        token_endpoint=token_endpoint,
        mtls_token_endpoint=_mtls_token_endpoint(fields, wanted),
        auth_methods=_auth_methods(fields),
        signing_algs=_texts(fields.get(_ALGORITHMS)),
    )


def _refused(response: Response, fields: Mapping[str, Any], now: Instant) -> RefusedError:
    error = refusal(response, fields, now, ())
    said = [f"status {response.status}", error.error, error.description]
    if 300 <= response.status < 400:
        said = [f"status {response.status}, which points to {origin(response, ())}"]
    error.args = (": ".join(filter(None, said)),)
    error.hint = CHECK_ISSUER
    return error


def _token_endpoint(url: object, wanted: Wanted) -> str:
    """Checked here as to https, since Authlib knows no `insecure_hosts`, and by an environment
    variable stops checking; then by Authlib, which crashes on what is no text.
    """
    from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

    if not isinstance(url, str):
        url = ""
    secure = re.sub("(?i)^http:", "https:", _endpoint(url, wanted)) if url else None
    try:
        AuthorizationServerMetadata(token_endpoint=secure).validate_token_endpoint()
    except ValueError:
        raise InvalidResponseError("no token_endpoint in it", hint=CHECK_ISSUER) from None
    return url


def _endpoint(url: str, wanted: Wanted) -> str:
    try:
        return check_url("the token_endpoint in it", url, wanted.insecure_hosts)
    except ConfigurationError as error:
        wrong, _, _ = error.args[0].partition(";")  # what follows is advice to a caller
    raise InvalidResponseError(shown(wrong), hint=_GIVE_TOKEN_URL)


def _mtls_token_endpoint(fields: Mapping[str, Any], wanted: Wanted) -> str | None:
    """A broken one is left out: few clients want it, and those can go to the other one."""
    aliases = fields.get("mtls_endpoint_aliases")
    url = aliases.get("token_endpoint") if isinstance(aliases, dict) else None
    try:
        return _endpoint(url, wanted) if isinstance(url, str) else None
    except InvalidResponseError:
        return None


def _auth_methods(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the document names none, what RFC 8414 §2 says; Authlib knows that."""
    from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

    methods = _texts(fields.get(_METHODS)) or _texts(fields.get(_METHODS_MISNAMED))
    known = AuthorizationServerMetadata({_METHODS: list(methods)} if methods else {})
    return tuple(known.token_endpoint_auth_methods_supported)


def _texts(value: object) -> tuple[str, ...]:
    """The texts of a list; anything else says nothing, and is no reason to refuse a document."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


# -- the issuer


def _issuer(issuer: object, wanted: Wanted) -> str:
    """The document's issuer, if it is one that is wanted (RFC 8414 §3.3).

    Not by Authlib's validator, which knows no issuer to compare with: what equals a checked URL
    needs no further check, and what a template names may be no URL.
    """
    if not wanted.verify_issuer:
        return issuer if isinstance(issuer, str) else wanted.issuer
    if not issuer or not isinstance(issuer, str):
        raise InvalidResponseError(
            f"no issuer in it, asked for {wanted.issuer!r}",
            hint=CHECK_ISSUER,
        )
    if _bare(issuer) == _bare(wanted.issuer) or any(
        _matches(template, issuer) for template in wanted.templates
    ):
        return issuer
    named = shown(issuer)
    raise InvalidResponseError(
        f"the issuer in it is {named!r}, asked for {wanted.issuer!r}",
        hint=f"check the issuer: this server calls itself {named!r}",
    )


def _bare(issuer: str) -> str:
    """Auth0 and others have a slash at the end of it, and people leave it out."""
    return issuer.removesuffix("/")


def _matches(template: str, issuer: str) -> bool:
    pattern = re.escape(_bare(template)).replace(re.escape("{guid}"), _GUID)
    return re.fullmatch(pattern, _bare(issuer)) is not None


# -- what follows from it


def client_auth_for(
    metadata: Metadata, client_auth: ClientAuth | str | None, has_secret: bool
) -> ClientAuth | str:
    """How the client proves itself: as the caller says, else by the first way the server takes.

    Raises:
        ConfigurationError: what the caller gave does not serve for any of them.
    """
    if client_auth is not None:
        return client_auth
    taken = metadata.auth_methods
    if has_secret and "client_secret_post" in taken:
        return ClientSecretPost()
    if has_secret and "client_secret_basic" in taken:
        return ClientSecretBasic()
    if has_secret and "client_secret_jwt" in taken:
        # The shortest hash that the server takes: it does with the shortest secret.
        fitting = (alg for alg in SECRET_ALGORITHMS if alg in metadata.signing_algs)
        return ClientSecretJWT(next(fitting, "HS256"))
    wanted = dict.fromkeys(PASSED_FOR[method] for method in taken if method in PASSED_FOR)
    advice = f"pass {' or '.join(wanted)}" if wanted else "pass client_auth= to try another way"
    given = "a client_secret alone does not do" if has_secret else "client_secret is missing"
    raise ConfigurationError(f"{given}: the server takes {shown(', '.join(taken))}; {advice}")


def token_endpoint_for(metadata: Metadata, client_auth: ClientAuth | str) -> str:
    """The token endpoint; for a client with a certificate its alias, if there is one."""
    way = BY_NAME.get(client_auth) if isinstance(client_auth, str) else client_auth
    alias = metadata.mtls_token_endpoint if isinstance(way, TLSClientCertificate) else None
    return alias or metadata.token_endpoint
