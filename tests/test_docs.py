"""README and docs: the only place that holds them to what the library does.

Every Python block runs, each document from top to bottom. `auth.example.com` and
`api.example.com` are mocked; what a block asks of this machine goes over real sockets.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from doctest import ELLIPSIS
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import trustme
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from pygen_auth import (
    OAuth2ClientCredentials,
    UnreachableError,
)
from pygen_auth.testing import Answer, AuthorizationServer, FakeClock
from tests import keys, stand_ins
from tests.sharing.forks import in_child

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
DECISIONS = sorted(ROOT.glob("docs/decisions/*.md"))
EVERY_DOCUMENT = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(document.relative_to(ROOT)) for document in DOCUMENTS]
)

FOR_COGNITE = {
    "IDP_CLIENT_ID": "my-client-id",
    "IDP_CLIENT_SECRET": "my-client-secret",
    "IDP_TENANT_ID": "contoso.onmicrosoft.com",
    "CDF_CLUSTER": "westeurope-1",
}
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    """The provider on loopback, also for what the recipes read from the environment."""
    with AuthorizationServer() as server:
        server.add_client("my-client-id", "my-client-secret")
        yield server


@pytest.fixture
def network(server: AuthorizationServer) -> Iterator[None]:
    """The two hosts of the examples, and the providers that the docs name, which have a real
    server behind them; this machine is reached for real, and nothing else at all.
    """
    with respx.mock(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()
        router.post("https://auth.example.com/oauth2/token").mock(
            return_value=httpx.Response(
                200, json={"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600}
            )
        )
        router.route(
            host="api.example.com", headers__contains={"Authorization": "Bearer t0ken"}
        ).mock(return_value=httpx.Response(200, json={"items": []}))
        router.route(host="api.example.com").mock(return_value=httpx.Response(401))
        stand_ins.play(router, server)
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: AuthorizationServer) -> Path:
    """The files and variables that the examples name."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "company-ca.pem"))
    own = authority.issue_cert("client.example.com").private_key_and_cert_chain_pem
    own.write_to_path(str(tmp_path / "client.pem"))
    (tmp_path / "client-secret").write_text("my-client-secret\n")
    key = keys.pem(keys.private_key("RSA"))
    (tmp_path / "app.pem").write_bytes(key + keys.certificate("RSA"))
    (tmp_path / "service-app.pem").write_bytes(key)
    (tmp_path / "federated-token").write_text(stand_ins.federated_token())
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "federated-token"))
    monkeypatch.setenv("AZURE_CLIENT_ID", "my-client-id")
    monkeypatch.setenv("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
    monkeypatch.setenv("TOKEN_URL", server.token_url)
    monkeypatch.setenv("CLIENT_ID", "my-client-id")
    monkeypatch.setenv("CLIENT_SECRET", "my-client-secret")
    monkeypatch.setenv("API_URL", server.resource_url)
    for name, value in FOR_COGNITE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@EVERY_DOCUMENT
@pytest.mark.usefixtures("network")
def test_python_blocks_run(document: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in _write_files(document, folder):
        sys.modules.pop(module, None)  # of an earlier run
    monkeypatch.syspath_prepend(folder)
    _run(document)


def _write_files(document: Path, folder: Path) -> list[str]:
    """Write the blocks that begin with the name of a file; the names of the modules."""
    named = re.compile(r"^```python\n(# (\w+)\.py\n.*?)^```$", re.DOTALL | re.MULTILINE)
    blocks = named.findall(document.read_text("utf-8"))
    for text, module in blocks:
        (folder / f"{module}.py").write_text(text, "utf-8")
    return [module for _, module in blocks]


def test_tests_of_the_page_on_testing_pass(tmp_path: Path) -> None:
    modules = _write_files(ROOT / "docs/testing.md", tmp_path)
    text = "".join((tmp_path / f"{module}.py").read_text("utf-8") for module in modules)
    written = len(re.findall(r"^(?:async )?def test_", text, re.MULTILINE))
    # None of this environment's plugins but those that the page names.
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugins = ("-p", "pygen_auth", "-p", "anyio")
    command = [sys.executable, "-W", "error", "-m", "pytest", "--strict-markers", *plugins]
    ran = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True)
    assert f"= {written} passed in " in ran.stdout, ran.stdout + ran.stderr
    assert written > 5


def _run(document: Path) -> dict[str, Any]:
    """Run its blocks; what they define."""
    sybil = Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=ELLIPSIS)])
    parsed = sybil.parse(document)
    parsed.namespace["__name__"] = "__main__"  # of the pages' own programs
    for example in parsed.examples():
        example.evaluate()
    return parsed.namespace


# -- the recipes of docs/sharing.md, called as the frameworks call them


def _gunicorn(page: dict[str, Any]) -> None:
    statuses: list[str] = []
    body = page["application"]({}, lambda status, headers: statuses.append(status))
    assert statuses == ["200 OK"]
    assert b"access_token" in b"".join(body)


def _celery(page: dict[str, Any]) -> None:
    assert [page["load_page"](number) for number in range(3)] == [200] * 3


