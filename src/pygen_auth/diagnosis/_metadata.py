"""The metadata that a server publishes about itself, and the way to them, without a client."""

from __future__ import annotations

from collections.abc import Callable, Collection

from .._clients import Verify
from .._credentials import OAuth2ClientCredentials
from .._errors import OAuth2Error
from .._keywords import to_discover
from .._metadata import Metadata as Metadata
from ..providers import Provider
from ._report import Check, Diagnosis, not_run_behind
from ._run import run

_TO_METADATA = ("name", "connection", "proxy", "tls", "discovery")


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
    seeker, provider = _seeker(issuer, verify, insecure_hosts, timeout)
    return seeker._carry_out(seeker._steps_to(provider, verify_issuer))


def diagnose_issuer(
    issuer: str,
    error: OAuth2Error,
    *,
    verify: Verify = True,
    insecure_hosts: Collection[str] = (),
    timeout: float = 30.0,
    redact: bool = True,
    on_check: Callable[[Check], None] | None = None,
) -> Diagnosis:
    """Find out why there are no metadata, where they were to tell the settings.

    Args:
        issuer: as for `server_metadata`, and so the next three.
        error: what came of asking for them.
        verify: likewise.
        insecure_hosts: likewise.
        timeout: seconds for each step.
        redact: as for `diagnose`.
        on_check: likewise.
    """
    seeker, provider = _seeker(issuer, verify, insecure_hosts, timeout)
    tell = on_check or (lambda check: None)
    found = run(seeker, issuer=provider, call=None, redact=redact, on_check=tell, only=_TO_METADATA)
    checks = found.checks
    if found.ok:  # it has come back, and so much the less is there to be said
        hint = error.hint or "try again: the server answers now"
        checks = (*checks[:-1], Check("discovery", "failed", str(error.args[0]), hint))
        tell(checks[-1])
    rest = not_run_behind("discovery")
    for check in rest:
        tell(check)
    return Diagnosis((*checks, *rest))


def _seeker(
    issuer: str, verify: Verify, insecure_hosts: Collection[str], timeout: float
) -> tuple[OAuth2ClientCredentials, Provider]:
    """Who asks. A document needs no client; whoever asks for it needs one that is well-formed."""
    settings = {"verify": verify, "insecure_hosts": insecure_hosts, "timeout": timeout}
    provider, keywords = to_discover(issuer, settings)
    seeker = OAuth2ClientCredentials(
        client_id="pygen-auth-discovery", client_secret="none", **keywords
    )
    return seeker, provider
