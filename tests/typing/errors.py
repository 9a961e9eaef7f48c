"""Errors as a user handles them. Type-checked, not run."""

from __future__ import annotations

from typing_extensions import assert_type

from pygen_auth import (
    ConfigurationError,
    InvalidResponseError,
    OAuth2ClientCredentials,
    OAuth2Error,
    RefusedError,
    UnreachableError,
)

FAMILY: list[type[OAuth2Error]] = [
    ConfigurationError,
    InvalidResponseError,
    RefusedError,
    UnreachableError,
]


def handled(credentials: OAuth2ClientCredentials) -> None:
    try:
        credentials.get_headers()
    except RefusedError as refused:
        assert_type(refused.status, int)
        assert_type(refused.error, str | None)
        assert_type(refused.description, str | None)
        assert_type(refused.code, str | None)
        assert_type(refused.trace_id, str | None)
        assert_type(refused.correlation_id, str | None)
    except (UnreachableError, InvalidResponseError) as error:
        assert_type(error.retryable, bool)
    except OAuth2Error as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.hint, str | None)
        if isinstance(error, RefusedError):
            assert_type(error, RefusedError)


def configured() -> ValueError:
    return ConfigurationError("token_url is missing")


# -- what must not type-check


def refused(error: OAuth2Error, unreachable: UnreachableError) -> None:
    error.status = 401  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    unreachable.code = None  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    plain: list[ValueError] = [error]  # type: ignore[list-item]  # pyright: ignore[reportAssignmentType]
    assert plain
