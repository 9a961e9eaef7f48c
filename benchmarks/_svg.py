"""What the diagrams of the docs have in common. Plain SVG, nothing remote.

The site takes white and the greys for the reader's own colours, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable

OWN = "#2471a3"
"""The colour of pygen-auth."""


def document(width: int, height: int, lines: Iterable[str]) -> str:
    """A diagram of these lines, on white."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" fill="#333333">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *lines,
        "</svg>",
        "",
    ])  # fmt: skip
