"""NA Theorem 1.5, GM Theorem 5.1 and GM section 6 as identities on drawn problems, against plain numpy."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import PlainNetwork
from strategies import Case, relative, scales, seeds

import geoflow as gf

MANY = settings(max_examples=24)
# Few shapes, many seeds: every shape compiles anew, and the identities do not depend on it.
SHAPES = {
    "under": [
        ((2, 2, 1), 12, "tanh"),
        ((1, 3, 2), 8, "sin"),
        ((3, 1), 6, "identity"),
        ((2, 2, 2), 8, "softplus"),
    ],
    "border": [
        ((2, 3, 1), 13, "tanh"),
        ((1, 1, 1), 4, "sin"),
        ((2, 2), 3, "identity"),
        ((2, 4, 2), 11, "tanh"),
    ],
    "over": [((2, 4, 1), 5, "tanh"), ((2, 2, 2, 2), 4, "softplus")],
}


def cases(*regimes):
    shapes = st.sampled_from([shape for regime in regimes for shape in SHAPES[regime]])
    return st.builds(
        lambda shape, seed, scale: Case(*shape, seed=seed, scale=scale),
        shape=shapes,
        seed=seeds,
        scale=scales,
    )


def plain_jacobian(drawn):
    return PlainNetwork.like(drawn.problem.network).jacobian(np.asarray(drawn.theta), drawn.inputs)


def conditioned(D, most=1e4):
    sigma = np.linalg.svd(D, compute_uv=False)
    assume(sigma[0] < most * sigma[-1])  # assume, not assert: the rank hypothesis of the theorem
    return D


@MANY
@given(cases("over", "border", "under"))
def test_the_projector_commutes_with_the_kernel_at_any_rank(drawn):
    """NA (1.24)-(1.25): [P, DDᵀ] = 0 and P DDᵀ = DDᵀ."""
    kernel = np.asarray(drawn.problem.ntk(drawn.theta))
    P = np.asarray(gf.range_projector(drawn.problem.jacobian(drawn.theta), rtol=1e-10))
    size = np.linalg.norm(kernel)
    assert np.linalg.norm(P @ kernel - kernel @ P) < 1e-9 * size
    assert np.linalg.norm(P @ kernel - kernel) < 1e-9 * size


@MANY
@given(cases("under"))
def test_the_projector_at_full_rank_is_the_formula(drawn):
    """NA (1.21), GM (5.4)."""
    D = conditioned(plain_jacobian(drawn))
    P = np.asarray(gf.tangent_projector(drawn.problem.jacobian(drawn.theta)))
    # the formula squares the condition number, here < 1e4
    assert relative(P, D @ np.linalg.inv(D.T @ D) @ D.T) < 1e-7
    assert relative(P, D @ np.linalg.pinv(D)) < 1e-9
    assert np.linalg.norm(P @ P - P) < 1e-12
    assert np.trace(P) == pytest.approx(drawn.problem.K, abs=1e-9)


@MANY
@given(cases("under"))
def test_the_adapted_field_is_the_constrained_gradient(drawn):
    """GM (5.3), (5.5): D·dtheta/ds = −P∇_x C; and dC/ds = −|P∇_x C|² (GM (5.12))."""
    D = conditioned(plain_jacobian(drawn), most=1e3)
    P = D @ np.linalg.pinv(D)
    gradient = np.asarray(drawn.problem.residual(drawn.theta)) / drawn.N
    theta_dot = np.asarray(gf.adapted(drawn.problem, drawn.theta))
    assert np.linalg.norm(D @ theta_dot + P @ gradient) < 1e-9 * np.linalg.norm(gradient)
    assert relative(theta_dot, -np.linalg.lstsq(D, gradient, rcond=None)[0]) < 1e-9
    rate = float(drawn.problem.gradient(drawn.theta) @ theta_dot)
    assert abs(rate + np.sum((P @ gradient) ** 2)) < 1e-9 * np.sum(gradient**2)


@MANY
@given(cases("under"))
def test_the_normal_part_and_what_it_costs(drawn):
    """P⊥v solves nothing: the residual of the best linear fit of v by the columns of D."""
    D = conditioned(plain_jacobian(drawn))
    v = np.asarray(drawn.problem.residual(drawn.theta))
    left = v - D @ np.linalg.lstsq(D, v, rcond=None)[0]
    normal = np.asarray(gf.normal_part(drawn.problem.jacobian(drawn.theta), jnp.asarray(v)))
    assert np.linalg.norm(normal - left) < 1e-9 * np.linalg.norm(v)
    assert np.linalg.norm(D.T @ normal) < 1e-9 * np.linalg.norm(D) * np.linalg.norm(v)
    expected = np.sum(left**2) / (2 * drawn.N)
    assert abs(float(gf.stationary_cost(drawn.problem, drawn.theta)) - expected) < 1e-9 * np.sum(
        v**2
    )


@given(st.integers(0, 1000))
def test_at_a_stationary_point_it_is_the_cost(seed):
    """A linear network at its least-squares solution: C = |P⊥v|²/(2N), by hand from lstsq."""
    drawn = Case((2, 1), 6, "identity", seed=seed)
    A = np.column_stack([drawn.inputs, np.ones(6)])
    theta, residual, *_ = np.linalg.lstsq(A, drawn.targets[:, 0], rcond=None)
    cost = float(gf.stationary_cost(drawn.problem, jnp.asarray(theta)))
    assert cost == pytest.approx(residual[0] / 12, rel=1e-9)
    assert cost == pytest.approx(float(drawn.problem.cost(jnp.asarray(theta))), rel=1e-9)
    # and at every other theta it is the same number, because the surface is flat
    assert float(gf.stationary_cost(drawn.problem, drawn.theta)) == pytest.approx(cost, rel=1e-9)


@MANY
@given(cases("border"))
def test_both_formulas_coincide_on_the_border(drawn):
    """GM (6.1)-(6.4): −D⁻¹∇_x C from either side, to a few roundings times the condition number."""
    D = conditioned(plain_jacobian(drawn), most=1e7)
    gradient = np.asarray(drawn.problem.residual(drawn.theta)) / drawn.N
    newton = -np.linalg.solve(D, gradient)
    Q, R = np.linalg.qr(D)
    under = -np.linalg.solve(R, Q.T @ gradient)
    over = -np.asarray(gf.penrose_inverse(drawn.problem.jacobian(drawn.theta))) @ gradient
    slack = 100 * np.finfo(float).eps * np.linalg.cond(D)
    for field in (
        under,
        over,
        np.asarray(gf.Adapted(solver=gf.DenseQR())(drawn.problem, drawn.theta)),
    ):
        assert relative(field, newton) < slack


def test_qr_keeps_the_digits_that_the_formula_loses():
    rng = np.random.default_rng(0)
    U, _ = np.linalg.qr(rng.normal(size=(9, 4)))
    V, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    D = (U * np.geomspace(1, 1e-6, 4)) @ V.T
    assert relative(gf.tangent_projector(jnp.asarray(D)), U @ U.T) < 1e-9
    assert relative(D @ np.linalg.inv(D.T @ D) @ D.T, U @ U.T) > 1e-7


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    with pytest.raises(ValueError, match=r"needs K ≤ QN, got K = 3 > QN = 2.*range_projector"):
        gf.tangent_projector(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"full rank K = 2, got rank 1.*range_projector"):
        gf.tangent_projector(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"v must have shape \(QN,\) = \(3,\).*got \(2,\)"):
        gf.normal_part(np.ones((3, 2)), np.ones(2))
    with pytest.raises(TypeError, match="v must be float64, got float32"):
        gf.normal_part(np.ones((3, 2)), np.ones(3, np.float32))


def test_wilson_by_hand():
    """The two roots p of (p̂ − p)² = z² p(1 − p)/n."""
    for seen, n in ((0, 20), (7, 20), (20, 20), (1, 1)):
        low, high = gf.wilson_interval(seen, n)
        a, b, c = 1 + 1.96**2 / n, -2 * seen / n - 1.96**2 / n, (seen / n) ** 2
        roots = np.sort(np.roots([a, b, c]).real)
        assert (low, high) == pytest.approx(roots, abs=1e-7)
        assert 0 <= low <= seen / n <= high <= 1
    assert gf.wilson_interval(0, 20)[1] == pytest.approx(1.96**2 / (20 + 1.96**2), rel=1e-12)


@pytest.mark.usefixtures("as_a_user")
def test_wilson_refuses():
    with pytest.raises(ValueError, match="from 0 to trials = 5, got 6"):
        gf.wilson_interval(6, 5)
    with pytest.raises(ValueError, match="trials must be a whole number of at least 1, got 0"):
        gf.wilson_interval(0, 0)
    with pytest.raises(ValueError, match="z must be a finite number above zero"):
        gf.wilson_interval(1, 2, z=0.0)
