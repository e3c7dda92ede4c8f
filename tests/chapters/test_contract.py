"""Every chapter keeps the contract; and the contract bites: a chapter that breaks one rule is told so."""

import copy
import json
from pathlib import Path

import nbformat
import pytest
import refresh
import yaml

from companion.claims import MIME
from companion.notebook import toc
from companion.notebook.contract import violations
from companion.notebook.normal_form import as_text, chapters, normal_form
from companion.notebook.numbers import ALLOWED, allowed

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = chapters(ROOT / "book")
TYPED = allowed(ROOT / "book" / ALLOWED)


def names(path):
    return path.relative_to(ROOT / "book").with_suffix("").as_posix()


@pytest.mark.parametrize("path", CHAPTERS, ids=names)
def test_chapter_keeps_the_contract(path):
    broken = violations(json.loads(path.read_text(encoding="utf8")), TYPED.get(names(path), ()))
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("path", CHAPTERS, ids=names)
def test_chapter_is_stored_in_normal_form(path):
    try:
        refresh.check(path)
    except refresh.NotStored as reason:
        pytest.fail(str(reason), pytrace=False)


def test_every_chapter_is_in_the_table_of_contents():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    missing = toc.missing(contents, [names(path) for path in CHAPTERS])
    assert not missing, "\n".join(missing)


def test_a_chapter_that_is_not_in_the_table_of_contents_is_told_where_to_go():
    contents = {
        "root": "index",
        "parts": [
            {
                "caption": "Flows",
                "chapters": [
                    {"file": "flows/ntk"},
                    {"file": "flows/rank", "sections": [{"file": "flows/more"}]},
                ],
            },
            {"caption": "Back matter", "chapters": [{"file": "ledger"}]},
        ],
    }
    assert toc.missing(contents, ["index", "flows/ntk", "flows/more", "ledger"]) == []
    beside, alone = toc.missing(contents, ["flows/bundle", "linear/rates"])
    assert beside.endswith("add after '- file: flows/more' the line\n      - file: flows/bundle")
    assert alone.endswith("add to the chapters of its part the line\n      - file: linear/rates")


# --- the contract bites -----------------------------------------------------------------------------------


def markdown(source, id_):
    return {"cell_type": "markdown", "id": id_, "metadata": {}, "source": source}


def code(source, id_, outputs=(), count=None, **metadata):
    return {
        "cell_type": "code",
        "id": id_,
        "metadata": metadata,
        "source": source,
        "outputs": list(outputs),
        "execution_count": count,
    }


def a_good_chapter():
    """The smallest chapter that keeps every rule."""
    claim = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/plain": "GM-T2.1a holds", MIME: [{"id": "GM-T2.1a"}]},
    }
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        },
        "cells": [
            code("import geoflow", "set-up", tags=["hide-cell"]),
            markdown(
                "# A chapter\n\n```{prf:theorem} GM, Theorem 2.1\nIt converges.\n```", "theorem"
            ),
            code(
                "# NBVAL_CHECK_OUTPUT\nclaims(equality('GM-T2.1a', 'a', seen.error, 1e-8))",
                "claims",
                [claim],
                2,
            ),
            code(
                "figure, axes = plt.subplots()\nplt.show()",
                "figure",
                mystnb={"image": {"alt": "a line"}, "figure": {"caption": "A line."}},
            ),
            markdown(
                "## Where it breaks\n\n```{figure} a.svg\n:alt: a curve\n\nA curve.\n```", "breaks"
            ),
            markdown(
                "```{exercise}\n:label: a\nWhy?\n```\n\n```{solution} a\nSo.\n```", "exercises"
            ),
        ],
    }


def cell(notebook, id_):
    return next(c for c in notebook["cells"] if c["id"] == id_)


def drop(notebook, id_):
    notebook["cells"] = [c for c in notebook["cells"] if c["id"] != id_]


def replace(notebook, id_, old, new):
    assert old in cell(notebook, id_)["source"]
    cell(notebook, id_)["source"] = cell(notebook, id_)["source"].replace(old, new)


def said(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def in_claims(words):
    """The checked cell, with other words for what was measured."""
    return lambda n: replace(n, "claims", "seen.error", words)


def drawn_by(source, **metadata):
    """One more cell, which draws."""
    return lambda n: n["cells"].insert(-1, code(source, "drawn", **metadata))


A_FIGURE = {"image": {"alt": "a line"}, "figure": {"caption": "A line."}}
PNG = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "AAAA"}}

