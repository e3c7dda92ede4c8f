"""What the dynamics keep and what follows for the product (LN Lemmas 2.3, 2.4): pointwise, and along one orbit."""

import functools
import itertools

import jax.numpy as jnp
import linear_reference as plain
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_cases import DIMS, Point, points
from strategies import relative, seeds

import geoflow as gf
import geoflow.linear_networks as ln


def plain_invariants(Ws):
    return [
        plain.times(after.T, after) - plain.times(W, W.T) for W, after in itertools.pairwise(Ws)
    ]


@given(points())
def test_the_invariants_by_loops(drawn):
    for C, expected in zip(ln.invariants(drawn.Ws), plain_invariants(drawn.plain), strict=True):
        assert relative(C, expected) < 1e-13
    differences = np.asarray(ln.norm_differences(drawn.Ws))
    assert differences[-1] == 0
    for c, W in zip(differences, drawn.plain, strict=True):
        assert c == pytest.approx(
            sum(w**2 for w in plain.flat([W])) - sum(w**2 for w in plain.flat(drawn.plain[-1:]))
        )
    # (8) from (7): tr C_k = ‖W_{k+1}‖² − ‖W_k‖²
    assert np.diff(differences) == pytest.approx(
        [np.trace(C) for C in ln.invariants(drawn.Ws)], abs=1e-12
    )


@settings(max_examples=40)
@given(points())
def test_the_field_keeps_them_at_every_point(drawn):
    """dC_k/dt by the product rule, with Ẇ from `gdd`: zero, while each of its two halves is not."""
    dots = [np.asarray(W) for W in drawn.problem.weights(ln.gdd(drawn.problem, drawn.theta))]
    pairs = zip(itertools.pairwise(drawn.plain), itertools.pairwise(dots), strict=True)
    for (W, after), (W_dot, after_dot) in pairs:
        rise, fall = after_dot.T @ after + after.T @ after_dot, W_dot @ W.T + W @ W_dot.T
        size = np.linalg.norm(after_dot) * np.linalg.norm(after) + np.linalg.norm(
            W_dot
        ) * np.linalg.norm(W)
        assert np.linalg.norm(rise) > 1e-6 * size
        assert np.linalg.norm(rise - fall) < 1e-13 * size


@functools.cache
def orbit():
    """T = 10 of the paper's time, H = 3, generic data."""
    drawn = Point((4, 3, 3, 3, 2), seed=4, scale=1.2)
    followed = gf.integrate(ln.gdd, drawn.problem, drawn.theta, until=10.0, save=9)
    return (
        drawn,
        [drawn.problem.weights(theta) for theta in map(jnp.asarray, followed.theta)],
        followed,
    )


def test_they_stay_along_an_orbit():
    drawn, states, followed = orbit()
    assert followed.cost[-1] < 0.2 * followed.cost[0]  # it went somewhere
    for Ws in states:
        for C, start in zip(ln.invariants(Ws), plain_invariants(drawn.plain), strict=True):
            assert np.abs(C - start).max() < 1e-9
        assert np.abs(ln.norm_differences(Ws) - ln.norm_differences(drawn.Ws)).max() < 1e-9


def test_the_bounds_of_the_start_hold_along_the_orbit():
    """P and Q depend on the invariants alone, so the polynomials of the start bound ‖Π‖² at every later time."""
    drawn, states, _ = orbit()
    bounds = ln.product_bounds(drawn.Ws)
    for Ws in states:
        g, size = (
            float(np.sum(np.asarray(Ws[-1]) ** 2)),
            np.sum(plain.product([np.asarray(W) for W in Ws]) ** 2),
        )
        assert bounds.lower(g) <= size <= bounds.upper(g)
    ends = ln.product_bounds(states[-1])
    assert ends.P.coef == pytest.approx(bounds.P.coef, abs=1e-7 * bounds.P.coef.max())
    assert ends.Q.coef == pytest.approx(bounds.Q.coef, abs=1e-7 * bounds.Q.coef.max())


