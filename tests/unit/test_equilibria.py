"""Equilibria with rank loss: Hessians by differences, dimensions that are known, kicks, and the least-squares flow."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainNetwork, cost, finite_differences
from strategies import Case, cases, relative

import geoflow as gf


def plain_cost(case):
    network = PlainNetwork.like(case.problem.network)
    return lambda theta: cost(network.outputs(theta, case.inputs), case.targets)


@given(cases(activations=("tanh", "sigmoid", "softplus"), most_samples=4))
@settings(max_examples=15)
def test_the_hessian_by_differences_of_a_plain_gradient(drawn):
    network = PlainNetwork.like(drawn.problem.network)

    def gradient(theta):
        v = (network.outputs(theta, drawn.inputs) - drawn.targets).ravel()
        return network.jacobian(theta, drawn.inputs).T @ v / len(drawn.inputs)

    by_differences = finite_differences(gradient, drawn.theta)
    H = np.asarray(gf.equilibria.hessian(drawn.problem, drawn.theta))
    assert np.abs(H - by_differences).max() < 1e-7 * max(np.abs(H).max(), 1.0)
    assert np.array_equal(H, H.T)


def conflicting(N=5, widths=(2, 6, 1), seed=3, difference=2.0):
    """Two equal inputs with labels ±difference/2: rank N − 1 everywhere, floor difference²/(4N)."""
    drawn = Case(widths, N, seed=seed)
    inputs = drawn.problem.data.inputs.at[1].set(drawn.problem.data.inputs[0])
    targets = drawn.problem.data.targets.at[:2, 0].set(difference / 2 * jnp.array([1.0, -1.0]))
    return gf.Problem(drawn.problem.network, gf.Dataset(inputs, targets)), drawn.theta


@functools.cache
def floor():
    problem, theta = conflicting()
    least_squares = gf.Adapted(gf.DenseSVD())
    return problem, gf.integrate(
        least_squares, problem, theta, until=30.0 * 5, save=17, rank_tolerance=None
    )


def test_the_least_squares_flow_has_a_closed_form():
    problem, orbit = floor()
    C_star = 4.0 / (4 * 5)
    expected = C_star + np.exp(-2 * orbit.s / 5) * (orbit.cost[0] - C_star)
    assert np.abs(orbit.cost - expected).max() < 1e-8 * orbit.cost[0]
    assert orbit.status is gf.Status.completed
    assert gf.numerical_rank(problem.jacobian(jnp.asarray(orbit.end))).rank == 4


def test_one_floor_two_counts():
    problem, orbit = floor()
    point = gf.equilibria.critical_point(problem, orbit.end)
    assert (point.rank.rank, point.nullity, point.predicted_dimension) == (4, 25 - 4, 25 - 4)
    assert point.index == 0
    assert point.decided
    assert point.cost == pytest.approx(0.2, rel=1e-9)
    frame = gf.equilibria.frame_gradients(problem, orbit.end)
    assert frame.shape == (4, 25)
    assert np.linalg.matrix_rank(frame, rtol=1e-8) == 4
    kernel = point.directions[:, np.abs(point.eigenvalues) <= point.tolerance]
    assert np.abs(frame @ kernel).max() < 1e-9  # tangent to the critical manifold: no g_i grows


def test_the_frame_gradients_are_derivatives_of_g():
    """The columns of D of unit length at theta_*, paired with ∇_x C in plain numpy on the way away from it."""
    problem, orbit = floor()
    theta, network = np.asarray(orbit.end), PlainNetwork((2, 6, 1))
    inputs, targets = np.asarray(problem.data.inputs), np.asarray(problem.data.targets)
    frame = gf.equilibria.frame_gradients(problem, theta)
    D = network.jacobian(theta, inputs)

    def all_g(theta):
        v = (network.outputs(theta, inputs) - targets).ravel()
        return network.jacobian(theta, inputs).T @ v / len(inputs) / np.linalg.norm(D, axis=0)

    slopes = finite_differences(all_g, theta)
    for row in frame:  # each is the gradient of g for one of the columns, with its sign
        assert min(np.abs(row - candidate).max() for candidate in slopes) < 1e-7
    assert np.linalg.matrix_rank(frame, rtol=1e-8) == np.linalg.matrix_rank(D, rtol=1e-8)


@given(st.integers(0, 2**31), st.sampled_from([-0.1, -1e-3, 1e-3, 0.1]))
@settings(max_examples=24)
def test_at_a_morse_bott_minimum_no_kick_helps(seed, kappa):
    problem, orbit = floor()
    kicked = gf.equilibria.kick(
        problem, orbit.end, np.random.default_rng(seed).normal(size=25), kappa
    )
    assert kicked.change > -1e-15
    assert kicked.predicted > 0
    assert np.linalg.norm(kicked.theta - orbit.end) == pytest.approx(abs(kappa), rel=1e-9)


def saddle():
    """x = θ₁θ₂ on one sample with y = 1: the origin is a saddle, Hess C = [[0, −1], [−1, 0]], D = 0 there."""
    network = gf.FunctionNetwork(
        lambda theta, inputs: (theta[0] * theta[1])[None, None] + 0 * inputs, 2
    )
    return gf.Problem(network, gf.Dataset([[1.0]], [[1.0]])), jnp.zeros(2)


def test_a_kick_out_of_a_saddle_by_hand():
    problem, origin = saddle()
    point = gf.equilibria.critical_point(problem, origin)
    assert point.eigenvalues == pytest.approx([-1, 1])
    assert (point.rank.rank, point.index, point.nullity) == (0, 1, 0)
    # K − rank, while the point is isolated: the rank is not locally constant
    assert point.predicted_dimension == 2
    n = gf.equilibria.escape_direction(point)
    assert n == pytest.approx([np.sqrt(0.5)] * 2)
    for kappa in (0.1, -0.1):  # C = (1 − κ²/2)²/2: both signs lower it, by κ²/2 − κ⁴/8
        kicked = gf.equilibria.kick(problem, origin, 3 * n, kappa)
        assert kicked.change == pytest.approx(-(kappa**2) / 2 + kappa**4 / 8, rel=1e-12)
        assert kicked.predicted == pytest.approx(-(kappa**2) / 2, rel=1e-12)
    uphill = gf.equilibria.kick(problem, origin, [1.0, -1.0], 0.1)
    assert uphill.change > 0
    assert uphill.predicted == pytest.approx(0.1**2 / 2, rel=1e-12)


def test_a_frame_needs_a_column():
    problem, origin = saddle()
    with pytest.raises(ValueError, match="D vanishes here"):
        gf.equilibria.frame_gradients(problem, origin)


def test_what_is_no_equilibrium_is_refused():
    drawn = Case((2, 3, 1), 5, seed=1)
    with pytest.raises(ValueError, match=r"theta is no equilibrium: \|∇C\| = .* polish"):
        gf.equilibria.critical_point(drawn.problem, drawn.theta)


def test_an_escape_that_does_not_exist():
    problem, orbit = floor()
    with pytest.raises(
        ValueError, match=r"no direction lowers the cost .* least eigenvalue .* walk along"
    ):
        gf.equilibria.escape_direction(gf.equilibria.critical_point(problem, orbit.end))


@pytest.mark.parametrize(
    ("direction", "words"),
    [
        (np.zeros(2), "direction must not be zero"),
        (np.ones(3), r"direction must have shape \(K,\) = \(2,\), got \(3,\)"),
        (np.array([np.nan, 1.0]), "direction must be finite"),
    ],
)
def test_a_kick_needs_a_direction(direction, words):
    problem, origin = saddle()
    with pytest.raises(ValueError, match=words):
        gf.equilibria.kick(problem, origin, direction, 0.1)


def test_an_eigenvalue_at_the_threshold_is_undecided():
    problem, orbit = floor()
    least = np.sort(
        np.abs(np.linalg.eigvalsh(gf.equilibria.hessian(problem, jnp.asarray(orbit.end))))
    )
    near = gf.equilibria.critical_point(problem, orbit.end, rtol=2 * least[-4] / least[-1])
    assert not near.decided
    assert near.nullity == 22


@given(cases(regime="over"))
@settings(max_examples=16)
def test_the_two_flows_agree_on_what_rests(drawn):
    """ker Dᵀ = ker D⁺ with an input doubled, so that both kernels are there (GM Theorem 4.2)."""
    inputs = jnp.concatenate([drawn.problem.data.inputs, drawn.problem.data.inputs[:1]])
    targets = jnp.concatenate([drawn.problem.data.targets, drawn.problem.data.targets[:1] + 1])
    problem = gf.Problem(drawn.problem.network, gf.Dataset(inputs, targets))
    D = PlainNetwork.like(problem.network).jacobian(np.asarray(drawn.theta), np.asarray(inputs))
    U, sigma, Vt = np.linalg.svd(D)
    above = sigma > 1e-6 * sigma[0]
    below = sigma < 1e-11 * sigma[0]
    if not (above | below).all():  # nothing to learn where the rank is a matter of opinion
        return
    r = int(above.sum())
    assert r < problem.QN
    D_plus = np.asarray(gf.moore_penrose(problem.jacobian(drawn.theta)))
    kernel = U[:, r:]
    assert np.abs(D_plus @ kernel).max() < 1e-7 * np.abs(D_plus).max()
    # and the flow: −D⁺∇_x C, with ẋ = −P∇_x C
    grad_x = np.asarray(problem.residual(drawn.theta)) / problem.N
    velocity = np.asarray(gf.Adapted(gf.DenseSVD())(problem, drawn.theta))
    expected = -Vt[:r].T @ ((U[:, :r].T @ grad_x) / sigma[:r])
    assert np.linalg.norm(velocity - expected) < 1e-6 * max(
        np.linalg.norm(expected), 1e-12 / sigma[r - 1]
    )
    assert np.linalg.norm(D @ velocity + U[:, :r] @ U[:, :r].T @ grad_x) < 1e-7 * np.linalg.norm(
        grad_x
    )


def test_the_minimizer_psi_is_not_unique_and_the_velocity_is():
    problem, theta = conflicting()
    D = np.asarray(problem.jacobian(theta))
    grad_x = np.asarray(problem.residual(theta)) / 5
    Psi = np.linalg.lstsq(D @ D.T, grad_x, rcond=1e-12)[0]
    kernel = np.array([1.0, -1, 0, 0, 0])  # equal rows of D
    assert np.linalg.norm(D.T @ kernel) < 1e-13
    velocity = gf.Adapted(gf.DenseSVD())(problem, theta)
    for other in (Psi, Psi + 5 * kernel):
        assert relative(-D.T @ other, velocity) < 1e-9


def test_a_rank_deficient_start_is_a_status_and_an_exception():
    problem, theta = conflicting()
    with pytest.raises(
        gf.OrbitStopped,
        match=r"D lost rank.*Samples 0 and \d have equal inputs.*merge or drop.*rank_tolerance=None follows the least-squares flow",
    ) as stopped:
        gf.integrate("adapted", problem, theta, until=5.0)
    orbit = stopped.value.orbit
    assert orbit.status is gf.Status.rank_loss
    assert len(orbit.s) == 1
    assert orbit.s[0] == 0
    assert np.array_equal(orbit.end, theta)
    quiet = gf.integrate("adapted", problem, theta, until=5.0, throw=False)
    assert quiet.status is gf.Status.rank_loss
    assert orbit.sigma_min[0] <= 1e-7 * orbit.sigma_max[0]
    assert np.isfinite(quiet.cost).all()
