"""Reading private keys, and signing with them: every algorithm is judged by the public key."""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
import ssl
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc.errors import BadSignatureError
from joserfc.jwk import OctKey

from pygen_auth import ConfigurationError
from pygen_auth._assertion import (
    LIFETIME,
    SECRET_ALGORITHMS,
    KeySource,
    SigningKey,
    read_key,
    secret_as_key,
    signed_assertion,
)

from .keys import (
    ALGORITHMS,
    HMAC_SECRET,
    PASSWORD,
    certificate,
    jwk,
    pem,
    private_key,
    public_pem,
    verified,
    verified_by,
)

RSA, EC = private_key("RSA"), private_key("P-256")
CLIENT, AUDIENCE, WALL = "the-client", "https://idp.example.com/oauth2/token", 1_800_000_000.75
KINDS = ("RSA", "P-256", "P-384", "P-521", "Ed25519", "Ed448")
OWN_ALGORITHM = {
    **{kind: alg for alg, kind in ALGORITHMS.items() if kind != "RSA"},
    "RSA": "RS256",
    "Ed448": "EdDSA",
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def read(
    source: Any = None,
    alg: str | None = None,
    kid: Any = None,
    certificate: Any = None,
    password: Any = None,
) -> SigningKey:
    return read_key(pem(RSA) if source is None else source, alg, kid, certificate, password)


def signed(key: SigningKey, client_id: str = CLIENT, audience: str = AUDIENCE) -> str:
    return signed_assertion(key, client_id, audience, WALL)


def refused(check: Callable[[], object], *secrets: str | bytes) -> str:
    """The message of a refusal, after a look for key material in all that comes with it."""
    with pytest.raises(ConfigurationError) as caught:
        check()
    shown = "\n".join(everything_of(caught.value))
    for secret in (PASSWORD, *secrets):
        for piece in telling_pieces(secret):
            assert piece not in shown
    assert not caught.value.retryable
    return str(caught.value)


def telling_pieces(secret: str | bytes) -> Iterator[str]:
    text = secret if isinstance(secret, str) else secret.decode("latin-1")
    yield ascii(text)[1:-1]
    yield from (line for line in text.splitlines() if len(line) > 20 and line[0] not in "-{")


def everything_of(error: BaseException | None) -> Iterator[str]:
    """Each text that a log, a debugger or a pickle could show of an error and of its chain."""
    if error is not None:
        yield "".join(traceback.format_exception_only(type(error), error))
    while error is not None:
        yield from (ascii(part) for part in (str(error), repr(error), error.args, vars(error)))
        yield from (ascii(getattr(error, name, "")) for name in ("object", "doc", "filename"))
        yield ascii(pickle.dumps(error.args))
        error = error.__cause__ or error.__context__


# -- keys that can be read


@each_kind
@pytest.mark.parametrize(
    "form", ["PEM", "PEM text", "encrypted", "JWK", "JWK text", "JWK bytes", "indented"]
)
def test_key_of_each_kind_is_read_in_each_form(kind: str, form: str) -> None:
    key = private_key(kind)
    password = PASSWORD if form == "encrypted" else None
    forms: dict[str, Callable[[], KeySource]] = {
        "PEM": lambda: pem(key),
        "PEM text": lambda: pem(key).decode(),
        "encrypted": lambda: pem(key, PASSWORD),
        "JWK": lambda: jwk(key),
        "JWK text": lambda: json.dumps(jwk(key)),
        "JWK bytes": lambda: json.dumps(jwk(key)).encode(),
        "indented": lambda: f"\n  {json.dumps(jwk(key), indent=2)}\n",
    }
    made = read(forms[form](), password=password)
    assert made == SigningKey(pem(key), made.kind, OWN_ALGORITHM[kind])
    verified_by(signed(made), key)


@pytest.mark.parametrize("form", ["PEM", "encrypted", "JWK"])
@pytest.mark.parametrize("as_path", [str, Path], ids=["text", "Path"])
def test_key_is_read_from_a_file(
    tmp_path: Path, form: str, as_path: Callable[[Path], str | Path]
) -> None:
    file, encrypted = tmp_path / "key.pem", form == "encrypted"
    file.write_bytes(
        json.dumps(jwk(EC)).encode() if form == "JWK" else pem(EC, PASSWORD if encrypted else None)
    )
    made = read(as_path(file), password=PASSWORD if encrypted else None)
    assert made.material == pem(EC)


@pytest.mark.parametrize("password", [PASSWORD, PASSWORD.encode()], ids=["text", "bytes"])
@pytest.mark.parametrize(
    "form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["PKCS8", "traditional"]
)
def test_encrypted_key_is_read_with_its_password(
    form: PrivateFormat, password: str | bytes
) -> None:
    assert read(pem(RSA, PASSWORD, form), password=password).material == pem(RSA)


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(lambda text: text.replace("\n", "\\n"), id="literal \\n, as in variables"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda text: f"\n  {text}\n", id="white space around"),
        pytest.param(str.strip, id="no line break at the end"),
    ],
)
def test_text_of_a_key_may_look_as_texts_of_keys_do(around: Callable[[str], str]) -> None:
    assert read(around(pem(EC).decode())).material == pem(EC)


