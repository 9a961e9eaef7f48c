"""Parts of the docs that a run writes, each between two comments that name the run."""

from __future__ import annotations

import re


def replaced(page: str, name: str, command: str, text: str) -> str:
    """The page with this text as its part of that name, which `command` writes."""
    begin, end = f"<!-- {name}: written by {command} -->\n", f"<!-- end of {name} -->\n"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page, count = pattern.subn(lambda _: f"{begin}\n{text.strip()}\n\n{end}", page)
    assert count == 1, f"no place for the {name}"
    return page
