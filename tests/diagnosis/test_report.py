"""The report as a whole: which steps there are, what depends on what, and what it never shows."""

from __future__ import annotations

import asyncio
import json
import pickle
import ssl
import time
from typing import Any

import httpx
import pytest

from pygen_auth import (
    AsyncOAuth2ClientCredentials,
    AsyncTokenCredentials,
    ConfigurationError,
    Credentials,
    OAuth2ClientCredentials,
    TokenCredentials,
    UnreachableError,
    diagnose,
)
from pygen_auth.diagnosis import Check, Diagnosis, diagnose_issuer, refused_settings
from pygen_auth.providers import Provider, cognito
from pygen_auth.testing import Answer, AuthorizationServer

from ..support import Twin
from .support import CLIENT, SECRET, SIGNATURE, claims, issues, jwt, outcomes, step

STEPS = [
    *("settings", "name", "connection", "proxy", "tls", "discovery", "clock"),
    *("token request", "token", "as asked", "lifetime", "call"),
]


def test_all_steps_of_credentials_that_are_well(
    server: AuthorizationServer, credentials: Any
) -> None:
    issues(server, jwt(**claims(aud="api")))
    server.documents["/api"] = Answer()
    diagnosis = diagnose(credentials, issuer=server.issuer, call=f"{server.url}/api")
    assert {check.name: check.outcome for check in diagnosis.checks} == dict.fromkeys(STEPS, "ok")
    assert [check.name for check in diagnosis.checks] == STEPS
    assert diagnosis.ok


def test_steps_that_nobody_asked_for_are_left_out(credentials: Any) -> None:
    assert not {"discovery", "call"} & outcomes(credentials).keys()


def test_issuer_may_be_the_preset(server: AuthorizationServer, credentials: Any) -> None:
    provider = Provider("mine", server.token_url, issuer=server.issuer)
    assert step("discovery", credentials, issuer=provider).outcome == "ok"


def test_preset_without_an_issuer_has_nothing_to_discover(credentials: Any) -> None:
    provider = cognito(domain="auth.example.com")
    assert "discovery" not in outcomes(credentials, issuer=provider)


