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
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from joserfc import jwk, jwt
from joserfc.errors import SecurityWarning

from pygen_auth.testing import Answer, AuthorizationServer

SECRET = "s3cret"
LONG_SECRET = "a secret of thirty-two bytes or more"
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


# Assertions

KEYS: dict[str, jwk.RSAKey | jwk.ECKey | jwk.OKPKey] = {
    "RSA": jwk.RSAKey.generate_key(2048),
    "P-256": jwk.ECKey.generate_key("P-256"),
    "P-384": jwk.ECKey.generate_key("P-384"),
    "P-521": jwk.ECKey.generate_key("P-521"),
    "Ed25519": jwk.OKPKey.generate_key("Ed25519"),
    "Ed448": jwk.OKPKey.generate_key("Ed448"),
}
KEY = KEYS["P-256"]
ASYMMETRIC = [
    *[("RSA", f"{kind}{size}") for kind in ("RS", "PS") for size in (256, 384, 512)],
    *[("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")],
    *[("Ed25519", "EdDSA"), ("Ed448", "EdDSA")],
]


def add_key_client(
    server: AuthorizationServer, key: jwk.RSAKey | jwk.ECKey | jwk.OKPKey = KEY
) -> None:
    server.add_client("app", public_key=key.as_pem(private=False))


def claims_for(server: AuthorizationServer, **other: object) -> dict[str, Any]:
    now = int(time.time())
    life = {"iat": now, "exp": now + 60, "jti": str(uuid.uuid4())}
    return {"iss": "app", "sub": "app", "aud": server.token_url} | life | other


def sign(claims: dict[str, Any], key: jwk.Key = KEY, alg: str = "ES256") -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of EdDSA
        return jwt.encode({"alg": alg}, claims, key, algorithms=[alg])


def assert_by(http: httpx.Client, server: AuthorizationServer, assertion: str) -> httpx.Response:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"grant_type": "client_credentials", "client_id": "app"}
    proof = {"client_assertion_type": kind, "client_assertion": assertion}
    return http.post(server.token_url, data=form | proof)


def refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(("key", "alg"), ASYMMETRIC)
def test_takes_an_assertion_signed_with_the_key_of_the_client(
    server: AuthorizationServer, http: httpx.Client, key: str, alg: str
) -> None:
    add_key_client(server, KEYS[key])
    assert assert_by(http, server, sign(claims_for(server), KEYS[key], alg)).status_code == 200
    assert server.token_requests[0].auth_method == "private_key_jwt"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_takes_an_assertion_signed_with_the_secret_of_the_client(
    server: AuthorizationServer, http: httpx.Client, alg: str
) -> None:
    server.add_client("app", LONG_SECRET, auth_methods=["client_secret_jwt"])
    key = jwk.OctKey.import_key(LONG_SECRET)
    assert assert_by(http, server, sign(claims_for(server), key, alg)).status_code == 200
    assert server.token_requests[0].auth_method == "client_secret_jwt"


