"""The way to the server: the only place that opens connections of its own.

Nothing of the client's is sent over them: they show where the way ends, and are closed.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import socket
import time
from urllib.parse import unquote

from ._proxy import proxy_for
from ._subject import Finding, Subject, bare, doubtful, fine, host_and_port, wrong

_LONGEST_HEAD = 16_384  # bytes of a proxy's answer; real ones have a few hundred
_SHOWN_ADDRESSES = 3


def name(subject: Subject) -> Finding:
    """The first host on the way has addresses: the server's, or the proxy's."""
    try:
        subject.proxy = proxy_for(subject.url)
    except ValueError:
        return wrong(
            "the proxy variables of the environment cannot be read",
            "set HTTPS_PROXY to a URL such as http://proxy.example.com:3128",
        )
    host, port = host_and_port(subject.proxy or subject.url)
    setting = "HTTPS_PROXY" if subject.proxy else "token_url"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        again = getattr(error, "errno", None) == socket.EAI_AGAIN
        return wrong(
            f"{host}: {getattr(error, 'strerror', None) or type(error).__name__}",
            "the name server gives no answer now: check the network, VPN and DNS of this machine"
            if again
            else f"check the host in {setting}; if it is right, a VPN or DNS may be missing",
        )
    subject.addresses = list(dict.fromkeys((family, at) for family, _, _, _, at in found))
    addresses = [str(at[0]) for _, at in subject.addresses]
    more = ", …" if addresses[_SHOWN_ADDRESSES:] else ""
    shown = ", ".join(addresses[:_SHOWN_ADDRESSES]) + more
    of = "the proxy " if subject.proxy else ""
    what = f"{of}{host} is an address" if addresses == [host] else f"{of}{host}: {shown}"
    return fine(what, host=host, addresses=addresses)


def connection(subject: Subject) -> Finding:
    """Somebody listens there (TCP)."""
    host, port = host_and_port(subject.proxy or subject.url)
    deadline = time.monotonic() + subject.share
    line, failures = _connected(subject, deadline)
    told = [f"{at}: {_reason(error)}" for at, error in failures]
    if line is None:
        return wrong(f"port {port} of {host}: {'; '.join(told)}", _advice(failures[-1][1], subject))
    subject.line = line
    reached = f"{line.getpeername()[0]} port {port}"
    if told:
        return doubtful(
            f"{reached}, but not {'; '.join(told)}",
            "each connection tries the dead address first: have it taken out of DNS, or its way "
            "mended",
            address=line.getpeername()[0],
        )
    return fine(reached, address=line.getpeername()[0])


def _connected(
    subject: Subject, deadline: float
) -> tuple[socket.socket | None, list[tuple[str, OSError]]]:
    """A connection to the first address that takes one, and why those before did not."""
    failures = []
    for number, (family, at) in enumerate(subject.addresses):
        left = (deadline - time.monotonic()) / (len(subject.addresses) - number)
        line = socket.socket(family, socket.SOCK_STREAM)
        try:
            line.settimeout(max(left, 0.001))
            line.connect(at)
            line.settimeout(subject.share)
        except OSError as error:
            line.close()
            failures.append((str(at[0]), error))
        else:
            return line, failures
    return None, failures


def _reason(error: OSError) -> str:
    return "no answer" if isinstance(error, TimeoutError) else error.strerror or "failed"


def _advice(error: OSError, subject: Subject) -> str:
    setting = "HTTPS_PROXY" if subject.proxy else "token_url"
    if error.errno == errno.ECONNREFUSED:
        return f"nobody listens there: check the port in {setting}, and that the server is up"
    if isinstance(error, TimeoutError):
        direct = (
            "" if subject.proxy else "; where the way out leads through a proxy, set HTTPS_PROXY"
        )
        return f"a firewall may drop the connection: have it opened for this machine{direct}"
    return "there is no way to that address: check the network and the VPN of this machine"


# -- the proxy


def proxy(subject: Subject) -> Finding:
    """Which proxy is in use, and whether it leads to the server (RFC 9110 §9.3.6)."""
    if subject.proxy is None:
        return fine("none")
    named = bare(subject.proxy)
    if subject.proxy.scheme != "http":
        subject.close()
        return fine(f"{named}; the way behind it is left to the token request", proxy=named)
    if subject.url.scheme == "http":
        return fine(named, proxy=named)
    assert subject.line is not None
    try:
        status, said = _tunnel(subject, subject.line)
    except OSError as error:
        return wrong(f"{named}: {_reason(error)}", _ADVICE_FOR_PROXY[0], proxy=named)
    if 200 <= status < 300:
        return fine(named, proxy=named)
    host, port = host_and_port(subject.url)
    what = f"{named} leads to no connection with {host} port {port}: {said}"
    return wrong(what, _ADVICE_FOR_PROXY.get(status, _PROXY_REFUSES), proxy=named, status=status)


_PROXY_REFUSES = "have the proxy let this host through, or list the host in NO_PROXY"
_ADVICE_FOR_PROXY = {
    0: "check HTTPS_PROXY: what is there may be no proxy; if it is one, ask its operator",
    407: "put user and password into HTTPS_PROXY, as in http://user:password@proxy:3128",
    **dict.fromkeys((502, 503, 504), "the proxy cannot reach that host: check the host in "
    "token_url, and have the way from the proxy to it opened"),
}  # fmt: skip


def _tunnel(subject: Subject, line: socket.socket) -> tuple[int, str]:
    """Ask the proxy for a connection; the status of its answer, 0 where that is no HTTP."""
    host, port = host_and_port(subject.url)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    at = subject.proxy
    if at is not None and at.username is not None:
        user = f"{unquote(at.username)}:{unquote(at.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(user.encode()).decode()}")
    line.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
        piece = line.recv(1)  # what follows the head belongs to the server
        if not piece:
            break
        head += piece
    first = head.partition(b"\r\n")[0].decode("ascii", "replace")
    version, _, rest = first.partition(" ")
    status = rest.partition(" ")[0]
    if not version.startswith("HTTP/") or not status.isdecimal():
        return 0, "its answer is no HTTP" if head else "it ends the connection"
    return int(status), "".join(c for c in rest if c.isprintable())[:100]


def another_line(subject: Subject) -> socket.socket | None:
    """A second connection by the same way; None where there is none now."""
    line, _ = _connected(subject, time.monotonic() + subject.timeout / 2)
    if line is None:
        return None
    with contextlib.suppress(OSError):
        if subject.proxy is None or _tunnel(subject, line)[0] // 100 == 2:
            return line
    line.close()
    return None
