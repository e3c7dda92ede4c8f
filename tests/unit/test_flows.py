"""The three vector fields against plain numpy, closed forms, and what they refuse."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import PlainNetwork
from strategies import Case, cases, relative

import geoflow as gf
from geoflow.flows import flow_named


def plainly(drawn):
    """v and D of the plain network."""
    plain = PlainNetwork.like(drawn.problem.network)
    v = (plain.outputs(np.asarray(drawn.theta), drawn.inputs) - drawn.targets).ravel()
    return v, plain.jacobian(np.asarray(drawn.theta), drawn.inputs)


@settings(max_examples=5)  # each new shape compiles for a second
@given(cases())
@example(Case((3, 2), 4, seed=1))
@example(Case((2, 4, 1), 1, seed=2))
def test_the_standard_field_is_minus_the_gradient(drawn):
    v, D = plainly(drawn)
    velocity = gf.standard(drawn.problem, drawn.theta)
    assert np.linalg.norm(velocity + D.T @ v / drawn.N) < 1e-12 * (
        1 + np.linalg.norm(D) * np.linalg.norm(v)
    )


OVER = [
    Case((2, 8, 1), 5, seed=1),
    Case((3, 5, 5, 2), 4, "softplus", seed=2),
    Case((4, 3), 3, seed=3),
]


@pytest.mark.parametrize("drawn", [*OVER, Case((2, 4, 2), 11, seed=8)], ids=repr)
def test_the_adapted_field_moves_the_outputs_straight_at_the_targets(drawn):
    """K ≥ QN at full rank: θ' = −Dᵀ(DDᵀ)⁻¹(x − y)/N, so that x' = Dθ' = −(x − y)/N (GM Theorem 2.1)."""
    v, D = plainly(drawn)
    velocity = np.asarray(gf.adapted(drawn.problem, drawn.theta))
    loss = np.linalg.cond(D)
    assert relative(D @ velocity, -v / drawn.N) < 1e-15 * loss * 100
    assert relative(velocity, -D.T @ np.linalg.solve(D @ D.T, v) / drawn.N) < 1e-15 * loss**2 * 100


def test_at_the_border_both_flows_are_newtons():
    """K = QN: D⁺ = D⁻¹ and θ' = −D⁻¹(x − y)/N (GM section 6)."""
    drawn = Case((2, 4, 2), 11, seed=8)
    assert drawn.problem.regime == "border"
    v, D = plainly(drawn)
    velocity = gf.adapted(drawn.problem, drawn.theta)
    assert relative(velocity, -np.linalg.solve(D, v) / drawn.N) < 1e-15 * np.linalg.cond(D) * 100


@pytest.mark.parametrize(
    "drawn",
    [Case((2, 2, 1), 20, seed=3), Case((3, 2), 9, seed=3), Case((1, 2, 2), 6, "sin", seed=3)],
    ids=repr,
)
def test_below_the_border_the_adapted_field_is_gauss_newtons(drawn):
    """K < QN: θ' = −(DᵀD)⁻¹∇_θC and x' = −P∇_xC (NA Theorem 1.5, GM Theorem 5.1)."""
    assert drawn.problem.regime == "under"
    v, D = plainly(drawn)
    loss = np.linalg.cond(D) ** 2
    velocity = np.asarray(gf.adapted(drawn.problem, drawn.theta))
    assert relative(velocity, -np.linalg.solve(D.T @ D, D.T @ v / drawn.N)) < 1e-15 * loss * 100
    P = D @ np.linalg.inv(D.T @ D) @ D.T
    assert relative(D @ velocity, -P @ v / drawn.N) < 1e-15 * loss * 100


