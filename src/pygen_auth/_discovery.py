"""Discovery (RFC 8414, OpenID Connect): whom to ask for a metadata document, and when again.

Nothing is sent here: `discovery` yields what is to be sent and is given the answers, so that both
twins share it. Nothing is cached, an error document least of all: servers let one be kept for a
day.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from ._checks import check_hosts, check_seconds, check_url
from ._clock import SYSTEM_CLOCK, Instant
from ._errors import (
    ConfigurationError,
    InvalidResponseError,
    OAuth2Error,
    RefusedError,
    UnreachableError,
    copy_of,
)
from ._metadata import CHECK_ISSUER, Metadata, Wanted, candidates, read_metadata
from ._steps import Steps
from ._token import attempt_timeout, wait_before_retry
from ._wire import Request, identified

MetadataSteps = Steps[Metadata]
"""Yields a request to send, or seconds to wait."""


def discovery(
    issuer: str,
    issuers: tuple[str, ...] = (),
    *,
    verify_issuer: bool = True,
    insecure_hosts: Collection[str] = (),
    timeout: float,
    monotonic: Callable[[], float],
    chance: Callable[[], float],
    wall: Callable[[], float] = SYSTEM_CLOCK.wall,
) -> MetadataSteps:
    """The steps to the metadata of `issuer`. Nothing is cached.

    Args:
        issuer: the issuer's URL (RFC 8414 §2), or the whole URL of its document.
        issuers: what the document may name instead; `{guid}` stands for any GUID, and everything
            else for itself.
        verify_issuer: False takes a document of any issuer.
        insecure_hosts: hosts that may be spoken to over plain http.
        timeout: seconds for all of it, the waits included.
        monotonic: the monotonic clock, in seconds.
        chance: a random number from 0 to 1, to spread retries.
        wall: the wall clock, in seconds since the epoch; some servers name a time to come back.

    Raises:
        ConfigurationError: a setting cannot be right; raised at once.
        UnreachableError: out of the steps: nobody answered.
        RefusedError: likewise: who answered said no.
        InvalidResponseError: likewise: what somebody sent is no document that a client may use.
    """
    hosts = check_hosts(insecure_hosts)
    check_seconds("timeout", timeout, finite=True)
    if isinstance(issuers, str) or not all(isinstance(one, str) for one in issuers):
        raise ConfigurationError("issuers must be a list of str")
    urls, asked_for = candidates(check_url("issuer", issuer, hosts))
    wanted = Wanted(urls, asked_for, tuple(issuers), verify_issuer, hosts)
    return _search(wanted, timeout, lambda: Instant(wall(), monotonic()), chance)


def _search(
    wanted: Wanted, timeout: float, clock: Callable[[], Instant], chance: Callable[[], float]
) -> MetadataSteps:
    """Try each candidate; where all failed and it may help, wait and try them again."""
    deadline = clock().monotonic + timeout
    attempt = 0
    while True:
        attempt += 1
        failures = []
        for url in wanted.urls:
            now, request = clock(), None
            try:
                response = yield (request := _request(url, deadline - now.monotonic))
                assert response is not None
                return read_metadata(response, wanted, now)
            except ConfigurationError:  # of the sender: it cannot ask anybody
                raise
            except OAuth2Error as error:
                error.request_id = request.id if request else None
                failures.append((url, error))
        failure = _failure(wanted, failures)
        wait = wait_before_retry(failure, attempt, deadline - clock().monotonic, chance())
        if wait is None:
            raise failure
        yield wait


def _request(url: str, left: float) -> Request:
    """For a document, `left` seconds before the end; an error where the end has come."""
    if left <= 0:
        raise UnreachableError("not asked, since the time was up", retryable=True)
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    return identified(Request(url, headers, b"", attempt_timeout(left), method="GET"))


def _failure(wanted: Wanted, failures: list[tuple[str, OAuth2Error]]) -> OAuth2Error:
    """One error for all candidates: who was asked, and what each answered."""
    errors = [error for _, error in failures]
    kinds = (InvalidResponseError, RefusedError, OAuth2Error)
    telling = next(e for kind in kinds for e in reversed(errors) if isinstance(e, kind))
    transient = [error for error in errors if error.retryable]
    failure = copy_of(telling)
    answers = [
        f"{url.partition('?')[0]}: {error.args[0].removeprefix('Metadata request failed: ')}"
        for url, error in failures
    ]
    failure.args = (f"Discovery failed for {wanted.issuer}: {'; '.join(answers)}",)
    failure.retryable = bool(transient)
    failure.retry_after = max((e.retry_after for e in transient if e.retry_after), default=None)
    failure.hint = _hint(errors, general=not transient and len(wanted.urls) > 1)
    failure.__cause__ = next((e.__cause__ for e in reversed(errors) if e.__cause__), None)
    return failure


def _hint(errors: list[OAuth2Error], *, general: bool) -> str | None:
    """The most telling advice; the `general` one is wrong where it is enough to wait."""
    hints = [error.hint for error in errors if error.hint]
    special = next((hint for hint in hints if hint != CHECK_ISSUER), None)
    return special or (CHECK_ISSUER if general and hints else None)
