"""What the site shows of the code is what the code says: `python -m docs.website` writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.website import check, errors, hints, outage, states
from docs.website.__main__ import made
from pygen_auth import _hints
from pygen_auth._token import TokenState

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = sorted(DOCS.glob("assets/*.svg"))


@pytest.fixture(scope="module")
def files() -> dict[Path, str]:
    return made()


@pytest.mark.parametrize("file", [states.FILE, outage.FILE, hints.PAGE], ids=lambda file: file.name)
def test_file_is_as_the_code_makes_it(files: dict[Path, str], file: Path) -> None:
    assert file.read_text("utf-8") == files[file]


def test_picture_shows_what_check_says() -> None:
    assert check.told(check.FILE.read_text("utf-8")) == check.told(check.svg(check.shown()))


def test_arrows_are_those_of_the_design() -> None:
    fresh, due, expired = TokenState
    assert states.edges() == {
        (fresh, due): ("time",),
        (due, expired): ("time", "API refuses it", "close()"),
        (fresh, expired): ("API refuses it", "close()"),
        (due, fresh): ("renewed",),
        (expired, fresh): ("renewed",),
        (due, due): ("request fails",),
        (expired, expired): ("request fails",),
    }


def test_outage_loses_no_call() -> None:
    record = outage.played()
    assert record.calls == outage.END
    assert [well for _, well in record.requests].count(True) == 2
    assert TokenState.EXPIRED not in record.states


@pytest.mark.parametrize(
    ("stale", "said"),
    [
        ("├─ RefusedError\n", "├─ DeniedError\n"),
        ("| change the setting that the message names |", "| despair |"),
        ("| `retryable` | bool: ", "| `retryable` | str: "),
        ("| `trace_id` | str or None: the provider's", "| `trace_id` | str or None: your"),
    ],
    ids=["tree", "class", "attribute", "attribute of a subclass"],
)
def test_what_is_said_of_errors_comes_from_their_source(stale: str, said: str) -> None:
    page = errors.PAGE.read_text("utf-8")
    assert stale in page
    assert errors.written(page.replace(stale, said)) == page


def test_every_hint_has_its_row() -> None:
    page = hints.PAGE.read_text("utf-8")
    for table in (*_hints.CODES.values(), *_hints.WORDINGS.values(), _hints.REFUSED_CLIENT):
        assert all(f"| `{said}` | {advice} |" in page for said, advice in table.items())
    assert [word for word in _hints.REFUSED if f"`{word}`" not in page] == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_picture_loads_nothing_from_elsewhere(picture: Path) -> None:
    text = picture.read_text("utf-8")
    assert (
        re.findall(r"https?://(?!www\.w3\.org/2000/svg)[^<\s\"]*", re.sub(r">[^<]*<", "><", text))
        == []
    )
    assert "@import" not in text
    assert "url(http" not in text