def holds(bounds, Ws):
    g, size = np.sum(Ws[-1] ** 2), np.sum(plain.product(Ws) ** 2)
    slack = 1e-12 * (bounds.upper(g) + bounds.P(g))
    return bounds.lower(g) <= size + slack and size <= bounds.upper(g) + slack


@settings(max_examples=100)
@given(st.sampled_from(DIMS), seeds, st.lists(st.floats(-3, 3), min_size=4, max_size=4))
def test_the_bounds_hold_for_weights_of_any_size(dims, seed, logarithms):
    """Layer by layer scales from e⁻³ to e³, so that invariants of both signs are large or small against g."""
    drawn = Point(dims, seed)
    Ws = [np.exp(a) * W for a, W in zip(logarithms, drawn.plain, strict=False)]
    bounds = ln.product_bounds(
        [drawn.Ws[k] * np.exp(a) for k, a in zip(range(len(Ws)), logarithms, strict=False)]
    )
    assert holds(bounds, Ws)
    assert (bounds.H, bounds.d_y) == (len(dims) - 2, dims[-1])
    for polynomial in (bounds.P, bounds.Q):
        assert polynomial.degree() <= bounds.H
        assert (polynomial.coef >= -1e-12 * np.abs(polynomial.coef).max()).all()


@given(st.sampled_from(DIMS), seeds, st.floats(0.1, 10))
def test_the_bounds_where_they_are_attained(dims, seed, size):
    """Balanced weights: P = Q = 0; rank one attains the upper bound, equal singular values (d_y of them) the lower."""
    rng = np.random.default_rng(seed)
    bases = [np.linalg.qr(rng.normal(size=(d, d)))[0] for d in dims]
    for rank, bound in ((1, "upper"), (dims[-1], "lower")):
        if min(dims) < rank:
            continue
        Ws = [size * U[:, :rank] @ V[:, :rank].T for V, U in itertools.pairwise(bases)]
        bounds = ln.product_bounds([jnp.asarray(W) for W in Ws])
        g, Pi = np.sum(Ws[-1] ** 2), np.sum(plain.product(Ws) ** 2)
        assert getattr(bounds, bound)(g) == pytest.approx(Pi, rel=1e-9)


def test_the_bounds_are_not_vacuous_in_between():
    """For large weights (invariants of order 1 kept) g^{H+1} wins over P, Q: both are within a factor 1.5 of their leading term."""
    rng = np.random.default_rng(0)
    U, V, R = (np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(3))
    s = np.array([9.0, 8.0, 7.0])
    # singular values √(s² + k): W_{k+1}ᵀW_{k+1} − W_kW_kᵀ = 1, exactly
    Ws = [(U * s) @ V.T, (R * np.sqrt(s**2 + 1)) @ U.T, np.sqrt(s**2 + 2)[:, None] * R.T]
    bounds = ln.product_bounds([jnp.asarray(W) for W in Ws])
    g, Pi = np.sum(Ws[-1] ** 2), np.sum(plain.product(Ws) ** 2)
    assert bounds.upper(g) < 1.5 * g**3
    assert bounds.lower(g) > g**3 / 3**2 / 1.5
    assert bounds.lower(g) < Pi < bounds.upper(g)


def test_the_bounds_by_hand():
    """w_1 = 1, w_2 = 2: c_1 = −3, γ = 3, ‖Π‖² = 4 between g² − 3g and g² + 3g, 4 and 28 at g = 4."""
    bounds = ln.product_bounds([jnp.asarray([[1.0]]), jnp.asarray([[2.0]])])
    assert bounds.P.coef.tolist() == [0.0, 3.0]
    assert bounds.Q.coef.tolist() == [0.0, 3.0]
    assert (bounds.lower(4.0), bounds.upper(4.0)) == (4.0, 28.0)
    assert np.array_equal(bounds.lower(np.array([4.0, 10.0])), [4.0, 70.0])
