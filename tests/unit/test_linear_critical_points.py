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

import geoflow.linear_networks as ln

SIGMA = (3.0, 1.0, 2.0)  # not in order: D is a set of places, not of ranks
# hidden widths at d_x = 4 and d_y = 3: H = 1, 2, 3, equal to d_y and wider
NETWORKS = {1: (4,), 2: (4, 3), 3: (3, 4, 4)}


@functools.cache
def network(H, sigma=SIGMA, d_x=4):
    return ln.ReducedProblem(np.array(sigma), d_x, NETWORKS[H])


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
    assert float(problem.loss(theta)) == pytest.approx(ln.critical_value(sigma, D), abs=1e-12)
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
    again = ln.stratum_point(
        network(H), tuple(sorted(D, reverse=True)), jax.random.key(seed), gauge=gauge
    )
    assert np.array_equal(theta, again)


def least_eigenvalue(problem, theta, sigma=SIGMA):
    d_x = problem.network.widths[0]
    H = plain.kronecker_hessian(
        plain_weights(problem, theta), np.eye(d_x), plain.target(sigma, d_x)
    )
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
    problem = ln.ReducedProblem(np.array(sigma), d_x, (2, 2))
    theta = ln.stratum_point(problem, (1,), jax.random.key(0), {2, 3}, gauge=0.0)
    Ws, S = plain_weights(problem, theta), plain.target(sigma, d_x)
    b = np.linalg.pinv(Ws[2] @ Ws[1])[:, 1]  # Z b = e_j

    def turned(t):
        c, s = np.cos(t), np.sin(t)
        return [
            Ws[0] + np.outer(b, np.array([s, c - 1]) @ S),
            Ws[1],
            np.array([[c, s], [-s, c]]) @ Ws[2],
        ]

    h = 1e-2
    L = [plain.loss(turned(k * h), np.eye(d_x), S) for k in (-2, -1, 0, 1, 2)]
    assert np.dot(L, [-1, 16, -30, 16, -1]) / (12 * h**2) == pytest.approx(4 - 9, abs=1e-6)
    w = (plain.flat(turned(1e-5)) - plain.flat(turned(-1e-5))) / 2e-5
    assert float(ln.second_variation(problem, theta, jnp.asarray(w))) == pytest.approx(
        4 - 9, rel=1e-8
    )


def test_a_bottleneck_lets_few_modes_pass():
    problem = ln.ReducedProblem(np.array(SIGMA), 4, (4, 2))
    for D in plain.subsets(3, 2):
        assert_critical(problem, ln.stratum_point(problem, D, jax.random.key(1)), D)
    with pytest.raises(
        ValueError,
        match=r"3 modes do not pass a hidden layer of width 2: give D of at most 2 modes",
    ):
        ln.stratum_point(problem, (0, 1, 2), jax.random.key(1))


def test_square_and_scalar_networks():
    for sigma, d_x, hidden in (((2.0, 1.0), 2, (2,)), ((2.0,), 1, (1, 1)), ((2.0,), 3, (1,))):
        problem = ln.ReducedProblem(np.array(sigma), d_x, hidden)
        for D in plain.subsets(len(sigma)):
            assert_critical(problem, ln.stratum_point(problem, D, jax.random.key(2)), D, sigma)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    problem, key = network(2), jax.random.key(0)
    for vanish in ({1}, {4}, (), {2, 5}):
        with pytest.raises(
            ValueError, match=r"vanish must name layers out of 2\.\.3, at least one, got \["
        ):
            ln.stratum_point(problem, (0,), key, vanish)
    with pytest.raises(ValueError, match=r"D must be different modes out of 0\.\.2"):
        ln.stratum_point(problem, (3,), key)
    for vanish in (2, "2", (2.0,), [True]):
        with pytest.raises(
            TypeError, match=r"vanish must list layers, whole numbers out of 2\.\.3, got"
        ):
            ln.stratum_point(problem, (0,), key, vanish)
    with pytest.raises(
        ValueError, match=r"gauge must be a finite number, zero or above, got -0\.1"
    ):
        ln.stratum_point(problem, (0,), key, gauge=-0.1)
    with pytest.raises(TypeError, match="gauge must be one number, got 'little'"):
        ln.stratum_point(problem, (0,), key, gauge="little")
    with pytest.raises(ValueError, match="asks for distinct σ_i"):
        ln.stratum_point(ln.ReducedProblem(np.array([2.0, 2.0]), 3, (2,)), (0,), key)
    with pytest.raises(
        TypeError,
        match=r"key must be a random key, got 0: make one from a seed with jax\.random\.key",
    ):
        ln.stratum_point(problem, (0,), 0)
    with pytest.raises(
        ValueError,
        match=r"one random key, got an array of them, shape \(2,\): pass one, as keys\[0\]",
    ):
        ln.stratum_point(problem, (0,), jax.random.split(key))


# (d_x, d_y, d_1): no null columns, one and more of them, bottlenecks, layers wider than all
ONE_HIDDEN = [(5, 3, 4), (4, 2, 3), (6, 2, 5), (3, 3, 4), (5, 2, 2), (4, 3, 2), (3, 1, 2)]


