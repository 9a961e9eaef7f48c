"""The tables of advice, and which advice is given for what."""

from __future__ import annotations

import inspect
import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from pygen_auth import OAuth2ClientCredentials
from pygen_auth._hints import (
    CODES,
    ERROR_CODES,
    OTHER_METHOD,
    REFUSED,
    REFUSED_CLIENT,
    STATUSES,
    WORDINGS,
    hint_for,
)

POST = "client_secret_post"
ENTRA = CODES["Microsoft Entra ID"]
METHODS = [  # RFC 7591 §2, those with which a client proves something
    "client_secret_post",
    "client_secret_basic",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
]


def tables() -> Iterator[tuple[str, str]]:
    """Each key of each table with its advice."""
    for table in (*CODES.values(), *WORDINGS.values()):
        yield from table.items()
    for table in (OTHER_METHOD, REFUSED_CLIENT, ERROR_CODES, STATUSES):
        yield from table.items()


ADVICES = [pytest.param(advice, id=key) for key, advice in tables()]


def hint(
    description: str | None = None,
    *,
    codes: tuple[str, ...] = (),
    error: str | None = None,
    status: int = 400,
    client_auth: str = POST,
) -> str | None:
    return hint_for(codes, error, description, status, client_auth)


# -- the tables


def test_entra_has_the_codes_that_people_meet() -> None:
    assert len(ENTRA) >= 60
    assert all(re.fullmatch(r"AADSTS\d{5,7}", code) for code in ENTRA)


@pytest.mark.parametrize("advice", ADVICES)
def test_an_advice_is_one_short_sentence_without_its_full_stop(advice: str) -> None:
    assert len(advice) <= 150
    assert advice.isprintable()
    assert not advice.endswith((".", "!", ","))
    assert not re.search(r"[.;!?] ", advice)


@pytest.mark.parametrize("advice", ADVICES)
def test_an_advice_says_what_to_do(advice: str) -> None:
    assert advice.partition(" ")[0] in {
        *("add", "allow", "ask", "assign", "authorize", "check", "compare", "create", "enable"),
        *("give", "grant", "keep", "make", "name", "open", "put", "register", "renew", "set"),
        *("share", "switch", "take", "use"),
    }


@pytest.mark.parametrize("advice", ADVICES)
def test_an_advice_names_arguments_and_attributes_that_exist(advice: str) -> None:
    arguments = set(inspect.signature(OAuth2ClientCredentials).parameters)
    named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", advice))
    assert named <= {*arguments, *METHODS, "client_credentials", "trace_id"}


@pytest.mark.parametrize("advice", ADVICES)
def test_an_advice_sets_client_auth_to_what_it_may_be(advice: str) -> None:
    for value in re.findall(r"client_auth=([^ ,]+)", advice):
        assert value.rstrip(":") in {
            *("'client_secret_post'", "'client_secret_basic'", "ClientSecretJWT(...)"),
            *("PrivateKeyJWT(...)", "TLSClientCertificate(...)"),
        }


SHARED = {  # an advice that more than one key has, and how many
    "ask again in a minute": 6,
    "check audience, or resource in params": 2,
    "check audience: no API": 2,
    "check client_id: the server knows no such client": 4,
    "check token_url: it is the address of an API": 2,
    "add client_credentials to the grant types": 2,
    "allow those scopes": 2,
    "ask the administrator which Conditional Access": 2,
    "ask an administrator to consent": 2,
    "ask for this tenant to be allowed": 3,
    "assign an app role": 2,
    "check client_id and the tenant in token_url: that": 2,
    "compare aud": 2,
    "compare sub": 2,
    "give client_secret, or a key in client_auth: the server": 2,
    "give scopes as": 4,
    "give scopes: this": 2,
    "give what the message names": 2,
    "make the assertion": 2,
    "name the tenant": 3,
    "open a ticket": 2,
    "put your own tenant": 3,
    "check the host of token_url": 2,
    "register the public key": 2,
    "set the clock": 3,
    "switch DPoP off": 3,
    "take resource out of params": 2,
    "take token_url and scopes of one cloud": 2,
}


