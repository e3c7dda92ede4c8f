"""No claim holds on poisoned orbits: every checked cell that rests on an integration refuses NaN, and orbits that stopped."""

import json
from pathlib import Path

import jax
import matplotlib
import numpy as np
import pytest
from poison import POISONS, resting_on_orbits, run

from companion.notebook.cells import Chapter
from companion.notebook.normal_form import chapters

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = chapters(ROOT / "book")
#: (chapter, cell, poison) -> why what the cell claims is as true with it.
UNTOUCHED: dict[tuple[str, str, str], str] = {}


def names(path):
    return path.relative_to(ROOT / "book").with_suffix("").as_posix()


def read(path) -> Chapter:
    return Chapter(json.loads(path.read_text(encoding="utf8")))


@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=names)
def test_no_claim_holds_on_poisoned_orbits(path, monkeypatch):
    chapter, name = read(path), names(path)
    resting = resting_on_orbits(chapter)
    if not resting:
        return  # test_chapters_that_integrate counts those that do
    matplotlib.use("Agg")
    results: dict[bytes, object] = {}
    held = []
    for poison, spoil in POISONS.items():
        with monkeypatch.context() as patch, np.errstate(all="ignore"):
            outcome = run(chapter, spoil, results, patch)
        matplotlib.pyplot.close("all")
        held += [(name, cell, poison) for cell in resting if not outcome[cell]]
        jax.clear_caches()  # a worker would keep the programs of all its chapters: gigabytes
    surprising = [case for case in held if case not in UNTOUCHED]
    assert not surprising, f"claims hold on poisoned orbits, in the cells {surprising}"
    unneeded = [case for case in UNTOUCHED if case[0] == name and case not in held]
    assert not unneeded, f"these refuse and need no exemption: {unneeded}"


# --- the harness itself -----------------------------------------------------------------------------------


def chapter_of(*sources: str) -> Chapter:
    cells = [
        {"cell_type": "code", "id": f"cell-{i}", "metadata": {}, "source": source, "outputs": []}
        for i, source in enumerate(sources)
    ]
    return Chapter({"cells": cells})


SET_UP = """
import jax, geoflow as gf, numpy as np
from companion.claims import bound, claims, equality, every
problem = gf.Problem(gf.MLP((2, 8, 1)), gf.generic(jax.random.key(0), 4, 2, 1))
starts = problem.network.inits(jax.random.key(1), 4)

def measured(theta):
    orbit = gf.integrate("adapted", problem, theta, until=4.0, save=5, throw=False)
    return orbit, gf.off_the_line(orbit)

runs = []
for theta in starts:
    runs.append(measured(theta))
many = gf.integrate_many("standard", problem, starts, until=4.0, throw=False)
"""
CHECKED = "# NBVAL_CHECK_OUTPUT\n"
CELLS = {
    "the whole sample": ("claims(equality('GM-T2.1a', 'a line', np.array([e for _, e in runs]), 1e-8))", True, {"gave up"}),
    "max drops the NaN": ("claims(equality('GM-T2.1a', 'a line', max([0.0, *(np.max(e) for _, e in runs)]), 1e-8))", True, {"gave up", "not a number"}),
    "NaN is not above": ("claims(equality('GM-T2.1a', 'few', np.sum(many.costs(stopped=np.inf)[:, -1] > 1e9), 1e-8))", True, {"not a number"}),
    "a stopped orbit is dropped": (
        "claims(bound('GM-T2.1a', 'few', np.nanmax(many.cost[:, -1] - many.cost[:, 0]), at_most=0.0))", True, {"gave up"},
    ),
    "statuses": ("claims(every('GM-T2.1a', 'done', np.array([o.status.ok for o, _ in runs])))", True, {"not a number"}),
    "no orbit": ("claims(equality('GM-T2.1a', 'nothing', np.zeros(3), 1e-8))", False, set()),
}  # fmt: skip


@pytest.mark.parametrize("kind", CELLS)
def test_the_harness_sees_what_holds_on_poisoned_orbits(kind, monkeypatch):
    source, rests, holds_on = CELLS[kind]
    chapter = chapter_of(SET_UP, CHECKED + source)
    assert resting_on_orbits(chapter) == (["cell-1"] if rests else [])
    results = {}
    for poison, spoil in POISONS.items():
        with monkeypatch.context() as patch:
            refused = run(chapter, spoil, results, patch)["cell-1"]
        assert bool(refused) == (rests and poison not in holds_on), (poison, refused)
    with monkeypatch.context() as patch:
        # and it holds on the orbits as they are
        assert run(chapter, lambda orbit: orbit, results, patch)["cell-1"] == ""
