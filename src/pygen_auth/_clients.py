"""HTTP clients for token requests: the only place that imports httpx, and only when it sends.

No client is kept: each token request opens its own and closes it, or uses the caller's. One
`ssl.SSLContext` is built on the first https use and shared by the whole process.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ._checks import is_loopback
from ._errors import ConfigurationError, OAuth2Error, shown
from ._undivided import Undivided, first_use
from ._worker import start

if TYPE_CHECKING:
    from .client_auth import TLSClientCertificate

Verify = bool | str | os.PathLike[str] | ssl.SSLContext
Client = Any
"""A client object of httpx or httpx2, or a callable that gives a new one."""


class Opened(NamedTuple):
    """A client, and who closes it."""

    client: Client
    ours: bool
    """Whether it was made for this request, and is closed after it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How a server is reached: with the caller's client, or with one of ours, made like this."""

    client: Client | None = None
    verify: Verify = True
    certificate: TLSClientCertificate | None = None

    def open(self, url: str) -> Opened:
        """A client for one request to `url`.

        Raises:
            ConfigurationError: it could not be made.
        """
        if self.client is None:
            return Opened(_made_by_us(url, self), ours=True)
        if is_client_object(self.client):
            return Opened(self.client, ours=False)
        try:
            made = self.client()
        except Exception as error:
            raise ConfigurationError(
                f"client could not be made: its callable raised {type(error).__name__}"
            ) from error
        if not is_client_object(made):
            raise ConfigurationError("client gives something that is no httpx or httpx2 client")
        return Opened(made, ours=True)

    def ssl_context(self) -> ssl.SSLContext:
        """What TLS is spoken with, where we make the client.

        Raises:
            ConfigurationError: the CA certificates cannot be read.
        """
        return _ssl_context(self)


DEFAULT_CONNECTION = Connection()
"""One for all that need nothing special: services hold thousands of credentials."""


def is_client_object(client: object) -> bool:
    """Whether it is a client, and not a callable (or a class) that gives one."""
    return not isinstance(client, type) and hasattr(client, "build_request")


def is_async_client_object(client: object) -> bool:
    """Whether it is an asynchronous client: one that serves the event loop it belongs to."""
    return is_client_object(client) and hasattr(client, "aclose")


@contextlib.contextmanager
def kept_free_of_cookies(client: Client) -> Iterator[Callable[[Any], None]]:
    """Take the cookies of our answer out of the caller's client again, and put old ones back."""
    jar = client.cookies.jar
    before = {(cookie.domain, cookie.path, cookie.name): cookie for cookie in jar}
    answers: list[Any] = []
    try:
        yield answers.append
    finally:
        for cookie in [cookie for answer in answers for cookie in answer.cookies.jar]:
            key = (cookie.domain, cookie.path, cookie.name)
            with contextlib.suppress(KeyError):  # it had expired when it came
                jar.clear(*key)
            if key in before:
                jar.set_cookie(before[key])


def _made_by_us(url: str, connection: Connection) -> Client:
    try:
        return _new_client(url, connection)
    except OAuth2Error:
        raise
    except Exception as error:
        kind = type(error).__name__
        hint = _FOR_SOCKS if isinstance(error, ImportError) else None
    # Not chained: httpx quotes the proxy's URL, which may hold a password.
    raise ConfigurationError(
        f"the HTTP client could not be made ({kind}); check the proxy variables of the environment",
        hint=hint,
    )


_FOR_SOCKS = "for a SOCKS proxy, which those name: pip install 'httpx[socks]'"


def _new_client(url: str, connection: Connection) -> Client:
    """A client for one request. What stays on this machine goes through no proxy."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        _read_ahead(connection)
    local = is_loopback(parts.hostname or "")
    with first_use.alone():
        import encodings.idna  # noqa: F401  # these two are imported when they are used, else

        import httpcore  # noqa: F401
        import httpx

        if local and parts.scheme == "http":
            # No TLS here, and no proxy that could have it: spares the 40 ms of reading CA files.
            return httpx.Client(verify=False, trust_env=False, headers=_ONCE)  # noqa: S501
    return httpx.Client(verify=_ssl_context(connection), trust_env=not local, headers=_ONCE)


_ONCE = {"Connection": "close"}
"""So that a connection ends with its answer also where the client was closed while it was made, as
a caller does who leaves: httpx would keep it then, until the garbage collector comes."""


_contexts: dict[tuple[str | None, ...], ssl.SSLContext] = {}
_reading = Undivided()
"""Of CA files. A process that ends meanwhile crashes (SIGSEGV): OpenSSL takes down what it reads
into."""


def _ssl_context(connection: Connection) -> ssl.SSLContext:
    """The process's own context for these CA files; reading them takes 15 to 60 ms.

    With a client certificate it is a new one for each request: such files are often replaced.
    """
    verify = connection.verify
    if isinstance(verify, ssl.SSLContext):
        return verify
    if connection.certificate is not None:
        context = _new_context(verify)
        connection.certificate.load_into(context)
        return context
    key = _key(verify)
    with _reading.alone():
        if key not in _contexts:
            _contexts[key] = _new_context(verify)
        return _contexts[key]


def _key(verify: Verify) -> tuple[str | None, ...]:
    return _ca_file(verify), *_from_environment().values()


def _read_ahead(connection: Connection) -> None:
    """Have the CA files read while httpx is imported. The one is work of OpenSSL's, in which other
    threads run, and the other takes 50 ms of a process's start.

    Nothing is imported there: two imports at once, or two first calls of `certifi.where()`, which
    older httpx makes when it is imported, could meet.
    """
    if "httpx" in sys.modules:
        return
    if isinstance(connection.verify, ssl.SSLContext) or connection.certificate is not None:
        return
    with _reading.alone():
        _ca_files(connection.verify)

    def read() -> None:
        with contextlib.suppress(Exception):  # whoever needs the context is told
            _ssl_context(connection)

    start(read, "pygen-auth CA files")


def _new_context(verify: Verify) -> ssl.SSLContext:
    """What httpx 0.28 makes of the same settings, without a need for it to be imported."""
    try:
        file, directory = _ca_files(verify)
        return ssl.create_default_context(cafile=file, capath=directory)
    except OSError as error:
        ca_file = _ca_file(verify)
        source = f"verify={ca_file!r}" if ca_file else f"{_from_environment()}"
        raise ConfigurationError(
            f"the CA certificates could not be read ({source}): {shown(str(error))}"
        ) from error


def _ca_files(verify: Verify) -> tuple[str | None, str | None]:
    """The file of CA certificates to read, or else the directory to look into."""
    file = _ca_file(verify) or os.environ.get("SSL_CERT_FILE")
    if file:
        return file, None
    if directory := os.environ.get("SSL_CERT_DIR"):
        return None, directory
    import certifi  # which httpx brings

    return certifi.where(), None


def ca_source(verify: Verify) -> str:
    """Where the CA certificates come from, for a message."""
    if isinstance(verify, ssl.SSLContext):
        return "your ssl.SSLContext"
    named = [f"{name}={value}" for name, value in _from_environment().items() if value]
    return _ca_file(verify) or ", ".join(named) or "the list that comes with httpx"


def _ca_file(verify: Verify) -> str | None:
    return None if verify is True else os.fspath(verify)  # type: ignore[arg-type]  # no bool


def _from_environment() -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