def test_key_behind_its_curve_is_read() -> None:
    # As `openssl ecparam -genkey` writes it.
    curve = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    assert read(curve + pem(EC, form=PrivateFormat.TraditionalOpenSSL)).material == pem(EC)


@pytest.mark.parametrize("order", [1, -1], ids=["key first", "certificate first"])
def test_key_and_certificate_may_be_in_one_file(tmp_path: Path, order: int) -> None:
    file = tmp_path / "both.pem"
    file.write_bytes(b"".join([pem(RSA), certificate("RSA")][::order]))
    made = read(file, certificate=file)
    assert made.material == pem(RSA)
    assert [name for name, _ in made.header] == ["x5t", "x5t#S256"]


def test_two_readings_of_one_key_are_equal() -> None:
    encrypted = pem(RSA, PASSWORD)
    first, second = (read(encrypted, password=PASSWORD) for _ in range(2))
    assert (first, hash(first)) == (second, hash(second))
    assert first != read(private_key_pem := pem(private_key("RSA", 1)))
    assert first.material != private_key_pem


def test_repr_of_a_key_shows_no_material() -> None:
    assert repr(read(kid="k1")) == "SigningKey(kind='RSA', alg='RS256', header=(('kid', 'k1'),))"
    assert "secret" not in repr(secret_as_key(HMAC_SECRET, "HS256"))


# -- keys that cannot

GARBAGE = "-----BEGIN PRIVATE KEY-----\nGarbage-of-which-nothing-may-be-shown\n-----END PRIVATE KEY"
ENCRYPTED = pem(RSA, PASSWORD)
BROKEN_JWK = '{"kty": "RSA", "d": "Garbage-of-which-nothing-may-be-shown'
NO_PEM = "key holds no private key in PEM that can be read"
NO_PRIVATE_JWK = "key is a JWK without a private key; one with kty RSA, EC or OKP and a d is wanted"


