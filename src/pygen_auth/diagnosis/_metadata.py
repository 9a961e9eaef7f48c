"""The metadata that a server publishes about itself, without a client."""

from __future__ import annotations

from collections.abc import Collection

from .._clients import Verify
from .._credentials import OAuth2ClientCredentials
from .._keywords import to_discover
from .._metadata import Metadata as Metadata


def server_metadata(
    issuer: str,
    *,
    verify_issuer: bool = True,
    verify: Verify = True,
    insecure_hosts: Collection[str] = (),
    timeout: float = 30.0,
) -> Metadata:
    """What a server says about itself (RFC 8414), as far as a client credentials client needs it.

    Args:
        issuer: the server's issuer URL, or the whole URL of its document.
        verify_issuer: False takes a document that names another issuer.
        verify: as for the credentials.
        insecure_hosts: hosts that may be spoken to over plain http.
        timeout: seconds for all of it.

    Raises:
        OAuth2Error: as `OAuth2ClientCredentials.discover`.
    """
    settings = {"verify": verify, "insecure_hosts": insecure_hosts, "timeout": timeout}
    provider, keywords = to_discover(issuer, settings)
    # The document needs no client; whoever asks for it needs one that is well-formed.
    seeker = OAuth2ClientCredentials(client_id="nobody", client_secret="none", **keywords)
    return seeker._carry_out(seeker._steps_to(provider, verify_issuer))
