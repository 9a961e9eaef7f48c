"""Keys and encryption in a shared store: what separates places, and what is believed of a value.

`data/sealed-tokens.json` has values that every later release must be able to read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe
from joserfc.jwk import OctKey

from pygen_auth import ConfigurationError, Token
from pygen_auth._assertion import SigningKey
from pygen_auth._clock import Instant
from pygen_auth._grant import Grant, check_grant
from pygen_auth._sealed_token import Miss
from pygen_auth._sealing import LARGEST_VALUE, Place, place_of, seal, store_key, unseal
from pygen_auth.client_auth import ClientAssertion, PrivateKeyJWT

from . import keys
from .support import SECRET, TOKEN_URL

NOW = Instant(wall=1_800_000_000.0, monotonic=5_000.0)
ENCRYPTION_KEY = b"0123456789abcdef-drawn-at-random"
OTHER_ENCRYPTION_KEY = b"another-0123456789abcdef-drawn-"
VECTORS = json.loads((Path(__file__).parent / "data" / "sealed-tokens.json").read_text("utf-8"))
EVERY_VECTOR = pytest.mark.parametrize("vector", VECTORS, ids=[one["name"] for one in VECTORS])


def grant(**settings: Any) -> Grant:
    with_secret = settings.get("client_auth", "client_secret_post") in (
        "client_secret_post",
        "client_secret_basic",
        "client_secret_jwt",
    )
    return check_grant(
        **{
            "token_url": TOKEN_URL,
            "client_id": "the-client",
            "client_secret": SECRET if with_secret else None,
            "scopes": ["read", "write"],
            "audience": "https://api.example.com",
            "params": {"resource": ["a", "b"]},
            "client_auth": "client_secret_post",
            "insecure_hosts": (),
            **settings,
        }
    )


def place(credential: str | SigningKey = SECRET, **settings: Any) -> Place:
    return place_of(grant(**settings), credential, None)


def token(lifetime: float = 3600.0, at: Instant = NOW, **fields: Any) -> Token:
    expires = at.after(lifetime)
    known = {"access_token": "tok-1", "lifetime": lifetime, "expires": expires, **fields}
    return Token.bearer(**known)


HERE = place()

# -- places

ANOTHER: dict[str, dict[str, Any]] = {
    "token endpoint": {"token_url": TOKEN_URL + "2"},
    "client": {"client_id": "another-client"},
    "scopes": {"scopes": ["read"]},
    "no scopes": {"scopes": None},
    "audience": {"audience": "https://api2.example.com"},
    "no audience": {"audience": None},
    "params": {"params": {"resource": ["a", "c"]}},
    "params in another order": {"params": {"resource": ["b", "a"]}},
    "param under another name": {"params": {"resources": ["a", "b"]}},
    "params once more": {"params": {"resource": ["a", "b", "b"]}},
    "no params": {"params": None},
    "method": {"client_auth": "client_secret_basic"},
}


@pytest.mark.parametrize("settings", ANOTHER.values(), ids=list(ANOTHER))
def test_another_token_has_another_place(settings: dict[str, Any]) -> None:
    other = place(**settings)
    assert other.key != HERE.key
    assert other.secret != HERE.secret


def test_all_of_these_places_differ_from_each_other() -> None:
    assert len({place(**settings).key for settings in ANOTHER.values()}) == len(ANOTHER)


THE_SAME: dict[str, dict[str, Any]] = {
    "scopes in another order": {"scopes": ["write", "read"]},
    "scopes twice": {"scopes": "read write read"},
    "another place for the same secret": {"client_secret": lambda: SECRET},
}


@pytest.mark.parametrize("settings", THE_SAME.values(), ids=list(THE_SAME))
def test_the_same_token_has_the_same_place(settings: dict[str, Any]) -> None:
    assert place(**settings) == HERE


def test_the_order_of_different_params_makes_no_difference() -> None:
    fields = {"resource": ["a", "b"], "tenant": "t"}
    turned = dict(reversed(fields.items()))
    assert place(params=fields) == place(params=turned)


def test_old_and_new_secret_have_different_places() -> None:
    other = place("the-next-secret")
    assert other.key != HERE.key
    assert other.secret != HERE.secret


def test_an_encryption_key_changes_the_place() -> None:
    places = [place_of(grant(), SECRET, key) for key in (ENCRYPTION_KEY, OTHER_ENCRYPTION_KEY)]
    assert len({HERE.key, *(one.key for one in places)}) == 3
    assert len({HERE.secret, *(one.secret for one in places)}) == 3


def test_texts_that_run_into_each_other_do_not() -> None:
    first = place(client_id="ab", scopes=["c"], audience="d")
    assert place(client_id="a", scopes=["bc"], audience="d") != first
    assert place(params={"a": "b&c=d"}) != place(params={"a": "b", "c": "d"})
    assert place(params={"a": '","'}) != place(params={"a": ["", ""]})


def test_nothing_can_be_read_in_a_store_key() -> None:
    key = store_key(grant(), SECRET, None)
    assert re.fullmatch("[0-9a-f]{64}", key)
    # What somebody knows of the client does not do: the secret's fingerprint is in it, too.
    named = ["pygen-auth-token-1", TOKEN_URL, "the-client", ["read", "write"]]
    assert key != hashlib.sha256(json.dumps(named).encode()).hexdigest()


def test_a_place_shows_no_key() -> None:
    assert repr(HERE) == f"Place(key={HERE.key!r})"


# -- what the keys are derived from

KINDS = ["RSA", "P-256", "P-384", "P-521", "Ed25519", "Ed448"]


def with_key(kind: str, number: int = 0, **settings: Any) -> Place:
    auth = PrivateKeyJWT(keys.pem(keys.private_key(kind, number)), **settings)
    return place_of(grant(client_auth=auth), auth.signing_key(), None)


@pytest.mark.parametrize("kind", KINDS)
def test_each_private_key_has_a_place_of_its_own(kind: str) -> None:
    assert with_key(kind, 0) == with_key(kind, 0)
    assert with_key(kind, 0).key != with_key(kind, 1).key
    assert with_key(kind, 0).secret != with_key(kind, 1).secret


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_key_as_pem_and_as_jwk_has_one_place(kind: str) -> None:
    private = keys.private_key(kind)
    as_jwk = PrivateKeyJWT(keys.jwk(private, kid="another name for it"))
    assert place_of(grant(client_auth=as_jwk), as_jwk.signing_key(), None) == with_key(kind)


def test_the_public_half_of_a_key_does_not_lead_to_its_place() -> None:
    private = keys.private_key("RSA")
    assert isinstance(private, rsa.RSAPrivateKey)
    auth = PrivateKeyJWT(keys.pem(private))
    public = keys.public_pem(private).decode()
    assert place_of(grant(client_auth=auth), public, None) != with_key("RSA")


def test_an_rsa_key_with_its_primes_turned_has_the_same_place() -> None:
    private = keys.private_key("RSA")
    assert isinstance(private, rsa.RSAPrivateKey)
    numbers = private.private_numbers()
    turned = rsa.RSAPrivateNumbers(
        p=numbers.q,
        q=numbers.p,
        d=numbers.d,
        dmp1=numbers.dmq1,
        dmq1=numbers.dmp1,
        iqmp=rsa.rsa_crt_iqmp(numbers.q, numbers.p),
        public_numbers=numbers.public_numbers,
    ).private_key()
    assert keys.pem(turned) != keys.pem(private)
    auth = PrivateKeyJWT(keys.pem(turned))
    assert place_of(grant(client_auth=auth), auth.signing_key(), None) == with_key("RSA")


def test_the_secret_of_a_jwt_is_taken_as_the_secret_that_it_is() -> None:
    settings = grant(client_auth="client_secret_jwt", client_secret=keys.HMAC_SECRET)
    signing = settings.credential()
    assert isinstance(signing, SigningKey)
    assert place_of(settings, signing, None) == place_of(settings, keys.HMAC_SECRET, None)


WITHOUT_SECRET = {
    "ClientAssertion": ClientAssertion(lambda: "a.b.c"),
    "TLSClientCertificate": "tls_client_auth",
}


@pytest.mark.parametrize("kind", WITHOUT_SECRET)
def test_a_client_without_a_secret_needs_an_encryption_key(kind: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        place_of(grant(client_auth=WITHOUT_SECRET[kind]), "", None)
    assert "encryption_key" in str(caught.value)
    assert kind in str(caught.value)


@pytest.mark.parametrize("kind", WITHOUT_SECRET)
def test_a_client_without_a_secret_is_told_apart_by_the_encryption_key(kind: str) -> None:
    client = grant(client_auth=WITHOUT_SECRET[kind])
    first, second = (place_of(client, "", key) for key in (ENCRYPTION_KEY, OTHER_ENCRYPTION_KEY))
    assert first.key != second.key
    assert first.secret != second.secret


def test_an_assertion_which_changes_all_the_time_does_not_change_the_place() -> None:
    client = grant(client_auth=WITHOUT_SECRET["ClientAssertion"])
    places = [place_of(client, jwt, ENCRYPTION_KEY) for jwt in ("a.b.c", "a.b.d")]
    assert places[0] == places[1]


# -- what is believed of a value


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="plain"),
        pytest.param({"scope": "read write"}, id="with a scope"),
        pytest.param({"scope": ""}, id="with an empty scope"),
        pytest.param({"lifetime_assumed": True}, id="of an assumed lifetime"),
        pytest.param({"access_token": "x" * 1024 * 1024}, id="of 1 MiB"),
        pytest.param({"access_token": "!~\"\\'"}, id="of odd characters"),
    ],
)
def test_a_sealed_token_comes_back(fields: dict[str, Any]) -> None:
    sealed = token(**fields)
    opened = unseal(seal(sealed, HERE, NOW), HERE, NOW)
    assert isinstance(opened, Token)
    assert opened == token(**fields, expires=NOW.after(3600 - 60))


def test_a_sealed_token_shows_nothing_of_it() -> None:
    value = seal(token(access_token="tok-secret"), HERE, NOW)
    readable = b"".join(base64.urlsafe_b64decode(part + b"==") for part in value.split(b"."))
    for secret in (b"tok-secret", b"access_token", SECRET.encode(), b"the-client"):
        assert secret not in value
        assert secret not in readable


def test_each_value_is_encrypted_anew() -> None:
    assert seal(token(), HERE, NOW) != seal(token(), HERE, NOW)


def test_a_header_says_what_it_is() -> None:
    header = base64.urlsafe_b64decode(seal(token(), HERE, NOW).partition(b".")[0] + b"==")
    assert json.loads(header) == {"alg": "dir", "enc": "A256GCM", "typ": "pygen-auth-token-1"}


def other_header(**fields: object) -> bytes:
    """Sealed with the right key under another header."""
    header = {"alg": "dir", "enc": "A256GCM", "typ": "pygen-auth-token-1", **fields}
    header = {name: value for name, value in header.items() if value is not None}
    key = HERE.secret[:16] if fields.get("enc") == "A128GCM" else HERE.secret
    algorithms = ["dir", "A256GCM", "A128GCM", "DEF"]
    return jwe.encrypt_compact(header, b"{}", OctKey.import_key(key), algorithms).encode()


def changed(part: int, change: Callable[[bytes], bytes]) -> bytes:
    parts = seal(token(), HERE, NOW).split(b".")
    parts[part] = change(parts[part])
    return b".".join(parts)


def flipped(text: bytes) -> bytes:
    """Another character in front, whose bits all count."""
    return (b"B" if text[:1] == b"A" else b"A") + text[1:]


VALUE = seal(token(), HERE, NOW)
NOT_OURS: dict[str, tuple[bytes, Miss]] = {
    "nothing": (b"", Miss.FORMAT),
    "a text": (b"hello", Miss.FORMAT),
    "bytes": (bytes(range(256)), Miss.FORMAT),
    "dots": (b"....", Miss.FORMAT),
    "JSON": (b'{"access_token": "tok-1"}', Miss.FORMAT),
    "a header that is no object": (b"W10.." + b"a" * 16 + b".a.a", Miss.FORMAT),
    "a header that is nested deep": (base64.urlsafe_b64encode(b"[" * 180) + b"....", Miss.FORMAT),
    "a header without an end": (b"e" * 100_000, Miss.FORMAT),
    "a format of tomorrow": (other_header(typ="pygen-auth-token-2"), Miss.FORMAT),
    "no format": (other_header(typ=None), Miss.FORMAT),
    "another encryption": (other_header(enc="A128GCM"), Miss.FORMAT),
    "compressed": (other_header(zip="DEF"), Miss.FORMAT),
    "header changed": (changed(0, flipped), Miss.FORMAT),
    "a key of its own": (changed(1, lambda _: b"AAAA"), Miss.FOREIGN),
    "IV changed": (changed(2, flipped), Miss.FOREIGN),
    "no IV": (changed(2, lambda _: b""), Miss.FOREIGN),
    "content changed": (changed(3, flipped), Miss.FOREIGN),
    "no content": (changed(3, lambda _: b""), Miss.FOREIGN),
    "tag changed": (changed(4, flipped), Miss.FOREIGN),
    "tag cut short": (changed(4, lambda tag: tag[:5]), Miss.FOREIGN),
    "no tag": (changed(4, lambda _: b""), Miss.FOREIGN),
    "cut short": (VALUE[:-20], Miss.FOREIGN),
    "the header alone": (VALUE.partition(b".")[0], Miss.FORMAT),
    "too few parts": (VALUE.rpartition(b".")[0], Miss.FOREIGN),
    "too many parts": (VALUE + b".AAAA", Miss.FOREIGN),
    "something behind it": (VALUE + b"\n", Miss.FOREIGN),
    "no ASCII": (VALUE[:-1] + b"\xff", Miss.FOREIGN),
    "too large": (VALUE + b"A" * LARGEST_VALUE, Miss.LARGE),
}


@pytest.mark.parametrize(("value", "reason"), NOT_OURS.values(), ids=list(NOT_OURS))
def test_a_value_that_is_not_ours_is_a_miss(value: bytes, reason: Miss) -> None:
    assert unseal(value, HERE, NOW) is reason


@pytest.mark.parametrize("length", range(0, len(VALUE), 7))
def test_a_value_that_ends_early_is_a_miss(length: int) -> None:
    assert isinstance(unseal(VALUE[:length], HERE, NOW), Miss)


def test_a_value_under_another_key_is_a_miss() -> None:
    other = place(scopes=["admin"])
    assert unseal(seal(token(), HERE, NOW), other, NOW) is Miss.FOREIGN


def test_a_value_of_somebody_without_the_secret_is_a_miss() -> None:
    forged = Place(HERE.key, b"\0" * 32)
    assert unseal(seal(token(), forged, NOW), HERE, NOW) is Miss.FOREIGN


def sealed(content: bytes) -> bytes:
    """Whatever is sealed as it should be, as an older or a newer release might."""
    header = {"alg": "dir", "enc": "A256GCM", "typ": "pygen-auth-token-1"}
    key = OctKey.import_key(HERE.secret)
    return jwe.encrypt_compact(header, content, key, ["dir", "A256GCM"]).encode()


FIELDS: dict[str, Any] = {
    "access_token": "tok-1",
    "scope": None,
    "lifetime": 3600.0,
    "lifetime_assumed": False,
    "left": 3600.0,
    "written": NOW.wall,
    "expires": NOW.wall + 3600,
}
STRANGE: dict[str, Any] = {
    "no access_token": {"access_token": None},
    "an empty access_token": {"access_token": ""},
    "an access_token with a line break": {"access_token": "a\r\nb"},
    "an access_token outside ASCII": {"access_token": "ä"},
    "a scope that is no text": {"scope": ["read"]},
    "a lifetime of text": {"lifetime": "3600"},
    "no lifetime": {"lifetime": None},
    "a lifetime of nothing": {"lifetime": 0},
    "a lifetime that is no number": {"lifetime": float("nan")},
    "a lifetime without an end": {"lifetime": float("inf")},
    "a lifetime of centuries": {"lifetime": 1e10},
    "a lifetime of bool": {"lifetime": True},
    "a huge lifetime": {"lifetime": 10**400},
    "nothing left that is no number": {"left": float("nan")},
    "a time of text": {"written": "now"},
    "an expiry beyond all": {"expires": 1e300},
    "lifetime_assumed of text": {"lifetime_assumed": "no"},
}


@pytest.mark.parametrize("fields", STRANGE.values(), ids=list(STRANGE))
def test_a_sealed_text_that_is_no_token_is_a_miss(fields: dict[str, Any]) -> None:
    content = json.dumps({**FIELDS, **fields}).encode()
    assert unseal(sealed(content), HERE, NOW) is Miss.CONTENT


@pytest.mark.parametrize("name", FIELDS)
def test_a_token_of_which_something_is_missing_is_a_miss(name: str) -> None:
    fields = {key: value for key, value in FIELDS.items() if key != name}
    opened = unseal(sealed(json.dumps(fields).encode()), HERE, NOW)
    assert opened is Miss.CONTENT


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"\xff", b"{", b"[" * 100_000], ids=lambda text: str(text[:9])
)
def test_what_is_no_object_is_a_miss(content: bytes) -> None:
    assert unseal(sealed(content), HERE, NOW) is Miss.CONTENT


# -- two clocks


def read_at(
    wall: float, *, lifetime: float = 3600.0, fetched: float = 0.0
) -> tuple[float, float] | Miss:
    """What is left of a token by both clocks of a reader whose wall clock says `wall` seconds after
    the writing; the token was `fetched` seconds old then.
    """
    written = token(lifetime, at=NOW.after(-fetched))
    reader = Instant(wall=NOW.wall + wall, monotonic=123.0)
    opened = unseal(seal(written, HERE, NOW), HERE, reader)
    if isinstance(opened, Miss):
        return opened
    assert opened.lifetime == lifetime
    left = (opened.expires.wall - reader.wall, opened.expires.monotonic - reader.monotonic)
    return round(left[0], 3), round(left[1], 3)


CLOCKS: dict[str, tuple[dict[str, float], float | Miss]] = {
    "the same clock, at once": ({"wall": 0}, 3540),
    "the same clock, 1000 s later": ({"wall": 1000}, 2540),
    "the same clock, a token fetched 1000 s before": ({"wall": 0, "fetched": 1000}, 2540),
    "reader ahead by 60 s": ({"wall": 60}, 3480),
    "reader ahead by 60 s, 1000 s later": ({"wall": 1060}, 2480),
    "reader behind by 60 s": ({"wall": -60}, 3540),
    "reader behind by 60 s, 1000 s later": ({"wall": 940}, 2600),
    "reader behind by 60 s, near the end": ({"wall": 3540 - 60}, 60),
    "reader behind by 60 s, at the end": ({"wall": 3600 - 60}, Miss.EXPIRED),
    "reader behind by more than that": ({"wall": -60.1}, Miss.FUTURE),
    "wall clock set back by an hour after writing": ({"wall": -3600}, Miss.FUTURE),
    "wall clock set forward by an hour after writing": ({"wall": 3600}, Miss.EXPIRED),
    "a second before the end": ({"wall": 3539}, 1),
    "at the end": ({"wall": 3540}, Miss.EXPIRED),
    "long after": ({"wall": 1e9}, Miss.EXPIRED),
    "ten minutes": ({"wall": 0, "lifetime": 600}, 540),
    "one minute": ({"wall": 0, "lifetime": 60}, 54),
    "one minute, half of it gone": ({"wall": 30, "lifetime": 60}, 24),
    "one minute, reader ahead by 30 s": ({"wall": 30, "lifetime": 60}, 24),
    "one minute, reader behind by 30 s": ({"wall": -30, "lifetime": 60}, 54),
    "five seconds": ({"wall": 0, "lifetime": 5}, 4.5),
    "expired when it was written": ({"wall": 0, "fetched": 3600}, Miss.EXPIRED),
}


@pytest.mark.parametrize(("times", "left"), CLOCKS.values(), ids=list(CLOCKS))
def test_what_is_left_by_the_readers_clocks(times: dict[str, float], left: float | Miss) -> None:
    read = read_at(**times)
    assert read == (left if isinstance(left, Miss) else (left, left))


@pytest.mark.parametrize("behind", range(-60, 61, 10))
@pytest.mark.parametrize("later", [0, 1, 59, 60, 61, 1000, 3539, 3540, 3600])
def test_no_token_is_used_after_its_end_with_clocks_a_minute_apart(behind: int, later: int) -> None:
    read = read_at(later - behind)
    if not isinstance(read, Miss):
        assert read[0] <= 3600 - later


def test_the_writers_monotonic_clock_counts_where_his_wall_clock_was_set_back() -> None:
    fetched = token()
    later = Instant(NOW.wall - 600, NOW.monotonic + 1000)
    opened = unseal(seal(fetched, HERE, later), HERE, later)
    assert isinstance(opened, Token)
    assert opened.expires == later.after(3600 - 1000 - 60)


def test_the_writers_wall_clock_counts_where_it_was_set_forward() -> None:
    fetched = token()
    later = Instant(NOW.wall + 1000, NOW.monotonic)
    opened = unseal(seal(fetched, HERE, later), HERE, later)
    assert isinstance(opened, Token)
    assert opened.expires == later.after(3600 - 1000 - 60)


@pytest.mark.parametrize("left", [3600.5, 1e9])
def test_a_token_never_has_more_left_than_its_lifetime(left: float) -> None:
    fields = {**FIELDS, "left": left, "expires": NOW.wall + 1e9}
    opened = unseal(sealed(json.dumps(fields).encode()), HERE, NOW)
    assert isinstance(opened, Token)
    assert opened.expires == NOW.after(3600 - 60)


# -- values of earlier releases


def of(vector: dict[str, Any]) -> Place:
    given = vector["grant"]
    auth: Any = given["client_auth"]
    if vector["private_key"] is not None:
        auth = PrivateKeyJWT(vector["private_key"])
    elif auth == "assertion":
        auth = ClientAssertion(lambda: "a.b.c")
    named = grant(**{**given, "client_auth": auth, "client_secret": vector["client_secret"]})
    key = vector["encryption_key"]
    return place_of(named, named.credential(), key.encode() if key else None)


@EVERY_VECTOR
def test_a_store_key_stays_what_it_was(vector: dict[str, Any]) -> None:
    assert of(vector).key == vector["store_key"]


@EVERY_VECTOR
def test_a_value_of_an_earlier_release_is_read(vector: dict[str, Any]) -> None:
    opened = unseal(vector["sealed"].encode(), of(vector), Instant(*vector["now"]))
    assert isinstance(opened, Token)
    expected = vector["token"]
    assert opened.access_token == expected["access_token"]
    assert opened.scope == expected["scope"]
    assert opened.lifetime == expected["lifetime"]
    assert opened.lifetime_assumed == expected["lifetime_assumed"]
    assert list(opened.expires) == expected["expires"]


@EVERY_VECTOR
def test_a_token_is_sealed_as_in_an_earlier_release(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    encryption = jwe.JWERegistry.algorithms["enc"]["A256GCM"]
    iv = bytes.fromhex(vector["iv"])
    monkeypatch.setattr(type(encryption), "generate_iv", lambda self: iv)
    now, known = Instant(*vector["now"]), vector["token"]
    fetched = token(
        known["lifetime"],
        at=now,
        access_token=known["access_token"],
        scope=known["scope"],
        lifetime_assumed=known["lifetime_assumed"],
    )
    assert seal(fetched, of(vector), now).decode() == vector["sealed"]


@pytest.mark.parametrize("vector", [one for one in VECTORS if one["private_key"] is None])
def test_a_value_is_what_the_rfcs_say(vector: dict[str, Any]) -> None:
    """Read without joserfc: HKDF by RFC 5869 with `hmac`, and the parts of a JWE by hand."""
    material = vector["client_secret"] or vector["encryption_key"]
    salt = (vector["encryption_key"] or "").encode() or b"\0" * 32
    first = hmac.digest(salt, material.encode(), "sha256")
    info = f"pygen-auth encryption 1 {vector['store_key']}".encode()
    key = hmac.digest(first, info + b"\x01", "sha256")
    header, _, *rest = vector["sealed"].split(".")
    iv, content, tag = (base64.urlsafe_b64decode(part + "==") for part in rest)
    opened = json.loads(AESGCM(key).decrypt(iv, content + tag, header.encode()))
    assert opened["access_token"] == vector["token"]["access_token"]


# -- imports


def test_nothing_is_imported_by_sealing_that_the_place_has_not_imported() -> None:
    code = """
import sys
from pygen_auth import OAuth2ClientCredentials, Token
from pygen_auth._clock import SYSTEM_CLOCK
from pygen_auth._sealing import place_of, seal, unseal

grant = OAuth2ClientCredentials("https://auth.example.com/token", "client", "secret")._grant
place, now = place_of(grant, grant.credential(), None), SYSTEM_CLOCK.now()
before = set(sys.modules)
token = Token.bearer("token", now.after(60), 60)
assert unseal(seal(token, place, now), place, now).access_token == "token"
print(*sorted(set(sys.modules) - before))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("\n", "")
