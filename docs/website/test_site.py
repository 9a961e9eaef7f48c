"""The site as a reader has it: each page in a real browser, each link, the search. `make docs`."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

SITE = Path(__file__).parents[2] / "site"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
NO_PAGE = {"404.html"}
"""Is shown in the place of any page, so that its links can only be from the root."""
each_page = pytest.mark.parametrize("page", [page for page in PAGES if page not in NO_PAGE])


class Links(HTMLParser):
    """What a page leads to, what it loads, and which places it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.leads_to: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = {""}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.places |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.leads_to.append(values["href"])
        if tag == "link" and values.get("rel") not in ("canonical", "next", "prev"):
            self.loads.append(values["href"])
        if "src" in values:
            self.loads.append(values["src"])


@cache
def links(page: str) -> Links:
    return Links((SITE / page).read_text("utf-8"))


def place(page: str, link: str) -> tuple[str, str]:
    """The file of the site that a link on a page leads to, and the place in it."""
    parts = urlsplit(urljoin(f"/{page}", link))
    path = unquote(parts.path).lstrip("/")
    return (f"{path}index.html" if path.endswith("/") or not path else path), unquote(
        parts.fragment
    )


def test_there_are_pages() -> None:
    assert len(PAGES) > 40


@each_page
def test_every_link_leads_somewhere(page: str) -> None:
    for link in links(page).leads_to:
        if urlsplit(link).scheme:
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]+(:\d+)?(/\S*)?", link), link
            continue
        file, fragment = place(page, link)
        assert (SITE / file).is_file(), link
        if file.endswith(".html"):
            assert fragment in links(file).places, link


@each_page
def test_all_that_is_loaded_is_here(page: str) -> None:
    for link in links(page).loads:
        assert not urlsplit(link).netloc, link
        assert (SITE / place(page, link)[0]).is_file(), link


def article(page: str) -> str:
    return (SITE / page).read_text("utf-8").partition("<article")[2].partition("</article>")[0]


@each_page
def test_no_level_of_headings_is_left_out(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", article(page))]
    assert levels[0] == 1
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1 or pair[1] == 1] == []


@each_page
def test_every_picture_says_what_it_shows(page: str) -> None:
    for picture in re.findall(r'<(?:img|div class="diagram")[^>]*>', article(page)):
        assert re.search(r'(?:alt|aria-label)="[^"]+"', picture), picture


@pytest.mark.parametrize("sheet", sorted(SITE.rglob("*.css")), ids=lambda sheet: sheet.name)
def test_style_sheet_loads_nothing_from_elsewhere(sheet: Path) -> None:
    assert re.findall(r"url\(['\"]?(?:https?:)?//", sheet.read_text("utf-8")) == []


# -- in a browser


class Handler(SimpleHTTPRequestHandler):
    """Serves the site, and does not talk about it."""

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "a browser is needed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Page]:
    """A new tab, which wants no error in its console, and no request to anybody else."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda told: wrong.append(told.text) if told.type != "log" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((address, "data:")) else wrong.append(asked.url),
    )
    yield page
    assert wrong == []
    context.close()


@each_page
def test_page_opens(tab: Page, page: str) -> None:
    answer = tab.goto(f"/{page}")
    assert answer is not None
    assert answer.ok
    expect(tab.locator("h1").first).to_be_visible()
    expect(tab.locator(".md-header__title")).to_contain_text("pygen-auth")


@pytest.mark.parametrize(
    "page", ["index.html", "errors/index.html", "reference/pygen_auth/index.html"]
)
def test_page_fits_a_phone(tab: Page, page: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"/{page}")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_first_page_has_what_why_and_the_states_on_one_screen(tab: Page) -> None:
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.goto("/")
    states = tab.locator(".diagram").first.bounding_box()
    assert states is not None
    assert states["y"] + states["height"] <= 900


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("AADSTS7000222", "/errors/"),
        ("invalid_client", "/errors/"),
        ("Token request failed with status 401: invalid_client", "/errors/"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "/errors/"),
        ("Invalid token response from server", "/errors/"),
        ("refresh_margin", "/guide/"),
        ("RedisTokenStore", "/sharing/"),
        ("BearerAuth", "/reference/pygen_auth.auth/"),
        ("oauth2_clock", "/testing/"),
    ],
)
def test_search_finds_the_page_among_the_first(tab: Page, words: str, page: str) -> None:
    tab.goto("/")
    tab.locator("input.md-search__input").click()
    # What is typed before the index is there is not looked for.
    expect(tab.locator(".md-search-result__meta")).to_have_text("Type to start searching")
    tab.keyboard.type(words)
    first = tab.locator(".md-search-result__item:nth-child(-n+3)")
    found = first.locator(f".md-search-result__link[href*='{page}']").first
    expect(found).to_be_visible()
    found.click()
    expect(tab).to_have_url(re.compile(re.escape(page)))


CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const over = (...colours) => {
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => value / 255)
      .map((value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = (element) => element
    ? [...grounds(element.parentElement), getComputedStyle(element).backgroundColor] : ["#fff"];
  const texts = document.querySelectorAll("article :is(h1, h2, p, td, th, a, code, li)");
  return [...texts].filter((one) => one.offsetParent && one.innerText.trim()).map((one) => {
    const behind = grounds(one);
    const [a, b] = [over(...behind), over(...behind, getComputedStyle(one).color)].map(light);
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.innerText.slice(0, 40)];
  });
}
"""
"""Of each text and what is behind it, as WCAG 2 measures it (relative luminance)."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["/", "/quick-start/", "/sharing/", "/reference/pygen_auth/"])
def test_text_can_be_read(browser: Browser, address: str, page: str, scheme: Any) -> None:
    context = browser.new_context(base_url=address, color_scheme=scheme)
    tab = context.new_page()
    tab.goto(page)
    measured = tab.evaluate(CONTRAST)
    context.close()
    assert len(measured) > 20
    assert [text for ratio, text in measured if ratio < 4.5 and text != "¶"] == []


def test_tab_of_a_provider_shows_its_lines(tab: Page) -> None:
    tab.goto("/quick-start/")
    line = tab.get_by_text("my-tenant.eu.auth0.com").first
    expect(line).to_be_hidden()
    tab.locator(".tabbed-labels label", has_text="Auth0").first.click()
    expect(line).to_be_visible()


def test_diagram_takes_the_colours_that_the_reader_chose(tab: Page) -> None:
    tab.emulate_media(color_scheme="light")
    tab.goto("/")
    background = "getComputedStyle(document.querySelector('.diagram svg > rect')).fill"
    assert tab.evaluate(background) == "rgb(255, 255, 255)"
    tab.locator("label[title='Dark']").click()
    assert tab.evaluate(background) == "rgb(22, 27, 34)"
