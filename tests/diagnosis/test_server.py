"""Metadata that do not fit the settings, and clocks that do not fit each other."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pygen_auth import diagnose
from pygen_auth.client_auth import ClientSecretJWT, TLSClientCertificate
from pygen_auth.diagnosis import server_metadata
from pygen_auth.testing import Answer, AuthorizationServer

from ..support import Twin
from .conftest import tells_time
from .support import CLIENT, SECRET, step

# -- discovery


def test_metadata_that_fit(server: AuthorizationServer, credentials: Any) -> None:
    check = step("discovery", credentials, issuer=server.issuer)
    assert check.outcome == "ok"
    assert check.found["issuer"] == server.issuer


def test_metadata_of_another_issuer(server: AuthorizationServer, credentials: Any) -> None:
    server.metadata["issuer"] = "https://other.example.com"
    check = step("discovery", credentials, issuer=server.issuer)
    assert check.outcome == "failed"
    assert "this server calls itself 'https://other.example.com'" in str(check.advice)


def test_no_metadata(server: AuthorizationServer, credentials: Any) -> None:
    server.documents.clear()
    check = step("discovery", credentials, issuer=server.issuer)
    assert check.outcome == "failed"
    assert "check the issuer" in str(check.advice)


def test_metadata_that_nobody_sends(server: AuthorizationServer, twin: Twin) -> None:
    for path in list(server.documents):
        if "well-known" in path:
            server.documents[path] = Answer(reset="before")
    credentials = twin.make(server.token_url, CLIENT, SECRET, verify=server.ca_file, timeout=3)
    check = step("discovery", credentials, issuer=server.issuer)
    assert (check.outcome, check.advice) == ("failed", "check the issuer")


def test_metadata_name_another_token_endpoint(
    server: AuthorizationServer, credentials: Any
) -> None:
    server.metadata["token_endpoint"] = f"{server.url}/v2/token"
    check = step("discovery", credentials, issuer=server.issuer)
    assert check.outcome == "warning"
    assert f"whose token endpoint is {server.url}/v2/token" in check.detail
    assert "check token_url" in str(check.advice)


def test_client_proves_itself_in_a_way_that_the_server_does_not_take(
    server: AuthorizationServer, credentials: Any
) -> None:
    server.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_basic"]
    check = step("discovery", credentials, issuer=server.issuer)
    assert check.outcome == "warning"
    assert "by client_secret_basic, not by client_secret_post" in check.detail
    assert "set client_auth to one of those" in str(check.advice)


def test_endpoint_for_clients_with_a_certificate(server: AuthorizationServer, twin: Twin) -> None:
    server.metadata["token_endpoint"] = f"{server.url}/other"
    server.metadata["mtls_endpoint_aliases"] = {"token_endpoint": server.token_url}
    server.metadata["token_endpoint_auth_methods_supported"] = ["self_signed_tls_client_auth"]
    certificate = TLSClientCertificate(server.issue_certificate(CLIENT))
    credentials = twin.make(
        server.token_url, CLIENT, client_auth=certificate, verify=server.ca_file
    )
    assert step("discovery", credentials, issuer=server.issuer).outcome == "ok"


def test_metadata_for_themselves(server: AuthorizationServer) -> None:
    found = server_metadata(server.issuer, verify=str(server.ca_file))
    assert found.token_endpoint == server.token_url


def test_metadata_of_any_issuer(server: AuthorizationServer) -> None:
    server.metadata["issuer"] = "https://other.example.com"
    found = server_metadata(server.issuer, verify=str(server.ca_file), verify_issuer=False)
    assert found.issuer == "https://other.example.com"


# -- the clock


@pytest.mark.parametrize("seconds", [0, 4, -3])
def test_clocks_that_agree(server: AuthorizationServer, credentials: Any, seconds: float) -> None:
    tells_time(server, seconds)
    check = step("clock", credentials)
    assert (check.outcome, check.detail) == ("ok", "as the server's")


@pytest.mark.parametrize(
    ("seconds", "detail"),
    [(600, "10 min behind the server"), (-600, "10 min ahead of the server")],
)
def test_clocks_that_do_not(
    server: AuthorizationServer, credentials: Any, seconds: float, detail: str
) -> None:
    tells_time(server, seconds)
    check = step("clock", credentials)
    assert check.outcome == "warning"
    assert check.detail == f"this machine is {detail}"
    assert "set the clock of this machine right" in str(check.advice)


def test_clock_that_what_is_signed_goes_by(server: AuthorizationServer, twin: Twin) -> None:
    tells_time(server, 600)
    secret = "a-secret-that-is-long-enough-for-its-hash"
    signed = {"client_auth": ClientSecretJWT(), "verify": server.ca_file}
    check = step("clock", twin.make(server.token_url, CLIENT, secret, **signed))
    assert check.outcome == "failed"
    assert "the server refuses what the client signs" in str(check.advice)


def test_time_out_of_a_cache(server: AuthorizationServer, credentials: Any) -> None:
    tells_time(server, -600, Age="600")
    assert step("clock", credentials).outcome == "ok"


@pytest.mark.parametrize(
    "headers", [{}, {"Date": "tomorrow"}, {"Date": "Thu, 26 Nov 2026 18:00:00 GMT", "Age": "old"}]
)
def test_server_that_does_not_tell_the_time(
    server: AuthorizationServer, credentials: Any, headers: dict[str, str]
) -> None:
    server.documents["/oauth2/token"] = Answer(405, headers)
    assert step("clock", credentials).outcome == "not run"


def test_server_that_ends_the_connection(server: AuthorizationServer, credentials: Any) -> None:
    server.documents["/oauth2/token"] = Answer(reset="before")
    check = step("clock", credentials)
    assert check.outcome == "not run"
    assert check.detail.startswith("the server does not say what time it is: no answer from")
    assert diagnose(credentials).ok


def test_client_that_cannot_be_made(server: AuthorizationServer, twin: Twin) -> None:
    def broken() -> Any:
        raise LookupError("no client")

    check = step("clock", twin.make(server.token_url, CLIENT, SECRET, client=broken))
    assert check.outcome == "failed"
    assert "client could not be made" in check.detail
    assert check.advice == "set up client or verify so that they can be used"
    assert check.found["error"] == "ConfigurationError"


def test_nothing_of_the_clients_is_sent_for_the_time(
    server: AuthorizationServer, credentials: Any
) -> None:
    before = len(server.requests)
    began = time.time()
    step("clock", credentials)
    assert time.time() - began < 60
    assert ("GET", "/oauth2/token") in server.requests[before:]
