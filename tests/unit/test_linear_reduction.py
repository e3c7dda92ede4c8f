"""From a regression to the reduced problem and back (LN (1)-(3), Assumptions 1, 2, Remark 5), against plain numpy."""

import dataclasses

import jax.numpy as jnp
import linear_reference as plain
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from linear_cases import Point
from strategies import relative, scales, seeds

import geoflow as gf
import geoflow.linear_networks as ln

# one hidden layer and three, m = d_x, d_x = d_y, both, all ones, a bottleneck, layers that widen
SHAPES = [
    Point((4, 3, 2), m=7), Point((4, 3, 3, 2), m=4), Point((3, 4, 5, 3, 3), m=3), Point((1, 1, 1), m=1),
    Point((4, 2, 3), m=8), Point((4, 6, 7, 3), m=6),
]  # fmt: skip


def regressions():
    return st.builds(
        lambda shape, seed, scale, spread: dataclasses.replace(shape, seed=seed, scale=scale, spread=spread),
        st.sampled_from(SHAPES), seeds, scales, st.sampled_from([0.0, 1.0]),
    )  # fmt: skip


def reduced_of(drawn):
    assume(np.linalg.cond(drawn.X) < 1e4)  # Assumption 2: of full row rank, as a number
    return ln.reduction(drawn.data)


@settings(max_examples=60)
@given(regressions())
def test_the_loss_stays_and_the_way_back(drawn):
    reduced = reduced_of(drawn)
    bar = reduced.to_reduced(drawn.Ws)
    S = plain.target(reduced.sigma, drawn.dims[0])
    L = plain.loss(drawn.Ws, drawn.X, drawn.Y)
    assert plain.loss(bar, np.eye(drawn.dims[0]), S) + reduced.floor == pytest.approx(L, rel=1e-11)
    problem, original = reduced.problem(drawn.hidden), drawn.problem
    assert np.array_equal(np.asarray(problem.data.targets), S.T)
    assert float(ln.loss(problem, ln.theta_of(problem, bar))) + reduced.floor == pytest.approx(L, rel=1e-11)
    assert float(ln.loss(original, ln.theta_of(original, drawn.Ws))) == pytest.approx(L, rel=1e-11)
    for W, back in zip(drawn.Ws, reduced.to_original(bar), strict=True):
        assert relative(back, W) < 1e-10
    for W, again in zip(bar, reduced.to_reduced(reduced.to_original(bar)), strict=True):
        assert relative(again, W) < 1e-10


@settings(max_examples=60)
@given(regressions())
def test_the_floor_is_the_residual_of_least_squares(drawn):
    reduced, size = reduced_of(drawn), np.sum(drawn.Y**2)
    W, residual = plain.least_squares(drawn.X, drawn.Y)
    assert reduced.floor == pytest.approx(residual, rel=1e-10, abs=1e-13 * size)
    assert relative(reduced.least_squares, W) < 1e-9
    assert plain.loss([np.asarray(reduced.least_squares)], drawn.X, drawn.Y) == pytest.approx(
        reduced.floor, rel=1e-10, abs=1e-13 * size
    )
    # Σ_Y² are the eigenvalues of the part of YYᵀ that the rows of X explain
    explained = np.sqrt(np.linalg.eigvalsh(drawn.Y @ np.linalg.pinv(drawn.X) @ drawn.X @ drawn.Y.T)[::-1])
    assert np.allclose(reduced.sigma, explained, rtol=1e-6, atol=1e-7 * np.sqrt(size))
    assert (np.diff(reduced.sigma) <= 0).all()
    for Q in (reduced.U_X, reduced.U_Y, reduced.V_Y):
        assert np.abs(Q.T @ Q - np.eye(len(Q))).max() < 1e-13