@pytest.mark.parametrize(
    "wrong", [{"issuer": "idp.example.com"}, {"issuer": 7}, {"call": "http://api.example.com"}]
)
def test_what_cannot_be_asked_is_an_error(credentials: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        diagnose(credentials, **wrong)


def test_each_check_is_told_when_it_begins_and_when_it_ends(credentials: Any) -> None:
    told: list[Check] = []
    diagnosis = diagnose(credentials, on_check=told.append)
    assert [check.outcome for check in told[::2]] == ["running"] * len(diagnosis.checks)
    assert tuple(told[1::2]) == diagnosis.checks


def test_steps_that_depend_on_a_failed_one_are_not_run(
    server: AuthorizationServer, twin: Twin
) -> None:
    untrusted = twin.make(server.token_url, CLIENT, SECRET)
    before = server.token_request_count
    diagnosis = diagnose(untrusted, issuer=server.issuer, call=server.resource_url)
    found = {check.name: check.outcome for check in diagnosis.checks}
    assert found["tls"] == "failed"
    assert all(found[name] == "not run" for name in STEPS[STEPS.index("tls") + 1 :])
    assert diagnosis.check("lifetime").detail == "needs token request"
    assert not diagnosis.ok
    assert server.token_request_count == before


def test_held_token_is_kept_and_said_to_be_held(
    server: AuthorizationServer, credentials: Any, twin: Twin
) -> None:
    held = twin.token(credentials)
    count = server.token_request_count
    fetched_long_ago = credentials._lease.token
    object.__setattr__(fetched_long_ago, "lifetime", fetched_long_ago.lifetime + 100)
    assert "which was held" in step("token request", credentials).detail
    assert twin.token(credentials) == held
    assert server.token_request_count == count


def test_token_that_it_fetches_stays(
    server: AuthorizationServer, credentials: Any, twin: Twin
) -> None:
    diagnose(credentials)
    count = server.token_request_count
    twin.token(credentials)
    assert server.token_request_count == count


def test_runs_within_an_event_loop(settings: dict[str, Any], twin: Twin) -> None:
    async def within() -> Diagnosis:
        return diagnose(twin.make(**settings))

    assert asyncio.run(within()).ok


def test_client_of_the_callers_knows_the_way(server: AuthorizationServer, twin: Twin) -> None:
    kind = httpx.AsyncClient if twin.asynchronous else httpx.Client
    trusting = ssl.create_default_context(cafile=server.ca_file)
    credentials = twin.make(server.token_url, CLIENT, SECRET, client=lambda: kind(verify=trusting))
    found = outcomes(credentials)
    assert {found[name] for name in ("name", "connection", "proxy", "tls")} == {"not run"}
    assert found["token request"] == "ok"


def test_async_client_object_is_left_to_its_event_loop(server: AuthorizationServer) -> None:
    trusting = ssl.create_default_context(cafile=server.ca_file)

    async def within() -> int:
        async with httpx.AsyncClient(verify=trusting) as client:
            credentials = AsyncOAuth2ClientCredentials(
                server.token_url, CLIENT, SECRET, client=client
            )
            await credentials.token()
            with pytest.raises(ConfigurationError, match="pass a callable that makes one"):
                diagnose(credentials)
            await credentials.invalidate(await credentials.token())
            await credentials.token()  # by the connection that the client has kept
            return (await client.get(f"{server.url}/api")).status_code

    assert asyncio.run(within()) == 404


def test_no_step_takes_longer_than_the_timeout(server: AuthorizationServer, twin: Twin) -> None:
    server.override = Answer(delay=30)
    credentials = twin.make(server.token_url, CLIENT, SECRET, verify=server.ca_file, timeout=3)
    began = time.monotonic()
    check = step("token request", credentials)
    assert check.outcome == "failed"
    assert time.monotonic() - began < 25  # of the 30 s that the server takes
    assert "raise timeout if the server is slow" in str(check.advice)


# -- tokens from elsewhere


@pytest.mark.parametrize("kind", [TokenCredentials, AsyncTokenCredentials])
def test_of_a_token_from_elsewhere_it_reads_the_token_and_calls(
    server: AuthorizationServer, kind: Any
) -> None:
    with AuthorizationServer() as api:
        api.documents["/api"] = Answer()
        diagnosis = diagnose(kind(jwt(**claims())), call=f"{api.url}/api")
    assert {check.name: check.outcome for check in diagnosis.checks} == {
        "token request": "ok",
        "token": "ok",
        "call": "ok",
    }


def test_token_from_elsewhere_that_cannot_be_had() -> None:
    def broken() -> str:
        raise LookupError("no token")

    check = step("token request", TokenCredentials(broken))
    assert check.outcome == "failed"
    assert check.advice == "look into the code that gives the token"


class Mine(Credentials):
    """Of the user's own kind; what they give may be anything."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def get_headers(self) -> dict[str, str]:
        return self.given  # type: ignore[no-any-return]  # the point of it

    def refresh_if_needed(self) -> None: ...


def test_credentials_of_the_users_own_kind() -> None:
    found = outcomes(Mine({"Authorization": "Bearer t"}))
    assert found == {"token request": "ok", "token": "not run"}


@pytest.mark.parametrize("given", [{}, None, {"Authorization": b"Bearer t"}])
def test_credentials_of_the_users_own_kind_that_give_nothing(given: Any) -> None:
    check = step("token request", Mine(given))
    assert (check.outcome, check.detail) == (
        "failed",
        "the credentials give no Authorization header",
    )


@pytest.mark.parametrize("given", [None, "token", OAuth2ClientCredentials])
def test_what_is_no_credentials_is_an_error(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="credentials must be an object of a class"):
        diagnose(given)


def test_credentials_of_the_users_own_kind_that_fail() -> None:
    class Mine(TokenCredentials):
        def get_headers(self) -> dict[str, str]:
            raise LookupError("no token")

    check = step("token request", Mine("t"))
    assert (check.outcome, check.detail) == ("failed", "the credentials raised LookupError")


# -- what it shows


def all_that_shows(diagnosis: Diagnosis) -> list[str]:
    return [
        str(diagnosis),
        repr(diagnosis),
        json.dumps(diagnosis.as_dict(), ensure_ascii=False),
        pickle.dumps(diagnosis).decode("latin-1"),
    ]


@pytest.mark.parametrize("echo", ["well", "refused", "refused by the API"])
def test_no_secret_and_no_token_is_in_it(
    server: AuthorizationServer, credentials: Any, echo: str
) -> None:
    token = jwt(**claims(aud=SECRET, sub="a person", email="somebody@example.com"))
    issues(server, token)
    server.documents["/api"] = Answer(401, {"WWW-Authenticate": f'Bearer error="{token}"'}, token)
    if echo == "refused":
        server.override = Answer(401, {}, {"error": f"{SECRET} {token}"})
    call = f"{server.url}/api" if echo == "refused by the API" else None
    diagnosis = diagnose(credentials, call=call, redact=False)
    for text in all_that_shows(diagnosis):
        for hidden in (SECRET, SIGNATURE, token, token.split(".")[1], "somebody@example.com"):
            assert hidden not in text


def test_ids_are_covered_but_for_four_characters(
    server: AuthorizationServer, settings: dict[str, Any], twin: Twin
) -> None:
    tenant = "99999999-aaaa-bbbb-cccc-dddddddddddd"
    issues(
        server,
        jwt(
            **claims(iss=f"https://idp.example.com/{tenant}/", tid=tenant, appid=CLIENT, sub="bob")
        ),
    )
    diagnosis = diagnose(twin.make(**settings), redact=True)
    for text in all_that_shows(diagnosis):
        assert CLIENT not in text
        assert tenant not in text
    assert "iss https://idp.example.com/9999…/" in diagnosis.check("token").detail
    assert diagnosis.check("token").found["claims"]["sub"] == "…"
    assert diagnosis.check("settings").found["client_id"] == "0a1b…"


@pytest.mark.parametrize("shown", range(5, 36))
def test_id_within_which_a_text_is_cut_is_covered(
    server: AuthorizationServer, credentials: Any, shown: int
) -> None:
    said = "x" * (199 - len("invalid_client: ") - shown)
    body = {"error": "invalid_client", "error_description": f"{said[:-1]} {CLIENT} {said}"}
    server.override = Answer(401, {}, body)
    detail = step("token request", credentials).detail
    assert f"x {CLIENT[:4]}…" in detail
    assert CLIENT[:5] not in detail


def test_guid_of_anybody_within_which_a_text_is_cut_is_covered(
    server: AuthorizationServer, credentials: Any
) -> None:
    said = "x" * 170 + " 99999999-aaaa-bbbb-cccc-dddddddddddd"
    server.override = Answer(401, {}, {"error": "no", "error_description": said})
    assert step("token request", credentials).detail.split(" [")[0].endswith("xx 9999…")


def test_what_a_terminal_would_obey_is_not_in_it(
    server: AuthorizationServer, credentials: Any
) -> None:
    issues(server, jwt(**claims(aud="api\x1b[2J\r")))
    server.documents["/api"] = Answer(403)
    check = step("as asked", credentials, call=f"{server.url}/api", redact=False)
    assert check.detail == "for api [2J"


def test_ids_are_shown_where_that_is_asked_for(credentials: Any) -> None:
    assert CLIENT in step("settings", credentials, redact=False).detail


def test_id_of_the_request_is_shown_for_the_servers_support(
    server: AuthorizationServer, credentials: Any
) -> None:
    trace = "11111111-2222-3333-4444-555555555555"
    server.override = Answer(
        400, {}, {"error": "invalid_scope", "error_description": "no", "trace_id": trace}
    )
    check = step("token request", credentials)
    assert f"trace_id {trace}" in check.detail
    assert check.found["request_id"] in check.detail
    assert len(check.found["request_id"]) == 36


def test_id_that_names_a_request_too_is_not_covered(
    server: AuthorizationServer, credentials: Any
) -> None:
    server.override = Answer(400, {}, {"error": "invalid_scope", "trace_id": CLIENT})
    assert CLIENT in step("token request", credentials).detail


# -- as values


def test_report_in_lines(server: AuthorizationServer, credentials: Any) -> None:
    server.override = Answer(401, {}, {"error": "invalid_client"})
    lines = str(diagnose(credentials)).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("failed   token request"))
    assert lines[at + 1].strip().startswith("check client_id and client_secret")
    assert lines[-1] == "not run  lifetime       needs token request"


def test_report_as_json(credentials: Any) -> None:
    fields = diagnose(credentials).as_dict()
    assert fields["ok"] is True
    assert fields["checks"][0].keys() == {
        *("name", "outcome", "detail", "advice", "seconds", "found"),
    }
    json.dumps(fields)


def test_check_that_is_not_there(credentials: Any) -> None:
    with pytest.raises(KeyError):
        diagnose(credentials).check("weather")


def test_report_of_refused_settings() -> None:
    with pytest.raises(ConfigurationError) as caught:
        OAuth2ClientCredentials("https://idp.example.com", "")
    diagnosis = refused_settings(caught.value)
    assert diagnosis.checks[0].outcome == "failed"
    assert {check.outcome for check in diagnosis.checks[1:]} == {"not run"}
    assert [check.name for check in diagnosis.checks] == STEPS


AWAY = UnreachableError("Discovery failed")


def test_report_where_metadata_cannot_be_had(server: AuthorizationServer) -> None:
    server.documents.clear()
    diagnosis = diagnose_issuer(server.issuer, AWAY, verify=str(server.ca_file))
    assert [check.name for check in diagnosis.checks] == STEPS[1:]
    assert "404" in diagnosis.check("discovery").detail
    assert diagnosis.check("clock").detail == "needs discovery"


def test_report_where_metadata_could_not_be_had_a_moment_ago(server: AuthorizationServer) -> None:
    told: list[Check] = []
    diagnosis = diagnose_issuer(
        server.issuer, AWAY, verify=str(server.ca_file), on_check=told.append
    )
    check = diagnosis.check("discovery")
    assert (check.outcome, check.detail) == ("failed", "Discovery failed")
    assert check.advice == "try again: the server answers now"
    assert told[-1] == diagnosis.checks[-1]
    assert not diagnosis.ok
