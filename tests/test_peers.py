"""The figures beside other libraries, as the docs show them. `make bench-peers` measures them."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from benchmarks._result import Figure, Goal, Result, judged
from benchmarks.peers import __main__ as program
from benchmarks.peers import _summary
from benchmarks.peers.__main__ import RESULTS_FILE, SCENARIOS, measured
from benchmarks.peers._bench import Rows, Scenario
from benchmarks.peers._chart import CHART, chart
from benchmarks.peers._page import PAGES, written

RESULTS = json.loads(RESULTS_FILE.read_text("utf-8"))


def test_pages_and_chart_show_the_results() -> None:
    for page in PAGES:
        text = written(page, RESULTS, SCENARIOS.values())
        assert page.read_text("utf-8") == text, "make bench-peers writes it"
    readme = _summary.README.read_text("utf-8")
    assert readme == _summary.written(readme, RESULTS), "make bench-peers writes it"
    assert CHART.read_text("utf-8") == chart(RESULTS), "make bench-peers draws it"


def test_each_scenario_has_results() -> None:
    assert list(RESULTS["scenarios"]) == list(SCENARIOS)


def test_goals_are_judged_by_the_figures_as_they_stand() -> None:
    for name, scenario in SCENARIOS.items():
        found = RESULTS["scenarios"][name]
        judged = [(result.name, result.met) for result in scenario.judge(found["figures"])]
        assert judged == [(result["name"], result["met"]) for result in found["results"]]


@pytest.mark.parametrize(
    ("runs", "stands"),
    [
        ([(9, 1), (9, 1), (9, 1), (5, 1)], 0),
        ([(9, 1), (5, 1)], 1),
        ([(9, 1), (5, 2), (5, 1)], 1),
        ([(5, 2), (5, 1)], 0),
    ],
    ids=["three times at most", "a time is measured again", "a count then stands", "or at once"],
)
def test_a_time_is_measured_again_and_a_count_stands(
    runs: list[tuple[float, int]], stands: int
) -> None:
    """Each run by its milliseconds, of which 5 are allowed, and its token requests, of which 1."""
    left = [{"ours": {"ms": ms, "requests": requests}} for ms, requests in runs]
    all_runs = left.copy()

    def judge(rows: Rows) -> list[Result]:
        ours = rows["ours"]
        return [
            judged("a time", Goal("at most", 5, "ms"), Figure(ours["ms"], "")),
            judged("a count", Goal("exactly", 1, "token request"), Figure(ours["requests"], "")),
        ]

    scenario = Scenario("scripted", lambda bench: left.pop(0), judge, lambda rows: ())
    rows, results = measured(scenario, None)  # type: ignore[arg-type]
    assert rows is all_runs[stands]
    assert [result.measured for result in results] == list(runs[stands])


@pytest.mark.parametrize(
    ("names", "writings"), [([], 1), (["scripted"], 0)], ids=["all", "a part, named"]
)
def test_only_a_run_of_all_scenarios_is_written(
    names: list[str],
    writings: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else figures of one machine and day would stand there as those of another."""
    written: list[Any] = []
    scenario = Scenario("scripted", lambda bench: {"a peer": {}}, lambda rows: [], list)
    monkeypatch.setattr(program, "SCENARIOS", {scenario.name: scenario})
    monkeypatch.setattr(program, "token_server", contextlib.nullcontext)
    monkeypatch.setattr(program, "trust", lambda server: None)
    monkeypatch.setattr(program, "_write", written.append)
    assert program.main(*names) == 0
    assert len(written) == writings
    assert "\na peer\n" in capsys.readouterr().out
