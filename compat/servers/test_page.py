"""The data are whole, and docs/servers.md says what they say."""

from __future__ import annotations

import re

import pytest

from .cases import CASES, ENCODINGS
from .clients import SAMPLES
from .facts import Facts, every_server
from .install import HERE, is_of_node
from .page import PAGE, written

SERVERS = every_server()
OUTCOME = re.compile(r"token|not sent|[45]\d\d (without a code|[a-z_]+)")

every = pytest.mark.parametrize("server", SERVERS, ids=str)


def test_page_has_the_tables_of_the_data() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page), "python -m compat.servers.page writes them"


def test_every_folder_with_a_program_has_data() -> None:
    folders = {path.parent.name for path in HERE.glob("*/server.*") if path.suffix != ".json"}
    assert folders == {server.folder for server in SERVERS}


def test_every_case_is_asked_of_some_server() -> None:
    assert {name for server in SERVERS for name in server.cases} == CASES.keys()


@every
def test_data_are_in_form(server: Facts) -> None:
    refused = list(server.secrets.values())
    outcomes = [*server.cases.values(), *(came for row in refused for came in row.values())]
    assert [came for came in outcomes if not OUTCOME.fullmatch(came)] == []
    assert set(server.secrets) in (set(), set(ENCODINGS))
    assert {name for row in refused for name in row} <= {sample.name for sample in SAMPLES}
    assert set(server.without_hint) <= set(server.cases)
    assert server.version in PAGE.read_text("utf-8")


@pytest.mark.parametrize("server", [one for one in SERVERS if one.secrets], ids=str)
def test_what_the_page_says_of_encodings_holds(server: Facts) -> None:
    post, auto, form, raw = (set(server.secrets[encoding]) for encoding in ENCODINGS)
    assert auto == form & raw
    assert post <= auto


@every
def test_versions_are_pinned_and_name_no_registry(server: Facts) -> None:
    place = HERE / server.folder
    names = ("package.json", "package-lock.json") if is_of_node(server.folder) else ()
    files = [place / name for name in names] or [place / "requirements.txt"]
    text = "".join(file.read_text("utf-8") for file in files)
    assert re.match(r"\d+\.\d+\.\d+$", server.version)
    assert not re.search("resolved|registry|index-url", text)
