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

        def do_GET(self):
            if self.path == "/favicon.ico":  # Chromium's own wish, not the page's
                self.send_response(http.HTTPStatus.NO_CONTENT)
                self.end_headers()
            else:
                super().do_GET()

    handler = functools.partial(Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def watches(browser):
    """One watched page per theme and width, kept: after the first visit, scripts and style sheets are at hand."""

    @functools.cache
    def watch(theme: str, width: int) -> Watch:
        context = browser.new_context(color_scheme=theme, has_touch=width < 500)
        return Watch(context.new_page())

    return watch


@pytest.fixture
def visit(watches):
    """Opens an address at a theme and a width, watched from there on."""
    pages = []

    def opened(url: str, theme: str = "light", width: int = 1280) -> Watch:
        watch = watches(theme, width)
        watch.forget()
        pages.append(watch.page)
        watch.page.set_viewport_size({"width": width, "height": 900})
        watch.page.goto(url, wait_until="load")
        watch.page.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise")
        views = 'script[type="application/vnd.jupyter.widget-view+json"]'
        watch.page.wait_for_function(
            "views => document.querySelectorAll('.gf-explorer').length === document.querySelectorAll(views).length",
            arg=views,
        )
        return watch

    yield opened
    for page in pages:
        # films stop, and what is still asked for fails now, not in the next visit
        page.goto("about:blank")
