"""Where the settings come from, and what is said where they are missing."""

from __future__ import annotations

import contextlib
import getpass
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from pygen_auth import ConfigurationError, OAuth2ClientCredentials, TokenCredentials
from pygen_auth._cli.parser import command_line
from pygen_auth._cli.settings import Source, credentials_of, functions
from pygen_auth.client_auth import ClientAssertion, PrivateKeyJWT, TLSClientCertificate
from pygen_auth.testing import AuthorizationServer

from .. import keys
from .conftest import CLIENT, SECRET

URL = "https://auth.example.com/oauth2/token"
TENANT = "contoso.onmicrosoft.com"


def source(*arguments: str) -> Source:
    options = command_line().parse_args(["check", *arguments])
    return credentials_of(options, lambda what: contextlib.nullcontext())


def made(*arguments: str) -> OAuth2ClientCredentials:
    credentials = source(*arguments).credentials
    assert isinstance(credentials, OAuth2ClientCredentials)
    return credentials


def refused(*arguments: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        source(*arguments)
    return str(caught.value)


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# -- options


@pytest.mark.usefixtures("secret")
def test_options() -> None:
    credentials = made(
        *("--token-url", URL, "--client-id", CLIENT, "--scopes", "a b", "--audience", "api"),
        *("--client-auth", "client_secret_basic", "--timeout", "7"),
        *("--param", "resource=x", "--param", "resource=y", "--param", "z=1=2"),
    )
    assert (credentials.token_url, credentials.client_id) == (URL, CLIENT)
    assert (credentials.scopes, credentials.audience) == (["a", "b"], "api")
    assert credentials.client_secret == SECRET
    assert credentials._timeout == 7
    assert credentials._grant.params == (("resource", "x"), ("resource", "y"), ("z", "1=2"))
    assert credentials._grant.client_auth.name == "client_secret_basic"


@pytest.mark.usefixtures("secret")
def test_insecure_host_and_ca_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    credentials = made(
        *("--token-url", "http://keycloak/token", "--client-id", CLIENT),
        *("--insecure-host", "keycloak", "--ca-file", str(tmp_path / "ca.pem")),
    )
    assert credentials._connection.verify == str(tmp_path / "ca.pem")


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--token-url", URL, "--client-id", CLIENT, "--param", "x"], "--param must be NAME=VALUE"),
        (["--token-url", URL, "--client-id", CLIENT, "--param", "=x"], "--param must be"),
        (
            ["--token-url", URL, "--client-id", CLIENT, "--tenant", "x"],
            "--tenant: no effect without",
        ),
        (["--client-id", CLIENT, "--tenant", "x"], "--tenant: no effect without a provider"),
        (["--token-url", URL, "--key-certificate", "x"], "--key-certificate: no effect without"),
        (["--token-url", URL, "--key-password-file", "x"], "--key-password-file: no effect"),
        (["--token-url", URL, "--ca-file", "/none"], "--ca-file names no file: /none"),
        (["--token-url", URL], "client_id is missing: give --client-id"),
        (["--token-url", URL, "--provider", "entra"], "--provider and --token-url exclude"),
        (["--provider", "spam"], "--provider must be one of auth0, azure_ad"),
        (["--provider", "auth0", "--realm", "x"], "provider auth0 takes no --realm"),
        (["--provider", "auth0"], "provider auth0 needs --domain, --audience"),
        (["--token-url", URL, "--client-id", CLIENT, "--timeout", "0"], "timeout must be"),
    ],
)
def test_options_that_cannot_be_right(arguments: list[str], message: str) -> None:
    assert message in refused(*arguments)


def test_client_proves_itself_by_a_key(tmp_path: Path) -> None:
    pem = keys.pem(keys.private_key("RSA"))
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "certificate.pem").write_bytes(keys.certificate("RSA"))
    who = ("--token-url", URL, "--client-id", CLIENT, "--key-file", str(tmp_path / "key.pem"))
    credentials = made(*who, "--key-certificate", str(tmp_path / "certificate.pem"))
    assert isinstance(credentials._grant.client_auth, PrivateKeyJWT)
    assert credentials.client_secret is None


