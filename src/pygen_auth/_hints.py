"""Advice for a refusal: the only place for it, as tables that the documentation lists.

An advice is one sentence without its full stop: what to set, in the names of this library's
arguments, or what to ask of whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ._aadsts import AADSTS

_NO_SUCH_CLIENT = "check client_id: the server knows no such client"
_NO_SUCH_AUDIENCE = "check audience: no API in this tenant has exactly that identifier"
_NO_SUCH_TARGET = "check audience, or resource in params: the server knows no such API"
_POLICY_SCOPES = "allow those scopes in the server's access policy, or leave them out of scopes"
_NO_SCOPES = "give scopes: this authorization server has no default ones"
_GRANT_OFF = "add client_credentials to the grant types of this client at the server"
_CLOCK = "set the clock of this machine right: the assertion is not valid at the server's time"
_PUBLIC_KEY = "register the public key of client_auth for this client, with the same kid and alg"
_NO_DPOP = "switch DPoP off for this client at the server: only Bearer tokens can be used here"
_IS_AN_API = "check token_url: it is the address of an API, which wants a token, and gives none"

CODES: Mapping[str, Mapping[str, str]] = {
    "Microsoft Entra ID": {f"AADSTS{n}": AADSTS[row] for row in AADSTS for n in row.split()},
    "Okta": {
        "E0000007": "check token_url: the org has no authorization server of that id",
        "E0000021": "check token_url: the org takes no form there",
        "E0000022": "check token_url: the org takes no token request there",
        "E0000015": "check token_url, or ask for that feature: the org does not have it",
        "E0000047": "make fewer requests: share one credentials object, or ask for a higher limit",
        "E0000010": "ask again later: the org is in read-only mode",
    },
}
"""By provider, and by its own number for the cause.

