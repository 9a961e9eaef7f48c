"""What a call may try to prove the client with, and in which order; also the encodings of Basic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from ._client_secret import ClientSecretBasic, ClientSecretPost

if TYPE_CHECKING:
    from .client_auth import ClientAuth, Credential


def ways(client_auth: ClientAuth) -> tuple[ClientAuth, ...]:
    """What may be tried, in this order: two encodings for an "auto" one, else the one way."""
    if isinstance(client_auth, ClientSecretBasic) and client_auth.encoding == "auto":
        return _ENCODINGS
    return _POST if client_auth == _POST[0] else (client_auth,)


_ENCODINGS = (ClientSecretBasic("form"), ClientSecretBasic("raw"))
_POST = (ClientSecretPost(),)  # one for all: services hold thousands of credentials


def untried(
    wanted: Sequence[ClientAuth],
    refused: Sequence[tuple[ClientAuth, Credential]],
    client_id: str,
    credential: Credential,
) -> ClientAuth | None:
    """The way to try next with this credential, or None where there is none.

    A credential that was read again and has changed is tried as well; the second change is not,
    since some sources give another one each time.
    """
    seen = {one for _, one in refused}
    if credential not in seen:
        return wanted[0] if len(seen) < 2 else None
    for way in wanted:
        if (way, credential) not in refused and _differs(way, client_id, str(credential)):
            return way
    return None


def _differs(way: ClientAuth, client_id: str, secret: str) -> bool:
    """Whether this encoding of Basic says something else than the one that was refused."""
    if not isinstance(way, ClientSecretBasic) or ":" in client_id:
        return False
    return basic_pair("form", client_id, secret) != basic_pair("raw", client_id, secret)


def basic_pair(encoding: str, client_id: str, secret: str) -> str:
    """Id and secret as Basic carries them, before base64. Spaces become %20, not +.

    Every server that decodes takes %20; some would leave a + as it is.
    """
    if encoding == "raw":
        return f"{client_id}:{secret}"
    return f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
