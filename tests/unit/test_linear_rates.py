"""LN Proposition 2 and Remark 4: the promised rates against plain numpy, pointwise and along orbits."""

import functools
import itertools

import jax
import jax.numpy as jnp
import linear_reference as plain
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_cases import Point
from strategies import seeds

import geoflow as gf
import geoflow.linear_networks as ln

# (d_x, d_1 ≥ ... ≥ d_y): narrow and wide inputs, equal widths, one output
PYRAMIDS = [(4, 3, 2), (2, 4, 2), (4, 3, 3, 2), (4, 4, 3, 2, 1), (1, 1, 1)]


def plain_rate(Ws):
    """c_k from the non-symmetric eigenvalue routine and a sort, the products by hand."""
    c = []
    for W, after in itertools.pairwise(Ws):
        eigenvalues = sorted(np.linalg.eigvals(after.T @ after - W @ W.T).real, reverse=True)
        c.append(eigenvalues[after.shape[0] - 1])
    alpha = improved = 1.0
    for k, c_k in enumerate(c):
        alpha, improved = alpha * max(c_k, 0), improved * max(sum(c[: k + 1]), 0)
    return c, alpha, improved


@settings(max_examples=60)
@given(st.sampled_from(PYRAMIDS), seeds, st.floats(0.5, 3))
def test_the_rates_by_hand(dims, seed, growth):
    drawn = Point(dims, seed)
    Ws = [growth**k * W for k, W in enumerate(drawn.plain)]
    rate = ln.exponential_rate([jnp.asarray(W) for W in Ws])
    c, alpha, improved = plain_rate(Ws)
    size = max(np.sum(W**2) for W in Ws)
    assert rate.c == pytest.approx(c, abs=1e-12 * size)
    assert rate.alpha == pytest.approx(alpha, rel=1e-9, abs=1e-9)
    assert rate.improved == pytest.approx(improved, rel=1e-9, abs=1e-9)
    assert rate.admissible == all(x > 0 for x in c)


@given(st.sampled_from(PYRAMIDS), seeds, st.floats(0.5, 3), st.sampled_from([1e-6, 1e6]))
def test_the_rates_at_any_scale(dims, seed, growth, scale):
    """c_k goes with the square of the weights, α with their 2H-th power; which starts are admissible does not change."""
    Ws = [growth**k * W for k, W in enumerate(Point(dims, seed).Ws)]
    rate, scaled = ln.exponential_rate(Ws), ln.exponential_rate([scale * W for W in Ws])
    H = len(Ws) - 1
    assert scaled.admissible == rate.admissible
    assert scaled.c == pytest.approx(scale**2 * rate.c, rel=1e-9)
    assert scaled.alpha == pytest.approx(scale ** (2 * H) * rate.alpha, rel=1e-8)
    assert scaled.improved == pytest.approx(scale ** (2 * H) * rate.improved, rel=1e-8)


@settings(max_examples=60)
@given(st.sampled_from(PYRAMIDS), seeds, st.floats(0, 2), st.floats(0.01, 3))
def test_a_growing_start_is_admissible(dims, seed, scale, gap):
    Ws = ln.growing_start(dims, jax.random.key(seed), scale, gap)
    assert [W.shape for W in Ws] == list(zip(dims[1:], dims[:-1], strict=True))
    rate = ln.exponential_rate(Ws)
    assert rate.admissible
    assert (rate.c >= gap - 1e-12 * float(jnp.sum(Ws[-1] ** 2))).all()
    assert rate.improved >= rate.alpha * (1 - 1e-12)
    assert rate.alpha > 0
    # Remark 4, by its own formula: the singular values of a layer above the norm of the one before
    for W, after in itertools.pairwise(Ws):
        assert np.linalg.svd(after, compute_uv=False)[-1] > np.linalg.norm(W, 2)


def decay(problem, theta):
    """−d/dt ½‖E‖² = |∇L|² from the field, and ‖E‖² = 2L."""
    return float(jnp.sum(ln.gdd(problem, theta) ** 2)), 2 * float(problem.loss(theta))


@settings(max_examples=100)
@given(
    st.sampled_from([(4, 3, 2), (4, 3, 3, 2)]),
    seeds,
    st.floats(0.3, 2),
    st.floats(0.05, 2),
    st.booleans(),
)
def test_the_differential_inequality_at_any_point(dims, seed, scale, gap, admissible):
    """d/dt ½‖E‖² ≤ −α'‖E‖² ≤ −α‖E‖² at every point with those invariants, whatever the data."""
    drawn = Point(dims, seed, scale, m=None)
    key = jax.random.key(seed)
    Ws = ln.growing_start(dims, key, scale, gap) if admissible else drawn.Ws
    rate = ln.exponential_rate(Ws)
    fall, size = decay(drawn.problem, drawn.problem.theta_of(Ws))
    assert fall >= rate.improved * size * (1 - 1e-10)
    assert rate.improved >= rate.alpha * (1 - 1e-10)


@given(seeds, st.floats(0.3, 2), st.sampled_from([0.0, 1.0]))
def test_inputs_that_are_not_white_scale_the_rate(seed, scale, spread):
    """With σ_min(X)², for the part of E in the rows of X: ½‖that‖² = L − L*."""
    drawn = Point((3, 3, 2), seed, m=7, spread=spread)
    Ws = ln.growing_start(drawn.dims, jax.random.key(seed), scale)
    fall, _ = decay(drawn.problem, drawn.problem.theta_of(Ws))
    _, floor = plain.least_squares(drawn.X, drawn.Y)
    excess = plain.loss([np.asarray(W) for W in Ws], drawn.X, drawn.Y) - floor
    least = np.linalg.svd(drawn.X, compute_uv=False)[-1]
    assert fall >= 2 * excess * ln.exponential_rate(Ws).improved * least**2 * (1 - 1e-9)


