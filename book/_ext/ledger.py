"""Sphinx extension: the ledger of every numbered statement, written from the claims the chapters display.

``{ledger}`` is the table, ``{ledger-summary}`` a sentence with its counts, and ``ledger.json`` stands beside
the pages. ``{versions}`` lists the packages the book was computed with. No figure is typed by hand.
"""

import importlib.util
import json
import platform
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import load_mime_renders
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

import ledger_rows as rows
import ledger_text as text
from tag import tag

# What a result depends on, and what the pages are made with.
PACKAGES = (
    "geoflow",
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "diffrax",
    "equinox",
    "lineax",
    "jaxtyping",
    "scikit-learn",
    "matplotlib",
    "ipywidgets",
    "anywidget",
    "jupyter-book",
    "myst-nb",
    "sphinx",
    "sphinx-book-theme",
    "sphinx-proof",
    "sphinx-exercise",
)


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


class VersionsDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        installed = [("Python", platform.python_version())]
        installed += [(name, version(name)) for name in PACKAGES]
        head = tag("tr", {}, *[tag("th", {"scope": "col"}, nodes.Text(t)) for t in ("Package", "Version")])
        body = [
            tag("tr", {}, tag("th", {"scope": "row"}, nodes.Text(name)), tag("td", {}, nodes.Text(number)))
            for name, number in installed
        ]
        caption = tag("caption", {}, nodes.Text("The versions this book was computed with"))
        return [tag("table", {"class": "table versions"}, caption, tag("thead", {}, head), tag("tbody", {}, *body))]


# --- from the executed notebooks -------------------------------------------------------------------------


def statements_path() -> Path:
    """geoflow/statements.tsv, found without importing geoflow (which would start JAX)."""
    spec = importlib.util.find_spec("geoflow")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("geoflow is not installed: `make book` installs it (pip install -e .)")
    return Path(next(iter(spec.submodule_search_locations))) / "statements.tsv"


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
    statements = rows.read_statements(statements_path())
    claims = executed_claims(env, Path(app.outdir).parent / "jupyter_execute")
    env.geoflow_ledger = (statements, rows.by_statement(statements, claims))
    shown = []
    for docname in sorted(env.found_docs):
        doctree = env.get_doctree(docname)
        if any(True for _ in doctree.findall(lambda n: isinstance(n, (ledger_table, ledger_summary)))):
            # The titles bring formulas after Sphinx has looked for them: load MathJax here too.
            env.get_domain("math").data["has_equations"][docname] = True
            shown.append(docname)
    return shown


# --- into the pages --------------------------------------------------------------------------------------


def pieces(parts: list[text.Piece]) -> list[nodes.Node]:
    make = {
        "text": nodes.Text,
        "math": lambda t: nodes.math(t, t),
        "sup": lambda t: nodes.superscript(t, t),
        "sub": lambda t: nodes.subscript(t, t),
    }
    return [make[kind](content) for kind, content in parts]


def cell(label: str, *children: nodes.Node) -> tag:
    """A cell that carries its column's name, shown when the table is laid out as cards."""
    return tag("td", {"role": "cell", "data-label": label}, *children)


def claim_row(claim: rows.Claim, link: nodes.Node) -> list[tag]:
    """The cells of one claim: what is claimed and where, predicted, measured, tolerance."""
    where = tag("div", {"class": "ledger-where"}, nodes.Text("in "), link)
    caveat = [tag("div", {"class": "ledger-caveat"}, *pieces(text.claim(claim.caveat)))] if claim.caveat else []
    over = [tag("div", {"class": "ledger-over"}, *pieces(text.claim(f"over {claim.over}")))] if claim.over else []
    return [
        cell("claim", *pieces(text.claim(claim.text)), *caveat, where),
        cell("predicted", *pieces(text.claim(claim.predicted))),
        cell("measured", *pieces(text.claim(text.figure(claim.raw, claim.measured))), *over),
        cell("tolerance", nodes.Text(text.tolerance(claim.tolerance, claim.kind))),
    ]


