"""An error response, whatever its shape: code, text, ids, whether to ask again, and no secret.

What RFC 6749 §5.2 says of it, and when to ask again, is in test_protocol.py.
"""

from __future__ import annotations

import html
import json
import pickle
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from pygen_auth import RefusedError
from pygen_auth._clock import Instant
from pygen_auth._hints import CODES, REFUSED_CLIENT, STATUSES
from pygen_auth._refusal import _PERMANENT_NUMBERS, _TRANSIENT_NUMBERS, refusal
from pygen_auth._wire import Response

NOW = Instant(wall=1_800_000_000.0, monotonic=5_000.0)
ENTRA = CODES["Microsoft Entra ID"]
SECRET = "Zq8~s3cret/x+y"


def refused(
    body: object = b"",
    status: int = 400,
    headers: Mapping[str, str] | None = None,
    secrets: tuple[str, ...] = (),
    client_auth: str | None = None,
) -> RefusedError:
    """The error for that body: an object as JSON, text and bytes as they are."""
    if isinstance(body, (str, bytes)):
        raw, fields = body if isinstance(body, bytes) else body.encode(), {}
    else:
        raw, fields = json.dumps(body).encode(), body if isinstance(body, dict) else {}
    answer = Response(status=status, headers=headers or {}, body=raw)
    ways = {} if client_auth is None else {"client_auth": client_auth}
    return refusal(answer, fields, NOW, secrets, **ways)


def said(error: RefusedError) -> str:
    return str(error).partition(f"Token request failed with status {error.status}: ")[2]


# -- code and text, by rules

