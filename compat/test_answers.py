"""Each answer of each provider, over real HTTP, through both twins. README.md says what holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from pygen_auth import InvalidResponseError, RefusedError
from pygen_auth.testing import AuthorizationServer
from tests.support import SECRET, Twin

from .replay import ASSUMED_LIFETIME, TIMEOUT, Outcome, Shape, replay, secrets_of, shapes

ALL = shapes()
TOKENS = [shape for shape in ALL if shape.wanted["kind"] == "token"]
ERRORS = [shape for shape in ALL if shape.wanted["kind"] == "error"]
CODED = [shape for shape in ERRORS if shape.wanted["error"] is not None]
NUMBERED = [shape for shape in ERRORS if "provider_code" in shape.wanted]
NAMELESS = [shape for shape in ERRORS if isinstance(shape.body, str)]
OF_UNKNOWN_STATUS = [shape for shape in CODED if not shape.status_confirmed]
JSON = [shape for shape in ALL if isinstance(shape.body, Mapping)]

Test = TypeVar("Test", bound=Callable[..., None])


def each(those: list[Shape]) -> Callable[[Test], Test]:
    """Run a test for each of them and for both twins: `okta-bad-secret-sync`."""
    by_twin = pytest.mark.parametrize("twin", ["sync", "async"], indirect=True)
    by_shape = pytest.mark.parametrize("shape", those, ids=str)
    return lambda test: by_twin(by_shape(test))


@pytest.fixture(scope="session")
def outcomes() -> dict[tuple[str, str], Outcome]:
    return {}


@pytest.fixture
def outcome(
    shape: Shape,
    twin: Twin,
    server: AuthorizationServer,
    outcomes: dict[tuple[str, str], Outcome],
) -> Outcome:
    """Of one replay for all tests of the same answer."""
    key = shape.id, twin.name
    if key not in outcomes:
        outcomes[key] = replay(shape, twin, server)
    return outcomes[key]


@each(TOKENS)
def test_token_comes_out(shape: Shape, outcome: Outcome) -> None:
    assert outcome.error is None
    assert outcome.token is not None
    assert isinstance(shape.body, Mapping)
    assert outcome.token.access_token == shape.body["access_token"]


@each(TOKENS)
def test_token_lives_as_long_as_the_server_says(shape: Shape, outcome: Outcome) -> None:
    named = shape.wanted["expires_in_seconds"]
    assert outcome.token is not None
    assert outcome.token.lifetime == (ASSUMED_LIFETIME if named is None else named)
    assert outcome.token.lifetime_assumed is (named is None)


@each(TOKENS)
def test_token_costs_one_request(outcome: Outcome) -> None:
    assert (outcome.requests, outcome.requests_of_next_call) == (1, 0)


@each(ERRORS)
def test_error_is_of_its_class(shape: Shape, outcome: Outcome) -> None:
    said_no = shape.status >= 300 or (isinstance(shape.body, Mapping) and "error" in shape.body)
    assert type(outcome.error) is (RefusedError if said_no else InvalidResponseError)


@each([shape for shape in ERRORS if shape.status_confirmed and shape.status >= 300])
def test_error_carries_the_status(shape: Shape, outcome: Outcome) -> None:
    assert refused(outcome).status == shape.status


@each(CODED)
def test_error_carries_the_code(shape: Shape, outcome: Outcome) -> None:
    assert refused(outcome).error == shape.wanted["error"]


@each([shape for shape in NAMELESS if shape.status >= 300])
def test_body_that_is_no_json_names_no_code(outcome: Outcome) -> None:
    assert refused(outcome).error is None


@each(NUMBERED)
def test_error_carries_the_number_of_the_provider(shape: Shape, outcome: Outcome) -> None:
    number = str(shape.wanted["provider_code"])
    assert refused(outcome).code == (f"AADSTS{number}" if number.isdecimal() else number)


@each(ERRORS)
def test_error_says_whether_it_can_help_to_ask_again(shape: Shape, outcome: Outcome) -> None:
    assert outcome.error is not None
    assert outcome.error.retryable is shape.wanted["retryable"]


@each(ERRORS)
def test_only_what_can_help_is_tried_again(shape: Shape, outcome: Outcome) -> None:
    goes_on = shape.wanted["retryable"] and shape.pause < TIMEOUT
    assert outcome.requests == (3 if goes_on else 1)


@each(ERRORS)
def test_failure_stands_for_the_next_call(outcome: Outcome) -> None:
    assert outcome.requests_of_next_call == 0


@each([shape for shape in ERRORS if "retry-after" in shape.header])
def test_error_names_the_pause_that_the_server_asks_for(shape: Shape, outcome: Outcome) -> None:
    assert outcome.error is not None
    assert outcome.error.retry_after == shape.pause


@each(ALL)
def test_nothing_secret_shows(shape: Shape, outcome: Outcome) -> None:
    assert outcome.texts
    assert_hidden(shape, outcome)


@pytest.mark.parametrize("status", [400, 401, 500])
@each(OF_UNKNOWN_STATUS)
def test_code_decides_where_the_status_is_not_known(
    shape: Shape, status: int, twin: Twin, server: AuthorizationServer
) -> None:
    outcome = replay(replace(shape, status=status), twin, server)
    assert refused(outcome).error == shape.wanted["error"]
    assert refused(outcome).retryable is shape.wanted["retryable"]


@each(JSON)
def test_secret_that_is_echoed_does_not_show(
    shape: Shape, twin: Twin, server: AuthorizationServer
) -> None:
    echoing = replace(shape, body=echo(shape.body))
    outcome = replay(echoing, twin, server)
    assert outcome.error is not None
    assert_hidden(shape, outcome)


def refused(outcome: Outcome) -> RefusedError:
    assert isinstance(outcome.error, RefusedError)
    return outcome.error


def assert_hidden(shape: Shape, outcome: Outcome) -> None:
    for text in outcome.texts:
        for secret in secrets_of(shape):
            assert secret not in text


def echo(value: Any) -> Any:
    """The same with the client's secret in every text."""
    if isinstance(value, Mapping):
        return {name: echo(member) for name, member in value.items()}
    if isinstance(value, list):
        return [echo(member) for member in value]
    return f"{value} {SECRET}" if isinstance(value, str) else value