def test_no_two_causes_share_an_advice_unless_that_is_meant() -> None:
    often = {
        advice: count for advice, count in Counter(a for _, a in tables()).items() if count > 1
    }
    assert len(often) == len(SHARED)
    for start, count in SHARED.items():
        assert [often[advice] for advice in often if advice.startswith(start)] == [count], start


def test_no_wording_is_listed_twice() -> None:
    wordings = [wording for table in WORDINGS.values() for wording in table]
    assert len(set(wordings)) == len(wordings)


def test_each_way_to_authenticate_has_its_advices() -> None:
    assert list(REFUSED_CLIENT) == list(OTHER_METHOD) == METHODS


# -- wordings, as the servers write them

REAL = {
    "Policy evaluation failed for this request…": "Policy evaluation failed for this request, "
    "please check the policy configurations.",
    "Policy evaluation succeeded, but all the requested scopes were rejected": "Policy evaluation "
    "succeeded, but all the requested scopes were rejected.",
    "Some of the requested scopes were denied by the policy…": "Some of the requested scopes were "
    "denied by the policy. Denied scopes: [admin].",
    "One or more scopes are not configured for the authorization server…": "One or more scopes are "
    "not configured for the authorization server resource.",
    "No scopes were requested": "No scopes were requested.",
    "…does not have any configured default scopes, 'scope' must be provided": "The authorization "
    "server resource does not have any configured default scopes, 'scope' must be provided.",
    "Cannot request 'openid' scopes…": "Cannot request 'openid' scopes using client credentials.",
    "The request is made from outside the client's permitted network zones": "The request is made "
    "from outside the client's permitted network zones.",
    "This client cannot use a custom authorization server": "This client cannot use a custom "
    "authorization server.",
    "…to the Org Authorization Server must use the private_key_jwt…": "Client Credentials requests "
    "to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.",
    "Only clients with 'application_type' of 'service' may use the…": "Only clients with "
    "'application_type' of 'service' may use the client_credentials 'grant_type' with the Org "
    "Authorization Server.",
    "The client secret supplied for a confidential client is invalid": "The client secret supplied "
    "for a confidential client is invalid.",
    "No client credentials found": "No client credentials found.",
    "Invalid value for 'client_id' parameter": "Invalid value for 'client_id' parameter.",
    "Cannot supply multiple client credentials…": "Cannot supply multiple client credentials. Use "
    "one of the following: credentials in the Authorization header, credentials in the post body, "
    "or a client_assertion in the post body.",
    "The audience claim for client_assertion must be…": "The audience claim for client_assertion "
    "must be the endpoint invoked for the request.",
    "The client_assertion token is expired": "The client_assertion token is expired.",
    "The client_assertion token has an expiration too far into the future": "The client_assertion "
    "token has an expiration too far into the future.",
    "The client_assertion token must be issued before the current time": "The client_assertion "
    "token must be issued before the current time.",
    "The client_assertion … is invalid": "The client_assertion signature is invalid.",
    "The client does not have a JWKSet configured, but the client_assertion…": "The client does "
    "not have a JWKSet configured, but the client_assertion requires one.",
    "Service not enabled within domain: …": "Service not enabled within domain: "
    "https://api.example.com",
    "Service not found: …": "Service not found: https://api.example.com",
    "Non-global clients are not allowed access to APIv1": "Non-global clients are not allowed "
    "access to APIv1",
    'Client is not authorized to access "…': "Client is not authorized to access "
    '"https://api.example.com". You need to create a "client-grant" associated to this API. See: '
    "https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants",
    "Client has not been granted scopes: …": "Client has not been granted scopes: read:messages",
    "Grant type '…' not allowed for the client": "Grant type 'client_credentials' not allowed for "
    "the client.",
    "Client quota exceeded": "Client quota exceeded",
    "Client not enabled to retrieve service account": "Client not enabled to retrieve service "
    "account",
    "Public client not allowed to retrieve service account": "Public client not allowed to "
    "retrieve service account",
    "User 'service-account-…' disabled": "User 'service-account-myclient' disabled",
    "Realm does not exist": "Realm does not exist",
    "…Requested audience '…' has not been whitelisted by the OAuth 2.0 Client…": "The request is "
    "missing a required parameter, includes an invalid parameter value, includes a parameter more "
    "than once, or is otherwise malformed. Requested audience 'https://api.example.com' has not "
    "been whitelisted by the OAuth 2.0 Client.",
    "…The OAuth 2.0 Client is not allowed to request scope '…": "The requested scope is invalid, "
    "unknown, or malformed. The OAuth 2.0 Client is not allowed to request scope 'admin'.",
    "…is not allowed to use authorization grant 'client_credentials'…": "The client is not "
    "authorized to request a token using this method. The OAuth 2.0 Client is not allowed to use "
    "authorization grant 'client_credentials'.",
    "…The requested OAuth 2.0 Client does not exist…": "Client authentication failed (e.g., "
    "unknown client, no client authentication included, or unsupported authentication method). "
    "The requested OAuth 2.0 Client does not exist.",
    "no client credentials user enabled": "no client credentials user enabled",
    "request not supported on this domain": "request not supported on this domain",
    "Unauthorized grant type…": "Unauthorized grant type",
    "A valid OAuth client could not be found…": "A valid OAuth client could not be found for "
    "client_id: nope",
    "Client requires DPoP…": "Client requires DPoP and a DPoP header value was not provided.",
    "Missing Authentication Token": "Missing Authentication Token",
}
ADVICE_OF = {wording: advice for table in WORDINGS.values() for wording, advice in table.items()}
HYDRA = (
    "Client authentication failed (e.g., unknown client, no client authentication included, or "
    "unsupported authentication method). The OAuth 2.0 Client supports client authentication "
    "method '{}', but method 'client_secret_post' was requested. You must configure the OAuth 2.0 "
    "client's 'token_endpoint_auth_method' value to accept 'client_secret_post'."
)


