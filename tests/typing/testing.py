"""The server for tests as a user types it. Type-checked, not run."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import assert_type

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials
from pygen_auth.testing import (
    Answer,
    AuthorizationServer,
    FakeClock,
    TokenRequest,
    async_static,
    static,
)


def started() -> None:
    with AuthorizationServer(lifetime=0.5, tls=True, host="::1") as server:
        assert_type(server, AuthorizationServer)
        assert_type(server.url, str)
        assert_type(server.issuer, str)
        assert_type(server.token_url, str)
        assert_type(server.resource_url, str)
        assert_type(server.ca_file, str | None)
        assert_type(server.token_request_count, int)
        assert_type(server.resource_calls, int)
        assert_type(server.resource_refusals, int)
        assert_type(server.requests, list[tuple[str, str]])
        assert_type(server.token_requests, list[TokenRequest])
        assert_type(server.issue_certificate("id"), str)
        assert_type(server.close(), None)


def set_up(server: AuthorizationServer) -> None:
    server.add_client("id", "secret", scopes=["read"], auth_methods=("client_secret_basic",))
    server.add_client("id", public_key=b"-----BEGIN PUBLIC KEY-----")
    server.lifetime = 0.5
    server.delay = 1
    server.override = Answer(503)
    server.override = None
    server.metadata["token_endpoint"] = server.url
    server.documents["/.well-known/jwks.json"] = Answer(body={"keys": []})
    server.script(
        Answer(),
        Answer(429, {"Retry-After": "1"}, "slow down", delay=0.5),
        Answer(reset="before"),
        Answer(body=[b"a", b"b"], drip="body", drip_seconds=0.1),
    )
    server.revoke("abc")


def recorded(request: TokenRequest) -> None:
    assert_type(request.client_id, str | None)
    assert_type(request.form, dict[str, list[str]])
    assert_type(request.headers, Mapping[str, str])
    assert_type(request.body, bytes)
    assert_type(request.audience, list[str])
    assert_type(request.client_certificate, str | None)


def without_a_network() -> None:
    assert_type(static(), OAuth2ClientCredentials)
    assert_type(static("t0ken", scopes=["read"], audience="api"), OAuth2ClientCredentials)
    assert_type(async_static("t0ken", refresh_margin=60), AsyncOAuth2ClientCredentials)


def advanced() -> None:
    with FakeClock() as clock:
        assert_type(clock, FakeClock)
        assert_type(clock.advance(3600), None)
        clock.advance(0.5)
        clock.wall -= 60
        assert_type(clock.monotonic, float)
        assert_type(clock.slept, list[float])


# -- what must not type-check


def refused(server: AuthorizationServer, request: TokenRequest) -> None:
    AuthorizationServer(60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    server.script(503)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    server.override = 503  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    server.delay = "1"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    server.token_requests = []  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    static(60)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    FakeClock().advance("1h")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    FakeClock(60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    server.add_client()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Answer("503")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Answer(reset="always")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    request.client_id = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    known: bool = request.auth_method == "basic"  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]
    assert known
