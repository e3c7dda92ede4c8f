"""Notebooks: a fresh run, what warns in it, and the three ways of `scripts/refresh.py`."""

import json

import nbformat
import pytest
import refresh

from companion.claims import MIME
from companion.notebook import cells
from companion.notebook.execution import executed, warnings_in
from companion.notebook.normal_form import as_text, chapters, normal_form

CHECKED = '# NBVAL_CHECK_OUTPUT\nfrom companion.claims import claims, equality\nclaims(equality("GM-T2.1a", "a = b", {error}, 1e-8))'


def write(path, *sources):
    """A notebook without outputs, in normal form."""
    made = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    path.write_text(as_text(normal_form(nbformat.v4.new_notebook(cells=made))), encoding="utf8")
    return path


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A chapter as `make refresh` leaves it."""
    path = write(
        tmp_path_factory.mktemp("book") / "chapter.ipynb",
        "print('in passing')",
        CHECKED.format(error=1e-12),
    )
    assert refresh.main([str(path)]) == 0
    return path


@pytest.fixture
def chapter(stored, tmp_path):
    path = tmp_path / "chapter.ipynb"
    path.write_text(stored.read_text(encoding="utf8"), encoding="utf8")
    return path


def test_a_refreshed_chapter_keeps_its_claims_and_nothing_else(chapter):
    passing, checked = json.loads(chapter.read_text(encoding="utf8"))["cells"]
    assert (passing["outputs"], passing["execution_count"]) == ([], None)
    assert checked["execution_count"] == 2
    (output,) = checked["outputs"]
    assert sorted(output["data"]) == [MIME, "text/plain"]
    assert output["metadata"] == {}, "raw figures differ from machine to machine"
    assert output["data"][MIME][0]["measured"] == "error ≤ 1e-08"


def test_verify_finds_nothing_where_nothing_changed(chapter, capsys):
    before = chapter.read_text(encoding="utf8")
    assert refresh.main(["--verify", str(chapter)]) == 0
    assert "chapter.ipynb: as stored" in capsys.readouterr().out
    assert chapter.read_text(encoding="utf8") == before


def test_verify_shows_what_differs_and_stores_nothing(chapter, capsys):
    text = chapter.read_text(encoding="utf8").replace("error ≤ 1e-08", "error ≤ 1e-09")
    chapter.write_text(text, encoding="utf8")
    assert refresh.main(["--verify", str(chapter)]) == 1
    told = capsys.readouterr().err
    assert "its execution gives something else" in told
    assert '-        "measured": "error ≤ 1e-09"' in told
    assert '+        "measured": "error ≤ 1e-08"' in told
    assert chapter.read_text(encoding="utf8") == text
    assert refresh.main(["--check", str(chapter)]) == 0, "it is in normal form all the same"


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ((CHECKED.format(error=1.0),), "a cell failed"),
        (("import warnings", "# NBVAL_CHECK_OUTPUT\nwarnings.warn('rank lost')"), "cell cell-1: a checked cell wrote to stderr:"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", [[], ["--verify"]])
def test_a_chapter_that_fails_or_warns_is_left_as_it_was(tmp_path, capsys, sources, told, how):
    path = write(tmp_path / "chapter.ipynb", *sources)
    before = path.read_text(encoding="utf8")
    assert refresh.main([*how, str(path)]) == 1
    assert told in capsys.readouterr().err
    assert path.read_text(encoding="utf8") == before


def test_a_warning_outside_of_checked_cells_is_let_be(tmp_path):
    path = write(tmp_path / "chapter.ipynb", "import sys\nprint('warming up', file=sys.stderr)")
    assert warnings_in(executed(path)) == []


def test_chapters_are_found_without_the_editors_copies(tmp_path):
    for name in ("flows/b.ipynb", "a.ipynb", "flows/.ipynb_checkpoints/b-checkpoint.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert [path.relative_to(tmp_path).as_posix() for path in chapters(tmp_path)] == [
        "a.ipynb",
        "flows/b.ipynb",
    ]


@pytest.mark.parametrize(
    ("source", "checked"),
    [
        ("# NBVAL_CHECK_OUTPUT\nclaims()", True),
        (["x = 1\n", "# NBVAL_CHECK_OUTPUT\n"], True),
        ("# NBVAL_CHECK_OUTPUT here", False),
        ("  # NBVAL_CHECK_OUTPUT", False),
        ("claims()", False),
    ],
)
def test_the_marker_stands_alone_on_a_line(source, checked):
    assert cells.is_checked({"cell_type": "code", "source": source}) is checked
    assert not cells.is_checked({"cell_type": "markdown", "source": source})


def test_the_marker_and_the_mime_type_are_defined_once():
    """Scripts, tests and Sphinx import them."""
    marker, mime = "^# NBVAL_CHECK" + "_OUTPUT", "vnd.companion" + ".claims"
    for text, home in ((marker, "companion/notebook/cells.py"), (mime, "companion/records.py")):
        sources = [
            path
            for folder in ("companion", "geoflow", "scripts", "tests")
            for path in (refresh.ROOT / folder).rglob("*.py")
        ]
        found = [
            path.relative_to(refresh.ROOT).as_posix()
            for path in sources
            if text in path.read_text(encoding="utf8")
        ]
        assert [name for name in found if name != "tests/unit/test_companion_claims.py"] == [home]
