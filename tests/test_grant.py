"""Settings are checked when they are given, and each refusal names the setting."""

from __future__ import annotations

import enum
import math
import pickle
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pygen_auth import ConfigurationError
from pygen_auth._checks import LONGEST, check_hosts, check_seconds, check_url, is_loopback
from pygen_auth._grant import Grant, check_grant, check_secret
from pygen_auth.client_auth import ClientSecretPost

TOKEN_URL = "https://idp.example.com/oauth2/token"
SECRET = "very-s3cret"


def grant(**settings: Any) -> Grant:
    values: dict[str, Any] = {
        "token_url": TOKEN_URL,
        "client_id": "the-client",
        "client_secret": SECRET,
        "scopes": None,
        "audience": None,
        "params": None,
        "client_auth": "client_secret_post",
        "insecure_hosts": frozenset(),
        **settings,
    }
    return check_grant(**values)


def refusal(check: Callable[[], object], *, retryable: bool = False) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        check()
    assert caught.value.retryable is retryable
    return caught.value


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def everything_of(error: BaseException) -> str:
    """Each text that a log, a debugger or a pickle could show of it."""
    texts = [ascii(pickle.dumps(error))]
    for one in chain(error):
        texts += [str(one), repr(one), str(one.args), str(vars(one))]
        texts.append(str(getattr(one, "object", "")))
    return "\n".join(ascii(text) for text in texts)


# -- a grant


def test_settings_that_are_right_make_a_grant() -> None:
    made = grant(scopes=["a", "b"], audience="aud", params={"x": "1"}, client_id="id with space")
    assert made == Grant(
        token_url=TOKEN_URL,
        client_id="id with space",
        client_secret=SECRET,
        scopes=("a", "b"),
        audience="aud",
        params=(("x", "1"),),
        client_auth=ClientSecretPost(),
    )


def test_a_grant_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        grant().client_id = "other"  # type: ignore[misc]


