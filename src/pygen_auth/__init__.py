"""OAuth 2.0 client credentials (RFC 6749 §4.4) for programs that run for long and in many copies.

    from pygen_auth import OAuth2ClientCredentials

    credentials = OAuth2ClientCredentials(token_url, client_id, client_secret, scopes=[...])
    credentials.get_headers()  # {"Authorization": "Bearer …"}

Everything that goes wrong with a token is an `OAuth2Error`.
"""

from ._async_credentials import AsyncOAuth2ClientCredentials
from ._credentials import OAuth2ClientCredentials
from ._diagnose import diagnose
from ._errors import (
    ConfigurationError,
    InvalidResponseError,
    OAuth2Error,
    RefusedError,
    UnreachableError,
)
from ._interface import AsyncCredentials, Credentials
from ._token import Token
from ._token_credentials import AsyncTokenCredentials, TokenCredentials
from ._version import __version__ as __version__

__all__ = [
    "AsyncCredentials",
    "AsyncOAuth2ClientCredentials",
    "AsyncTokenCredentials",
    "ConfigurationError",
    "Credentials",
    "InvalidResponseError",
    "OAuth2ClientCredentials",
    "OAuth2Error",
    "RefusedError",
    "Token",
    "TokenCredentials",
    "UnreachableError",
    "diagnose",
]