@functools.cache
def census():
    """Admissible starts of dims (4, 3, 3, 2) on one reduced problem, followed together."""
    problem = ln.ReducedProblem(np.array([2.0, 1.0]), 4, (3, 3))
    keys = jax.random.split(jax.random.key(0), 24)
    starts = [
        ln.growing_start((4, 3, 3, 2), key, 0.5, 0.05 + 0.02 * i) for i, key in enumerate(keys)
    ]
    ensemble = gf.integrate_many(
        ln.gdd,
        problem,
        jnp.stack([problem.theta_of(Ws) for Ws in starts]),
        until=4.0,
        save=9,
        rtol=1e-9,
        atol=1e-12,
    )
    return [ln.exponential_rate(Ws) for Ws in starts], ensemble


def test_no_admissible_start_is_slower_than_promised():
    rates, ensemble = census()
    floor = 1e-18  # (atol)² and more
    for rate, cost in zip(rates, ensemble.cost, strict=True):
        assert rate.admissible
        for promised in (rate.alpha, rate.improved):
            assert (cost <= cost[0] * np.exp(-2 * promised * ensemble.s) * (1 + 1e-7) + floor).all()


def test_the_improved_rate_is_attained():
    """W_1 = 0, W_2, W_3 with equal singular values a < b: A_1A_1ᵀ = a²b² and α' = a²(a² + b² − a²), α = a²(b² − a²)."""
    a, b = 0.8, 1.1
    problem = ln.ReducedProblem(np.array([2.0, 1.0]), 3, (3, 3))
    Ws = [jnp.zeros((3, 3)), a * jnp.eye(3), b * jnp.eye(2, 3)]
    rate = ln.exponential_rate(Ws)
    assert rate.c == pytest.approx([a**2, b**2 - a**2], rel=1e-13)
    assert rate.alpha == pytest.approx(a**2 * (b**2 - a**2), rel=1e-12)
    fall, size = decay(problem, problem.theta_of(Ws))
    assert fall == pytest.approx(rate.improved * size, rel=1e-12)
    assert rate.improved > rate.alpha


def test_the_rate_is_sharp_along_an_orbit():
    """W_1 = 0 and a tiny target: the weights hardly move, and the residual falls at the rate α to 1e-4, not slower."""
    problem = ln.ReducedProblem(np.array([2e-3, 1e-3]), 3, (4,))
    Ws = [jnp.zeros((4, 3)), 1.2 * jnp.eye(2, 4)]
    alpha = ln.exponential_rate(Ws).alpha
    assert alpha == pytest.approx(1.44, rel=1e-13)
    orbit = gf.integrate(ln.gdd, problem, problem.theta_of(Ws), until=5.0, save=9, atol=1e-16)
    measured = -np.log(orbit.cost[1:] / orbit.cost[0]) / (2 * orbit.s[1:])
    assert measured == pytest.approx(np.full(8, alpha), rel=1e-4)
    assert (measured >= alpha * (1 - 1e-9)).all()


def test_weights_that_are_not_admissible_promise_nothing():
    W = jnp.eye(2)
    balanced = ln.exponential_rate([W, W])
    assert (balanced.alpha, balanced.improved, balanced.admissible) == (0.0, 0.0, False)
    shrinking = ln.exponential_rate([W, 2 * W, 1.5 * W])  # c = 3, −1.75: only the sum is positive
    assert shrinking.c == pytest.approx([3.0, -1.75])
    assert (shrinking.alpha, shrinking.admissible) == (0.0, False)
    assert shrinking.improved == pytest.approx(3 * 1.25)
    # two negative factors are no rate
    assert ln.exponential_rate([3 * W, 2 * W, W]).alpha == 0.0


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    widens = [np.ones((2, 5)), np.ones((3, 2)), np.ones((1, 3))]
    with pytest.raises(
        ValueError,
        match=r"got widths \(d_x, d_1, \.\.\., d_y\) = \(5, 2, 3, 1\).*Order the hidden widths",
    ):
        ln.exponential_rate(widens)
    key = jax.random.key(0)
    with pytest.raises(ValueError, match="where a layer widens"):
        ln.growing_start((5, 2, 3), key)
    for widths in ((), (3,), (3, 2)):
        with pytest.raises(ValueError, match=r"H ≥ 1 hidden layers are needed: give widths"):
            ln.growing_start(widths, key)
    with pytest.raises(
        ValueError, match=r"widths\[1\] must be a whole number of at least 1, got 0"
    ):
        ln.growing_start((3, 0, 1), key)
    for widths in (3, "321", (3, 2.5, 1), (3, True, 1), None):
        with pytest.raises(
            TypeError, match=r"widths must be whole numbers \(d_x, d_1, \.\.\., d_y\), got"
        ):
            ln.growing_start(widths, key)
    with pytest.raises(TypeError, match="key must be a random key, got 0: make one from a seed"):
        ln.growing_start((3, 2, 1), 0)
    with pytest.raises(TypeError, match="scale must be one number, got 'large'"):
        ln.growing_start((3, 2, 1), key, scale="large")
    with pytest.raises(ValueError, match="scale must be a finite number, zero or above"):
        ln.growing_start((3, 2, 1), key, scale=-1.0)
    with pytest.raises(ValueError, match="gap must be a finite number above zero"):
        ln.growing_start((3, 2, 1), key, gap=0.0)