def test_the_repr_of_a_grant_shows_no_secret_and_no_params() -> None:
    made = grant(params={"assertion": "also-s3cret"})
    assert SECRET not in repr(made)
    assert "also-s3cret" not in repr(made)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("token_url", "", id="no token_url"),
        pytest.param("token_url", None, id="token_url None"),
        pytest.param("token_url", b"https://idp.example.com", id="token_url in bytes"),
        pytest.param("token_url", 1, id="token_url a number"),
        pytest.param("client_id", "", id="no client_id"),
        pytest.param("client_id", None, id="client_id None"),
        pytest.param("client_id", b"id", id="client_id in bytes"),
        pytest.param("client_id", " id", id="space ahead of client_id"),
        pytest.param("client_id", "id\n", id="line break behind client_id"),
        pytest.param("client_id", "i\rd", id="line break in client_id"),
        pytest.param("client_id", "i\x00d", id="NUL in client_id"),
        pytest.param("client_id", "   ", id="blank client_id"),
        pytest.param("client_secret", "", id="no client_secret"),
        pytest.param("client_secret", None, id="client_secret None"),
        pytest.param("client_secret", " \t", id="blank client_secret"),
        pytest.param("client_secret", b"bytes", id="client_secret in bytes"),
        pytest.param("client_secret", f"{SECRET}\n", id="line feed behind client_secret"),
        pytest.param("client_secret", f"{SECRET}\r\n", id="CRLF behind client_secret"),
        pytest.param("client_secret", f"{SECRET}\ud800", id="lone surrogate in client_secret"),
        pytest.param("scopes", [""], id="empty scope"),
        pytest.param("scopes", ["a b"], id="space in a scope of a list"),
        pytest.param("scopes", ["a\n"], id="line feed in a scope of a list"),
        pytest.param("scopes", ["a\u00a0b"], id="no-break space in a scope of a list"),
        pytest.param("scopes", ["a", None], id="scope None"),
        pytest.param("scopes", [1], id="scope a number"),
        pytest.param("scopes", [b"a"], id="scope in bytes"),
        pytest.param("scopes", b"a b", id="scopes in bytes"),
        pytest.param("scopes", {"a": 1}, id="scopes a mapping"),
        pytest.param("scopes", 7, id="scopes a number"),
        pytest.param("scopes", ["a\ud800"], id="lone surrogate in a scope"),
        pytest.param("scopes", "a \ud800", id="lone surrogate in the text of scopes"),
        pytest.param("audience", " aud", id="space ahead of audience"),
        pytest.param("audience", "a\nud", id="line break in audience"),
        pytest.param("audience", 5, id="audience a number"),
        pytest.param("audience", ["aud"], id="audience a list"),
        pytest.param("audience", "aud\ud800", id="lone surrogate in audience"),
        pytest.param("params", [("a", "b")], id="params a list"),
        pytest.param("params", "a=b", id="params a text"),
        pytest.param("params", {"": "x"}, id="param without a name"),
        pytest.param("params", {1: "x"}, id="name of a param a number"),
        pytest.param("params", {"a": 1}, id="value of a param a number"),
        pytest.param("params", {"a": None}, id="value of a param None"),
        pytest.param("params", {"a": b"x"}, id="value of a param in bytes"),
        pytest.param("params", {"a": ["x", 1]}, id="number in a list of a param"),
        pytest.param("params", {"a": {"x": "y"}}, id="value of a param a mapping"),
        pytest.param("params", {"a": "\ud800"}, id="lone surrogate in a param"),
        pytest.param("params", {"\ud800": "a"}, id="lone surrogate in the name of a param"),
        pytest.param("client_auth", "", id="no client_auth"),
        pytest.param("client_auth", "private_key_jwt", id="client_auth without its key"),
        pytest.param("client_auth", "CLIENT_SECRET_BASIC", id="client_auth in capitals"),
        pytest.param("client_auth", None, id="client_auth None"),
        pytest.param("client_auth", ["client_secret_post"], id="client_auth a list"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused_by_name(setting: str, value: object) -> None:
    error = refusal(lambda: grant(**{setting: value}))
    assert str(error).startswith(setting)
    assert "s3cret" not in everything_of(error)


def test_an_unknown_client_auth_is_refused_with_the_known_ones() -> None:
    error = refusal(lambda: grant(client_auth="none"))
    assert str(error) == (
        "client_auth must be one of client_secret_post, client_secret_basic, client_secret_jwt, "
        "tls_client_auth, self_signed_tls_client_auth, or a value of pygen_auth.client_auth such "
        "as PrivateKeyJWT(key)"
    )


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        pytest.param("grant_type", "client_credentials", id="grant_type"),
        pytest.param("client_id", "argument client_id", id="client_id"),
        pytest.param("client_secret", "argument client_secret", id="client_secret"),
        pytest.param("scope", "argument scopes", id="scope"),
        pytest.param("audience", "argument audience", id="audience"),
        pytest.param("client_assertion", "argument client_auth", id="client_assertion"),
        pytest.param("client_assertion_type", "argument client_auth", id="client_assertion_type"),
    ],
)
def test_a_reserved_name_in_params_is_refused_with_what_to_use_instead(
    name: str, instead: str
) -> None:
    error = refusal(lambda: grant(params={name: SECRET}))
    assert str(error).startswith(f"params must not hold {name}: ")
    assert instead in str(error)
    assert SECRET not in everything_of(error)


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        pytest.param(None, (), id="None"),
        pytest.param([], (), id="empty list"),
        pytest.param("", (), id="empty text"),
        pytest.param("  ", (), id="blank text"),
        pytest.param("a", ("a",), id="one in a text"),
        pytest.param(" a  b\tc\n", ("a", "b", "c"), id="text"),
        pytest.param(["a", "b"], ("a", "b"), id="list"),
        pytest.param(("b", "a"), ("b", "a"), id="tuple"),
        pytest.param((name for name in "ab"), ("a", "b"), id="generator"),
        pytest.param({"a"}, ("a",), id="set"),
    ],
)
def test_scopes_are_kept_in_order(scopes: object, expected: tuple[str, ...]) -> None:
    assert grant(scopes=scopes).scopes == expected


@pytest.mark.parametrize("audience", [None, ""])
def test_an_empty_audience_counts_as_none(audience: str | None) -> None:
    assert grant(audience=audience).audience is None


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        pytest.param(None, (), id="None"),
        pytest.param({}, (), id="empty"),
        pytest.param({"a": "1"}, (("a", "1"),), id="text"),
        pytest.param({"a": ""}, (("a", ""),), id="empty text"),
        pytest.param({"a": ["1", "2"]}, (("a", "1"), ("a", "2")), id="list"),
        pytest.param({"a": ("1", "2")}, (("a", "1"), ("a", "2")), id="tuple"),
        pytest.param({"a": []}, (), id="empty list"),
        pytest.param({"b": "1", "a": "2"}, (("b", "1"), ("a", "2")), id="order"),
    ],
)
def test_params_are_form_fields_in_order(
    params: object, fields: tuple[tuple[str, str], ...]
) -> None:
    assert grant(params=params).params == fields


