"""companion.sphinx: Sphinx extensions, each listed by itself in a book's configuration.

- `companion.sphinx.ledger`: the ledger of every numbered statement, and the places of the claims on the pages.
- `companion.sphinx.versions`: the packages a book was computed with.
- `companion.sphinx.explorer`: explorers on pages without a kernel.
- `companion.sphinx.inline_svg`: figures that follow the page's colours and font.
- `companion.sphinx.accessible`: tables and bibliographies that keep no reader out.
- `companion.sphinx.offline`: pages that ask for nothing that is not there.

What is particular to a book stands in its configuration: see `companion.sphinx.settings`.
"""
