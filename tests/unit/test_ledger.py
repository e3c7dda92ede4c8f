"""The ledger: its rows as pure functions, and a two-page Sphinx project built with it."""

import json
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

import ledger_rows as rows
import ledger_text as text
import offline

HERE = Path(__file__).resolve().parent
STATEMENTS = HERE.parent.parent / "geoflow" / "statements.tsv"


def entry(id_="GM-T2.1a", **changes):
    """One claim as a chapter displays it."""
    return {
        "id": id_,
        "kind": "identity",
        "statement": "x(s) − y = e^{−s/N}(x_0 − y)",
        "predicted": "0",
        "measured": "≤ 1e-08",
        "tolerance": 1e-8,
        "holds": True,
        "over": "24 orbits",
        "caveat": "",
    } | changes


def notebook(*entries, raw=None):
    metadata = {} if raw is None else {"geoflow": {"measured": raw}}
    output = {"output_type": "display_data", "data": {rows.MIME: list(entries)}, "metadata": metadata}
    return {"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": [output]}]}


def ledger_of(*entries):
    statements = rows.read_statements(STATEMENTS)
    return rows.by_statement(statements, rows.claims_of(notebook(*entries), "flows/a"))


# --- rows -------------------------------------------------------------------------------------------------


def test_every_statement_of_the_file_is_read_in_order():
    statements = rows.read_statements(STATEMENTS)
    lines = STATEMENTS.read_text(encoding="utf8").splitlines()
    assert list(statements) == [line.split("\t")[0] for line in lines]
    assert {statement.paper for statement in statements.values()} == set(rows.PAPERS)


@pytest.mark.parametrize(
    ("content", "told"),
    [("GM-1\tTheorem 1\n", "expected id"), ("XY-1\t1\tt\n", "none of"), ("GM-1\t1\tt\nGM-1\t1\tt\n", "twice")],
)
def test_a_malformed_statement_is_refused(tmp_path, content, told):
    path = tmp_path / "statements.tsv"
    path.write_text(content)
    with pytest.raises(ValueError, match=told):
        rows.read_statements(path)


def test_raw_figures_are_aligned_with_the_claims():
    claims = rows.claims_of(notebook(entry(), entry("GM-T2.3"), raw=[2.5e-11]), "flows/a")
    assert [(c.id, c.raw, c.chapter) for c in claims] == [
        ("GM-T2.1a", 2.5e-11, "flows/a"),
        ("GM-T2.3", None, "flows/a"),
    ]


def test_outputs_of_another_kind_are_passed_over():
    other = {"cells": [{"cell_type": "code", "outputs": [{"output_type": "stream", "text": "hello"}]}]}
    assert rows.claims_of(other, "flows/a") == []


def test_a_claim_about_no_statement_is_refused():
    with pytest.raises(KeyError, match="GM-T9"):
        ledger_of(entry("GM-T9"))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], "open"),
        ([entry(caveat="over bounded times only")], "reproduced"),
        ([entry(), entry(caveat="Corrected: the rank must be locally constant")], "corrected"),
        ([entry(), entry(holds=False)], "failed"),
    ],
)
def test_status(entries, expected):
    ledger = ledger_of(*entries)
    assert rows.status(ledger["GM-T2.1a"]) == expected
    assert rows.counts(ledger)[expected] == (len(ledger) if expected == "open" else 1)
    assert sum(rows.counts(ledger).values()) == len(ledger)


def test_records_hold_every_claim_and_every_open_statement():
    statements = rows.read_statements(STATEMENTS)
    claims = rows.claims_of(notebook(entry(), entry(), entry("GM-T2.3"), raw=[1e-11, 2e-11, None]), "flows/a")
    records = rows.as_records(statements, rows.by_statement(statements, claims))
    assert [r["measured"] for r in records if r["id"] == "GM-T2.1a"] == [1e-11, 2e-11]
    assert [r["measured"] for r in records if r["id"] == "GM-T2.3"] == ["≤ 1e-08"]
    assert len(records) == len(statements) + 1
    still_open = next(r for r in records if r["id"] == "CM-1")
    assert still_open["holds"] is None
    assert still_open["chapter"] is None
    assert still_open["status"] == "open"
    assert len({frozenset(r) for r in records}) == 1, "every record has the same keys"


# --- text -------------------------------------------------------------------------------------------------


def test_titles_are_typeset():
    assert text.title("full rank needs K >= QN") == [("text", "full rank needs "), ("math", r"K \ge QN")]
    assert text.title("Lojasiewicz") == [("text", "Łojasiewicz")]
    assert text.number("section 4.1.1, (4.1)-(4.4)") == "Section 4.1.1, (4.1)–(4.4)"


