"""Sphinx extension: each claim that a chapter shows has a place on its page, to which the ledger links.

myst-nb renders every format of an output when it reads a notebook and chooses among them when it writes a page. The
bundle of claims is rendered as the claims' places, empty elements with an id each, which are put before whatever format is
chosen: a page shows the text of the claims. A link to a place arrives there though the page grows meanwhile (`arrive.js`).
"""

from collections import Counter

from docutils import nodes
from myst_nb.core.render import load_mime_renders
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from companion.claims import MIME
from companion.sphinx.ledger_rows import anchors
from companion.sphinx.meta import HERE, about, static_file
from companion.sphinx.tag import tag

ARRIVE = HERE / "static" / "arrive.js"
SEEN = "companion_claims"  # how often this page has claimed each id so far; Sphinx forgets it after each page


class Places:
    """A renderer for myst-nb: of a bundle of claims, the claims' places."""

    mime_priority_overrides = ()

    @staticmethod
    def handle_mime(renderer, data, inline: bool) -> list[nodes.Node] | None:
        if data.mime_type != MIME:
            return None
        seen = renderer.renderer.sphinx_env.temp_data.setdefault(SEEN, Counter())
        return [
            tag("span", {"class": "claim-place", "id": name})
            for name in anchors(data.content, seen)
        ]


class PutPlacesFirst(SphinxPostTransform):
    """Moves the places out of the formats among which one is chosen, to just before it."""

    default_priority = 3  # before myst-nb chooses (4)

    def run(self, **_options) -> None:
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            for places in [child for child in bundle.children if child.get("mime_type") == MIME]:
                bundle.remove(places)
                at = bundle.parent.index(bundle)
                bundle.parent[at:at] = places.children


def setup(app: Sphinx) -> dict:
    app.setup_extension("companion.sphinx.tag")
    # myst-nb finds renderers as entry points of installed packages; the list it keeps of them is enough for us.
    if Places not in load_mime_renders():
        load_mime_renders().append(Places)
    app.add_post_transform(PutPlacesFirst)
    static_file(app, ARRIVE)
    app.add_js_file(ARRIVE.name)
    return about()