class Setting(str, enum.Enum):
    """As programs keep their settings; it is formatted as its name, and not as its value."""

    NAME = "value"


def test_a_member_of_an_enum_is_its_value() -> None:
    taken = grant(
        client_id=Setting.NAME,
        client_secret=Setting.NAME,
        scopes=[Setting.NAME],
        audience=Setting.NAME,
        params={Setting.NAME: Setting.NAME},
    )
    texts = [taken.client_id, taken.credential(), *taken.scopes, taken.audience, *taken.params[0]]
    assert texts == ["value"] * 6
    assert {type(text) for text in texts} == {str}


@pytest.mark.parametrize("setting", ["token_url", "client_id", "audience"])
@pytest.mark.parametrize("value", [uuid.UUID(int=1), b"value", ["value"]])
def test_what_is_no_text_is_refused_with_its_type(setting: str, value: object) -> None:
    message = str(refusal(lambda: grant(**{setting: value})))
    assert message == f"{setting} must be a str, not {type(value).__name__}"


def test_changing_params_later_changes_no_grant() -> None:
    resources = ["1"]
    params = {"resource": resources}
    made = grant(params=params)
    resources.append("2")
    params["x"] = []
    assert made.params == (("resource", "1"),)


# -- the secret


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("p@ss:w/ord +%é€", id="any characters"),
        pytest.param(" spaces around ", id="spaces around"),
        pytest.param("a\nb", id="line break inside"),
        pytest.param("😀", id="beyond the basic plane"),
    ],
)
def test_a_secret_is_taken_as_it_is(secret: str) -> None:
    assert check_secret(secret) == secret
    assert grant(client_secret=secret).credential() == secret


def test_a_secret_with_the_mark_of_its_file_is_refused_with_advice() -> None:
    message = str(refusal(lambda: grant(client_secret=f"\ufeff{SECRET}")))
    assert message.startswith("client_secret begins with a byte order mark; read its file with")


def test_a_callable_secret_is_not_called_until_it_is_wanted() -> None:
    calls: list[int] = []

    def secret() -> str:
        calls.append(1)
        return SECRET

    made = grant(client_secret=secret)
    assert calls == []
    assert made.credential() == SECRET
    assert calls == [1]


def test_a_callable_secret_is_read_each_time() -> None:
    values = iter(["first", "second"])
    made = grant(client_secret=lambda: next(values))
    assert [made.credential(), made.credential()] == ["first", "second"]


def test_a_callable_secret_that_fails_is_named_and_not_quoted() -> None:
    def secret() -> str:
        raise OSError(f"vault refused {SECRET}")

    error = refusal(grant(client_secret=secret).credential, retryable=True)
    assert str(error) == "client_secret could not be read: its callable raised OSError"
    assert isinstance(error.__cause__, OSError)
    assert SECRET.encode() not in pickle.dumps(error)


def test_a_callable_secret_that_is_interrupted_interrupts() -> None:
    def secret() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grant(client_secret=secret).credential()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(b"very-s3cret", id="bytes"),
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param(None, id="None"),
        pytest.param("very-s3cret\n", id="line feed behind"),
        pytest.param("very-s3cret\ud800", id="lone surrogate"),
        pytest.param(["very-s3cret"], id="list"),
    ],
)
def test_a_callable_secret_that_gives_no_secret_is_refused(given: Any) -> None:
    error = refusal(grant(client_secret=lambda: given).credential, retryable=True)
    assert str(error).startswith("client_secret ")
    assert "s3cret" not in everything_of(error)


# -- numbers of seconds


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(-1, id="negative"),
        pytest.param(-0.001, id="a little negative"),
        pytest.param(math.nan, id="NaN"),
        pytest.param(-math.inf, id="minus infinity"),
        pytest.param("30", id="text"),
        pytest.param(None, id="None"),
        pytest.param(True, id="true"),
        pytest.param([1], id="list"),
        pytest.param(-(10**400), id="-10**400"),
    ],
)
@pytest.mark.parametrize("zero", [True, False])
@pytest.mark.parametrize("finite", [True, False])
def test_what_is_no_number_of_seconds_is_refused_by_name(
    value: Any, zero: bool, finite: bool
) -> None:
    error = refusal(lambda: check_seconds("timeout", value, zero=zero, finite=finite))
    assert str(error).startswith("timeout must be ")


