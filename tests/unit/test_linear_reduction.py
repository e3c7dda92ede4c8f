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
    assert float(problem.loss(problem.theta_of(bar))) + reduced.floor == pytest.approx(L, rel=1e-11)
    assert float(original.loss(original.theta_of(drawn.Ws))) == pytest.approx(L, rel=1e-11)
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
    explained = np.sqrt(
        np.linalg.eigvalsh(drawn.Y @ np.linalg.pinv(drawn.X) @ drawn.X @ drawn.Y.T)[::-1]
    )
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
    reduced, original = ln.reduction(data), ln.LinearProblem(data, drawn.hidden)
    problem = reduced.problem(drawn.hidden)
    velocity = original.weights(ln.gdd(original, original.theta_of(drawn.Ws)))
    carried = problem.theta_of(reduced.to_reduced(velocity))  # the change of variables is linear
    own = ln.gdd(problem, problem.theta_of(reduced.to_reduced(drawn.Ws)))
    assert relative(carried, own) < 1e-10 if white else relative(carried, own) > 0.05


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=2), st.sampled_from([(1,), (2, 4)]))
def test_the_reduced_problem(sigma, hidden):
    """L = ½‖S − Π‖² with S = [Σ_Y 0]; sigma keeps its order, and a bottleneck is allowed."""
    problem = ln.ReducedProblem(jnp.asarray(sigma), 4, hidden)
    assert problem.network.widths == (4, *hidden, len(sigma))
    assert isinstance(problem, ln.LinearProblem)
    assert np.array_equal(problem.modes, sigma)
    assert (problem.modes == sigma).all()
    assert np.array_equal(problem.X, np.eye(4))
    assert np.array_equal(np.asarray(problem.data.targets).T, plain.target(sigma, 4))
    nothing = jnp.zeros(problem.K)
    assert float(problem.loss(nothing)) == pytest.approx(sum(s**2 for s in sigma) / 2, rel=1e-14)


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


UNITS = np.array([[1e7], [1.0], [1e-4]])


def test_features_in_units_far_apart_are_independent():
    """Told to scale, and scaling helps; not told to drop what is needed. The same for targets."""
    rng = np.random.default_rng(3)
    X, Y = UNITS * rng.normal(size=(3, 8)), rng.normal(size=(2, 8))
    message = r"the rows of {} are independent, but their scales differ by a factor [1-9]e\+1[01], .*: scale them \(subtract"
    for name, regression in (
        ("X", data(X, Y)),
        ("Y", data(rng.normal(size=(3, 8)), UNITS[[0, 2]] * Y)),
    ):
        with pytest.raises(ValueError, match=message.format(name)) as refusal:
            ln.reduction(regression)
        assert "drop" not in str(refusal.value)
    ln.reduction(data(X / X.std(axis=1, keepdims=True), Y))
    # apart by less than float64 can tell: no refusal at all
    ln.reduction(data(X * [[1e-3], [1.0], [1e3]], Y))


@pytest.mark.parametrize("dependent", ["twice", "a sum", "nothing"])
def test_dependent_features_in_units_far_apart_are_still_to_be_dropped(dependent):
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(3, 8)), rng.normal(size=(2, 8))
    X[2] = {"twice": X[0], "a sum": X[0] - 2 * X[1], "nothing": 0.0}[dependent]
    for units in (UNITS, UNITS[::-1], np.ones((3, 1))):
        with pytest.raises(
            ValueError, match=r"asks for X of full row rank, got rank [12] of 3 .*: drop features"
        ) as refusal:
            ln.reduction(data(units * X, Y))
        assert "scale them" not in str(refusal.value)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("case", REFUSED)
def test_assumptions_that_fail_at_any_scale(case, scale):
    """Inputs or targets in other units: the same decision."""
    refused, advice = REFUSED[case]
    for X, Y in ((scale, 1.0), (1.0, scale), (scale, scale)):
        with pytest.raises(ValueError, match=advice):
            ln.reduction(gf.Dataset(X * refused.inputs, Y * refused.targets))


