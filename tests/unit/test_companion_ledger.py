"""The ledger as data and as text: pure functions."""

from pathlib import Path

import pytest
import yaml
from ledger_cases import entry, notebook

from companion import statements
from companion.sphinx import ledger_rows as rows
from companion.sphinx import ledger_text as text

ROOT = Path(__file__).resolve().parents[2]
STATEMENTS = ROOT / "book" / "statements.tsv"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf8"))["sphinx"]["config"]
SPELLING = CONFIG["companion_spelling"]
TABLE = statements.read(STATEMENTS)


def ledger_of(*entries):
    return rows.by_statement(TABLE, rows.claims_of(notebook(*entries), "flows/a"))


def marked(status, remark="a word"):
    return statements.Statement("GM-1", "Theorem 1", "t", status, remark if status else "")


def a_claim(**changes):
    (claim,) = rows.claims_of(notebook(entry("GM-1", **changes)), "flows/a")
    return claim


# --- rows -------------------------------------------------------------------------------------------------


def test_every_paper_of_the_table_has_a_name():
    assert [*CONFIG["companion_papers"]] == list(
        dict.fromkeys(statement.paper for statement in TABLE.values())
    )


def test_raw_figures_are_aligned_with_the_claims():
    claims = rows.claims_of(notebook(entry(), entry("GM-T2.3"), raw=[2.5e-11]), "flows/a")
    assert [(c.id, c.raw, c.chapter) for c in claims] == [
        ("GM-T2.1b", 2.5e-11, "flows/a"),
        ("GM-T2.3", None, "flows/a"),
    ]


def test_each_claim_of_a_page_has_a_place_of_its_own():
    several = notebook(entry(), entry("GM-T2.3"))
    several["cells"] += notebook(entry("GM-T2.3"), entry())["cells"]
    assert [claim.anchor for claim in rows.claims_of(several, "flows/a")] == [
        "claim-gm-t2-1b-1", "claim-gm-t2-3-1", "claim-gm-t2-3-2", "claim-gm-t2-1b-2",
    ]  # fmt: skip


def test_outputs_of_another_kind_are_passed_over():
    other = {
        "cells": [{"cell_type": "code", "outputs": [{"output_type": "stream", "text": "hello"}]}]
    }
    assert rows.claims_of(other, "flows/a") == []


def test_a_claim_about_no_statement_is_refused():
    with pytest.raises(KeyError, match="flows/a claims GM-T9"):
        ledger_of(entry("GM-T9"))


@pytest.mark.parametrize(
    ("given", "claims", "expected"),
    [
        ("", [], "open"),
        ("corrected", [], "open"),
        ("", [{}], "reproduced"),
        # The words of a claim decide nothing.
        ("", [{"caveat": "Corrected: the rank must be locally constant"}], "reproduced"),
        ("", [{}, {"holds": False}], "failed"),
        ("", [{"kind": "proved"}, {}], "proved here"),
        ("", [{"kind": "proved", "holds": False}], "failed"),
        *((given, [{}], given) for given in statements.GIVEN),
        *((given, [{"kind": "proved"}], given) for given in statements.GIVEN),
    ],
)
def test_status(given, claims, expected):
    statement = marked(given)
    made = [a_claim(**changes) for changes in claims]
    assert rows.status(statement, made) == expected
    totals = rows.counts({"GM-1": statement}, {"GM-1": made})
    assert [name for name, number in totals.items() if number] == [expected]
    assert set(totals) == set(rows.STATUSES)


@pytest.mark.parametrize(("kind", "complains"), [("identity", True), ("counterexample", False)])
def test_a_correction_needs_its_counterexample(kind, complains):
    found = list(rows.complaints({"GM-1": marked("corrected")}, {"GM-1": [a_claim(kind=kind)]}))
    assert bool(found) is complains
    assert all(
        "GM-1 is marked 'corrected'" in words and "refutes('GM-1', ...)" in words for words in found
    )


def test_a_claim_that_does_not_hold_is_complained_of():
    (words,) = rows.complaints({"GM-1": marked("")}, {"GM-1": [a_claim(holds=False)]})
    assert "flows/a shows a claim about GM-1 that does not hold" in words


def test_records_hold_every_claim_and_every_open_statement():
    claims = rows.claims_of(
        notebook(entry(), entry(), entry("GM-T2.3"), raw=[1e-11, 2e-11, None]), "flows/a"
    )
    records = rows.as_records(TABLE, rows.by_statement(TABLE, claims))
    assert [r["measured"] for r in records if r["id"] == "GM-T2.1b"] == [1e-11, 2e-11]
    assert [r["anchor"] for r in records if r["id"] == "GM-T2.1b"] == [
        "claim-gm-t2-1b-1",
        "claim-gm-t2-1b-2",
    ]
    assert [r["measured"] for r in records if r["id"] == "GM-T2.3"] == ["≤ 1e-08"]
    assert len(records) == len(TABLE) + 1
    still_open = next(r for r in records if r["id"] == "CM-1")
    assert still_open["holds"] is still_open["chapter"] is still_open["anchor"] is None
    assert still_open["status"] == "open"
    assert len({frozenset(r) for r in records}) == 1, "every record has the same keys"
    assert set(records[0]) >= {
        "id", "paper", "number", "title", "kind", "predicted", "measured", "tolerance", "holds", "status", "chapter",
        "anchor", "over", "caveat",
    }  # fmt: skip


# --- text -------------------------------------------------------------------------------------------------


def test_titles_are_typeset():
    assert text.title("full rank needs K >= QN", SPELLING) == [
        ("text", "full rank needs "),
        ("math", r"K \ge QN"),
    ]
    assert text.title("Lojasiewicz", SPELLING) == [("text", "Łojasiewicz")]
    assert text.title("of D D^T and K", {"D D^T": r"$DD^\top$"})[1] == ("math", r"DD^\top")
    assert text.title("nothing to typeset", {}) == [("text", "nothing to typeset")]
    assert text.number("section 4.1.1, (4.1)-(4.4)") == "Section 4.1.1, (4.1)–(4.4)"


def test_no_title_keeps_a_formula_in_plain_text():
    for statement in TABLE.values():
        plain = "".join(
            content for kind, content in text.title(statement.title, SPELLING) if kind == "text"
        )
        assert not any(sign in plain for sign in (">=", "^", "theta", "lambda", "=")), statement


def test_scripts_in_claims_are_raised():
    assert text.claim("e^{−s/N}x_0") == [
        ("text", "e"),
        ("sup", "−s/N"),
        ("text", "x"),
        ("sub", "0"),
    ]


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
    ("value", "kind", "shown"),
    [(1e-8, "identity", "1·10⁻⁸"), (None, "count", "exact"), (None, "inequality", "–")],
)
def test_tolerances(value, kind, shown):
    assert text.tolerance(value, kind) == shown


def test_counts_are_said_in_words():
    assert text.several(4, "paper") == "four papers"
    assert text.several(1, "claim") == "1 claim"
    assert text.several(0, "claim") == "0 claims"
    assert text.several(270, "claim") == "270 claims"