FAULTS = {
    "no title": (lambda n: replace(n, "theorem", "# A chapter", "A chapter"), "title"),
    "no theorem": (lambda n: replace(n, "theorem", "{prf:theorem}", "{note}"), "prf:theorem"),
    "theorem after code": (lambda n: n["cells"].insert(0, code("1 + 1", "early")), "prf:theorem"),
    "nothing breaks": (lambda n: replace(n, "breaks", "## Where it breaks", "## Remarks"), "Where it breaks"),
    "no exercise": (lambda n: drop(n, "exercises"), "no {exercise}"),
    "no solution": (lambda n: replace(n, "exercises", "{solution}", "{note}"), "0 solutions"),
    "no checked cell": (lambda n: drop(n, "claims"), "no checked cell"),
    "words after the marker": (
        lambda n: replace(n, "claims", "CHECK_OUTPUT", "CHECK_OUTPUT here"),
        "not alone",
    ),
    "marker indented": (lambda n: replace(n, "claims", "# NBVAL", "  # NBVAL"), "not alone"),
    "no stored output": (lambda n: cell(n, "claims")["outputs"].clear(), "no output is stored"),
    "no count": (lambda n: cell(n, "claims").update(execution_count=None), "execution_count is null"),
    "no claims": (lambda n: cell(n, "claims").update(outputs=[said("fine")]), "it shows no claims"),
    "no claims, no reason": (
        lambda n: (cell(n, "claims").update(outputs=[said("fine")]), replace(n, "claims", "OUTPUT\n", "OUTPUT\n# no claims:\n")),
        "say why not",
    ),
    "claims nobody sees": (lambda n: cell(n, "claims")["metadata"].update(tags=["remove-output"]), "tagged remove-output"),
    "builtin max": (in_claims("max(errors)"), "line 2: max(...) in the arguments of equality: max([1e-12, nan]) is 1e-12"),
    "builtin min": (in_claims("np.abs(min(e for e in errors))"), "np.min, which keeps a NaN"),
    "builtin sum": (in_claims("sum(ok) == 3"), "sum(...) in the arguments of equality"),
    "builtin max in words": (
        lambda n: replace(n, "claims", "1e-8))", "1e-8, over=f'{max(sizes)} points'))"),
        "max(...) in the arguments of equality",
    ),
    "builtin max in a qualified call": (lambda n: replace(n, "claims", "claims(equality('GM-T2.1a', 'a', seen.error", "claims(c.bound('GM-T2.1a', 'a', max(errors)"), "arguments of bound"),
    "a figure typed into a claim": (lambda n: replace(n, "claims", "'a'", "'C ≤ 0.25 C₀'"), "'0.25' is typed into a claim's text"),
    "a count typed into a claim": (lambda n: replace(n, "claims", "'a'", "'3 networks converge'"), "'3 …' is typed into a claim's text"),
    "a figure typed into over": (
        lambda n: replace(n, "claims", "1e-8))", "1e-8, over=f'{n} starts, 24 orbits'))"),
        "'24' is typed into a claim's text",
    ),
    "a figure in the prose that nothing computes": (
        lambda n: replace(n, "breaks", "A curve.", "The error was 3.7e-9."),
        "cell breaks: '3.7e-9' is typed into the prose",
    ),
    "a percentage that nothing computes": (lambda n: replace(n, "breaks", "A curve.", "It saves 35 %."), "'35 %' is typed"),
    "a magic command": (drawn_by("%time run()"), "not plain Python"),
    "drawn without alt text": (drawn_by("figure, axes = plt.subplots()"), "cell drawn: a figure without alt text"),
    "shown without alt text": (drawn_by("plot(axes)\nplt.show()"), "cell drawn: a figure without alt text"),
    "drawn by a figure of its own": (drawn_by("axes = Figure().subplots()"), "cell drawn: a figure without alt text"),
    "drawn in a loop": (drawn_by("for k in range(3):\n    plt.plot(k)"), "cell drawn: a figure without alt text"),
    "drawn by a function": (drawn_by("def panel():\n    return plt.subplots()\n\n\ndef draw():\n    return panel()\n\n\ndraw()"), "cell drawn: a figure without alt text"),
    "drawn without a caption": (drawn_by("plt.plot(x)", mystnb={"image": {"alt": "a line"}}), "cell drawn: a figure without a caption"),
    "drawn, its code removed": (drawn_by("plt.plot(x)", tags=["remove-input"]), "cell drawn: a figure without alt text"),
    "stored picture": (lambda n: cell(n, "figure")["outputs"].append(PNG), "image/png"),
    "stored widget state": (lambda n: n["metadata"].update(widgets={}), "widget state"),
    "no alt text": (lambda n: cell(n, "figure")["metadata"]["mystnb"].pop("image"), "alt text"),
    "no caption": (lambda n: cell(n, "figure")["metadata"]["mystnb"].pop("figure"), "caption"),
    "figure without alt": (lambda n: replace(n, "breaks", ":alt: a curve", ":width: 50%"), ":alt:"),
    "figure without caption": (lambda n: replace(n, "breaks", "A curve.\n", ""), "caption"),
    "image without alt": (lambda n: replace(n, "breaks", "```{figure}", "![](b.svg)\n```{figure}"), "alt text"),
    "other kernel": (lambda n: n["metadata"]["kernelspec"].update(name="ir"), "python3"),
    "double id": (lambda n: cell(n, "figure").update(id="claims"), "double"),
    "unknown tag": (lambda n: cell(n, "set-up")["metadata"]["tags"].append("hide_input"), "unknown tags"),
    "unknown metadata": (lambda n: cell(n, "claims")["metadata"].update(trusted=True), "unknown metadata"),
}  # fmt: skip


