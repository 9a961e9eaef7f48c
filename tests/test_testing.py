"""The loopback authorization server, seen through a plain HTTP client and bare sockets."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from pygen_auth.testing import Answer, AuthorizationServer

SECRET = "s3cret"
GRANT = {"grant_type": "client_credentials", "client_id": "app", "client_secret": SECRET}


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as server:
        server.add_client("app", SECRET)
        yield server


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(verify=False, trust_env=False, timeout=5) as client:  # faster to make
        yield client


def ask(http: httpx.Client, server: AuthorizationServer, **more: Any) -> httpx.Response:
    return http.post(server.token_url, data=GRANT | more)


def call(http: httpx.Client, server: AuthorizationServer, token: str) -> httpx.Response:
    return http.get(server.resource_url, headers={"Authorization": f"Bearer {token}"})


def connect(server: AuthorizationServer) -> socket.socket:
    url = httpx.URL(server.url)
    assert url.port is not None
    return socket.create_connection((url.host, url.port), timeout=5)


def exchange(server: AuthorizationServer, request: bytes) -> bytes:
    """Send the bytes and return all that comes until the server closes the connection."""
    with connect(server) as peer:
        peer.sendall(request)
        return b"".join(iter(lambda: peer.recv(65536), b""))


def post(body: bytes = b"") -> bytes:
    head = f"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def in_time(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within five seconds."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
    return condition()


# Token endpoint


def test_issues_a_token_to_a_client_in_the_form(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    answer = ask(http, server)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"token_type", "access_token", "expires_in"}
    assert answer.json()["token_type"] == "Bearer"
    assert repr(answer.json()["expires_in"]) == "3600"


def test_issues_a_token_to_a_client_in_basic_credentials(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    form = {"grant_type": "client_credentials"}
    answer = http.post(server.token_url, data=form, auth=("app", SECRET))
    assert answer.status_code == 200


def test_issues_a_new_token_each_time(server: AuthorizationServer, http: httpx.Client) -> None:
    tokens = {ask(http, server).json()["access_token"] for _ in range(10)}
    assert len(tokens) == 10


def test_refuses_a_wrong_secret(server: AuthorizationServer, http: httpx.Client) -> None:
    answer = ask(http, server, client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_refuses_an_unknown_client(server: AuthorizationServer, http: httpx.Client) -> None:
    answer = ask(http, server, client_id="nobody")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


@pytest.mark.parametrize("credentials", ["/w==", "\xe9", "YXBw"])
def test_refuses_basic_credentials_it_cannot_read(
    server: AuthorizationServer, http: httpx.Client, credentials: str
) -> None:
    answer = http.post(
        server.token_url,
        data={"grant_type": "client_credentials"},
        headers={b"Authorization": b"Basic " + credentials.encode("latin-1")},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert server.token_requests[0].auth_method is None


def test_refuses_an_auth_method_the_client_may_not_use(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.add_client("app", SECRET, auth_methods=["client_secret_basic"])
    assert ask(http, server).json()["error"] == "invalid_client"


def test_takes_the_new_secret_of_a_client_added_again(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.add_client("app", "rotated")
    assert ask(http, server).status_code == 401
    assert ask(http, server, client_secret="rotated").status_code == 200


def test_refuses_another_grant(server: AuthorizationServer, http: httpx.Client) -> None:
    answer = ask(http, server, grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_reads_nothing_from_a_body_that_is_no_form(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    answer = http.post(server.token_url, json=GRANT)
    assert answer.json()["error"] == "unsupported_grant_type"
    assert server.token_requests[0].form == {}


def test_grants_any_scope_to_an_unrestricted_client(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    assert ask(http, server, scope="read write").json()["scope"] == "read write"


def test_grants_a_scope_the_client_may_have(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.add_client("app", SECRET, scopes=["read", "write"])
    assert ask(http, server, scope="read").json()["scope"] == "read"


def test_refuses_a_scope_the_client_may_not_have(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.add_client("app", SECRET, scopes=["read"])
    answer = ask(http, server, scope="read admin")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_counts_an_empty_parameter_as_left_out(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.add_client("app", SECRET, scopes=[])
    answer = ask(http, server, scope="")
    assert answer.status_code == 200
    assert "scope" not in answer.json()
    assert server.token_requests[0].form["scope"] == [""]


@pytest.mark.parametrize(("lifetime", "expires_in"), [(60.0, "60"), (0.5, "0.5"), (0, "0")])
def test_issues_tokens_with_the_lifetime_set_last(
    server: AuthorizationServer, http: httpx.Client, lifetime: float, expires_in: str
) -> None:
    server.lifetime = lifetime
    assert repr(ask(http, server).json()["expires_in"]) == expires_in


# What the token endpoint records


def test_records_token_requests_in_order(server: AuthorizationServer, http: httpx.Client) -> None:
    before = time.monotonic()
    for client_id in ("app", "b", "c"):
        ask(http, server, client_id=client_id)
    requests = server.token_requests
    assert [request.client_id for request in requests] == ["app", "b", "c"]
    times = [before, *(request.at for request in requests), time.monotonic()]
    assert times == sorted(times)
    assert server.token_request_count == 3


def test_hands_out_a_copy_of_its_record(server: AuthorizationServer, http: httpx.Client) -> None:
    ask(http, server)
    server.token_requests.clear()
    assert server.token_request_count == 1


def test_records_what_was_sent(server: AuthorizationServer, http: httpx.Client) -> None:
    http.post(server.token_url, data={"audience": ["a", "b"], "x": "ä"}, headers={"X-Trace": "1"})
    request = server.token_requests[0]
    assert request.audience == ["a", "b"]
    assert request.form == {"audience": ["a", "b"], "x": ["ä"]}
    assert request.body == b"audience=a&audience=b&x=%C3%A4"
    assert request.headers["x-trace"] == "1"


def test_records_how_the_client_authenticated(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    ask(http, server)
    http.post(server.token_url, auth=("other", SECRET))
    http.post(server.token_url, data={"client_id": "public"})
    http.post(server.token_url)
    assert [(r.client_id, r.auth_method) for r in server.token_requests] == [
        ("app", "client_secret_post"),
        ("other", "client_secret_basic"),
        ("public", None),
        (None, None),
    ]


def test_records_a_request_before_it_is_answered(server: AuthorizationServer) -> None:
    server.script(Answer(delay=60))
    with connect(server) as peer:
        peer.sendall(post())
        assert in_time(lambda: server.token_request_count == 1)


def test_shows_no_secret_in_the_repr_of_a_request(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    http.post(server.token_url, data=GRANT, auth=("app", SECRET))
    text = repr(server.token_requests)
    assert "app" in text
    assert SECRET not in text
    assert "Basic" not in text


def test_logs_no_secret(
    server: AuthorizationServer, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = ask(http, server).json()["access_token"]
    call(http, server, token)
    assert "Issue token" in caplog.text  # Authlib logs at all
    assert token not in caplog.text
    assert SECRET not in caplog.text


# Scripted answers


def test_gives_scripted_answers_once_each_and_goes_on_as_usual(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.script(Answer(503), Answer(429, {"Retry-After": "7"}))
    answers = [ask(http, server) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 429, 200]
    assert answers[1].headers["Retry-After"] == "7"


def test_gives_the_override_while_it_is_set(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.override = Answer(500)
    server.script(Answer(502))
    assert [ask(http, server).status_code for _ in range(3)] == [502, 500, 500]
    server.override = None
    assert ask(http, server).status_code == 200


def test_sends_an_answer_byte_for_byte(server: AuthorizationServer) -> None:
    headers = {"content-length": "99", "Connection": "weird", "X-Latin": "\xe9"}
    server.script(Answer(299, headers, "ä"))
    assert exchange(server, post()) == (
        b"HTTP/1.1 299 \r\ncontent-length: 99\r\nConnection: weird\r\nX-Latin: \xe9\r\n\r\n\xc3\xa4"
    )


def test_sends_a_mapping_as_json(server: AuthorizationServer, http: httpx.Client) -> None:
    server.script(Answer(body=MappingProxyType({"access_token": "ä"})))
    answer = ask(http, server)
    assert answer.json() == {"access_token": "ä"}
    assert answer.headers["Content-Type"] == "application/json"


def test_keeps_the_content_type_given_with_a_mapping(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.script(Answer(headers={"content-type": "text/html"}, body={}))
    assert ask(http, server).headers.get_list("Content-Type") == ["text/html"]


def test_sends_an_iterable_chunked(server: AuthorizationServer, http: httpx.Client) -> None:
    server.script(Answer(body=[b"one", b"", b"two"]))
    answer = ask(http, server)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.content == b"onetwo"


def test_sends_an_iterable_plain_under_a_length_of_its_own(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.script(Answer(headers={"Content-Length": "6"}, body=[b"one", b"two"]))
    answer = ask(http, server)
    assert "Transfer-Encoding" not in answer.headers
    assert answer.content == b"onetwo"


def test_sends_an_endless_body_until_the_client_leaves(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    ended = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            ended.set()

    server.script(Answer(body=endless()))
    with http.stream("POST", server.token_url) as answer:
        assert len(next(answer.iter_raw())) > 0
    assert ended.wait(5)


def test_waits_for_the_delay_before_the_first_byte(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.script(Answer(delay=0.03))
    start = time.monotonic()
    ask(http, server)
    assert time.monotonic() - start >= 0.03


@pytest.mark.parametrize(
    ("reset", "received"),
    [
        ("before", b""),
        ("in_headers", b"HTTP/1.1 200 OK\r\nCo"),
        ("in_body", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo"),
    ],
)
def test_resets_the_connection_where_told(
    server: AuthorizationServer, reset: Any, received: bytes
) -> None:
    server.script(Answer(body="body", reset=reset))
    with connect(server) as peer:
        peer.sendall(post())
        for byte in received:
            assert peer.recv(1) == bytes([byte])
        with pytest.raises(ConnectionResetError):
            peer.recv(1)


@pytest.mark.parametrize(("drip", "at_once"), [("headers", b"H"), ("body", b"\r\n\r\nb")])
def test_drips_single_bytes_from_where_told(
    server: AuthorizationServer, drip: Any, at_once: bytes
) -> None:
    server.script(Answer(body="body", drip=drip, drip_seconds=60))
    with connect(server) as peer:
        peer.sendall(post())
        got = b""
        while not got.endswith(at_once):
            got += peer.recv(100)
        peer.settimeout(0.01)
        with pytest.raises(TimeoutError):
            peer.recv(1)


def test_drips_to_the_end(server: AuthorizationServer, http: httpx.Client) -> None:
    server.script(Answer(body="body", drip="headers", drip_seconds=0.0001))
    assert ask(http, server).text == "body"


def test_does_not_take_a_scripted_token_for_one_of_its_own(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.script(Answer(body={"access_token": "handmade", "token_type": "Bearer"}))
    token = ask(http, server).json()["access_token"]
    assert call(http, server, token).status_code == 401


def test_reports_a_failing_body_on_stderr(
    server: AuthorizationServer, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing() -> Iterator[bytes]:
        yield b"one"
        raise RuntimeError("a mistake in the test")

    server.script(Answer(body=failing()))
    exchange(server, post())
    assert "a mistake in the test" in capfd.readouterr().err


# The resource


def test_tells_what_the_token_is_for(server: AuthorizationServer, http: httpx.Client) -> None:
    token = ask(http, server, scope="read", audience=["a", "b"]).json()["access_token"]
    answer = call(http, server, token)
    assert answer.status_code == 200
    assert answer.json() == {
        "access_token": token,
        "client_id": "app",
        "scope": "read",
        "audience": ["a", "b"],
    }


def test_takes_a_post_to_the_resource(server: AuthorizationServer, http: httpx.Client) -> None:
    token = ask(http, server).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = http.post(server.resource_url + "?a=b", content=b"anything", headers=headers)
    assert answer.json()["client_id"] == "app"


def test_refuses_an_unknown_token(server: AuthorizationServer, http: httpx.Client) -> None:
    answer = call(http, server, "unknown")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_refuses_a_call_without_a_token(server: AuthorizationServer, http: httpx.Client) -> None:
    answer = http.get(server.resource_url)
    assert (answer.status_code, answer.json()["error"]) == (401, "missing_authorization")


def test_refuses_a_revoked_token(server: AuthorizationServer, http: httpx.Client) -> None:
    token = ask(http, server).json()["access_token"]
    server.revoke(token)
    server.revoke("unknown")
    assert call(http, server, token).json()["error"] == "invalid_token"


def test_refuses_an_expired_token(server: AuthorizationServer, http: httpx.Client) -> None:
    server.lifetime = 0.03
    token = ask(http, server).json()["access_token"]
    time.sleep(0.03)
    assert call(http, server, token).json()["error"] == "invalid_token"


def test_leaves_the_lifetime_of_an_issued_token_alone(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    token = ask(http, server).json()["access_token"]
    server.lifetime = 0
    assert call(http, server, token).status_code == 200


def test_counts_calls_and_refusals(server: AuthorizationServer, http: httpx.Client) -> None:
    token = ask(http, server).json()["access_token"]
    for presented in (token, "unknown", token):
        call(http, server, presented)
    assert (server.resource_calls, server.resource_refusals) == (3, 1)


# HTTP


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
def test_publishes_its_metadata(server: AuthorizationServer, http: httpx.Client, name: str) -> None:
    assert http.get(f"{server.url}/.well-known/{name}").json() == {
        "issuer": server.issuer,
        "token_endpoint": server.token_url,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
    }


def test_says_which_methods_it_takes(server: AuthorizationServer, http: httpx.Client) -> None:
    answer = http.get(server.token_url)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert server.token_request_count == 0


def test_knows_no_other_path(server: AuthorizationServer, http: httpx.Client) -> None:
    answer = http.get(server.url + "/other")
    assert (answer.status_code, answer.content) == (404, b"")


def test_keeps_a_connection_open_for_the_next_request(server: AuthorizationServer) -> None:
    with connect(server) as peer:
        for _ in range(2):
            peer.sendall(post())
            assert peer.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert server.token_request_count == 2


def test_closes_the_connection_of_a_client_that_asks_for_it(server: AuthorizationServer) -> None:
    answer = exchange(server, b"GET /other HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in answer


def test_refuses_a_body_over_one_mebibyte(server: AuthorizationServer, http: httpx.Client) -> None:
    largest = http.post(server.token_url, content=b"x" * (1 << 20))
    too_large = http.post(server.token_url, content=b"x" * 3_000_000)
    assert [largest.status_code, too_large.status_code] == [400, 413]
    assert server.token_request_count == 1


def test_refuses_a_length_of_many_digits(server: AuthorizationServer) -> None:
    with connect(server) as peer:
        peer.sendall(b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n")
        assert peer.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("header", [b"Transfer-Encoding: chunked", b"Content-Length: -1"])
def test_refuses_a_body_of_unknown_length(server: AuthorizationServer, header: bytes) -> None:
    with connect(server) as peer:
        peer.sendall(b"POST /oauth2/token HTTP/1.1\r\n" + header + b"\r\n\r\n")
        assert peer.recv(100).startswith(b"HTTP/1.1 411 ")


def test_forgets_a_client_that_leaves_within_its_request(
    server: AuthorizationServer, http: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    with connect(server) as peer:
        peer.sendall(post(b"body")[:-1])
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(1) == b""
    assert ask(http, server).status_code == 200
    assert server.token_request_count == 1
    assert capfd.readouterr().err == ""


def test_prints_nothing_about_clients_that_reset_or_talk_nonsense(
    server: AuthorizationServer, http: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    with connect(server) as peer:
        peer.sendall(b"POST")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert b"400" in exchange(server, b"nonsense\r\n\r\n")
    assert ask(http, server).status_code == 200
    assert capfd.readouterr().err == ""


def test_serves_many_clients_that_connect_at_once(server: AuthorizationServer) -> None:
    peers = [connect(server) for _ in range(300)]
    for peer in peers:
        peer.sendall(post())
    for peer in peers:
        with peer:
            assert peer.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert server.token_request_count == 300


def test_issues_and_records_from_many_threads(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.script(*[Answer(503)] * 20)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(http, server), range(100)))
    tokens = {answer.json()["access_token"] for answer in answers if answer.status_code == 200}
    assert (len(tokens), server.token_request_count) == (80, 100)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_listens_on_ipv6(http: httpx.Client) -> None:
    with AuthorizationServer(host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert http.get(server.url).status_code == 404


# Closing


def endless_answer() -> Answer:
    return Answer(body=itertools.repeat(b"x" * 65536))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(delay=60),
        Answer(body="body", drip="headers", drip_seconds=60),
        Answer(body=itertools.repeat(b"")),
        endless_answer(),
    ],
    ids=["delayed", "dripping", "silent", "endless"],
)
def test_closes_promptly_in_the_midst_of_an_answer(
    answer: Answer, capfd: pytest.CaptureFixture[str]
) -> None:
    threads = threading.active_count()
    with AuthorizationServer() as server, connect(server) as peer:
        server.override = answer
        peer.sendall(post())
        assert in_time(lambda: server.token_request_count == 1)
        start = time.monotonic()
        server.close()
        assert time.monotonic() - start < 1
        assert threading.active_count() == threads
    assert capfd.readouterr().err == ""


def test_closes_idle_connections(server: AuthorizationServer) -> None:
    with connect(server) as peer:
        peer.sendall(post())
        peer.recv(65536)
        server.close()
        assert peer.recv(1) == b""


def test_does_not_wait_long_for_a_body_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pygen_auth.testing._http._GRACE", 0.01)
    release = threading.Event()

    def hanging() -> Iterator[bytes]:
        release.wait(60)
        yield b""

    with AuthorizationServer() as server, connect(server) as peer:
        server.override = Answer(body=hanging())
        peer.sendall(post())
        assert in_time(lambda: server.token_request_count == 1)
        start = time.monotonic()
        server.close()
        assert time.monotonic() - start < 1
    release.set()


def test_listens_no_more_once_closed(server: AuthorizationServer) -> None:
    server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        connect(server)


# TLS


@pytest.fixture
def secure() -> Iterator[AuthorizationServer]:
    pytest.importorskip("trustme")
    with AuthorizationServer(tls=True) as server:
        server.add_client("app", SECRET)
        yield server


def trusting(server: AuthorizationServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_speaks_tls_with_a_certificate_for_loopback(secure: AuthorizationServer, host: str) -> None:
    url = secure.token_url.replace("127.0.0.1", host)
    with httpx.Client(verify=trusting(secure), trust_env=False) as http:
        assert http.post(url, data=GRANT).status_code == 200
    assert url.startswith("https://")


def test_is_not_trusted_by_default(secure: AuthorizationServer) -> None:
    with (
        httpx.Client(trust_env=False) as http,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        http.get(secure.url)


def test_serves_others_while_a_client_stalls_the_handshake(secure: AuthorizationServer) -> None:
    with (
        connect(secure),
        httpx.Client(verify=trusting(secure), trust_env=False) as http,
    ):
        assert http.post(secure.token_url, data=GRANT).status_code == 200


def test_loses_no_socket_to_clients_that_reset_before_the_handshake(
    secure: AuthorizationServer, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(50):
        with connect(secure) as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with httpx.Client(verify=trusting(secure), trust_env=False) as http:
        assert http.get(secure.resource_url).status_code == 401
    assert capfd.readouterr().err == ""


def test_resets_and_refuses_over_tls(secure: AuthorizationServer) -> None:
    secure.script(Answer(body="body", reset="in_body"))
    with httpx.Client(verify=trusting(secure), trust_env=False) as http:
        # Some Pythons report a reset under TLS as the end of the data, not as an error.
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            http.post(secure.token_url)
        assert http.post(secure.token_url, content=b"x" * 3_000_000).status_code == 413


def test_closes_promptly_in_the_midst_of_tls(
    secure: AuthorizationServer, capfd: pytest.CaptureFixture[str]
) -> None:
    secure.override = endless_answer()
    with (
        connect(secure),
        trusting(secure).wrap_socket(connect(secure), server_hostname="127.0.0.1") as peer,
    ):
        peer.sendall(post())
        assert in_time(lambda: secure.token_request_count == 1)
        start = time.monotonic()
        secure.close()
        assert time.monotonic() - start < 1
    assert capfd.readouterr().err == ""


def test_removes_the_certificate_when_closed(secure: AuthorizationServer) -> None:
    assert secure.ca_file is not None
    assert os.path.exists(secure.ca_file)
    secure.close()
    assert not os.path.exists(os.path.dirname(secure.ca_file))


def test_has_no_certificate_without_tls(server: AuthorizationServer) -> None:
    assert server.ca_file is None


def test_names_the_extra_that_tls_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ImportError, match=r"pip install 'pygen-auth\[testing\]'"):
        AuthorizationServer(tls=True)
