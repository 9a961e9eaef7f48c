"""A client that the server refuses: what one call tries besides, what it leaves, how often.

Two things may help: the other encoding of Basic, and a secret or a key that was replaced at its
source. Each costs one request at most, and everything else costs none.
"""

from __future__ import annotations

import base64
import logging
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pygen_auth import RefusedError
from pygen_auth._wire import Request, Response
from pygen_auth.client_auth import (
    ClientAssertion,
    ClientSecretBasic,
    ClientSecretJWT,
    PrivateKeyJWT,
)
from pygen_auth.testing import AuthorizationServer

from .keys import HMAC_SECRET, pem, private_key, verified_by
from .support import (
    SECRET,
    UNAVAILABLE,
    WRONG_SECRET,
    AnyCredentials,
    Endpoint,
    HandClock,
    Twin,
    answer,
    granted,
)

PLAIN = "aZ09-._~"
"""The same in both encodings."""
FORM, RAW = "form", "raw"
AUTO = "client_secret_basic"
CLIENT = "the-client"
ALL_DAY = 3300  # seconds after which a token of an hour is due


def encoding(request: Request, secret: str = SECRET) -> str:
    """Which encoding of the two the request has."""
    pair = base64.b64decode(request.headers["Authorization"].partition(" ")[2]).decode()
    return {f"{quote(CLIENT)}:{quote(secret, safe='')}": FORM, f"{CLIENT}:{secret}": RAW}[pair]


def encodings(endpoint: Endpoint) -> list[str]:
    return [encoding(request) for request in endpoint.requests]


class BasicServer(Endpoint):
    """Takes the secret in one encoding, and refuses the other one."""

    def __init__(self, wanted: str, refusal: Response = WRONG_SECRET) -> None:
        super().__init__()
        self.wanted = wanted
        self.refusal = refusal

    def send(self, request: Request) -> Response:
        taken = super().send(request)
        return taken if encoding(request) == self.wanted else self.refusal


def secrets_sent(endpoint: Endpoint) -> list[str]:
    return [httpx.QueryParams(r.body.decode())["client_secret"] for r in endpoint.requests]


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def refused(twin: Twin, credentials: AnyCredentials) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        twin.token(credentials)
    return caught.value


# -- the other encoding of Basic


@pytest.mark.parametrize("wanted", [FORM, RAW])
def test_encoding_that_the_server_wants_is_found(twin: Twin, clock: HandClock, wanted: str) -> None:
    endpoint = BasicServer(wanted)
    twin.token(twin.scripted(endpoint, clock, client_auth=AUTO))
    assert encodings(endpoint) == [FORM, RAW][: 1 + (wanted == RAW)]
    assert clock.slept == []


def test_encoding_that_worked_comes_first_from_then_on(twin: Twin, clock: HandClock) -> None:
    endpoint = BasicServer(RAW)
    credentials = twin.scripted(endpoint, clock, client_auth=AUTO)
    for _ in range(3):
        twin.token(credentials)
        clock.advance(ALL_DAY)
    assert encodings(endpoint) == [FORM, RAW, RAW, RAW]


def test_server_that_changes_its_mind_is_followed(twin: Twin, clock: HandClock) -> None:
    endpoint = BasicServer(RAW)
    credentials = twin.scripted(endpoint, clock, client_auth=AUTO)
    for wanted in (RAW, FORM, FORM, RAW):
        endpoint.wanted = wanted
        twin.token(credentials)
        clock.advance(ALL_DAY)
    assert encodings(endpoint) == [FORM, RAW, RAW, FORM, FORM, FORM, RAW]


@pytest.mark.parametrize("setting", [FORM, RAW])
def test_encoding_that_was_asked_for_is_the_only_one(
    twin: Twin, clock: HandClock, setting: Any
) -> None:
    endpoint = BasicServer("neither")
    error = refused(twin, twin.scripted(endpoint, clock, client_auth=ClientSecretBasic(setting)))
    assert encodings(endpoint) == [setting]
    assert error.error == "invalid_client"


