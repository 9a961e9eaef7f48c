"""`TokenCredentials`: a token from elsewhere behind the same interface."""

from __future__ import annotations

import pickle
import threading

import pytest

from pygen_auth import ConfigurationError, Credentials, TokenCredentials

from .support import in_threads

HEADERS = {"Authorization": "Bearer abc"}


def current_token() -> str:
    return "abc"


def test_fixed_token_is_the_header() -> None:
    credentials = TokenCredentials("abc")
    assert isinstance(credentials, Credentials)
    assert credentials.get_headers() == HEADERS
    assert credentials.authorization_header() == ("Authorization", "Bearer abc")
    credentials.refresh_if_needed()


def test_callable_is_asked_at_each_use() -> None:
    tokens = iter(["a", "b"])
    credentials = TokenCredentials(lambda: next(tokens))
    assert credentials.get_headers() == {"Authorization": "Bearer a"}
    assert credentials.get_headers() == {"Authorization": "Bearer b"}


def test_callable_is_called_by_one_thread_at_a_time() -> None:
    inside = threading.Semaphore()

    def alone() -> str:
        assert inside.acquire(blocking=False)
        inside.release()
        return "abc"

    assert in_threads([TokenCredentials(alone).get_headers] * 8) == [HEADERS] * 8


@pytest.mark.parametrize("token", ["", "a b", "Bearer abc", "a\r\nb", "é", None, 5])
def test_what_no_header_may_hold_is_refused(token: object) -> None:
    with pytest.raises(ConfigurationError, match="token must be"):
        TokenCredentials(token)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="token must be"):
        TokenCredentials(lambda: token).get_headers()  # type: ignore[arg-type, return-value]


def test_failing_callable_is_a_configuration_error_with_its_cause() -> None:
    def fails() -> str:
        raise KeyError("the-secret-detail")

    with pytest.raises(ConfigurationError, match="raised KeyError") as caught:
        TokenCredentials(fails).get_headers()
    assert isinstance(caught.value.__cause__, KeyError)
    assert "the-secret-detail" not in str(caught.value)


def test_repr_shows_no_token() -> None:
    assert repr(TokenCredentials("abc")) == "TokenCredentials('***')"
    assert "current_token" in repr(TokenCredentials(current_token))


def test_pickle_carries_the_token_or_the_callable() -> None:
    for credentials in (TokenCredentials("abc"), TokenCredentials(current_token)):
        assert pickle.loads(pickle.dumps(credentials)).get_headers() == HEADERS
