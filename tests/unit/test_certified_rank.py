"""Ranks of D, proved: from below by balls, from above by reasons only; singular values enclosed."""

import functools

import jax
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

import geoflow as gf
from geoflow.certified import balls, certify_rank, rank, rank_bounds


@functools.cache
def problem(widths=(2, 2, 1), N=5, seed=0):
    data = gf.generic(jax.random.key(seed), N, widths[0], widths[-1])
    network = gf.MLP(widths)
    return gf.Problem(network, data), np.asarray(network.init(jax.random.key(seed + 1)))


def jacobian(given_problem, theta):
    return np.asarray(given_problem.jacobian(theta))


@pytest.mark.parametrize(
    ("widths", "N"), [((2, 2, 1), 5), ((2, 1, 1), 7), ((2, 3, 2, 2), 4), ((1, 1, 1), 4)]
)
def test_full_rank_and_the_least_singular_value(widths, N):
    given_problem, theta = problem(widths, N)
    found = certify_rank(given_problem, theta)
    assert found.proved, found.reason
    sigma = np.linalg.svd(jacobian(given_problem, theta), compute_uv=False)
    r = min(given_problem.K, given_problem.QN)
    assert found.enclosures["rank"] == (str(r), str(r))
    low, high = map(float, found.enclosures[f"singular value {r}"])
    assert low <= high < low * (1 + 1e-12)
    assert abs(low - sigma[-1]) < 1e-13 * sigma[0]


def test_the_lower_bound_without_eigenvalues_is_sharp_to_ten_digits():
    given_problem, theta = problem()
    with balls.precision(212):
        D = [balls.exact(row) for row in jacobian(given_problem, theta)]
        bound = rank_bounds.at_least(D).sigma
        enclosed = rank_bounds.singular_value(D, 5)
    assert enclosed is not None
    assert enclosed * (1 - arb(1e-10)) < bound
    assert bound <= enclosed.upper()


def test_a_box_around_theta():
    given_problem, theta = problem()
    found = certify_rank(given_problem, theta, radius=1e-4)
    assert found.proved, found.reason
    assert found.radius == 1e-4
    low, high = map(float, found.enclosures["singular value 5"])
    for shift in np.random.default_rng(0).choice([-1e-4, 1e-4], size=(20, 9)):
        least = np.linalg.svd(jacobian(given_problem, theta + shift), compute_uv=False)[-1]
        assert low <= least <= high


def without_output_weights():
    """tanh (2, 3, 1) with a = 0: the columns of W and b vanish, and rank 4 is left of K = 13."""
    given_problem, theta = problem((2, 3, 1), 8)
    return given_problem, np.concatenate([theta[:9], np.zeros(3), theta[-1:]])


def test_columns_of_zeros_bound_the_rank():
    given_problem, theta = without_output_weights()
    full = certify_rank(given_problem, theta)
    assert not full.proved
    assert "rank 4 at least, not 8" in full.reason
    assert "More than 4 it cannot be: 9 of 13 columns are zero" in full.reason
    exactly = certify_rank(given_problem, theta, rank=4)
    assert exactly.proved
    assert exactly.enclosures["rank"] == ("4", "4")
    assert "rank exactly 4 (9 of 13 columns are zero)" in exactly.statement


def test_a_box_has_no_columns_of_zeros():
    given_problem, theta = without_output_weights()
    found = certify_rank(given_problem, theta, rank=4, radius=1e-12)
    assert found.proved, found.reason
    assert found.enclosures["rank"] == ("4", "8")
    assert "4 at least" in found.statement


@pytest.mark.parametrize("widths", [(2, 2, 1), (2, 3, 2)])
def test_equal_inputs_bound_the_rank(widths):
    given_problem, theta = problem(widths, 5)
    inputs = np.asarray(given_problem.data.inputs)[[0, 1, 0, 2, 0]]
    twins = gf.Problem(given_problem.network, gf.Dataset(inputs, given_problem.data.targets))
    Q = widths[-1]
    assert not certify_rank(twins, theta).proved
    found = certify_rank(twins, theta, rank=3 * Q, radius=1e-9)
    assert found.proved, found.reason
    assert found.enclosures["rank"] == (str(3 * Q), str(3 * Q))
    assert f"{2 * Q} rows are equal to others" in found.statement


def test_zero_and_minus_zero_are_one_input():
    D = [[arb(1), arb(2)], [arb(1), arb(2)]]
    assert rank_bounds.at_most(D, np.array([[0.0], [-0.0]]), None) == (
        1,
        "1 rows are equal to others",
    )


def test_residuals_count_only_where_they_are_not_zero():
    D = [[arb(1), arb(2)], [arb(1), arb(2)], [arb(3), arb(1)]]
    inputs = np.array([[1.0], [1.0], [2.0]])
    opposite = [
        arb(1),
        arb(-1),
        arb(0),
    ]  # its sum over the equal samples is zero: it says nothing new
    for residual, alone, grouped in (
        ([arb(1), arb(2), arb(3)], 2, 1),
        (opposite, 2, 2),
        ([arb(0, 1)] * 3, 2, 2),
        ([arb("nan")] * 3, 2, 2),
        ([arb(0)] * 3, 2, 2),
    ):
        assert rank_bounds.at_most(D, None, residual).rank == alone
        assert rank_bounds.at_most(D, inputs, residual).rank == grouped


# Undecided -------------------------------------------------------------------------------------------------------------------


def nearly_deficient():
    """Two inputs 1e-18 apart (as near as float64 allows): D has full rank, and its floats do not show it."""
    given_problem, theta = problem()
    inputs = np.array(given_problem.data.inputs)
    inputs[0] = [1e-18, 0.0]
    inputs[1] = [0.0, 0.0]
    return certify_rank(
        gf.Problem(given_problem.network, gf.Dataset(inputs, given_problem.data.targets)), theta
    )


def deficient():
    return certify_rank(*without_output_weights())


def large_box():
    return certify_rank(*problem(), radius=1.0)


def box_of_nan():
    return certify_rank(*problem(), radius=1e308)


@pytest.mark.parametrize("case", [nearly_deficient, deficient, large_box, box_of_nan])
def test_undecided(case):
    found = case()
    assert not found.proved
    assert found.reason
    assert not found.claim
    assert not found.enclosures


def test_a_dropped_radius_is_seen(monkeypatch):
    monkeypatch.setattr(rank, "around", lambda values, radius: values)
    assert large_box().proved


@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_never_more_than_the_true_rank(seed, rows, columns, r):
    """Products of whole numbers have an exact rank, at most r."""
    rng = np.random.default_rng(seed)
    D = (rng.integers(-3, 4, size=(rows, r)) @ rng.integers(-3, 4, size=(r, columns))).astype(
        np.float64
    )
    true = np.linalg.matrix_rank(D)
    with balls.precision(100):
        found = rank_bounds.at_least([balls.exact(row) for row in D])
    assert found.rank == true


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"theta": np.zeros(8)}, ValueError),
        ({"rank": 0}, ValueError),
        ({"rank": 6}, ValueError),
        ({"rank": 2.0}, TypeError),
        ({"radius": -1.0}, ValueError),
        ({"bits": 10}, ValueError),
        ({"problem": gf.MLP((2, 2, 1))}, TypeError),
    ],
)
def test_wrong_arguments(change, error):
    given_problem, theta = problem()
    with pytest.raises(error):
        certify_rank(**({"problem": given_problem, "theta": theta} | change))