@given(seeds, st.sampled_from([1e-6, 1e6]), st.sampled_from([1e-6, 1.0, 1e6]))
def test_the_units_of_a_regression(seed, X_scale, Y_scale):
    """Σ_Y goes with Y, Σ_X with X, the floor with Y²."""
    drawn = Point((4, 3, 2), seed, m=7)
    assume(np.linalg.cond(drawn.X) < 1e4)
    plain_one = ln.reduction(drawn.data)
    scaled = ln.reduction(
        gf.Dataset(jnp.asarray(X_scale * drawn.X.T), jnp.asarray(Y_scale * drawn.Y.T))
    )
    assert scaled.sigma == pytest.approx(Y_scale * plain_one.sigma, rel=1e-11)
    assert scaled.sigma_X == pytest.approx(X_scale * plain_one.sigma_X, rel=1e-11)
    assert scaled.floor == pytest.approx(Y_scale**2 * plain_one.floor, rel=1e-10)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    with pytest.raises(ValueError, match=r"sigma must be positive .*Assumption 2"):
        ln.ReducedProblem(np.array([1.0, 0.0]), 3, (2,))
    with pytest.raises(
        ValueError, match=r"d_x ≥ d_y, got d_x = 1 < d_y = 2.* Leave dependent targets out"
    ):
        ln.ReducedProblem(np.array([2.0, 1.0]), 1, (2,))
    with pytest.raises(ValueError, match=r"sigma \(d_y,\) must not be empty"):
        ln.ReducedProblem(np.array([]), 3, (2,))
    with pytest.raises(TypeError, match="sigma must be float64, got float32"):
        ln.ReducedProblem(np.ones(2, np.float32), 3, (2,))
    for sigma in ([2.0, -1.0], [0.0, 0.0]):
        with pytest.raises(ValueError, match=r"sigma must be positive .*Assumption 2"):
            ln.ReducedProblem(sigma, 3, (2,))
    with pytest.raises(
        ValueError, match="sigma must be finite, but 1 of 2 entries are NaN or infinite"
    ):
        ln.ReducedProblem([2.0, np.nan], 3, (2,))
    for sigma in (2.0, np.eye(2)):
        with pytest.raises(ValueError, match=r"sigma must have 1 axes \(d_y,\), got shape"):
            ln.ReducedProblem(sigma, 3, (2,))
    for d_x in (2.5, None, "3", True):
        with pytest.raises(TypeError, match="d_x must be a whole number, got"):
            ln.ReducedProblem(np.array([2.0, 1.0]), d_x, (2,))
    with pytest.raises(ValueError, match="d_x must be a whole number of at least 1, got 0"):
        ln.ReducedProblem(np.array([2.0, 1.0]), 0, (2,))
    for make in (
        lambda hidden: ln.ReducedProblem([1.0], 3, hidden),
        ln.reduction(data(WIDE, WIDE[:2])).problem,
    ):
        with pytest.raises(ValueError, match="H ≥ 1 hidden layers are needed"):
            make(())
    for no_data in (WIDE, ln.ReducedProblem([1.0], 2, (2,)), gf.Dataset):
        with pytest.raises(
            TypeError, match=r"(?s)data must be a Dataset, got .*Dataset\(inputs, targets\)"
        ):
            ln.reduction(no_data)
    reduced = ln.reduction(data(WIDE, WIDE[:2]))
    for Ws in ([np.ones((2, 4)), np.ones((2, 2))], [np.ones((2, 3)), np.ones((3, 2))]):
        for move in (reduced.to_reduced, reduced.to_original):
            with pytest.raises(
                ValueError, match=r"from d_x = 3 inputs to d_y = 2 outputs.* made for other data\?"
            ):
                move(Ws)
