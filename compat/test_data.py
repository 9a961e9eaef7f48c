"""The data files are whole and in form: README.md says what their fields mean."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .replay import DIFFERENCES, shapes

ANSWERS = 151
"""To be raised with every answer that is added; a file that is misplaced is noticed."""
CONFIDENCE = {
    "recorded", "source", "sdk-fixture", "documented", "issue-thread", "emulator", "derived",
}  # fmt: skip
README = Path(__file__).with_name("README.md").read_text("utf-8")
SHAPES = shapes()
DOCUMENTS: list[dict[str, Any]] = [
    entry
    for file in sorted(Path(__file__).parent.glob("*/discovery.json"))
    for entry in json.loads(file.read_text("utf-8"))
]

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
every_document = pytest.mark.parametrize("entry", DOCUMENTS, ids=[e["id"] for e in DOCUMENTS])


def repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def test_every_answer_is_there_once() -> None:
    assert len(SHAPES) == ANSWERS
    assert repeated([shape.id for shape in SHAPES]) == []


def test_every_document_has_a_name_of_its_own() -> None:
    assert repeated([entry["id"] for entry in DOCUMENTS]) == []


def test_every_difference_is_one_and_stands_in_the_readme() -> None:
    by_id = {shape.id: shape for shape in SHAPES}
    for name, instead in DIFFERENCES.items():
        assert not instead.items() <= by_id[name].expect.items()
        assert f"`{name}`" in README


def test_every_folder_of_data_stands_in_the_readme() -> None:
    for folder in {shape.folder for shape in SHAPES}:
        assert f"`{folder}/`" in README


@every_shape
def test_answer_is_in_form(shape: Any) -> None:
    optional = {"provider_code"}
    assert shape.expect.keys() - optional == {"kind", "error", "retryable", "expires_in_seconds"}
    assert shape.expect["kind"] in {"token", "error"}
    assert isinstance(shape.expect["retryable"], bool)
    assert 200 <= shape.status < 600
    assert isinstance(shape.body, str) or "json" in shape.content_type
    assert shape.confidence in CONFIDENCE
    assert shape.confidence != "derived" or not shape.status_confirmed
    assert shape.source.strip()


@every_document
def test_document_is_in_form(entry: dict[str, Any]) -> None:
    fields = {"id", "asked", "url", "document", "expect", "confidence", "source"}
    assert entry.keys() - {"note"} == fields
    assert entry["expect"].keys() == {"token_endpoint", "issuer_matches", "client_auth"}
    assert entry["confidence"] in CONFIDENCE
    assert entry["source"].strip()
    for url in (entry["asked"], entry["url"], entry["document"]["token_endpoint"]):
        assert urlsplit(url).scheme == "https"
    assert "/.well-known/" in entry["url"]
    assert urlsplit(entry["url"]).netloc == urlsplit(entry["asked"]).netloc


@every_document
def test_expectation_follows_from_the_document(entry: dict[str, Any]) -> None:
    document, expect = entry["document"], entry["expect"]
    same = document["issuer"].removesuffix("/") == entry["asked"].removesuffix("/")
    assert expect["issuer_matches"] is same
    assert expect["token_endpoint"] == document["token_endpoint"]
    methods = document.get("token_endpoint_auth_methods_supported")
    assert expect["client_auth"] in methods if methods else expect["client_auth"] is None
