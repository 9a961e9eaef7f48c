"""The tree of errors, and what a message may show."""

from __future__ import annotations

import copy
import pickle
import re
import sys
import traceback
from collections.abc import Callable

import pytest

from pygen_auth import (
    ConfigurationError,
    InvalidResponseError,
    OAuth2Error,
    RefusedError,
    UnreachableError,
    _errors,
)
from pygen_auth._errors import SHOWN_CHARACTERS, copy_of, shown

CLASSES = [OAuth2Error, ConfigurationError, UnreachableError, RefusedError, InvalidResponseError]


def full(kind: type[OAuth2Error]) -> OAuth2Error:
    """An error of that kind with every attribute set."""
    if kind is RefusedError:
        return RefusedError(
            "no",
            status=401,
            error="invalid_client",
            description="wrong",
            code="AADSTS7000215",
            trace_id="t-1",
            retryable=True,
            retry_after=7.5,
            hint="look",
        )
    return kind("no", retryable=True, retry_after=7.5, hint="look")


# -- the tree


def drawn_tree() -> dict[str, set[str]]:
    """Each class in the drawing with its bases; a class hangs on the last one further left."""
    bases: dict[str, set[str]] = {}
    above: list[tuple[int, str]] = []
    line = re.compile(r"^[ │├└─]*(?P<name>[A-Z]\w+Error)(?: \(also (?P<also>\w+)\))?$")
    for match in filter(None, map(line.match, (_errors.__doc__ or "").splitlines())):
        column, name = match.start("name"), match["name"]
        above = [(left, parent) for left, parent in above if left < column]
        also = {match["also"]} if match["also"] else set()
        bases[name] = {above[-1][1] if above else "Exception"} | also
        above.append((column, name))
    return bases


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    written = {
        name: {base.__name__ for base in value.__bases__}
        for name, value in vars(_errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert drawn_tree() == written
    assert set(written) == {kind.__name__ for kind in CLASSES}


def test_a_configuration_error_is_a_value_error() -> None:
    assert issubclass(ConfigurationError, ValueError)


@pytest.mark.parametrize("kind", [k for k in CLASSES if k is not ConfigurationError])
def test_no_other_error_is_a_value_error(kind: type[OAuth2Error]) -> None:
    assert not issubclass(kind, ValueError)


# -- attributes


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_of_a_message_alone_is_permanent_and_knows_nothing_more(
    kind: type[OAuth2Error],
) -> None:
    error = kind("no")
    assert (error.retryable, error.retry_after, error.hint) == (False, None, None)
    assert str(error) == "no"


def test_a_refusal_of_a_message_alone_knows_nothing_more() -> None:
    error = RefusedError("no")
    assert (error.status, error.error, error.description, error.code, error.trace_id) == (
        0,
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize("kind", CLASSES)
def test_the_text_ends_with_the_hint(kind: type[OAuth2Error]) -> None:
    assert str(kind("no", hint="look here")) == "no (look here)"


@pytest.mark.parametrize("kind", CLASSES)
def test_args_hold_the_message_alone(kind: type[OAuth2Error]) -> None:
    assert full(kind).args == ("no",)


# -- pickle and copy

WAYS: dict[str, Callable[[OAuth2Error], OAuth2Error]] = {
    **{
        f"pickle protocol {protocol}": lambda e, p=protocol: pickle.loads(pickle.dumps(e, p))  # type: ignore[misc]
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "copy_of": copy_of,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_comes_back_with_all_it_had(kind: type[OAuth2Error], way: str) -> None:
    error = full(kind)
    twin = WAYS[way](error)
    assert twin is not error
    assert type(twin) is kind
    assert twin.args == error.args
    assert vars(twin) == vars(error)
    assert str(twin) == str(error)


def raised(error: OAuth2Error, cause: Exception | None) -> OAuth2Error:
    try:
        raise error from cause
    except OAuth2Error as caught:
        return caught


def test_a_copy_has_the_same_cause() -> None:
    cause = OSError("reset")
    assert copy_of(raised(full(UnreachableError), cause)).__cause__ is cause


def test_a_copy_of_an_error_without_a_cause_has_none() -> None:
    assert copy_of(raised(full(UnreachableError), None)).__cause__ is None


def test_a_copy_has_a_traceback_of_its_own() -> None:
    error = raised(full(UnreachableError), None)
    frames = len(traceback.extract_tb(error.__traceback__))
    twin = copy_of(error)
    assert twin.__traceback__ is None
    raised(twin, None)
    assert len(traceback.extract_tb(error.__traceback__)) == frames


def test_a_copy_may_say_more_and_leaves_the_first_as_it_was() -> None:
    error = full(RefusedError)
    twin = copy_of(error, note="; again", retry_after=1.0)
    assert (str(twin), twin.retry_after) == ("no; again (look)", 1.0)
    assert (str(error), error.retry_after) == ("no (look)", 7.5)


def test_a_copy_may_be_told_to_wait_no_time() -> None:
    assert copy_of(full(RefusedError), retry_after=0.0).retry_after == 0.0


# -- what a message may show


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("Entschuldigung, 申し訳", "Entschuldigung, 申し訳", id="any language"),
        pytest.param(" a\r\n\tb  c ", "a b c", id="one line"),
        pytest.param("a\x00\x1b[31mb", "a [31mb", id="control characters"),
        pytest.param("a\u202eb\u2028c\ud800d", "a b c d", id="what turns or breaks a line"),
        pytest.param("x" * 200, "x" * 200, id="200 characters"),
        pytest.param("x" * 201, "x" * 199 + "…", id="201 characters"),
    ],
)
def test_a_foreign_text_is_shown_in_one_printable_line(text: str, line: str) -> None:
    assert shown(text) == line
    assert len(shown(text)) <= SHOWN_CHARACTERS


def test_the_secret_is_taken_out_before_the_line_is_cut() -> None:
    assert "s3c" not in shown("x" * 197 + "s3cret", ["s3cret"])


def test_the_secret_is_taken_out_before_the_line_is_tidied() -> None:
    assert shown("got s3\tcr  et!", ["s3\tcr  et"]) == "got ***!"


def test_the_secret_is_taken_out_in_capitals_too() -> None:
    assert shown("got S3CRET", ["s3cret"]) == "got ***"


def test_an_empty_secret_takes_nothing_out() -> None:
    assert shown("as it is", ["", "s3cret"]) == "as it is"


def test_a_secret_inside_another_leaves_no_rest() -> None:
    assert shown("id:s3cret", ["s3", "s3cret", "id:s3cret"]) == "***"


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("*", id="star"),
        pytest.param("a.b", id="dot"),
        pytest.param("(a|b)+", id="group"),
        pytest.param("[a", id="open bracket"),
        pytest.param("a\\", id="backslash"),
    ],
)
def test_a_secret_is_no_pattern(secret: str) -> None:
    assert shown("axb aab", [secret]) == "axb aab"
    assert shown(f"<{secret}>", [secret]).startswith("<***")


def test_a_secret_that_utf_8_cannot_carry_is_taken_out_too() -> None:
    assert shown("got s3\ud800cret!", ["s3\ud800cret"]) == "got ***!"


def test_a_text_without_entities_is_shown_where_no_module_can_be_loaded_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "html", None)
    assert shown("Too many open files", ("sesame-street",)) == "Too many open files"
