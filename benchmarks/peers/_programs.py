"""Each library's shortest program that gets one header: what a user would write, and no more.

In these `SERVER` and `TOKEN_URL` are put in, and `PRIVATE_KEY` for the one that signs. They are
texts, since a process that measures its start has nothing else loaded.
"""

from __future__ import annotations

from benchmarks._first_header import PROGRAMS

from ._header_peers import CogniteSdk, GoogleAuth, HttpxAuth, RequestsOAuth2Client
from ._token_peers import Auth0, Authlib, AzureIdentity, Databricks, Msal

OF_PEERS = {
    CogniteSdk.name: """
from cognite.client.credentials import OAuthClientCredentials

credentials = OAuthClientCredentials("TOKEN_URL", "benchmark", "secret", scopes=None)
header = credentials.authorization_header()
""",
    RequestsOAuth2Client.name: """
import requests
from requests_oauth2client import OAuth2Client, OAuth2ClientCredentialsAuth

client = OAuth2Client(token_endpoint="TOKEN_URL", auth=("benchmark", "secret"))
request = requests.Request("GET", "https://api.example.com/items").prepare()
header = OAuth2ClientCredentialsAuth(client)(request).headers["Authorization"]
""",
    HttpxAuth.name: """
import httpx
from httpx_auth import OAuth2ClientCredentials

auth = OAuth2ClientCredentials("TOKEN_URL", "benchmark", "secret")
request = httpx.Request("GET", "https://api.example.com/items")
header = next(auth.auth_flow(request)).headers["Authorization"]
""",
    GoogleAuth.name: """
from google.auth.crypt import RSASigner
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

signer = RSASigner.from_string('''PRIVATE_KEY''')
credentials = Credentials(signer, "benchmark@example.com", "TOKEN_URL", scopes=["read"])
header = {}
credentials.before_request(Request(), "GET", "https://api.example.com/items", header)
""",
    Auth0.name: """
from auth0.management.token_provider import TokenProvider

provider = TokenProvider(domain="SERVER", client_id="benchmark", client_secret="secret")
header = f"Bearer {provider.get_token()}"
""",
    Authlib.name: """
from authlib.integrations.httpx_client import OAuth2Client

client = OAuth2Client("benchmark", "secret", token_endpoint_auth_method="client_secret_post")
token = client.fetch_token("TOKEN_URL", grant_type="client_credentials")
header = f"Bearer {token['access_token']}"
""",
    Databricks.name: """
from databricks.sdk.oauth import ClientCredentials

source = ClientCredentials(
    client_id="benchmark", client_secret="secret", token_url="TOKEN_URL", use_params=True
)
header = f"Bearer {source.token().access_token}"
""",
    Msal.name: """
from msal import ConfidentialClientApplication

application = ConfidentialClientApplication(
    "benchmark",
    client_credential="secret",
    authority="https://SERVER/tenant",
    validate_authority=False,
    instance_discovery=False,
)
answer = application.acquire_token_for_client(["api://example/.default"])
header = f"Bearer {answer['access_token']}"
""",
    AzureIdentity.name: """
from azure.identity import ClientSecretCredential

credential = ClientSecretCredential(
    "tenant",
    "benchmark",
    "secret",
    authority="https://SERVER",
    disable_instance_discovery=True,
)
header = f"Bearer {credential.get_token('api://example/.default').token}"
""",
}
"""Of those that do all of it; botocore has no client credentials."""

ALL = {**PROGRAMS, **OF_PEERS}


def programs(server: str, token_url: str, private_key: str) -> dict[str, str]:
    """All programs for this server, which is named with its port."""
    values = {"SERVER": server, "TOKEN_URL": token_url, "PRIVATE_KEY": private_key}
    found = {}
    for name, program in ALL.items():
        for key, value in values.items():
            program = program.replace(key, value)
        found[name] = program
    return found