AWS_XML = (
    '<?xml version="1.0"?><ErrorResponse xmlns="https://x.example.com/"><Error><Type>Sender</Type>'
    "<Code>InvalidClientTokenId</Code><Message>Not &lt;that&gt; token</Message></Error>"
    "<RequestId>r-1</RequestId></ErrorResponse>"
)
WSO2_XML = (
    '<ams:fault xmlns:ams="http://wso2.org/apimanager/security"><ams:code>900902</ams:code>'
    "<ams:message>Missing Credentials</ams:message></ams:fault>"
)
SPRING_XML = (
    "<OAuth2Exception><error_description>Bad credentials</error_description>"
    "<error>unauthorized</error></OAuth2Exception>"
)
SHAPES = [
    # -- API-shaped
    pytest.param(
        {"errorCode": "E0000001", "errorSummary": "No.", "errorCauses": [{"errorSummary": "x"}]},
        ("E0000001", "No."),
        id="Okta's API",
    ),
    pytest.param(
        {"name": "BadRequestError", "code": "user_exists", "description": "No.", "statusCode": 400},
        ("user_exists", "No."),
        id="Auth0's API",
    ),
    pytest.param(
        {"status": {"error": True, "code": 401, "type": "Unauthorized", "message": "No."}},
        ("Unauthorized", "No."),
        id="OneLogin",
    ),
    pytest.param(
        {"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"},
        ("invalid_client", "ClientId is Invalid"),
        id="Apigee",
    ),
    pytest.param(
        {"fault": {"faultstring": "No.", "detail": {"errorcode": "oauth.v2.InvalidApiKey"}}},
        ("oauth.v2.InvalidApiKey", "No."),
        id="Apigee's gateway",
    ),
    pytest.param(
        {"error_code": "PERMISSION_DENIED", "message": "No."},
        ("PERMISSION_DENIED", "No."),
        id="Databricks",
    ),
    pytest.param(
        {"__type": "NotAuthorizedException", "message": "No."},
        ("NotAuthorizedException", "No."),
        id="AWS",
    ),
    pytest.param({"Message": "No."}, (None, "No."), id="AWS gateway in PascalCase"),
    pytest.param(
        {"error": {"errors": [{"reason": "required"}], "code": 401, "message": "Login."}},
        (None, "Login."),
        id="Google's API",
    ),
    pytest.param(
        {"error": {"code": "005056", "message": {"lang": "en", "value": "No."}}},
        ("005056", "No."),
        id="OData",
    ),
    pytest.param(
        {"timestamp": 1, "status": 500, "error": "Internal Server Error", "path": "/token"},
        ("Internal Server Error", None),
        id="Spring",
    ),
    pytest.param(
        {"statusCode": 400, "message": ["x is wrong", "y"], "error": "Bad Request"},
        ("Bad Request", "x is wrong"),
        id="Nest",
    ),
    pytest.param(
        {"detail": [{"loc": ["body"], "msg": "field required", "type": "value_error.missing"}]},
        ("value_error.missing", "field required"),
        id="FastAPI",
    ),
    pytest.param(
        {"errors": [{"status": "401", "code": "nope", "title": "Short", "detail": "Long."}]},
        ("nope", "Long."),
        id="JSON:API",
    ),
    pytest.param(
        {"type": "https://x.example.com/probs/1", "title": "Short", "status": 401, "detail": "L."},
        (None, "L."),
        id="RFC 9457",
    ),
    pytest.param({"type": "about:blank", "title": "Short"}, (None, "Short"), id="RFC 9457, short"),
    pytest.param(
        {"error": "invalid_client", "error_description": "No.", "error_hint": "No such client."},
        ("invalid_client", "No. No such client."),
        id="Hydra's hint",
    ),
    pytest.param({"error": "x", "error_hint": "Why."}, ("x", "Why."), id="hint alone"),
    pytest.param(
        {"errors": [{"message": "a", "error_hint": "b"}, {"message": "c", "error_hint": "d"}]},
        (None, "a b"),
        id="the first of each",
    ),
    # -- `error` in all kinds
    pytest.param({"error": True, "message": "No."}, (None, "No."), id="error as true"),
    pytest.param({"error": ["No.", "x"]}, (None, "No."), id="error as a list of texts"),
    pytest.param({"error": [{"code": "c"}]}, ("c", None), id="error as a list of objects"),
    pytest.param({"error": {"errors": [{"code": "c"}]}}, ("c", None), id="error in an error"),
    pytest.param({"error": 401, "message": "No."}, (None, "No."), id="error as the status"),
    pytest.param({"error": "Nothing here!"}, ("Nothing here!", None), id="error as a sentence"),
    pytest.param(
        {"error": "Not this way.", "code": "c"}, ("c", "Not this way."), id="sentence and code"
    ),
    pytest.param(
        {"error": "Not this way.", "code": "c", "message": "m"}, ("c", "m"), id="all three"
    ),
    pytest.param({"status": "error", "message": "No."}, (None, "No."), id="status as a word"),
    pytest.param({"error": "failed", "code": "c"}, ("c", None), id="error as a word"),
    pytest.param({"error": None, "Error": "c"}, ("c", None), id="null"),
    pytest.param({"Error": "Upper", "error": "lower"}, ("lower", None), id="RFC ahead of others"),
    pytest.param({"Error-Description": "No."}, (None, "No."), id="with a hyphen"),
    pytest.param({"error": "x", "e" * 41: "y"}, ("x", None), id="a name without end"),
    pytest.param(
        {"error": "outer", "errors": [{"code": "inner", "message": "m"}]},
        ("outer", "m"),
        id="outer ahead of inner",
    ),
    pytest.param({"data": {"error": "x"}}, (None, None), id="not where an error lies"),
    pytest.param({"details": [{"code": "c", "reason": "No."}]}, ("c", "No."), id="details"),
    pytest.param({"faultcode": "c", "errorMessage": "No."}, ("c", "No."), id="other names"),
    # -- no JSON object
    pytest.param([{"errorCode": "INVALID", "message": "No."}], ("INVALID", "No."), id="list"),
    pytest.param(
        "error=incorrect_client&error_description=Not+th%C3%A4t",
        ("incorrect_client", "Not thät"),
        id="form",
    ),
    pytest.param("<Error><Message>No.</Message></Error>", (None, "No."), id="XML"),
    pytest.param(AWS_XML, ("InvalidClientTokenId", "Not <that> token"), id="AWS in XML"),
    pytest.param(WSO2_XML, ("900902", "Missing Credentials"), id="WSO2 in XML"),
    pytest.param(SPRING_XML, ("unauthorized", "Bad credentials"), id="Spring in XML"),
    pytest.param(
        "<html><head><title>502 Bad Gateway</title></head><body><code>x</code></body></html>",
        (None, "502 Bad Gateway"),
        id="HTML",
    ),
    pytest.param(
        '<!-- x -->\n<!DOCTYPE html>\n<HTML lang="en"><TITLE dir="ltr">\n A &amp; B\n</TITLE>',
        (None, "A & B"),
        id="HTML in capitals, with line breaks",
    ),
]


