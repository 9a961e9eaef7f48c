"""Fixtures that most tests of the credentials share."""

from __future__ import annotations

import pytest

from .support import HandClock, Twin


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Twin:
    return Twin(request.param)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()
