"""Mends two things in the pages that the theme and docutils write, which keep some readers out.

- A table wider than the screen scrolls, but only takes the focus, and so the arrow keys, with a tabindex.
- docutils' bibliography promises assistive technology a list whose entries it then does not mark as items.
"""

import re

from sphinx.application import Sphinx

from companion.sphinx.meta import about

TABLE = '<div class="pst-scrollable-table-container"'
BIBLIOGRAPHY = re.compile(r'<div role="list" class="citation-list">')
ENTRY = re.compile(r'(<div class="citation" id="[^"]*") role="doc-biblioentry"')


def mended(body: str) -> str:
    """The page's body with focusable tables and a bibliography without false promises."""
    body = body.replace(TABLE, f'{TABLE} tabindex="0"')
    body = BIBLIOGRAPHY.sub('<div class="citation-list">', body)
    return ENTRY.sub(r"\1", body)


def mend(_app: Sphinx, _page: str, _template: str, context: dict, _doctree) -> None:
    if "body" in context:
        context["body"] = mended(context["body"])


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", mend)
    return about()