@pytest.mark.parametrize(("body", "expected"), SHAPES)
def test_code_and_text_are_found_in_any_shape(
    body: object, expected: tuple[str | None, str | None]
) -> None:
    error = refused(body)
    assert (error.error, error.description) == expected
    assert said(error).startswith(": ".join(filter(None, expected)))


@pytest.mark.parametrize(("body", "expected"), SHAPES)
@pytest.mark.parametrize(("status", "retryable"), [(400, False), (429, True), (503, True)])
def test_any_shape_leaves_the_status_and_the_pause_as_they_are(
    body: object, expected: object, status: int, retryable: bool
) -> None:
    error = refused(body, status, {"retry-after": "7"})
    permanent = error.error == "invalid_client" and status == 503
    assert (error.status, error.retryable, error.retry_after) == (
        status,
        retryable and not permanent,
        7.0,
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("Too Many Requests", id="text"),
        pytest.param("<h1>502</h1>", id="markup"),
        pytest.param("<html><body>down</body></html>", id="page without a title"),
        pytest.param("<html><title></title>", id="page with an empty title"),
        pytest.param("[1, 2]", id="list of numbers"),
        pytest.param("[[[", id="broken JSON"),
        pytest.param("[" * 60_000, id="JSON without end"),
        pytest.param("grant_type=x&scope=y", id="form without an error"),
        pytest.param("all is lost&error=x", id="no form"),
        pytest.param('{"error":', id="truncated JSON"),
        pytest.param("<error>", id="truncated XML"),
    ],
)
def test_a_body_that_tells_nothing_is_shown_as_it_is(body: str) -> None:
    error = refused(body)
    assert (error.error, error.description) == (None, None)
    assert said(error) == (body if len(body) <= 200 else f"{body[:199]}…")


def test_a_text_that_repeats_the_code_is_said_once() -> None:
    assert said(refused({"error": "Forbidden", "message": "Forbidden"})) == "Forbidden"


def test_without_a_body_the_challenge_tells() -> None:
    challenge = 'Bearer realm="x", error="invalid_request", error_description="No."'
    error = refused(b" \n", 403, {"www-authenticate": challenge})
    assert (error.error, error.description) == ("invalid_request", "No.")


def test_with_a_body_the_challenge_does_not_count() -> None:
    challenge = 'Basic realm="UAA/client", error="unauthorized"'
    assert refused({"message": "No."}, 403, {"www-authenticate": challenge}).error is None


def test_a_challenge_without_an_error_tells_nothing() -> None:
    error = refused(b"", 403, {"www-authenticate": 'Basic realm="x"'})
    assert said(error) == "(no body)"


def test_objects_without_end_are_not_all_looked_at() -> None:
    body = {"errors": [{"x": 1}] * 60 + [{"message": "far back"}]}
    assert refused(body).description is None