def _spark(page: dict[str, Any]) -> None:
    assert list(page["load_partition"](iter("abc"))) == [("a", 200), ("b", 200), ("c", 200)]


def _dask(page: dict[str, Any]) -> None:
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(page["load_part"], range(4))) == [200] * 4


def _airflow(page: dict[str, Any]) -> None:
    assert page["load_items"]()["client_id"] == "my-client-id"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the recipes' processes are forked")
@pytest.mark.parametrize("work", [_gunicorn, _celery, _spark, _dask, _airflow])
@pytest.mark.usefixtures("network", "folder")
def test_processes_of_a_recipe_make_one_token_request(
    work: Callable[[dict[str, Any]], None], server: AuthorizationServer
) -> None:
    page = _run(ROOT / "docs/sharing.md")
    before = server.token_request_count
    for _ in range(3):
        in_child(lambda: work(page))
    assert server.token_request_count - before == 1


@pytest.mark.usefixtures("network", "folder")
def test_instance_of_the_lambda_recipe_makes_one_token_request(
    server: AuthorizationServer,
) -> None:
    page = _run(ROOT / "docs/sharing.md")
    before = server.token_request_count
    assert [page["handler"]({}, None) for _ in range(3)] == [{"statusCode": 200}] * 3
    assert server.token_request_count - before == 1


@pytest.mark.usefixtures("network", "folder")
def test_web_applications_of_the_guide_serve(server: AuthorizationServer) -> None:
    guide = _run(ROOT / "docs/guide.md")
    before = server.token_request_count

    async def asynchronously() -> list[httpx.Response]:
        app = guide["app"]
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
        ):
            return await asyncio.gather(*(client.get("/items") for _ in range(5)))

    answers = [answer.json()["client_id"] for answer in asyncio.run(asynchronously())]
    client = guide["service"].test_client()
    answers += [client.get("/items").json["client_id"] for _ in range(5)]
    guide["api"].close()
    assert answers == ["my-client-id"] * 10
    assert server.token_request_count - before == 2


@EVERY_DOCUMENT
def test_every_block_says_what_it_is(document: Path) -> None:
    languages = {language for language, _ in FENCE.findall(document.read_text("utf-8"))}
    assert languages <= {"python", "console", "text"}


@EVERY_DOCUMENT
def test_commands_exist(document: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for words in _commands(document.read_text("utf-8")):
        if words[0] == "make":
            assert set(words[1:]) <= targets, words
        if words[0] == "pygen-auth":
            command = [sys.executable, "-m", "pygen_auth", *words[1:], "--help"]
            assert subprocess.run(command, capture_output=True).returncode == 0, words


def _commands(text: str) -> Iterator[list[str]]:
    for language, block in FENCE.findall(text):
        if language == "console":
            yield from (line[2:].split() for line in block.splitlines() if line.startswith("$ "))
    for inline in re.findall(r"`((?:make|pygen-auth) [^`]+)`", FENCE.sub("", text)):
        yield inline.split()


@EVERY_DOCUMENT
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", document.read_text("utf-8"))):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def _anchors(document: Path) -> set[str]:
    """The anchors of its headings, by the rule of the usual Markdown viewers."""
    text = FENCE.sub("", document.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("folder", ["docs", "docs/decisions"])
def test_every_document_is_linked_from_its_index(folder: str) -> None:
    documents = set((ROOT / folder).glob("*.md"))
    index = ROOT / folder / "index.md"
    index = index if index in documents else index.parent.with_suffix(".md")
    links = re.findall(r"\]\(([\w./-]+\.md)", index.read_text("utf-8"))
    assert documents - {(index.parent / link).resolve() for link in links} <= {index}


@pytest.mark.parametrize("fault", ["no TLS", "unknown authority", "nobody there", "cut off"])
def test_what_the_network_says_is_on_the_page_of_errors(fault: str) -> None:
    text = (ROOT / "docs/errors.md").read_text("utf-8")
    table = text.partition("### Token request failed: no answer from …")[2].partition("###")[0]
    listed = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE)))
    with AuthorizationServer(tls=fault == "unknown authority") as server, FakeClock():
        server.override = Answer(reset="before")
        if fault == "nobody there":
            server.close()
        url = server.token_url.replace("http:", "https:" if fault == "no TLS" else "http:")
        credentials = OAuth2ClientCredentials(url, "my-client-id", "my-client-secret")
        with pytest.raises(UnreachableError) as caught:
            credentials.get_headers()
    assert [word for word in listed if word in str(caught.value)]


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [path.name[:5] for path in DECISIONS]
    assert numbers == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("decision", DECISIONS, ids=[path.stem for path in DECISIONS])
def test_decisions_have_one_shape(decision: Path) -> None:
    text = decision.read_text("utf-8")
    assert text.startswith(f"# {decision.name[:4]} ")
    assert re.search(r"^Status: (accepted|superseded by \d{4})", text, re.MULTILINE)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["What the user sees", "Decision", "Rejected", "Cost"]
    assert len(text.splitlines()) <= 60  # one page
