"""The way to the server: each advice against a server, a proxy or a name with that fault."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from pygen_auth import OAuth2ClientCredentials, diagnose
from pygen_auth.diagnosis import Diagnosis, _tls
from pygen_auth.diagnosis._proxy import proxy_for
from pygen_auth.testing import AuthorizationServer
from pygen_auth.testing._tls import _TLSSocket

from ..faults.connections import CONNECTIONS, NAMES, PROXIES, TLS
from ..faults.fault import Fault
from ..faults.server import FaultServer
from ..faults.world import World, world
from ..support import Twin
from .support import CLIENT, SECRET, step

FAULTS = {fault.variant: fault for fault in (*NAMES, *CONNECTIONS, *TLS)}
PROXY_FAULTS = {fault.variant: fault for fault in PROXIES}
WELL = Fault("", "", "", FAULTS["unknown"].outcome)


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world() as one:
        yield one


@contextmanager
def broken(here: World, fault: Fault, tls: bool = True) -> Iterator[FaultServer]:
    with FaultServer(fault, tls, here, "m4rk", lambda: 0.0) as server:
        server.breaks()
        yield server


def seen(here: World, server: FaultServer, twin: Twin, **settings: Any) -> Diagnosis:
    wanted = {"verify": here.trust(server.fault.certificate), **settings}
    if urlsplit(server.url).scheme == "http":
        wanted["insecure_hosts"] = [server.host]
    return diagnose(twin.make(server.url, CLIENT, SECRET, **wanted))


@pytest.mark.parametrize(
    ("variant", "failed", "detail", "advice"),
    [
        (
            "looked up without end",
            "name",
            "nothing within 1.5 s",
            "the name server does not answer",
        ),
        ("refused", "connection", "Connection refused", "nobody listens there: check the port"),
        ("accepted and never read", "tls", "n", "such as a firewall"),
        (
            "unknown CA",
            "tls",
            "certificate is by CN=|certificate is by OU=",
            "set verify (--ca-file) to a file with the CA of the server",
        ),
        ("expired certificate", "tls", "ended on 2020-01-01", "renew it; or is the clock"),
        (
            "certificate of another host",
            "tls",
            "for idp.example.com, not for 127.0.0.1",
            "the host",
        ),
        ("protocol mismatch", "tls", "no common version of TLS", "have the server offer TLS 1.2"),
        ("plain HTTP on a TLS port", "tls", "speaks no TLS", "check scheme and port of token_url"),
        (
            "reset before the headers",
            "token request",
            "no answer",
            "check scheme and port of token_url",
        ),
    ],
)
def test_fault_on_the_way(
    here: World, twin: Twin, variant: str, failed: str, detail: str, advice: str
) -> None:
    with broken(here, FAULTS[variant]) as server:
        diagnosis = seen(here, server, twin, timeout=1.5 if FAULTS[variant].timeout else 5)
    check = next(check for check in diagnosis.checks if check.outcome == "failed")
    assert check.name == failed
    assert any(part in check.detail for part in detail.split("|"))
    assert advice in str(check.advice)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (socket.EAI_NONAME, "check the host in token_url"),
        (socket.EAI_AGAIN, "the name server gives no answer now"),
    ],
)
def test_name_that_leads_nowhere(number: int, advice: str, twin: Twin) -> None:
    error = socket.gaierror(number, "no such name")
    with mock.patch.object(socket, "getaddrinfo", side_effect=error):
        check = step("name", twin.make("https://idp.example.com/token", CLIENT, SECRET))
    assert (check.outcome, check.detail) == ("failed", "idp.example.com: no such name")
    assert advice in str(check.advice)


def test_name_that_no_name_server_could_know(twin: Twin) -> None:
    check = step("name", twin.make(f"https://{'a' * 70}.example.com/token", CLIENT, SECRET))
    assert check.outcome == "failed"
    assert "check the host in token_url" in str(check.advice)


def test_of_many_addresses_three_are_shown(twin: Twin) -> None:
    found = [(socket.AF_INET, 1, 6, "", (f"127.9.9.{n}", 9)) for n in range(5)]
    with mock.patch.object(socket, "getaddrinfo", return_value=found):
        check = step("name", twin.make("https://idp.example.com/token", CLIENT, SECRET))
    assert check.detail == "idp.example.com: 127.9.9.0, 127.9.9.1, 127.9.9.2, …"


def test_address_that_is_dead_before_one_that_is_not(server: AuthorizationServer) -> None:
    port = urlsplit(server.url).port
    found = [(socket.AF_INET, 1, 6, "", (host, port)) for host in ("127.9.9.9", "127.0.0.1")]
    with mock.patch.object(socket, "getaddrinfo", return_value=found):
        check = step("connection", made(server))
    assert (check.outcome, check.found["address"]) == ("warning", "127.0.0.1")
    assert "but not 127.9.9.9: Connection refused" in check.detail
    assert "have it taken out of DNS" in str(check.advice)


def test_port_behind_a_firewall_that_drops() -> None:
    check = dropped({})
    assert check.detail == "port 443 of idp.example.com: 127.0.0.1: no answer"
    assert "a firewall may drop" in check.advice
    assert "set HTTPS_PROXY" in check.advice


def test_proxy_behind_a_firewall_that_drops() -> None:
    check = dropped({"HTTPS_PROXY": "http://proxy.example.com:3128"})
    assert check.detail == "port 3128 of proxy.example.com: 127.0.0.1: no answer"
    assert "set HTTPS_PROXY" not in check.advice


def dropped(environ: dict[str, str]) -> Any:
    """A listener whose queue is full takes no connection, as behind such a firewall."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        found = [(socket.AF_INET, 1, 6, "", address)]
        stack.enter_context(mock.patch.object(socket, "getaddrinfo", return_value=found))
        stack.enter_context(mock.patch.dict(os.environ, environ))
        url = "https://idp.example.com/token"
        return step("connection", OAuth2ClientCredentials(url, CLIENT, SECRET, timeout=3))