@pytest.mark.parametrize(
    ("source", "password", "message"),
    [
        pytest.param(GARBAGE, None, NO_PEM, id="garbage"),
        pytest.param(GARBAGE.encode(), None, NO_PEM, id="garbage in bytes"),
        pytest.param(f"{GARBAGE}\ud800", None, NO_PEM, id="lone surrogate in PEM"),
        pytest.param(b"", None, NO_PEM, id="nothing"),
        pytest.param(b"\xff\xfe\x00", None, NO_PEM, id="bytes that are no text"),
        pytest.param(
            EC.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            None,
            NO_PEM,
            id="DER",
        ),
        pytest.param(public_pem(RSA), None, NO_PEM, id="public key"),
        pytest.param(certificate("RSA"), None, NO_PEM, id="certificate alone"),
        pytest.param(
            ENCRYPTED, None, "key is encrypted; give its password=", id="encrypted, no password"
        ),
        pytest.param(
            ENCRYPTED, "", "key is encrypted; give its password=", id="encrypted, empty password"
        ),
        pytest.param(
            ENCRYPTED,
            "Wr0ng-" + PASSWORD[::-1],
            f"{NO_PEM}, or the password is wrong",
            id="encrypted, wrong password",
        ),
        pytest.param(
            ENCRYPTED,
            f"{PASSWORD}\ud800",
            f"{NO_PEM}, or the password is wrong",
            id="encrypted, password with a lone surrogate",
        ),
        pytest.param(
            ENCRYPTED, 5, "password must be a text or bytes", id="encrypted, password a number"
        ),
        pytest.param(
            pem(EC),
            PASSWORD,
            "password is given, and key is not encrypted; leave it out",
            id="password for nothing",
        ),
        pytest.param(jwk(RSA, private=False), None, NO_PRIVATE_JWK, id="public JWK"),
        pytest.param({"kty": "oct", "k": "c2VjcmV0", "d": "x"}, None, NO_PRIVATE_JWK, id="oct JWK"),
        pytest.param({}, None, NO_PRIVATE_JWK, id="empty JWK"),
        pytest.param({"kty": ["RSA"], "d": "x"}, None, NO_PRIVATE_JWK, id="kty a list"),
        pytest.param(
            '{"keys": []}', None, "key is a set of JWKs; pass one of its keys", id="set of JWKs"
        ),
        pytest.param(
            jwk(RSA, d="Garbage!"), None, "key is a JWK that cannot be read", id="JWK with garbage"
        ),
        pytest.param(
            jwk(EC, crv="P-7"), None, "key is a JWK that cannot be read", id="unknown curve"
        ),
        pytest.param(
            {"kty": "RSA", "d": 5}, None, "key is a JWK that cannot be read", id="JWK of numbers"
        ),
        pytest.param(
            BROKEN_JWK, None, "key is no JWK: its JSON cannot be read", id="cut-off JWK text"
        ),
        pytest.param(
            BROKEN_JWK.encode(), None, "key is no JWK: its JSON cannot be read", id="cut-off JWK"
        ),
        pytest.param(
            f'{BROKEN_JWK}\ud800"',
            None,
            "key is no JWK: its JSON cannot be read",
            id="lone surrogate in JSON",
        ),
        pytest.param(
            '{"d":' * 100_000, None, "key is no JWK: its JSON cannot be read", id="endless JSON"
        ),
        pytest.param(5, None, "key must be PEM, bytes, or the path of a file", id="number"),
        pytest.param(["x"], None, "key must be PEM, bytes, or the path of a file", id="list"),
    ],
)
def test_key_that_cannot_be_read_is_refused_and_nothing_of_it_shown(
    source: Any, password: Any, message: str
) -> None:
    shown = source.get("d", "") if isinstance(source, dict) else source
    hidden = [shown] if isinstance(shown, (str, bytes)) and 5 < len(shown) < 9999 else []
    assert refused(lambda: read_key(source, None, None, None, password), *hidden) == message


def test_no_key_at_all_is_refused() -> None:
    assert refused(lambda: read_key(None, None, None, None, None)).startswith("key must be PEM")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("nothing-here.pem", "FileNotFoundError", id="missing"),
        pytest.param(
            ".", "PermissionError" if sys.platform == "win32" else "IsADirectoryError", id="folder"
        ),
        pytest.param("a\0b", "ValueError", id="NUL"),
        pytest.param("MIIEvQIBADANBgkqhkiG9w0BAQEF" * 100, "OSError", id="key without its lines"),
    ],
)
def test_file_that_cannot_be_read_is_refused_and_the_text_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    hidden = [path] if len(path) > 5 else []
    assert refused(lambda: read(path), *hidden) == f"key cannot be read from its file ({kind})"


def test_file_that_cannot_be_read_is_named_where_it_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "nothing-here.pem"
    message = refused(lambda: read(path))
    assert message == f"key cannot be read from its file {str(path)!r} (FileNotFoundError)"


