"""Every page of the built book, light and dark, wide and narrow: whole, quiet, accessible, in bounds."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.support import SCREENSHOTS, THEMES, WIDTHS, documents

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("document", documents())
def test_page(document, theme, width, visit, address):
    watch = visit(f"{address}/{document}.html", theme, width)
    page = watch.page
    assert page.evaluate("document.documentElement.dataset.theme") == theme

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = f"{document.replace('/', '-')}-{theme}-{width}.png"
    page.screenshot(path=SCREENSHOTS / name, full_page=True)

    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"the page scrolls sideways: {wide} px at {width}, pushed by {culprits(page)}"

    # Without preload: axe would fetch the style sheets once more, and their imports from wrong places.
    options = {"resultTypes": ["violations"], "preload": False}
    violations = Axe().run(page, "article", options).response["violations"]
    grave = [
        f"{violation['id']}: {node['html'][:160]}\n  {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert not grave, "\n".join(grave)
    watch.check()


def culprits(page) -> list[str]:
    """The elements that reach past the right edge, outermost first, for the message."""
    return page.evaluate(
        """() => [...document.querySelectorAll("article *")]
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
            .slice(0, 5)
            .map((element) => element.outerHTML.slice(0, 120))"""
    )
