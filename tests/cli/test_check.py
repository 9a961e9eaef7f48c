"""`pygen-auth check`: what is shown, for people and for programs, and the exit status."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pygen_auth.testing import Answer, AuthorizationServer

from ..diagnosis.support import SIGNATURE, claims, issues, jwt
from .conftest import CLIENT, SECRET, Run

pytestmark = pytest.mark.usefixtures("secret")


def test_all_well(run: Run, at: list[str]) -> None:
    ran = run("check", *at)
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("✓ settings ")
    assert lines[0].endswith("my-c… by client_secret_post at " + at[1])
    assert lines[-2:] == ["", "all well"]


def test_each_step_has_a_mark_its_time_and_what_was_found(run: Run, at: list[str]) -> None:
    steps = run("check", *at).out.splitlines()[:-2]
    for line in steps:
        mark, name, rest = line[0], line[2:16].strip(), line[16:26]
        assert mark in "✓–", line
        assert name
        assert mark == "–" or rest.strip().endswith(" s") or rest.strip().endswith(" ms"), line


def test_a_step_that_failed_says_what_to_do(
    run: Run, at: list[str], server: AuthorizationServer
) -> None:
    server.override = Answer(401, {}, {"error": "invalid_client"})
    ran = run("check", *at)
    lines = ran.out.splitlines()
    failed = next(n for n, line in enumerate(lines) if line.startswith("✗ token request"))
    assert lines[failed + 1].strip().startswith("→ check client_id and client_secret")
    assert lines[failed + 2].startswith("– token ")
    assert lines[-1] == "failed: token request"
    assert ran.status == 1


def test_warnings_are_no_failure(run: Run, at: list[str], server: AuthorizationServer) -> None:
    issues(server, "opaque", expires_in=60)
    ran = run("check", *at)
    assert ran.out.splitlines()[-1] == "all well, but look at: lifetime"
    assert ran.status == 0


def test_call(run: Run, at: list[str], server: AuthorizationServer) -> None:
    assert (
        "status 200: the API takes the token"
        in run("check", *at, "--call", server.url + "/api").out
    )


def test_issuer(run: Run, at: list[str], server: AuthorizationServer) -> None:
    assert "✓ discovery" in run("check", *at, "--issuer", server.issuer).out


def test_settings_that_cannot_be_right(run: Run) -> None:
    ran = run("check", "--token-url", "nowhere", "--client-id", CLIENT)
    assert ran.out.splitlines()[0].startswith("✗ settings")
    assert ran.out.splitlines()[-1] == "failed: settings"
    assert ran.status == 2


def test_call_that_cannot_be_right(run: Run, at: list[str]) -> None:
    ran = run("check", *at, "--call", "http://api.example.com")
    assert ran.out.splitlines()[0].startswith("✗ settings")
    assert ran.status == 2


def test_key_that_cannot_be_read_is_a_setting(run: Run, at: list[str], tmp_path: Path) -> None:
    (tmp_path / "jwt").touch()
    ran = run("check", *at, "--assertion-file", str(tmp_path / "jwt"))
    assert ran.out.splitlines()[-1] == "failed: token request"
    assert ran.status == 2


def test_issuer_that_is_away(run: Run) -> None:
    ran = run("check", "--issuer", "http://127.0.0.1:9", "--client-id", CLIENT, "--timeout", "5")
    lines = ran.out.splitlines()
    assert lines[0].startswith("✓ name")
    assert lines[1].startswith("✗ connection")
    assert "nobody listens there" in lines[2]
    assert lines[-3].startswith("– call")
    assert lines[-1] == "failed: connection"
    assert ran.status == 1


def test_json(run: Run, at: list[str], server: AuthorizationServer) -> None:
    server.override = Answer(401, {}, {"error": "invalid_client"})
    ran = run("check", *at, "--json")
    report = json.loads(ran.out)
    assert report["ok"] is False
    failed = [check for check in report["checks"] if check["outcome"] == "failed"]
    assert [check["name"] for check in failed] == ["token request"]
    assert failed[0]["found"]["status"] == 401
    assert (ran.status, ran.err) == (1, "")


def test_json_of_refused_settings(run: Run) -> None:
    ran = run("check", "--token-url", "nowhere", "--client-id", CLIENT, "--json")
    assert json.loads(ran.out)["checks"][0]["outcome"] == "failed"
    assert ran.status == 2


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_ids_are_covered_unless_asked_for(run: Run, at: list[str], form: list[str]) -> None:
    assert CLIENT not in run("check", *at, *form).out
    assert CLIENT in run("check", *at, *form, "--no-redact").out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_and_no_token_is_shown(
    run: Run, at: list[str], server: AuthorizationServer, form: list[str]
) -> None:
    token = jwt(**claims(aud="api"))
    issues(server, token)
    ran = run("check", *at, *form, "--no-redact", "--call", server.resource_url)
    for hidden in (SECRET, token, SIGNATURE, token.split(".")[1]):
        assert hidden not in ran.out + ran.err


def test_nothing_is_coloured_and_no_line_is_wrapped_in_a_pipe(run: Run, at: list[str]) -> None:
    ran = run("check", *at, "--scopes", " ".join(f"scope-{n}" for n in range(60)))
    assert "\x1b" not in ran.out
    assert max(map(len, ran.out.splitlines())) > 500


def test_terminal_without_unicode(
    run: Run, at: list[str], server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.override = Answer(401, {}, {"error": "invalid_client", "error_description": "värde"})
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, "ascii"))
    run("check", *at)
    sys.stdout.flush()
    text = out.getvalue().decode("ascii")
    assert text.startswith("+ settings")
    assert "x token request" in text
    assert "-> check client_id" in text
    assert "v?rde" in text


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["token", "--help"]])
def test_help_on_a_terminal_without_unicode(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert run(*arguments).status == 0


def test_what_the_library_logs_is_not_among_the_report(
    at: list[str], server: AuthorizationServer
) -> None:
    """It would tell the whole token_url, with the tenant in it."""
    server.override = Answer(body={"access_token": "t0ken", "token_type": "Bearer"})
    command = [sys.executable, "-m", "pygen_auth", "check", *at]
    environ = {**os.environ, "IDP_CLIENT_SECRET": SECRET}
    ran = subprocess.run(command, capture_output=True, text=True, env=environ)
    assert "the server names no lifetime" in ran.stdout
    assert ran.stderr == ""


def test_environment_without_settings_says_what_else_there_is(run: Run) -> None:
    assert "→ set them, or give --token-url, --provider or --config" in run("check").out


def test_variable_that_is_wrong_is_to_be_set_right(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDER", "nobody")
    assert "PROVIDER must be one of" in run("check").out
    assert "→" not in run("check").out


def test_output_that_is_no_file(run: Run, at: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert run("check", *at).status == 0
    assert "settings" in out.getvalue()