@pytest.mark.parametrize("option", ["--key-file", "--tls-certificate"])
def test_key_that_is_encrypted(tmp_path: Path, option: str) -> None:
    key = keys.private_key("RSA").private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"of the key")
    )
    (tmp_path / "key.pem").write_bytes(key + keys.certificate("RSA"))
    (tmp_path / "password").write_text("of the key\n")
    who = ("--token-url", URL, "--client-id", CLIENT, option, str(tmp_path / "key.pem"))
    password = made(*who, "--key-password-file", str(tmp_path / "password"))._grant.client_auth
    assert getattr(password, "password", None) == "of the key"


def test_client_proves_itself_by_an_assertion(tmp_path: Path) -> None:
    who = ("--token-url", URL, "--client-id", CLIENT, "--assertion-file", str(tmp_path / "jwt"))
    assert refused(*who) == f"--assertion-file names no file: {tmp_path / 'jwt'}"
    (tmp_path / "jwt").touch()
    assert isinstance(made(*who)._grant.client_auth, ClientAssertion)


def test_client_proves_itself_by_a_certificate() -> None:
    with AuthorizationServer(tls=True) as server:
        path = server.issue_certificate(CLIENT)
        who = ("--token-url", server.token_url, "--client-id", CLIENT, "--tls-certificate", path)
        assert isinstance(made(*who)._grant.client_auth, TLSClientCertificate)


# -- the secret

WHO = ("--token-url", URL, "--client-id", CLIENT)


def test_secret_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    assert made(*WHO, "--client-secret-file", str(tmp_path / "secret")).client_secret == SECRET


def test_secret_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\n"))
    assert made(*WHO, "--client-secret-file", "-").client_secret == SECRET


def test_secret_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", SECRET)
    assert made(*WHO, "--client-secret-env", "MINE").client_secret == SECRET


@pytest.mark.parametrize("name", ["IDP_CLIENT_SECRET", "COGNITE_CLIENT_SECRET"])
def test_secret_in_the_usual_variables(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, SECRET)
    assert made(*WHO).client_secret == SECRET


def test_secret_at_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: SECRET)
    assert made(*WHO).client_secret == SECRET


