"""A real authorization server on loopback, for tests of code that asks for tokens.

Requests are judged and tokens issued by Authlib's own server side; this module adds HTTP, a
protected resource, and scripted answers for what goes wrong on a real network.
`TokenStoreContract` has the tests for a token store of your own.
"""

from ._http import Answer
from ._request import TokenRequest
from ._server import AuthorizationServer
from ._store_contract import TokenStoreContract

__all__ = ["Answer", "AuthorizationServer", "TokenRequest", "TokenStoreContract"]
