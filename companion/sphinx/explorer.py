"""Sphinx extension: the explorers of a page work without a kernel.

A page carries its explorers as the state of their widgets, and a script of ours, ``host.js``, shows them. The state was
stored when the chapter was executed; its frames are the chapter's, but how they are shown is not, so each page gets the
view as the package has it now, and a change to the style sheet executes nothing.
"""

import json

from myst_nb.core.render import sanitize_script_content
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx

from companion.explorer.explorer import Explorer, view
from companion.sphinx.meta import EXPLORER, about, static_file

HOST = EXPLORER / "host.js"
MODEL = f"{Explorer.__module__}.{Explorer.__qualname__}"  # as anywidget names it in the state
STATE = "ipywidgets_state"  # as myst-nb names the script


def with_present_view(state: str) -> str:
    """The JSON text of a page's widget states with the explorers' view of today."""
    parsed = json.loads(state)
    for model in parsed["state"].values():
        if model["state"].get("_anywidget_id") == MODEL:
            model["state"]["_esm"], model["state"]["_css"] = view()
    return sanitize_script_content(json.dumps(parsed))


def renew(app: Sphinx, page: str, _template: str, _context: dict, _doctree) -> None:
    scripts = NbMetadataCollector.get_js_files(app.env, page)
    if STATE in scripts:
        address, attributes = scripts[STATE]
        scripts[STATE] = (address, attributes | {"body": with_present_view(attributes["body"])})


def setup(app: Sphinx) -> dict:
    # before myst-nb puts the scripts into the page (500)
    app.connect("html-page-context", renew, priority=400)
    static_file(app, HOST)
    app.add_js_file(HOST.name, loading_method="defer")
    return about()