def test_address_without_a_way(twin: Twin) -> None:
    found = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", 9))]
    unreachable = OSError(101, "Network is unreachable")
    with (
        mock.patch.object(socket, "getaddrinfo", return_value=found),
        mock.patch.object(socket.socket, "connect", side_effect=unreachable),
    ):
        check = step("connection", twin.make("https://idp.example.com/t", CLIENT, SECRET))
    assert "there is no way to that address" in str(check.advice)


# -- TLS


def made(server: AuthorizationServer, **settings: Any) -> OAuth2ClientCredentials:
    wanted = {"verify": server.ca_file, **settings}
    return OAuth2ClientCredentials(server.token_url, CLIENT, SECRET, **wanted)


def test_says_who_vouches_for_the_server_and_which_list_that_is_in(
    server: AuthorizationServer,
) -> None:
    check = step("tls", made(server))
    assert "certificate by trustme" in check.detail
    assert check.detail.endswith(f"CAs from {server.ca_file}")
    assert check.found["version"].startswith("TLSv1.")
    assert check.found["days_left"] > 300


def test_says_that_the_list_is_in_a_context(server: AuthorizationServer) -> None:
    trusting = ssl.create_default_context(cafile=server.ca_file)
    assert "CAs from your ssl.SSLContext" in step("tls", made(server, verify=trusting)).detail


@pytest.mark.parametrize(
    ("environ", "source"),
    [({"SSL_CERT_FILE": "{ca}"}, "SSL_CERT_FILE={ca}"), ({}, "the list that comes with httpx")],
)
def test_says_that_the_list_is_in_the_environment(
    server: AuthorizationServer, environ: dict[str, str], source: str
) -> None:
    ca = str(server.ca_file)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT")}
    filled = {name: value.format(ca=ca) for name, value in environ.items()}
    with mock.patch.dict(os.environ, {**kept, **filled}, clear=True):
        assert f"CAs from {source.format(ca=ca)}" in step("tls", made(server, verify=True)).detail


def test_context_that_looks_at_no_certificate(server: AuthorizationServer) -> None:
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    check = step("tls", made(server, verify=blind))
    assert (check.outcome, "let the ssl.SSLContext" in str(check.advice)) == ("warning", True)


def test_list_that_cannot_be_read(server: AuthorizationServer, tmp_path: Any) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    check = step("tls", made(server, verify=file))
    assert "the CA certificates could not be read" in check.detail
    assert "set verify (--ca-file) or SSL_CERT_FILE" in str(check.advice)
    assert check.found["error"] == "ConfigurationError"