def statement_rows(statement: rows.Statement, claims: list[rows.Claim], link) -> tag:
    """One statement: its header cell, and a row for each of its claims."""
    state = rows.status(claims)
    header = tag(
        "th",
        {"scope": "rowgroup", "role": "rowheader", "id": f"ledger-{statement.id}"}
        | ({"rowspan": str(len(claims))} if len(claims) > 1 else {}),
        nodes.strong("", text.number(statement.number)),
        tag("div", {"class": "ledger-title"}, *pieces(text.title(statement.title))),
        tag("span", {"class": f"ledger-status ledger-{state}"}, nodes.Text(state)),
        tag("code", {"class": "ledger-id"}, nodes.Text(statement.id)),
    )
    if not claims:
        empty = tag("td", {"role": "cell", "colspan": "4"}, nodes.Text("No chapter reproduces it yet."))
        lines = [[header, empty]]
    else:
        lines = [claim_row(claim, link(claim.chapter)) for claim in claims]
        lines[0].insert(0, header)
    return tag("tbody", {"role": "rowgroup"}, *[tag("tr", {"role": "row"}, *line) for line in lines])


def paper_table(name: str, statements: list[rows.Statement], ledger: dict, link) -> tag:
    columns = ("statement", "claim", "predicted", "measured", "tolerance")
    head = [tag("th", {"scope": "col", "role": "columnheader"}, nodes.Text(c)) for c in columns]
    # Roles are spelt out because a table laid out as cards (display: block) loses the ones it has by nature.
    return tag(
        "table",
        {"class": "ledger", "role": "table"},
        tag("caption", {}, nodes.Text(name)),
        tag("thead", {"role": "rowgroup"}, tag("tr", {"role": "row"}, *head)),
        *[statement_rows(s, ledger[s.id], link) for s in statements],
    )


def summary(ledger: dict) -> str:
    """The counts as a sentence."""
    totals = rows.counts(ledger)
    claims = sum(len(c) for c in ledger.values())
    chapters = len({claim.chapter for c in ledger.values() for claim in c})
    done = totals["reproduced"] + totals["corrected"]
    return (
        f"Of the {len(ledger)} numbered statements of the four papers, {done} are reproduced here, "
        f"{totals['corrected']} of them in a corrected form, by {claims} claims measured in {chapters} "
        f"chapter{'s' * (chapters != 1)}; {totals['open']} are still open."
    )


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the ledger where its placeholders stand."""
    if not hasattr(app.env, "geoflow_ledger"):
        return
    statements, ledger = app.env.geoflow_ledger

    def link(chapter: str) -> nodes.Node:
        uri = app.builder.get_relative_uri(docname, chapter)
        label = app.env.titles[chapter].astext() if chapter in app.env.titles else chapter
        return nodes.reference("", label, internal=True, refuri=uri)

    for node in list(doctree.findall(ledger_summary)):
        node.replace_self(nodes.paragraph("", summary(ledger)))
    for node in list(doctree.findall(ledger_table)):
        node.replace_self(
            [
                paper_table(name, [s for s in statements.values() if s.paper == paper], ledger, link)
                for paper, (name, _) in rows.PAPERS.items()
            ]
        )


def write_json(app: Sphinx, exception: Exception | None) -> None:
    """``ledger.json`` beside the pages, for tools."""
    if exception is None and app.builder.format == "html" and hasattr(app.env, "geoflow_ledger"):
        records = rows.as_records(*app.env.geoflow_ledger)
        path = Path(app.outdir) / "ledger.json"
        path.write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf8")


class Unseen:
    """A renderer for myst-nb: a page shows the text of the claims, their bundle is for the ledger."""

    mime_priority_overrides = ()

    @staticmethod
    def handle_mime(renderer, data, inline: bool) -> list[nodes.Node] | None:
        return [] if data.mime_type == rows.MIME else None


def setup(app: Sphinx) -> dict:
    app.setup_extension("tag")
    # myst-nb finds renderers as entry points of installed packages; the list it keeps of them is enough for us.
    if Unseen not in load_mime_renders():
        load_mime_renders().append(Unseen)
    app.add_node(ledger_table)
    app.add_node(ledger_summary)
    app.add_directive("ledger", LedgerDirective)
    app.add_directive("ledger-summary", SummaryDirective)
    app.add_directive("versions", VersionsDirective)
    app.connect("env-updated", collect)
    app.connect("doctree-resolved", resolve)
    app.connect("build-finished", write_json)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