def test_no_title_keeps_a_formula_in_plain_text():
    for statement in rows.read_statements(STATEMENTS).values():
        plain = "".join(content for kind, content in text.title(statement.title) if kind == "text")
        assert not any(sign in plain for sign in (">=", "^", "theta", "lambda", "=")), statement


def test_scripts_in_claims_are_raised():
    assert text.claim("e^{−s/N}x_0") == [("text", "e"), ("sup", "−s/N"), ("text", "x"), ("sub", "0")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "≤ 1"),
        (True, "≤ 1"),
        (6, "6"),
        (-2.0, "−2"),
        (2.345e-11, "2.35·10⁻¹¹"),
        (0.9999, "0.9999"),
        (0.05, "0.05"),
    ],
)
def test_figures(value, shown):
    assert text.figure(value, "≤ 1") == shown


@pytest.mark.parametrize(
    ("value", "kind", "shown"), [(1e-8, "identity", "1·10⁻⁸"), (None, "count", "exact"), (None, "inequality", "–")]
)
def test_tolerances(value, kind, shown):
    assert text.tolerance(value, kind) == shown


# --- pages ------------------------------------------------------------------------------------------------

CHAPTER = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}},
}


def write_chapter(folder, *entries, raw=None):
    output = notebook(*entries, raw=raw)["cells"][1]["outputs"][0]
    output["data"]["text/plain"] = "claims"
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A chapter"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "source": "claims()",
            "execution_count": 1,
            "outputs": [output],
        },
    ]
    (folder / "chapter.ipynb").write_text(json.dumps(CHAPTER | {"cells": cells}))


def build(source, out):
    """Sphinx on a folder whose notebooks are rendered as stored. Returns the records of ledger.json."""
    configuration = {
        "extensions": ["myst_nb", "ledger"],
        "nb_execution_mode": "off",
        "myst_enable_extensions": ["dollarmath"],
    }
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            source, None, out / "html", out / ".doctrees", "html", configuration, status=None, warningiserror=True
        )
        app.build()
    assert app.statuscode == 0
    return json.loads((out / "html" / "ledger.json").read_text())


@pytest.fixture
def project(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "index.md").write_text("# Index\n```{toctree}\nchapter\nledger\n```\n```{ledger-summary}\n```\n")
    (source / "ledger.md").write_text("# Ledger\n```{ledger}\n```\n```{versions}\n```\n")
    return source, tmp_path / "build"


def test_the_ledger_page_shows_what_the_chapters_claim(project):
    source, out = project
    write_chapter(source, entry(caveat="for smooth activations"), raw=[2.345e-11])
    records = build(source, out)
    assert [(r["id"], r["measured"], r["chapter"]) for r in records if r["holds"]] == [
        ("GM-T2.1a", 2.345e-11, "chapter")
    ]
    page = (out / "html" / "ledger.html").read_text()
    assert page.count("<caption>") == len(rows.PAPERS) + 1
    assert 'scope="rowgroup"' in page
    assert 'scope="col"' in page
    for shown in (
        "2.35·10⁻¹¹",
        "for smooth activations",
        "over 24 orbits",
        'href="chapter.html">A chapter',
        "<sup>−s/N",
    ):
        assert shown in page
    assert "1 are reproduced" in (out / "html" / "index.html").read_text()
    assert "geoflow" in page


def test_an_incremental_build_keeps_unchanged_claims_and_drops_old_ones(project):
    source, out = project
    write_chapter(source, entry(), raw=[1e-11])
    first = build(source, out)
    assert build(source, out) == first
    (source / "index.md").write_text((source / "index.md").read_text() + "\nMore.\n")
    assert build(source, out) == first, "the chapter was not read again, its claim stays"
    write_chapter(source, entry("GM-T2.3"))
    assert [r["id"] for r in build(source, out) if r["holds"]] == ["GM-T2.3"]


# --- offline ----------------------------------------------------------------------------------------------


def test_font_preloads_go_and_other_links_stay():
    page = (
        '<link rel="stylesheet" href="a.css">\n  <link rel="preload" as="font" type="font/woff2" crossorigin href="f">'
    )
    assert offline.without_preloads(page) == '<link rel="stylesheet" href="a.css">'


def test_mathjax_keeps_what_its_loader_asks_for(tmp_path):
    for name in (
        "tex-chtml.js",
        "tex-svg.js",
        "output/svg.js",
        "output/chtml/fonts/tex.js",
        "input/tex/extensions/ams.js",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    offline.trim_mathjax(tmp_path)
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.js")}
    assert left == {"tex-chtml.js", "output/chtml/fonts/tex.js", "input/tex/extensions/ams.js"}
