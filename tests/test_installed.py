"""The wheel in environments of its own: alone, and with each extra.

That needs a package index and a minute or so, so `make package` runs it and `make test` does not.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .dist import EXTRAS, NEEDS, SDIST, SOURCE, VERSION, WHEEL, build

if "PYGEN_AUTH_INSTALL" not in os.environ:
    reason = "installs from a package index, which `make package` does"
    pytest.skip(reason, allow_module_level=True)


class Environment:
    """A fresh virtual environment with the wheel. Its programs run outside of the repository."""

    def __init__(self, directory: Path, *packages: str) -> None:
        self.directory = directory
        self._run(sys.executable, "-m", "venv", str(directory))
        ran = self.run("python", "-m", "pip", "install", "--quiet", *packages)
        assert ran.returncode == 0, ran.stderr

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        programs = self.directory / ("Scripts" if os.name == "nt" else "bin")
        return self._run(str(programs / program), *arguments)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """In isolated mode, and with every warning an error."""
        return self.run("python", "-I", "-W", "error", "-c", code)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        around = self.directory.parent
        return subprocess.run(command, cwd=around, capture_output=True, text=True)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def alone(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("alone") / "venv", str(dist / WHEEL))


@pytest.fixture(scope="module", params=EXTRAS)
def with_extra(
    request: pytest.FixtureRequest, dist: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Environment]:
    extra = str(request.param)
    directory = tmp_path_factory.mktemp(extra) / "venv"
    return extra, Environment(directory, f"{dist / WHEEL}[{extra}]")


MODULES = sorted(
    ".".join(path.with_suffix("").relative_to(SOURCE).parts).removesuffix(".__init__")
    for path in (SOURCE / "pygen_auth").rglob("*.py")
    if path.stem != "__main__"
)


def test_alone_it_imports_without_a_warning(alone: Environment) -> None:
    ran = alone.python("import pygen_auth; print(pygen_auth.__version__)")
    assert (ran.stdout, ran.stderr) == (f"{VERSION}\n", "")


@pytest.mark.parametrize("module", MODULES)
def test_alone_each_module_imports_or_names_its_extra(alone: Environment, module: str) -> None:
    ran = alone.python(f"import {module}")
    if ran.returncode:
        assert re.search(rf"pygen-auth\[({'|'.join(EXTRAS)})\]", ran.stderr), ran.stderr


def test_alone_it_gets_a_token(alone: Environment) -> None:
    ran = alone.python(
        "from pygen_auth import OAuth2ClientCredentials\n"
        "from pygen_auth.testing import AuthorizationServer\n"
        "with AuthorizationServer() as server:\n"
        "    server.add_client('id', 'secret')\n"
        "    print(OAuth2ClientCredentials(server.token_url, 'id', 'secret').token().lifetime)\n"
    )
    assert (ran.stdout, ran.stderr) == ("3600.0\n", "")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["demo", "--help"]])
def test_alone_the_command_runs(alone: Environment, arguments: list[str]) -> None:
    ran = alone.run("pygen-auth", *arguments)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("pygen-auth 0" if arguments == ["--version"] else "usage: ")


@pytest.mark.parametrize("command", ["check", "token", "providers", "completion bash"])
def test_alone_another_command_names_its_extra(alone: Environment, command: str) -> None:
    ran = alone.run("pygen-auth", *command.split())
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "pip install 'pygen-auth[cli]'" in ran.stderr


@pytest.fixture(scope="module")
def with_pytest(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    directory = tmp_path_factory.mktemp("with-pytest") / "venv"
    return Environment(directory, str(dist / WHEEL), "pytest", "pytest-asyncio", "pytest-xdist")


def run_pytest(environment: Environment, tmp_path: Path, *arguments: str) -> str:
    """What pytest says of a small suite of a user's, with every warning an error."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"
    )
    (tmp_path / "test_suite.py").write_text(
        "import pytest\n"
        "def test_plain(oauth2_credentials, oauth2_clock):\n"
        "    first = oauth2_credentials.get_headers()\n"
        "    oauth2_clock.advance(3600)\n"
        "    assert oauth2_credentials.get_headers() != first\n"
        "@pytest.mark.asyncio\n"
        "async def test_in_a_loop(async_oauth2_credentials, oauth2_clock):\n"
        "    first = await async_oauth2_credentials.get_headers()\n"
        "    oauth2_clock.advance(3600)\n"
        "    assert await async_oauth2_credentials.get_headers() != first\n"
    )
    return environment.run("python", "-m", "pytest", *arguments, str(tmp_path)).stdout


@pytest.mark.parametrize("arguments", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_the_plugin_of_the_wheel_is_found_by_pytest(
    with_pytest: Environment, tmp_path: Path, arguments: list[str]
) -> None:
    said = run_pytest(with_pytest, tmp_path, *arguments)
    assert "= 2 passed in " in said, said


def test_the_plugin_of_the_wheel_can_be_left_out(with_pytest: Environment, tmp_path: Path) -> None:
    said = run_pytest(with_pytest, tmp_path, "-p", "no:pygen_auth")
    assert "fixture 'oauth2_credentials' not found" in said, said


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_needs_an_extra_names_it_where_it_is_missing(alone: Environment, extra: str) -> None:
    ran = alone.python(NEEDS[extra])
    last_line = ran.stderr.rstrip().rpartition("\n")[2]
    assert ran.returncode == 1
    assert f"pygen-auth[{extra}]" in last_line


def test_an_extra_brings_what_needs_it(with_extra: tuple[str, Environment]) -> None:
    extra, environment = with_extra
    ran = environment.python(NEEDS[extra])
    assert (ran.returncode, ran.stderr) == (0, "")


def test_what_is_installed_with_an_extra_fits_together(
    with_extra: tuple[str, Environment],
) -> None:
    _, environment = with_extra
    ran = environment.run("python", "-m", "pip", "check")
    assert ran.returncode == 0, ran.stdout


def test_pip_builds_the_same_wheel_from_the_sdist(
    dist: Path, alone: Environment, tmp_path: Path
) -> None:
    sdist = str(dist / SDIST)
    ran = alone.run("python", "-m", "pip", "wheel", "--no-deps", "-w", str(tmp_path), sdist)
    assert ran.returncode == 0, ran.stderr
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as ours, zipfile.ZipFile(dist / WHEEL) as wheel:
        assert ours.namelist() == wheel.namelist()
