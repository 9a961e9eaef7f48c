"""The handshake with the server: whose certificate it shows, who vouches for it, and how long."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._clients import ca_source
from .._errors import ConfigurationError
from ._line import another_line
from ._subject import (
    ADVICE_FOR_CA,
    CA_SETTING,
    Finding,
    Subject,
    doubtful,
    fine,
    host_and_port,
    lasting,
    nothing_to_do,
    wrong,
)

if TYPE_CHECKING:
    from cryptography import x509

_SOON = 14 * 86_400.0
"""Seconds before its end from which on a certificate is worth a warning: those that live for 90
days are replaced 30 days ahead."""

_EXPIRED, _NOT_YET = 10, 9
_OTHER_HOST = (62, 64)  # a name, an address
_NO_CHAIN = (2, 18, 19, 20, 21)
"""Numbers of OpenSSL: X509_V_ERR_…"""


def tls(subject: Subject) -> Finding:
    """The server is the one in token_url, by its certificate."""
    if subject.url.scheme == "http":
        return nothing_to_do("plain http")
    if subject.line is None:
        return nothing_to_do("left to the token request")
    host, _ = host_and_port(subject.url)
    line, subject.line = subject.line, None
    try:
        context = subject.connection.ssl_context()
        with line, context.wrap_socket(line, server_hostname=host) as encrypted:
            version, certificate = encrypted.version(), encrypted.getpeercert() or {}
            root = _root(encrypted)
    except ConfigurationError as error:
        line.close()
        advice = f"set {CA_SETTING} or SSL_CERT_FILE to a file with CAs"
        return wrong(str(error.args[0]), advice, error=type(error).__name__)
    except ssl.SSLCertVerificationError as error:
        return _not_trusted(subject, error)
    except OSError as error:
        return wrong(*_no_handshake(error))
    return _trusted(subject, str(version), certificate, root)


def _trusted(
    subject: Subject, version: str, certificate: Mapping[str, Any], root: str | None
) -> Finding:
    if not certificate:
        return doubtful(
            f"{version}, and the certificate is not looked at",
            "let the ssl.SSLContext in verify check certificates: the secret goes to anybody",
            version=version,
        )
    issuer, end = _named(certificate["issuer"]), str(certificate["notAfter"])
    left = ssl.cert_time_to_seconds(end) - time.time()
    under = f" under {root}" if root not in (None, issuer) else ""
    what = f"{version}, certificate by {issuer}{under}, {lasting(left)} left"
    what += f"; CAs {_source(subject)}"
    found = {
        "version": version,
        "issuer": issuer,
        "root": root,
        "not_after": end,
        "days_left": left / 86_400,
    }
    if left < _SOON:
        return doubtful(what, "have the server's operator renew the certificate", **found)
    return fine(what, **found)


def _root(encrypted: ssl.SSLSocket) -> str | None:
    """The CA that the chain ends with, of those that are trusted; None where it is not told."""
    # Public since Python 3.13, and as bytes alone; what ssl has it from is there since 3.10.
    chain_of = getattr(encrypted._sslobj, "get_verified_chain", lambda: None)  # type: ignore[attr-defined]
    chain = chain_of()
    return _named(chain[-1].get_info()["subject"]) if chain else None


def _source(subject: Subject) -> str:
    return f"from {ca_source(subject.connection.verify)}"


def _named(name: Any) -> str:
    """The telling parts of a name in the form that Python gives it."""
    fields = {key: value for pairs in name for key, value in pairs}
    told = (fields.get(key) for key in ("organizationName", "commonName"))
    return ", ".join(filter(None, told)) or "somebody without a name"


# -- what goes wrong


def _not_trusted(subject: Subject, error: ssl.SSLCertVerificationError) -> Finding:
    shown = _shown(subject)
    issuer = shown.get("issuer", "somebody that was not seen a second time")
    reason, code = error.verify_message, error.verify_code
    if code == _EXPIRED:
        what = f"the certificate ended on {shown.get('end', 'a day in the past')}"
        advice = "have the server's operator renew it; or is the clock of this machine ahead?"
    elif code == _NOT_YET:
        what = f"the certificate is not valid before {shown.get('begin', 'a day to come')}"
        advice = "set the clock of this machine right; it may be behind"
    elif code in _OTHER_HOST:
        host, _ = host_and_port(subject.url)
        what = f"the certificate is for {shown.get('names', 'other hosts')}, not for {host}"
        advice = "check the host in token_url; something else may answer in the server's place"
    elif code in _NO_CHAIN:
        what = f"{reason}: the certificate is by {issuer}; CAs {_source(subject)}"
        advice = ADVICE_FOR_CA
    else:
        what = f"{reason}: the certificate is by {issuer}"
        advice = "have the server's operator look at its certificate"
    return wrong(what, advice, **shown)


def _no_handshake(error: OSError) -> tuple[str, str]:
    reason = str(getattr(error, "reason", None) or "")
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return "what listens there speaks no TLS", "check scheme and port of token_url"
    if "PROTOCOL" in reason or "HANDSHAKE_FAILURE" in reason or "NO_SHARED_CIPHER" in reason:
        return (
            f"no common version of TLS ({reason.lower().replace('_', ' ')})",
            "have the server offer TLS 1.2 or newer; or lower minimum_version in your "
            "ssl.SSLContext",
        )
    ended = "no answer" if isinstance(error, TimeoutError) else "the connection ended"
    said = reason.lower().replace("_", " ") or error.strerror or ended
    return (
        f"the handshake broke off: {said}",
        "something on the way ends it, such as a firewall: ask its operator, with host and port",
    )


def _shown(subject: Subject) -> dict[str, str]:
    """What stands in the certificate that was refused; nothing is sent to who shows it."""
    from cryptography import x509

    line = another_line(subject)
    if line is None:
        return {}
    encoded = None
    with line, contextlib.suppress(OSError):
        encoded = _certificate(line, host_and_port(subject.url)[0])
    if encoded is None:
        return {}
    try:
        return _fields(x509.load_der_x509_certificate(encoded))
    except ValueError:  # what OpenSSL has read may still be too odd
        return {}


def _fields(certificate: x509.Certificate) -> dict[str, str]:
    names = [str(one.value) for one in _alternative_names(certificate)]
    return {
        "issuer": certificate.issuer.rfc4514_string(),
        "begin": f"{certificate.not_valid_before_utc:%Y-%m-%d}",
        "end": f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        "names": ", ".join(names[:5]) or certificate.subject.rfc4514_string(),
    }


def _certificate(line: socket.socket, host: str) -> bytes | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # to read what was refused; the connection ends with it
    with context.wrap_socket(line, server_hostname=host) as encrypted:
        return encrypted.getpeercert(binary_form=True)


def _alternative_names(certificate: Any) -> list[Any]:
    from cryptography import x509

    try:
        return list(
            certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        )
    except x509.ExtensionNotFound:
        return []
