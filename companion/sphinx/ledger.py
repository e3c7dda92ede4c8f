"""Sphinx extension: the ledger of every numbered statement, written from the claims the chapters display.

``{ledger}`` is the table, ``{ledger-summary}`` a sentence with its counts, and ``ledger.json`` stands beside
the pages. No figure is typed by hand.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from companion.sphinx import ledger_page as page
from companion.sphinx import ledger_rows as rows
from companion.sphinx import settings
from companion.sphinx.meta import HERE, about, static_file

logger = logging.getLogger(__name__)
STYLE = HERE / "static" / "ledger.css"


class ledger_table(nodes.General, nodes.Element):
    """Placeholder: the claims are known when every chapter has been read."""


class ledger_summary(nodes.General, nodes.Element):
    """Placeholder for the sentence with the counts."""


class LedgerDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [ledger_table()]


class SummaryDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [ledger_summary()]


def executed_claims(env: BuildEnvironment, folder: Path) -> list[rows.Claim]:
    """Claims of every chapter, from the notebooks myst-nb wrote when it read them.

    All of them each time: a chapter that did not change is not read again, but its notebook is still there.
    """
    claims = []
    for docname in sorted(env.found_docs):
        path = folder / f"{docname}.ipynb"
        if path.exists() and str(env.doc2path(docname)).endswith(".ipynb"):
            claims += rows.claims_of(json.loads(path.read_text(encoding="utf8")), docname)
    return claims


def collect(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """After reading: gather the ledger, and have the pages that show it written again."""
    statements = settings.read_statements(app)
    claims = executed_claims(env, Path(app.outdir).parent / "jupyter_execute")
    try:
        ledger = rows.by_statement(statements, claims)
    except KeyError as error:
        raise ExtensionError(error.args[0]) from None
    for complaint in rows.complaints(statements, ledger):
        logger.warning(complaint, type="companion", subtype="ledger")
    env.companion_ledger = (statements, ledger)
    shown = []
    for docname in sorted(env.found_docs):
        doctree = env.get_doctree(docname)
        if any(
            True for _ in doctree.findall(lambda n: isinstance(n, (ledger_table, ledger_summary)))
        ):
            # The titles bring formulas after Sphinx has looked for them: load MathJax here too.
            env.get_domain("math").data["has_equations"][docname] = True
            shown.append(docname)
    return shown


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the ledger where its placeholders stand."""
    if not hasattr(app.env, "companion_ledger"):
        return
    statements, ledger = app.env.companion_ledger
    papers, spelling = settings.papers(app.config), settings.spelling(app.config)

    def link(claim: rows.Claim) -> nodes.Node:
        uri = f"{app.builder.get_relative_uri(docname, claim.chapter)}#{claim.anchor}"
        label = (
            app.env.titles[claim.chapter].astext()
            if claim.chapter in app.env.titles
            else claim.chapter
        )
        return nodes.reference("", label, internal=True, refuri=uri)

    for node in list(doctree.findall(ledger_summary)):
        node.replace_self(nodes.paragraph("", page.summary(statements, ledger, len(papers))))
    for node in list(doctree.findall(ledger_table)):
        node.replace_self(
            [
                page.paper_table(
                    name,
                    [s for s in statements.values() if s.paper == paper],
                    ledger,
                    spelling,
                    link,
                )
                for paper, name in papers.items()
            ]
        )


def write_json(app: Sphinx, exception: Exception | None) -> None:
    """``ledger.json`` beside the pages, for tools."""
    if exception is None and app.builder.format == "html" and hasattr(app.env, "companion_ledger"):
        records = rows.as_records(*app.env.companion_ledger)
        path = Path(app.outdir) / "ledger.json"
        path.write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf8")


def setup(app: Sphinx) -> dict:
    app.setup_extension("companion.sphinx.tag")
    app.setup_extension("companion.sphinx.claims")
    settings.declare(app)
    app.add_node(ledger_table)
    app.add_node(ledger_summary)
    app.add_directive("ledger", LedgerDirective)
    app.add_directive("ledger-summary", SummaryDirective)
    app.connect("env-updated", collect)
    app.connect("doctree-resolved", resolve)
    app.connect("build-finished", write_json)
    static_file(app, STYLE)
    app.add_css_file(STYLE.name)
    return about()
