"""What each server makes of requests that are not quite right, and what its user is told."""

from __future__ import annotations

import traceback

import pytest

from pygen_auth import RefusedError
from tests.support import Twin

from ..cases import CASES, outcome
from ..clients import PLAIN
from ..facts import Facts
from ..fleet import Server
from .each import each_with

TOKEN = "token"


def cases(facts: Facts) -> list[str]:
    return list(facts.cases)


def refusals(facts: Facts) -> list[str]:
    return [name for name, came in facts.cases.items() if came != TOKEN]


@each_with("name", cases)
def test_case_comes_out_as_the_data_say(server: Server, name: str, twin: Twin) -> None:
    case = CASES[name]
    credentials = server.credentials(twin, case.client, **case.settings(server))
    assert outcome(twin, credentials) == server.facts.cases[name]


@each_with("name", refusals)
def test_refusal_is_permanent_with_advice_and_without_secrets(
    server: Server, name: str, twin: Twin
) -> None:
    case = CASES[name]
    credentials = server.credentials(twin, case.client, **case.settings(server))
    with pytest.raises(RefusedError) as caught:
        twin.token(credentials)
    assert caught.value.retryable is False
    assert PLAIN not in "".join(traceback.format_exception(caught.value))
    if name in server.facts.without_hint:
        assert caught.value.hint is None
    else:
        assert case.advice in (caught.value.hint or "")
