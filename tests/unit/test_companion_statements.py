"""The table of statements: what is read, what is refused by its line, where it is looked for."""

from pathlib import Path

import pytest

from companion import statements

ROOT = Path(__file__).resolve().parents[2]


def table(tmp_path, *rows):
    path = tmp_path / "statements.tsv"
    path.write_text("\n".join(rows) + "\n", encoding="utf8")
    return path


def test_rows_are_read_in_order_and_comments_passed_over(tmp_path):
    path = table(
        tmp_path,
        "# id<TAB>number<TAB>title",
        "GM-T2\tTheorem 2\ttwo",
        "",
        "GM-T1\tTheorem 1\tone\tcaveat\tholds for N > 1",
    )
    assert list(statements.read(path).values()) == [
        statements.Statement("GM-T2", "Theorem 2", "two"),
        statements.Statement("GM-T1", "Theorem 1", "one", "caveat", "holds for N > 1"),
    ]
    assert statements.read(path)["GM-T1"].paper == "GM"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("GM-1\tTheorem 1", r":2: a row has 3 to 5 tab-separated fields, got 2"),
        ("GM-1\t1\tt\tcaveat\tr\tmore", "got 6"),
        (
            "GM-1\t1\tt\trefuted\tr",
            r":2: the status 'refuted' is none of corrected, caveat, evidence, reconstructed",
        ),
        ("GM-1\t1\tt\tcorrected", "marked 'corrected' without a remark"),
        ("GM-1\t1\tt\tcaveat\t", "marked 'caveat' without a remark"),
        ("GM-0\t1\tt", "GM-0 stands there twice"),
    ],
)
def test_a_row_that_is_none_is_named(tmp_path, row, told):
    with pytest.raises(ValueError, match=told):
        statements.read(table(tmp_path, "GM-0\t0\tt", row))


def test_the_table_is_found_from_a_chapter_from_the_root_and_by_name(tmp_path, monkeypatch):
    monkeypatch.delenv("COMPANION_STATEMENTS", raising=False)
    chapter = tmp_path / "book" / "flows"
    chapter.mkdir(parents=True)
    assert statements.find(chapter) is None
    path = tmp_path / "book" / "statements.tsv"
    path.write_text("GM-1\t1\tt\n")
    for start in (chapter, tmp_path / "book", tmp_path):
        assert statements.find(start) == path
    monkeypatch.setenv("COMPANION_STATEMENTS", str(tmp_path / "other.tsv"))
    assert statements.find(chapter) == tmp_path / "other.tsv"


def test_outside_a_book_there_are_no_statements(tmp_path, monkeypatch):
    monkeypatch.delenv("COMPANION_STATEMENTS", raising=False)
    monkeypatch.chdir(tmp_path)
    statements.of_this_book.cache_clear()
    assert statements.of_this_book() == {}
    statements.of_this_book.cache_clear()


# --- the book's own table -----------------------------------------------------------------------------------

OWN = statements.read(ROOT / "book" / "statements.tsv")


def test_the_four_papers_are_there():
    assert {statement.paper for statement in OWN.values()} == {"NA", "GM", "LN", "CM"}
    assert OWN["GM-T2.1a"].number.startswith("Theorem 2.1")
    for key, statement in OWN.items():
        assert statement.id == key
        assert statement.number
        assert statement.title


def test_the_statuses_are_fair():
    """A conjecture has evidence, an abstract is reconstructed, and what a paper says itself is no correction of it."""
    assert [key for key, statement in OWN.items() if statement.status == "evidence"] == ["LN-C1"]
    assert all(
        (statement.status == "reconstructed") == (statement.paper == "CM")
        for statement in OWN.values()
    )
    assert {OWN[key].status for key in ("LN-T4.2", "LN-1-3")} == {"caveat"}
    for statement in OWN.values():
        assert not statement.status or statement.remark.endswith("."), "a remark is a sentence"
