"""A real Chromium on the built book, served from this machine."""

import functools
import http.server
import shutil
import threading

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.support import CHROMIUM, HTML, Watch


@pytest.fixture(scope="session")
def built():
    """The folder of the built book."""
    if not (HTML / "index.html").is_file():
        pytest.fail(f"There is no built book in {HTML}: run `make book` first.", pytrace=False)
    return HTML


@pytest.fixture(scope="session")
def browser() -> Browser:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(
            "The browser tests need Chromium and found none on PATH: `apt-get install chromium`, "
            "or let `make test` do it.",
            pytrace=False,
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def address(built) -> str:
    """The address of the built book on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_arguments):
            pass

    handler = functools.partial(Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(browser):
    """Opens an address at a theme and a width; every page it opened is watched and closed."""
    contexts = []

    def opened(url: str, theme: str = "light", width: int = 1280) -> Watch:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, has_touch=width < 500
        )
        contexts.append(context)
        watch = Watch(context.new_page())
        watch.page.goto(url, wait_until="load")
        watch.page.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise")
        views = 'script[type="application/vnd.jupyter.widget-view+json"]'
        watch.page.wait_for_function(
            "views => document.querySelectorAll('.gf-explorer').length === document.querySelectorAll(views).length",
            arg=views,
        )
        return watch

    yield opened
    for context in contexts:
        context.close()