def test_the_adapted_field_takes_any_solver():
    drawn = OVER[0]
    fields = [
        gf.Adapted(solver=s)(drawn.problem, drawn.theta)
        for s in (gf.Auto(), gf.DenseQR(), gf.DenseSVD(), gf.LayeredCholesky(), gf.LSMR())
    ]
    for other in fields[1:]:
        assert relative(other, fields[0]) < 1e-8
    with pytest.raises(ValueError, match=r"needs K ≥ QN.*Use Auto"):
        gf.Adapted(solver=gf.LayeredCholesky())(
            Case((2, 2, 1), 20).problem, Case((2, 2, 1), 20).theta
        )


def test_the_comparison_field_and_its_solution():
    drawn = Case((2, 3, 3), 4, seed=5)
    x = gf.comparison.start(drawn.problem, drawn.theta)
    assert np.array_equal(x, drawn.problem.outputs(drawn.theta))
    assert relative(gf.comparison(drawn.problem, x), -(np.asarray(x) - drawn.targets) / 4) < 1e-15
    y = drawn.problem.data.targets
    s = np.array([0.0, 1.0, 4.0])
    solved = np.asarray(gf.comparison_solution(x, y, s))
    assert solved.shape == (3, 4, 3)
    for s_i, x_i in zip(s, solved, strict=True):
        assert (
            relative(x_i, drawn.targets + np.exp(-s_i / 4) * (np.asarray(x) - drawn.targets))
            < 1e-14
        )
    assert relative(gf.comparison_solution(x, y, 4.0), solved[2]) < 1e-15
    # and it solves the equation: its difference quotient is the field
    h = 1e-4
    slope = (gf.comparison_solution(x, y, 1 + h) - gf.comparison_solution(x, y, 1 - h)) / (2 * h)
    assert relative(slope, gf.comparison(drawn.problem, jnp.asarray(solved[1]))) < 1e-8


@given(st.floats(1e-6, 1e6), st.floats(1e-12, 1.0), st.integers(1, 1000))
def test_the_stopping_time_is_when_the_comparison_flow_has_that_cost(cost0, fraction, N):
    cost = fraction * cost0
    s = gf.stopping_time(cost0, cost, N)
    assert cost0 * np.exp(-2 * s / N) == pytest.approx(cost, rel=1e-10)


def test_stopping_time_by_hand():
    assert gf.stopping_time(np.e**2, 1.0, samples=6) == pytest.approx(6.0, rel=1e-15)  # (N/2)·2
    assert gf.stopping_time(0.5, 0.5, samples=3) == 0


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    with pytest.raises(
        ValueError, match="target cost must not exceed the initial one, got cost = 2 > cost0 = 1"
    ):
        gf.stopping_time(1.0, 2.0, 3)
    with pytest.raises(ValueError, match="cost must be a finite number above zero, got 0"):
        gf.stopping_time(1.0, 0.0, 3)
    with pytest.raises(ValueError, match="cost0 must be a finite number above zero, got nan"):
        gf.stopping_time(np.nan, 0.1, 3)
    with pytest.raises(ValueError, match="samples N must be a whole number of at least 1, got 0"):
        gf.stopping_time(1.0, 0.1, 0)
    with pytest.raises(ValueError, match=r"unknown flow 'adaptive'.*comparison, standard, adapted"):
        flow_named("adaptive")
    assert flow_named("adapted") is gf.adapted
    assert flow_named(gf.standard) is gf.standard

    drawn = Case((2, 3, 1), 4)
    kinked = gf.Problem(gf.MLP((2, 3, 1), "relu"), drawn.problem.data)
    for flow in (gf.standard, gf.adapted):
        with pytest.raises(
            ValueError, match=r"has a kink \(relu\).*smooth_relu\(eps\).*softplus or tanh"
        ):
            flow.start(kinked, drawn.theta)
        with pytest.raises(ValueError, match=r"theta must have shape \(K,\) = \(13,\), got \(4,\)"):
            flow.start(drawn.problem, np.zeros(4))
    with pytest.raises(ValueError, match=r"x must have the targets' shape \(4, 1\), got \(3, 1\)"):
        gf.comparison.start(drawn.problem, np.zeros((3, 1)))
