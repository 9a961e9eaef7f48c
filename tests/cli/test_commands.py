"""`token`, `providers`, `discover` and `serve`, as their output is read by programs and people."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pygen_auth import OAuth2ClientCredentials
from pygen_auth._cli import serve
from pygen_auth._cli.parser import command_line
from pygen_auth.testing import Answer, AuthorizationServer

from ..diagnosis.support import SIGNATURE, claims, issues, jwt
from .conftest import CLIENT, SECRET, Run

TOKEN = jwt(**claims(aud="api", sub="me"))


# -- token


@pytest.fixture
def token(at: list[str], server: AuthorizationServer, secret: None) -> list[str]:
    issues(server, TOKEN)
    return ["token", *at]


def test_token_is_printed_on_request_only(run: Run, token: list[str]) -> None:
    ran = run(*token)
    assert (ran.status, ran.err) == (0, "")
    assert "a JWT; --decode shows its claims. --bare, --headers and --export print it" in ran.out
    assert TOKEN not in ran.out


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        (["--bare"], TOKEN),
        (["--headers"], f"Authorization: Bearer {TOKEN}"),
        (["--export"], f"export ACCESS_TOKEN={TOKEN}"),
        (["--export", "MINE"], f"export MINE={TOKEN}"),
    ],
)
def test_forms_of_a_token(run: Run, token: list[str], form: list[str], printed: str) -> None:
    ran = run(*token, *form)
    assert (ran.status, ran.out, ran.err) == (0, f"{printed}\n", "")


def test_export_quotes_for_the_shell(run: Run, token: list[str], server: Any) -> None:
    issues(server, "a$(b)")
    assert run(*token, "--export").out == "export ACCESS_TOKEN='a$(b)'\n"


@pytest.mark.parametrize("name", ["a b", "$(x)", "ä"])
def test_export_takes_names_alone(run: Run, token: list[str], name: str) -> None:
    ran = run(*token, "--export", name)
    assert (ran.status, ran.out) == (2, "")


def test_decode_shows_no_signature(run: Run, token: list[str]) -> None:
    ran = run(*token, "--decode")
    assert json.loads(ran.out)["claims"]["aud"] == "api"
    assert SIGNATURE not in ran.out


def test_what_cannot_be_decoded(run: Run, token: list[str], server: AuthorizationServer) -> None:
    issues(server, "opaque")
    ran = run(*token, "--decode")
    assert (ran.status, ran.out) == (2, "")
    assert "the token is no JWT" in ran.err
    assert "no JWT." in run(*token).out


def test_token_that_is_refused(run: Run, token: list[str], server: AuthorizationServer) -> None:
    server.override = Answer(401, {}, {"error": "invalid_client"})
    ran = run(*token, "--bare")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("pygen-auth: Token request failed with status 401: invalid_client")


def test_settings_of_a_token(run: Run) -> None:
    ran = run("token", "--token-url", "nowhere", "--client-id", CLIENT, stdin="")
    assert (ran.status, ran.out) == (2, "")


# -- providers


def test_providers(run: Run) -> None:
    lines = run("providers").out.splitlines()
    row = next(line for line in lines if line.startswith("cognite_entra "))
    assert row.endswith("--tenant … --cluster …")


def test_one_provider(run: Run) -> None:
    ran = run("providers", "auth0")
    assert ran.out.startswith("auth0 --domain … --audience … [--organization …]\n\nAuth0.\n")
    assert "https://auth0.com/docs/" in ran.out


def test_provider_that_is_not_known(run: Run) -> None:
    ran = run("providers", "spam")
    assert ran.status == 2
    assert "known are auth0, azure_ad" in ran.err


def test_providers_as_json(run: Run) -> None:
    names = [one["name"] for one in json.loads(run("providers", "--json").out)]
    assert "entra" in names


# -- discover


def test_discover(run: Run, server: AuthorizationServer) -> None:
    ran = run("discover", server.issuer)
    assert ran.status == 0
    assert re.search(rf"^token endpoint +{re.escape(server.token_url)}$", ran.out, re.MULTILINE)
    assert re.search(r"^auth methods +client_secret_basic, ", ran.out, re.MULTILINE)
    assert "mtls" not in ran.out


def test_discover_as_json(run: Run, server: AuthorizationServer) -> None:
    assert json.loads(run("discover", server.issuer, "--json").out)["token_endpoint"] == (
        server.token_url
    )


def test_discover_another_issuer(run: Run, server: AuthorizationServer) -> None:
    server.metadata["issuer"] = "https://other.example.com"
    assert run("discover", server.issuer).status == 1
    assert "other.example.com" in run("discover", server.issuer, "--any-issuer").out


def test_discover_shows_nothing_that_a_terminal_obeys(
    run: Run, server: AuthorizationServer
) -> None:
    server.metadata["token_endpoint_auth_methods_supported"] = ["\x1b[2Jodd"]
    assert re.search(r"^auth methods +\[2Jodd$", run("discover", server.issuer).out, re.MULTILINE)


def test_discover_what_is_no_url(run: Run) -> None:
    ran = run("discover", "auth.example.com")
    assert (ran.status, ran.out) == (2, "")


def test_discover_by_a_ca_of_ones_own(run: Run) -> None:
    with AuthorizationServer(tls=True) as server:
        assert run("discover", server.issuer).status == 1
        assert run("discover", server.issuer, "--ca-file", str(server.ca_file)).status == 0


# -- serve


class Serving:
    """The command in a thread, until it is told to stop."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        self.stop = threading.Event()
        self.status: int | None = None
        self._out = ""
        self._capsys = capsys
        self._options = command_line().parse_args(["serve", *arguments])
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.status = serve.run(self._options, self.stop)

    def __enter__(self) -> Serving:
        self._thread.start()
        self.wait_for(r"Ctrl-C ends it")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(20)

    def wait_for(self, pattern: str) -> re.Match[str]:
        for _ in range(400):
            self._out += self._capsys.readouterr().out
            if match := re.search(pattern, self._out):
                return match
            self.stop.wait(0.05)
        raise AssertionError(self._out)