@pytest.mark.parametrize("value", [0, 0.0, -0.0])
def test_zero_seconds_are_refused_where_above_zero_is_wanted(value: float) -> None:
    assert "above 0" in str(refusal(lambda: check_seconds("timeout", value)))


@pytest.mark.parametrize("value", [0, 0.0, -0.0])
def test_zero_seconds_are_taken_where_zero_is_allowed(value: float) -> None:
    assert check_seconds("refresh_margin", value, zero=True) == 0.0


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(math.inf, id="infinity"),
        pytest.param(LONGEST + 1, id="ten years and a second"),
        pytest.param(10**400, id="10**400"),
        pytest.param(10**5000, id="10**5000, which has no text"),
    ],
)
def test_more_than_ten_years_are_refused_where_an_end_is_wanted(value: float) -> None:
    error = refusal(lambda: check_seconds("timeout", value, finite=True))
    assert str(error).startswith("timeout must be under ten years")


@pytest.mark.parametrize(
    "value", [pytest.param(math.inf, id="infinity"), pytest.param(LONGEST * 9, id="90 years")]
)
def test_a_margin_may_be_endless(value: float) -> None:
    assert check_seconds("refresh_margin", value, zero=True) == value


def test_a_margin_beyond_all_floats_is_endless() -> None:
    assert check_seconds("refresh_margin", 10**400, zero=True) == math.inf


@pytest.mark.parametrize("value", [1, 0.001, 30.0, LONGEST])
def test_a_number_of_seconds_is_taken_as_a_float(value: float) -> None:
    seconds = check_seconds("timeout", value, finite=True)
    assert (seconds, type(seconds)) == (float(value), float)


# -- URLs

LOOPBACK = [
    "http://localhost/t",
    "http://LOCALHOST:8080/t",
    "http://127.0.0.1/t",
    "http://127.0.0.1:1/t",
    "http://127.9.9.9:8080/t",
    "http://[::1]/t",
    "http://[::1]:8080/t",
    "http://[0:0:0:0:0:0:0:1]/t",
]


