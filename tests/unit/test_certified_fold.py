"""Definite folds, proved: the wall of the rank-loss chapter, what is no fold or no end of a line, and the checker."""

import copy
import functools

import jax
import numpy as np
import pytest
from flint import arb

import geoflow as gf
from geoflow.certified import certify_fold, fold
from geoflow.certified.balls import exact, largest, precision
from geoflow.certified.claims import in_balls
from geoflow.checker import check

#: Where the adapted orbit of the chapter stops, with σ_min/σ_max below 1e-7.
STOPPED = np.array(
    [
        0.48471168580027363, -0.04488453256515291, 0.09388076634225401, 0.602786979491205, 1.3305305100782094, -0.8064762247802116,
        0.5261407050499862, 0.3960973167852467, 0.6669151122504945, -0.7170121050924265, -0.5627050514175514, -0.9198459328223646,
        -0.7327199319060014,
    ]
)  # fmt: skip


@functools.cache
def wall():
    """tanh (2, 3, 1), K = 13, and twelve samples."""
    problem = gf.Problem(gf.MLP((2, 3, 1)), gf.generic(jax.random.key(1), 12, 2, 1))
    return problem, np.asarray(problem.network.init(jax.random.key(6)))


@functools.cache
def found():
    problem, start = wall()
    return certify_fold(problem, start, STOPPED)


def test_the_wall_of_the_chapter():
    assert found().proved, found().reason
    low, high = map(float, found().enclosures["s"])
    assert low <= high < low + 1e-15
    assert round(low, 13) == 0.0678639456121
    assert found().enclosures["rank D"] == ("11", "11")
    assert found().radius is not None
    assert found().radius < 1e-40


def test_the_slope_is_the_derivative_of_the_value():
    problem, start = wall()
    rng = np.random.default_rng(0)
    with precision(212):
        balls = in_balls(problem)
        x0 = balls.network.outputs(exact(start), balls.inputs)
        line = fold.Line(balls, x0, [t - x for t, x in zip(balls.targets, x0, strict=True)])
        at, w = (exact(rng.normal(size=problem.K + problem.QN + 1)) for _ in range(2))
        h = arb(2) ** -60
        ends = [line.value([a + s * h * d for a, d in zip(at, w, strict=True)]) for s in (1, -1)]
        differences = [(a - b) / (2 * h) for a, b in zip(*ends, strict=True)]
        slopes = [
            sum((m * d for m, d in zip(row, w, strict=True)), arb(0)) for row in line.slope(at)
        ]
        assert float(largest([a - b for a, b in zip(differences, slopes, strict=True)])) < 1e-25


# Undecided -------------------------------------------------------------------------------------------------------------------


def where_a_line_begins():
    """The same point for the targets on the other side: the line comes from nowhere, and goes on."""
    problem, start = wall()
    data = gf.Dataset(problem.data.inputs, 2 * problem.outputs(start) - problem.data.targets)
    return certify_fold(gf.Problem(problem.network, data), start, STOPPED)


def indefinite():
    """x = a sin(w z) at a = 0, w z = π: no derivative, and outputs on both sides."""
    problem = gf.Problem(gf.MLP((1, 1, 1), "sin", bias=False), gf.Dataset([[1.0]], [[-1.0]]))
    return certify_fold(problem, np.array([1.0, 1.0]), np.array([3.1, 0.01]))


def regular():
    problem, start = wall()
    return certify_fold(problem, start, start)


def too_far():
    problem, start = wall()
    return certify_fold(problem, start, STOPPED + 1e-3, reach=1e-4)


def on_the_spot():
    """x(start) = y: there is no line."""
    problem, start = wall()
    data = gf.Dataset(problem.data.inputs, problem.outputs(start))
    return certify_fold(gf.Problem(problem.network, data), start, STOPPED)


def huge():
    problem, start = wall()
    return certify_fold(problem, start, STOPPED * 1e200)


def too_many_samples():
    problem = gf.Problem(gf.MLP((1, 1, 1)), gf.generic(jax.random.key(1), 5, 1, 1))
    return certify_fold(problem, np.ones(4), np.ones(4))


@pytest.mark.parametrize(
    "case",
    [where_a_line_begins, indefinite, regular, too_far, on_the_spot, huge, too_many_samples],
)
def test_undecided(case):
    certificate = case()
    assert not certificate.proved
    assert certificate.reason
    assert not certificate.claim
    assert not certificate.enclosures


def test_the_reasons_are_the_right_ones():
    assert "no definite fold" in where_a_line_begins().reason
    assert "no definite fold" in indefinite().reason


# The checker -----------------------------------------------------------------------------------------------------------------


def test_the_wall_is_proved_again():
    assert check(found().claim, "fold") == ""


def centre_moved(claim):
    claim["centre"][0] = "1p-1"


def radius_enlarged(claim):
    claim["radius"] = "1p1"


def radius_zero(claim):
    claim["radius"] = "0p0"


def tau_elsewhere(claim):
    claim["tau"] = ["1p-1", "3p-2"]


def tau_as_a_point(claim):
    claim["tau"] = [claim["tau"][0]] * 2


def other_side(claim):
    """−u in place of u."""
    for k in range(13, 25):
        text = claim["centre"][k]
        claim["centre"][k] = text[1:] if text.startswith("-") else f"-{text}"


def negative_penalty(claim):
    claim["penalty"] = "-1p20"


def wrong_vectors(claim):
    claim["left"] = [[row[0]] * len(row) for row in claim["left"]]


def other_start(claim):
    claim["start"][0] = "1p0"


def target_changed(claim):
    claim["targets"][0] = ["1p0"]


def nan_in_it(claim):
    claim["start"][0] = "nan"


@pytest.mark.parametrize(
    "fault",
    [
        centre_moved, radius_enlarged, radius_zero, tau_elsewhere, tau_as_a_point, other_side, negative_penalty, wrong_vectors,
        other_start, target_changed, nan_in_it,
    ],
)  # fmt: skip
def test_tampered_claims_are_refused(fault):
    claim = copy.deepcopy(found().claim)
    fault(claim)
    assert check(claim, "fold")


def test_a_fault_in_the_prover_s_definiteness_is_seen(monkeypatch):
    monkeypatch.setattr(fold, "definite", lambda line, theta, u: 1.0)
    certificate = indefinite()
    assert certificate.proved, "or there is no false proof to find"
    assert "not certainly definite" in check(certificate.claim, "fold")


def test_a_fault_in_the_prover_s_side_is_seen(monkeypatch):
    true = fold.below
    monkeypatch.setattr(fold, "below", lambda a, b: true(a, b) or true(b, a))
    monkeypatch.setattr(fold, "definite", lambda line, theta, u: 1.0)
    certificate = where_a_line_begins()
    assert certificate.proved, "or there is no false proof to find"
    assert check(certificate.claim, "fold")


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"theta": np.zeros(8)}, ValueError),
        ({"start": np.zeros(8)}, ValueError),
        ({"reach": 0.0}, ValueError),
        ({"bits": 52}, ValueError),
        ({"problem": gf.MLP((2, 2, 1))}, TypeError),
    ],
)
def test_wrong_arguments(change, error):
    problem, start = wall()
    with pytest.raises(error):
        certify_fold(**({"problem": problem, "start": start, "theta": STOPPED} | change))