def test_certificate_that_ends_soon(server: AuthorizationServer) -> None:
    with mock.patch("pygen_auth.diagnosis._tls._SOON", 1e12):
        check = step("tls", made(server))
    assert check.outcome == "warning"
    assert check.advice == "have the server's operator renew the certificate"


@contextmanager
def shows(certificate: trustme.LeafCert | None, *, once: bool = False) -> Iterator[str]:
    """The URL of a server that shows this certificate; without one it ends the connection.

    With `once` it listens for one connection alone.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = _TLSSocket
    if certificate is not None:
        certificate.configure_cert(context)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if once:
                listener.close()
            try:
                if certificate is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                connection.recv(1)
            except OSError:
                pass
            finally:
                connection.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}/token"
    if not once:
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def trusted(authority: trustme.CA, url: str, tmp_path: Any) -> Any:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return step("tls", OAuth2ClientCredentials(url, CLIENT, SECRET, verify=tmp_path / "ca.pem"))


def test_ca_at_the_end_of_the_chain_is_named(tmp_path: Any) -> None:
    root = trustme.CA(organization_name="Root", organization_unit_name="r")
    between = root.create_child_ca()
    with shows(between.issue_cert("127.0.0.1")) as url:
        check = trusted(root, url, tmp_path)
    assert ("under Root" in check.detail, check.found["root"]) == (True, "Root")


def test_ca_that_python_does_not_tell() -> None:
    assert _tls._root(mock.Mock(_sslobj=object())) is None


def test_certificate_too_odd_to_be_read(tmp_path: Any) -> None:
    with (
        shows(trustme.CA().issue_cert("127.0.0.1")) as url,
        mock.patch.object(_tls, "_certificate", return_value=b"no DER"),
    ):
        check = trusted(trustme.CA(), url, tmp_path)
    assert "by somebody that was not seen a second time" in check.detail


def test_certificate_of_tomorrow(tmp_path: Any) -> None:
    from datetime import datetime, timezone

    authority = trustme.CA()
    ahead = datetime(2990, 1, 1, tzinfo=timezone.utc)
    with shows(authority.issue_cert("127.0.0.1", not_before=ahead)) as url:
        check = trusted(authority, url, tmp_path)
    assert check.detail == "the certificate is not valid before 2990-01-01"
    assert "it may be behind" in check.advice


def test_certificate_with_another_fault(tmp_path: Any) -> None:
    purpose = ssl.SSLCertVerificationError(1, "no")
    purpose.verify_message, purpose.verify_code = "unsuitable certificate purpose", 26
    authority = trustme.CA()
    with (
        shows(authority.issue_cert("127.0.0.1")) as url,
        mock.patch.object(ssl.SSLContext, "wrap_socket", side_effect=purpose),
    ):
        check = trusted(authority, url, tmp_path)
    assert "unsuitable certificate purpose: the certificate is by somebody" in check.detail
    assert check.advice == "have the server's operator look at its certificate"


def test_certificate_that_is_not_shown_twice(tmp_path: Any) -> None:
    with shows(trustme.CA().issue_cert("127.0.0.1"), once=True) as url:
        check = trusted(trustme.CA(), url, tmp_path)
    assert "by somebody that was not seen a second time" in check.detail


def test_certificate_with_a_name_of_the_old_kind(tmp_path: Any) -> None:
    """No subject alternative name: such are made by hand, and no client takes them any more."""
    certificate = by_hand(tmp_path / "old.pem")
    leaf = mock.Mock()
    leaf.configure_cert = lambda context: context.load_cert_chain(certificate)
    with shows(leaf) as url:
        check = trusted(trustme.CA(), url, tmp_path)
    assert check.found["names"] == "CN=127.0.0.1"


def by_hand(path: Any) -> Any:
    from datetime import datetime, timedelta, timezone

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    encoded = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    none = serialization.NoEncryption()
    path.write_bytes(encoded + key.private_bytes(serialization.Encoding.PEM, form, none))
    return path


def test_connection_that_ends_in_the_handshake() -> None:
    with shows(None) as url:
        check = step("tls", OAuth2ClientCredentials(url, CLIENT, SECRET))
    assert check.detail.startswith("the handshake broke off: ")
    assert "something on the way ends it" in str(check.advice)


def test_plain_http_has_no_handshake() -> None:
    with AuthorizationServer() as plain:
        plain.add_client(CLIENT, SECRET)
        diagnosis = diagnose(OAuth2ClientCredentials(plain.token_url, CLIENT, SECRET))
    assert (diagnosis.check("tls").outcome, diagnosis.check("tls").detail) == (
        "not run",
        "plain http",
    )
    assert diagnosis.check("token request").outcome == "ok"


# -- proxies


@pytest.mark.parametrize(
    ("variant", "failed", "advice"),
    [
        ("refuses with 403", "proxy", "list the host in NO_PROXY"),
        ("refuses with 407", "proxy", "put user and password into HTTPS_PROXY"),
        ("away", "connection", "nobody listens there: check the port in HTTPS_PROXY"),
        ("never answers", "proxy", "check HTTPS_PROXY"),
    ],
)
def test_fault_of_a_proxy(here: World, twin: Twin, variant: str, failed: str, advice: str) -> None:
    fault = PROXY_FAULTS[variant]
    with broken(here, fault) as server, here.proxy(server.proxy):
        diagnosis = seen(here, server, twin, timeout=1.5 if fault.timeout else 5)
    check = next(check for check in diagnosis.checks if check.outcome == "failed")
    assert check.name == failed
    assert advice in str(check.advice)


@pytest.mark.parametrize("tls", [True, False])
def test_proxy_that_is_well(here: World, twin: Twin, tls: bool) -> None:
    well = PROXY_FAULTS["refuses with 403"]
    with FaultServer(well, tls, here, "m4rk", lambda: 0.0) as server:
        user = server.proxy.replace("//", "//user:pa55-w0rd-of-proxy@")
        with here.proxy(user):
            diagnosis = seen(here, server, twin)
    assert diagnosis.check("proxy").detail == server.proxy
    assert diagnosis.check("name").detail == "the proxy 127.0.0.1 is an address"
    assert diagnosis.check("token request").outcome == "ok"
    assert "pa55" not in str(diagnosis)


@pytest.mark.parametrize(
    ("answer", "detail", "advice"),
    [
        (b"", "it ends the connection", "may be no proxy"),
        (b"220 mail.example ESMTP\r\n\r\n", "its answer is no HTTP", "may be no proxy"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway", "cannot reach that host"),
        (b"HTTP/1.1 200 " + b"x" * 20_000, "", ""),
    ],
)
def test_what_answers_in_place_of_a_proxy(answer: bytes, detail: str, advice: str) -> None:
    with speaks(answer) as url, mock.patch.dict(os.environ, {"HTTPS_PROXY": url}):
        check = step("proxy", OAuth2ClientCredentials("https://[2001:db8::1]/t", CLIENT, SECRET))
    assert detail in check.detail
    assert advice in str(check.advice)


def test_proxy_that_resets_the_connection() -> None:
    error = ConnectionResetError(104, "Connection reset by peer")
    with (
        speaks(b"") as url,
        mock.patch.dict(os.environ, {"HTTPS_PROXY": url}),
        mock.patch("pygen_auth.diagnosis._line._tunnel", side_effect=error),
    ):
        check = step("proxy", OAuth2ClientCredentials("https://idp.example.com/t", CLIENT, SECRET))
    assert check.detail == f"{url}: Connection reset by peer"


@contextmanager
def speaks(answer: bytes) -> Iterator[str]:
    """The URL of something that reads once, says this, and ends the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_certificate_is_read_through_the_proxy(here: World, twin: Twin) -> None:
    """Behind a proxy that is well, the server shows a certificate of an unknown CA."""
    fault = Fault("", "", "", WELL.outcome, certificate="unknown CA", only="TLS")
    with broken(here, fault) as server, tunnel(server.url) as proxy, here.proxy(proxy):
        url = server.url.replace("127.0.0.1", "behind.proxied.invalid")
        check = step("tls", twin.make(url, CLIENT, SECRET, verify=here.ca_file))
    assert "certificate is by" in check.detail
    assert check.found["names"] == "127.0.0.1, *.direct.invalid, *.proxied.invalid"


