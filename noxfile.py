"""The version matrix: the whole suite at the corners of what is supported, warnings as errors.

`make cube` runs all corners, `make matrix` so many that each two values meet, and
`make prerelease` the same suite with the newest of everything. An interpreter that this machine
does not have is reported as skipped, by its version; where CI is set in the environment, it is an
error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from itertools import product
from typing import NamedTuple

import nox

PROJECT = nox.project.load_toml("pyproject.toml")["project"]
NOT_FOR_TESTS = {"coverage", "httpx2", "mypy", "nox", "pyright", "pytest-cov", "ruff"}
"""Of the development tools. httpx2 is there or not by the matrix."""

LONGEST = (
    "tests/test_auth.py::test_million_calls",
    "tests/test_main.py::test_the_whole_demo_loses_no_call",
    "tests/sharing/test_processes_fail.py",
    "tests/stress",
)
"""Minutes in all, for rules that no version of anything changes."""

nox.options.sessions = ["matrix"]
nox.options.reuse_venv = "yes"  # what is newest is asked for anew all the same


class Corner(NamedTuple):
    """One environment. An empty version is the newest that there is."""

    python: str
    authlib: str
    httpx: str
    httpx2: bool


def oldest(package: str) -> str:
    """The oldest version that pyproject.toml allows."""
    (version,) = re.findall(rf"^{package}>=([\d.]+)", "\n".join(PROJECT["dependencies"]), re.M)
    return str(version)


AUTHLIB = [oldest("authlib"), ""]
HTTPX = {False: [oldest("httpx"), ""], True: ["0.25.1", ""]}
"""Without and with httpx2, whose h11 is too new for httpx 0.25.0."""
CUBE = [
    Corner(python, authlib, httpx, httpx2)
    for python, authlib, httpx2 in product(["3.10", "3.13"], AUTHLIB, HTTPX)
    for httpx in HTTPX[httpx2]
]
"""All corners: the oldest and the newest of each, and without and with httpx2 beside httpx."""
BETWEEN = [Corner("3.11", "1.8.0", "", True), Corner("3.12", "1.8.0", "", False)]
"""Each value that is no corner. 1.8 is the first Authlib that takes httpx2 before httpx."""


def is_for_pairs(corner: Corner) -> bool:
    """Whether it is one of the few in which each two values meet: old or new, without or with.

    The oldest of all, and those with one oldest among newest ones and httpx2; BETWEEN has the rest.
    """
    newest = (corner.python != "3.10", not corner.authlib, corner.httpx == "", corner.httpx2)
    return corner in BETWEEN or sum(newest) == 0 or (sum(newest) == 3 and corner.httpx2)


def name(corner: Corner) -> str:
    """As `nox --list` shows it, and as `make matrix` reports it."""
    authlib, httpx = corner.authlib or "newest", corner.httpx or "newest"
    httpx2 = "with" if corner.httpx2 else "without"
    return f"Python {corner.python}, Authlib {authlib}, httpx {httpx}, {httpx2} httpx2"


def find_pyenv() -> None:
    """Let pyenv's `python3.12` and so on work: they do for versions that are chosen, no others."""
    if shutil.which("pyenv") is None:
        return
    bare = subprocess.run(
        ["pyenv", "versions", "--bare"],  # noqa: S607  # by PATH, as the interpreters are
        capture_output=True,
        text=True,
        check=False,
    )
    versions = re.findall(r"^(\d+)\.(\d+)\.(\d+)$", bare.stdout, re.M)
    newest_first = sorted((tuple(map(int, version)) for version in versions), reverse=True)
    os.environ["PYENV_VERSION"] = ":".join(".".join(map(str, one)) for one in newest_first)


find_pyenv()


def needed_by_tests() -> list[str]:
    """What the tests need, and the project: the extra `dev` without the tools."""
    needed = []
    for requirement in PROJECT["optional-dependencies"]["dev"]:
        (package,) = re.findall(r"^[\w-]+", requirement)
        if package not in NOT_FOR_TESTS and not package.startswith("types-"):
            needed.append(re.sub(rf"^{PROJECT['name']}\b", ".", requirement))
    return needed


def run_suite(session: nox.Session, *packages: str) -> None:
    """Install into the environment of the session, say what is in it, and run all tests."""
    wanted = [*needed_by_tests(), *packages]
    session.install("--upgrade", "--upgrade-strategy=eager", *wanted)
    session.run("python", "-m", "pip", "list", "--format=freeze")
    session.run(
        *("python", "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-n", "auto", "--dist", "worksteal", "--maxfail=5"),
        *(f"--deselect={tests}" for tests in LONGEST),
        *session.posargs,
        env={"PYTHONHASHSEED": "0"},  # the workers must find sets of parameters in one order
    )


@nox.session
@nox.parametrize(
    "python,authlib,httpx,httpx2",
    [
        nox.param(*corner, id=name(corner), tags=["pairs"] if is_for_pairs(corner) else [])
        for corner in (*CUBE, *BETWEEN)
    ],
)
def matrix(session: nox.Session, authlib: str, httpx: str, httpx2: bool) -> None:
    """The whole suite, with these versions."""
    pinned = [f"authlib=={authlib}" if authlib else "authlib"]
    pinned.append(f"httpx=={httpx}" if httpx else "httpx")
    run_suite(session, *pinned, *(["httpx2"] if httpx2 else []))


@nox.session(python=["3.13", "3.14"])
def prerelease(session: nox.Session) -> None:
    """The whole suite with the newest of everything, also of what is not yet released."""
    run_suite(session, "--pre", "httpx2")
