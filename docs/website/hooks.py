"""MkDocs' hooks: what the site has beyond the pages as they can be read in the repository."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import pygen_auth

ROOT = Path(__file__).parents[2]
FROM_OUTSIDE = {"CHANGELOG.md": "changes.md", "SECURITY.md": "reporting.md"}
"""Files beside the folder of the pages, and the pages that they become."""
MODULES = (
    "pygen_auth",
    *(
        f"pygen_auth.{module.name}"
        for module in pkgutil.iter_modules(pygen_auth.__path__)
        if not module.name.startswith("_")
    ),
)
"""What is public: each becomes a page of the reference, with all that its `__all__` names."""
BOOSTS = {"errors": 4, "providers": 2, "reference": 0.5, "decisions": 0.2, "design": 0.2}
"""Of a page or folder in the search: an error's text is pasted by somebody who wants to know what
to do about it, and not why the library is as it is."""
WIDE = {"index.md": ["navigation", "toc"], "comparison.md": ["toc"]}
"""What gives its room to a page: the first one has a screen, the other a table of eight columns."""
NEUTRALS = {
    "#ffffff": "var(--md-default-bg-color)",
    "#333333": "var(--md-default-fg-color)",
    "#888888": "var(--md-default-fg-color--light)",
    "#dddddd": "var(--md-default-fg-color--lightest)",
}
"""The colours of a diagram that follow the reader's choice of light and dark."""

LINK = re.compile(r"(?<=\]\()([\w./-]+\.md)(?=[)#])")
DIAGRAM = re.compile(r'<p><img (alt="[^"]*") src="[^"]*?assets/(\w+)\.svg" ?/?></p>')


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List in the navigation what there is: the decisions, and the modules of the reference."""
    decisions = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    lists: dict[str, list[Any]] = {
        "Decisions": ["decisions.md", *(f"decisions/{name}" for name in decisions)],
        "Reference": ["reference.md", *({name: f"reference/{name}.md"} for name in MODULES)],
    }
    assert config.nav is not None
    for section in config.nav:
        for name in lists:
            if name in section:
                section[name] = [*lists[name], *section[name]]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Make pages of the files beside the folder, and of the public modules."""
    for name, page in FROM_OUTSIDE.items():
        text = LINK.sub(lambda link: _as_page(link[1]), (ROOT / name).read_text("utf-8"))
        files.append(File.generated(config, page, content=text))
    for name in MODULES:
        text = "\n".join(_reference(name))
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files beside the folder to their pages; say what a page is to the site."""
    if page.file.src_uri in WIDE:
        page.meta["hide"] = WIDE[page.file.src_uri]
    top = page.file.src_uri.removesuffix(".md").partition("/")[0]
    page.meta["search"] = {"boost": BOOSTS.get(top, 1)}
    folder = dirname(page.file.src_uri)
    for name, target in FROM_OUTSIDE.items():
        outside, inside = relpath(f"../{name}", folder or "."), relpath(target, folder or ".")
        markdown = markdown.replace(f"]({outside}", f"]({inside}")
    return markdown


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put diagrams into the page itself, where they take its colours."""
    return DIAGRAM.sub(lambda image: _diagram(*image.group(0, 1, 2)), html)


def _as_page(link: str) -> str:
    """A link in a file beside the folder, as one between pages."""
    return FROM_OUTSIDE.get(link, link.removeprefix("docs/"))


def _reference(name: str) -> Iterator[str]:
    yield f"# {name}\n"
    yield f"::: {name}\n    options:\n      members: false\n      show_root_heading: false\n"
    yield from (f"::: {name}.{member}\n" for member in importlib.import_module(name).__all__)


def _diagram(image: str, alt: str, name: str) -> str:
    text = (ROOT / f"docs/assets/{name}.svg").read_text("utf-8")
    if "#ffffff" not in text:  # a picture with colours of its own
        return image
    for colour, variable in NEUTRALS.items():
        text = text.replace(f'"{colour}"', f'"{variable}"')
    return f'<div class="diagram" role="img" aria-label{alt.removeprefix("alt")}>{text}</div>'
