"""Any text as a setting: refused by an error of ours, or sent as it is."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
from hypothesis import given
from hypothesis import strategies as st

from pygen_auth import (
    ConfigurationError,
    Credentials,
    OAuth2ClientCredentials,
    OAuth2Error,
    TokenCredentials,
)
from pygen_auth._protocol import token_request

from ..support import HandClock
from . import examples

TOKEN_URL = "https://idp.example.com/oauth2/token"

texts = st.text(max_size=20) | st.text(
    " \t\r\n+&=%:;,/?#\"'\\{}[]\x00\xa0\u2028\ud800é漢", max_size=8
)
words = st.text(st.characters(blacklist_categories=["Z", "C"]), min_size=1, max_size=12)
anything = st.recursive(
    texts | words | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | words, inner, max_size=3),
    max_leaves=5,
)
hosts = st.one_of(
    st.sampled_from([
        *("idp.example.com", "IDP.Example.COM", "localhost", "127.0.0.1", "[::1]", "bücher.de"),
        *("a..b", "-a-", "a_b", "xn--", "1", "0x7f.1", "[v1.x]", "[::1%25lo]", "ｅｘ．com", "a%41"),
    ]),
    words,
)  # fmt: skip
urls = st.one_of(
    st.builds(
        lambda scheme, host, port, path, query: f"{scheme}{host}{port}{path}{query}",
        st.sampled_from(
            ["https://", "https://", "https://", "HTTPS://", "http://", "https:/", "//"]
        ),
        hosts,
        st.sampled_from(["", "", ":443", ":8443", ":", ":0", ":99999", ":x", ":４４"]),
        st.sampled_from(["", "/", "/token", "//x", "/a%2Fb", "/ä", "/a;b", "/../x", "/%zz", "/a b"])
        | texts.map("/".__add__),
        st.sampled_from(["", "", "?a=b", "?", "?a=%zz&b", "?ä=ö", "#f"]) | texts.map("?".__add__),
    ),
    texts,
)
secrets = st.text(min_size=1, max_size=30) | texts


def made(**settings: Any) -> OAuth2ClientCredentials | None:
    try:
        return OAuth2ClientCredentials(**settings)
    except ConfigurationError:
        return None


# -- what is accepted is sent unchanged


@examples(1)
@given(
    client_id=words | texts,
    secret=secrets,
    scopes=st.none() | texts | st.lists(words | texts, max_size=3),
    audience=st.none() | words | texts,
    params=st.dictionaries(words | texts, words | texts | st.lists(texts, max_size=3), max_size=3),
    basic=st.booleans(),
)
def test_settings_that_are_accepted_are_in_the_form_as_they_are(
    client_id: str, secret: str, scopes: Any, audience: Any, params: Any, basic: bool
) -> None:
    method = "client_secret_basic" if basic else "client_secret_post"
    credentials = made(
        token_url=TOKEN_URL, client_id=client_id, client_secret=secret, scopes=scopes,
        audience=audience, params=params, client_auth=method,
    )  # fmt: skip
    if credentials is None:
        return
    grant = credentials._grant
    request = token_request(grant, credentials._ways[0], grant.credential(), 0.0, 30.0)
    sent = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    wanted = [("grant_type", "client_credentials")]
    if not basic:
        wanted += [("client_id", client_id), ("client_secret", secret)]
    names = scopes.split() if isinstance(scopes, str) else scopes
    wanted += [("scope", " ".join(names))] if names else []
    wanted += [("audience", audience)] if audience else []
    for name, value in params.items():
        wanted += [(name, one) for one in ([value] if isinstance(value, str) else value)]
    assert sorted(sent) == sorted(wanted)
    if basic:
        pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        assert [unquote(part) for part in pair.split(":")] == [client_id, secret]
    assert secret == grant.credential()


@examples(1)
@given(url=urls)
def test_any_url_is_refused_or_its_host_is_the_one_that_is_asked(url: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"access_token": "tok", "expires_in": 60})

    credentials = made(
        token_url=url,
        client_id="id",
        client_secret="secret",
        client=lambda: httpx.Client(transport=httpx.MockTransport(answer), trust_env=False),
    )
    if credentials is None:
        return
    credentials._begin(HandClock().clock)
    try:
        assert credentials.get_headers() == {"Authorization": "Bearer tok"}
    except ConfigurationError:  # by httpx, which knows more about host names
        assert not asked
        return
    (request,) = asked
    wanted = urlsplit(url)
    assert request.url.scheme in ("https", "http")
    assert request.url.host.casefold() == (wanted.hostname or "").casefold()
    usual = 443 if request.url.scheme == "https" else 80
    assert (request.url.port or usual) == (wanted.port or usual)
    assert request.url.scheme == "https" or request.url.host in ("localhost", "127.0.0.1", "::1")
    assert not request.url.userinfo
    assert not request.url.fragment


# -- the environment and configurations

VARIABLES = [
    *("PROVIDER", "LOGIN_FLOW", "CDF_CLUSTER", "CDF_PROJECT", "CDF_TOKEN", "IDP_CLIENT_ID"),
    *("IDP_CLIENT_SECRET", "IDP_TENANT_ID", "IDP_TOKEN_URL", "IDP_SCOPES", "IDP_AUDIENCE"),
    *("IDP_DISCOVERY_URL", "COGNITE_BASE_URL", "COGNITE_PROJECT", "COGNITE_CLIENT_ID"),
    *("COGNITE_CLIENT_SECRET", "COGNITE_TENANT_ID", "COGNITE_TOKEN_URL", "COGNITE_TOKEN_SCOPES"),
    *("COGNITE_AUDIENCE", "COGNITE_AUTHORITY_URL"),
]
KNOWN = [
    *("entra_id", "auth0", "cdf", "other", "client_credentials", "token", "westeurope-1"),
    *("contoso.onmicrosoft.com", TOKEN_URL, "https://api.cognitedata.com", "{0}", "{}", "a,b c"),
]
environments = st.dictionaries(
    st.sampled_from(VARIABLES), st.sampled_from(KNOWN) | words | texts, max_size=12
)


@examples(1)
@given(environ=environments)
def test_any_environment_gives_credentials_or_an_error_of_ours(environ: dict[str, str]) -> None:
    try:
        credentials = Credentials.from_env(environ)
    except ConfigurationError:
        return
    if isinstance(credentials, TokenCredentials):
        assert credentials.get_headers() == {"Authorization": f"Bearer {environ['CDF_TOKEN']}"}
        return
    assert isinstance(credentials, OAuth2ClientCredentials)
    ids = (environ.get("IDP_CLIENT_ID"), environ.get("COGNITE_CLIENT_ID"))
    given_secrets = (environ.get("IDP_CLIENT_SECRET"), environ.get("COGNITE_CLIENT_SECRET"))
    assert credentials.client_id in ids
    assert credentials.client_secret in given_secrets


KEYS = [
    *("token_url", "client_id", "client_secret", "scopes", "audience", "refresh_margin", "params"),
    *("token_expiry_leeway_seconds", "client_auth", "verify", "insecure_hosts", "timeout"),
    *("default_lifetime", "client_credentials", "token"),
]
usual = st.fixed_dictionaries(
    {"token_url": st.just(TOKEN_URL) | urls, "client_id": words, "client_secret": words}
)
configurations = st.builds(
    lambda base, more, wrapped: {"client_credentials": base | more} if wrapped else base | more,
    usual | st.just({}),
    st.dictionaries(st.sampled_from(KEYS) | texts, anything, max_size=4),
    st.booleans(),
)


def assert_loads_or_is_refused(config: Any) -> None:
    try:
        credentials = Credentials.load(config)
    except ConfigurationError:
        return
    assert isinstance(credentials, (OAuth2ClientCredentials, TokenCredentials))


@examples(1)
@given(config=configurations | anything)
def test_any_configuration_gives_credentials_or_an_error_of_ours(config: Any) -> None:
    assert_loads_or_is_refused(config)


@examples(1)
@given(
    text=st.text(max_size=60)
    | configurations.map(json.dumps)
    | st.lists(
        st.sampled_from([
            *("token_url: ", TOKEN_URL, "\n", "client_id: ", "client_secret: ", "x", "- ", "&a "),
            *("*a", "!!python/object:os.system ", "!!timestamp 2020-99-99", "0x", ": ", "{", "}"),
            *("? ", "|\n", "<<: ", "1_000", "~", "'", '"', "\t", "  ", "%YAML 9.9", "---", "..."),
            *("\x00", "1:60"),
        ]),
        max_size=12,
    ).map("".join)
)  # fmt: skip
def test_any_text_as_a_configuration_gives_credentials_or_an_error_of_ours(text: str) -> None:
    assert_loads_or_is_refused(text)


@examples(1)
@given(
    setting=st.sampled_from([
        *("token_url", "client_id", "client_secret", "scopes", "audience", "refresh_margin"),
        *("client_auth", "params", "client", "verify", "insecure_hosts", "timeout"),
        "default_lifetime",
    ]),
    value=anything | st.binary(max_size=5) | st.tuples(anything) | st.sets(words, max_size=2),
)  # fmt: skip
def test_any_value_of_any_setting_gives_credentials_or_an_error_of_ours(
    setting: str, value: Any
) -> None:
    settings = {"token_url": TOKEN_URL, "client_id": "id", "client_secret": "s", setting: value}
    credentials = made(**settings)
    if credentials is not None and setting in ("token_url", "client_id", "client_secret"):
        assert getattr(credentials, setting) == value
    if credentials is not None:
        assert repr(credentials)


@examples(1)
@given(token=words | texts)
def test_any_token_is_refused_or_in_the_header_as_it_is(token: str) -> None:
    try:
        credentials = TokenCredentials(token)
    except OAuth2Error:
        return
    assert credentials.get_headers() == {"Authorization": f"Bearer {token}"}
