"""The figures beside other libraries, as the docs show them. `make bench-peers` measures them."""

from __future__ import annotations

import json

from benchmarks.peers import _summary
from benchmarks.peers.__main__ import RESULTS_FILE, SCENARIOS
from benchmarks.peers._chart import CHART, chart
from benchmarks.peers._page import PAGE, written

RESULTS = json.loads(RESULTS_FILE.read_text("utf-8"))


def test_pages_and_chart_show_the_results() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page, RESULTS, SCENARIOS.values()), "make bench-peers writes them"
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
