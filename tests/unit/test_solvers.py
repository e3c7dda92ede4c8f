"""D⁺b of every solver against numpy's pinv, and against 50 digits where D is ill conditioned."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from reference import PlainNetwork, minimal_norm_solution
from strategies import Case, cases, relative

import geoflow as gf
from geoflow.solvers import sigma_range

EPS = np.finfo(float).eps
FULL_RANK = {
    "LayeredCholesky": gf.LayeredCholesky(),
    "DenseQR": gf.DenseQR(),
    "DenseSVD": gf.DenseSVD(),
    "LSMR": gf.LSMR(),
    "Auto": gf.Auto(),
}
ANY_RANK = ("DenseSVD", "LSMR", "Auto")


@eqx.filter_jit
def solve(solver, problem, theta, b):
    return solver(problem, theta, b)


def D_and_its_inverse(drawn):
    """From the plain network, cut off where the solvers cut off."""
    D = PlainNetwork.like(drawn.problem.network).jacobian(np.asarray(drawn.theta), drawn.inputs)
    return D, np.linalg.pinv(D, rcond=1e-12)


def condition(D):
    sigma = np.linalg.svd(D, compute_uv=False)
    return sigma[0] / max(sigma[-1], 1e-300)


# --- full rank, every regime ------------------------------------------------------------------------------

OVER, BORDER, UNDER = (
    Case((2, 5, 2), 4, seed=1),
    Case((2, 4, 2), 11, seed=8),
    Case((2, 2, 1), 20, seed=3),
)


CASES = {"over": OVER, "border": BORDER, "under": UNDER}


# the layered formula is the overparametrized one: its refusal below the border is tested further down
@pytest.mark.parametrize(
    ("name", "regime"),
    [(n, r) for n in FULL_RANK for r in CASES if (n, r) != ("LayeredCholesky", "under")],
)
def test_against_numpys_pinv(name, regime):
    drawn = CASES[regime]
    problem, theta, b = drawn.problem, drawn.theta, drawn.vector(drawn.problem.QN)
    assert problem.regime == regime
    D, pen = D_and_its_inverse(drawn)
    found = solve(FULL_RANK[name], problem, theta, b)
    assert found.ok
    # LSMR stops at 1e-12; for least squares its and QR's error may grow with cond²
    limit = 100 * EPS * condition(D) ** (2 if problem.K < problem.QN else 1)
    assert relative(found.w, pen @ b) < max(limit, 1e-8 if name == "LSMR" else 0)


@settings(max_examples=5)  # each new shape compiles for a second or two
@given(cases("over"))
@example(Case((3, 2), 3, seed=1))  # one layer
@example(Case((2, 3, 3), 1, seed=2))  # one sample
@example(Case((2, 8, 1), 6, "sin", seed=3))  # one output
@example(Case((2, 5, 2), 4, seed=6, twin_distance=0.0))  # a duplicated sample: rank QN − 2
@example(Case((2, 4, 2), 11, seed=8))  # K = QN
def test_auto_is_the_pseudo_inverse_wherever_the_rank_is_decided(drawn):
    problem, theta, b = drawn.problem, drawn.theta, drawn.vector(drawn.problem.QN)
    D, pen = D_and_its_inverse(drawn)
    rank = gf.numerical_rank(jnp.asarray(D))
    found = solve(gf.Auto(), problem, theta, b)
    assert found.ok
    if not rank.decided or (rank.gap[0] < 1e-7 * rank.sigma_max):
        return  # nothing that a float64 witness could say about D⁺ here
    assert relative(found.w, pen @ b) < 1000 * EPS * rank.sigma_max / rank.gap[0]


def test_zero_and_scaling():
    problem, theta, b = OVER.problem, OVER.theta, OVER.vector(8)
    nothing = solve(gf.Auto(), problem, theta, jnp.zeros(8))
    assert nothing.ok
    assert not np.any(nothing.w)
    tiny = solve(gf.Auto(), problem, theta, 1e-12 * b)  # the residual at the end of an orbit
    assert tiny.ok
    assert relative(1e12 * tiny.w, solve(gf.Auto(), problem, theta, b).w) < 1e-13


# --- ill conditioned: near-duplicate samples --------------------------------------------------------------

NEAR = Case((3, 8, 2), 6, seed=11)


def near_duplicates(distance):
    """cond(D) grows like 1/distance; w to 50 digits."""
    drawn = NEAR.like(twin_distance=distance)
    b = drawn.vector(drawn.problem.QN)
    exact = minimal_norm_solution(
        PlainNetwork.like(drawn.problem.network), drawn.theta, drawn.inputs, b
    )
    return (
        drawn.problem,
        drawn.theta,
        b,
        condition(np.asarray(drawn.problem.jacobian(drawn.theta))),
        exact,
    )


def plain_cholesky(problem, theta, b):
    """What is left when refinement is left out."""
    kernel = np.asarray(problem.ntk(theta))
    return np.asarray(problem.jacobian(theta)).T @ np.linalg.solve(kernel, np.asarray(b))


# distance of the twins: cond(D) and the error relative to |w| that float64 allows, about eps·cond (measured 5e-14, 6e-13,
# 6e-12, 7e-11)
ACCURACY = {1e-2: (1e3, 1e-12), 1e-3: (1e4, 1e-11), 1e-4: (1e5, 1e-10), 1e-5: (1e6, 1e-9)}


@pytest.mark.parametrize("distance", ACCURACY)
def test_refinement_wins_back_the_digits_that_cholesky_lost(distance):
    problem, theta, b, cond, exact = near_duplicates(distance)
    expected_cond, limit = ACCURACY[distance]
    assert cond == pytest.approx(expected_cond, rel=0.1)
    refined = solve(gf.LayeredCholesky(), problem, theta, b)
    assert refined.ok
    assert relative(refined.w, exact) < limit
    assert refined.error < limit  # and it knows
    for name in ("DenseQR", "DenseSVD", "Auto"):
        assert relative(solve(FULL_RANK[name], problem, theta, b).w, exact) < limit, name
    # the limit is one that an unrefined solution does not meet, and an unrefined solution does not pass as good
    assert relative(plain_cholesky(problem, theta, b), exact) > limit
    unrefined = solve(gf.LayeredCholesky(max_refinements=0), problem, theta, b)
    assert relative(unrefined.w, exact) > limit
    assert not unrefined.ok


@pytest.mark.parametrize("distance", [1e-7, 1e-8, 1e-9])  # cond(D) from 1e8 to 1e10
def test_where_refinement_stalls_it_says_so_and_auto_takes_the_svd(distance):
    problem, theta, b, cond, exact = near_duplicates(distance)
    assert not solve(gf.LayeredCholesky(), problem, theta, b).ok
    found = solve(gf.Auto(), problem, theta, b)
    assert found.ok
    assert relative(found.w, exact) < 10 * EPS * cond
    assert relative(found.w, solve(gf.DenseSVD(), problem, theta, b).w) < 10 * EPS * cond


@pytest.mark.parametrize("distance", [1e-4, 1e-6, 1e-8, 0.0])
def test_an_answer_called_good_is_good(distance):
    """The estimate behind `ok` never flatters: with a stricter `accept` an answer is kept only where it is that good."""
    drawn = NEAR.like(twin_distance=distance)
    b = drawn.vector(drawn.problem.QN)
    found = solve(gf.LayeredCholesky(accept=1e-11), drawn.problem, drawn.theta, b)
    if found.ok:
        exact = near_duplicates(distance)[-1]
        assert relative(found.w, exact) < 1e-10


# --- rank deficient ---------------------------------------------------------------------------------------

TWICE = NEAR.like(twin_distance=0.0)


def dead_units():
    """Smooth ReLU far below its zone: only the output biases are left in D, rank Q = 2."""
    drawn = Case((3, 8, 2), 6, "smooth_relu(0.1)", seed=12)
    (W, b), output = drawn.problem.network.unflatten(drawn.theta)
    return drawn.problem, drawn.problem.network.flatten([(W, b - 100.0), output])


@pytest.mark.parametrize("where", ["duplicated input", "dead units"])
def test_rank_loss_gives_the_minimal_norm_least_squares_solution(where):
    problem, theta = (TWICE.problem, TWICE.theta) if where == "duplicated input" else dead_units()
    rank = {"duplicated input": 10, "dead units": 2}[where]
    b = TWICE.vector(12)
    D = PlainNetwork.like(problem.network).jacobian(
        np.asarray(theta), np.asarray(problem.data.inputs)
    )
    assert np.linalg.matrix_rank(D) == rank < problem.QN
    pen = np.linalg.pinv(D, rcond=1e-10)
    for name in ("LayeredCholesky", "DenseQR"):
        assert not solve(FULL_RANK[name], problem, theta, b).ok, name
    for name in ANY_RANK:
        found = solve(FULL_RANK[name], problem, theta, b)
        assert found.ok, name
        w = np.asarray(found.w)
        assert relative(w, pen @ b) < (1e-8 if name == "LSMR" else 1e-11), name
        assert np.linalg.norm(D.T @ (D @ w - b)) < 1e-8 * np.linalg.norm(b), name  # least squares
        # no part in ker D
        assert np.linalg.norm(w - pen @ (D @ w)) < 1e-8 * np.linalg.norm(w), name


def test_rank_loss_is_seen_for_targets_in_the_range_too():
    """With b in ran D the Cholesky factor may look harmless: whatever is called good must be D⁺b."""
    D, pen = D_and_its_inverse(TWICE)
    b = jnp.asarray(D @ np.asarray(TWICE.vector(TWICE.problem.K)))
    found = solve(gf.LayeredCholesky(), TWICE.problem, TWICE.theta, b)
    assert not found.ok or relative(found.w, pen @ b) < 1e-8
    assert relative(solve(gf.Auto(), TWICE.problem, TWICE.theta, b).w, pen @ b) < 1e-8


def test_underparametrized_rank_loss():
    drawn = UNDER.like(seed=4)
    (W, b), output = drawn.problem.network.unflatten(drawn.theta)
    # two equal neurons
    theta = drawn.problem.network.flatten([(W.at[1].set(W[0]), b.at[1].set(b[0])), output])
    vector = drawn.vector(drawn.problem.QN)
    D = PlainNetwork.like(drawn.problem.network).jacobian(np.asarray(theta), drawn.inputs)
    assert np.linalg.matrix_rank(D) < drawn.problem.K
    assert not solve(gf.DenseQR(), drawn.problem, theta, vector).ok
    found = solve(gf.Auto(), drawn.problem, theta, vector)
    assert found.ok
    assert relative(found.w, np.linalg.pinv(D, rcond=1e-10) @ vector) < 1e-11


def test_the_overparametrized_formula_refuses_too_few_parameters():
    problem, theta = UNDER.problem, UNDER.theta
    with pytest.raises(
        ValueError, match=r"needs K ≥ QN, got K = 9 < QN = 20.*Use Auto\(\) or DenseQR\(\)"
    ):
        gf.LayeredCholesky()(problem, theta, jnp.zeros(problem.QN))


# --- sigma_min and sigma_max ------------------------------------------------------------------------------


@pytest.mark.parametrize("drawn", [OVER, BORDER, UNDER], ids=["over", "border", "under"])
def test_sigma_range_is_that_of_the_plain_jacobian(drawn):
    sigma = np.linalg.svd(D_and_its_inverse(drawn)[0], compute_uv=False)
    smallest, largest = sigma_range(drawn.problem, drawn.theta)
    assert largest == pytest.approx(sigma[0], rel=1e-12)
    assert abs(smallest - sigma[-1]) < 1e-13 * sigma[0]


@pytest.mark.parametrize(
    "drawn",
    [Case((4, 40, 40, 2), 40, seed=1), Case((2, 8, 8, 2), 620, seed=1)],
    ids=["over", "under"],
)
def test_sigma_range_of_a_large_problem(drawn):
    """Past QN·K = 2¹⁷ it comes from the Gram matrix, with the digits that leaves."""
    problem, theta = drawn.problem, drawn.theta
    assert problem.QN * problem.K > 2**17
    sigma = np.linalg.svd(np.asarray(problem.jacobian(theta)), compute_uv=False)
    smallest, largest = sigma_range(problem, theta)
    assert largest == pytest.approx(sigma[0], rel=1e-10)
    assert smallest == pytest.approx(max(sigma[-1], np.sqrt(EPS) * sigma[0]), rel=0.05)
