"""Puts the figures that cells draw into the page as SVG elements, so that they follow its colours
and font.

As ``<img>`` a figure would keep its light background and its own font in a dark page. A figure's
text alternative is the cell's metadata ``mystnb: {image: {alt: "…"}}``; one without is reported,
and fails a build with ``-W``.
"""

from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from companion.explorer.plotting import theme
from companion.sphinx.meta import about

logger = logging.getLogger(__name__)


def element(svg: str, alt: str) -> str:
    """The figure as HTML: an image whose name is `alt`; a wide one scrolls, and takes the focus."""
    inline = theme(svg)
    focus = ' tabindex="0"' if "gf-wide" in inline else ""
    return f'<div class="gf-figure" role="img" aria-label="{escape(alt)}"{focus}>{inline}</div>'


class InlineSVG(SphinxPostTransform):
    """Replaces each image node that holds matplotlib's SVG output of a cell."""

    formats = ("html",)
    default_priority = (
        250  # after myst-nb has chosen among an output's formats (4) and wrapped hidden cells (199)
    )

    def run(self, **_options) -> None:
        for image in list(self.document.findall(nodes.image)):
            svg = self._output(image)
            if svg is None:
                continue
            alt = image.get("alt", "").strip()
            if not alt:
                logger.warning(
                    "this cell draws a figure without a text alternative: say what it shows in the"
                    " cell's metadata, "
                    '"mystnb": {"image": {"alt": "…"}}',
                    location=image,
                    type="inline_svg",
                    subtype="alt",
                )
            image.replace_self(nodes.raw("", element(svg, alt), format="html"))

    def _output(self, image: nodes.image) -> str | None:
        """The SVG text of a cell's output, or None for any other image, such as a file beside the
        page.
        """
        path = Path(self.app.srcdir) / image["uri"].lstrip("/")
        if (
            path.suffix != ".svg"
            or not path.is_file()
            or "jupyter_execute" not in path.resolve().parts
        ):
            return None
        text = path.read_text(encoding="utf-8")
        return text if "matplotlib.org" in text else None


def setup(app: Sphinx) -> dict:
    app.add_post_transform(InlineSVG)
    return about()
