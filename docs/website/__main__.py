"""Write anew what is made of the code: the diagrams, the picture of `check`, the tables of errors,
of hints and of options.

What differs from run to run, as the milliseconds in the picture do, is no reason to write it.
"""

from __future__ import annotations

import logging
from pathlib import Path

from . import check, errors, hints, options, outage, states


def made() -> dict[Path, str]:
    """What comes out the same each time."""
    return {
        states.FILE: states.svg(),
        outage.FILE: outage.svg(outage.played()),
        hints.PAGE: hints.written(errors.written(errors.PAGE.read_text("utf-8"))),
        options.PAGE: options.written(options.PAGE.read_text("utf-8")),
    }


def main() -> None:
    """Write what has changed."""
    logging.disable()  # of the outage
    files = made()
    picture = check.svg(check.shown())
    if not check.FILE.exists() or check.told(picture) != check.told(check.FILE.read_text("utf-8")):
        files[check.FILE] = picture
    for file, text in files.items():
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            print(f"written: docs/{file.relative_to(Path(__file__).parents[1])}")


if __name__ == "__main__":
    main()