def test_the_good_chapter_is_good():
    assert violations(a_good_chapter()) == []


RIGHT = {
    "a figure that the code holds": lambda n: (
        replace(n, "claims", "claims(eq", "rate = 0.25\nclaims(eq"),
        replace(n, "breaks", "A curve.", "A quarter, .25 or 25 %, is left."),
    ),
    "a figure that a claim shows": lambda n: (
        cell(n, "claims")["outputs"][0]["data"].update({"text/plain": "✓ measured 3.71e-09"}),
        replace(n, "breaks", "A curve.", "The error was $3.7 \\cdot 10^{-9}$."),
    ),
    "numbers that are names": lambda n: replace(
        n, "breaks", "A curve.", "Theorem 2.1, (2.5), `gf.MLP((2, 16, 1))`, arXiv 2311.15487, 2N and $x^{12}$ in 2023."
    ),
    "a reduction that keeps NaN": in_claims("np.max(errors)"),
    "max outside of claims": drawn_by("worst = max(sizes)"),
    "no claims, and why": lambda n: (
        cell(n, "claims").update(outputs=[said("refused")]),
        replace(n, "claims", "OUTPUT\n", "OUTPUT\n# no claims: the wording of a refusal\n"),
    ),
    "a figure with both": drawn_by("figure, axes = plt.subplots()", mystnb=A_FIGURE),
    "a function that draws, defined only": drawn_by("def draw(k):\n    return plt.subplots()[0], 'k'"),
    "an explorer": drawn_by("def draw(k):\n    return plt.figure(), 'k'\n\n\nExplorer(draw, k=[1, 2])"),
    "an explorer of a lambda": drawn_by("Explorer(lambda k: (plt.figure(), 'k'), k=[1, 2])"),
    "drawn and removed": drawn_by("plt.plot(x)", tags=["remove-cell"]),
    "set-up of the figures": drawn_by("import matplotlib.pyplot as plt\n\nplt.rcParams.update(style)\nplt.close(figure)"),
}  # fmt: skip


@pytest.mark.parametrize("change", RIGHT)
def test_what_keeps_the_contract_is_let_be(change):
    notebook = a_good_chapter()
    RIGHT[change](notebook)
    assert violations(notebook) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_each_broken_rule_is_reported(fault):
    break_it, told = FAULTS[fault]
    notebook = a_good_chapter()
    break_it(notebook)
    broken = violations(notebook)
    assert any(told in message for message in broken), broken


def test_a_typed_number_may_stay_where_the_book_says_why(tmp_path):
    notebook = a_good_chapter()
    replace(notebook, "breaks", "A curve.", "The error was 3.7e-9.")
    assert violations(notebook, {"3.7e-9"}) == []
    (broken,) = violations(a_good_chapter(), {"3.7e-9"})
    assert "nowhere in the chapter" in broken
    rows = tmp_path / ALLOWED
    rows.write_text(
        "# a comment\nflows/ntk\t3.7e-9\tmeasured once, on another machine\n", encoding="utf8"
    )
    assert allowed(rows) == {"flows/ntk": {"3.7e-9": "measured once, on another machine"}}
    rows.write_text("flows/ntk\t3.7e-9\t \n", encoding="utf8")
    with pytest.raises(ValueError, match="chapter, figure and reason"):
        allowed(rows)


def test_a_chapter_without_a_theorem_may_say_why():
    notebook = a_good_chapter()
    replace(notebook, "theorem", "{prf:theorem}", "{note}")
    replace(
        notebook, "theorem", "# A chapter", "# A chapter\n<!-- no theorem: it sets the scene -->"
    )
    assert violations(notebook) == []


# --- normal form ------------------------------------------------------------------------------------------


def test_normal_form_keeps_the_good_chapter_and_is_idempotent():
    good = nbformat.from_dict(a_good_chapter())
    once = normal_form(good)
    assert once == good
    assert as_text(normal_form(once)) == as_text(once)


def test_normal_form_strips_what_an_execution_leaves(tmp_path):
    messy = copy.deepcopy(a_good_chapter())
    messy["metadata"]["widgets"] = {"state": {}}
    claims = cell(messy, "claims")
    claims["outputs"][0]["metadata"] = {"companion": {"measured": [1.234e-9]}}
    claims["outputs"] += [PNG, {"output_type": "stream", "name": "stderr", "text": "warming up"}]
    claims["metadata"]["execution"] = {"iopub.status.busy": "now"}
    claims["execution_count"] = 17
    cell(messy, "figure").update(outputs=[PNG], execution_count=18)
    path = tmp_path / "messy.ipynb"
    path.write_text(as_text(nbformat.from_dict(messy)), encoding="utf8")
    with pytest.raises(refresh.NotStored, match="not in normal form"):
        refresh.check(path)
    path.write_text(as_text(normal_form(nbformat.read(path, as_version=4))), encoding="utf8")
    assert refresh.check(path)
    assert json.loads(path.read_text()) == json.loads(as_text(nbformat.from_dict(a_good_chapter())))