def test_serve(capsys: pytest.CaptureFixture[str]) -> None:
    with Serving(capsys, "--lifetime", "60", "--scopes", "a b") as served:
        secret = served.wait_for(r"client my-client-id, secret (\S+)")[1]
        url = served.wait_for(r"token_url (\S+)")[1]
        credentials = OAuth2ClientCredentials(url, CLIENT, secret, scopes="a")
        assert credentials.token().lifetime == 60
        served.wait_for("token request of my-client-id by client_secret_post for a\n")
    assert served.status == 0


def test_serve_tells_of_requests_that_name_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    import httpx

    with Serving(capsys) as served:
        httpx.post(served.wait_for(r"token_url (\S+)")[1], trust_env=False)
        served.wait_for("token request of nobody without proof\n")


def test_serve_with_tls_and_clients_and_a_secret_of_ones_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    more = ("--client-secret-file", str(tmp_path / "secret"), "--client", "a", "--client", "b")
    with Serving(capsys, "--tls", *more) as served:
        served.wait_for("client a, secret as in the file\nclient b, secret as in the file")
        ca_file = served.wait_for(r"ca_file +(\S+)")[1]
        url = served.wait_for(r"token_url (https\S+)")[1]
        OAuth2ClientCredentials(url, "b", SECRET, verify=ca_file).token()


def test_serve_where_somebody_else_listens(run: Run, server: AuthorizationServer) -> None:
    ran = run("serve", "--port", server.url.rpartition(":")[2])
    assert ran.status == 2
    assert ran.err.startswith("pygen-auth: cannot serve: ")


def test_serve_with_a_port_that_is_none(run: Run) -> None:
    assert run("serve", "--port", "99999").status == 2


def test_serve_with_a_file_that_is_not_there(run: Run) -> None:
    assert "cannot serve" in run("serve", "--client-secret-file", "/none").err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_on_a_signal_and_removes_its_files(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "pygen_auth", "serve", "--tls"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout
        lines = []
        for line in served.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        ca_file = Path(next(line for line in lines if line.startswith("ca_file")).split()[1])
        assert ca_file.is_file()
        served.send_signal(number)
        assert served.wait(20) == 0
    assert not ca_file.exists()


def test_serve_hears_signals_in_the_main_thread(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Any] = {}

    def remember(number: int, handler: Any) -> None:
        handlers[number] = handler
        handler(number, None)  # it comes at once

    monkeypatch.setattr(signal, "signal", remember)
    assert run("serve").status == 0
    assert set(handlers) == {signal.SIGINT, signal.SIGTERM}


def test_serve_on_a_port_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Serving(capsys, "--port", str(port)) as served:
        assert served.wait_for(r"issuer +(\S+)")[1] == f"http://127.0.0.1:{port}"
