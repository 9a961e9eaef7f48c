"""Servers to ask, each started once; and the rule that `live/` runs only when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from .facts import Facts
from .fleet import Fleet, Server
from .install import UnavailableError

HERE = Path(__file__).parent
REQUIRED = "REQUIRE_SERVERS"
"""A variable of the environment. Unless it is empty, a server that cannot be had is a failure."""

FLEET = pytest.StashKey[Fleet]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`pytest` and `pytest compat` leave `live/` out: it needs npm, pip and minutes."""
    if collection_path != HERE / "live":
        return None
    asked = [config.invocation_params.dir / arg.partition("::")[0] for arg in config.args]
    return None if any(path.resolve().is_relative_to(HERE) for path in asked) else True


@pytest.fixture(scope="session")
def fleet(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = pytestconfig.stash[FLEET] = Fleet(tmp_path_factory.mktemp("servers"))
    yield fleet
    fleet.stop()


@pytest.fixture
def server(request: pytest.FixtureRequest, fleet: Fleet) -> Server:
    """The running one of the facts that the test is parametrized with."""
    return started(fleet, request.param)


def started(fleet: Fleet, facts: Facts) -> Server:
    """The server, or a skip that names it and says why."""
    try:
        return fleet.server(facts)
    except UnavailableError as error:
        reason = f"{facts.folder} is not here: {error}"
    if os.environ.get(REQUIRED):
        pytest.fail(f"{reason} ({REQUIRED} is set)", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show with a failure what the server wrote."""
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, Server):
        tail = "\n".join(server.process.written().splitlines()[-20:])
        report.sections.append((f"the end of {server.process.log}", tail))
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say at the end which servers were asked, and which are not here."""
    if FLEET in config.stash:
        terminalreporter.section("servers")
        for line in config.stash[FLEET].report():
            terminalreporter.line(line)
