"""Which servers a test runs for, and with what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from ..facts import Facts, every_server

ALL = every_server()


def each(servers: Iterable[Facts] = ALL) -> pytest.MarkDecorator:
    """Once for each server: `oauth2orize-sync`."""
    chosen = list(servers)
    return pytest.mark.parametrize("server", chosen, ids=str, indirect=True)


def each_with(name: str, values_of: Callable[[Facts], Iterable[Any]]) -> pytest.MarkDecorator:
    """Once for each server and each of its values: `jmondi-wrong-secret-by-post-sync`."""
    pairs = [
        pytest.param(facts, value, id=f"{facts}-{value}".replace(" ", "-"))
        for facts in ALL
        for value in values_of(facts)
    ]
    return pytest.mark.parametrize(("server", name), pairs, indirect=["server"])


def named(*folders: str) -> list[Facts]:
    """These servers alone."""
    return [facts for facts in ALL if facts.folder in folders]
