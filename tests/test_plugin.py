"""The plugin for pytest, loaded as users have it: by its entry point."""

from __future__ import annotations

import re
import subprocess
import sys

import httpx
import pytest

import pytest_pygen_auth
from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials
from pygen_auth.testing import AuthorizationServer, FakeClock

from .support import Twin

pytest_plugins = ["pytester"]

FIXTURES = {
    *("authorization_server", "oauth2_clock"),
    *("oauth2_credentials", "async_oauth2_credentials"),
}
STRICT = (
    *("--strict-markers", "-W", "error"),
    # The library is imported already, by the tests around, which it is not in a run of a user's.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)

# -- the fixtures


def test_server_answers_during_the_test(authorization_server: AuthorizationServer) -> None:
    assert httpx.get(authorization_server.resource_url).status_code == 401


def test_credentials_are_those_of_a_client_of_the_server(
    oauth2_credentials: OAuth2ClientCredentials, authorization_server: AuthorizationServer
) -> None:
    url, headers = authorization_server.resource_url, oauth2_credentials.get_headers()
    assert httpx.get(url, headers=headers).json()["client_id"] == oauth2_credentials.client_id


def test_asynchronous_credentials_are_those_of_the_same_client(
    async_oauth2_credentials: AsyncOAuth2ClientCredentials,
    oauth2_credentials: OAuth2ClientCredentials,
    authorization_server: AuthorizationServer,
) -> None:
    assert Twin("async").token(async_oauth2_credentials)
    assert oauth2_credentials.get_headers()
    (client_id,) = {request.client_id for request in authorization_server.token_requests}
    assert client_id == async_oauth2_credentials.client_id


def test_program_with_the_settings_of_the_credentials_gets_a_token(
    oauth2_credentials: OAuth2ClientCredentials,
) -> None:
    theirs = OAuth2ClientCredentials(
        oauth2_credentials.token_url, oauth2_credentials.client_id, oauth2_credentials.client_secret
    )
    assert theirs.get_headers()


def test_clock_ages_the_tokens_of_credentials_and_server(
    oauth2_credentials: OAuth2ClientCredentials,
    authorization_server: AuthorizationServer,
    oauth2_clock: FakeClock,
) -> None:
    first = oauth2_credentials.get_headers()
    oauth2_clock.advance(authorization_server.lifetime)
    assert oauth2_credentials.get_headers() != first
    assert httpx.get(authorization_server.resource_url, headers=first).status_code == 401


# -- in a suite of somebody else's


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty one, in which this plugin is the only one that does not come with pytest."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return pytester


def run(suite: pytest.Pytester, *arguments: str, plugin: str = "pygen_auth") -> pytest.RunResult:
    return suite.runpytest_inprocess("-p", plugin, *STRICT, *arguments)


def test_each_test_has_a_server_of_its_own_and_none_is_left(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import httpx, pytest

        seen = []

        @pytest.mark.parametrize("number", range(2))
        def test_own(authorization_server, oauth2_credentials, number):
            oauth2_credentials.get_headers()
            assert authorization_server.token_request_count == 1
            seen.append(authorization_server.url)

        def test_gone():
            assert len(set(seen)) == 2
            for url in seen:
                with pytest.raises(httpx.ConnectError):
                    httpx.get(url)
    """)
    run(suite).assert_outcomes(passed=3)


def test_credentials_that_outlive_a_test_ask_anew_in_the_next(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pytest
        from pygen_auth.testing import static

        credentials = static("t0ken")  # of the module
        times = []

        @pytest.mark.parametrize("number", range(2))
        def test_aged(oauth2_clock, number):
            times.append(oauth2_clock.wall)
            assert credentials.token().expires_at == pytest.approx(oauth2_clock.wall + 3600)
            oauth2_clock.advance(10_000)

        def test_real_again():
            assert times[1] < times[0] + 5_000
            assert credentials.token().expires_at < times[0] + 5_000
    """)
    run(suite).assert_outcomes(passed=3)


def test_server_of_the_suite_itself_takes_the_place_of_ours(suite: pytest.Pytester) -> None:
    suite.makeconftest("""
        import pytest
        from pygen_auth.testing import AuthorizationServer

        @pytest.fixture(scope="session")
        def authorization_server():
            with AuthorizationServer(tls=True) as server:
                yield server
    """)
    suite.makepyfile("""
        import pytest

        @pytest.mark.parametrize("count", [1, 2])
        def test_same_server(authorization_server, oauth2_credentials, count):
            assert oauth2_credentials.token_url.startswith("https:")
            oauth2_credentials.get_headers()
            assert authorization_server.token_request_count == count
    """)
    run(suite).assert_outcomes(passed=2)


def test_fixtures_are_listed_with_what_they_are(suite: pytest.Pytester) -> None:
    text = run(suite, "--fixtures").stdout.str()
    ours = text.partition("fixtures defined from pytest_pygen_auth")[2]
    listed = dict(re.findall(r"^(\w+) -- .*pytest_pygen_auth[.]py:\d+\n    (.*)$", ours, re.M))
    assert listed.keys() == FIXTURES
    assert not [doc for doc in listed.values() if "no docstring" in doc]


def test_it_has_no_hook() -> None:
    assert [name for name in vars(pytest_pygen_auth) if name.startswith("pytest_")] == []


def test_it_can_be_left_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_needs(oauth2_clock): pass")
    result = run(pytester, plugin="no:pygen_auth")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'oauth2_clock' not found"])


def test_run_without_its_fixtures_imports_nothing_of_the_library(suite: pytest.Pytester) -> None:
    suite.makeconftest("""
        import sys

        def pytest_unconfigure():
            assert "pytest_pygen_auth" in sys.modules
            print([name for name in ("pygen_auth", "httpx", "authlib") if name in sys.modules])
    """)
    suite.makepyfile("def test_needs(oauth2_clock): pass")
    result = suite.runpytest_subprocess("-p", "pygen_auth", "--collect-only", "-W", "error")
    assert result.ret == 0
    assert result.outlines[-1] == "[]"


def test_testing_without_pytest_can_be_imported() -> None:
    code = (
        "import sys\n"
        "sys.modules['pytest'] = None\n"
        "import pygen_auth.testing\n"
        "sys.exit('pytest_pygen_auth' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