@pytest.mark.parametrize("url", LOOPBACK)
def test_http_to_this_machine_is_taken(url: str) -> None:
    assert check_url("token_url", url) == url


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(TOKEN_URL, id="plain"),
        pytest.param("HTTPS://IDP.example.com/t", id="capitals"),
        pytest.param("https://idp.example.com", id="no path"),
        pytest.param("https://idp.example.com:8443/t?a=b&c=%20", id="port and query"),
        pytest.param("https://idp.example.com/t?user=a@b", id="@ in the query"),
        pytest.param("https://idp.example.com/@t", id="@ in the path"),
        pytest.param("https://bücher.example/t", id="international name"),
        pytest.param("https://10.0.0.1/t", id="address"),
        pytest.param("https://[2001:db8::1]:8443/t", id="IPv6 address"),
    ],
)
def test_an_https_url_is_taken_as_it_is(url: str) -> None:
    assert check_url("token_url", url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.com/t",
        "HTTP://idp.example.com/t",
        "http://127.0.0.1.evil.com/t",
        "http://localhost.evil.com/t",
        "http://notlocalhost/t",
        "http://localhost./t",
        "http://127.0.0.1./t",
        "http://127.1/t",
        "http://2130706433/t",
        "http://0x7f.0.0.1/t",
        "http://127.0.0.01/t",
        "http://127.0.0.1%2eevil.com/t",
        "http://localhost%00.evil.com/t",
        "http://localhost;evil.com/t",
        "http://0.0.0.0/t",
        "http://128.0.0.1/t",
        "http://10.0.0.1/t",
        "http://169.254.169.254/t",
        "http://[::]/t",
        "http://[::2]/t",
        "http://[::ffff:127.0.0.1]/t",
        "http://[::127.0.0.1]/t",
        "http://１２７.0.0.1/t",
        "http://ｌocalhost/t",
    ],
)
def test_http_to_another_host_is_refused_naming_host_and_setting(url: str) -> None:
    error = refusal(lambda: check_url("token_url", url))
    host = url[7:-2].strip("[]").lower()
    assert str(error).startswith(f"token_url sends the client secret over plain http to {host};")
    assert f"insecure_hosts=({host!r},)" in str(error)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("https://127.0.0.1@evil.com/t", "user name", id="user name"),
        pytest.param("http://127.0.0.1@evil.com/t", "user name", id="loopback as a user name"),
        pytest.param("http://evil.com@127.0.0.1/t", "user name", id="user name on loopback"),
        pytest.param("https://u:hunter2@idp.example.com/t", "user name", id="password"),
        pytest.param("https://:hunter2@idp.example.com/t", "user name", id="password alone"),
        pytest.param("https://@idp.example.com/t", "user name", id="empty user name"),
        pytest.param("https://a@b@idp.example.com/t", "user name", id="two @"),
        pytest.param("https://idp.example.com/t#top", "fragment", id="fragment"),
        pytest.param("https://idp.example.com/t#", "fragment", id="empty fragment"),
        pytest.param("https://idp.example.com#@evil.com/t", "fragment", id="@ in the fragment"),
        pytest.param("https://idp.example.com\\@evil.com/t", "characters", id="backslash"),
        pytest.param("https:\\\\idp.example.com/t", "characters", id="backslashes for slashes"),
        pytest.param(" https://idp.example.com/t", "white space", id="space ahead"),
        pytest.param("https://idp.example.com/t\n", "white space", id="line feed behind"),
        pytest.param("https://idp.exa mple.com/t", "white space", id="space inside"),
        pytest.param("https://idp.exa\tmple.com/t", "white space", id="tab"),
        pytest.param("https://idp.example.com/t\r\nX: 1", "white space", id="CRLF"),
        pytest.param("https://idp.example.com/\x00t", "characters", id="NUL"),
        pytest.param("https://idp.example.com/\x7ft", "characters", id="DEL"),
        pytest.param("https://idp\u200b.example.com/t", "characters", id="zero-width space"),
        pytest.param("https://idp\u202e.example.com/t", "characters", id="turned text"),
        pytest.param("https://idp.example.com/\u3000t", "white space", id="ideographic space"),
        pytest.param("https://idp.example.com/\ud800", "characters", id="lone surrogate"),
        pytest.param("ftp://idp.example.com/t", "https://", id="ftp"),
        pytest.param("file:///etc/passwd", "https://", id="file"),
        pytest.param("httpss://idp.example.com/t", "https://", id="scheme unknown"),
        pytest.param("idp.example.com/t", "https://", id="no scheme"),
        pytest.param("//idp.example.com/t", "https://", id="no scheme, with slashes"),
        pytest.param("localhost:8080/t", "https://", id="host for a scheme"),
        pytest.param("https:idp.example.com/t", "https://", id="no slashes"),
        pytest.param("https:/idp.example.com/t", "https://", id="one slash"),
        pytest.param("https://", "https://", id="nothing behind the scheme"),
        pytest.param("https:///t", "https://", id="no host"),
        pytest.param("http:///x", "https://", id="no host over http"),
        pytest.param("https://:443/t", "https://", id="port alone"),
        pytest.param("https://?x", "https://", id="query alone"),
        pytest.param("https://idp.example.com:port/t", "not a URL", id="port a word"),
        pytest.param("https://idp.example.com:99999/t", "not a URL", id="port too high"),
        pytest.param("https://idp.example.com:-1/t", "not a URL", id="port negative"),
        pytest.param("https://localhost:80:80/t", "not a URL", id="two ports"),
        pytest.param("https://a<b/t", "not a URL", id="a character that no host name has"),
        pytest.param("https://a%41.example/t", "not a URL", id="an encoded host name"),
        pytest.param("https://[::1/t", "not a URL", id="bracket left open"),
        pytest.param("https://exa\u2100mple.com/t", "not a URL", id="character that hides a slash"),
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused_by_name(url: str, reason: str) -> None:
    error = refusal(lambda: check_url("token_url", url, frozenset(["evil.com"])))
    assert str(error).startswith("token_url ")
    assert reason in str(error)
    assert "hunter2" not in everything_of(error)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://u:hunter2@exa\u2100mple.com/t", id="character that hides a slash"),
        pytest.param("https://u:hunter2@[::1/t", id="bracket left open"),
        pytest.param("https://u:hunter2@idp.example.com:port/t", id="bad port"),
        pytest.param("https://u:hunter2@[idp]/t", id="no address in brackets"),
        pytest.param("https://u:hunter2/t", id="@ forgotten"),
        pytest.param("https://u:hunter2\\@idp.example.com/t", id="backslash"),
        pytest.param("https://u:hunter2@idp.example.com/ t", id="white space"),
        pytest.param("ftp://u:hunter2@idp.example.com/t", id="scheme"),
        pytest.param("https://u:hunter2@idp.example.com/t#x", id="fragment"),
        pytest.param("http://u:hunter2@idp.example.com/t", id="http"),
        pytest.param("hunter2", id="secret for URL"),
    ],
)
def test_a_password_in_a_url_is_not_shown(url: str) -> None:
    assert "hunter2" not in everything_of(refusal(lambda: check_url("token_url", url)))