def test_takes_the_key_of_a_client_from_its_certificate(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    issued = pytest.importorskip("trustme").CA().issue_cert("client.example.com")
    server.add_client("app", public_key=issued.cert_chain_pems[0].bytes().decode())
    key = jwk.ECKey.import_key(issued.private_key_pem.bytes())
    assert assert_by(http, server, sign(claims_for(server), key)).status_code == 200


def test_takes_an_assertion_meant_for_the_issuer(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    add_key_client(server)
    claims = claims_for(server, aud=["elsewhere", server.issuer])
    assert assert_by(http, server, sign(claims)).status_code == 200


def test_takes_an_assertion_meant_for_the_issuer_that_the_metadata_names(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    add_key_client(server)
    server.metadata["issuer"] = server.url + "/tenant"
    for_tenant = sign(claims_for(server, aud=server.url + "/tenant"))
    assert refused(assert_by(http, server, sign(claims_for(server, aud=server.url))))
    assert assert_by(http, server, for_tenant).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example.com"},
        {"aud": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"nbf": 10_000_000_000},
        {"iss": "other"},
        {"sub": "nobody", "iss": "nobody"},
        {"sub": ["app"], "iss": ["app"]},
        {"jti": None},
        {"jti": ["a"]},
    ],
    ids=repr,
)
def test_refuses_an_assertion_with_a_wrong_claim(
    server: AuthorizationServer, http: httpx.Client, claims: dict[str, Any]
) -> None:
    add_key_client(server)
    given = {name: value for name, value in claims_for(server, **claims).items() if value}
    assert refused(assert_by(http, server, sign(given)))


def test_refuses_an_assertion_signed_with_another_key(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    add_key_client(server)
    other = jwk.ECKey.generate_key("P-256")
    assert refused(assert_by(http, server, sign(claims_for(server), other)))


def test_refuses_an_assertion_signed_with_the_public_key_as_if_it_were_a_secret(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    add_key_client(server)
    key = jwk.OctKey.import_key({"kty": "oct", "k": KEY.as_dict(private=False)["x"]})
    assert refused(assert_by(http, server, sign(claims_for(server), key, "HS256")))


@pytest.mark.parametrize("alg", ["none", "ES256K"])
def test_refuses_an_algorithm_that_it_does_not_list(
    server: AuthorizationServer, http: httpx.Client, alg: str
) -> None:
    key = jwk.ECKey.generate_key("secp256k1")
    add_key_client(server, key)
    answer = assert_by(http, server, sign(claims_for(server), key, alg))
    assert refused(answer)
    assert "algorithm" in answer.json()["error_description"]


def test_refuses_an_assertion_it_has_seen(server: AuthorizationServer, http: httpx.Client) -> None:
    add_key_client(server)
    assertion = sign(claims_for(server))
    assert assert_by(http, server, assertion).status_code == 200
    assert refused(assert_by(http, server, assertion))
    add_key_client(server)
    assert refused(assert_by(http, server, assertion))


def test_refuses_an_assertion_of_a_client_that_has_a_secret(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    assert refused(assert_by(http, server, sign(claims_for(server))))  # nobody has a key
    server.add_client("other", public_key=KEY.as_pem(private=False))
    answer = assert_by(http, server, sign(claims_for(server)))
    assert refused(answer)
    assert "method: private_key_jwt" in answer.json()["error_description"]


def test_refuses_the_secret_of_a_client_that_has_a_key(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    server.add_client("app", SECRET, public_key=KEY.as_pem(private=False))
    assert refused(ask(http, server))


BROKEN = {
    "no JWT": "garbage",
    "no base64": "a.b.c",
    "beyond ASCII": "é.é.é",
    "dots alone": "..",
    "header is text": "IlhhbGdYIg.e30.AA",  # "XalgX"
    "header is a number": "NQ.e30.AA",
    "header is a list": "WyJhbGciXQ.e30.AA",  # ["alg"]
    "alg is a number": "eyJhbGciOjV9.e30.AA",
    "crit is a number": "eyJhbGciOiJFUzI1NiIsImNyaXQiOjV9.eyJzdWIiOiJhcHAifQ.AA",
    "no alg": "e30.e30.AA",
    "claims are a list": "eyJhbGciOiJFUzI1NiJ9.W10.AA",
    "claims are no JSON": "eyJhbGciOiJFUzI1NiJ9.AAAA.AA",
    "no claims": "eyJhbGciOiJFUzI1NiJ9.e30.AA",
    "header is deep": "W1tb" * 50_000 + ".e30.AA",
    "claims are deep": "eyJhbGciOiJFUzI1NiJ9." + "W1tb" * 10_000 + ".AA",
    "long": "A" * 500_000,
}


@pytest.mark.parametrize("assertion", list(BROKEN.values()), ids=list(BROKEN))
def test_refuses_an_assertion_it_cannot_read(
    server: AuthorizationServer,
    http: httpx.Client,
    assertion: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    add_key_client(server)
    assert refused(assert_by(http, server, assertion))
    assert server.token_requests[0].auth_method == "private_key_jwt"
    assert capfd.readouterr().err == ""


def test_refuses_an_assertion_of_another_type(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    add_key_client(server)
    form = {"grant_type": "client_credentials", "client_assertion": sign(claims_for(server))}
    assert refused(http.post(server.token_url, data=form | {"client_assertion_type": "saml"}))


@pytest.mark.parametrize("key", [None, "", "garbage", b"-----BEGIN PUBLIC KEY-----"])
def test_says_at_once_that_a_key_is_missing_or_cannot_be_read(
    server: AuthorizationServer, key: str | bytes | None
) -> None:
    with pytest.raises(ValueError, match="private_key_jwt needs a public_key"):
        server.add_client("app", public_key=key, auth_methods=["private_key_jwt"])


def test_says_at_once_that_a_secret_is_too_short_to_sign_with(server: AuthorizationServer) -> None:
    with pytest.raises(ValueError, match="32 bytes") as raised:
        server.add_client("app", SECRET, auth_methods=["client_secret_jwt"])
    assert SECRET not in str(raised.value)


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


def test_shows_no_key_in_the_repr_of_a_client_or_a_request(
    server: AuthorizationServer, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.add_client("app", LONG_SECRET, auth_methods=["client_secret_jwt"])
    assertion = sign(claims_for(server), jwk.OctKey.import_key(LONG_SECRET), "HS256")
    assert assert_by(http, server, assertion).status_code == 200
    text = caplog.text + repr(server.token_requests)
    assert "Client(client_id='app'" in text  # Authlib logs the client
    assert LONG_SECRET not in text
    assert assertion not in text


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


METADATA = ["oauth-authorization-server", "openid-configuration"]


@pytest.mark.parametrize("name", METADATA)
def test_publishes_its_metadata(server: AuthorizationServer, http: httpx.Client, name: str) -> None:
    assert http.get(f"{server.url}/.well-known/{name}").json() == {
        "issuer": server.issuer,
        "token_endpoint": server.token_url,
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "client_secret_jwt",
            "private_key_jwt",
        ],
        "token_endpoint_auth_signing_alg_values_supported": [
            *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
            *("ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"),
        ],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
    }


@pytest.mark.parametrize("name", METADATA)
def test_publishes_the_metadata_as_changed(
    server: AuthorizationServer, http: httpx.Client, name: str
) -> None:
    server.metadata["issuer"] = "https://elsewhere.example.com"
    del server.metadata["token_endpoint"]
    published = http.get(f"{server.url}/.well-known/{name}").json()
    assert published["issuer"] == "https://elsewhere.example.com"
    assert "token_endpoint" not in published


def test_answers_a_get_with_the_document_of_its_path(
    server: AuthorizationServer, http: httpx.Client
) -> None:
    path = "/tenant/.well-known/openid-configuration"
    server.documents[path] = Answer(body=server.metadata)
    server.documents["/resource"] = Answer(418, {"Content-Type": "text/html"}, "<p>tea</p>")
    assert http.get(f"{server.url}{path}?version=2").json()["issuer"] == server.issuer
    assert http.get(server.resource_url).text == "<p>tea</p>"
    assert http.post(server.resource_url).status_code == 401


@pytest.mark.parametrize("name", METADATA)
def test_has_no_document_where_it_was_taken_away(
    server: AuthorizationServer, http: httpx.Client, name: str
) -> None:
    del server.documents[f"/.well-known/{name}"]
    assert http.get(f"{server.url}/.well-known/{name}").status_code == 404


def test_records_what_was_asked_for(server: AuthorizationServer, http: httpx.Client) -> None:
    http.get(server.url + "/.well-known/openid-configuration?a=b")
    http.get(server.url + "/other")
    ask(http, server)
    assert server.requests == [
        ("GET", "/.well-known/openid-configuration?a=b"),
        ("GET", "/other"),
        ("POST", "/oauth2/token"),
    ]
    server.requests.clear()
    assert len(server.requests) == 3


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
def test_listens_on_the_port_that_is_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with AuthorizationServer(port=port) as server:
        assert server.url == f"http://127.0.0.1:{port}"
    with AuthorizationServer(port=port) as another:  # at once, after the first one
        assert another.url == server.url


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


def presenting(
    server: AuthorizationServer, certificate: str, *, tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> httpx.Client:
    context = trusting(server)
    context.load_cert_chain(certificate)
    context.maximum_version = tls
    return httpx.Client(verify=context, trust_env=False)


def ask_by_certificate(http: httpx.Client, server: AuthorizationServer) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": "app"}
    return http.post(server.token_url, data=form)


@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_takes_a_client_by_its_certificate(
    secure: AuthorizationServer, tls: ssl.TLSVersion
) -> None:
    secure.add_client("app", auth_methods=["tls_client_auth"])
    path = secure.issue_certificate("app")
    with presenting(secure, path, tls=tls) as http:
        answers = [ask_by_certificate(http, secure) for _ in range(2)]  # on one connection
    assert [answer.status_code for answer in answers] == [200, 200]
    for request in secure.token_requests:
        assert request.auth_method == "tls_client_auth"
        assert request.client_certificate is not None
        assert request.client_certificate in Path(path).read_text()


@pytest.mark.parametrize("client_id", ["other", "nobody"])
def test_refuses_the_certificate_of_another_client(
    secure: AuthorizationServer, client_id: str
) -> None:
    secure.add_client("app", auth_methods=["tls_client_auth"])
    secure.add_client("other", auth_methods=["tls_client_auth"])
    with presenting(secure, secure.issue_certificate(client_id)) as http:
        assert refused(ask_by_certificate(http, secure))


def test_refuses_the_certificate_of_a_client_it_does_not_know(secure: AuthorizationServer) -> None:
    with presenting(secure, secure.issue_certificate("nobody")) as http:
        form = {"grant_type": "client_credentials", "client_id": "nobody"}
        assert refused(http.post(secure.token_url, data=form))


def test_refuses_the_certificate_of_a_client_that_has_a_secret(secure: AuthorizationServer) -> None:
    with presenting(secure, secure.issue_certificate("app")) as http:
        assert refused(ask_by_certificate(http, secure))


def test_refuses_a_client_without_its_certificate(secure: AuthorizationServer) -> None:
    secure.add_client("app", auth_methods=["tls_client_auth"])
    with httpx.Client(verify=trusting(secure), trust_env=False) as http:
        assert refused(ask_by_certificate(http, secure))
    request = secure.token_requests[0]
    assert (request.auth_method, request.client_certificate) == (None, None)


def test_refuses_a_certificate_without_a_client_id(secure: AuthorizationServer) -> None:
    secure.add_client("app", auth_methods=["tls_client_auth"])
    with presenting(secure, secure.issue_certificate("app")) as http:
        assert refused(http.post(secure.token_url, data={"grant_type": "client_credentials"}))
    assert secure.token_requests[0].auth_method is None


def test_refuses_a_certificate_where_something_else_is_presented(
    secure: AuthorizationServer,
) -> None:
    secure.add_client("app", auth_methods=["tls_client_auth"])
    with presenting(secure, secure.issue_certificate("app")) as http:
        assert refused(ask(http, secure))
    assert secure.token_requests[0].auth_method == "client_secret_post"
    assert secure.token_requests[0].client_certificate is not None


def test_breaks_off_the_handshake_with_a_certificate_of_another_authority(
    secure: AuthorizationServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        AuthorizationServer(tls=True) as other,
        presenting(secure, other.issue_certificate("app")) as http,
        pytest.raises(httpx.TransportError),
    ):
        ask_by_certificate(http, secure)
    assert secure.token_request_count == 0
    assert capfd.readouterr().err == ""


def test_shows_no_certificate_in_the_repr_of_a_request(secure: AuthorizationServer) -> None:
    with presenting(secure, secure.issue_certificate("app")) as http:
        ask_by_certificate(http, secure)
    assert "CERTIFICATE" not in repr(secure.token_requests)


def test_issues_a_file_for_each_certificate(secure: AuthorizationServer) -> None:
    paths = {secure.issue_certificate("a/b: c") for _ in range(2)}
    assert len(paths) == 2
    secure.close()
    assert not any(os.path.exists(path) for path in paths)


def test_says_that_certificates_need_tls(server: AuthorizationServer) -> None:
    with pytest.raises(ValueError, match=r"AuthorizationServer\(tls=True\)"):
        server.issue_certificate("app")


def test_lists_certificates_in_the_metadata_with_tls_alone(
    server: AuthorizationServer, secure: AuthorizationServer
) -> None:
    name = "token_endpoint_auth_methods_supported"
    assert server.metadata[name] == [
        *("client_secret_basic", "client_secret_post"),
        *("client_secret_jwt", "private_key_jwt"),
    ]
    assert secure.metadata[name] == [
        *("client_secret_basic", "client_secret_post"),
        *("client_secret_jwt", "private_key_jwt", "tls_client_auth"),
    ]


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