def test_rsa_key_under_2048_bits_is_refused() -> None:
    weak = private_key("RSA1024")
    message = "key has 1024 bits; 2048 are needed (RFC 7518 §3.3)"
    assert refused(lambda: read(pem(weak)), pem(weak)) == message


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(private_key("secp256k1"), id="secp256k1"),
        pytest.param(x25519.X25519PrivateKey.generate(), id="X25519"),
        pytest.param(dsa.generate_private_key(1024), id="DSA"),
    ],
)
def test_key_that_cannot_sign_here_is_refused(key: Any) -> None:
    message = refused(lambda: read(pem(key)), pem(key))
    assert message.startswith("key is of a kind that cannot sign here; RSA, EC (P-256, P-384")


@pytest.mark.parametrize(
    ("kind", "alg", "fitting"),
    [
        ("RSA", "ES256", "RS256, RS384, RS512, PS256, PS384 or PS512"),
        ("P-256", "ES384", "ES256"),
        ("P-384", "RS256", "ES384"),
        ("P-521", "EdDSA", "ES512"),
        ("Ed25519", "ES256", "EdDSA"),
    ],
)
def test_algorithm_that_does_not_fit_the_key_is_refused(kind: str, alg: str, fitting: str) -> None:
    key = pem(private_key(kind))
    message = f"alg {alg} does not fit this key; it can sign {fitting}"
    assert refused(lambda: read(key, alg), key) == message


@pytest.mark.parametrize(
    "kid", [5, b"k1", ["k1"], "k\ud800"], ids=["number", "bytes", "list", "lone surrogate"]
)
def test_kid_that_is_no_text_is_refused(kid: Any) -> None:
    message = refused(lambda: read(pem(EC), kid=kid))
    assert message == "kid must be a text of printable characters"


# -- the certificate


@pytest.mark.parametrize("kind", ["RSA", "P-256", "P-521", "Ed25519"])
@pytest.mark.parametrize("form", ["bytes", "text", "file"])
def test_thumbprints_are_hashes_of_the_certificate(tmp_path: Path, kind: str, form: str) -> None:
    made = certificate(kind)
    file = tmp_path / "certificate.pem"
    file.write_bytes(made)
    source = {"bytes": made, "text": made.decode(), "file": file}[form]
    key = read(pem(private_key(kind)), certificate=source)
    header, _ = verified_by(signed(key), private_key(kind))
    der = ssl.PEM_cert_to_DER_cert(made.decode())
    assert header["x5t"] == unpadded(hashlib.sha1(der).digest())
    assert header["x5t#S256"] == unpadded(hashlib.sha256(der).digest())


def unpadded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_first_certificate_of_a_chain_counts() -> None:
    chain = certificate("RSA") + certificate("P-256")
    assert read(certificate=chain).header == read(certificate=certificate("RSA")).header


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            certificate("RSA", 1),
            "certificate belongs to another key; give the one of this key",
            id="of another key",
        ),
        pytest.param(
            certificate("P-256"),
            "certificate belongs to another key; give the one of this key",
            id="of another kind of key",
        ),
        pytest.param(pem(RSA), "certificate holds no certificate in PEM", id="the key itself"),
        pytest.param(b"", "certificate holds no certificate in PEM", id="nothing"),
        pytest.param(5, "certificate must be PEM, bytes, or the path of a file", id="number"),
        pytest.param(
            "nothing-here.pem",
            "certificate cannot be read from its file (FileNotFoundError)",
            id="missing file",
        ),
    ],
)
def test_certificate_that_does_not_fit_is_refused(given: Any, message: str) -> None:
    assert refused(lambda: read(certificate=given), pem(RSA)) == message


# -- the header


@each_kind
def test_header_says_the_algorithm_and_nothing_else(kind: str) -> None:
    header, _ = verified_by(signed(read(pem(private_key(kind)))), private_key(kind))
    assert header == {"typ": "JWT", "alg": OWN_ALGORITHM[kind]}


@pytest.mark.parametrize(
    ("source", "kid", "named"),
    [
        pytest.param(pem(EC), "k1", "k1", id="given"),
        pytest.param(jwk(EC, kid="k0"), None, "k0", id="of the JWK"),
        pytest.param(jwk(EC, kid="k0"), "k1", "k1", id="given with a JWK"),
    ],
)
def test_header_names_the_key(source: KeySource, kid: str | None, named: str) -> None:
    header, _ = verified_by(signed(read(source, kid=kid)), EC)
    assert header["kid"] == named