@pytest.mark.parametrize("setting", ["token_url", "issuer"])
@pytest.mark.parametrize("url", ["", "ftp://x", "http://x/t", "https://a b", "https://x/#"])
def test_the_refusal_of_a_url_names_the_setting(setting: str, url: str) -> None:
    assert str(refusal(lambda: check_url(setting, url))).startswith(f"{setting} ")


# -- hosts that may be spoken to over plain http


@pytest.mark.parametrize(
    ("host", "url"),
    [
        pytest.param("keycloak", "http://keycloak:8080/t", id="name"),
        pytest.param("KeyCloak", "http://keycloak/t", id="capitals in the setting"),
        pytest.param("keycloak", "http://KEYCLOAK/t", id="capitals in the URL"),
        pytest.param("10.0.0.7", "http://10.0.0.7/t", id="address"),
        pytest.param("fd00::12", "http://[fd00::12]:8080/t", id="IPv6 address"),
        pytest.param("fd00::ab", "http://[FD00::AB]/t", id="IPv6 address with letters"),
    ],
)
def test_http_to_a_host_that_is_listed_is_taken(host: str, url: str) -> None:
    assert grant(token_url=url, insecure_hosts=check_hosts([host])).token_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://keycloak.evil.com/t",
        "http://evil.keycloak/t",
        "http://keycloak2/t",
        "http://key/t",
        "http://keycloak./t",
    ],
)
def test_http_to_another_host_is_refused_although_one_is_listed(url: str) -> None:
    hosts = check_hosts(["keycloak"])
    assert "insecure_hosts" in str(refusal(lambda: check_url("token_url", url, hosts)))


@pytest.mark.parametrize(
    "url",
    [
        "http://keycloak@evil.com/t",
        "http://keycloak/t#x",
        "ftp://keycloak/t",
        "http://keycloak\\evil/t",
    ],
)
def test_a_listed_host_is_excused_from_https_alone(url: str) -> None:
    refusal(lambda: check_url("token_url", url, check_hosts(["keycloak"])))


@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param("keycloak", id="a text"),
        pytest.param(b"keycloak", id="bytes"),
        pytest.param([1], id="number in it"),
        pytest.param([None], id="None in it"),
        pytest.param(None, id="None"),
        pytest.param(7, id="number"),
        pytest.param(True, id="true"),
        pytest.param([""], id="empty name"),
        pytest.param(["http://keycloak"], id="scheme"),
        pytest.param(["keycloak/t"], id="path"),
        pytest.param(["keycloak:8080"], id="port"),
        pytest.param(["u@keycloak"], id="user name"),
        pytest.param(["*"], id="star"),
        pytest.param(["*.example.com"], id="wildcard"),
        pytest.param(["key cloak"], id="space"),
    ],
)
def test_what_is_no_list_of_host_names_is_refused_by_name(hosts: Any) -> None:
    assert str(refusal(lambda: check_hosts(hosts))).startswith("insecure_hosts ")


def test_no_host_is_listed_where_none_is_given() -> None:
    assert check_hosts(()) == frozenset()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        pytest.param("localhost", True, id="localhost"),
        pytest.param("127.0.0.1", True, id="127.0.0.1"),
        pytest.param("127.255.255.254", True, id="the last of 127/8"),
        pytest.param("::1", True, id="::1"),
        pytest.param("::ffff:127.0.0.1", False, id="IPv4 in IPv6"),
        pytest.param("::1%lo", False, id="with a zone"),
        pytest.param("128.0.0.1", False, id="behind 127/8"),
        pytest.param("localhost.localdomain", False, id="another name"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