def test_each_wording_is_tried_with_a_real_text() -> None:
    assert list(REAL) == list(ADVICE_OF)


@pytest.mark.parametrize("wording", REAL)
def test_a_wording_is_known_as_the_server_writes_it(wording: str) -> None:
    assert hint(REAL[wording]) == ADVICE_OF[wording]


@pytest.mark.parametrize("wording", REAL)
def test_a_wording_is_told_from_all_others(wording: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order of the table: with this one alone, no text but its own is known."""
    alone = [(wording.casefold(), "found")]
    monkeypatch.setattr("pygen_auth._hints._BY_WORDING", alone)
    texts = [*REAL.values(), *map(HYDRA.format, METHODS), *REFUSED, *ERROR_CODES]
    assert [text for text in texts if hint(text) == "found"] == [REAL[wording]]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("REALM DOES NOT EXIST", id="capitals"),
        pytest.param(" Realm  does\r\n not exist ", id="blanks and breaks"),
        pytest.param("Realm does not exist.", id="full stop"),
    ],
)
def test_case_blanks_and_a_last_full_stop_do_not_matter(text: str) -> None:
    assert hint(text) == ADVICE_OF["Realm does not exist"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("A realm does not exist", id="more ahead"),
        pytest.param("Realm does not exist here", id="more behind"),
        pytest.param("User 'service-account-' is disabled", id="a part that does not follow"),
        pytest.param("Grant type 'x' is not allowed", id="the last part is missing"),
        pytest.param("grant type ' not allowed for the client", id="parts that overlap"),
        pytest.param("Requested audience has not been whitelisted", id="a part in the middle"),
    ],
)
def test_a_wording_is_the_whole_text(text: str) -> None:
    assert hint(text) is None


def test_what_stands_for_anything_stands_for_nothing_too() -> None:
    text = "The requested OAuth 2.0 Client does not exist"
    assert hint(text) == ADVICE_OF[f"…{text}…"]


@pytest.mark.parametrize("wording", ["Client requires DPoP…", "Missing Authentication Token"])
def test_the_error_code_may_be_the_text(wording: str) -> None:
    assert hint(error=REAL[wording]) == ADVICE_OF[wording]


def test_what_stands_far_back_is_not_looked_at() -> None:
    assert hint(f"{'x' * 1_000}The requested OAuth 2.0 Client does not exist.") is None


# -- which one counts


@pytest.mark.parametrize("code", [code for table in CODES.values() for code in table])
def test_the_providers_code_counts_ahead_of_all_else(code: str) -> None:
    advice = {**ENTRA, **CODES["Okta"]}[code]
    text = REAL["Realm does not exist"]
    assert hint(text, codes=(code,), error="invalid_client", status=404) == advice


def test_of_several_codes_the_first_that_is_known_counts() -> None:
    codes = ("AADSTS1", "AADSTS7000222", "AADSTS7000215")
    assert hint(codes=codes) == ENTRA["AADSTS7000222"]


@pytest.mark.parametrize("code", ["aadsts7000222", " AADSTS7000222 "])
def test_case_and_blanks_of_a_code_do_not_matter(code: str) -> None:
    assert hint(codes=(code,)) == ENTRA["AADSTS7000222"]


def test_the_wording_counts_ahead_of_the_refused_client() -> None:
    text = REAL["Unauthorized grant type…"]
    assert hint(text, error="invalid_client", status=401) == ADVICE_OF["Unauthorized grant type…"]


def test_the_error_code_counts_ahead_of_the_status() -> None:
    assert hint(error="invalid_scope", status=404) == ERROR_CODES["invalid_scope"]


@pytest.mark.parametrize("error", ERROR_CODES)
def test_an_error_code_has_its_advice_in_capitals_and_with_blanks_too(error: str) -> None:
    assert hint(error=f" {error.upper()} ") == hint(error=error) == ERROR_CODES[error]


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_has_its_advice_where_nothing_else_is_known(status: str) -> None:
    assert hint("No such thing.", error="nothing_known", status=int(status)) == STATUSES[status]


@pytest.mark.parametrize("status", [200, 302, 400, 403, 500, 503])
def test_no_advice_where_nothing_is_known(status: int) -> None:
    assert hint("No such thing.", error="something_else", status=status) is None


# -- the client is refused


@pytest.mark.parametrize("client_auth", METHODS)
@pytest.mark.parametrize(
    ("description", "error", "status"),
    [
        pytest.param(None, "invalid_client", 401, id="code"),
        pytest.param(None, "invalid_client", 400, id="code with 400, as from Cognito"),
        pytest.param(None, " Invalid_Client ", 400, id="code in capitals"),
        pytest.param("Client authentication failed", "invalid_client", 401, id="text"),
        pytest.param("Invalid client or client credentials", "invalid_client", 401, id="Ping"),
        pytest.param(
            "Invalid client or Invalid client credentials",
            "unauthorized_client",
            401,
            id="Keycloak",
        ),
        pytest.param("Invalid client secret", "unauthorized_client", 400, id="Keycloak, old"),
        pytest.param(
            "Client secret not provided in request", "unauthorized_client", 400, id="no secret"
        ),
        pytest.param("Unauthorized", "access_denied", 401, id="Auth0"),
        pytest.param("Bad credentials", "unauthorized", 401, id="XSUAA"),
        pytest.param("Bad credentials", "invalid_client", 401, id="UAA"),
        pytest.param("Bad credentials", "access_denied", 403, id="with another code"),
        pytest.param(None, "invalid_client_credentials", 400, id="Salesforce"),
        pytest.param(None, "Unauthorized", 401, id="Spring"),
        pytest.param("Authentication Failure", "Unauthorized", 401, id="OneLogin"),
        pytest.param(None, None, 401, id="401 alone"),
        pytest.param("Full authentication is required", None, 401, id="401 with a text"),
    ],
)
def test_a_refused_client_is_told_by_how_it_authenticated(
    description: str | None, error: str | None, status: int, client_auth: str
) -> None:
    advice = hint(description, error=error, status=status, client_auth=client_auth)
    assert advice == REFUSED_CLIENT[client_auth]


@pytest.mark.parametrize(
    ("client_auth", "other"),
    [
        pytest.param("client_secret_post", "client_secret_basic", id="post"),
        pytest.param("client_secret_basic", "client_secret_post", id="basic"),
    ],
)
def test_a_secret_that_is_refused_may_have_gone_the_wrong_way(client_auth: str, other: str) -> None:
    advice = REFUSED_CLIENT[client_auth]
    assert advice.startswith("check client_id and client_secret, or try")
    assert re.findall(r"client_auth='(\w+)'", advice) == [other]


@pytest.mark.parametrize("code", ["AADSTS7000215", "AADSTS7000222"])
def test_a_secret_that_itself_is_wrong_is_sent_no_other_way(code: str) -> None:
    assert "client_auth" not in str(hint(codes=(code,), error="invalid_client", status=401))


@pytest.mark.parametrize(
    ("description", "error", "status"),
    [
        pytest.param("Not so.", "access_denied", 401, id="401 with a code"),
        pytest.param("This is unauthorized", "access_denied", 403, id="the word in a text"),
        pytest.param(None, None, 403, id="403 alone"),
        pytest.param("No.", "something_else", 401, id="401 with an unknown code"),
    ],
)
def test_another_refusal_is_not_taken_for_one_of_the_client(
    description: str | None, error: str | None, status: int
) -> None:
    assert hint(description, error=error, status=status) != REFUSED_CLIENT[POST]


def test_a_way_to_authenticate_that_is_unknown_gets_no_advice() -> None:
    assert hint(error="invalid_client", status=401, client_auth="none") is None


# -- the server names the method that it wants


@pytest.mark.parametrize("method", [method for method in METHODS if method != POST])
def test_the_method_that_the_server_names_is_the_one_to_set(method: str) -> None:
    assert hint(HYDRA.format(method), error="invalid_client", status=401) == OTHER_METHOD[method]


def test_the_method_is_found_in_other_words_too() -> None:
    text = (
        "This requested OAuth 2.0 client only supports client authentication method "
        "'client_secret_basic', however 'client_assertion' was provided in the request."
    )
    advice = hint(text, error="invalid_client", status=401, client_auth="private_key_jwt")
    assert advice == OTHER_METHOD["client_secret_basic"]


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("none", id="none"),
        pytest.param("rm_rf", id="unheard of"),
        pytest.param("x" * 41, id="too long"),
        pytest.param("", id="empty"),
        pytest.param(POST, id="the one that is in use"),
    ],
)
def test_a_method_that_cannot_be_set_is_not_named(method: str) -> None:
    advice = hint(HYDRA.format(method), error="invalid_client", status=401)
    assert advice == REFUSED_CLIENT[POST]


# -- hostile texts


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Requested audience '" * 100_000, id="the beginning of a wording"),
        pytest.param("…" * 1_000_000, id="what stands for anything"),
        pytest.param("supports client authentication method '" * 50_000, id="no end of a method"),
        pytest.param(" " * 1_000_000, id="blanks"),
        pytest.param("\ud800\x00" * 500_000, id="what is no text"),
    ],
)
def test_a_hostile_text_is_looked_at_in_no_time(text: str) -> None:
    start = time.process_time()
    assert hint(text, error=text) is None
    assert time.process_time() - start < 0.2
