"""The ledger on pages: a two-page Sphinx project built with it, and what it asks of a book."""

import json
import logging

import pytest
from ledger_cases import entry, notebook
from sphinx.application import Sphinx
from sphinx.errors import ConfigError, ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils

CHAPTER = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    },
}
SETTINGS = {
    "extensions": ["myst_nb", "companion.sphinx.ledger", "companion.sphinx.versions"],
    "nb_execution_mode": "off",
    "myst_enable_extensions": ["dollarmath"],
    "companion_papers": {"GM": "The GM paper", "CM": "The CM paper"},
    "companion_packages": ["numpy", "sphinx"],
    "companion_spelling": {"K >= QN": r"$K \ge QN$"},
}
ROWS = (
    "GM-T2.1b\tTheorem 2.1\tneeds K >= QN",
    "GM-T2.3\tTheorem 2.3\tstopping time\tcaveat\tholds for ε ≤ C_0",
    "CM-1\tabstract\tzero loss\treconstructed",
)


def write_chapter(folder, *entries, raw=None):
    output = notebook(*entries, raw=raw)["cells"][1]["outputs"][0]
    output["data"]["text/plain"] = "claims, in words"
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


def build(source, out, **changes):
    """Sphinx on a folder whose notebooks are rendered as stored. Returns the records of ledger.json."""
    settings = {key: value for key, value in (SETTINGS | changes).items() if value is not None}
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            source,
            None,
            out / "html",
            out / ".doctrees",
            "html",
            settings,
            status=None,
            warningiserror=True,
        )
        app.build()
    assert app.statuscode == 0
    return json.loads((out / "html" / "ledger.json").read_text())


@pytest.fixture
def project(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "statements.tsv").write_text("\n".join(ROWS) + "\n")
    (source / "index.md").write_text(
        "# Index\n```{toctree}\nchapter\nledger\n```\n```{ledger-summary}\n```\n"
    )
    (source / "ledger.md").write_text("# Ledger\n```{ledger}\n```\n```{versions}\n```\n")
    return source, tmp_path / "build"


def test_the_ledger_page_shows_what_the_chapters_claim(project):
    source, out = project
    write_chapter(
        source, entry(caveat="for smooth activations"), entry("GM-T2.3"), raw=[2.345e-11, None]
    )
    records = build(source, out)
    assert [(r["id"], r["measured"], r["chapter"], r["status"]) for r in records] == [
        ("GM-T2.1b", 2.345e-11, "chapter", "reproduced"),
        ("GM-T2.3", "≤ 1e-08", "chapter", "caveat"),
        ("CM-1", None, None, "open"),
    ]
    page = (out / "html" / "ledger.html").read_text()
    assert page.count("<caption>") == 2 + 1
    assert 'scope="rowgroup"' in page
    assert 'scope="col"' in page
    for shown in (
        "2.35·10⁻¹¹",
        "for smooth activations",
        "over 24 orbits",
        'href="chapter.html#claim-gm-t2-1b-1">A chapter',
        "<sup>−s/N",
        "holds for ε ≤ C<sub>0",
        "numpy",
        "The GM paper",
    ):
        assert shown in page
    summary = (out / "html" / "index.html").read_text()
    assert (
        "Of the three numbered statements of two papers, 2 have claims in this book (1 reproduced, 1 reproduced with a "
        "caveat), and 1 is still open. There are two claims, measured in 1 chapter."
    ) in summary
    assert (out / "html" / "_static" / "ledger.css").is_file()
    assert "ledger.css" in page


def test_each_claim_has_its_place_just_before_the_text(project):
    source, out = project
    write_chapter(source, entry(), entry(), entry("GM-T2.3"))
    build(source, out)
    page = (out / "html" / "chapter.html").read_text()
    places = [
        page.index(f'id="{name}"')
        for name in ("claim-gm-t2-1b-1", "claim-gm-t2-1b-2", "claim-gm-t2-3-1")
    ]
    assert [*places, page.index("claims, in words")] == sorted(
        [*places, page.index("claims, in words")]
    )
    assert page.count("claim-place") == 3
    assert "vnd.companion" not in page, "the bundle itself is for the ledger"


def test_an_incremental_build_keeps_unchanged_claims_and_drops_old_ones(project):
    source, out = project
    write_chapter(source, entry(), raw=[1e-11])
    first = build(source, out)
    assert build(source, out) == first
    (source / "index.md").write_text((source / "index.md").read_text() + "\nMore.\n")
    assert build(source, out) == first, "the chapter was not read again, its claim stays"
    write_chapter(source, entry("GM-T2.3"))
    assert [r["id"] for r in build(source, out) if r["holds"]] == ["GM-T2.3"]


def test_a_correction_without_a_counterexample_fails_the_build(project, caplog):
    source, out = project
    (source / "statements.tsv").write_text(
        "GM-T2.1b\tTheorem 2.1\tt\tcorrected\tit is at least the rate\n"
    )
    write_chapter(source, entry())
    with (
        caplog.at_level(logging.WARNING, logger="sphinx"),
        pytest.raises(Exception, match="marked 'corrected'"),
    ):
        build(source, out)
    write_chapter(source, entry(kind="counterexample"))
    assert [r["status"] for r in build(source, out)] == ["corrected"]


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"companion_papers": None}, ConfigError, "the ledger needs companion_papers"),
        (
            {"companion_papers": {"CM": "CM"}},
            ConfigError,
            "GM-T2.1b belongs to none of companion_papers, CM",
        ),
        (
            {"companion_statements": "other.tsv"},
            ConfigError,
            r"no table of statements at .*other\.tsv",
        ),
        ({"companion_packages": None}, ConfigError, "needs companion_packages"),
        (
            {"companion_packages": ["no-such-package"]},
            ConfigError,
            "no-such-package, which is not installed",
        ),
    ],
)
def test_what_a_book_must_say_is_asked_for(project, changes, error, told):
    source, out = project
    write_chapter(source, entry())
    with pytest.raises(error, match=told):
        build(source, out, **changes)


def test_a_claim_about_an_unknown_statement_stops_the_build(project):
    source, out = project
    write_chapter(source, entry("GM-T9"))
    with pytest.raises(ExtensionError, match="chapter claims GM-T9"):
        build(source, out)