def test_proxy_that_refuses_a_second_time(here: World, twin: Twin) -> None:
    fault = Fault("", "", "", WELL.outcome, certificate="unknown CA", only="TLS")
    with broken(here, fault) as server, tunnel(server.url, connections=1) as proxy:
        url = server.url.replace("127.0.0.1", "behind.proxied.invalid")
        with here.proxy(proxy):
            check = step("tls", twin.make(url, CLIENT, SECRET, verify=here.ca_file))
    assert "not seen a second time" in check.detail


@contextmanager
def tunnel(to: str, connections: int = 100) -> Iterator[str]:
    """A proxy that leads everybody to one server, and after so many says no."""
    listener = socket.create_server(("127.0.0.1", 0))
    parts = urlsplit(to)

    def pipe(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve(connection: socket.socket, refused: bool) -> None:
        with connection:
            connection.recv(65_536)
            if refused:
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", parts.port or 0)) as server:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=pipe, args=(server, connection), daemon=True)
                back.start()
                pipe(connection, server)
                back.join(5)

    def accept() -> None:
        for number in range(1000):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            refused = number >= connections
            threading.Thread(target=serve, args=(connection, refused), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.mark.parametrize("scheme", ["socks5", "https"])
def test_other_kinds_of_proxies_are_left_to_the_token_request(scheme: str) -> None:
    with speaks(b"neither") as url:
        url = url.replace("http", scheme)
        with mock.patch.dict(os.environ, {"HTTPS_PROXY": url}):
            credentials = OAuth2ClientCredentials(
                "https://idp.example.com/t", CLIENT, SECRET, timeout=5
            )
            diagnosis = diagnose(credentials)
    assert diagnosis.check("proxy").detail == (
        f"{url}; the way behind it is left to the token request"
    )
    assert diagnosis.check("tls").detail == "left to the token request"
    assert diagnosis.check("token request").outcome == "failed"


@pytest.mark.parametrize("proxy", ["http://proxy:port", "http://", "http://proxy:0"])
def test_proxy_variable_that_cannot_be_read(proxy: str, twin: Twin) -> None:
    with mock.patch.dict(os.environ, {"HTTPS_PROXY": proxy}):
        check = step("name", twin.make("https://idp.example.com/t", CLIENT, SECRET))
    assert (check.outcome, "set HTTPS_PROXY to a URL" in str(check.advice)) == ("failed", True)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTPS_PROXY": "http://proxy:3128"},
        {"HTTPS_PROXY": "proxy:3128"},
        {"HTTP_PROXY": "http://proxy:3128"},
        {"ALL_PROXY": "http://proxy:3128"},
        *(
            {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": exempt}
            for exempt in (
                *("*", "example.com", ".example.com", "idp.example.com", "le.com", "other, "),
                *("10.0.0.1", "10.0.0.1/8", "::1", "2001:db8::1", "localhost"),
                *("https://idp.example.com", "http://idp.example.com", "https://example.com"),
                *("example.com:443", "example.com:8443", "Example.COM"),
            )
        ),
    ],
    ids=lambda environ: " ".join(environ.values()) or "none",
)
@pytest.mark.parametrize(
    "url",
    [
        *("https://idp.example.com/t", "https://example.com/t", "http://example.com/t"),
        *("https://idp.example.com:8443/t", "https://10.0.0.1/t", "https://[2001:db8::1]/t"),
    ],
)
def test_proxy_is_the_one_that_httpx_takes(url: str, environ: dict[str, str]) -> None:
    if "://" in environ.get("NO_PROXY", "") and httpx.__version__ < "0.26":
        pytest.skip("a URL in NO_PROXY is a pattern of host names to this httpx")
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    with mock.patch.dict(os.environ, {**kept, **environ}, clear=True):
        proxy = proxy_for(urlsplit(url))
        with httpx.Client(verify=False) as client:
            taken = client._transport_for_url(httpx.URL(url)) is not client._transport
    assert (proxy is not None) is taken


def test_this_machine_is_reached_without_a_proxy() -> None:
    with mock.patch.dict(os.environ, {"HTTPS_PROXY": "http://proxy:3128"}):
        assert proxy_for(urlsplit("https://127.0.0.1/t")) is None
