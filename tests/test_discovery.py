"""Discovery: whom it asks, what it takes for an answer, when it asks again, what its errors say."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest

from pygen_auth import (
    ConfigurationError,
    InvalidResponseError,
    OAuth2ClientCredentials,
    OAuth2Error,
    RefusedError,
    UnreachableError,
)
from pygen_auth._discovery import MetadataSteps, discovery
from pygen_auth._metadata import Metadata, client_auth_for, token_endpoint_for
from pygen_auth._steps import Done, next_step
from pygen_auth._wire import Request, Response
from pygen_auth.client_auth import (
    ClientAssertion,
    ClientSecretBasic,
    ClientSecretJWT,
    ClientSecretPost,
    TLSClientCertificate,
)

from .support import SECRET, HandClock, answer

ISSUER = "https://idp.example.com"
TOKEN_URL = f"{ISSUER}/token"
FIRST = f"{ISSUER}/.well-known/oauth-authorization-server"
SECOND = f"{ISSUER}/.well-known/openid-configuration"
GUID = "0a1b2c3d-4E5F-6071-8293-a4b5c6d7e8f9"

NOTHING_THERE = Response(status=404, headers={"content-type": "text/html"}, body=b"<h1>Not Found")
UNAVAILABLE = Response(status=503, headers={}, body=b"")
PAGE = Response(200, {"content-type": "text/html; charset=utf-8"}, b"<html>Sign in</html>")
NO_ANSWER = UnreachableError("Metadata request failed: no answer from idp: reset", retryable=True)

Scripted = Response | OAuth2Error


def document(status: int = 200, **fields: Any) -> Response:
    """A metadata document with what is needed; a field given as None is left out."""
    whole = {"issuer": ISSUER, "token_endpoint": TOKEN_URL, **fields}
    return answer(status, **{name: value for name, value in whole.items() if value is not None})


def rounds(number: int, *script: Scripted) -> list[Scripted]:
    """The same answers several times."""
    return [*script] * number


class Walk:
    """Does what a shell does: sends, waits, hands over what came; on a clock moved by hand."""

    def __init__(self, *script: Scripted, took: float = 0.0) -> None:
        self.script = list(script)
        self.took = took
        self.clock = HandClock()
        self.requests: list[Request] = []
        self.chances = 0

    def chance(self) -> float:
        self.chances += 1
        return 0.5

    def steps(self, issuer: Any = ISSUER, issuers: Any = (), **settings: Any) -> MetadataSteps:
        clocks: dict[str, Any] = {
            "timeout": 30.0,
            "monotonic": self.clock.clock.monotonic,
            "wall": self.clock.clock.wall,
            "chance": self.chance,
        }
        return discovery(issuer, issuers, **{**clocks, **settings})

    def run(self, issuer: Any = ISSUER, issuers: Any = (), **settings: Any) -> Metadata:
        steps = self.steps(issuer, issuers, **settings)
        outcome: Scripted | None = None
        while not isinstance(step := next_step(steps, outcome), Done):
            outcome = self._do(step)
        found: Metadata = step.value
        return found

    def _do(self, step: Request | float) -> Scripted | None:
        if not isinstance(step, Request):
            self.clock.clock.sleep(step)
            return None
        self.requests.append(step)
        self.clock.advance(self.took)
        return self.script.pop(0)

    @property
    def urls(self) -> list[str]:
        return [request.url for request in self.requests]


def found(response: Response, issuer: str = ISSUER, issuers: Any = (), **rules: Any) -> Metadata:
    """What is made of a first answer."""
    return Walk(response).run(issuer, issuers, **rules)


def failure(*script: Scripted, issuer: str = ISSUER, **settings: Any) -> OAuth2Error:
    """The error after these answers."""
    walk = Walk(*script)
    with pytest.raises(OAuth2Error) as caught:
        walk.run(issuer, **settings)
    assert walk.script == []
    return caught.value


def refused_settings(**settings: Any) -> str:
    """The message of settings that are wrong, raised before there is anything to send."""
    with pytest.raises(ConfigurationError) as caught:
        Walk().steps(**settings)
    return str(caught.value)


# -- where it asks


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (ISSUER, [FIRST, SECOND]),
        (f"{ISSUER}/", [FIRST, SECOND]),
        (
            f"{ISSUER}/oauth2/default",
            [
                f"{ISSUER}/.well-known/oauth-authorization-server/oauth2/default",
                f"{ISSUER}/oauth2/default/.well-known/openid-configuration",
            ],
        ),
        (
            f"{ISSUER}/application/o/plant/",
            [
                f"{ISSUER}/.well-known/oauth-authorization-server/application/o/plant",
                f"{ISSUER}/application/o/plant/.well-known/openid-configuration",
            ],
        ),
        (
            f"{ISSUER}//",
            [FIRST, f"{ISSUER}//.well-known/openid-configuration"],
        ),
        (
            "https://idp.example.com:9443/oauth2/token",
            [
                "https://idp.example.com:9443/.well-known/oauth-authorization-server/oauth2/token",
                "https://idp.example.com:9443/oauth2/token/.well-known/openid-configuration",
            ],
        ),
        (
            "https://[2001:db8::1]:8443/realms/a",
            [
                "https://[2001:db8::1]:8443/.well-known/oauth-authorization-server/realms/a",
                "https://[2001:db8::1]:8443/realms/a/.well-known/openid-configuration",
            ],
        ),
    ],
)
def test_rfc_8414_is_tried_first_and_then_openid_connect(issuer: str, urls: list[str]) -> None:
    walk = Walk(NOTHING_THERE, NOTHING_THERE)
    with pytest.raises(RefusedError):
        walk.run(issuer)
    assert walk.urls == urls


@pytest.mark.parametrize(
    ("url", "issuer"),
    [
        (FIRST, ISSUER),
        (SECOND, ISSUER),
        (f"{ISSUER}/.well-known/oauth-authorization-server/oauth2/a", f"{ISSUER}/oauth2/a"),
        (f"{ISSUER}/oidc/.well-known/oauth-authorization-server", f"{ISSUER}/oidc"),
        (f"{ISSUER}/a/.well-known/openid-configuration/b", f"{ISSUER}/a/b"),
        (f"{ISSUER}/.well-known/databricks-config", ISSUER),
        (f"{ISSUER}/v2.0/.well-known/openid-configuration?p=b2c_1", f"{ISSUER}/v2.0"),
        (f"{ISSUER}/.well-known/", ISSUER),
    ],
)
def test_a_whole_well_known_url_is_used_alone_and_names_the_issuer(url: str, issuer: str) -> None:
    walk = Walk(document(issuer=issuer))
    assert walk.run(url).issuer == issuer
    assert walk.urls == [url]
    assert "asked for" in str(failure(document(issuer=f"{issuer}/other"), issuer=url))


def test_a_first_answer_that_serves_is_enough() -> None:
    walk = Walk(document())
    walk.run()
    assert walk.urls == [FIRST]


def test_the_requests_are_those_for_a_document() -> None:
    walk = Walk(PAGE, document())
    walk.run()
    for request in walk.requests:
        assert (request.method, request.body) == ("GET", b"")
        accepted = {"Accept": "application/json", "Accept-Encoding": "identity"}
        assert request.headers == {**accepted, "client-request-id": request.id}


def test_no_request_holds_anything_secret() -> None:
    walk = Walk(UNAVAILABLE, PAGE, UNAVAILABLE, document())
    walk.run()
    assert len(walk.requests) == 4
    for request in walk.requests:
        assert (request.body, request.secrets) == (b"", ())
        names = {"accept", "accept-encoding", "client-request-id"}
        assert {name.lower() for name in request.headers} == names
        assert "?" not in request.url


# -- settings are checked before anything is sent


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("", "issuer is empty"),
        (None, "issuer is empty"),
        ("idp.example.com", "issuer must start with https://"),
        ("http://idp.example.com", "issuer sends the client secret over plain http"),
        ("https://user:pass@idp.example.com", "issuer must not hold a user name"),
        ("https://idp.example.com#x", "issuer must not have a fragment"),
        ("https://idp.example.com/ ", "issuer holds white space"),
        ("https://idp.example.com?tenant=a", "issuer must not have a query"),
        ("https://idp.example.com/?", "issuer must not have a query"),
        ("https://idp.example.com?to=/.well-known/x", "issuer must not have a query"),
    ],
)
def test_an_issuer_that_cannot_be_one_is_refused(issuer: Any, words: str) -> None:
    message = refused_settings(issuer=issuer)
    assert words in message
    assert "pass@" not in message


@pytest.mark.parametrize("issuers", ["https://idp.example.com", (None,), (b"https://a",)])
def test_issuers_that_are_no_list_of_texts_are_refused(issuers: Any) -> None:
    assert "issuers must be a list of str" in refused_settings(issuers=issuers)


def test_a_time_out_that_is_none_is_refused() -> None:
    assert "timeout" in refused_settings(timeout=0)


def test_insecure_hosts_that_are_none_are_refused() -> None:
    assert "insecure_hosts" in refused_settings(insecure_hosts=("http://keycloak",))


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8080/a", "http://keycloak:8080/realms/a"])
def test_plain_http_goes_to_this_machine_and_to_insecure_hosts(issuer: str) -> None:
    endpoint = f"{issuer}/token"
    served = document(issuer=issuer, token_endpoint=endpoint)
    metadata = found(served, issuer, insecure_hosts=("Keycloak",))
    assert metadata.token_endpoint == endpoint


# -- what the document says


def test_the_metadata_is_what_the_document_says() -> None:
    served = document(
        token_endpoint_auth_methods_supported=["private_key_jwt", "client_secret_post"],
        token_endpoint_auth_signing_alg_values_supported=["RS256", "ES256"],
        mtls_endpoint_aliases={"token_endpoint": "https://mtls.example.com/token"},
    )
    assert found(served) == Metadata(
        issuer=ISSUER,
        token_endpoint=TOKEN_URL,
        mtls_token_endpoint="https://mtls.example.com/token",
        auth_methods=("private_key_jwt", "client_secret_post"),
        signing_algs=("RS256", "ES256"),
    )


def test_what_the_document_leaves_out_is_what_rfc_8414_says() -> None:
    metadata = found(document())
    assert metadata.auth_methods == ("client_secret_basic",)
    assert metadata.signing_algs == ()
    assert metadata.mtls_token_endpoint is None


def test_metadata_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        found(document()).token_endpoint = "https://b"  # type: ignore[misc]


def test_the_misnomer_of_the_methods_counts() -> None:
    served = document(token_endpoint_auth_methods=["client_secret_post"])
    assert found(served).auth_methods == ("client_secret_post",)


def test_the_right_name_of_the_methods_wins_over_the_misnomer() -> None:
    served = document(
        token_endpoint_auth_methods=["client_secret_post"],
        token_endpoint_auth_methods_supported=["private_key_jwt"],
    )
    assert found(served).auth_methods == ("private_key_jwt",)


@pytest.mark.parametrize("methods", ["client_secret_post", 7, {"a": 1}, [], [1, None], True])
def test_methods_that_are_no_list_of_texts_count_as_none_named(methods: Any) -> None:
    served = document(token_endpoint_auth_methods_supported=methods)
    assert found(served).auth_methods == ("client_secret_basic",)


def test_of_a_list_with_other_things_in_it_the_texts_count() -> None:
    served = document(token_endpoint_auth_methods_supported=[None, "client_secret_post", 3])
    assert found(served).auth_methods == ("client_secret_post",)


@pytest.mark.parametrize("algorithms", ["HS256", {"HS256": 1}, 5])
def test_algorithms_that_are_no_list_count_as_none_named(algorithms: Any) -> None:
    served = document(token_endpoint_auth_signing_alg_values_supported=algorithms)
    assert found(served).signing_algs == ()


@pytest.mark.parametrize("grant_types", [["authorization_code"], ["implicit"], [], 5, {"a": 1}])
def test_client_credentials_need_not_be_among_the_grant_types(grant_types: Any) -> None:
    assert found(document(grant_types_supported=grant_types)).token_endpoint == TOKEN_URL


def test_methods_with_jwt_need_no_list_of_algorithms() -> None:
    served = document(token_endpoint_auth_methods_supported=["private_key_jwt"])
    assert found(served).auth_methods == ("private_key_jwt",)


def test_the_token_endpoint_may_be_on_another_host_than_the_issuer() -> None:
    endpoint = "https://plant.auth.example.net/oauth2/token?p=b2c_1"
    assert found(document(token_endpoint=endpoint)).token_endpoint == endpoint


def test_a_document_may_begin_with_a_byte_order_mark() -> None:
    served = document()
    marked = Response(200, {}, b"\xef\xbb\xbf" + served.body)
    assert found(marked).token_endpoint == TOKEN_URL


def test_the_scheme_of_the_token_endpoint_may_be_in_capitals() -> None:
    served = document(token_endpoint="HTTP://keycloak/token")
    metadata = found(served, insecure_hosts=("keycloak",))
    assert metadata.token_endpoint == "HTTP://keycloak/token"


def test_a_document_with_a_token_endpoint_is_one_whatever_else_it_holds() -> None:
    assert found(document(error="none")).token_endpoint == TOKEN_URL


@pytest.mark.parametrize(
    "aliases",
    [
        None,
        "https://mtls.example.com/token",
        [],
        {},
        {"token_endpoint": None},
        {"token_endpoint": 7},
        {"token_endpoint": ""},
        {"token_endpoint": "http://mtls.example.com/token"},
        {"token_endpoint": "https://user:pass@mtls.example.com/token"},
    ],
)
def test_an_alias_for_certificates_that_cannot_be_used_is_left_out(aliases: Any) -> None:
    assert found(document(mtls_endpoint_aliases=aliases)).mtls_token_endpoint is None


@pytest.mark.parametrize("endpoint", [None, "", 7, ["https://a"], {"url": "https://a"}, True])
def test_a_document_without_a_token_endpoint_serves_nobody(endpoint: Any) -> None:
    error = failure(document(token_endpoint=endpoint), NOTHING_THERE)
    assert isinstance(error, InvalidResponseError)
    assert f"{FIRST}: no token_endpoint in it; " in str(error)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (
            "http://idp.internal/token",
            "the token_endpoint in it sends the client secret over plain http to idp.internal",
        ),
        (
            "https://user:pass@idp.example.com/token",
            "the token_endpoint in it must not hold a user name or password",
        ),
        ("https://idp.example.com/token#a", "the token_endpoint in it must not have a fragment"),
        ("/token", "the token_endpoint in it must start with https:// and a host name"),
        ("ftp://idp.example.com", "the token_endpoint in it must start with https://"),
        ("https://idp.example.com\\@evil", "the token_endpoint in it holds white space or other"),
        ("https://[::1", "the token_endpoint in it is not a URL"),
    ],
)
def test_a_token_endpoint_that_no_secret_may_go_to_is_refused(endpoint: str, words: str) -> None:
    error = failure(document(token_endpoint=endpoint), NOTHING_THERE)
    assert isinstance(error, InvalidResponseError)
    assert not error.retryable
    assert f"{FIRST}: {words}" in str(error)
    assert "insecure_hosts" not in str(error)
    assert "pass@" not in str(error)
    assert error.hint == (
        "the server names a wrong address of its own; give token_url without discovery"
    )


@pytest.mark.parametrize("endpoint", ["http://idp.internal/token", "ftp://idp.example.com"])
def test_authlibs_variable_for_tests_opens_nothing(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    error = failure(document(token_endpoint=endpoint), NOTHING_THERE)
    assert "the token_endpoint in it" in str(error)


# -- the issuer


@pytest.mark.parametrize("asked", [ISSUER, f"{ISSUER}/", f"{ISSUER}/realms/a", f"{ISSUER}/a/"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_slash_at_the_end_of_the_issuer_is_forgiven(asked: str, slash: str) -> None:
    named = asked.rstrip("/") + slash
    assert found(document(issuer=named), asked).issuer == named


@pytest.mark.parametrize(
    "named",
    [
        "https://b.example.com",
        "https://IDP.example.com",
        "https://idp.example.com//",
        "https://idp.example.com/a",
        "https://idp.example.com:443",
        "http://idp.example.com",
        "https://idp.example.com.evil.example",
        "https://idp.example.com\n",
    ],
)
def test_a_document_of_another_issuer_is_refused(named: str) -> None:
    error = failure(document(issuer=named), NOTHING_THERE)
    assert isinstance(error, InvalidResponseError)
    assert not error.retryable
    shown_name = named.strip()
    assert f"{FIRST}: the issuer in it is {shown_name!r}, asked for {ISSUER!r}; " in str(error)
    assert error.hint == f"check the issuer: this server calls itself {shown_name!r}"


@pytest.mark.parametrize("named", [None, "", 7, [ISSUER], {"issuer": ISSUER}])
def test_a_document_without_an_issuer_is_refused(named: Any) -> None:
    error = failure(document(issuer=named), NOTHING_THERE)
    assert isinstance(error, InvalidResponseError)
    assert f"{FIRST}: no issuer in it, asked for {ISSUER!r}; " in str(error)
    assert error.hint == "check the issuer, or give the whole .well-known URL"


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("https://login.example.com/{guid}/v2.0", f"https://login.example.com/{GUID}/v2.0"),
        ("https://login.example.com/{guid}/v2.0", f"https://login.example.com/{GUID}/v2.0/"),
        ("https://login.example.com/{guid}/v2.0/", f"https://login.example.com/{GUID}/v2.0"),
        ("https://sts.example.com/{guid}/", f"https://sts.example.com/{GUID.upper()}/"),
        ("https://login.example.com/{tenantid}/v2.0", "https://login.example.com/{tenantid}/v2.0"),
        ("https://{guid}.example.com/{guid}", f"https://{GUID}.example.com/{GUID}"),
        (f"{ISSUER}/oauth/token", f"{ISSUER}/oauth/token"),
        ("acme.com", "acme.com"),
    ],
)
def test_an_issuer_that_a_template_names_counts(template: str, named: str) -> None:
    templates = ("https://elsewhere.example.com", template)
    assert found(document(issuer=named), ISSUER, templates).issuer == named


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("https://login.example.com/{guid}", "https://login.example.com/{guid}"),
        ("https://login.example.com/{guid}", "https://login.example.com/contoso.com"),
        ("https://login.example.com/{guid}", f"https://login.example.com/{GUID}0"),
        ("https://login.example.com/{guid}", f"https://login.example.com/{GUID}/v2.0"),
        ("https://login.example.com/{guid}", f"https://login.example.com/{GUID}\n"),
        ("https://login.example.com/{guid}", f"https://loginxexample.com/{GUID}"),
        ("https://login.example.com/{guid}", f"https://LOGIN.example.com/{GUID}"),
        ("https://login.example.com/{guid}", f"https://evil/https://login.example.com/{GUID}"),
        ("https://login.example.com/{tenantid}", f"https://login.example.com/{GUID}"),
        ("https://login.example.com/.*", "https://login.example.com/a"),
        ("https://login.example.com/{guid}", f"https://login.example.com/{'0' * 36}"),
        ("https://login.example.com/{guid}", f"https://login.example.com/{GUID[:-1]}٣"),
    ],
)
def test_a_template_stands_for_nothing_but_guids(template: str, named: str) -> None:
    error = failure(document(issuer=named), NOTHING_THERE, issuers=(template,))
    assert "the issuer in it is" in str(error)


def test_the_issuer_asked_for_is_no_template() -> None:
    asked = "https://idp.example.com/{guid}"
    error = failure(document(issuer=f"{ISSUER}/{GUID}"), NOTHING_THERE, issuer=asked)
    assert "the issuer in it is" in str(error)


def test_the_issuer_asked_for_counts_where_there_are_templates_too() -> None:
    assert found(document(), ISSUER, ("https://b.example.com",)).issuer == ISSUER


@pytest.mark.parametrize("named", ["https://b.example.com", "acme.com", ""])
def test_without_verification_any_issuer_will_do(named: str) -> None:
    assert found(document(issuer=named), verify_issuer=False).issuer == named


@pytest.mark.parametrize("named", [None, 7])
def test_without_verification_a_document_without_issuer_has_the_one_asked_for(named: Any) -> None:
    assert found(document(issuer=named), verify_issuer=False).issuer == ISSUER


def test_without_verification_the_token_endpoint_is_checked_all_the_same() -> None:
    served = document(issuer="https://b", token_endpoint="http://b.example.com/token")
    error = failure(served, NOTHING_THERE, verify_issuer=False)
    assert "over plain http to b.example.com" in str(error)


# -- answers that are no document: the next candidate is tried


NO_DOCUMENTS: list[Scripted] = [
    NOTHING_THERE,
    Response(302, {"location": "https://login.example.com/"}, b""),
    Response(304, {}, b""),
    Response(401, {}, b""),
    UNAVAILABLE,
    Response(501, {}, b""),
    PAGE,
    Response(200, {}, b""),
    Response(204, {}, b""),
    Response(200, {}, b"[" * 100_000),
    Response(200, {}, b"[]"),
    Response(200, {}, b'"https://idp.example.com/token"'),
    Response(200, {}, b"\xff\xfe\x00"),
    Response(200, {}, document().body, "the body is longer than 1 MiB"),
    document(token_endpoint=None),
    document(token_endpoint="http://b.example.com/token"),
    document(issuer="https://b.example.com"),
    document(status=404),
    answer(200, error="invalid_tenant"),
    NO_ANSWER,
    InvalidResponseError("Invalid answer"),
    OAuth2Error("whatever"),
]


@pytest.mark.parametrize("first", NO_DOCUMENTS)
def test_what_is_no_usable_document_leaves_the_next_candidate(first: Scripted) -> None:
    walk = Walk(first, document())
    assert walk.run().token_endpoint == TOKEN_URL
    assert walk.urls == [FIRST, SECOND]
    assert walk.clock.slept == []


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (NOTHING_THERE, "status 404"),
        (Response(400, {}, b"secret page"), "status 400"),
        (
            answer(400, error="invalid_tenant", error_description="AADSTS90002: Tenant\r\nnot"),
            "status 400: invalid_tenant: AADSTS90002: Tenant not",
        ),
        (
            answer(404, errorCode="E0000007", errorSummary="Not found: Resource"),
            "status 404: E0000007: Not found: Resource",
        ),
        (answer(404, error="Realm does not exist"), "status 404: Realm does not exist"),
        (answer(200, error="invalid_tenant"), "status 200: invalid_tenant"),
        (
            Response(302, {"location": "https://u:p@login.example.com/a?code=x"}, b""),
            "status 302, which points to https://login.example.com/a",
        ),
        (Response(302, {}, b""), "status 302, which points to nowhere"),
        (PAGE, "the body is not a JSON object (text/html, 20 bytes)"),
        (Response(200, {}, b" "), "the body is empty"),
        (Response(200, {}, b"", "the body is longer than 1 MiB"), "the body is longer than 1 MiB"),
        (
            Response(200, {}, b"[" * 100_000),
            "the body is not a JSON object (no content type, 100000 bytes)",
        ),
    ],
)
def test_the_error_says_what_came(response: Response, words: str) -> None:
    message = failure(response, NOTHING_THERE).args[0]
    assert message == f"Discovery failed for {ISSUER}: {FIRST}: {words}; {SECOND}: status 404"


def test_a_server_that_cannot_be_reached_is_said_in_the_senders_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    request = next(Walk().steps(issuer))
    assert isinstance(request, Request)
    with pytest.raises(UnreachableError) as nobody_there:
        OAuth2ClientCredentials(issuer, "the-client", SECRET)._send(request)
    error = failure(*rounds(6, nobody_there.value), issuer=issuer)
    _, first, second = str(error).split(f"{issuer}/.well-known/")
    for answered in (first, second):
        assert re.match(r"[a-z-]+: no answer from 127\.0\.0\.1:\d+: ", answered)
    assert isinstance(error.__cause__, httpx.ConnectError)


def test_the_error_names_the_issuer_asked_for_and_not_the_query_of_a_url() -> None:
    error = failure(NOTHING_THERE, issuer=f"{ISSUER}/a/.well-known/x?key=hidden")
    assert error.args == (f"Discovery failed for {ISSUER}/a: {ISSUER}/a/.well-known/x: status 404",)


def test_texts_of_the_server_are_shown_in_one_short_line() -> None:
    error = failure(document(issuer="https://b/\n\x1b[31m" + "x" * 5_000), NOTHING_THERE)
    assert str(error).isprintable()
    assert len(str(error)) < 1_000


def test_a_token_in_an_answer_does_not_come_out() -> None:
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"
    served = answer(400, error="invalid", error_description=f"no {token}", access_token=token)
    assert token not in str(failure(served, document(issuer=token)))


# -- which error it is


REFUSED = answer(400, error="invalid_tenant", error_description="AADSTS90002: no", trace_id="t-1")
ELSEWHERE = document(issuer="https://b.example.com")


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([PAGE, PAGE], InvalidResponseError),
        ([PAGE, NOTHING_THERE], InvalidResponseError),
        ([NOTHING_THERE, ELSEWHERE], InvalidResponseError),
        (rounds(3, NO_ANSWER, PAGE), InvalidResponseError),
        ([NOTHING_THERE, NOTHING_THERE], RefusedError),
        (rounds(3, NOTHING_THERE, NO_ANSWER), RefusedError),
        (rounds(3, NO_ANSWER, UNAVAILABLE), RefusedError),
        (rounds(3, NO_ANSWER, NO_ANSWER), UnreachableError),
    ],
)
def test_the_class_of_the_error_is_that_of_the_most_telling_answer(
    script: list[Scripted], kind: type[OAuth2Error]
) -> None:
    assert type(failure(*script)) is kind


def test_a_refusal_has_what_the_last_server_said() -> None:
    error = failure(NOTHING_THERE, REFUSED)
    assert isinstance(error, RefusedError)
    said = (error.status, error.error, error.description, error.code, error.trace_id)
    assert said == (400, "invalid_tenant", "AADSTS90002: no", "AADSTS90002", "t-1")


def test_a_refusal_has_the_status_of_the_last_refusal() -> None:
    error = failure(REFUSED, NOTHING_THERE)
    assert isinstance(error, RefusedError)
    assert (error.status, error.error) == (404, None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 302, 501, 505])
def test_a_permanent_failure_is_raised_at_once(status: int) -> None:
    walk = Walk(*rounds(2, Response(status, {}, b"")))
    with pytest.raises(RefusedError) as caught:
        walk.run()
    assert not caught.value.retryable
    assert walk.clock.slept == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("other", [NOTHING_THERE, PAGE, ELSEWHERE])
@pytest.mark.parametrize("first", [True, False])
def test_one_transient_answer_makes_the_error_one_that_may_be_retried(
    status: int, other: Response, first: bool
) -> None:
    round_of = [Response(status, {}, b""), other] if first else [other, Response(status, {}, b"")]
    assert failure(*round_of * 3).retryable


def test_the_cause_of_an_unreachable_server_is_chained() -> None:
    cause = OSError("connection reset")
    unreachable = UnreachableError("Metadata request failed: no answer", retryable=True)
    unreachable.__cause__ = cause
    assert failure(*rounds(3, unreachable, UNAVAILABLE)).__cause__ is cause


def test_without_a_cause_none_is_chained() -> None:
    error = failure(*rounds(3, NO_ANSWER, NO_ANSWER))
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


def test_a_sender_that_cannot_send_at_all_ends_it() -> None:
    walk = Walk(ConfigurationError("verify: no such CA file"), document())
    with pytest.raises(ConfigurationError, match=r"^verify: no such CA file$"):
        walk.run()
    assert walk.urls == [FIRST]


# -- advice


CHECK_ISSUER = "check the issuer, or give the whole .well-known URL"
PASS_OTHER = "check the issuer: this server calls itself 'https://b.example.com'"


@pytest.mark.parametrize(
    ("script", "advice"),
    [
        ([NOTHING_THERE, NOTHING_THERE], CHECK_ISSUER),
        ([NOTHING_THERE, REFUSED], CHECK_ISSUER),
        ([PAGE, PAGE], CHECK_ISSUER),
        (rounds(2, document(token_endpoint=None)), CHECK_ISSUER),
        (rounds(2, OAuth2Error("of no known kind")), None),
        ([NOTHING_THERE, ELSEWHERE], PASS_OTHER),
        ([ELSEWHERE, PAGE], PASS_OTHER),
        (rounds(3, UNAVAILABLE, ELSEWHERE), PASS_OTHER),
        (rounds(3, NOTHING_THERE, UNAVAILABLE), None),
        (rounds(3, NO_ANSWER, NO_ANSWER), None),
    ],
)
def test_the_advice_is_the_most_telling(script: list[Scripted], advice: str | None) -> None:
    assert failure(*script).hint == advice


def test_who_gave_the_whole_url_is_not_told_to_give_it() -> None:
    assert failure(NOTHING_THERE, issuer=SECOND).hint is None


def test_advice_that_the_sender_gives_stays() -> None:
    unreachable = UnreachableError("no answer", retryable=True, hint="give verify= the CA file")
    assert failure(*rounds(6, unreachable)).hint == "give verify= the CA file"


# -- again, later


def test_a_server_with_a_bad_minute_is_asked_again() -> None:
    walk = Walk(NOTHING_THERE, UNAVAILABLE, NOTHING_THERE, document())
    assert walk.run().token_endpoint == TOKEN_URL
    assert walk.urls == [FIRST, SECOND, FIRST, SECOND]
    assert walk.clock.slept == [0.5]


def test_three_rounds_are_made_with_growing_waits() -> None:
    walk = Walk(*rounds(3, UNAVAILABLE, NO_ANSWER))
    with pytest.raises(RefusedError):
        walk.run()
    assert walk.urls == [FIRST, SECOND] * 3
    assert walk.clock.slept == [0.5, 1.0]


def test_a_whole_url_is_asked_for_again_likewise() -> None:
    walk = Walk(UNAVAILABLE, NO_ANSWER, document())
    walk.run(SECOND)
    assert walk.urls == [SECOND] * 3


def test_a_permanent_failure_in_the_second_round_ends_it() -> None:
    walk = Walk(UNAVAILABLE, NOTHING_THERE, NOTHING_THERE, NOTHING_THERE)
    with pytest.raises(RefusedError) as caught:
        walk.run()
    assert not caught.value.retryable
    assert len(walk.requests) == 4


def busy(retry_after: str) -> Response:
    return Response(429, {"retry-after": retry_after}, b"")


def test_retry_after_is_waited_for_where_it_fits() -> None:
    walk = Walk(NOTHING_THERE, busy("7"), document())
    walk.run()
    assert walk.clock.slept == [7.0]


def test_the_longest_retry_after_counts() -> None:
    walk = Walk(busy("7"), busy("4"), document())
    walk.run()
    assert walk.clock.slept == [7.0]


def test_a_date_in_retry_after_is_read_by_the_wall_clock() -> None:
    walk = Walk(NOTHING_THERE, busy("Fri, 15 Jan 2027 08:00:09 GMT"), document())
    assert walk.clock.wall == 1_800_000_000  # Fri, 15 Jan 2027 08:00:00 GMT
    walk.run()
    assert walk.clock.slept == [9.0]


def test_a_retry_after_beyond_the_timeout_is_the_callers() -> None:
    walk = Walk(NOTHING_THERE, busy("60"))
    with pytest.raises(RefusedError) as caught:
        walk.run(timeout=30.0)
    assert (caught.value.retryable, caught.value.retry_after) == (True, 60.0)
    assert walk.clock.slept == []


def test_retry_after_of_a_permanent_failure_does_not_count() -> None:
    walk = Walk(Response(404, {"retry-after": "9"}, b""), UNAVAILABLE, document())
    walk.run()
    assert walk.clock.slept == [0.5]


def test_each_request_gets_half_of_the_time_that_is_left() -> None:
    walk = Walk(PAGE, UNAVAILABLE, document(), took=4.0)
    walk.run(timeout=30.0)
    assert [request.timeout for request in walk.requests] == [15.0, 13.0, 10.75]


def test_a_candidate_for_which_no_time_is_left_is_not_asked() -> None:
    walk = Walk(NO_ANSWER, took=31.0)
    with pytest.raises(UnreachableError) as caught:
        walk.run(timeout=30.0)
    assert walk.urls == [FIRST]
    assert caught.value.retryable
    assert f"{SECOND}: not asked, since the time was up" in str(caught.value)


def test_no_wait_goes_beyond_the_timeout() -> None:
    walk = Walk(*rounds(6, NO_ANSWER), took=9.0)
    with pytest.raises(UnreachableError):
        walk.run(timeout=30.0)
    assert len(walk.requests) == 4
    assert walk.clock.monotonic - 5_000.0 < 30.0 + 9.0


def test_nothing_is_kept_from_one_discovery_to_the_next() -> None:
    with pytest.raises(RefusedError):
        Walk(REFUSED, REFUSED).run()
    first = Walk(document(token_endpoint=f"{ISSUER}/1")).run()
    assert first.token_endpoint == f"{ISSUER}/1"
    assert Walk(document(token_endpoint=f"{ISSUER}/2")).run().token_endpoint == f"{ISSUER}/2"


# -- client authentication that follows


def metadata(*methods: str, algs: tuple[str, ...] = (), alias: str | None = None) -> Metadata:
    return Metadata(ISSUER, TOKEN_URL, alias, methods, algs)


@pytest.mark.parametrize(
    ("methods", "algs", "chosen"),
    [
        (("client_secret_basic", "client_secret_post"), (), ClientSecretPost()),
        (("private_key_jwt", "client_secret_jwt", "client_secret_basic"), (), ClientSecretBasic()),
        (("client_secret_jwt",), (), ClientSecretJWT("HS256")),
        (("client_secret_jwt",), ("RS256", "HS512", "HS256"), ClientSecretJWT("HS256")),
        (("client_secret_jwt",), ("HS512", "HS384"), ClientSecretJWT("HS384")),
        (("client_secret_jwt",), ("none", "HS1", "ES256"), ClientSecretJWT("HS256")),
    ],
)
def test_with_a_secret_post_then_basic_then_a_jwt_is_chosen(
    methods: tuple[str, ...], algs: tuple[str, ...], chosen: object
) -> None:
    assert client_auth_for(metadata(*methods, algs=algs), None, True) == chosen


@pytest.mark.parametrize("given", ["tls_client_auth", ClientAssertion("/run/token"), "nonsense"])
def test_what_the_caller_gives_wins(given: Any) -> None:
    assert client_auth_for(metadata("client_secret_post"), given, True) is given
    assert client_auth_for(metadata("client_secret_post"), given, False) is given


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        (
            ("private_key_jwt",),
            "the server takes private_key_jwt; pass client_auth=PrivateKeyJWT(key)",
        ),
        (
            ("tls_client_auth", "self_signed_tls_client_auth"),
            "the server takes tls_client_auth, self_signed_tls_client_auth; "
            "pass client_auth=TLSClientCertificate(cert, key)",
        ),
        (
            ("private_key_jwt", "none", "tls_client_auth"),
            "pass client_auth=PrivateKeyJWT(key) or client_auth=TLSClientCertificate(cert, key)",
        ),
        (("none",), "the server takes none; pass client_auth= to try another way"),
    ],
)
def test_a_server_that_takes_no_secret_is_a_configuration_error(
    methods: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_auth_for(metadata(*methods), None, True)
    assert str(caught.value).startswith("a client_secret alone does not do: ")
    assert str(caught.value).endswith(words)


@pytest.mark.parametrize(
    "methods",
    [
        ("client_secret_post", "private_key_jwt"),
        ("client_secret_basic", "private_key_jwt"),
        ("client_secret_jwt", "private_key_jwt"),
        ("client_secret_post", "client_secret_basic", "private_key_jwt"),
    ],
)
def test_without_secret_and_client_auth_the_error_says_what_the_server_takes(
    methods: tuple[str, ...],
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_auth_for(metadata(*methods), None, False)
    assert str(caught.value) == (
        f"client_secret is missing: the server takes {', '.join(methods)}; "
        "pass client_secret or client_auth=PrivateKeyJWT(key)"
    )


def test_methods_that_a_server_makes_up_are_shown_in_one_short_line() -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_auth_for(metadata("a\nb\x1b", "x" * 5_000), None, True)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


ALIAS = "https://mtls.example.com/token"


@pytest.mark.parametrize(
    ("client_auth", "alias", "endpoint"),
    [
        (TLSClientCertificate(), ALIAS, ALIAS),
        ("tls_client_auth", ALIAS, ALIAS),
        ("self_signed_tls_client_auth", ALIAS, ALIAS),
        (TLSClientCertificate(), None, TOKEN_URL),
        (ClientSecretPost(), ALIAS, TOKEN_URL),
        ("client_secret_basic", ALIAS, TOKEN_URL),
        ("nonsense", ALIAS, TOKEN_URL),
    ],
)
def test_the_alias_is_for_clients_with_a_certificate(
    client_auth: Any, alias: str | None, endpoint: str
) -> None:
    assert token_endpoint_for(metadata("none", alias=alias), client_auth) == endpoint


# -- cost


def test_importing_it_does_not_import_authlibs_metadata() -> None:
    code = "import sys, pygen_auth._discovery; print('authlib.oauth2.rfc8414' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_a_document_with_more_values_than_any_real_one_is_no_document() -> None:
    body = json.dumps({"issuer": ISSUER, "token_endpoint": TOKEN_URL, "x": [1] * 20_000}).encode()
    assert "the body is not a JSON object" in str(failure(Response(200, {}, body), NOTHING_THERE))
