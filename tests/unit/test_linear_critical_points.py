"""A critical point in every stratum, for any depth (LN Lemmas 3.1, 3.2, Proposition 4), against plain numpy."""

import functools
import itertools

import jax
import jax.numpy as jnp
import linear_reference as plain
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import seeds

import geoflow as gf
import geoflow.linear_networks as ln

SIGMA = (3.0, 1.0, 2.0)  # not in order: D is a set of places, not of ranks
# hidden widths at d_x = 4 and d_y = 3: H = 1, 2, 3, equal to d_y and wider
NETWORKS = {1: (4,), 2: (4, 3), 3: (3, 4, 4)}


@functools.cache
def network(H, sigma=SIGMA, d_x=4):
    return ln.reduced_problem(np.array(sigma), d_x, NETWORKS[H])


def vanishing(H):
    layers = range(2, H + 2)
    return [None, *(set(c) for n in range(1, H + 1) for c in itertools.combinations(layers, n))]


def plain_weights(problem, theta):
    return plain.split(theta, problem.network.widths)


def assert_critical(problem, theta, D, sigma=SIGMA):
    d_x = problem.network.widths[0]
    S = plain.target(sigma, d_x)
    Ws = plain_weights(problem, theta)
    assert np.linalg.norm(plain.flat(plain.gradient(Ws, np.eye(d_x), S))) < 1e-10
    kept = np.diag([float(i in D) for i in range(len(sigma))])
    assert np.abs(plain.product(Ws) - kept @ S).max() < 1e-12
    assert float(ln.loss(problem, theta)) == pytest.approx(ln.critical_value(sigma, D), abs=1e-12)
    return Ws


@pytest.mark.parametrize("H", NETWORKS)
@pytest.mark.parametrize("gauge", [0.0, 0.5])
def test_every_subset_and_every_vanish(H, gauge):
    problem, key = network(H), jax.random.key(H)
    for vanish in vanishing(H):
        for D in plain.subsets(3):
            key, key_D = jax.random.split(key)
            theta = ln.stratum_point(problem, D, key_D, vanish, gauge)
            Ws = assert_critical(problem, theta, D)
            Z = plain.chain(Ws[1:], Ws[1].shape[1])
            assert np.linalg.matrix_rank(Z, rtol=1e-9) == len(D)  # rk Z = r (Lemma 3.2)
            assert np.linalg.norm(ln.gdd(problem, theta)) < 1e-10


@settings(max_examples=30)
@given(st.sampled_from([1, 2, 3]), seeds, st.sets(st.integers(0, 2)), st.floats(0, 1))
def test_any_key_and_any_gauge(H, seed, D, gauge):
    theta = ln.stratum_point(network(H), D, jax.random.key(seed), gauge=gauge)
    assert_critical(network(H), theta, D)
    again = ln.stratum_point(network(H), tuple(sorted(D, reverse=True)), jax.random.key(seed), gauge=gauge)
    assert np.array_equal(theta, again)


def least_eigenvalue(problem, theta, sigma=SIGMA):
    d_x = problem.network.widths[0]
    H = plain.kronecker_hessian(plain_weights(problem, theta), np.eye(d_x), plain.target(sigma, d_x))
    eigenvalues = np.linalg.eigvalsh(H)
    return eigenvalues[0] / max(eigenvalues[-1], 1.0)


@pytest.mark.parametrize("H", NETWORKS)
def test_saddles_are_strict_by_default(H):
    """rk(W_H⋯W_2) > r, so the Hessian has a negative eigenvalue; at r = d_y it is a global minimum (Proposition 4)."""
    for seed, D in enumerate(plain.subsets(3)):
        theta = ln.stratum_point(network(H), D, jax.random.key(seed))
        least = least_eigenvalue(network(H), theta)
        assert least < -1e-4 if len(D) < 3 else least > -1e-12


