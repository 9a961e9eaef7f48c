"""`TokenCredentials` and its twin: a token from elsewhere behind the same interface."""

from __future__ import annotations

import enum
import pickle
import threading
from typing import Any

import pytest

from pygen_auth import (
    AsyncCredentials,
    AsyncTokenCredentials,
    ConfigurationError,
    Credentials,
    TokenCredentials,
)

from .support import Twin, in_threads

HEADERS = {"Authorization": "Bearer abc"}
KIND: dict[str, Any] = {"sync": TokenCredentials, "async": AsyncTokenCredentials}


def current_token() -> str:
    return "abc"


@pytest.fixture
def kind(twin: Twin) -> Any:
    return KIND[twin.name]


def test_fixed_token_is_the_header(twin: Twin, kind: Any) -> None:
    credentials = kind("abc")
    assert isinstance(credentials, (Credentials, AsyncCredentials))
    assert twin.call(credentials, "get_headers") == HEADERS
    assert twin.call(credentials, "authorization_header") == ("Authorization", "Bearer abc")
    twin.call(credentials, "refresh_if_needed")


class Kept(str, enum.Enum):
    """As programs keep their settings; it is formatted as its name, and not as its value."""

    TOKEN = "abc"


def test_member_of_an_enum_is_its_value(twin: Twin, kind: Any) -> None:
    assert twin.call(kind(Kept.TOKEN), "get_headers") == HEADERS
    assert twin.call(kind(lambda: Kept.TOKEN), "get_headers") == HEADERS


def test_callable_is_asked_at_each_use(twin: Twin, kind: Any) -> None:
    tokens = iter(["a", "b"])
    credentials = kind(lambda: next(tokens))
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer a"}
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer b"}


def test_asynchronous_callable_is_awaited() -> None:
    async def token() -> str:
        return "abc"

    assert Twin("async").call(AsyncTokenCredentials(token), "get_headers") == HEADERS


def test_callable_is_called_by_one_thread_at_a_time() -> None:
    inside = threading.Semaphore()

    def alone() -> str:
        assert inside.acquire(blocking=False)
        inside.release()
        return "abc"

    assert in_threads([TokenCredentials(alone).get_headers] * 8) == [HEADERS] * 8


@pytest.mark.parametrize("token", ["", "a b", "Bearer abc", "a\r\nb", "é", None, 5])
def test_what_no_header_may_hold_is_refused(twin: Twin, kind: Any, token: object) -> None:
    with pytest.raises(ConfigurationError, match="token must be"):
        kind(token)
    with pytest.raises(ConfigurationError, match="token must be"):
        twin.call(kind(lambda: token), "get_headers")


def test_failing_callable_is_a_configuration_error_with_its_cause(twin: Twin, kind: Any) -> None:
    def fails() -> str:
        raise KeyError("the-secret-detail")

    with pytest.raises(ConfigurationError, match="raised KeyError") as caught:
        twin.call(kind(fails), "get_headers")
    assert isinstance(caught.value.__cause__, KeyError)
    assert "the-secret-detail" not in str(caught.value)


def test_repr_shows_no_token(kind: Any) -> None:
    assert repr(kind("abc")) == f"{kind.__name__}('***')"
    assert "current_token" in repr(kind(current_token))


def test_pickle_carries_the_token_or_the_callable(twin: Twin, kind: Any) -> None:
    for credentials in (kind("abc"), kind(current_token)):
        copied = pickle.loads(pickle.dumps(credentials))
        assert twin.call(copied, "get_headers") == HEADERS