Entra: Microsoft's "Microsoft Entra authentication and authorization error codes"
(MicrosoftDocs/entra-docs:docs/identity-platform/reference-error-codes.md), and for what that
leaves out the answers in public issues and in the tests of AzureAD's MSAL libraries.
Okta: okta/okta-developer-docs:packages/@okta/vuepress-site/data/error-codes.json.
"""

WORDINGS: Mapping[str, Mapping[str, str]] = {
    "Okta": {
        "Policy evaluation failed for this request…": "add this client to an access policy of "
        "the authorization server, with a rule for client credentials",
        "Policy evaluation succeeded, but all the requested scopes were rejected": _POLICY_SCOPES,
        "Some of the requested scopes were denied by the policy…": _POLICY_SCOPES,
        "One or more scopes are not configured for the authorization server…": "check scopes: "
        "the authorization server in token_url has none of that name",
        "No scopes were requested": _NO_SCOPES,
        "…does not have any configured default scopes, 'scope' must be provided": _NO_SCOPES,
        "Cannot request 'openid' scopes…": "take openid out of scopes: it is for users",
        "The request is made from outside the client's permitted network zones": "add the address "
        "of this machine to the network zones of this client",
        "This client cannot use a custom authorization server": "use the token_url of the org "
        "authorization server, which ends in /oauth2/v1/token",
        "…to the Org Authorization Server must use the private_key_jwt…": "set "
        "client_auth=PrivateKeyJWT(...), or use the token_url of a custom authorization server",
        "Only clients with 'application_type' of 'service' may use the…": "make an app of type "
        "API Services: no other gets tokens of the org authorization server",
        "The client secret supplied for a confidential client is invalid": "check client_secret: "
        "it is not the one of this client_id",
        "No client credentials found": "give client_secret, or a key in client_auth",
        "Invalid value for 'client_id' parameter": _NO_SUCH_CLIENT,
        "Cannot supply multiple client credentials…": "take the Authorization header out of "
        "client: credentials must come once",
        "The audience claim for client_assertion must be…": "check the audience of "
        "client_auth=PrivateKeyJWT(...): the server wants its own token_url or issuer there",
        "The client_assertion token is expired": _CLOCK,
        "The client_assertion token has an expiration too far into the future": _CLOCK,
        "The client_assertion token must be issued before the current time": _CLOCK,
        "The client_assertion … is invalid": _PUBLIC_KEY,  # signature, kid or algorithm
        "The client does not have a JWKSet configured, but the client_assertion…": _PUBLIC_KEY,
    },
    "Auth0": {
        "Service not enabled within domain: …": _NO_SUCH_AUDIENCE,
        "Service not found: …": _NO_SUCH_AUDIENCE,
        "Non-global clients are not allowed access to APIv1": "give audience: the identifier of "
        "the API that the token is for",
        'Client is not authorized to access "…': "authorize this application for the API of "
        "audience, under Machine to Machine Applications",
        "Client has not been granted scopes: …": "grant this application those scopes of the API, "
        "or leave them out of scopes",
        "Grant type '…' not allowed for the client": "switch the Client Credentials grant on in "
        "the advanced settings of this application",
        "Client quota exceeded": "share one credentials object, or ask for a higher quota",
    },
    "Keycloak": {
        "Client not enabled to retrieve service account": "switch its service account on",
        "Public client not allowed to retrieve service account": "switch client authentication "
        "and service accounts on for this client: it is public",
        "User 'service-account-…' disabled": "enable the service account user of this client",
        "Realm does not exist": "check the realm in token_url: there is none of that name",
    },
    "Ory Hydra": {
        "…Requested audience '…' has not been whitelisted by the OAuth 2.0 Client…": "add audience "
        "to what this client may ask for, or leave it out",
        "…The OAuth 2.0 Client is not allowed to request scope '…": "add that scope to what this "
        "client may ask for, or leave it out of scopes",
        "…is not allowed to use authorization grant 'client_credentials'…": _GRANT_OFF,
        "…The requested OAuth 2.0 Client does not exist…": _NO_SUCH_CLIENT,
    },
    "Salesforce": {
        "no client credentials user enabled": "set the Run As user of the app",
        "request not supported on this domain": "put your My Domain into token_url, in place of "
        "login.salesforce.com or test.salesforce.com",
    },
    "UAA, WSO2, Duende IdentityServer, AWS API Gateway": {
        "Unauthorized grant type…": _GRANT_OFF,
        "A valid OAuth client could not be found…": _NO_SUCH_CLIENT,
        "Client requires DPoP…": _NO_DPOP,
        "Missing Authentication Token": "check token_url: the API gateway has no such path",
    },
}
"""By provider, and by the whole of what it says, in which … stands for anything.

