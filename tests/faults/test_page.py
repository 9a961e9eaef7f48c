"""The faults are what they should be, and docs/reliability.md says what they say."""

from __future__ import annotations

import re

import pytest

from .catalog import FAULTS
from .fault import Fault
from .page import PAGE, expected, table, written
from .runner import cells

every = pytest.mark.parametrize("fault", FAULTS, ids=str)


def test_page_has_a_row_for_each_fault() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page, table=table(expected)), "make faults writes them"


def test_figures_of_the_page_are_of_these_faults() -> None:
    page = PAGE.read_text("utf-8")
    count = sum(1 for _ in cells())
    assert f"- Cells: {count:,}, each" in page, "make faults measures them"
    assert re.search(r"^- The most memory that one answer took: [0-7]\.\d MB", page, re.MULTILINE)
    assert re.search(r"^- The latest answer: 0\.\d\d s after its time-out", page, re.MULTILINE)


def test_no_two_faults_have_one_name() -> None:
    names = [f"{fault.section}: {fault}" for fault in FAULTS]
    assert len(names) == len(set(names))


@every
def test_fault_that_is_not_everywhere_says_why(fault: Fault) -> None:
    assert bool(fault.only) == bool(fault.why)
