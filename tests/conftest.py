"""Fixtures that most tests of the credentials share."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

from .support import HandClock, Twin

settings.register_profile("test", derandomize=True, max_examples=100, database=None, deadline=None)
settings.register_profile(
    "fuzz",
    max_examples=2_000,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("test")  # `--hypothesis-profile` wins

# A shell has what it starts in the background ignore Ctrl-C, and all that this starts inherits it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Twin:
    return Twin(request.param)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()