# -- what is signed


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_signature_is_that_of_the_key_by_each_algorithm(alg: str) -> None:
    key, other = (private_key(ALGORITHMS[alg], number) for number in range(2))
    jwt = signed(read(pem(key), alg))
    header, _ = verified_by(jwt, key)
    assert header["alg"] == alg
    with pytest.raises(BadSignatureError):
        verified_by(jwt, other)


@pytest.mark.parametrize("alg", SECRET_ALGORITHMS)
def test_signature_is_that_of_the_secret_by_each_algorithm(alg: str) -> None:
    jwt = signed(secret_as_key(HMAC_SECRET, alg))
    header, _ = verified(
        jwt, OctKey.import_key({"kty": "oct", "k": unpadded(HMAC_SECRET.encode())})
    )
    assert header == {"typ": "JWT", "alg": alg}
    with pytest.raises(BadSignatureError):
        verified(jwt, OctKey.import_key({"kty": "oct", "k": unpadded(b"other" * 20)}))


SSH = RSA.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(public_pem(RSA).decode(), id="PEM"),
        pytest.param(certificate("RSA").decode(), id="certificate"),
        pytest.param(SSH, id="SSH"),
    ],
)
def test_public_key_in_place_of_a_secret_is_refused(secret: str) -> None:
    # Whoever has it could sign; joserfc refuses it, too.
    assert refused(lambda: secret_as_key(secret, "HS256"), secret).startswith("client_secret is a ")


@pytest.mark.parametrize(("alg", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_secret_shorter_than_its_hash_is_refused_with_the_figures(alg: str, least: int) -> None:
    secret = "é" + "s" * (least - 3)
    message = refused(lambda: secret_as_key(secret, alg), secret)
    assert message == (
        f"client_secret is too short to sign with {alg}: it has {least - 1} bytes, and {least} "
        "are needed (RFC 7518 §3.2)"
    )
    assert secret_as_key(f"{secret}s", alg).material == f"{secret}s".encode()


@pytest.mark.parametrize("client_id", [CLIENT, "id with späce/€"])
def test_claims_are_those_of_rfc_7523(client_id: str) -> None:
    _, claims = verified_by(signed(read(pem(EC)), client_id), EC)
    jti = claims.pop("jti")
    assert claims == {
        "iss": client_id,
        "sub": client_id,
        "aud": AUDIENCE,
        "iat": 1_800_000_000,
        "exp": 1_800_000_300,
    }
    assert len(jti) >= 32
    assert LIFETIME == 300


def test_no_two_assertions_have_the_same_id() -> None:
    key = read(pem(EC))
    ids = {verified_by(signed(key), EC)[1]["jti"] for _ in range(20)}
    assert len(ids) == 20


def test_algorithm_of_a_jwk_counts_unless_another_is_given() -> None:
    key = jwk(RSA, alg="PS256")
    assert read_key(key, None, None, None, None).alg == "PS256"
    assert read_key(key, "RS512", None, None, None).alg == "RS512"


def test_algorithm_of_a_jwk_must_fit_the_key() -> None:
    key = jwk(RSA, alg="ES256")
    assert "alg ES256 does not fit" in refused(lambda: read_key(key, None, None, None, None))


def test_password_of_a_jwk_is_refused() -> None:
    message = refused(lambda: read_key(jwk(RSA), None, None, None, "a-password"), "a-password")
    assert message.startswith("password is given, and key is a JWK")


def test_secret_that_joserfc_takes_for_another_key_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(value: object) -> None:
        raise ValueError(f"looks like a key: {HMAC_SECRET}")

    monkeypatch.setattr(OctKey, "import_key", fails)
    key = secret_as_key(HMAC_SECRET, "HS256")
    message = refused(lambda: signed(key), HMAC_SECRET)
    assert message.startswith("client_secret is a key of another kind")