def test_refusal_of_both_encodings_is_the_error(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(
        answer(401, error="invalid_client", error_description="the first"),
        answer(401, error="invalid_client", error_description="the second"),
    )
    error = refused(twin, twin.scripted(endpoint, clock, client_auth=AUTO))
    assert encodings(endpoint) == [FORM, RAW]
    assert error.description == "the second"
    assert not error.retryable


def test_no_second_encoding_where_both_are_the_same(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    refused(twin, twin.scripted(endpoint, clock, client_secret=PLAIN, client_auth=AUTO))
    assert endpoint.count == 1


def test_id_alone_can_make_the_encodings_differ(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(
        endpoint, clock, client_id="my client", client_secret=PLAIN, client_auth=AUTO
    )
    twin.token(credentials)
    assert endpoint.count == 2


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(answer(401, error="invalid_client"), id="401 invalid_client"),
        pytest.param(answer(400, error="invalid_client"), id="400 invalid_client"),
        pytest.param(answer(403, error="invalid_client"), id="403 invalid_client"),
        pytest.param(answer(200, error="invalid_client"), id="200 invalid_client"),
        pytest.param(answer(401, error="unauthorized_client"), id="401 unauthorized_client"),
        pytest.param(answer(401, error="access_denied"), id="401 access_denied"),
        pytest.param(Response(401, {}, b"Unauthorized"), id="401 text"),
        pytest.param(Response(401, {}, b""), id="401 empty"),
        pytest.param(Response(400, {}, b"<p>no</p>"), id="400 HTML"),
        pytest.param(Response(403, {}, b""), id="403 empty"),
        pytest.param(answer(403, message="Forbidden"), id="403 without a code"),
    ],
)
def test_other_encoding_is_tried_where_the_client_may_be_what_is_refused(
    twin: Twin, clock: HandClock, refusal: Response
) -> None:
    endpoint = BasicServer(RAW, refusal)
    twin.token(twin.scripted(endpoint, clock, client_auth=AUTO))
    assert encodings(endpoint) == [FORM, RAW]


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(answer(400, error="invalid_scope"), id="invalid_scope"),
        pytest.param(answer(400, error="invalid_request"), id="invalid_request"),
        pytest.param(answer(400, error="unauthorized_client"), id="400 unauthorized_client"),
        pytest.param(answer(403, error="access_denied"), id="403 access_denied"),
        pytest.param(Response(404, {}, b""), id="404"),
        pytest.param(Response(302, {"location": "https://x.example/"}, b""), id="302"),
        pytest.param(Response(501, {}, b""), id="501"),
    ],
)
def test_no_other_encoding_where_something_else_is_refused(
    twin: Twin, clock: HandClock, refusal: Response
) -> None:
    endpoint = BasicServer(RAW, refusal)
    refused(twin, twin.scripted(endpoint, clock, client_auth=AUTO))
    assert encodings(endpoint) == [FORM]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(UNAVAILABLE, id="503"),
        pytest.param(Response(429, {}, b"Too Many Requests"), id="429"),
        pytest.param(answer(401, error="temporarily_unavailable"), id="401 but for now"),
        pytest.param(answer(400, error_description="internal_failure"), id="400 but for now"),
    ],
)
def test_failure_that_may_pass_is_retried_in_the_same_encoding(
    twin: Twin, clock: HandClock, failure: Response
) -> None:
    endpoint = BasicServer(RAW, failure)
    error = refused(twin, twin.scripted(endpoint, clock, client_auth=AUTO))
    assert encodings(endpoint) == [FORM] * 3
    assert len(clock.slept) == 2
    assert error.retryable


def test_retry_goes_on_with_the_other_encoding(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET, UNAVAILABLE)
    twin.token(twin.scripted(endpoint, clock, client_auth=AUTO))
    assert encodings(endpoint) == [FORM, RAW, RAW]
    assert len(clock.slept) == 1


def test_encoding_is_not_remembered_until_it_brought_a_token(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET, answer(400, error="invalid_scope"))
    credentials = twin.scripted(endpoint, clock, client_auth=AUTO)
    assert refused(twin, credentials).error == "invalid_scope"
    clock.advance(60)
    twin.token(credentials)
    assert encodings(endpoint) == [FORM, RAW, FORM]


def test_pickled_credentials_find_the_encoding_again(twin: Twin, clock: HandClock) -> None:
    endpoint = BasicServer(RAW)
    credentials = twin.scripted(endpoint, clock, client_auth=AUTO)
    twin.token(credentials)
    sent = pickle.loads(pickle.dumps(credentials))
    sent._begin(clock.clock)
    sent._send = endpoint.send_in_loop if twin.asynchronous else endpoint.send
    twin.token(sent)
    assert encodings(endpoint) == [FORM, RAW, FORM, RAW]