# -- the provider's own code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({"error_description": "AADSTS7000215: No."}, "AADSTS7000215", id="Entra"),
        pytest.param({"error_description": " aadsts53003 x"}, "AADSTS53003", id="small letters"),
        pytest.param({"error": {"message": "AADSTS53003: No."}}, "AADSTS53003", id="in an object"),
        pytest.param({"error": "AADSTS53003: No."}, "AADSTS53003", id="as error"),
        pytest.param({"error_description": "AADB2C90117: No."}, "AADB2C90117", id="B2C"),
        pytest.param({"error_description": "MSIS9607: No."}, "MSIS9607", id="AD FS"),
        pytest.param({"error_description": "CWOAU0038E: No."}, "CWOAU0038E", id="WebSphere"),
        pytest.param({"error_description": "MSIS9607 No."}, None, id="no colon"),
        pytest.param({"error_description": "Error 12: No."}, None, id="a word and a number"),
        pytest.param({"error_description": "NOTE: No."}, None, id="a word in capitals"),
        pytest.param({"error_codes": [7000215]}, "AADSTS7000215", id="number"),
        pytest.param({"error_codes": [70002, 50012]}, "AADSTS70002", id="numbers"),
        pytest.param(
            {"error_description": "AADSTS991: No.", "error_codes": [90010]},
            "AADSTS991",
            id="text ahead of numbers",
        ),
        pytest.param({"error_codes": [True]}, None, id="true"),
        pytest.param({"error_codes": [7000215, "x"]}, None, id="number and text"),
        pytest.param({"error_codes": ["7000215"]}, None, id="text of a number"),
        pytest.param({"error_codes": [7000215.0]}, None, id="float"),
        pytest.param({"error_codes": [-5]}, None, id="negative"),
        pytest.param({"error_codes": [10**9]}, None, id="too long a number"),
        pytest.param({"error_codes": 7000215}, None, id="no list"),
        pytest.param({"error_codes": []}, None, id="empty list"),
        pytest.param({"errorCode": " E0000047 "}, "E0000047", id="Okta, with blanks"),
        pytest.param({"ErrorCode": "E0000047"}, "E0000047", id="PascalCase"),
        pytest.param({"errorCode": "invalid_client"}, None, id="a word is in error already"),
        pytest.param({"errorCode": "403"}, None, id="status"),
        pytest.param({"errorCode": "12345"}, None, id="a number of nobody"),
    ],
)
def test_the_number_of_the_provider_is_found(body: object, code: str | None) -> None:
    assert refused(body).code == code


def test_a_code_that_tells_the_secret_is_not_kept_but_for_known_ones() -> None:
    assert refused({"errorCode": "abc123"}, secrets=("abc123",)).code is None
    known = refused({"error_codes": [7000215]}, secrets=("7000215",))
    assert known.code == "AADSTS7000215"


def test_advice_is_found_by_a_code_that_is_not_shown() -> None:
    error = refused({"errorCode": "e0000047"}, secrets=("e0000047",))
    assert (error.code, error.hint) == (None, CODES["Okta"]["E0000047"])


# -- ids for the provider's support

MS, OKTA = "x-ms-request-id", "x-okta-request-id"


@pytest.mark.parametrize(
    ("body", "headers", "trace_id", "correlation_id"),
    [
        pytest.param({"trace_id": "t", "correlation_id": "c"}, {MS: "h"}, "t", "c", id="Entra"),
        pytest.param({"errorId": "oae-1_A.b"}, {OKTA: "h"}, "oae-1_A.b", None, id="Okta's API"),
        pytest.param({"trace_id": "t", "errorId": "e"}, {}, "t", None, id="trace id ahead"),
        pytest.param({}, {MS: "m", OKTA: "o"}, "m", None, id="Entra's header"),
        pytest.param({}, {OKTA: "o"}, "o", None, id="Okta's header"),
        pytest.param({"correlationId": " c "}, {}, None, "c", id="in other spelling"),
        pytest.param(
            {"error": {"innerError": {"request-id": "r"}}}, {}, "r", None, id="Microsoft Graph"
        ),
        pytest.param({"trace_id": "two words"}, {MS: "m"}, "m", None, id="no id"),
        pytest.param({"trace_id": "t" * 101}, {}, None, None, id="too long"),
        pytest.param({"trace_id": "t" * 100}, {}, "t" * 100, None, id="long"),
        pytest.param({"trace_id": "tŕ"}, {}, None, None, id="no ASCII"),
        pytest.param({"trace_id": 7, "correlation_id": ["c"]}, {}, None, None, id="no text"),
        pytest.param({"trace_id": ""}, {MS: ""}, None, None, id="empty"),
        pytest.param({}, {}, None, None, id="none"),
    ],
)
def test_ids_are_kept_where_they_look_like_ids(
    body: dict[str, object],
    headers: dict[str, str],
    trace_id: str | None,
    correlation_id: str | None,
) -> None:
    error = refused({"error": "x", **body}, headers=headers)
    assert (error.trace_id, error.correlation_id) == (trace_id, correlation_id)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param({"trace_id": "s3cret"}, {}, id="trace id"),
        pytest.param({"correlation_id": "x-s3cret"}, {}, id="correlation id"),
        pytest.param({"error": "x"}, {MS: "S3CRET"}, id="header"),
    ],
)
def test_an_id_that_tells_the_secret_is_not_kept(
    body: dict[str, object], headers: dict[str, str]
) -> None:
    error = refused(body, headers=headers, secrets=("s3cret",))
    assert (error.trace_id, error.correlation_id) == (None, None)