Case and a last full stop do not matter. Error code and description are looked at.
"""

OTHER_METHOD: Mapping[str, str] = {
    "client_secret_post": "set client_auth='client_secret_post', as this client is registered",
    "client_secret_basic": "set client_auth='client_secret_basic', as this client is registered",
    "client_secret_jwt": "set client_auth=ClientSecretJWT(...), as this client is registered",
    "private_key_jwt": "set client_auth=PrivateKeyJWT(...), as this client is registered",
    "tls_client_auth": "set client_auth=TLSClientCertificate(...), as this client is registered",
    "self_signed_tls_client_auth": "set client_auth=TLSClientCertificate(...), as it is registered",
}
"""Where the server itself names the method that it wants of this client (RFC 7591 §2)."""

REFUSED_CLIENT: Mapping[str, str] = {
    "client_secret_post": "check client_id and client_secret, or try "
    "client_auth='client_secret_basic' if this client is set up for it",
    "client_secret_basic": "check client_id and client_secret, or try "
    "client_auth='client_secret_post' if this client is set up for it",
    "client_secret_jwt": "check client_id and client_secret, and the alg of client_auth",
    "private_key_jwt": "check client_id, the assertion's key, kid, alg and audience, that the "
    "public key is registered, and the clock",
    "tls_client_auth": "check client_id, and that the certificate of client_auth is the one "
    "registered for this client",
    "self_signed_tls_client_auth": "check client_id, and that the certificate of client_auth "
    "itself is registered for this client",
}
"""By how the client authenticated (RFC 7591 §2), where it is refused and nothing says more."""

REFUSED = (
    "invalid_client",
    "invalid_client_credentials",
    "Unauthorized",  # Auth0, with access_denied
    "Bad credentials",  # UAA
    "Invalid client or Invalid client credentials",  # Keycloak, with unauthorized_client
    "Invalid client secret…",  # the same, before version 17
    "Client secret not provided in request",
)
"""Codes and wordings that refuse the client. So does a 401 without a code or with
unauthorized_client."""

ERROR_CODES: Mapping[str, str] = {
    "unauthorized_client": "check client_id, and that the client credentials grant is enabled "
    "for this client",
    "invalid_client_id": _NO_SUCH_CLIENT,
    "invalid_scope": "check scopes: the server knows no such scope, or not for this client",
    "invalid_grant": "check that the client credentials grant is fully set up for this client",
    "unsupported_grant_type": "check token_url: this endpoint does not do client credentials",
    "access_denied": "ask the server's administrator to allow this client its audience and scopes",
    "invalid_target": _NO_SUCH_TARGET,
    "invalid_resource": _NO_SUCH_TARGET,
    "invalid_dpop_proof": _NO_DPOP,
    "use_dpop_nonce": _NO_DPOP,
    "invalid_token": _IS_AN_API,
    "InvalidAuthenticationToken": _IS_AN_API,
}

STATUSES: Mapping[str, str] = {
    "429": "make fewer token requests: share one credentials object between all callers",
    "404": "check token_url: the server has nothing there",
    "405": "check token_url: the server takes no token requests there",
    "407": "put the user and password of the proxy into its address: it wants them",
    "415": "check token_url: the server takes no form there",
}

# -- which one

_LONGEST = 1_000  # characters of a text that are looked at; the longest wording has 127 before it

_METHOD = re.compile(r"supports client authentication method '(\w{1,40})'")  # Ory Hydra, Authelia


def hint_for(
    codes: Iterable[str],
    error: str | None,
    description: str | None,
    status: int,
    client_auth: str,
    retryable: bool = False,
) -> str | None:
    """The advice for a refusal; what names the cause most closely counts.

    Args:
        codes: the provider's own, the closest first.
        error: the error code of RFC 6749 §5.2 or the server's own.
        description: what the server says; never more than compared.
        status: of HTTP.
        client_auth: how the client authenticated, by its name in RFC 7591 §2.
        retryable: whether it may pass. What a permanent refusal would need does not help then.
    """
    for code in codes:
        if advice := _BY_CODE.get(code.strip().upper()):
            return advice
    if retryable:
        return STATUSES.get(str(status))
    texts = [_plain(text) for text in (description, error) if text]
    for wording, advice in _BY_WORDING:
        if any(_says(text, wording) for text in texts):
            return advice
    for method in [found for text in texts for found in _METHOD.findall(text)]:
        if method in OTHER_METHOD and method != client_auth:
            return OTHER_METHOD[method]
    refused = any(_says(text, wording) for text in texts for wording in _REFUSED)
    unsaid = status == 401 and _plain(error or "") in ("", "unauthorized_client")
    if client_auth in REFUSED_CLIENT and (refused or unsaid):
        return REFUSED_CLIENT[client_auth]
    return _BY_ERROR.get(_plain(error or "")) or STATUSES.get(str(status))


def _plain(text: str) -> str:
    """As it is compared: its beginning, in one line, in small letters, without its full stop."""
    return " ".join(text[:_LONGEST].split()).casefold().rstrip(".")


def _says(text: str, wording: str) -> bool:
    """Whether that is the whole text, each … standing for anything. No search goes back."""
    first, gap, rest = wording.partition("…")
    if not gap or not text.startswith(first):
        return text == first and not gap
    *parts, last = rest.split("…")
    end = len(first)
    for part in parts:
        start = text.find(part, end)
        if start < 0:
            return False
        end = start + len(part)
    return text.endswith(last) and len(text) - len(last) >= end


_BY_CODE = {code: advice for codes in CODES.values() for code, advice in codes.items()}
_BY_WORDING = [
    (_plain(text), advice) for said in WORDINGS.values() for text, advice in said.items()
]
_BY_ERROR = {_plain(code): advice for code, advice in ERROR_CODES.items()}
_REFUSED = [_plain(wording) for wording in REFUSED]