@pytest.mark.parametrize(("d_x", "d_y", "d_1"), ONE_HIDDEN)
@pytest.mark.parametrize("gauge", [0.0, 0.5])
def test_one_hidden_layer_fills_its_stratum(d_x, d_y, d_1, gauge):
    """Whatever is free in O_D is there: W_1 = A⁺S_D + (1 − A⁺A)R with A = W_2[D] of full rank and R as large as it can be.

    That holds for R in the columns of the kept modes and the null columns W_1^(2) together, and in the latter alone.
    """
    sigma = SIGMA[:d_y]
    problem = ln.ReducedProblem(np.array(sigma), d_x, (d_1,))
    for seed, D in enumerate(plain.subsets(d_y, d_1)):
        r, lost = len(D), [i for i in range(d_y) if i not in D]
        W_1, W_2 = plain_weights(
            problem, ln.stratum_point(problem, D, jax.random.key(seed), gauge=gauge)
        )
        A = W_2[list(D)]
        again = plain.one_hidden_stratum(A, W_1, sigma, d_x, D)
        assert np.abs(again[0] - W_1).max() < 1e-12
        assert np.abs(again[1] - W_2).max() < 1e-12
        free = W_1 - np.linalg.pinv(A) @ A @ W_1 if r else W_1
        null = np.arange(d_y, d_x)
        for columns in (null, [*D, *null]):
            for block in (
                (free[:, columns], W_1[:, columns])
                if r == 0 or columns is null
                else (free[:, columns],)
            ):
                assert gap_rank(block) == min(d_1 - r, len(columns))
        assert not W_1[:, lost].any()


def gap_rank(block):
    """The rank where nothing is near the border."""
    sizes = np.linalg.svd(block, compute_uv=False) if block.size else np.zeros(0)
    assert ((sizes > 1e-3) | (sizes < 1e-12)).all(), sizes
    return int((sizes > 1e-3).sum())


@pytest.mark.parametrize(("d_x", "d_y", "d_1"), [(4, 2, 3), (3, 2, 2)])
def test_the_points_of_a_stratum_span_what_its_points_span(d_x, d_y, d_1):
    """The affine hull of many points, and of many products of two of their entries: as large as for points of the witness."""
    sigma, rng = SIGMA[:d_y], np.random.default_rng(0)
    problem = ln.ReducedProblem(np.array(sigma), d_x, (d_1,))
    many = problem.K + 8
    one, two = rng.integers(0, problem.K, size=(2, problem.K))
    for D in plain.subsets(d_y, d_1):
        A, R = rng.normal(size=(many, len(D), d_1)), rng.normal(size=(many, d_1, d_x))
        theirs = np.array(
            [plain.flat(plain.one_hidden_stratum(A[i], R[i], sigma, d_x, D)) for i in range(many)]
        )
        ours = np.array(
            [ln.stratum_point(problem, D, key) for key in jax.random.split(jax.random.key(1), many)]
        )
        ranks = [
            [
                np.linalg.matrix_rank(np.column_stack([np.ones(many), x]), rtol=1e-9)
                for x in (points, points[:, one] * points[:, two])
            ]
            for points in (ours, theirs)
        ]
        assert ranks[0] == ranks[1], D


@pytest.mark.parametrize("H", NETWORKS)
@pytest.mark.parametrize("gauge", [0.0, 0.5])
def test_every_hidden_layer_is_mixed(H, gauge):
    """No hidden neuron has the plain pattern it was made with: every weight into it and out of it counts.

    But for the columns of W_1 at lost modes and the rows of W_{H+1} at them, which are zero on the whole stratum.
    """
    problem = network(H)
    for vanish, D in itertools.product([None, {2}], plain.subsets(3)):
        Ws = plain_weights(
            problem, ln.stratum_point(problem, D, jax.random.key(len(D)), vanish, gauge)
        )
        Ws[0] = np.delete(Ws[0], [i for i in range(3) if i not in D], axis=1)
        if (
            len(D) == NETWORKS[H][0]
        ):  # no idle neuron in the first layer: there W_1^(2) is zero on the whole stratum
            Ws[0] = Ws[0][:, : len(D)]
        if vanish is None or H == 1:
            Ws[-1] = Ws[-1][list(D)]
        for k, W in enumerate(Ws, start=1):
            if W.any():
                assert np.abs(W).min() > 1e-6 * np.abs(W).max(), (k, D)
            else:
                assert not len(D)  # a layer that vanishes, with no mode to carry


def test_the_gauge_stretches_by_no_more_than_it_says():
    """The singular values of G_k within e^{±gauge}: those of W_1 at D = all within that of σ."""
    problem = ln.ReducedProblem(np.array([2.0, 1.0]), 2, (2,))
    spread = [np.linalg.svd(plain_weights(problem, ln.stratum_point(problem, (0, 1), jax.random.key(i), gauge=0.7))[1],
                            compute_uv=False) for i in range(40)]  # fmt: skip
    assert np.abs(np.log(spread)).max() <= 0.7
    assert np.abs(np.log(spread)).max() > 0.6
    still = ln.stratum_point(problem, (0, 1), jax.random.key(0), gauge=0.0)
    assert np.linalg.svd(plain_weights(problem, still)[1], compute_uv=False) == pytest.approx(
        [1, 1], rel=1e-13
    )


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("H", NETWORKS)
def test_critical_at_any_scale_of_the_targets(H, scale):
    sigma = tuple(scale * s for s in SIGMA)
    problem, S = ln.ReducedProblem(np.array(sigma), 4, NETWORKS[H]), plain.target(sigma, 4)
    Ws = plain_weights(problem, ln.stratum_point(problem, (0, 2), jax.random.key(H)))
    kept = np.diag([1.0, 0.0, 1.0])
    size = max(scale, 1.0)  # of W_1, whose idle neurons do not know of σ
    assert np.abs(plain.product(Ws) - kept @ S).max() < 1e-14 * size
    first, *others = plain.gradient(Ws, np.eye(4), S)
    assert np.abs(first).max() < 1e-13 * size
    assert max(np.abs(G).max() for G in others) < 1e-13 * size**2