def test_a_refusal_made_of_a_message_alone_has_no_correlation_id() -> None:
    assert RefusedError("no").correlation_id is None


def test_the_correlation_id_comes_back_from_a_pickle() -> None:
    error = RefusedError("no", correlation_id="c")
    assert pickle.loads(pickle.dumps(error)).correlation_id == "c"


# -- may it be asked again: the provider's code


@pytest.mark.parametrize("code", ["AADSTS90036", "AADSTS90092"])
@pytest.mark.parametrize("status", [200, 400, 409, 500, 503])
def test_a_permanent_code_counts_ahead_of_error_and_status(code: str, status: int) -> None:
    body = {"error": "server_error", "error_description": f"{code}: No."}
    assert not refused(body, status).retryable


@pytest.mark.parametrize("code", ["AADSTS90024", "AADSTS90033", "AADSTS90012", "aadsts90006"])
@pytest.mark.parametrize("status", [200, 400, 401, 501])
def test_a_transient_code_counts_ahead_of_error_and_status(code: str, status: int) -> None:
    assert refused(
        {"error": "invalid_request", "error_description": f"{code}: x"}, status
    ).retryable


@pytest.mark.parametrize("code", ["E0000047", "E0000010", "e0000010"])
def test_a_transient_code_of_okta_counts_at_any_status(code: str) -> None:
    assert refused({"errorCode": code, "errorSummary": "No."}, 400).retryable


@pytest.mark.parametrize("status", [408, 429])
def test_408_and_429_count_ahead_of_a_permanent_code(status: int) -> None:
    body = {"error": "server_error", "error_description": "AADSTS90036: No."}
    assert refused(body, status).retryable


def test_a_permanent_number_counts_without_a_text() -> None:
    assert not refused({"error": "server_error", "error_codes": [90036]}, 500).retryable


def test_a_code_that_says_nothing_of_it_leaves_it_to_the_error() -> None:
    body = {"error": "server_error", "error_description": "AADSTS50000: No."}
    assert refused(body, 400).retryable


@pytest.mark.parametrize("error", ["invalid_client", " Invalid_Client "])
def test_a_permanent_error_is_known_in_any_shape(error: str) -> None:
    assert not refused([{"code": error}], 500).retryable


def test_the_documentation_names_the_codes_that_decide() -> None:
    text = (Path(__file__).parents[1] / "docs/errors.md").read_text("utf-8")
    section = text.partition("## Which failures may pass")[2].partition("\n## ")[0]
    may_pass, _, may_not = section.partition("may pass;")
    code = re.compile(r"`((?:AADSTS|E)\d+)`")
    assert set(code.findall(may_pass)) == _TRANSIENT_NUMBERS
    assert set(code.findall(may_not)) == _PERMANENT_NUMBERS


# -- advice


def test_the_code_of_the_provider_brings_its_advice() -> None:
    error = refused({"error": "invalid_client", "error_codes": [7000222]}, 401)
    assert error.hint == ENTRA["AADSTS7000222"]
    assert str(error).endswith(f" ({error.hint})")


@pytest.mark.parametrize("client_auth", REFUSED_CLIENT)
def test_a_refused_client_is_told_by_how_it_authenticated(client_auth: str) -> None:
    error = refused({"error": "invalid_client"}, client_auth=client_auth)
    assert error.hint == REFUSED_CLIENT[client_auth]


def test_the_client_sends_its_secret_in_the_form_unless_said() -> None:
    assert refused({"error": "invalid_client"}).hint == REFUSED_CLIENT["client_secret_post"]


def test_a_page_has_the_advice_of_its_status() -> None:
    assert refused("<html><title>404 Not Found</title>", 404).hint == STATUSES["404"]


# -- secrets and hostile bodies


def everything_of(error: RefusedError) -> str:
    return f"{error} {error!r} {vars(error)} {pickle.dumps(error, 0)!r}"


