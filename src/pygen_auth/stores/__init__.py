"""Stores: where processes and hosts share one token, for `store=`.

    OAuth2ClientCredentials(token_url, client_id, client_secret, store=FileTokenStore())

A store keeps bytes under a key for some seconds. It sees neither the secret nor the token: what is
saved was encrypted before. `docs/sharing.md` says which one to take.
"""

from ._base import TokenStore
from ._file import FileTokenStore
from ._memory import MemoryTokenStore
from ._redis import RedisTokenStore

__all__ = ["FileTokenStore", "MemoryTokenStore", "RedisTokenStore", "TokenStore"]
