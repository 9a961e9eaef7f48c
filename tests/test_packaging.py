"""What is in wheel and sdist, what CI runs, and which versions the matrix has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import yaml

from .dist import EXTRAS, NEEDS, PROJECT, PYTHONS, ROOT, SDIST, SOURCE, VERSION, WHEEL, build

# -- archives


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def in_wheel(dist: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(dist / WHEEL) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def in_sdist(dist: Path) -> dict[str, bytes]:
    """By path within the one directory that the archive has."""
    files = {}
    with tarfile.open(dist / SDIST) as archive:
        for member in archive.getmembers():
            directory, _, path = member.name.partition("/")
            content = archive.extractfile(member)
            assert directory == f"pygen_auth-{VERSION}"
            assert content is not None
            files[path] = content.read()
    return files


@pytest.fixture(scope="module")
def metadata(in_wheel: dict[str, bytes]) -> Message:
    return HeaderParser().parsestr(in_wheel[f"pygen_auth-{VERSION}.dist-info/METADATA"].decode())


def sources() -> set[str]:
    files = (path for path in SOURCE.rglob("*") if path.is_file())
    return {path.relative_to(SOURCE).as_posix() for path in files if path.suffix != ".pyc"}


def test_the_wheel_holds_package_and_plugin_and_nothing_else(in_wheel: dict[str, bytes]) -> None:
    about = f"pygen_auth-{VERSION}.dist-info/"
    names = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    assert in_wheel.keys() == sources() | {about + name for name in names}


def test_type_checkers_find_the_types_in_the_wheel(in_wheel: dict[str, bytes]) -> None:
    assert "pygen_auth/py.typed" in in_wheel


def test_the_wheel_has_the_license(in_wheel: dict[str, bytes]) -> None:
    license_ = in_wheel[f"pygen_auth-{VERSION}.dist-info/licenses/LICENSE"]
    assert license_ == (ROOT / "LICENSE").read_bytes()


def test_the_command_and_the_plugin_are_those_of_the_docs(in_wheel: dict[str, bytes]) -> None:
    entry_points = in_wheel[f"pygen_auth-{VERSION}.dist-info/entry_points.txt"].decode()
    assert entry_points.split("\n") == [
        "[console_scripts]",
        "pygen-auth = pygen_auth.__main__:main",
        "",
        "[pytest11]",
        "pygen_auth = pytest_pygen_auth",
        "",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Name", "pygen-auth"),
        ("Version", VERSION),
        ("Summary", PROJECT["description"]),
        ("License-Expression", "Apache-2.0"),
        ("License-File", "LICENSE"),
        ("Description-Content-Type", "text/markdown"),
        ("Requires-Python", ">=3.10"),
    ],
)
def test_the_metadata_says(metadata: Message, field: str, value: str) -> None:
    assert metadata[field] == value


def test_the_extras_are_those_of_the_project(metadata: Message) -> None:
    assert metadata.get_all("Provides-Extra") == sorted(PROJECT["optional-dependencies"])


def test_alone_it_brings_authlib_and_httpx(metadata: Message) -> None:
    always = [one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert sorted(re.split(r"[<>=]", one)[0] for one in always) == ["authlib", "httpx"]


def test_the_oldest_python_that_is_allowed_is_the_first_that_is_named() -> None:
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


def test_the_sdist_has_what_builds_and_tests_it_and_nothing_else(
    in_sdist: dict[str, bytes],
) -> None:
    assert {path.partition("/")[0] for path in in_sdist} == {
        *("src", "tests", "compat", "benchmarks", "docs", "requirements"),
        *("pyproject.toml", "Makefile", "mkdocs.yml", "noxfile.py", ".gitignore"),
        *("README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "PKG-INFO"),
    }
    assert {f"src/{path}" for path in sources()} <= in_sdist.keys()


def test_the_sdist_has_nothing_that_was_compiled_or_installed(in_sdist: dict[str, bytes]) -> None:
    made = re.compile(r"(^|/)(node_modules|__pycache__|\.[a-z]+_cache)/|\.pyc$")
    assert [path for path in in_sdist if made.search(path)] == []


@pytest.mark.parametrize("archive", ["in_wheel", "in_sdist"])
def test_no_path_of_this_machine_is_in(archive: str, request: pytest.FixtureRequest) -> None:
    files: dict[str, bytes] = request.getfixturevalue(archive)
    paths = "|".join(re.escape(f"{path}/") for path in (ROOT, Path.home()))
    here = re.compile(rf"(?<![\w.-])({paths})".encode())  # not as a part of somebody's URL
    assert [path for path, content in files.items() if here.search(content)] == []


def test_what_each_extra_is_needed_for_is_known() -> None:
    assert sorted(NEEDS) == EXTRAS


@pytest.mark.parametrize("extra", ["dev", "docs"])
def test_every_tool_is_pinned(extra: str) -> None:
    pins = (ROOT / "requirements" / f"{extra}.txt").read_text("utf-8").splitlines()
    pinned = {re.sub(r"[-_.]+", "-", one.partition("==")[0]).lower() for one in pins}
    wanted = [re.match(r"[\w-]+", one) for one in PROJECT["optional-dependencies"][extra]]
    names = {one[0].lower() for one in wanted if one} - {PROJECT["name"]}
    assert all("==" in one for one in pins)
    assert names <= pinned


# -- CI

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
SET_UP = ("actions/checkout@", "actions/setup-python@", "actions/setup-node@")
JOBS: dict[str, dict[str, Any]] = {
    name: job
    for path in WORKFLOWS
    for name, job in yaml.safe_load(path.read_text("utf-8"))["jobs"].items()
}
EVERY_JOB = pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))


def commands(job: dict[str, Any]) -> Iterator[str]:
    """What a job runs, by all values of `matrix.target`."""
    included = job.get("strategy", {}).get("matrix", {}).get("include", [{"target": ""}])
    for step in job["steps"]:
        for values in included:
            yield step.get("run", "").replace("${{ matrix.target }}", values["target"])


@EVERY_JOB
def test_ci_runs_targets_of_make_and_nothing_else(job: dict[str, Any]) -> None:
    ran = [command.split() for command in commands(job) if command]
    assert ran
    assert all(words[0] == "make" and set(words[1:]) <= TARGETS for words in ran), ran


@EVERY_JOB
def test_ci_sets_up_interpreters_and_nothing_else(job: dict[str, Any]) -> None:
    used = [step["uses"] for step in job["steps"] if "run" not in step]
    assert all(action.startswith(SET_UP) for action in used)


@EVERY_JOB
def test_ci_gives_up_in_the_end(job: dict[str, Any]) -> None:
    assert "timeout-minutes" in job


def test_the_script_of_ci_runs_targets_of_make() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    ran = re.findall(r"^(?:\w+=\S+ |\w+=\".*\" )?step \d+ (\S+)", script, re.MULTILINE)
    assert len(ran) == len(re.findall(r"^[^#\n]*\bstep \d", script, re.MULTILINE))
    assert set(ran) <= TARGETS


def test_ci_measures_no_times_beside_other_libraries() -> None:
    """They are judged on a machine that does nothing else."""
    jobs = JOBS["targets"]["strategy"]["matrix"]["include"]
    scenarios = {each["target"]: each.get("scenarios") for each in jobs}["bench-peers"]
    assert scenarios == "outage lifetimes"
    assert f'SCENARIOS="{scenarios}" step' in (ROOT / ".ci" / "run").read_text("utf-8")
    (run,) = (each for each in JOBS["targets"]["steps"] if "run" in each)
    assert run["env"] == {"SCENARIOS": "${{ matrix.scenarios }}"}


def test_ci_tests_on_each_python_that_is_supported() -> None:
    assert JOBS["test"]["strategy"]["matrix"]["python"] == PYTHONS


# -- the version matrix


@pytest.fixture(scope="module")
def matrix() -> list[dict[str, Any]]:
    """The runs that nox lists, each with its python and its versions."""
    pytest.importorskip("nox", reason="needs nox, which no run of the matrix has")
    command = [sys.executable, "-m", "nox", "-f", str(ROOT / "noxfile.py"), "--list", "--json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return [{**one, **one["call_spec"]} for one in listed if one["name"] == "matrix"]


VARIED = ("python", "authlib", "httpx", "httpx2")


def test_the_matrix_has_each_corner_and_each_python(matrix: list[dict[str, Any]]) -> None:
    oldest = dict(re.findall(r"^(\w+)>=([\d.]+)", "\n".join(PROJECT["dependencies"]), re.M))
    runs = {tuple(run[key] for key in VARIED) for run in matrix}
    pythons, authlib = (PYTHONS[0], PYTHONS[-1]), (oldest["authlib"], "")
    assert runs >= set(product(pythons, authlib, (oldest["httpx"], ""), (False,)))
    assert runs >= set(product(pythons, authlib, ("0.25.1", ""), (True,)))
    assert {run["python"] for run in matrix if "pairs" in run["tags"]} == set(PYTHONS)


@pytest.mark.parametrize("two", list(combinations(VARIED, 2)), ids="-".join)
def test_each_two_values_meet_in_what_make_matrix_runs(
    matrix: list[dict[str, Any]], two: tuple[str, ...]
) -> None:
    oldest = {"python": PYTHONS[:1], "authlib": ["1.7"], "httpx": ["0.25", "0.25.1"]}
    runs = [run for run in matrix if "pairs" in run["tags"]]
    newer = [
        tuple(run[key] if key == "httpx2" else run[key] not in oldest[key] for key in two)
        for run in runs
    ]
    assert len(set(newer)) == 2**2
    assert len(runs) < len(matrix) / 2


def test_make_matrix_runs_those() -> None:
    targets = dict(re.findall(r"^(\w+):.*\n\t(.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert targets["matrix"].endswith("nox --session matrix --tags pairs")
    assert targets["cube"].endswith("nox --session matrix")