@pytest.mark.usefixtures("no_terminal")
def test_no_secret_at_all() -> None:
    assert "client_secret is missing: set IDP_CLIENT_SECRET" in refused(*WHO)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "--client-secret-file cannot be read: No such file"),
        (b"\xff", "no UTF-8"),
        (b"\n", "--client-secret-file holds nothing"),
    ],
)
def test_file_without_a_secret(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    assert message in refused(*WHO, "--client-secret-file", str(tmp_path / "secret"))


def test_mark_at_the_start_of_a_file_is_not_of_the_secret(tmp_path: Path) -> None:
    """As some editors on Windows put it there."""
    (tmp_path / "secret").write_text(SECRET, "utf-8-sig")
    assert made(*WHO, "--client-secret-file", str(tmp_path / "secret")).client_secret == SECRET


@pytest.mark.parametrize("arguments", [[], ["--client-secret-file", "-"]])
def test_standard_input_that_is_closed(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert refused(*WHO, *arguments).startswith(
        ("client_secret is missing", "--client-secret-file")
    )


def test_nothing_typed_at_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", ended)
    assert "client_secret is missing" in refused(*WHO)


def test_secret_typed_as_standard_input_is_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = {"--client-secret-file (not shown): ": SECRET}
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", typed.get)
    assert made(*WHO, "--client-secret-file", "-").client_secret == SECRET


def test_variable_that_is_not_set() -> None:
    assert "the variable that --client-secret-env names" in refused(
        *WHO, "--client-secret-env", "NONE"
    )


# -- a token from elsewhere


def test_token_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    credentials = source("--token-file", str(tmp_path / "token")).credentials
    assert isinstance(credentials, TokenCredentials)
    assert credentials.get_headers() == {"Authorization": "Bearer t0ken"}


def test_options_that_have_no_effect_on_a_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken")
    message = refused("--token-file", str(tmp_path / "token"), "--scopes", "a", "--timeout", "5")
    assert message.startswith("--scopes, --timeout: no effect on a token from elsewhere")


def test_options_that_have_no_effect_on_a_token_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"token": "t0ken"}')
    assert "no effect on" in refused("--config", str(tmp_path / "a.json"), "--audience", "x")


# -- the environment


@pytest.fixture
def toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_TENANT_ID", TENANT)
    monkeypatch.setenv("IDP_CLIENT_ID", CLIENT)
    monkeypatch.setenv("IDP_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("CDF_CLUSTER", "westeurope-1")


@pytest.mark.usefixtures("toolkit")
def test_variables_of_the_toolkit() -> None:
    credentials = made()
    assert credentials.token_url.startswith(f"https://login.microsoftonline.com/{TENANT}/")
    assert credentials.scopes == ["https://westeurope-1.cognitedata.com/.default"]


@pytest.mark.usefixtures("toolkit")
def test_options_win_over_variables(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("another-secret")
    credentials = made(
        *("--client-id", "another", "--client-secret-file", str(tmp_path / "secret")),
        *("--scopes", "s/.default", "--timeout", "5"),
    )
    assert (credentials.client_id, credentials.scopes) == ("another", ["s/.default"])
    assert (credentials.client_secret, credentials._timeout) == ("another-secret", 5)


@pytest.mark.usefixtures("toolkit")
def test_key_in_place_of_the_secret_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(keys.pem(keys.private_key("RSA")))
    credentials = made("--key-file", str(tmp_path / "key.pem"))
    assert isinstance(credentials._grant.client_auth, PrivateKeyJWT)


@pytest.mark.usefixtures("toolkit", "no_terminal")
def test_key_in_place_of_a_secret_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDP_CLIENT_SECRET")
    (tmp_path / "key.pem").write_bytes(keys.pem(keys.private_key("RSA")))
    assert made("--key-file", str(tmp_path / "key.pem")).client_secret is None


@pytest.mark.usefixtures("toolkit")
def test_secret_is_asked_for_whatever_it_is_sent_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDP_CLIENT_SECRET")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: SECRET)
    assert made("--client-auth", "client_secret_basic").client_secret == SECRET


@pytest.mark.usefixtures("toolkit")
def test_secret_alone_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDP_CLIENT_SECRET")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: SECRET)
    assert made().client_secret == SECRET


@pytest.mark.usefixtures("toolkit")
def test_options_stand_in_for_variables_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDF_CLUSTER")
    assert made("--scopes", "a b").scopes == ["a", "b"]


def test_token_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDF_TOKEN", "t0ken")
    assert isinstance(source().credentials, TokenCredentials)


def test_variables_that_are_missing_are_named() -> None:
    assert "IDP_CLIENT_ID" in refused()


# -- providers


@pytest.mark.usefixtures("secret")
def test_provider() -> None:
    found = source(
        *("--provider", "entra", "--tenant", TENANT, "--resource", "api://my-api"),
        *("--client-id", CLIENT),
    )
    assert isinstance(found.credentials, OAuth2ClientCredentials)
    assert found.credentials.scopes == ["api://my-api/.default"]
    assert getattr(found.issuer, "name", None) == "entra"


@pytest.mark.usefixtures("secret")
def test_scopes_go_to_the_provider_where_it_takes_them() -> None:
    who = ("--domain", "my-org.okta.com", "--client-id", CLIENT)
    assert made("--provider", "okta", "--scopes", "a b", *who).scopes == ["a", "b"]


@pytest.mark.usefixtures("secret")
def test_scopes_go_to_the_credentials_else() -> None:
    who = ("--base-url", "https://sso.example.com", "--realm", "r", "--client-id", CLIENT)
    assert made("--provider", "keycloak", "--scopes", "a b", *who).scopes == ["a", "b"]


def test_each_preset_is_known() -> None:
    assert {"entra", "auth0", "okta", "cognite", "keycloak", "cognito"} <= functions().keys()


# -- an issuer


@pytest.mark.usefixtures("secret")
def test_issuer_alone_is_asked(server: AuthorizationServer) -> None:
    found = source("--issuer", server.issuer, "--client-id", CLIENT)
    assert isinstance(found.credentials, OAuth2ClientCredentials)
    assert found.credentials.token_url == server.token_url
    assert found.issuer == server.issuer


@pytest.mark.usefixtures("secret")
def test_issuer_with_a_token_url_is_for_comparison() -> None:
    found = source(*WHO, "--issuer", "https://auth.example.com")
    assert found.issuer == "https://auth.example.com"


# -- files

PLAIN: dict[str, Any] = {
    "token_url": URL,
    "client_id": CLIENT,
    "client_secret": SECRET,
    "scopes": ["a", "b"],
}
TOML = f"""
token_url = "{URL}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
scopes = ["a", "b"]
"""
YAML = f"token_url: {URL}\nclient_id: {CLIENT}\nclient_secret: {SECRET}\nscopes: a b\n"
OF_PYGEN = f"""
[cognite]
project = "my-project"
tenant_id = "{TENANT}"
cdf_cluster = "westeurope-1"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
"""


def config(tmp_path: Path, name: str, text: str, *arguments: str) -> OAuth2ClientCredentials:
    (tmp_path / name).write_text(text, "utf-8")
    return made("--config", str(tmp_path / name), *arguments)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("a.toml", TOML, id="TOML"),
        pytest.param("a.toml", f"[tool.pygen-auth]\n{TOML}", id="tool.pygen-auth"),
        pytest.param("a.toml", f"[cognite]\n{TOML}", id="cognite"),
        pytest.param("pyproject.toml", f"[tool.x]\ny=1\n[tool.pygen-auth]\n{TOML}", id="pyproject"),
        pytest.param("a.toml", f"[pygen-auth]\n{TOML}", id="pygen-auth"),
        pytest.param("a.yaml", YAML, id="YAML"),
        pytest.param("a.yml", "cognite:\n  " + YAML.replace("\n", "\n  "), id="YAML, cognite"),
        pytest.param("a.json", json.dumps(PLAIN), id="JSON"),
        pytest.param("a.json", "\ufeff" + json.dumps({"client_credentials": PLAIN}), id="SDK"),
    ],
)
def test_file(tmp_path: Path, name: str, text: str) -> None:
    credentials = config(tmp_path, name, text)
    assert (credentials.token_url, credentials.client_secret) == (URL, SECRET)
    assert credentials.scopes == ["a", "b"]


def test_table_of_pygen(tmp_path: Path) -> None:
    credentials = config(tmp_path, "config.toml", OF_PYGEN)
    assert credentials.token_url.startswith(f"https://login.microsoftonline.com/{TENANT}/")
    assert credentials.scopes == ["https://westeurope-1.cognitedata.com/.default"]


def test_provider_in_a_file(tmp_path: Path) -> None:
    text = (
        f'provider = "auth0"\ndomain = "t.auth0.com"\naudience = "api"\nclient_id = "{CLIENT}"\n'
        f'client_secret = "{SECRET}"\ntimeout = 5\n'
    )
    credentials = config(tmp_path, "a.toml", text)
    assert credentials.token_url == "https://t.auth0.com/oauth/token"
    assert (credentials.audience, credentials._timeout) == ("api", 5)


def test_provider_in_a_file_with_unknown_keys(tmp_path: Path) -> None:
    text = (
        f'provider = "cognite"\nclient_id = "{CLIENT}"\nclient_secret = "{SECRET}"\nspam = 1\n'
        '"a b" = 2\n'
    )
    (tmp_path / "a.toml").write_text(text)
    message = refused("--config", str(tmp_path / "a.toml"))
    assert message == "--config holds unknown keys: spam, one that is no name"


def test_keys_that_are_no_text_are_not_shown(tmp_path: Path, secret: None) -> None:
    text = f'provider: auth0\ndomain: "t.auth0.com"\naudience: api\nclient_id: {CLIENT}\n12345: x'
    (tmp_path / "a.yaml").write_text(text)
    message = refused("--config", str(tmp_path / "a.yaml"))
    assert message == "--config holds unknown keys: one that is no name"


@pytest.mark.parametrize("where", ["token_url: " + URL, "provider: cognite"])
def test_client_id_must_be_text(tmp_path: Path, secret: None, where: str) -> None:
    """As YAML reads it, 0123 is 83."""
    (tmp_path / "a.yaml").write_text(f"{where}\nclient_id: 0123")
    message = refused("--config", str(tmp_path / "a.yaml"))
    assert message == "client_id must be text; in YAML, put it in quotes"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"client_certificate": {"client_id": "x"}}', "config holds client_certificate"),
        ('{"client_credentials": "s3cret"}', "config holds client_credentials; supported is"),
        ('{"token": "t0ken", "x": 1}', "config holds token, x"),
        ('{"client_id": "x"}', "missing keys: token_url"),
        ("{}", "config holds nothing"),
    ],
)
def test_file_that_is_for_something_else(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert message in refused("--config", str(tmp_path / "a.json"))


def test_unknown_keys_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f'{TOML}\nscope = "a"')
    assert "scope (is scopes meant?)" in refused("--config", str(tmp_path / "a.toml"))