PLACES: dict[str, tuple[object, dict[str, str]]] = {
    "title": (f"<html><title>{SECRET}</title>", {}),
    "title in entities": (
        f"<html><title>{''.join(f'&#{ord(c)};' for c in SECRET)}</title>",
        {},
    ),
    "XML": (f"<e><message>got {html.escape(SECRET)}</message></e>", {}),
    "code in XML": (f"<e><code>{SECRET}</code></e>", {}),
    "form": (urlencode({"error": "x", "error_description": SECRET}), {}),
    "challenge": (
        b"",
        {"www-authenticate": f'Basic error="{SECRET}", error_description="{SECRET}"'},
    ),
    "list of texts": ([SECRET], {}),
    "list of objects": ([{"message": SECRET, "code": SECRET}], {}),
    "hint": ({"error": "x", "error_hint": SECRET}, {}),
    "code": ({"errorCode": SECRET, "code": SECRET, "status": SECRET, "type": SECRET}, {}),
    "deep": ({"error": {"errors": [{"detail": {"message": {"value": SECRET}}}]}}, {}),
    "ids": ({"error": "x", "trace_id": SECRET, "correlation_id": SECRET}, {MS: SECRET}),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_shown_from_no_place(place: str) -> None:
    body, headers = PLACES[place]
    assert SECRET not in everything_of(refused(body, 400, headers, (SECRET,)))


@pytest.mark.parametrize(
    "name", ["access_token", "refresh_token", "id_token", "client_secret", "client_assertion"]
)
def test_what_stands_in_a_field_for_credentials_is_shown_from_no_other(name: str) -> None:
    body = {"message": "got opaque-1", name: "opaque-1"}
    assert "opaque-1" not in everything_of(refused(body))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"error": {"access_token": "opaque-1", "message": "got opaque-1"}}, id="deep"),
        pytest.param({"AccessToken": "opaque-1", "message": "got opaque-1"}, id="other spelling"),
        pytest.param(
            "<e><access_token>opaque-1</access_token><message>got opaque-1</message></e>", id="XML"
        ),
        pytest.param("error=x&error_description=opaque-1&access_token=opaque-1", id="form"),
        pytest.param([{"id_token": "opaque-1", "message": "opaque-1"}], id="list"),
    ],
)
def test_a_token_in_the_answer_is_not_shown_from_another_field(body: object) -> None:
    assert "opaque-1" not in everything_of(refused(body))


HOSTILE: dict[str, Any] = {
    "<": "<" * 60_000,
    "elements": "<a>" * 20_000,
    "attributes": "<a b " * 12_000,
    "titles": "<html>" + "<title>" * 9_000,
    "a title without end": "<html><title>" + "x" * 60_000,
    "fields of a form": "error=&" * 9_000,
    "objects": json.dumps([{}] * 20_000),
    "texts": json.dumps({"errors": ["x" * 20_000] * 50}),
    "errors in errors": {"errors": [{"errors": [{"errors": ["x"] * 50}] * 50}] * 50},
    "a code": {"errorCode": "a" * 900_000 + "1"},
    "a name": {"x" * 900_000: 1},
    "a number": {"error_description": "A1" * 400_000},
}


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_body_is_judged_in_no_time(body: str) -> None:
    headers = {"www-authenticate": 'error="' * 100_000}
    start = time.process_time()
    refused(HOSTILE[body], 401, headers, (SECRET,))
    refused(b"", 401, headers, (SECRET,))
    assert time.process_time() - start < 1.0


def test_a_message_holds_200_characters_of_the_body_in_all() -> None:
    answer = {"error": "E" * 300, "error_description": "D" * 300}
    error = refusal(Response(400, {}, json.dumps(answer).encode()), answer, Instant(0.0, 0.0), ())
    assert len(str(error).removeprefix("Token request failed with status 400: ")) == 200


@pytest.mark.parametrize("code", ["invalid_client", "invalid_grant", "access_denied"])
def test_what_may_pass_gets_no_advice_of_a_permanent_refusal(code: str) -> None:
    error = refusal(Response(429, {}, b""), {"error": code}, Instant(0.0, 0.0), ())
    assert error.retryable
    assert error.hint == STATUSES["429"]