def test_other_encoding_is_tried_inside_the_margin(
    twin: Twin, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = BasicServer(FORM)
    credentials = twin.scripted(endpoint, clock, client_auth=AUTO)
    twin.token(credentials)
    clock.advance(ALL_DAY)
    endpoint.wanted = RAW
    assert twin.token(credentials) == "tok-3"
    assert encodings(endpoint) == [FORM, FORM, RAW]
    assert warnings_in(caplog) == []


def test_refusal_of_both_inside_the_margin_keeps_the_held_token(
    twin: Twin, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = BasicServer(FORM)
    credentials = twin.scripted(endpoint, clock, client_auth=AUTO)
    twin.token(credentials)
    clock.advance(ALL_DAY)
    endpoint.wanted = "neither"
    assert [twin.token(credentials) for _ in range(5)] == ["tok-1"] * 5
    assert encodings(endpoint) == [FORM, FORM, RAW], "one try of each, then a pause"
    assert len(warnings_in(caplog)) == 1


def test_refusal_of_both_counts_as_one_failure(twin: Twin, clock: HandClock) -> None:
    endpoint = BasicServer("neither")
    credentials = twin.scripted(endpoint, clock, client_auth=AUTO)
    error = refused(twin, credentials)
    assert error.retry_after is not None
    assert 0.5 <= error.retry_after <= 1
    assert "the next token request goes out in" in str(refused(twin, credentials))
    assert endpoint.count == 2


@pytest.mark.parametrize(("wanted", "requests"), [(FORM, 1), (RAW, 2)])
def test_herd_finds_the_encoding_once(
    twin: Twin, clock: HandClock, wanted: str, requests: int
) -> None:
    endpoint = BasicServer(wanted)
    credentials = twin.scripted(endpoint, clock, client_auth=AUTO)
    assert twin.herd(credentials, 50) == [{"Authorization": f"Bearer tok-{requests}"}] * 50
    assert endpoint.count == requests


def test_herd_before_a_server_that_takes_neither_makes_two_requests(
    twin: Twin, clock: HandClock
) -> None:
    endpoint = BasicServer("neither")
    errors = twin.herd(twin.scripted(endpoint, clock, client_auth=AUTO), 50)
    assert {type(error) for error in errors} == {RefusedError}
    assert endpoint.count == 2


def test_real_server_gets_what_it_can_read(twin: Twin) -> None:
    with AuthorizationServer() as server:
        server.add_client("id:with colon", "p@ss:w/ord +%41é€")
        credentials = twin.make(
            server.token_url, "id:with colon", "p@ss:w/ord +%41é€", client_auth=AUTO
        )
        twin.token(credentials)
        assert server.token_request_count == 1


# -- colons, at which servers split


def test_id_with_a_colon_is_sent_in_one_encoding_and_gets_advice(
    twin: Twin, clock: HandClock
) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock, client_id="urn:me", client_auth=AUTO)
    error = refused(twin, credentials)
    assert endpoint.count == 1, "raw, it would be another id"
    assert error.hint is not None
    assert "colon" in error.hint
    assert "client_auth='client_secret_post'" in error.hint


def test_secret_with_a_colon_is_sent_in_both_encodings_and_gets_advice(
    twin: Twin, clock: HandClock
) -> None:
    endpoint = Endpoint(WRONG_SECRET, WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock, client_secret="a:b", client_auth=AUTO)
    assert "colon" in str(refused(twin, credentials))
    assert endpoint.count == 2


@pytest.mark.parametrize(("secret", "client_auth"), [(SECRET, AUTO), ("a:b", "client_secret_post")])
def test_no_advice_about_colons_where_they_do_no_harm(
    twin: Twin, clock: HandClock, secret: str, client_auth: str
) -> None:
    endpoint = Endpoint(WRONG_SECRET, WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock, client_secret=secret, client_auth=client_auth)
    assert "colon" not in str(refused(twin, credentials))


# -- a secret that was replaced at its source


def reading(*secrets: str) -> Callable[[], str]:
    """Gives these, one at each reading, and the last one from then on."""
    left: Iterator[str] = iter(secrets)
    return lambda: next(left, secrets[-1])


def test_secret_that_was_replaced_is_tried(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock, client_secret=reading("old", "new"))
    assert twin.token(credentials) == "tok-2"
    assert secrets_sent(endpoint) == ["old", "new"]
    assert clock.slept == []


def test_secret_that_stays_the_same_is_not_tried_again(twin: Twin, clock: HandClock) -> None:
    readings: list[str] = []

    def secret() -> str:
        readings.append("same")
        return readings[-1]

    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock, client_secret=secret)
    assert refused(twin, credentials).error == "invalid_client"
    assert (endpoint.count, len(readings)) == (1, 2)


