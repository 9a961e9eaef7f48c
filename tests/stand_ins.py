"""The providers that docs/providers.md names, played by one real server on loopback.

Each token endpoint forwards what it is sent over a socket to an `AuthorizationServer`, which knows
one client and judges how it proves itself. What a form has besides that must be what the provider
wants, field by field. Metadata is where the provider has it, and nowhere else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import respx
from joserfc import jwt
from joserfc.jwk import RSAKey

from pygen_auth.testing import AuthorizationServer
from tests import keys

POST, BASIC, KEY = "client_secret_post", "client_secret_basic", "private_key_jwt"
AUTHENTICATION = {
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "grant_type",
}

ENTRA = "https://login.microsoftonline.com/contoso.onmicrosoft.com"
CDF = "https://westeurope-1.cognitedata.com"
PING_ONE = "https://auth.pingone.com/2f3a1c5e-0000-4000-8000-00000000000b/as"
USER_POOL = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"
XSUAA = "https://my-subdomain.authentication.eu10.hana.ondemand.com"
AUTHENTIK = "https://authentik.example.com/application/o"


@dataclass(frozen=True)
class Endpoint:
    """A token endpoint: what it wants in the form, and how clients may authenticate."""

    wanted: Mapping[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = (POST, BASIC)
    names_lifetime: bool = True
    client: tuple[str, str] = ("my-client-id", "my-client-secret")


ENDPOINTS = {
    f"{ENTRA}/oauth2/v2.0/token": (
        Endpoint({"scope": "api://my-api/.default"}, (POST, BASIC, KEY)),
        Endpoint({"scope": f"{CDF}/.default"}, (POST, BASIC, KEY)),
        Endpoint({"scope": f"{CDF}/.default", "audience": CDF}),  # by the environment
    ),
    f"{ENTRA}/oauth2/token": (Endpoint({"resource": "https://api.example.com"}),),
    "https://my-tenant.eu.auth0.com/oauth/token": (
        Endpoint({"audience": "https://api.example.com/"}),
    ),
    "https://my-org.okta.com/oauth2/default/v1/token": (Endpoint({"scope": "my_scope"}),),
    "https://my-org.okta.com/oauth2/v1/token": (Endpoint({"scope": "okta.users.read"}, (KEY,)),),
    "https://auth.cognite.com/oauth2/token": (Endpoint(),),
    "https://sso.example.com/realms/my-realm/protocol/openid-connect/token": (Endpoint(),),
    "http://keycloak:8080/realms/my-realm/protocol/openid-connect/token": (Endpoint(),),
    "https://my-company.auth.eu-west-1.amazoncognito.com/oauth2/token": (
        Endpoint({"scope": "https://api.example.com/read"}),
    ),
    "https://my-slug.projects.oryapis.com/oauth2/token": (
        Endpoint({"audience": "https://api.example.com"}, (BASIC,)),
    ),
    "https://identity.example.com/connect/token": (Endpoint({"scope": "my_scope"}),),
    f"{PING_ONE}/token": (Endpoint(methods=(BASIC,)),),
    "https://ping.example.com/as/token.oauth2": (Endpoint(),),
    "https://my-domain.my.salesforce.com/services/oauth2/token": (
        Endpoint(names_lifetime=False, client=("my-consumer-key", "my-consumer-secret")),
    ),
    f"{XSUAA}/oauth/token": (Endpoint(),),
    "https://my-tenant.accounts.ondemand.com/oauth2/token": (Endpoint(),),
    "https://dbc-a1b2c3d4-e5f6.cloud.databricks.com/oidc/v1/token": (
        Endpoint({"scope": "all-apis"}, (BASIC,)),
    ),
    "https://my-instance.zitadel.cloud/oauth/v2/token": (
        Endpoint({"scope": "openid urn:zitadel:iam:org:project:id:1234567890:aud"}),
    ),
    "https://gitlab.example.com/oauth/token": (Endpoint({"scope": "read_api"}),),
    "https://wso2.example.com:9443/oauth2/token": (Endpoint(),),
    f"{AUTHENTIK}/token/": (Endpoint(),),
    "https://fusionauth.example.com/oauth2/token": (Endpoint(),),
    "https://am.example.com/am/oauth2/realms/root/realms/my-realm/access_token": (
        Endpoint({"scope": "my_scope"}),
    ),
    "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_flow/oauth2/v2.0/token": (
        Endpoint({"scope": "https://contoso.onmicrosoft.com/my-api/.default"}),
    ),
    "https://adfs.example.com/adfs/oauth2/token/": (Endpoint(),),
}
"""By URL; where there are several, they differ by what is wanted."""

DOCUMENTS: dict[str, dict[str, Any]] = {
    f"{USER_POOL}/.well-known/openid-configuration": {
        "issuer": USER_POOL,
        "token_endpoint": "https://auth.example.com/oauth2/token",
        "token_endpoint_auth_methods_supported": [BASIC, POST],
    },
    "https://my-slug.projects.oryapis.com/.well-known/oauth-authorization-server": {
        "issuer": "https://my-slug.projects.oryapis.com",
        "token_endpoint": "https://my-slug.projects.oryapis.com/oauth2/token",
        "token_endpoint_auth_methods_supported": [POST, BASIC, KEY, "none"],
    },
    "https://identity.example.com/.well-known/openid-configuration": {
        "issuer": "https://identity.example.com",
        "token_endpoint": "https://identity.example.com/connect/token",
        "token_endpoint_auth_methods_supported": [BASIC, POST],
    },
    f"{PING_ONE}/.well-known/openid-configuration": {
        "issuer": PING_ONE,
        "token_endpoint": f"{PING_ONE}/token",
    },
    f"{XSUAA}/.well-known/openid-configuration": {
        "issuer": f"{XSUAA}/oauth/token",
        "token_endpoint": f"{XSUAA}/oauth/token",
        "token_endpoint_auth_methods_supported": [BASIC, POST, KEY],
    },
    "https://my-instance.zitadel.cloud/.well-known/openid-configuration": {
        "issuer": "https://my-instance.zitadel.cloud",
        "token_endpoint": "https://my-instance.zitadel.cloud/oauth/v2/token",
    },
    f"{AUTHENTIK}/my-app/.well-known/openid-configuration": {
        "issuer": f"{AUTHENTIK}/my-app/",
        "token_endpoint": f"{AUTHENTIK}/token/",
    },
}


def play(router: respx.MockRouter, server: AuthorizationServer) -> None:
    """Have the router send what is for the providers to the server."""
    for url, endpoints in ENDPOINTS.items():
        router.post(url).mock(side_effect=_endpoint(server, url, endpoints))
    for url, document in DOCUMENTS.items():
        router.get(url).mock(return_value=httpx.Response(200, json=document))
    router.get(path__regex="/[.]well-known/").mock(return_value=httpx.Response(404))


def _endpoint(
    server: AuthorizationServer, url: str, endpoints: tuple[Endpoint, ...]
) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        fields = {name: values for name, values in form.items() if name not in AUTHENTICATION}
        for endpoint in endpoints:
            if fields == {name: [value] for name, value in endpoint.wanted.items()}:
                server.metadata["issuer"] = url  # what an assertion must be meant for
                return _asked(server, endpoint, request)
        wanted = [dict(endpoint.wanted) for endpoint in endpoints]
        text = f"{url} wants {wanted}, got {fields}"
        return httpx.Response(400, json={"error": "invalid_request", "error_description": text})

    return answer


def _asked(
    server: AuthorizationServer, endpoint: Endpoint, request: httpx.Request
) -> httpx.Response:
    """What the server answers, asked over a socket of its own."""
    client_id, client_secret = endpoint.client
    public_key = keys.public_pem(keys.private_key("RSA"))
    server.add_client(
        client_id, client_secret, public_key=public_key, auth_methods=endpoint.methods
    )
    names = ("Content-Type", "Authorization")
    headers = {name: request.headers[name] for name in names if name in request.headers}
    parts = urlsplit(server.token_url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("POST", parts.path, request.content, headers)
        response = connection.getresponse()
        fields = json.loads(response.read())
    finally:
        connection.close()
    if not endpoint.names_lifetime:
        fields.pop("expires_in", None)
    return httpx.Response(response.status, json=fields)


def federated_token() -> str:
    """What a workload identity has in its file: a JWT for this client, meant for Entra ID."""
    claims = {
        "iss": "my-client-id",
        "sub": "my-client-id",
        "aud": f"{ENTRA}/oauth2/v2.0/token",
        "exp": int(time.time()) + 600,
        "jti": "1",
    }
    key = RSAKey.import_key(keys.pem(keys.private_key("RSA")))
    return jwt.encode({"alg": "RS256"}, claims, key)
