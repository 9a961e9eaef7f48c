"""docs/reliability.md: its tables are made of the outcomes of a run, its figures are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from benchmarks._pages import replaced

from .catalog import FAULTS
from .fault import Fault, Moment

PAGE = Path(__file__).parent.parent.parent / "docs" / "reliability.md"
Label = Callable[[Fault, bool, Moment], str]
"""What came of a fault, plain or over TLS, at a moment."""


Outcomes = tuple[str, ...]
"""A cell of a row for each moment."""


def expected(fault: Fault, tls: bool, moment: Moment) -> str:
    return fault.outcome_over(tls).label(moment)


def table(label: Label) -> str:
    """A table for each section: a row for all faults of it that have the same outcomes."""
    parts = []
    for section, faults in groupby(FAULTS, lambda fault: fault.section):
        parts += [f"### {section}\n\n", *_table(list(faults), label), "\n"]
    return "".join(parts) + "".join(_not_everywhere())


def _table(faults: list[Fault], label: Label) -> Iterator[str]:
    head = ("Fault", *(moment.value for moment in Moment))
    for cells in (head, ("---",) * len(head), *_rows(faults, label)):
        yield f"| {' | '.join(cells)} |\n"


def _rows(faults: list[Fault], label: Label) -> Iterator[tuple[str, ...]]:
    """Variants with the same outcomes are told together, and so are kinds with those variants."""
    variants: dict[tuple[str, Outcomes], list[str]] = {}
    for fault in faults:
        outcomes = tuple(_cell(fault, moment, label) for moment in Moment)
        variants.setdefault((fault.kind, outcomes), []).append(fault.variant)
    kinds: dict[tuple[str, Outcomes], list[str]] = {}
    for (kind, outcomes), names in variants.items():
        kinds.setdefault((", ".join(names), outcomes), []).append(kind)
    for (told, outcomes), those in kinds.items():
        yield (": ".join(filter(None, (", ".join(those), told))), *outcomes)


def _cell(fault: Fault, moment: Moment, label: Label) -> str:
    labels = {tls: label(fault, tls, moment) for tls in fault.transports}
    first, *others = labels.values()
    return f"{first}; over TLS {others[0]}" if others and others[0] != first else first


def _not_everywhere() -> Iterator[str]:
    yield "### Not everywhere\n\n"
    for (only, why), faults in groupby(
        (fault for fault in FAULTS if fault.only), lambda fault: (fault.only, fault.why)
    ):
        where = "over TLS" if only == "TLS" else "without TLS"
        yield f"- {', '.join(fault.variant for fault in faults)}: only {where}, since {why}.\n"


def figures(measured: Mapping[str, str]) -> str:
    return "".join(f"- {name}: {figure}\n" for name, figure in measured.items())


def written(page: str, **blocks: str) -> str:
    """The page with these texts between their markers."""
    for name, text in blocks.items():
        page = replaced(page, name, "make faults", text)
    return page
