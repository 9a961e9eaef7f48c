"""How a client proves itself: the values, and each of them on the wire before a real judge."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import dataclasses
import os
import pickle
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import joserfc.jwt
import pytest
from cryptography.hazmat.primitives import serialization

from pygen_auth import ConfigurationError, OAuth2Error
from pygen_auth._assertion import SECRET_ALGORITHMS, read_key, signed_assertion
from pygen_auth.client_auth import (
    BY_NAME,
    ClientAssertion,
    ClientAuth,
    ClientSecretBasic,
    ClientSecretJWT,
    ClientSecretPost,
    PrivateKeyJWT,
    TLSClientCertificate,
    check_client_auth,
)
from pygen_auth.testing import AuthorizationServer, TokenRequest

from .keys import (
    ALGORITHMS,
    HMAC_SECRET,
    PASSWORD,
    PrivateKey,
    certificate,
    jwk,
    pem,
    private_key,
    public_pem,
    verified_by,
)
from .support import SECRET, TOKEN_URL, UNAVAILABLE, AnyCredentials, Endpoint, HandClock, Twin

RSA, EC = private_key("RSA"), private_key("P-256")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT = "the-client"


@pytest.fixture(scope="module")
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        yield running


@pytest.fixture(scope="module")
def secure() -> Iterator[AuthorizationServer]:
    with AuthorizationServer(tls=True) as running:
        running.add_client(CLIENT, auth_methods=["tls_client_auth"])
        yield running


@pytest.fixture
def certified(secure: AuthorizationServer, tmp_path: Path) -> Path:
    """A file with a key and a certificate that the server knows this client by."""
    return Path(shutil.copy(secure.issue_certificate(CLIENT), tmp_path / "client.pem"))


def refused(check: Callable[[], object], *secrets: str) -> str:
    """The message of a refusal, after a look for secrets in all that comes with it."""
    with pytest.raises(ConfigurationError) as caught:
        check()
    link: BaseException | None = caught.value
    while link is not None:
        texts = [
            str(link),
            repr(link),
            str(link.args),
            str(vars(link)),
            getattr(link, "object", ""),
        ]
        for secret in (PASSWORD, *secrets):
            assert not [text for text in texts if secret in text]
        link = link.__cause__ or link.__context__
    return str(caught.value)


def last(server: AuthorizationServer) -> TokenRequest:
    return server.token_requests[-1]


# -- the values


VALUES: dict[str, ClientAuth] = {
    "post": ClientSecretPost(),
    "basic": ClientSecretBasic("raw"),
    "secret JWT": ClientSecretJWT("HS512", audience="https://idp.example.com"),
    "private key JWT": PrivateKeyJWT(
        pem(RSA, PASSWORD), "PS256", "k1", certificate("RSA"), PASSWORD, "https://idp.example.com"
    ),
    "JWK": PrivateKeyJWT(jwk(EC, kid="k0")),
    "assertion": ClientAssertion("/var/run/secrets/token"),
    "certificate": TLSClientCertificate(),
}
BY_CONNECTION = TLSClientCertificate()
each_value = pytest.mark.parametrize(
    "value", [pytest.param(value, id=name) for name, value in VALUES.items()]
)


@each_value
def test_value_is_a_value(value: ClientAuth) -> None:
    twins = [copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))]
    assert twins == [value] * 3
    assert {hash(twin) for twin in twins} == {hash(value)}


@each_value
def test_value_differs_from_each_other(value: ClientAuth) -> None:
    assert [other for other in VALUES.values() if other == value] == [value]


@each_value
def test_value_cannot_be_changed(value: ClientAuth) -> None:
    for name in ("name", *(field.name for field in dataclasses.fields(value))):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, "other")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ClientSecretPost(), "ClientSecretPost()"),
        (ClientSecretBasic(), "ClientSecretBasic(encoding='auto')"),
        (ClientSecretJWT(), "ClientSecretJWT(alg='HS256', audience=None)"),
        (
            VALUES["private key JWT"],
            "PrivateKeyJWT(alg='PS256', kid='k1', audience='https://idp.example.com')",
        ),
        (VALUES["JWK"], "PrivateKeyJWT(alg=None, kid=None, audience=None)"),
        (ClientAssertion("token"), "ClientAssertion(source='token')"),
        (TLSClientCertificate(), "TLSClientCertificate(cert=None, key=None)"),
    ],
    ids=str,
)
def test_repr_shows_no_key_and_no_password(value: ClientAuth, shown: str) -> None:
    assert repr(value) == shown


def test_repr_of_a_certificate_shows_its_paths_and_no_password(certified: Path) -> None:
    value = TLSClientCertificate(certified, certified, PASSWORD)
    assert repr(value) == f"TLSClientCertificate(cert={certified!r}, key={certified!r})"


def test_names_are_those_of_rfc_7591() -> None:
    assert {type(value).__name__: value.name for value in VALUES.values()} == {
        "ClientSecretPost": "client_secret_post",
        "ClientSecretBasic": "client_secret_basic",
        "ClientSecretJWT": "client_secret_jwt",
        "PrivateKeyJWT": "private_key_jwt",
        "ClientAssertion": "private_key_jwt",
        "TLSClientCertificate": "tls_client_auth",
    }


@pytest.mark.parametrize("name", BY_NAME)
def test_name_stands_for_the_value_without_arguments(name: str) -> None:
    value = check_client_auth(name)
    assert value in (ClientSecretPost(), ClientSecretBasic(), ClientSecretJWT(), BY_CONNECTION)
    assert name.endswith(value.name)


@each_value
def test_value_stands_for_itself(value: ClientAuth) -> None:
    assert check_client_auth(value) is value


@pytest.mark.parametrize("given", ["none", "private_key_jwt", None, 5, PrivateKeyJWT], ids=repr)
def test_what_stands_for_no_value_is_refused(given: Any) -> None:
    message = refused(lambda: check_client_auth(given))
    assert message.startswith("client_auth must be one of client_secret_post, client_secret_basic")
    assert message.endswith("or a value of pygen_auth.client_auth such as PrivateKeyJWT(key)")


def test_pickle_holds_the_path_of_a_key_and_not_the_key(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(EC))
    pickled = pickle.dumps(PrivateKeyJWT(file))
    assert pem(EC).splitlines()[1] not in pickled
    file.write_bytes(pem(private_key("P-256", 1)))
    assert pickle.loads(pickled).signing_key().material == file.read_bytes()


def test_pickle_holds_a_key_that_was_given_as_text() -> None:
    assert pem(EC).splitlines()[1] in pickle.dumps(PrivateKeyJWT(pem(EC)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda: ClientSecretBasic("utf-8"),  # type: ignore[arg-type]
            "encoding must be 'auto', 'form' or 'raw'",
            id="encoding",
        ),
        pytest.param(
            lambda: ClientSecretBasic([]),  # type: ignore[arg-type]
            "encoding must be 'auto', 'form' or 'raw'",
            id="encoding a list",
        ),
        pytest.param(
            lambda: ClientSecretJWT("RS256"), "alg must be HS256, HS384 or HS512", id="alg"
        ),
        pytest.param(
            lambda: ClientSecretJWT(None),  # type: ignore[arg-type]
            "alg must be HS256, HS384 or HS512",
            id="alg None",
        ),
        pytest.param(
            lambda: PrivateKeyJWT(pem(RSA), "none"),
            "alg must be RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA",
            id="alg none",
        ),
        pytest.param(
            lambda: PrivateKeyJWT(pem(RSA), "HS256"),
            "alg must be RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA",
            id="alg of a secret",
        ),
        pytest.param(
            lambda: PrivateKeyJWT(pem(RSA), ["RS256"]),  # type: ignore[arg-type]
            "alg must be RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA",
            id="alg a list",
        ),
        pytest.param(
            lambda: PrivateKeyJWT("no-such-file"),
            "key cannot be read from its file (FileNotFoundError)",
            id="key",
        ),
        pytest.param(
            lambda: PrivateKeyJWT(pem(RSA), certificate="no-such-file"),
            "certificate cannot be read from its file (FileNotFoundError)",
            id="certificate",
        ),
        pytest.param(
            lambda: PrivateKeyJWT(pem(RSA, PASSWORD)),
            "key is encrypted; give its password=",
            id="password",
        ),
        pytest.param(
            lambda: PrivateKeyJWT(pem(RSA), kid=5),  # type: ignore[arg-type]
            "kid must be a text of printable characters",
            id="kid",
        ),
        pytest.param(
            lambda: PrivateKeyJWT(pem(RSA), audience=["https://idp.example.com"]),  # type: ignore[arg-type]
            "audience must be a text of printable characters",
            id="audience a list",
        ),
        pytest.param(
            lambda: ClientSecretJWT(audience="https://idp.example.com/\ud800"),
            "audience must be a text of printable characters",
            id="audience with a lone surrogate",
        ),
        pytest.param(
            lambda: ClientAssertion(5),  # type: ignore[arg-type]
            "source must be the path of a file, or a callable",
            id="source a number",
        ),
        pytest.param(
            lambda: ClientAssertion(b"token"),  # type: ignore[arg-type]
            "source must be the path of a file, or a callable",
            id="source in bytes",
        ),
        pytest.param(
            lambda: ClientAssertion("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
            "source must be the path of a file, or a callable; a JWT itself would expire",
            id="source a JWT",
        ),
        pytest.param(
            lambda: TLSClientCertificate(key="key.pem"),
            "key needs the cert that it belongs to",
            id="key without cert",
        ),
    ],
)
def test_argument_that_cannot_be_right_is_refused_by_name(
    make: Callable[[], object], message: str
) -> None:
    assert refused(make, "eyJ") == message


# -- with the other settings


@pytest.mark.parametrize(
    "client_auth", [PrivateKeyJWT(pem(EC)), ClientAssertion("token"), "tls_client_auth"], ids=str
)
def test_secret_beside_another_proof_is_refused(twin: Twin, client_auth: str | ClientAuth) -> None:
    message = refused(lambda: twin.make(client_auth=client_auth), SECRET)
    assert message.startswith("client_secret is not used with client_auth=")
    assert message.endswith("; leave it out")


@pytest.mark.parametrize(
    "client_auth", [ClientSecretPost(), ClientSecretBasic(), ClientSecretJWT()], ids=str
)
def test_missing_secret_is_refused(twin: Twin, client_auth: ClientAuth) -> None:
    message = refused(lambda: twin.make(client_secret=None, client_auth=client_auth))
    assert message.startswith("client_secret is missing")


def test_secret_too_short_to_sign_with_is_refused_at_once(twin: Twin) -> None:
    message = refused(lambda: twin.make(client_auth="client_secret_jwt"), SECRET)
    assert message.startswith("client_secret is too short to sign with HS256: it has 22 bytes")


def test_secret_too_short_to_sign_with_is_refused_when_it_is_read(
    twin: Twin, clock: HandClock
) -> None:
    endpoint = Endpoint()
    credentials = twin.scripted(
        endpoint, clock, client_secret=lambda: SECRET, client_auth="client_secret_jwt"
    )
    message = refused(lambda: twin.token(credentials), SECRET)
    assert message.startswith("client_secret is too short to sign with HS256")
    assert endpoint.count == 0


def test_id_with_a_colon_is_refused_for_raw_basic_and_no_other(twin: Twin) -> None:
    raw = ClientSecretBasic("raw")
    message = refused(lambda: twin.make(client_id="urn:me", client_auth=raw), SECRET)
    assert message.startswith("client_id holds a colon")
    assert message.endswith("use client_auth='client_secret_post'")
    for other in (ClientSecretBasic("form"), ClientSecretBasic(), ClientSecretPost()):
        twin.make(client_id="urn:me", client_auth=other)


def test_pickled_credentials_prove_themselves_as_before(
    twin: Twin, server: AuthorizationServer
) -> None:
    server.add_client(CLIENT, public_key=public_pem(EC))
    credentials = keyed(twin, server, PrivateKeyJWT(pem(EC)))
    twin.token(pickle.loads(pickle.dumps(credentials)))


def test_repr_of_credentials_shows_no_key(twin: Twin) -> None:
    credentials = twin.make(client_secret=None, client_auth=PrivateKeyJWT(pem(EC)))
    for shown in (repr(credentials), repr(credentials._grant), repr(credentials._connection)):
        assert "PRIVATE" not in shown
        assert pem(EC).decode().splitlines()[1] not in shown


# -- Basic


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("form", b"id%20%C3%A9:p%40ss%3Aw%2Ford%20%2B%25%E2%82%AC"),
        ("auto", b"id%20%C3%A9:p%40ss%3Aw%2Ford%20%2B%25%E2%82%AC"),
        ("raw", "id é:p@ss:w/ord +%€".encode()),
    ],
)
def test_basic_is_encoded_as_asked(
    twin: Twin, clock: HandClock, encoding: Any, sent: bytes
) -> None:
    endpoint = Endpoint()
    credentials = twin.scripted(
        endpoint,
        clock,
        client_id="id é",
        client_secret="p@ss:w/ord +%€",
        client_auth=ClientSecretBasic(encoding),
    )
    twin.token(credentials)
    (request,) = endpoint.requests
    scheme, _, value = request.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(value, validate=True)) == ("Basic", sent)
    assert request.body == b"grant_type=client_credentials"


@pytest.mark.parametrize("client_auth", ["client_secret_post", "client_secret_basic"])
def test_server_takes_the_secret(twin: Twin, server: AuthorizationServer, client_auth: str) -> None:
    server.add_client(CLIENT, SECRET, auth_methods=[client_auth])
    twin.token(twin.make(server.token_url, CLIENT, SECRET, client_auth=client_auth))
    assert last(server).auth_method == client_auth


# -- signed assertions


def keyed(
    twin: Twin, server: AuthorizationServer, client_auth: ClientAuth, **settings: Any
) -> AnyCredentials:
    return twin.make(server.token_url, CLIENT, client_auth=client_auth, **settings)


def assertions(endpoint: Endpoint, key: PrivateKey) -> list[dict[str, Any]]:
    """The claims of all that was sent, once their signature is verified."""
    forms = [httpx.QueryParams(request.body.decode()) for request in endpoint.requests]
    return [verified_by(form["client_assertion"], key)[1] for form in forms]


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_server_takes_an_assertion_signed_with_the_key(
    twin: Twin, server: AuthorizationServer, alg: str
) -> None:
    key = private_key(ALGORITHMS[alg])
    server.add_client(CLIENT, public_key=public_pem(key))
    credentials = keyed(twin, server, PrivateKeyJWT(pem(key), alg))
    twin.token(credentials)
    request = last(server)
    assert request.auth_method == "private_key_jwt"
    header, claims = verified_by(request.form["client_assertion"][0], key)
    assert header["alg"] == alg
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, server.token_url)


def test_server_takes_an_assertion_signed_with_an_ed448_key(
    twin: Twin, server: AuthorizationServer
) -> None:
    key = private_key("Ed448")
    server.add_client(CLIENT, public_key=public_pem(key))
    twin.token(keyed(twin, server, PrivateKeyJWT(pem(key))))


@pytest.mark.parametrize("alg", SECRET_ALGORITHMS)
def test_server_takes_an_assertion_signed_with_the_secret(
    twin: Twin, server: AuthorizationServer, alg: str
) -> None:
    server.add_client(CLIENT, HMAC_SECRET, auth_methods=["client_secret_jwt"])
    credentials = twin.make(server.token_url, CLIENT, HMAC_SECRET, client_auth=ClientSecretJWT(alg))
    twin.token(credentials)
    assert last(server).auth_method == "client_secret_jwt"
    assert HMAC_SECRET not in str(last(server).form)


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
def test_form_has_the_client_id_and_the_assertion_and_no_secret(
    twin: Twin, server: AuthorizationServer, method: str
) -> None:
    by_secret = method == "client_secret_jwt"
    server.add_client(CLIENT, HMAC_SECRET, public_key=public_pem(EC), auth_methods=[method])
    credentials = twin.make(
        server.token_url,
        CLIENT,
        HMAC_SECRET if by_secret else None,
        client_auth=ClientSecretJWT() if by_secret else PrivateKeyJWT(pem(EC)),
    )
    twin.token(credentials)
    request = last(server)
    assert request.form == {
        "grant_type": ["client_credentials"],
        "client_id": [CLIENT],
        "client_assertion_type": [ASSERTION_TYPE],
        "client_assertion": request.form["client_assertion"],
    }
    assert len(request.form["client_assertion"]) == 1
    assert "authorization" not in request.headers


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
def test_audience_of_the_assertion_can_be_given(
    twin: Twin, server: AuthorizationServer, method: str
) -> None:
    by_secret = method == "client_secret_jwt"
    server.add_client(CLIENT, HMAC_SECRET, public_key=public_pem(EC), auth_methods=[method])
    for audience, granted in ((server.issuer, True), ("https://other.example.com", False)):
        credentials = twin.make(
            server.token_url,
            CLIENT,
            HMAC_SECRET if by_secret else None,
            audience="the audience of the token is another thing",
            client_auth=ClientSecretJWT(audience=audience)
            if by_secret
            else PrivateKeyJWT(pem(EC), audience=audience),
        )
        with contextlib.nullcontext() if granted else pytest.raises(OAuth2Error):
            twin.token(credentials)
    assert last(server).form["audience"] == ["the audience of the token is another thing"]


def test_each_request_has_an_assertion_of_its_own(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(UNAVAILABLE, UNAVAILABLE)
    credentials = twin.scripted(
        endpoint, clock, client_secret=None, client_auth=PrivateKeyJWT(pem(EC))
    )
    began = int(clock.wall)
    twin.token(credentials)
    clock.advance(3300)
    twin.token(credentials)
    claims = assertions(endpoint, EC)
    assert endpoint.count == 4, "two retries, and one in the margin"
    assert len({one["jti"] for one in claims}) == 4
    assert [one["exp"] - one["iat"] for one in claims] == [300] * 4
    assert claims[0]["iat"] == began
    assert claims[3]["iat"] == int(clock.wall)
    assert {one["aud"] for one in claims} == {TOKEN_URL}


def test_key_file_is_read_at_each_request(twin: Twin, clock: HandClock, tmp_path: Path) -> None:
    file, other = tmp_path / "key.pem", private_key("P-256", 1)
    file.write_bytes(pem(EC))
    endpoint = Endpoint()
    credentials = twin.scripted(
        endpoint, clock, client_secret=None, client_auth=PrivateKeyJWT(file)
    )
    twin.token(credentials)
    file.write_bytes(pem(other))
    clock.advance(3300)
    twin.token(credentials)
    first, second = (
        httpx.QueryParams(request.body.decode())["client_assertion"]
        for request in endpoint.requests
    )
    verified_by(first, EC)
    verified_by(second, other)


def test_key_file_that_is_broken_meanwhile_keeps_the_held_token(
    twin: Twin, clock: HandClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(EC))
    endpoint = Endpoint()
    credentials = twin.scripted(
        endpoint, clock, client_secret=None, client_auth=PrivateKeyJWT(file)
    )
    twin.token(credentials)
    file.write_text("half a key")
    clock.advance(3300)
    assert twin.token(credentials) == "tok-1"
    assert endpoint.count == 1
    assert [record.message for record in caplog.records if "holds no private key" in record.message]


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes in folders")
def test_key_file_that_hangs_is_left_within_the_timeout(twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(EC))
    credentials = twin.make(TOKEN_URL, CLIENT, client_auth=PrivateKeyJWT(file), timeout=0.4)
    file.unlink()
    os.mkfifo(file)
    began = time.monotonic()
    message = refused(lambda: twin.token(credentials))
    assert time.monotonic() - began < 5
    assert message.startswith("client_auth could not be read within 0")
    os.close(os.open(file, os.O_WRONLY))  # lets the thread go
    for thread in threading.enumerate():
        if thread.name == "pygen-auth token request":
            thread.join(30)


def test_event_loop_reads_and_signs_nothing(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """To check the numbers of an RSA key takes up to 0.3 s, and belongs into another thread."""
    file = tmp_path / "key.pem"
    file.write_bytes(pem(RSA))
    credentials = Twin("async").scripted(
        Endpoint(), clock, client_secret=None, client_auth=PrivateKeyJWT(file)
    )
    file.write_bytes(pem(EC))
    busy: list[threading.Thread] = []
    for module, name in ((serialization, "load_pem_private_key"), (joserfc.jwt, "encode")):
        work = getattr(module, name)

        def recorded(*args: Any, work: Any = work, **keywords: Any) -> Any:
            busy.append(threading.current_thread())
            return work(*args, **keywords)

        monkeypatch.setattr(module, name, recorded)
    Twin("async").token(credentials)
    assert len(busy) == 2
    assert threading.current_thread() not in busy


def test_key_that_has_not_changed_is_not_checked_again(
    twin: Twin, clock: HandClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(RSA))
    credentials = [
        twin.scripted(Endpoint(), clock, client_secret=None, client_auth=PrivateKeyJWT(given))
        for given in (pem(RSA), file, jwk(RSA))
    ]

    def fails(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("pygen_auth.client_auth.read_key", fails)
    for each in credentials:
        twin.token(each)


def test_mapping_of_a_key_may_be_changed_afterwards() -> None:
    given = jwk(RSA)
    value = PrivateKeyJWT(given)
    given["d"] = "changed"
    assert value.signing_key().kind == "RSA"
    assert pickle.loads(pickle.dumps(value)) == value


# -- assertions of somebody else


def federated(audience: str, key: PrivateKey = EC) -> str:
    """A JWT as a platform hands it out."""
    return signed_assertion(
        read_key(pem(key), None, None, None, None), CLIENT, audience, time.time()
    )


@pytest.mark.parametrize("kind", ["text", "path", "callable"])
def test_assertion_of_somebody_else_is_sent_as_it_is(
    twin: Twin, server: AuthorizationServer, tmp_path: Path, kind: str
) -> None:
    server.add_client(CLIENT, public_key=public_pem(EC))
    file, jwt = tmp_path / "token", federated(server.token_url)
    file.write_text(f"{jwt}\n")
    sources: dict[str, Any] = {"text": str(file), "path": file, "callable": lambda: f"{jwt}\n"}
    twin.token(keyed(twin, server, ClientAssertion(sources[kind])))
    assert last(server).form == {
        "grant_type": ["client_credentials"],
        "client_id": [CLIENT],
        "client_assertion_type": [ASSERTION_TYPE],
        "client_assertion": [jwt],
    }


@pytest.mark.parametrize("kind", ["file", "callable"])
def test_assertion_of_somebody_else_is_read_at_each_request(
    twin: Twin, clock: HandClock, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "token"
    source: Any = file if kind == "file" else lambda: file.read_text()
    endpoint = Endpoint()
    credentials = twin.scripted(
        endpoint, clock, client_secret=None, client_auth=ClientAssertion(source)
    )
    for jwt in ("one.two.three", "four.five.six"):
        file.write_text(jwt)
        twin.token(credentials)
        clock.advance(3300)
    assert [httpx.QueryParams(r.body.decode())["client_assertion"] for r in endpoint.requests] == [
        "one.two.three",
        "four.five.six",
    ]


NO_JWT = "the source of the client assertion gives no JWT"


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n", id="blank"),
        pytest.param(b"one.two.three\nfour.five.six", id="two of them"),
        pytest.param("wört.two.three".encode(), id="not ASCII"),
        pytest.param(b"\xef\xbb\xbfone.two.three", id="byte order mark"),
    ],
)
def test_file_without_an_assertion_is_refused(twin: Twin, tmp_path: Path, held: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(held)
    credentials = twin.make(TOKEN_URL, CLIENT, client_auth=ClientAssertion(file))
    assert refused(lambda: twin.token(credentials), "two") == NO_JWT


@pytest.mark.parametrize(
    ("held", "message"),
    [
        pytest.param(b"\xff\xfegarb\xe4ge", NO_JWT, id="no UTF-8"),
        pytest.param(None, "source cannot be read from its file '", id="missing"),
    ],
)
def test_file_of_an_assertion_that_cannot_be_read_is_refused(
    twin: Twin, clock: HandClock, tmp_path: Path, held: bytes | None, message: str
) -> None:
    file = tmp_path / "token"
    if held is not None:
        file.write_bytes(held)
    client_auth = ClientAssertion(file)
    credentials = twin.scripted(Endpoint(), clock, client_secret=None, client_auth=client_auth)
    assert refused(lambda: twin.token(credentials), "garb").startswith(message)


@pytest.mark.parametrize(
    "given", [None, b"one.two.three", 5, "", "one two"], ids=["None", "bytes", "5", "empty", "two"]
)
def test_callable_that_gives_no_assertion_is_refused(twin: Twin, given: Any) -> None:
    credentials = twin.make(TOKEN_URL, CLIENT, client_auth=ClientAssertion(lambda: given))
    assert refused(lambda: twin.token(credentials)) == NO_JWT


def test_callable_that_fails_is_named_and_not_quoted(twin: Twin, clock: HandClock) -> None:
    def source() -> str:
        raise OSError(f"metadata service says {SECRET}")

    client_auth = ClientAssertion(source)
    credentials = twin.scripted(Endpoint(), clock, client_secret=None, client_auth=client_auth)
    with pytest.raises(ConfigurationError) as caught:
        twin.token(credentials)
    assert str(caught.value) == "client_auth could not be read: its callable raised OSError"
    assert SECRET not in ascii(pickle.dumps(caught.value))


def test_callable_that_failed_for_a_moment_is_asked_again(twin: Twin, clock: HandClock) -> None:
    given: Iterator[Any] = iter([OSError("busy"), "one.two.three"])

    def source() -> str:
        one = next(given)
        if isinstance(one, str):
            return one
        raise one

    client_auth = ClientAssertion(source)
    credentials = twin.scripted(Endpoint(), clock, client_secret=None, client_auth=client_auth)
    assert twin.token(credentials) == "tok-1"


def test_callables_that_hang_do_not_pile_up(twin: Twin, clock: HandClock) -> None:
    released = threading.Event()

    def source() -> str:
        released.wait(10)
        return "one.two.three"

    credentials = twin.scripted(
        Endpoint(),
        clock,
        client_secret=None,
        client_auth=ClientAssertion(source),
        timeout=0.05,
    )
    before = threading.active_count()
    for _ in range(10):
        clock.advance(60)
        refused(lambda: twin.token(credentials))
    assert threading.active_count() - before <= 2  # the one that hangs, and one that waits for it
    released.set()


def test_callable_that_hangs_is_left_within_the_timeout(twin: Twin) -> None:
    released = threading.Event()

    def source() -> str:
        released.wait(10)
        return "one.two.three"

    credentials = twin.make(TOKEN_URL, CLIENT, client_auth=ClientAssertion(source), timeout=0.4)
    began = time.monotonic()
    message = refused(lambda: twin.token(credentials))
    assert time.monotonic() - began < 5
    assert message.startswith("client_auth could not be read within 0")
    released.set()


def test_event_loop_goes_on_while_an_assertion_is_read(clock: HandClock) -> None:
    released = threading.Event()

    def source() -> str:
        assert released.wait(10)
        return "one.two.three"

    credentials = Twin("async").scripted(
        Endpoint(), clock, client_secret=None, client_auth=ClientAssertion(source)
    )

    async def main() -> str:
        asked = asyncio.ensure_future(credentials.token())
        while not released.is_set():
            await asyncio.sleep(0.001)
            released.set()  # by the loop itself
        return str((await asked).access_token)

    assert asyncio.run(main()) == "tok-1"


# -- the certificate of the connection


def by_certificate(
    twin: Twin, secure: AuthorizationServer, value: ClientAuth, **settings: Any
) -> AnyCredentials:
    return twin.make(
        secure.token_url, CLIENT, client_auth=value, **{"verify": secure.ca_file, **settings}
    )


def assert_certified(secure: AuthorizationServer) -> None:
    """The certificate was on the connection, and the form has the client id alone."""
    request = last(secure)
    assert request.auth_method == "tls_client_auth"
    assert request.client_certificate is not None
    assert request.form == {"grant_type": ["client_credentials"], "client_id": [CLIENT]}
    assert "authorization" not in request.headers


@pytest.mark.parametrize("as_path", [str, Path], ids=["text", "Path"])
def test_certificate_is_shown_on_the_connection(
    twin: Twin, secure: AuthorizationServer, certified: Path, as_path: Callable[[Path], Any]
) -> None:
    twin.token(by_certificate(twin, secure, TLSClientCertificate(as_path(certified))))
    assert_certified(secure)
    shown = last(secure).client_certificate or "none"
    assert ssl.PEM_cert_to_DER_cert(shown) == ssl.PEM_cert_to_DER_cert(in_file(certified))


def in_file(both: Path) -> str:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return begin + both.read_text().partition(begin)[2].partition(end)[0] + end


def test_certificate_and_key_may_be_in_two_files(
    twin: Twin, secure: AuthorizationServer, certified: Path
) -> None:
    cert, key = in_two_files(certified)
    twin.token(by_certificate(twin, secure, TLSClientCertificate(cert, key)))
    assert_certified(secure)


def in_two_files(both: Path, password: str | None = None) -> tuple[Path, Path]:
    data = both.read_bytes()
    cert, key = both.with_name("cert.pem"), both.with_name("key.pem")
    cert.write_bytes(data[data.index(b"-----BEGIN CERTIFICATE-----") :])
    private: Any = serialization.load_pem_private_key(data, None)
    key.write_bytes(pem(private, password))
    return cert, key


def test_key_of_a_certificate_may_be_encrypted(
    twin: Twin, secure: AuthorizationServer, certified: Path
) -> None:
    cert, key = in_two_files(certified, PASSWORD)
    twin.token(by_certificate(twin, secure, TLSClientCertificate(cert, key, PASSWORD)))
    assert_certified(secure)


def test_certificate_that_was_replaced_is_shown_at_the_next_request(
    twin: Twin, secure: AuthorizationServer, certified: Path
) -> None:
    credentials = by_certificate(twin, secure, TLSClientCertificate(certified))
    twin.token(credentials)
    before = last(secure).client_certificate
    shutil.copy(secure.issue_certificate(CLIENT), certified)
    twin.call(credentials, "close")
    twin.token(credentials)
    assert last(secure).client_certificate not in (None, before)


def test_certificate_that_is_gone_meanwhile_is_a_wrong_setting(
    twin: Twin, secure: AuthorizationServer, certified: Path
) -> None:
    credentials = by_certificate(twin, secure, TLSClientCertificate(certified))
    certified.unlink()
    message = refused(lambda: twin.token(credentials))
    assert message.startswith("cert cannot be used (FileNotFoundError)")


def test_certificate_of_one_connection_is_on_no_other(
    twin: Twin, secure: AuthorizationServer, certified: Path
) -> None:
    twin.token(by_certificate(twin, secure, TLSClientCertificate(certified)))
    with pytest.raises(OAuth2Error):
        twin.token(twin.make(secure.token_url, CLIENT, "no-secret", verify=secure.ca_file))
    assert last(secure).client_certificate is None


@pytest.mark.parametrize("name", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_certificate_may_be_in_an_ssl_context(
    twin: Twin, secure: AuthorizationServer, certified: Path, name: str
) -> None:
    context = ssl.create_default_context(cafile=secure.ca_file)
    context.load_cert_chain(certified)
    twin.token(twin.make(secure.token_url, CLIENT, client_auth=name, verify=context))
    assert_certified(secure)


def test_certificate_may_be_on_a_client(
    twin: Twin, secure: AuthorizationServer, certified: Path
) -> None:
    context = ssl.create_default_context(cafile=secure.ca_file)
    context.load_cert_chain(certified)
    kind = httpx.AsyncClient if twin.asynchronous else httpx.Client
    credentials = twin.make(
        secure.token_url,
        CLIENT,
        client_auth=TLSClientCertificate(),
        client=lambda: kind(verify=context, trust_env=False),
    )
    twin.token(credentials)
    assert_certified(secure)


def test_value_without_a_certificate_asks_nothing_of_a_context() -> None:
    TLSClientCertificate().load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def test_name_without_a_certificate_is_refused(twin: Twin) -> None:
    for verify in (True, __file__):
        message = refused(
            lambda verify=verify: twin.make(  # type: ignore[misc]
                TOKEN_URL, CLIENT, client_auth="tls_client_auth", verify=verify
            )
        )
        assert message.startswith("client_auth names no certificate")


@pytest.mark.parametrize("where", ["client", "verify"])
def test_certificate_beside_a_connection_of_the_callers_is_refused(
    twin: Twin, certified: Path, where: str
) -> None:
    brought: Any = ssl.create_default_context() if where == "verify" else httpx.Client
    message = refused(
        lambda: twin.make(
            TOKEN_URL,
            CLIENT,
            client_auth=TLSClientCertificate(certified),
            **{where: brought},
        )
    )
    assert message.startswith("the certificate of client_auth has no effect on your client")


@pytest.mark.parametrize("url", ["http://127.0.0.1/token", "http://keycloak:8080/token"])
@pytest.mark.parametrize("where", ["value", "context"])
def test_certificate_where_there_is_no_tls_is_refused(
    twin: Twin, certified: Path, url: str, where: str
) -> None:
    value = TLSClientCertificate(certified if where == "value" else None)
    verify = ssl.create_default_context() if where == "context" else True
    message = refused(
        lambda: twin.make(
            url, CLIENT, client_auth=value, verify=verify, insecure_hosts=("keycloak",)
        )
    )
    assert message.startswith("token_url ")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(lambda file: "no-such-file", id="missing"),
        pytest.param(lambda file: file.parent, id="folder"),
        pytest.param(lambda file: file.read_text(), id="PEM text"),
        pytest.param(lambda file: file.read_bytes(), id="PEM"),
        pytest.param(lambda file: file.read_text().splitlines()[1], id="key without its lines"),
        pytest.param(lambda file: "a\0b", id="NUL"),
        pytest.param(lambda file: 5, id="number"),
    ],
)
def test_cert_that_is_no_file_is_refused_and_not_shown(
    certified: Path, given: Callable[[Path], Any]
) -> None:
    hidden = certified.read_text().splitlines()[1]
    message = refused(lambda: TLSClientCertificate(given(certified)), hidden)
    assert message.startswith("cert cannot be used (")


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(certificate("RSA"), id="certificate without key"),
        pytest.param(pem(RSA), id="key without certificate"),
        pytest.param(certificate("RSA") + pem(private_key("RSA", 1)), id="another key"),
        pytest.param(certificate("RSA") + pem(RSA, PASSWORD), id="encrypted key"),
    ],
)
def test_cert_that_holds_something_else_is_refused(tmp_path: Path, held: bytes) -> None:
    file = tmp_path / "client.pem"
    file.write_bytes(held)
    message = refused(lambda: TLSClientCertificate(file))
    assert message == (
        "cert cannot be used (SSLError): the path of a PEM file with certificate and unencrypted "
        "key is wanted, or key= and password= as well"
    )


@pytest.mark.parametrize(
    "password", ["wrong-" + PASSWORD[::-1], f"{PASSWORD}\udc80"], ids=["wrong", "lone surrogate"]
)
def test_wrong_password_of_a_certificate_is_refused_and_not_shown(
    certified: Path, password: str
) -> None:
    cert, key = in_two_files(certified, PASSWORD)
    message = refused(lambda: TLSClientCertificate(cert, key, password), password)
    assert message.startswith("cert cannot be used (")


READS_A_CERTIFICATE = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the terminal is this process's own, as a person's is
from pygen_auth import ConfigurationError
from pygen_auth.client_auth import TLSClientCertificate
try:
    TLSClientCertificate(sys.argv[1])
except ConfigurationError:
    print("refused")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has other terminals")
def test_nobody_at_the_terminal_is_asked_for_a_password(tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    file.write_bytes(certificate("RSA") + pem(RSA, PASSWORD))
    person, terminal = os.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", READS_A_CERTIFICATE, str(file)],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        assert process.wait(30) == 0
        assert os.read(person, 1000).split() == [b"refused"]
    finally:
        os.close(person)
        os.close(terminal)


def test_asynchronous_source_is_refused() -> None:
    async def source() -> str:
        return "a.b.c"

    value = ClientAssertion(source)  # type: ignore[arg-type]
    assert "source must be a plain callable" in refused(value.assertion)


def test_asynchronous_secret_is_refused() -> None:
    async def secret() -> str:
        return SECRET

    credentials = Twin("sync").make(client_secret=secret)
    assert "client_secret must be a plain callable" in refused(credentials.get_headers)
