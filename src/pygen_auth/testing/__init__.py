"""A real authorization server on loopback, for tests of code that asks for tokens.

Requests are judged and tokens issued by Authlib's own server side; this module adds HTTP, a
protected resource, and scripted answers for what goes wrong on a real network.
Beside it: credentials that need no network, a clock to advance, and `TokenStoreContract`, the
tests for a token store of your own. The plugin for pytest has fixtures of these.
"""

from ._clock import FakeClock
from ._http import Answer
from ._request import TokenRequest
from ._server import AuthorizationServer
from ._static import async_static, static
from ._store_contract import TokenStoreContract

__all__ = [
    "Answer",
    "AuthorizationServer",
    "FakeClock",
    "TokenRequest",
    "TokenStoreContract",
    "async_static",
    "static",
]
