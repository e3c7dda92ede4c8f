"""Every page of the built book, light and dark, wide and narrow: whole, quiet, accessible, in bounds, and in the reader's hand.

One visit a page, a theme and a width, in which all of it is looked at: opening a page is most of the time.
"""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.explorers import (
    Shown,
    by_keyboard,
    by_pointer,
    check_every_control,
    check_films,
    check_focus,
)
from tests.browser.support import SCREENSHOTS, THEMES, WIDTHS, chapters, documents

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("document", documents())
def test_page(document, theme, width, visit, address):
    watch = visit(f"{address}/{document}.html", theme, width)
    page = watch.page
    assert page.evaluate("document.documentElement.dataset.theme") == theme

    if "SCREENSHOTS" in os.environ:  # for us to look at
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        name = f"{document.replace('/', '-')}-{theme}-{width}.jpg"
        page.screenshot(path=SCREENSHOTS / name, full_page=True, type="jpeg", quality=80)

    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, (
        f"the page scrolls sideways: {wide} px at {width}, pushed by {culprits(page)}"
    )

    # axe is most of the time, so it sees two of the four: each theme, for the colours, and each width, for the layout.
    # What it saw in one width is all there is to see in the other, and in the same colours.
    if THEMES.index(theme) == WIDTHS.index(width):
        one_span_per_look(page)
        grave = violations(page)
        assert not grave, "\n".join(grave)
        (other,) = (each for each in WIDTHS if each != width)
        changed = only_at(other, page)
        assert not changed, f"axe looked at {width} px; {other} px shows something else: {changed}"
        page.set_viewport_size({"width": width, "height": 900})

    if document in chapters():
        # Every theme meets every width, every theme every way and every width every way: an orthogonal array.
        check_every_control(
            page, (by_keyboard, by_pointer)[(THEMES.index(theme) + WIDTHS.index(width)) % 2]
        )
        if (theme, width) == (THEMES[0], WIDTHS[0]):
            check_focus(page)
            check_films(page)
    watch.check()


@pytest.mark.parametrize("chapter", chapters())
def test_works_from_a_file(chapter, visit, built):
    watch = visit((built / f"{chapter}.html").as_uri())
    for root in watch.page.locator(".gf-explorer").all():
        by_keyboard(Shown(root), root.locator(".gf-control").first)
    watch.check()


def violations(page) -> list[str]:
    """What axe calls serious or critical."""
    # Without preload: axe would fetch the style sheets once more, and their imports from wrong places.
    options = {"resultTypes": ["violations"], "preload": False}
    return [
        f"{violation['id']}: {node['html'][:160]}\n  {node['failureSummary']}"
        for violation in Axe().run(page, "article", options).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def one_span_per_look(page) -> None:
    """In a block of code the first word of each look stays a span, for axe to measure: thousands of others look alike."""
    page.evaluate(
        """() => {
            const looks = new WeakMap(); // of each line or block
            const again = [...document.querySelectorAll("article pre span:not(:has(*))")].filter((span) => {
                const { color, backgroundColor, opacity, fontSize, fontWeight } = getComputedStyle(span);
                const look = [color, backgroundColor, opacity, fontSize, fontWeight].join(" ");
                const seen = looks.get(span.parentElement) ?? new Set();
                looks.set(span.parentElement, seen);
                return seen.has(look) || !seen.add(look);
            });
            again.forEach((span) => span.replaceWith(span.textContent));
        }"""
    )


def only_at(width: int, page) -> list[str]:
    """Elements that the page shows at this width, and not or in other colours or letters at the one it has."""

    def shown() -> list[str]:
        return page.evaluate(
            """() => [...document.querySelectorAll("article, article *")].map((element) => {
                if (!element.checkVisibility({ visibilityProperty: true })) return "";
                const { color, backgroundColor, backgroundImage, opacity, fontSize, fontWeight } = getComputedStyle(element);
                // From 24 px on, letters are large to WCAG, and how large does not matter: titles shrink on a phone.
                const size = parseFloat(fontSize) < 24 ? fontSize : "large";
                return [element.tagName, color, backgroundColor, backgroundImage, opacity, size, fontWeight].join(" ");
            })"""
        )

    here = shown()
    page.set_viewport_size({"width": width, "height": 900})
    there = shown()
    return [f"{b}, not {a or 'shown'}" for a, b in zip(here, there, strict=True) if b and a != b][
        :5
    ]


def culprits(page) -> list[str]:
    """The elements that reach past the right edge, outermost first, for the message."""
    return page.evaluate(
        """() => [...document.querySelectorAll("article *")]
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
            .slice(0, 5)
            .map((element) => element.outerHTML.slice(0, 120))"""
    )


def test_the_watch_sees_what_it_watches_for(visit, address):
    watch = visit(f"{address}/index.html")
    load = "src => new Promise((done) => Object.assign(new Image(), { onerror: done, src }))"
    for url in (
        "http://example.org/a.png",
        "http://203.0.113.1/a.png",
    ):  # a name, and an address without one
        with watch.page.expect_event("requestfailed") as failed:
            watch.page.evaluate(load, url)
        assert failed.value.failure == "net::ERR_NAME_NOT_RESOLVED", "it was let through"
        assert watch.elsewhere.pop() == watch.failed.pop() == url
    watch.page.evaluate(load, f"{address}/a.png")
    assert watch.failed == [f"404 {address}/a.png"]
    with watch.page.expect_event("pageerror"):
        watch.page.evaluate(
            "console.error('complained'); setTimeout(() => { throw new Error('thrown') })"
        )
    assert {"complained", "thrown"} <= set(watch.errors)