@given(seeds, st.booleans())
def test_the_flow_is_reduced_too_only_where_the_inputs_are_white(seed, white):
    """The bars are a change of variables that keeps the metric when XXᵀ = 1, and only then."""
    drawn = Point((4, 3, 3, 3), seed, 0.8, m=8)
    inputs = np.linalg.qr(drawn.X.T)[0] if white else drawn.X.T
    data = gf.Dataset(jnp.asarray(inputs), jnp.asarray(drawn.Y.T))
    reduced, original = ln.reduction(data), ln.linear_problem(data, drawn.hidden)
    problem = reduced.problem(drawn.hidden)
    velocity = ln.weights(original, ln.gdd(original, ln.theta_of(original, drawn.Ws)))
    carried = ln.theta_of(problem, reduced.to_reduced(velocity))  # the change of variables is linear
    own = ln.gdd(problem, ln.theta_of(problem, reduced.to_reduced(drawn.Ws)))
    assert relative(carried, own) < 1e-10 if white else relative(carried, own) > 0.05


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=2), st.sampled_from([(1,), (2, 4)]))
def test_the_reduced_problem(sigma, hidden):
    """L = ½‖S − Π‖² with S = [Σ_Y 0]; sigma keeps its order, and a bottleneck is allowed."""
    problem = ln.reduced_problem(jnp.asarray(sigma), 4, hidden)
    assert problem.network.widths == (4, *hidden, len(sigma))
    assert np.array_equal(ln.nonzero_modes(problem), sigma)
    assert np.array_equal(np.asarray(problem.data.targets).T, plain.target(sigma, 4))
    nothing = jnp.zeros(problem.K)
    assert float(ln.loss(problem, nothing)) == pytest.approx(sum(s**2 for s in sigma) / 2, rel=1e-14)


def data(X, Y):
    return gf.Dataset(np.asarray(X, dtype=float).T, np.asarray(Y, dtype=float).T)


RNG = np.random.default_rng(0)
TALL, WIDE = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 8))
REFUSED = {
    "fewer samples than inputs": (data(TALL, RNG.normal(size=(2, 3))), r"m ≥ d_x ≥ d_y, got m = 3.*leading principal"),
    "more outputs than inputs": (data(WIDE, RNG.normal(size=(4, 8))), r"d_x = 3, d_y = 4\. Leave dependent targets"),
    "X of rank 2": (data(WIDE[[0, 1, 0]], WIDE[:2]), r"X of full row rank, got rank 2 of 3.*: drop features .* or project"),
    "Y of rank 1": (data(WIDE, WIDE[[0, 0]]), r"Y of full row rank, got rank 1 of 2 .*drop targets"),
    "a target of no input": (
        data([[1, -1, 1, -1], [1, 1, -1, -1]], [[1, -1, -1, 1], [1, 2, 3, 4]]),
        r"explain only 1 of the 2 directions of the targets .*Assumption 3.* the best map is 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_assumptions_that_fail(case):
    refused, advice = REFUSED[case]
    with pytest.raises(ValueError, match=advice):
        ln.reduction(refused)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    with pytest.raises(ValueError, match=r"sigma must be positive .*Assumption 2"):
        ln.reduced_problem(np.array([1.0, 0.0]), 3, (2,))
    with pytest.raises(ValueError, match=r"d_x ≥ d_y, got d_x = 1 < d_y = 2.* Leave dependent targets out"):
        ln.reduced_problem(np.array([2.0, 1.0]), 1, (2,))
    with pytest.raises(ValueError, match=r"sigma \(d_y,\) must not be empty"):
        ln.reduced_problem(np.array([]), 3, (2,))
    with pytest.raises(TypeError, match="sigma must be float64, got float32"):
        ln.reduced_problem(np.ones(2, np.float32), 3, (2,))
    with pytest.raises(ValueError, match="d_x must be a whole number"):
        ln.reduced_problem(np.array([2.0, 1.0]), 2.5, (2,))
    for make in (ln.linear_problem, lambda data, hidden: ln.reduction(data).problem(hidden)):
        with pytest.raises(ValueError, match="H ≥ 1 hidden layers are needed"):
            make(data(WIDE, WIDE[:2]), ())
    reduced = ln.reduction(data(WIDE, WIDE[:2]))
    for Ws in ([np.ones((2, 4)), np.ones((2, 2))], [np.ones((2, 3)), np.ones((3, 2))]):
        for move in (reduced.to_reduced, reduced.to_original):
            with pytest.raises(ValueError, match=r"from d_x = 3 inputs to d_y = 2 outputs.* made for other data\?"):
                move(Ws)