def test_token_in_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"token": "t0ken"}')
    assert isinstance(source("--config", str(tmp_path / "a.json")).credentials, TokenCredentials)


def test_options_win_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "another-secret")
    more = ("--client-id", "another", "--client-secret-env", "OTHER", "--scopes", "c")
    credentials = config(tmp_path, "a.toml", TOML, *more)
    assert (credentials.client_id, credentials.scopes) == ("another", ["c"])
    assert credentials.client_secret == "another-secret"


def test_secret_that_the_file_leaves_out(tmp_path: Path, secret: None) -> None:
    text = TOML.replace(f'client_secret = "{SECRET}"', "")
    assert config(tmp_path, "a.toml", text).client_secret == SECRET


def test_client_of_a_file_without_a_secret(tmp_path: Path) -> None:
    text = f'token_url = "{URL}"\nclient_id = "{CLIENT}"\nclient_auth = "tls_client_auth"\n'
    (tmp_path / "a.toml").write_text(text)
    assert "client_auth names no certificate" in refused("--config", str(tmp_path / "a.toml"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.toml", b"a = 1\ns3cret = = ", "is no TOML: look at line 2"),
        ("a.toml", b's3cret = "', "is no TOML"),
        ("a.json", b'{\n"a": s3cret', "is no JSON: look at line 2"),
        ("a.yaml", b"a: 1\nb: {s3cret: ]", "is no YAML: look at line 2"),
        ("a.yaml", b"\x07s3cret", "is no YAML"),
        ("a.yaml", b"- s3cret", "holds no table of settings"),
        ("a.toml", b"[tool.other]\ns3cret = 1", "has no table [tool.pygen-auth]"),
        ("a.toml", b"\xff", "cannot be read: no UTF-8"),
        ("none.toml", None, "cannot be read: No such file"),
    ],
)
def test_file_that_cannot_be_used(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = refused("--config", str(tmp_path / name))
    assert message in said
    assert "s3cret" not in said


def test_yaml_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "a.yaml").write_text(YAML)
    assert "pip install 'pygen-auth[yaml]'" in refused("--config", str(tmp_path / "a.yaml"))
