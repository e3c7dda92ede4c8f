"""Every chapter keeps the contract; and the contract bites: a chapter that breaks one rule is told so."""

import copy
import json

import nbformat
import pytest
import yaml
from contract import violations
from normal_form import ROOT, as_text, chapters, normal_form
from refresh import difference

CHAPTERS = chapters()


def names(path):
    return path.relative_to(ROOT / "book").with_suffix("").as_posix()


@pytest.mark.parametrize("path", CHAPTERS, ids=names)
def test_chapter_keeps_the_contract(path):
    broken = violations(json.loads(path.read_text(encoding="utf8")))
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("path", CHAPTERS, ids=names)
def test_chapter_is_stored_in_normal_form(path):
    diff = difference(path)
    assert not diff, f"run `make refresh`\n{diff}"


def test_every_chapter_is_in_the_table_of_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    assert {names(path) for path in CHAPTERS} <= listed


# --- the contract bites -----------------------------------------------------------------------------------

CLAIMS = "application/vnd.geoflow.claims+json"


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
        "data": {"text/plain": "GM-T2.1a holds", CLAIMS: [{"id": "GM-T2.1a"}]},
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
            markdown("# A chapter\n\n```{prf:theorem} GM, Theorem 2.1\nIt converges.\n```", "theorem"),
            code("# NBVAL_CHECK_OUTPUT\nclaims(equality())", "claims", [claim], 2),
            code("draw()", "figure", mystnb={"image": {"alt": "a line"}, "figure": {"caption": "A line."}}),
            markdown("## Where it breaks\n\n```{figure} a.svg\n:alt: a curve\n\nA curve.\n```", "breaks"),
            markdown("```{exercise}\n:label: a\nWhy?\n```\n\n```{solution} a\nSo.\n```", "exercises"),
        ],
    }


def cell(notebook, id_):
    return next(c for c in notebook["cells"] if c["id"] == id_)


def drop(notebook, id_):
    notebook["cells"] = [c for c in notebook["cells"] if c["id"] != id_]


def replace(notebook, id_, old, new):
    assert old in cell(notebook, id_)["source"]
    cell(notebook, id_)["source"] = cell(notebook, id_)["source"].replace(old, new)


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


@pytest.mark.parametrize("fault", FAULTS)
def test_each_broken_rule_is_reported(fault):
    break_it, told = FAULTS[fault]
    notebook = a_good_chapter()
    break_it(notebook)
    broken = violations(notebook)
    assert any(told in message for message in broken), broken


def test_a_chapter_without_a_theorem_may_say_why():
    notebook = a_good_chapter()
    replace(notebook, "theorem", "{prf:theorem}", "{note}")
    replace(notebook, "theorem", "# A chapter", "# A chapter\n<!-- no theorem: it sets the scene -->")
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
    claims["outputs"][0]["metadata"] = {"geoflow": {"measured": [1.234e-9]}}
    claims["outputs"] += [PNG, {"output_type": "stream", "name": "stderr", "text": "warming up"}]
    claims["metadata"]["execution"] = {"iopub.status.busy": "now"}
    claims["execution_count"] = 17
    cell(messy, "figure").update(outputs=[PNG], execution_count=18)
    path = tmp_path / "messy.ipynb"
    path.write_text(as_text(nbformat.from_dict(messy)), encoding="utf8")
    assert difference(path)
    path.write_text(as_text(normal_form(nbformat.read(path, as_version=4))), encoding="utf8")
    assert not difference(path)
    assert json.loads(path.read_text()) == json.loads(as_text(nbformat.from_dict(a_good_chapter())))
