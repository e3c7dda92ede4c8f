"""What the browser tests share: the book's pages, and a watch over what a page asks for and says."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from playwright.sync_api import Page

from companion.notebook import toc

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
SCREENSHOTS = ROOT / "_build" / "screenshots"

THEMES = ("light", "dark")
WIDTHS = (1280, 360)  # a laptop, and the narrowest phone

# In a container Chromium has no sandbox of its own and no GPU; the others silence its own traffic.
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The network is off: no name and no address but this machine's leads anywhere. (Playwright's `route` would do it
    # too, and switch the cache off: every page would load and compile MathJax anew.)
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

# Console errors that are not ours, each with its reason. Empty: every error so far had a cause.
TOLERATED: tuple[str, ...] = ()


def documents() -> list[str]:
    """Every document of the table of contents, in reading order, without its suffix."""
    return list(toc.documents(yaml.safe_load((ROOT / "_toc.yml").read_text())))


def source(document: str) -> Path | None:
    """The notebook of a chapter, None for a page of prose."""
    path = ROOT / "book" / f"{document}.ipynb"
    return path if path.is_file() else None


def chapters() -> list[str]:
    """The documents that are notebooks."""
    return [document for document in documents() if source(document)]


@dataclass
class Watch:
    """Records what a page asks for elsewhere, what fails, and what it complains of."""

    page: Page
    elsewhere: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self._response)
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))

    def forget(self) -> None:
        """Before the next visit."""
        for record in (self.elsewhere, self.failed, self.errors):
            record.clear()

    def _request(self, request) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https") and url.hostname != "127.0.0.1":
            self.elsewhere.append(request.url)

    def _console(self, message) -> None:
        if message.type == "error" and not any(text in message.text for text in TOLERATED):
            self.errors.append(message.text)

    def _response(self, response) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")

    def check(self) -> None:
        assert not self.elsewhere, f"the page asked other hosts: {self.elsewhere}"
        assert not self.failed, f"the page asked for what is not there: {self.failed}"
        assert not self.errors, f"the page complained: {self.errors}"
