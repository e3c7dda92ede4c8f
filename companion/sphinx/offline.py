"""Sphinx extension: the finished pages ask for nothing that is not there, over http and from file:// alike.

- The theme preloads its icon fonts with ``crossorigin``, which a browser refuses under file:// (three errors a
  page) and which buys nothing here: the stylesheet loads the same fonts a moment later.
- sphinx-mathjax-offline copies all of MathJax, 24 MB. The pages load one component, its fonts, and what the
  context menu offers to switch on (assistive MathML, the explorer): the other bundles go.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

from companion.sphinx.meta import about

PRELOAD = re.compile(r'\s*<link rel="preload" as="font"[^>]*>')

# Whole alternatives to tex-chtml.js, and parts of them for node and for other inputs and outputs.
UNUSED = (
    "mml-*.js",
    "tex-chtml-full*.js",
    "tex-mml-*.js",
    "tex-svg*.js",
    "latest.js",
    "node-main.js",
    "adaptors",
    "input/asciimath.js",
    "input/mml",
    "input/mml.js",
    "input/tex-base.js",
    "input/tex-full.js",
    "input/tex.js",
    "output/svg",
    "output/svg.js",
    "output/chtml.js",
)


def trim_mathjax(folder: Path) -> None:
    """Delete what ``tex-chtml.js`` never loads from a copy of MathJax."""
    for pattern in UNUSED:
        for path in sorted(folder.glob(pattern), reverse=True):
            for file in [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]:
                file.unlink()


def without_preloads(page: str) -> str:
    """A page without its font preloads."""
    return PRELOAD.sub("", page)


def finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    trim_mathjax(out / "_static" / "mathjax")
    for path in out.rglob("*.html"):
        page = path.read_text(encoding="utf8")
        if page != (finished := without_preloads(page)):
            path.write_text(finished, encoding="utf8")


def setup(app: Sphinx) -> dict:
    # After sphinx-mathjax-offline's own step, which has the default priority of 500.
    app.connect("build-finished", finish, priority=900)
    return about()