@pytest.mark.parametrize(("H", "vanish"), [(2, {2, 3}), (3, {3, 4}), (3, {2, 3, 4})])
def test_saddles_with_a_positive_semidefinite_hessian(H, vanish):
    """Only where D holds the largest modes (here 0, then 2): another D has the rotation that swaps two of them."""
    top = [(), (0,), (0, 2)]
    for seed, D in enumerate(plain.subsets(3, 2)):
        theta = ln.stratum_point(network(H), D, jax.random.key(seed), vanish)
        least = least_eigenvalue(network(H), theta)
        assert least > -1e-12 if D in top else least < -1e-4


def test_the_rotation_that_swaps_two_modes():
    """L'' = −(σ_i² − σ_j²) where a kept j turns into a larger i that is lost, while W_1 follows: Π = uuᵀS, u = cos·e_j + sin·e_i."""
    sigma, d_x = (3.0, 2.0), 3
    problem = ln.reduced_problem(np.array(sigma), d_x, (2, 2))
    theta = ln.stratum_point(problem, (1,), jax.random.key(0), {2, 3}, gauge=0.0)
    Ws, S = plain_weights(problem, theta), plain.target(sigma, d_x)
    b = np.linalg.pinv(Ws[2] @ Ws[1])[:, 1]  # Z b = e_j

    def turned(t):
        c, s = np.cos(t), np.sin(t)
        return [Ws[0] + np.outer(b, np.array([s, c - 1]) @ S), Ws[1], np.array([[c, s], [-s, c]]) @ Ws[2]]

    h = 1e-2
    L = [plain.loss(turned(k * h), np.eye(d_x), S) for k in (-2, -1, 0, 1, 2)]
    assert np.dot(L, [-1, 16, -30, 16, -1]) / (12 * h**2) == pytest.approx(4 - 9, abs=1e-6)
    w = (plain.flat(turned(1e-5)) - plain.flat(turned(-1e-5))) / 2e-5
    assert float(ln.second_variation(problem, theta, jnp.asarray(w))) == pytest.approx(4 - 9, rel=1e-8)


def test_a_bottleneck_lets_few_modes_pass():
    problem = ln.reduced_problem(np.array(SIGMA), 4, (4, 2))
    for D in plain.subsets(3, 2):
        assert_critical(problem, ln.stratum_point(problem, D, jax.random.key(1)), D)
    with pytest.raises(ValueError, match=r"3 modes do not pass a hidden layer of width 2: give D of at most 2 modes"):
        ln.stratum_point(problem, (0, 1, 2), jax.random.key(1))


def test_square_and_scalar_networks():
    for sigma, d_x, hidden in (((2.0, 1.0), 2, (2,)), ((2.0,), 1, (1, 1)), ((2.0,), 3, (1,))):
        problem = ln.reduced_problem(np.array(sigma), d_x, hidden)
        for D in plain.subsets(len(sigma)):
            assert_critical(problem, ln.stratum_point(problem, D, jax.random.key(2)), D, sigma)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    problem, key = network(2), jax.random.key(0)
    for vanish in ({1}, {4}, (), {2, 5}):
        with pytest.raises(ValueError, match=r"vanish must name layers out of 2\.\.3, at least one, got \["):
            ln.stratum_point(problem, (0,), key, vanish)
    with pytest.raises(ValueError, match=r"D must be different modes out of 0\.\.2"):
        ln.stratum_point(problem, (3,), key)
    with pytest.raises(ValueError, match="gauge must be a finite number, zero or above"):
        ln.stratum_point(problem, (0,), key, gauge=-0.1)
    with pytest.raises(ValueError, match="asks for distinct σ_i"):
        ln.stratum_point(ln.reduced_problem(np.array([2.0, 2.0]), 3, (2,)), (0,), key)
    with pytest.raises(ValueError, match="needs a reduced problem"):
        ln.stratum_point(ln.linear_problem(gf.generic(key, 6, 3, 2), (3,)), (0,), key)