def test_secret_that_changes_at_every_reading_is_tried_twice(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(*[WRONG_SECRET] * 9)
    credentials = twin.scripted(endpoint, clock, client_secret=reading(*"abcdefghi"))
    assert refused(twin, credentials).error == "invalid_client"
    assert secrets_sent(endpoint) == ["a", "b"]


def test_secret_that_comes_back_is_not_tried_again(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(*[WRONG_SECRET] * 9)
    refused(twin, twin.scripted(endpoint, clock, client_secret=reading(*"ababab")))
    assert secrets_sent(endpoint) == ["a", "b"]


def test_secret_given_as_text_is_sent_once(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    refused(twin, twin.scripted(endpoint, clock))
    assert endpoint.count == 1


@pytest.mark.parametrize(
    "failure", [answer(400, error="invalid_scope"), Response(404, {}, b"")], ids=["scope", "404"]
)
def test_secret_is_not_read_again_where_something_else_is_refused(
    twin: Twin, clock: HandClock, failure: Response
) -> None:
    endpoint = Endpoint(failure)
    refused(twin, twin.scripted(endpoint, clock, client_secret=reading("old", "new")))
    assert secrets_sent(endpoint) == ["old"]


@pytest.mark.parametrize("outcome", ["token", "refusal"])
def test_secret_that_was_replaced_is_tried_inside_the_margin(
    twin: Twin, clock: HandClock, caplog: pytest.LogCaptureFixture, outcome: str
) -> None:
    last = granted("tok-new") if outcome == "token" else WRONG_SECRET
    endpoint = Endpoint(granted("tok-old"), WRONG_SECRET, last)
    credentials = twin.scripted(endpoint, clock, client_secret=reading("a", "a", "b"))
    twin.token(credentials)
    clock.advance(ALL_DAY)
    assert twin.token(credentials) == ("tok-new" if outcome == "token" else "tok-old")
    assert secrets_sent(endpoint) == ["a", "a", "b"]
    assert len(warnings_in(caplog)) == (outcome == "refusal")


def test_secret_that_was_replaced_is_tried_in_both_encodings(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET, WRONG_SECRET)
    credentials = twin.scripted(
        endpoint, clock, client_secret=reading("old é", "new é"), client_auth=AUTO
    )
    assert twin.token(credentials) == "tok-3"
    assert encoding(endpoint.requests[0], "old é") == FORM
    assert [encoding(request, "new é") for request in endpoint.requests[1:]] == [FORM, RAW]


def test_secret_replaced_while_the_other_encoding_is_tried_is_tried_too(
    twin: Twin, clock: HandClock
) -> None:
    endpoint = Endpoint(*[WRONG_SECRET] * 9)
    credentials = twin.scripted(
        endpoint, clock, client_secret=reading("old é", "old é", "new é"), client_auth=AUTO
    )
    refused(twin, credentials)
    assert [encoding(request, "old é") for request in endpoint.requests[:2]] == [FORM, RAW]
    assert [encoding(request, "new é") for request in endpoint.requests[2:]] == [FORM, RAW]


def test_herd_reads_a_replaced_secret_once(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock, client_secret=reading("old", "new"))
    assert twin.herd(credentials, 50) == [{"Authorization": "Bearer tok-2"}] * 50
    assert secrets_sent(endpoint) == ["old", "new"]


def test_source_that_fails_at_the_second_reading_leaves_the_refusal(
    twin: Twin, clock: HandClock
) -> None:
    readings = iter(["old"])
    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock, client_secret=lambda: next(readings))
    assert refused(twin, credentials).error == "invalid_client"
    assert endpoint.count == 1


# -- a key, an assertion, a certificate that was replaced


def replacing(file: Path, content: bytes) -> Callable[[Request], Response]:
    """The server refuses, and meanwhile the file is replaced."""

    def refuse(request: Request) -> Response:
        file.write_bytes(content)
        return WRONG_SECRET

    return refuse


def assertions_sent(endpoint: Endpoint) -> list[str]:
    return [httpx.QueryParams(r.body.decode())["client_assertion"] for r in endpoint.requests]


def test_key_file_that_was_replaced_is_tried(twin: Twin, clock: HandClock, tmp_path: Path) -> None:
    old, new = (private_key("P-256", number) for number in range(2))
    file = tmp_path / "key.pem"
    file.write_bytes(pem(old))
    endpoint = Endpoint(replacing(file, pem(new)))
    credentials = twin.scripted(
        endpoint, clock, client_secret=None, client_auth=PrivateKeyJWT(file)
    )
    assert twin.token(credentials) == "tok-2"
    first, second = assertions_sent(endpoint)
    verified_by(first, old)
    verified_by(second, new)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_key_file_that_stays_the_same_is_not_tried_again(
    twin: Twin, clock: HandClock, tmp_path: Path, encrypted: bool
) -> None:
    key, file, password = private_key("P-256"), tmp_path / "key.pem", "pw" if encrypted else None
    file.write_bytes(pem(key, password))
    # Written again, an encrypted key looks different, and is the same.
    endpoint = Endpoint(replacing(file, pem(key, password)))
    credentials = twin.scripted(
        endpoint, clock, client_secret=None, client_auth=PrivateKeyJWT(file, password=password)
    )
    assert refused(twin, credentials).error == "invalid_client"
    assert endpoint.count == 1


def test_key_given_as_text_is_tried_once(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    value = PrivateKeyJWT(pem(private_key("P-256")))
    refused(twin, twin.scripted(endpoint, clock, client_secret=None, client_auth=value))
    assert endpoint.count == 1


@pytest.mark.parametrize(("new", "requests"), [("one.two.four", 2), ("one.two.three\n", 1)])
def test_assertion_file_is_tried_again_only_if_it_was_replaced(
    twin: Twin, clock: HandClock, tmp_path: Path, new: str, requests: int
) -> None:
    file = tmp_path / "token"
    file.write_text("one.two.three")
    endpoint = Endpoint(replacing(file, new.encode()), WRONG_SECRET)
    credentials = twin.scripted(
        endpoint, clock, client_secret=None, client_auth=ClientAssertion(file)
    )
    refused(twin, credentials)
    assert assertions_sent(endpoint) == ["one.two.three", new][:requests]


def test_assertion_that_is_another_at_every_reading_is_tried_twice(
    twin: Twin, clock: HandClock
) -> None:
    numbers = iter(range(9))
    value = ClientAssertion(lambda: f"one.two.{next(numbers)}")
    endpoint = Endpoint(*[WRONG_SECRET] * 9)
    refused(twin, twin.scripted(endpoint, clock, client_secret=None, client_auth=value))
    assert assertions_sent(endpoint) == ["one.two.0", "one.two.1"]


def test_signing_secret_that_was_replaced_is_tried(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(
        endpoint,
        clock,
        client_secret=reading(HMAC_SECRET, HMAC_SECRET[::-1]),
        client_auth=ClientSecretJWT(),
    )
    twin.token(credentials)
    assert endpoint.count == 2


def test_refused_key_is_in_no_text_of_the_error(twin: Twin, clock: HandClock) -> None:
    key = pem(private_key("P-256"))
    endpoint = Endpoint(lambda request: answer(401, error=request.body.decode()))
    credentials = twin.scripted(endpoint, clock, client_secret=None, client_auth=PrivateKeyJWT(key))
    error = refused(twin, credentials)
    (jwt,) = assertions_sent(endpoint)
    for text in (str(error), repr(error), str(vars(error)), str(error.__context__)):
        assert jwt[:64] not in text
        assert jwt.rpartition(".")[2] not in text
        assert key.decode().splitlines()[1] not in text


def test_assertion_that_the_server_repeats_is_not_shown(twin: Twin, clock: HandClock) -> None:
    assertion = "opaque-assertion-of-somebody-else"
    endpoint = Endpoint(answer(401, error="invalid_client", error_description=f"no {assertion}!"))
    credentials = twin.scripted(
        endpoint, clock, client_secret=None, client_auth=ClientAssertion(lambda: assertion)
    )
    error = refused(twin, credentials)
    assert error.description == "no ***!"
    assert assertion not in f"{error} {vars(error)}"
